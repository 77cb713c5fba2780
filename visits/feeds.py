"""A person's own calendar of visits, behind an address that only they know.

It holds when, and nothing about a family. Whoever has the address sees that much: it can be
closed, and is closed by itself once its owner doesn't visit in the program any more.
"""

import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.translation import gettext as _
from django_scopes import scopes_disabled

from pthv import audit, calendars, clock, tokens
from pthv.models import Educator, Membership, Program, Role, User
from visits import telling
from visits.models import CalendarFeed, Visit

# How far back a calendar shows what was.
REMEMBERED = datetime.timedelta(days=60)


@transaction.atomic
def mint(program: Program, user: User) -> CalendarFeed:
    """The feed of this person, the standing one or a new one."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    standing = CalendarFeed.objects.filter(program=program, user=user, revoked_at=None).first()
    if standing:
        return standing
    nonce = tokens.new_nonce()
    feed = CalendarFeed.objects.create(
        program=program,
        user=user,
        nonce=nonce,
        token_hash=tokens.hashed(tokens.token(nonce)),
        made_at=clock.now(),
    )
    audit.record("feed.made", feed, by=user)
    return feed


@transaction.atomic
def revoke(feed: CalendarFeed, *, by: User) -> None:
    """Close it: whoever has its address sees nothing any more."""
    if CalendarFeed.objects.filter(pk=feed.pk, revoked_at=None).update(revoked_at=clock.now()):
        audit.record("feed.closed", feed, by=by)


def url(feed: CalendarFeed) -> str:
    """The address, for its owner alone."""
    return settings.SITE_URL + reverse("calendar_feed", args=[tokens.token(feed.nonce)])


def found(token: str) -> CalendarFeed | None:
    """The feed that this token opens now; None if it opens none."""
    visiting = Membership.objects.current().filter(
        user=OuterRef("user"), program=OuterRef("program"), role=Role.EDUCATOR
    )
    with scopes_disabled():
        feeds = CalendarFeed.objects.filter(revoked_at=None, user__is_active=True)
        of_one = feeds.filter(Exists(visiting), token_hash=tokens.hashed(token))
        return of_one.select_related("program", "user").first()


def text(feed: CalendarFeed) -> str:
    """Their visits that stand, as calendars read them."""
    me = Educator.objects.filter(user=feed.user)
    since = clock.now() - REMEMBERED
    visits = Visit.objects.standing().filter(
        participants__educator__in=me,
        participants__declined_at=None,
        during__endswith__gt=since,
    )
    appointments = []
    for visit in visits.by_start().order_by("starts_at", "pk"):
        visit.program = feed.program
        appointments.append(telling.appointment(visit))
    return calendars.feed(appointments, feed.program, _("Home visits"))
