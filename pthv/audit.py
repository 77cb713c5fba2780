"""What it meant: every action and every look, written in the same transaction."""

from collections.abc import Iterable
from typing import Any, Final, Literal

from pthv.access import Can
from pthv.models import AuditEntry, Membership, ProgramRow, RecordView, User

# Administrators hold no power of the access table; the admin is what lets them look.
ADMINISTRATOR: Final = "administrator"


def record(
    event: str, subject: "ProgramRow | Membership", *, by: User | None, **facts: Any
) -> None:
    """Keep that `event` ("visit.scheduled") happened to `subject`, done by whom.

    `facts` are ids, states and reasons: JSON values, never what a family said.
    """
    record_many(event, [(subject, facts)], by=by)


def record_many(
    event: str,
    subjects: "Iterable[tuple[ProgramRow | Membership, dict[str, Any]]]",
    *,
    by: User | None,
) -> None:
    """Keep that the same happened to each of these, with facts of its own."""
    AuditEntry.objects.bulk_create(
        AuditEntry(
            program_id=subject.program_id,
            event=event,
            subject_type=str(subject._meta.model_name),
            subject_id=subject.pk,
            by=by,
            facts=facts,
        )
        for subject, facts in subjects
    )


def viewed(
    subject: "ProgramRow | Membership",
    *,
    by: User,
    reason: Can | Literal["administrator"],
    part: str = "",
) -> None:
    """Keep that somebody looked at a family or note, and what allowed it; `part`: a look at
    something of it that is kept apart, such as a family's "address"."""
    listed([subject], by=by, reason=reason, part=part)


def listed(
    subjects: "Iterable[ProgramRow | Membership]",
    *,
    by: User,
    reason: Can | Literal["administrator"],
    part: str = "",
) -> None:
    """Keep that somebody saw these on one page: a look at each."""
    RecordView.objects.bulk_create(
        RecordView(
            program_id=program,
            subject_type=f"{kind}.{part}" if part else kind,
            subject_id=pk,
            by=by,
            reason=reason,
        )
        for program, kind, pk in dict.fromkeys(
            (subject.program_id, str(subject._meta.model_name), subject.pk) for subject in subjects
        )
    )
