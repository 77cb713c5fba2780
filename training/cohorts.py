"""A cohort's way through its course: open, change, complete."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pthv import audit, clock, wording
from pthv.blocked import NotReady
from pthv.models import User
from training import enrolment, feedback, requirements
from training.models import (
    Certification,
    Cohort,
    CohortTrainer,
    Course,
    Trainer,
    Wave,
)

AFTERWARDS = frozenset({"host", "cost", "funding"})  # of its fields: bills come late


@transaction.atomic
def open_cohort(
    course: Course,
    name: str,
    *,
    by: User,
    trainers: Iterable[Trainer] = (),
    new_trainers: Mapping[str, Iterable[str]] | None = None,
    **fields: Any,
) -> Cohort:
    """Begin a cohort; `fields`: where, for whom and by whom, as the model has them.

    `new_trainers`: names of trainers who are not known yet, by their kind.
    """
    cohort = Cohort(program_id=course.program_id, course=course, name=name, **fields)
    _save(cohort)
    _set_trainers(cohort, trainers, new_trainers or {})
    audit.record("cohort.opened", cohort, by=by)
    return cohort


@transaction.atomic
def change(
    cohort: Cohort,
    fields: dict[str, Any],
    *,
    by: User,
    trainers: Iterable[Trainer] | None = None,
    new_trainers: Mapping[str, Iterable[str]] | None = None,
) -> Cohort:
    """Change what a cohort is like, and who trains it (None: as before); more places let in who
    waits. Once it is complete, only AFTERWARDS and its trainers."""
    cohort = Cohort.objects.locked(cohort)
    if cohort.completed_at and not AFTERWARDS.issuperset(fields):
        raise NotReady(
            _("This cohort is complete: only who trains, runs and pays it can still be changed.")
        )
    capacity = fields.get("capacity", cohort.capacity)
    if capacity is not None and capacity < cohort.enrolled:
        raise NotReady(
            ngettext(
                "%(count)s person has a place already. Give at least as many places.",
                "%(count)s people have a place already. Give at least as many places.",
                cohort.enrolled,
            )
            % {"count": cohort.enrolled}
        )
    for name, value in fields.items():
        setattr(cohort, name, value)
    _save(cohort, update_fields=list(fields))
    if trainers is not None:
        _set_trainers(cohort, trainers, new_trainers or {})
    audit.record("cohort.changed", cohort, by=by, fields=sorted(fields))
    if not cohort.completed_at:
        enrolment.move_up(cohort)
    return cohort


def _save(cohort: Cohort, **how: Any) -> None:
    try:
        with transaction.atomic():
            cohort.save(**how)
    except IntegrityError as refused:
        if "cohort_named_once" not in str(refused):
            raise
        raise NotReady(
            _("%(course)s has a cohort called %(name)s already. Give this one another name.")
            % {"course": cohort.course, "name": cohort.name}
        ) from None


def _set_trainers(
    cohort: Cohort, trainers: Iterable[Trainer], new: Mapping[str, Iterable[str]]
) -> None:
    held = CohortTrainer.objects.filter(cohort=cohort)
    wanted = {trainer.pk: trainer for trainer in trainers}
    for kind, names in new.items():
        for name in names:
            trainer, _made = Trainer.objects.get_or_create(
                program_id=cohort.program_id, name=name, defaults={"kind": kind}
            )
            wanted[trainer.pk] = trainer
    held.exclude(trainer__in=wanted).delete()
    here = set(held.values_list("trainer", flat=True))
    CohortTrainer.objects.bulk_create(
        CohortTrainer(program_id=cohort.program_id, cohort=cohort, trainer=trainer)
        for pk, trainer in wanted.items()
        if pk not in here
    )


def blockers(cohort: Cohort) -> list[str]:
    """Why this cohort can't be completed yet."""
    # Of what a page has at hand already.
    sessions = [session for session in cohort.sessions.all() if session.cancelled_at is None]
    if not sessions:
        return [_("This cohort has no session yet.")]
    last = max(session.ends_at for session in sessions)
    if last > clock.now():
        return [
            _("Its last session ends %(moment)s.")
            % {"moment": wording.moment(last, cohort.program)}
        ]
    if not cohort.course.requirements.exists():
        return [_("The course asks for nothing yet. Say first what it takes to be certified.")]
    return []


@transaction.atomic
def complete(cohort: Cohort, *, by: User) -> list[Certification]:
    """Close attendance, certify everybody who needs nothing more, and ask how it was."""
    cohort = Cohort.objects.locked(cohort)
    if cohort.completed_at:
        return []
    if reasons := blockers(cohort):
        raise NotReady(*reasons)
    cohort.completed_at, cohort.completed_by = clock.now(), by
    cohort.save(update_fields=["completed_at", "completed_by"])
    enrolment.end_waits(cohort, by=by)
    issued = requirements.certify(cohort, by=by)
    audit.record("cohort.completed", cohort, by=by, certified=len(issued))
    feedback.ask(cohort, wave=Wave.END)
    return issued
