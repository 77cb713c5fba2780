"""Who and where: programs, schools, people, and the record of what they did."""

from .audit import AuditEntry, LanguageReview, Message, RecordView, TextStop
from .people import Educator, Membership, Role, User, full_name
from .program import PartnerOrganization, Program, School, SchoolYear
from .tenancy import CompositeForeignKey, ProgramRow, same_program, scoped
from .undo import Change, RowImage, undoable

__all__ = [
    "AuditEntry",
    "Change",
    "CompositeForeignKey",
    "Educator",
    "LanguageReview",
    "Membership",
    "Message",
    "PartnerOrganization",
    "Program",
    "ProgramRow",
    "RecordView",
    "Role",
    "RowImage",
    "School",
    "SchoolYear",
    "TextStop",
    "User",
    "full_name",
    "same_program",
    "scoped",
    "undoable",
]
