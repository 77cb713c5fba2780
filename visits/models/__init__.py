"""The program itself: teams, invitations, visits, what was learned, and pay."""

from .answer import FamilyLink, InvitationAnswer, MessageWording
from .availability import Availability, SchoolHoliday, TimeOff
from .debrief import DebriefAttendee, DebriefSession, ResourceAsk
from .drafting import LogDraft
from .feed import CalendarFeed
from .interpreting import Interpreter, InterpreterAsk, InterpreterRequest
from .invitation import ContactAttempt, Invitation
from .pay import FundingSource, PayBatch, PayLine, PayRate
from .reflection import FollowUp, Reflection, VisitGoals, VisitLog
from .safety import SafetyCheck
from .selection import Draw, SelectionPlan
from .sending import ReceivedKey
from .tally import Tally
from .tap import ReflectionTheme, VisitTheme
from .team import TeamMember, VisitTeam
from .theme import Theme
from .visit import Visit, VisitKind, VisitParticipant, VisitStudent

__all__ = [
    "Availability",
    "CalendarFeed",
    "ContactAttempt",
    "DebriefAttendee",
    "DebriefSession",
    "Draw",
    "FamilyLink",
    "FollowUp",
    "FundingSource",
    "Interpreter",
    "InterpreterAsk",
    "InterpreterRequest",
    "Invitation",
    "InvitationAnswer",
    "LogDraft",
    "MessageWording",
    "PayBatch",
    "PayLine",
    "PayRate",
    "ReceivedKey",
    "Reflection",
    "ReflectionTheme",
    "ResourceAsk",
    "SafetyCheck",
    "SchoolHoliday",
    "SelectionPlan",
    "Tally",
    "TeamMember",
    "Theme",
    "TimeOff",
    "Visit",
    "VisitGoals",
    "VisitKind",
    "VisitLog",
    "VisitParticipant",
    "VisitStudent",
    "VisitTeam",
    "VisitTheme",
]
