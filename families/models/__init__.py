"""Whom we may invite: families, their children, the classes these are in, and the roster."""

from .amendments import AmendmentRequest
from .attributes import StudentAttributes
from .classes import ClassTeacher, Enrollment, SchoolClass, SchoolTally
from .people import Caregiver, Family, Student, adults, children, grade_in_words, isolated, joined
from .roster import RosterChange, RosterImport, RosterProgress, RosterSession

__all__ = [
    "AmendmentRequest",
    "Caregiver",
    "ClassTeacher",
    "Enrollment",
    "Family",
    "RosterChange",
    "RosterImport",
    "RosterProgress",
    "RosterSession",
    "SchoolClass",
    "SchoolTally",
    "Student",
    "StudentAttributes",
    "adults",
    "children",
    "grade_in_words",
    "isolated",
    "joined",
]
