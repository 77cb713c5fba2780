"""One's own calendar: its address, and what a calendar reads there."""

from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_scopes import scope

from pthv.access import Can, requires
from pthv.requests import Request, post_only
from visits import feeds
from visits.models import CalendarFeed


@never_cache
@login_not_required
@require_safe
def calendar_feed(request: HttpRequest, token: str) -> HttpResponse:
    """What a calendar reads again and again; whoever knows the address, like a key."""
    feed = feeds.found(token)
    if feed is None:
        limited = ratelimit.consume_or_429(request, action="family_link", limit_get=True)
        status = 404 if limited is None else 429
        return HttpResponse(status=status, content_type="text/calendar; charset=utf-8")
    with scope(program=feed.program), timezone.override(feed.program.zone):
        response = HttpResponse(feeds.text(feed), content_type="text/calendar; charset=utf-8")
    response.headers["Content-Disposition"] = 'inline; filename="home-visits.ics"'
    return response


@requires(Can.SEE_TODAY)
def own_calendar(request: Request) -> HttpResponse:
    """The address of one's own calendar, once one asked for it."""
    mine = CalendarFeed.objects.filter(user=request.user, revoked_at=None).first()
    if request.method == "POST":
        feeds.mint(request.program, request.user)
        return redirect("own_calendar")
    context = {"feed": mine, "address": feeds.url(mine) if mine else ""}
    return render(request, "visits/own_calendar.html", context)


@post_only("own_calendar")
@requires(Can.SEE_TODAY)
def calendar_close(request: Request) -> HttpResponse:
    for feed in CalendarFeed.objects.filter(user=request.user, revoked_at=None):
        feeds.revoke(feed, by=request.user)
    messages.success(request, _("Closed. Whoever has the address sees nothing any more."))
    return redirect("own_calendar")
