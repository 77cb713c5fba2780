"""The school years that a bundle's academic sessions add up to."""

from datetime import date, timedelta

from django.utils.translation import gettext as _

from pthv.tables.problems import Unreadable

from .read import Session

Span = tuple[date, date]
FARTHEST_YEARS = 10
FARTHEST_DAY = timedelta(days=FARTHEST_YEARS * 366)


def check_near(spans: list[Span], today: date) -> None:
    for day in (day for span in spans for day in span):
        if abs(day - today) > FARTHEST_DAY:
            raise Unreadable(far_away(day))


def far_away(day: date) -> str:
    known = {"year": day.year, "limit": FARTHEST_YEARS}
    return (
        _("academicSessions.csv has a school year of %(year)s, more than %(limit)s years from now.")
        % known
    )


def school_years(sessions: list[Session]) -> list[Span]:
    """The school years of a bundle: those it names, or else what its terms add up to."""
    named = [session for session in sessions if session.kind == "schoolyear"]
    if named:
        return merged([(session.starts, session.ends) for session in named])
    by_year: dict[str, list[Session]] = {}
    for session in sessions:
        by_year.setdefault(session.school_year, []).append(session)
    return merged(
        [
            (min(term.starts for term in terms), max(term.ends for term in terms))
            for terms in by_year.values()
        ]
    )


def merged(spans: list[Span]) -> list[Span]:
    """Spans joined where they share a day, for a program's years never overlap."""
    joined: list[Span] = []
    for starts, ends in sorted(spans):
        if joined and starts <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(ends, joined[-1][1]))
        else:
            joined.append((starts, ends))
    return joined


def overlap(one: Span, other: Span) -> timedelta:
    return min(one[1], other[1]) - max(one[0], other[0])


def year_key(span: Span, known: list[Span]) -> tuple[str, Span, bool]:
    """A year's first day as its key: the program's own year where one holds these days."""
    best = max(known, key=lambda year: overlap(year, span), default=None)
    if best and overlap(best, span) >= timedelta(0):
        return f"{best[0]}", best, True
    return f"{span[0]}", span, False


def year_name(starts: date, ends: date) -> str:
    return f"{starts.year}–{ends.year % 100:02}" if ends.year > starts.year else f"{starts.year}"
