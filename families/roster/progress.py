"""How far the worker is, told beside its transaction, so that a page can show it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet

from families.models import RosterChange, RosterImport, RosterProgress

from .chunks import CHUNK, chunks


@dataclass
class _Shown:
    aside: BaseDatabaseWrapper
    import_id: int
    done: int = 0


_at_work: ContextVar[_Shown | None] = ContextVar("at_work", default=None)


def begin(roster_import: RosterImport, *, total: int) -> None:
    """Start at nothing of `total`; in the transaction that hands the work over."""
    RosterProgress.objects.update_or_create(
        program=roster_import.program,
        roster_import=roster_import,
        defaults={"done": 0, "total": total},
    )


@contextmanager
def shown(roster_import_id: int) -> Iterator[None]:
    """Show what `advance` counts in the block; through a connection of its own, for what the
    work's own transaction writes is seen by nobody until it is over."""
    aside = connection.copy()
    token = _at_work.set(_Shown(aside, roster_import_id))
    try:
        yield
    finally:
        _at_work.reset(token)
        aside.close()


def steps(changes: QuerySet[RosterChange]) -> Iterator[list[RosterChange]]:
    """Lines of a plan a chunk at a time; each is counted as done when the next is asked for."""
    for chunk in chunks(changes.iterator(CHUNK)):
        yield chunk
        advance(len(chunk))


def advance(rows: int) -> None:
    """So many more are done."""
    work = _at_work.get()
    if work is None:
        return
    work.done += rows
    with work.aside.cursor() as cursor:
        cursor.execute(
            "UPDATE families_rosterprogress SET done = %s WHERE roster_import_id = %s",
            [work.done, work.import_id],
        )
