"""The roster as comparable rows: what it says today, or every row as it is stored."""

from typing import Any

from django.db.models import F, TextField
from django.db.models.functions import Cast

from families.models import (
    Caregiver,
    ClassTeacher,
    Enrollment,
    RosterSession,
    SchoolClass,
    Student,
    StudentAttributes,
)
from pthv.models import Membership, School, SchoolYear
from pthv.models.undo import UNDOABLE, stored


def roster_snapshot() -> dict[str, list[Any]]:
    """Everything that roster files decide, by the ids of the files: who is here, and where.

    What has left is no part of it, nor is what came first.
    """
    here = Enrollment.objects.filter(left_on=None)
    standing = Caregiver.objects.filter(ended_on=None, family__students__left_on=None)
    tables = {
        "years": SchoolYear.objects.values_list("starts_on", "ends_on"),
        "sessions": RosterSession.objects.values_list("source_id", "school_year__starts_on"),
        "schools": School.objects.values_list("source_id", "name"),
        "classes": SchoolClass.objects.filter(left_on=None).values_list(
            "source_id", "title", "school__source_id", "school_year__starts_on"
        ),
        "students": Student.objects.enrolled().values_list(
            "source_id", "given_name", "family_name", "preferred_name", "grade", "school__source_id"
        ),
        "enrollments": here.values_list(
            "student__source_id", "school_class__source_id", "source_id"
        ),
        "teachers": ClassTeacher.objects.values_list(
            "educator__source_id", "school_class__source_id", "is_primary", "source_id"
        ),
        "memberships": Membership.objects.filter(role="educator", ends_on=None).values_list(
            "user__email", "school__source_id"
        ),
        "guardians": standing.values_list(
            F("family__students__source_id"),
            "roster_id",
            "given_name",
            "family_name",
            Cast("phone", TextField()),
            "email",
        ).distinct(),
        "attributes": StudentAttributes.objects.filter(student__left_on=None).values_list(
            "student__source_id", "home_language", "english_learner", "race_ethnicity", "sex"
        ),
    }
    return {name: sorted(map(repr, rows)) for name, rows in tables.items()}


def rows_snapshot() -> dict[str, list[Any]]:
    """Every row of every table that can be taken back, as it is stored."""
    return {
        model._meta.db_table: sorted(
            map(repr, model.objects.order_by().values_list(*stored(model)))
        )
        for model in UNDOABLE
    }
