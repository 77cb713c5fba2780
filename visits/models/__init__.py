"""The program itself: teams, invitations, visits, what was learned, and pay."""

from .invitation import ContactAttempt, Invitation, SelectionPlan
from .pay import FundingSource, PayBatch, PayLine, PayRate
from .reflection import FollowUp, Reflection, VisitLog
from .tally import Tally
from .team import TeamMember, VisitTeam
from .visit import Visit, VisitKind, VisitParticipant, VisitStudent

__all__ = [
    "ContactAttempt",
    "FollowUp",
    "FundingSource",
    "Invitation",
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
