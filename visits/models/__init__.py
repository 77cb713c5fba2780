"""The program itself: teams, invitations, visits, what was learned, and pay."""

from .answer import FamilyLink, InvitationAnswer, MessageWording
from .invitation import ContactAttempt, Invitation
from .pay import FundingSource, PayBatch, PayLine, PayRate
from .reflection import FollowUp, Reflection, VisitLog
from .selection import Draw, SelectionPlan
from .tally import Tally
from .team import TeamMember, VisitTeam
from .visit import Visit, VisitKind, VisitParticipant, VisitStudent

__all__ = [
    "ContactAttempt",
    "Draw",
    "FamilyLink",
    "FollowUp",
    "FundingSource",
    "Invitation",
    "InvitationAnswer",
    "MessageWording",
    "PayBatch",
    "PayLine",
    "PayRate",
    "Reflection",
    "SelectionPlan",
    "Tally",
    "TeamMember",
    "Visit",
    "VisitKind",
    "VisitLog",
    "VisitParticipant",
    "VisitStudent",
    "VisitTeam",
]
