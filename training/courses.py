"""Courses: what a program trains for, and what each asks for before it certifies."""

from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from pthv import audit
from pthv.blocked import NotReady
from pthv.models import User
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
    return course
