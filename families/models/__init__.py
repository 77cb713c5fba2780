"""Whom we may invite: families, their children, the classes these are in, and the roster."""

from .classes import ClassTeacher, Enrollment, SchoolClass, SchoolTally
from .people import Caregiver, Family, Student, adults, children, grade_in_words, isolated
from .roster import RosterChange, RosterImport

__all__ = [
    "Caregiver",
    "ClassTeacher",
    "Enrollment",
    "Family",
    "RosterChange",
    "RosterImport",
    "SchoolClass",
    "SchoolTally",
    "Student",
    "adults",
    "children",
    "grade_in_words",
    "isolated",
]
