"""Who may do what: the whole permission table on one page.

A power (`Can`) reaches as far as its `Span`: one's own, one's school, the program.
Views ask `@requires(Can.X)` (403: not your job), querysets `.open_to(user, Can.X)`
(404: not yours). Administrators work in the Django admin and hold nothing here.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    EDUCATOR = "educator", _("Educator")
    SITE_COORDINATOR = "site_coordinator", _("Site coordinator")
    PROGRAM_COORDINATOR = "program_coordinator", _("Program coordinator")
    FINANCE = "finance", _("Finance")
    PARTNER = "partner", _("Partner")
    INTERPRETER = "interpreter", _("Interpreter")


class Span(Enum):
    """How far a power reaches."""

    OWN = auto()
    SCHOOL = auto()
    PROGRAM = auto()


class Can(StrEnum):
    """What a person may be allowed to do."""

    SEE_TODAY = auto()  # one's own next visit, promises, figures
    SEE_FAMILIES = auto()  # families, with contact data and invitations
    EDIT_FAMILIES = auto()  # correct them, decide about what they propose
    MERGE_FAMILIES = auto()  # make two one, or one two; a school's only if all children are there
    EXPORT_FAMILIES = auto()  # the list as a file: names and answers, nobody's contact data
    INVITE = auto()  # record attempts and answers
    REWORD = auto()  # what messages to families say
    SCHEDULE = auto()  # choose a team, schedule, cancel
    SET_AVAILABILITY = auto()  # when somebody can visit, and whether they interpret
    PAIR = auto()  # who goes together all year
    CLOSE_SCHOOL = auto()  # holidays and snow days, and moving a day's visits
    SEE_INTERPRETERS = auto()  # who is on the rota, and what is asked of them and answered
    RUN_INTERPRETERS = auto()  # put them on it, with their rates
    SEE_VISITS = auto()  # when, where, who; never what was said
    LOG = auto()  # hold and log a visit one takes part in
    REFLECT = auto()  # attest and reflect on it
    SEE_DEBRIEFS = auto()  # when, the agenda, what was decided
    RUN_DEBRIEFS = auto()  # plan them, tick who came, find what was asked for
    SET_THEMES = auto()  # the words to tap in a log or reflection, and those warned about
    SEE_DESK = auto()  # what needs a coordinator
    SEE_PLANS = auto()
    PLAN = auto()  # make a selection plan
    IMPORT_ROSTER = auto()
    SEE_TRAINING = auto()
    RUN_TRAINING = auto()  # cohorts, attendance and certifications
    SEE_OWN_TRAINING = auto()  # one's own certificates and cohorts, sign up, say how it was
    SEE_CERTIFICATES = auto()  # as papers to print
    SEE_OWN_PAY = auto()
    SEE_PAY = auto()
    APPROVE_PAY = auto()  # never one's own: the action and the database refuse
    BATCH_PAY = auto()  # batch, export, reverse
    SEE_COVERAGE = auto()  # counts only, small groups suppressed


OWN, SCHOOL, PROGRAM = Span.OWN, Span.SCHOOL, Span.PROGRAM

POWERS: dict[Role, dict[Can, Span]] = {
    Role.EDUCATOR: {
        Can.SEE_TODAY: OWN,
        Can.SEE_FAMILIES: OWN,
        Can.INVITE: OWN,
        Can.SCHEDULE: OWN,
        Can.SET_AVAILABILITY: OWN,
        Can.SEE_VISITS: OWN,
        Can.LOG: OWN,
        Can.REFLECT: OWN,
        Can.SEE_DEBRIEFS: OWN,
        Can.SEE_OWN_TRAINING: OWN,
        Can.SEE_CERTIFICATES: OWN,
        Can.SEE_OWN_PAY: OWN,
    },
    Role.SITE_COORDINATOR: {
        Can.SEE_FAMILIES: SCHOOL,
        Can.EDIT_FAMILIES: SCHOOL,
        Can.MERGE_FAMILIES: SCHOOL,
        Can.EXPORT_FAMILIES: SCHOOL,
        Can.INVITE: SCHOOL,
        Can.SCHEDULE: SCHOOL,
        Can.SET_AVAILABILITY: SCHOOL,
        Can.PAIR: SCHOOL,
        Can.CLOSE_SCHOOL: SCHOOL,
        Can.SEE_INTERPRETERS: SCHOOL,
        Can.SEE_VISITS: SCHOOL,
        Can.SEE_DEBRIEFS: SCHOOL,
        Can.RUN_DEBRIEFS: SCHOOL,
        Can.SEE_DESK: SCHOOL,
        Can.SEE_PLANS: SCHOOL,
        Can.PLAN: SCHOOL,
        Can.SEE_TRAINING: SCHOOL,
        Can.SEE_CERTIFICATES: SCHOOL,
        Can.SEE_PAY: SCHOOL,
        Can.APPROVE_PAY: SCHOOL,
        Can.SEE_COVERAGE: SCHOOL,
    },
    Role.PROGRAM_COORDINATOR: {
        Can.SEE_FAMILIES: PROGRAM,
        Can.EDIT_FAMILIES: PROGRAM,
        Can.MERGE_FAMILIES: PROGRAM,
        Can.EXPORT_FAMILIES: PROGRAM,
        Can.INVITE: PROGRAM,
        Can.REWORD: PROGRAM,
        Can.SCHEDULE: PROGRAM,
        Can.SET_AVAILABILITY: PROGRAM,
        Can.PAIR: PROGRAM,
        Can.CLOSE_SCHOOL: PROGRAM,
        Can.SEE_INTERPRETERS: PROGRAM,
        Can.RUN_INTERPRETERS: PROGRAM,
        Can.SEE_VISITS: PROGRAM,
        Can.SEE_DEBRIEFS: PROGRAM,
        Can.RUN_DEBRIEFS: PROGRAM,
        Can.SET_THEMES: PROGRAM,
        Can.SEE_DESK: PROGRAM,
        Can.SEE_PLANS: PROGRAM,
        Can.PLAN: PROGRAM,
        Can.IMPORT_ROSTER: PROGRAM,
        Can.SEE_TRAINING: PROGRAM,
        Can.SEE_CERTIFICATES: PROGRAM,
        Can.RUN_TRAINING: PROGRAM,
        Can.SEE_PAY: PROGRAM,
        Can.APPROVE_PAY: PROGRAM,
        Can.SEE_COVERAGE: PROGRAM,
    },
    Role.FINANCE: {
        Can.SEE_PAY: PROGRAM,
        Can.APPROVE_PAY: PROGRAM,
        Can.BATCH_PAY: PROGRAM,
    },
    Role.PARTNER: {Can.SEE_COVERAGE: PROGRAM},
    Role.INTERPRETER: {},
}


@dataclass(frozen=True)
class Reach:
    """How far one power goes for one person: the program, these schools, or these own rows."""

    program: bool = False
    schools: frozenset[int] = frozenset()
    educators: frozenset[int] = frozenset()
    own_schools: frozenset[int] = frozenset()  # where those own rows still are one's own

    def __bool__(self) -> bool:
        return self.program or bool(self.schools or self.educators)


def powers(memberships: Iterable[Any]) -> frozenset[Can]:
    """Everything these memberships allow."""
    return frozenset(can for held in memberships for can in POWERS[Role(held.role)])


def reach(memberships: Iterable[Any], can: Can) -> Reach:
    """How far these memberships carry `can`."""
    spans = [(held, POWERS[Role(held.role)].get(can)) for held in memberships]
    return Reach(
        program=any(span is PROGRAM for _, span in spans),
        schools=frozenset(held.school_id for held, span in spans if span is SCHOOL),
        educators=frozenset(
            held.educator_id for held, span in spans if span is OWN and held.educator_id
        ),
        own_schools=frozenset(held.school_id for held, span in spans if span is OWN),
    )


def requires(can: Can) -> Callable:
    """Refuse (403) whoever holds no membership with this power in the program at hand."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
            if can not in request.powers:
                raise PermissionDenied
            return view(request, *args, **kwargs)

        guarded.requires = can  # type: ignore[attr-defined]
        return guarded

    return decorate
