"""Reminders before a certification that allows something ends: to who holds it, and to who looks
after them."""

import datetime
from collections import defaultdict
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.urls import reverse

from pthv import clock, outbox
from pthv.models import Educator, Membership, Program, Role, User
from pthv.outbox import Letter
from training.models import Certification, CertificationReminder, Cohort, Grant

DAYS = (60, 30, 7)
MORNING = 7  # o'clock, where the program is: nobody's phone rings at night
LISTED = 100  # of the people in one coordinator's message
Due = Any  # a Certification, with the `days` of the reminder it is time for


class People(NamedTuple):
    """Who works where, and who looks after them."""

    schools: dict[int, set[int]]  # by the educator's user
    coordinators: dict[int | None, list[User]]  # by school; of the program by None

    def of(self, educator: Educator) -> list[User]:
        """The site coordinators of somebody's schools, or the program's where there is none."""
        found: dict[int, User] = {}
        for school in self.schools.get(educator.user_id, {None}):
            for user in self.coordinators.get(school) or self.coordinators.get(None, []):
                found[user.pk] = user
        return list(found.values())


@transaction.atomic
def remind(program: Program) -> int:
    """Remind whom it is time to remind in this program; return of how many certifications.

    Of several reminders that came due while nobody sent them, only the nearest is sent.
    """
    # One at a time: whoever comes second finds nothing due.
    Program.objects.select_for_update(no_key=True).get(pk=program.pk)
    found = list(due(program))
    if not found:
        return 0
    reminders = [
        CertificationReminder(program=program, certification=held, days=days, made_at=clock.now())
        for held in found
        for days in DAYS
        if days >= held.days
    ]
    CertificationReminder.objects.bulk_create(reminders, ignore_conflicts=True, batch_size=1000)
    people = _people(program, found)
    _tell_holders(program, found, people)
    _tell_coordinators(program, found, people)
    return len(found)


def due(program: Program) -> QuerySet:
    """Certifications whose holder was not reminded yet as late as now, with those `days`.

    Not of whoever may do the same for longer by another one, left, or has no account any more.
    """
    today = program.today
    near = [
        When(expires_on__lte=today + datetime.timedelta(days=days), then=Value(days))
        for days in sorted(DAYS)
    ]
    allowing = Certification.objects.filter(revoked_at=None).exclude(course__grants=Grant.NOTHING)
    others = allowing.filter(
        educator=OuterRef("educator"), course__grants=OuterRef("course__grants")
    )
    longer = others.filter(
        Q(expires_on__gt=OuterRef("expires_on"))
        | Q(expires_on=OuterRef("expires_on"), pk__gt=OuterRef("pk"))
    )
    told = CertificationReminder.objects.filter(
        certification=OuterRef("pk"), days__lte=OuterRef("days")
    )
    return (
        allowing.filter(
            program=program,
            expires_on__range=(today, today + datetime.timedelta(days=max(DAYS))),
            educator__in=Educator.objects.staying(),
            educator__user__is_active=True,
        )
        .annotate(days=Case(*near))
        .filter(~Exists(longer), ~Exists(told))
        .select_related("educator__user", "course")
        .order_by("expires_on", "pk")
    )


def _people(program: Program, found: list[Due]) -> People:
    people = People(defaultdict(set), defaultdict(list))
    users = {held.educator.user_id for held in found}
    members = Membership.objects.not_over().filter(program=program, user__is_active=True)
    for user, school in members.filter(role=Role.EDUCATOR, user__in=users).values_list(
        "user", "school"
    ):
        people.schools[user].add(school)
    roles = [Role.SITE_COORDINATOR, Role.PROGRAM_COORDINATOR]
    for held in (
        Membership.objects.current(program.today)
        .filter(program=program, user__is_active=True, role__in=roles)
        .select_related("user")
        .order_by("user")
    ):
        people.coordinators[held.school_id].append(held.user)
    return people


def _tell_holders(program: Program, found: list[Due], people: People) -> None:
    cohorts = list(_open_cohorts(program))
    link = settings.SITE_URL + reverse("own_training")
    letters = []
    for held in found:
        schools = people.schools.get(held.educator.user_id, set())
        renewing = (
            cohort
            for cohort in cohorts
            if cohort.course.grants == held.course.grants
            and (cohort.school_id is None or cohort.school_id in schools)
        )
        context = {"certification": held, "cohort": next(renewing, None), "link": link}
        key = f"{held.pk}:{held.days}"
        letters.append(Letter(held.educator.user, context, key))
    outbox.queue_many(program, "certification_ending", letters)


def _open_cohorts(program: Program) -> QuerySet:
    """Cohorts in which one can renew and that have not begun, the next one first."""
    return (
        Cohort.objects.filter(
            program=program,
            open_for_sign_up=True,
            completed_at=None,
        )
        .exclude(course__grants=Grant.NOTHING)
        .with_sessions_in_brief()
        .filter(first_starts_at__gt=clock.now())
        .filter(Q(capacity=None) | Q(enrolled__lt=F("capacity"), waiting=0))
        .select_related("course")
        .order_by("first_starts_at", "pk")[:50]
    )


def _tell_coordinators(program: Program, found: list[Due], people: People) -> None:
    theirs: dict[User, list[Due]] = defaultdict(list)
    for held in found:
        for user in people.of(held.educator):
            theirs[user].append(held)
    letters = []
    for user, ending in theirs.items():
        first = min((held.pk, held.days) for held in ending)
        context = {
            "ending": ending[:LISTED],
            "count": len({held.educator_id for held in ending}),
            "more": max(0, len(ending) - LISTED),
            "link": settings.SITE_URL + reverse("certification_list"),
        }
        # What is due now is never due again, so no other message can begin with it.
        letters.append(Letter(user, context, f"{user.pk}:{first[0]}:{first[1]}"))
    outbox.queue_many(program, "certifications_ending", letters)


def is_morning(program: Program) -> bool:
    """Whether people there are up."""
    return clock.now().astimezone(program.zone).hour >= MORNING
