"""What a view is handed, for type checkers and readers; and what only a POST may open."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import NoReverseMatch, reverse
from django_htmx.middleware import HtmxDetails

from pthv.access import Can
from pthv.models import Program, User


class Request(HttpRequest):
    """The request of somebody logged in, as the middleware has prepared it.

    Behind `@requires` there is always a program; before log-in it is None.
    """

    user: User
    program: Program
    programs: list[Program]
    powers: frozenset[Can]
    htmx: HtmxDetails


def id_of(text: str) -> int | None:
    """The id that somebody typed or a link carries; None for whatever no row can have."""
    # 18 digits always fit into what the database counts with.
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def post_only(page: str) -> Callable:
    """Let only a POST reach the view. A GET, which is a reload after a refusal or the way back
    from logging in, goes to the page it belongs to: of the same row, or the one without."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, **kwargs: int) -> HttpResponse:
            if request.method == "POST":
                return view(request, **kwargs)
            if request.method not in {"GET", "HEAD"}:
                return HttpResponseNotAllowed(["POST"])
            try:
                return redirect(reverse(page, kwargs=kwargs))
            except NoReverseMatch:
                return redirect(page)

        return guarded

    return decorate
