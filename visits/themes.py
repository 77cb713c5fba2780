"""Themes to tap: a program's own list, and what was tapped of a visit or of a reflection."""

import re
from collections.abc import Collection, Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from pthv import audit
from pthv.blocked import NotReady
from pthv.models import Program, User
from visits import never_record
from visits.models import Reflection, ReflectionTheme, Theme, Visit, VisitTheme

Kind = Theme.Kind
LONGEST = 20  # of each kind: more than that nobody reads in a car
# What a program begins with.
USUAL = {
    Kind.HOPE: (
        "Reading",
        "Mathematics and science",
        "Friends",
        "Confidence",
        "Kindness",
        "College or work",
        "Languages and culture",
        "Arts and music",
        "Sport",
        "Being safe and happy",
    ),
    Kind.LEARNED: (
        "A strength I had not seen",
        "What the child loves",
        "How the family teaches at home",
        "What school was like for the parents",
        "How we reach each other best",
        "An assumption of mine was wrong",
    ),
}
# No theme either: behaviour, absence and grades have no place in a first visit, and what a family
# is by birth is counted elsewhere. The beginnings of words.
NEVER = re.compile(
    r"\b(behavio|disciplin|suspen|attendance|absen|truan|grades?\b|test scores?\b|race\b|ethnic|"
    r"politic|citizen|health|lunch|drug|substance|court\b|police|abuse)",
    re.IGNORECASE,
)


@transaction.atomic
def begin(program: Program, *, by: User) -> list[Theme]:
    """Bring the usual ones, unless there are some already."""
    _locked(program)
    if Theme.objects.filter(program=program).exists():
        return []
    return [add(program, kind, name, by=by) for kind, names in USUAL.items() for name in names]


@transaction.atomic
def add(program: Program, kind: str, name: str, *, by: User) -> Theme:
    """Put one at the end of its list; one that was retired comes back."""
    name = _checked(program, name)
    _locked(program)
    listed = Theme.objects.filter(program=program, kind=kind)
    found = listed.filter(name__iexact=name).first()
    if found and found.ended_on is None:
        raise NotReady(_("This is on the list already."))
    standing = listed.standing()
    if standing.count() >= LONGEST:
        raise NotReady(_("Twenty is enough to choose from in a car. Retire one first."))
    last = standing.order_by("position").last()
    theme = found or Theme(program=program, kind=kind)
    theme.name, theme.ended_on = name, None
    theme.position = last.position + 1 if last else 0
    theme.save()
    audit.record("theme.added", theme, by=by)
    return theme


@transaction.atomic
def rename(theme: Theme, name: str, *, by: User) -> Theme:
    """Say it better. It stays the same theme: what was tapped before counts on."""
    name = _checked(theme.program, name)
    _locked(theme.program)
    same = Theme.objects.filter(program_id=theme.program_id, kind=theme.kind, name__iexact=name)
    if same.exclude(pk=theme.pk).exists():
        raise NotReady(_("This is on the list already."))
    theme.name = name
    theme.save(update_fields=["name"])
    audit.record("theme.renamed", theme, by=by)
    return theme


@transaction.atomic
def retire(theme: Theme, *, by: User) -> Theme:
    """Offer it no more; where it was tapped it stays."""
    if theme.ended_on is None:
        theme.ended_on = theme.program.today
        theme.save(update_fields=["ended_on"])
        audit.record("theme.retired", theme, by=by)
    return theme


@transaction.atomic
def move(theme: Theme, step: int, *, by: User) -> None:
    """One place up (-1) or down (1)."""
    _locked(theme.program)
    listed = list(Theme.objects.standing().filter(program_id=theme.program_id, kind=theme.kind))
    place = listed.index(theme)
    to = min(max(place + step, 0), len(listed) - 1)
    listed.insert(to, listed.pop(place))
    for position, one in enumerate(listed):
        one.position = position
    Theme.objects.bulk_update(listed, ["position"])
    audit.record("theme.moved", theme, by=by)


def tap_visit(visit: Visit, themes: Iterable[int]) -> None:
    """These (ids) were spoken of, and no others."""
    rows = VisitTheme.objects.filter(visit=visit)
    new = _exactly(rows, themes)
    VisitTheme.objects.bulk_create(
        VisitTheme(program_id=visit.program_id, visit=visit, theme_id=pk) for pk in new
    )


def tap_reflection(reflection: Reflection, themes: Iterable[int]) -> None:
    """Its author learned these (ids), and no others."""
    rows = ReflectionTheme.objects.filter(reflection=reflection)
    new = _exactly(rows, themes)
    ReflectionTheme.objects.bulk_create(
        ReflectionTheme(program_id=reflection.program_id, reflection=reflection, theme_id=pk)
        for pk in new
    )


def _exactly(rows, themes: Iterable[int]) -> Collection[int]:
    """Take away the rows of other themes; return those that are still to be added, in order."""
    wanted = set(themes)
    there = set(rows.values_list("theme", flat=True))
    if gone := there - wanted:
        rows.filter(theme__in=gone).delete()
    return sorted(wanted - there)


def _checked(program: Program, name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise NotReady(_("Say it in a word or two."))
    if NEVER.search(name) or never_record.noticed(program, name):
        raise NotReady(
            _("This is never recorded of a family, so it is no theme. Name a hope or a strength.")
        )
    return name


def _locked(program: Program) -> None:
    """Two coordinators change the list one after the other."""
    Program.objects.select_for_update(no_key=True).get(pk=program.pk)
