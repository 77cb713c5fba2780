"""Courses: what a program trains for, and what each asks for before it certifies."""

from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from pthv import audit
from pthv.blocked import NotReady
from pthv.models import User
from training import requirements
from training.models import Course, CourseRequirement

Kind = CourseRequirement.Kind


@transaction.atomic
def save(
    course: Course,
    fields: dict[str, Any],
    asked: dict[str, Decimal],
    *,
    by: User,
    held: Course | None = None,
) -> Course:
    """Add or change a course: its `fields`, and all it asks for: so much (`asked`) of each kind,
    and that another course, `held`, was completed before. Whoever is certified already stays so.
    """
    if not asked and held is None:
        raise NotReady(_("Say what it takes to be certified: at least one thing."))
    if course.pk:
        Course.objects.select_for_update().get(pk=course.pk)
        if _goes_round(course, held):
            raise NotReady(_("These courses would ask for each other, and nobody could begin."))
    for name, value in fields.items():
        setattr(course, name, value)
    new = course.pk is None
    try:
        with transaction.atomic():
            course.save()
    except IntegrityError as refused:
        if "course_named_once" not in str(refused):
            raise
        raise NotReady(_("There is a course of this name already.")) from None
    wanted: dict[tuple[str, Course | None], Decimal]
    wanted = {(kind, None): amount for kind, amount in asked.items()}
    if held is not None:
        wanted[(Kind.HOLDS, held)] = Decimal(1)
    course.requirements.all().delete()
    CourseRequirement.objects.bulk_create(
        CourseRequirement(
            program_id=course.program_id, course=course, kind=kind, held=other, amount=amount
        )
        for (kind, other), amount in wanted.items()
    )
    event = "course.added" if new else "course.changed"
    audit.record(
        event, course, by=by, asks={str(kind): str(amount) for (kind, _o), amount in wanted.items()}
    )
    # What is asked no more may have been the last thing for somebody.
    requirements.settle_course(course, by=by)
    return course


def _goes_round(course: Course, held: Course | None) -> bool:
    """Whether a course would ask for itself, by way of others or at once."""
    seen: set[int] = set()
    while held is not None and held.pk not in seen:
        if held.pk == course.pk:
            return True
        seen.add(held.pk)
        asked = held.requirements.filter(kind=Kind.HOLDS).select_related("held").first()
        held = asked.held if asked else None
    return False
