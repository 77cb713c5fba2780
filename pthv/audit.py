"""What it meant: every action and every look, written in the same transaction."""

from collections.abc import Iterable
from typing import Any, Final, Literal

from django.db import connection

from pthv import clock
from pthv.access import Can
from pthv.models import AuditEntry, Membership, ProgramRow, RecordView, User

# Administrators hold no power of the access table; the admin is what lets them look.
ADMINISTRATOR: Final = "administrator"

# Every list of families writes fifty of them: as SQL, at a third of the cost.
LOOKS = f"""
    INSERT INTO {RecordView._meta.db_table}
        (program_id, subject_type, subject_id, by_id, at, reason)
    SELECT program_id, subject_type, subject_id, %(by)s, %(at)s, %(reason)s
    FROM unnest(%(programs)s::bigint[], %(kinds)s::text[], %(ids)s::bigint[])
        AS seen (program_id, subject_type, subject_id)
"""  # noqa: S608


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
    seen = dict.fromkeys(
        (subject.program_id, str(subject._meta.model_name), subject.pk) for subject in subjects
    )
    if not seen:
        return
    programs, kinds, ids = map(list, zip(*seen, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(
            LOOKS,
            {
                "programs": programs,
                "kinds": [f"{kind}.{part}" if part else kind for kind in kinds],
                "ids": ids,
                "by": by.pk,
                "at": clock.now(),
                "reason": str(reason),
            },
        )
