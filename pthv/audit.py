"""What it meant: every action and every look, written in the same transaction."""

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
    AuditEntry.objects.create(
        program_id=subject.program_id,
        event=event,
        subject_type=subject._meta.model_name,
        subject_id=subject.pk,
        by=by,
        facts=facts,
    )


def viewed(
    subject: "ProgramRow | Membership", *, by: User, reason: Can | Literal["administrator"]
) -> None:
    """Keep that somebody looked at a family, note or address, and what allowed it."""
    RecordView.objects.create(
        program_id=subject.program_id,
        subject_type=subject._meta.model_name,
        subject_id=subject.pk,
        by=by,
        reason=reason,
    )
