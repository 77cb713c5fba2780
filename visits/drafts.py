"""Drafts of a log or a reflection: kept while one writes, read by their writer alone, and gone
once saved. A draft never takes the place of what was saved after it was begun."""

import datetime
import itertools
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _

from pthv import clock
from pthv.blocked import NotReady
from pthv.models import User
from visits.models import LogDraft, Visit

KEPT = datetime.timedelta(days=14)
MANY = 20  # pages of one form that somebody writes on at once
LONGEST = 20_000  # characters of a whole form


@dataclass(frozen=True)
class Found:
    """The draft that the form begins with, if any, and the others to choose from."""

    shown: LogDraft | None = None
    others: list[LogDraft] = field(default_factory=list)

    def instead_of(self, version: str) -> str:
        """The version of what is saved that the shown text was begun on."""
        return self.shown.instead_of if self.shown else version


def find(
    visit: Visit, what: str, *, by: User, saved_at: datetime.datetime | None, chosen: str = ""
) -> Found:
    """One's drafts. The newest is shown unless something was saved since; an older one, or
    another page's, is shown when chosen."""
    drafts = list(LogDraft.objects.of(visit, by, what))
    newer = (draft for draft in drafts if saved_at is None or draft.saved_at > saved_at)
    picked = (draft for draft in drafts if str(draft.key) == chosen)
    shown = next(picked, None) or next(newer, None)
    return Found(shown, [draft for draft in drafts if draft != shown])


@transaction.atomic
def keep(
    visit: Visit,
    what: str,
    key: uuid.UUID,
    texts: dict[str, list[str]],
    *,
    by: User,
    instead_of: str = "",
    replaces: uuid.UUID | None = None,
) -> LogDraft:
    """Keep what stands on one page; `replaces`: the draft that the page began with."""
    whose = visit.participants.filter(educator__user=by).first()
    if whose is None:
        raise NotReady(_("Only who was there can log a visit."))
    if sum(map(len, itertools.chain(*texts.values()))) > LONGEST:
        raise NotReady(_("This is too long to keep. Save it in parts."))
    draft, _new = LogDraft.objects.update_or_create(
        program_id=visit.program_id,
        visit=visit,
        educator_id=whose.educator_id,
        what=what,
        key=key,
        defaults={
            "data": texts,
            "instead_of": instead_of,
            "saved_at": clock.now(),
        },
    )
    mine = LogDraft.objects.of(visit, by, what)
    mine.filter(key=replaces).exclude(pk=draft.pk).delete()
    LogDraft.objects.filter(pk__in=[old.pk for old in mine[MANY:]]).delete()
    return draft


def drop(visit: Visit, what: str, keys: Iterable[str], *, by: User) -> None:
    """Forget drafts of one's own: saved by now, or not wanted."""
    found = [key for key in map(key_of, keys) if key]
    if found:
        LogDraft.objects.of(visit, by, what).filter(key__in=found).delete()


def key_of(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def forget() -> int:
    """Forget drafts that nobody saved."""
    return LogDraft.objects.filter(saved_at__lt=clock.now() - KEPT).delete()[0]
