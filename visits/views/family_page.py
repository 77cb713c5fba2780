"""A family's own pages, behind its link: see what is asked, answer, change it, cancel a visit.

Nothing changes but by one of their buttons. What is posted belongs to the link that this browser
opened, whatever else it says; and each request asks anew whether that link still opens. Read by
families.
"""

import datetime
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.core import ratelimit
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django_scopes import scope

from pthv import languages
from pthv.blocked import NotReady
from pthv.requests import Request
from visits import answers, family_page, finding, links
from visits.family_wording import language_of
from visits.family_words import (
    ANOTHER_LINK,
    CHOOSE_A_TIME,
    ONE_OF_US,
    TIME_CHANGED,
    TOO_MANY,
)
from visits.forms.family_page import FORMS
from visits.models import FamilyLink, InvitationAnswer, Visit

SALT = "visits.family_page"
OPENED = signing.Signer(salt="visits.family_page.opened")  # which link a form was shown for
DAYS_OFFERED = 14
LASTS = 60 * 60  # seconds in which the link needn't be opened again
ANSWERS = {
    "yes": InvitationAnswer.Answer.ACCEPTED,
    "later": InvitationAnswer.Answer.LATER,
    "no": InvitationAnswer.Answer.DECLINED,
    "call": InvitationAnswer.Answer.CALL,
}


@never_cache
@login_not_required
@require_safe
def link_open(request: HttpRequest, token: str) -> HttpResponse:
    """Take the token out of the address: for an hour, a cookie names its link instead."""
    link = links.found(token)
    if link is None:
        # Only what opens nothing is counted: nobody is shut out by somebody else's guesses.
        limited = ratelimit.consume_or_429(request, action="family_link", limit_get=True)
        return _dead(request, throttled=limited is not None)
    response = redirect("family_invitation", language_of(link.invitation, link.caregiver))
    response.set_signed_cookie(
        settings.FAMILY_COOKIE_NAME,
        str(link.pk),
        salt=SALT,
        max_age=LASTS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _dead(request: HttpRequest, *, throttled: bool = False) -> HttpResponse:
    """The same for every link that doesn't open, with nobody's name: nobody learns why."""
    code = request.GET.get("lang", "")
    if code not in languages.AUTONYMS:
        code = translation.get_language_from_request(request)
    context = {"throttled": throttled, "lang": code, "languages": languages.AUTONYMS.items()}
    status = 429 if throttled else 404
    with translation.override(code):
        response = render(request, "visits/family_link_dead.html", context, status=status)
    response.headers["Content-Language"] = code
    response.headers["Referrer-Policy"] = "no-referrer"
    patch_vary_headers(response, ["Accept-Language", "Cookie"])
    return response


def of_the_link(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Give the view the link that this browser opened, in its program, zone and language."""

    @wraps(view)
    def guarded(request: HttpRequest, lang: str, **kwargs: str) -> HttpResponse:
        pk = request.get_signed_cookie(
            settings.FAMILY_COOKIE_NAME, default="", salt=SALT, max_age=LASTS
        )
        link = links.known(int(pk)) if pk else None
        if link is None:
            return _dead(request)
        program = link.invitation.program
        code = languages.offered(program, lang)
        with scope(program=program), timezone.override(program.zone), translation.override(code):
            response = view(request, code, link, **kwargs)
        response.headers["Content-Language"] = code
        patch_vary_headers(response, ["Cookie"])
        return response

    return guarded


@never_cache
@login_not_required
@require_safe
@of_the_link
def family_invitation(request: HttpRequest, lang: str, link: FamilyLink) -> HttpResponse:
    return render(request, "visits/family_invitation.html", family_page.shown(link, lang))


def _refused(request: Request, link: FamilyLink) -> tuple[int, list[str]]:
    """Why what they sent is not even looked at, with its status; no sentence where it is."""
    if request.POST.get("opened") != OPENED.sign(str(link.pk)):
        return 409, [str(ANOTHER_LINK)]
    if request.user.is_staff or link.program_id in {one.pk for one in request.programs}:
        return 409, [str(ONE_OF_US)]
    if not ratelimit.consume(request, action="family_answer", key=str(link.pk)):
        return 429, [str(TOO_MANY)]
    return 200, []


@never_cache
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@of_the_link
def family_answer(request: Request, lang: str, link: FamilyLink, answer: str) -> HttpResponse:
    status, sentences = _refused(request, link) if request.method == "POST" else (200, [])
    posted = request.POST if request.method == "POST" and not sentences else None
    form = FORMS[answer](posted, invitation=link.invitation)
    if form.is_bound and not form.is_valid():
        status = 422
    elif form.is_bound:
        try:
            answers.record(
                link.invitation,
                ANSWERS[answer],
                link=link,
                wishes=form.wishes,
                later_on=form.later_on,
                language=lang,
            )
        except NotReady as refused:
            status, sentences = 409, refused.sentences
            if links.known(link.pk) is None:
                return _dead(request)
        else:
            return redirect("family_invitation", lang)
    context = {"answer": answer, "form": form, "sentences": sentences}
    context |= family_page.shown(link, lang) | {"opened": OPENED.sign(str(link.pk))}
    context["cancels"] = context["visit"] and family_page.cancels(link, ANSWERS[answer])
    return render(request, "visits/family_answer.html", context, status=status)


@never_cache
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@of_the_link
def family_cancel(request: Request, lang: str, link: FamilyLink) -> HttpResponse:
    return _change_visit(
        request,
        link,
        lang,
        "family_cancel",
        seen=lambda visit: str(visit.pk),
        change=lambda visit: answers.cancel(visit, link=link),
    )


@never_cache
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@of_the_link
def family_move(request: Request, lang: str, link: FamilyLink) -> HttpResponse:
    """Another time for the visit, of those at which everybody who comes is free."""

    def offered(visit: Visit) -> dict[str, Any]:
        visit.invitation = link.invitation
        return {"days": finding.for_family(visit)[:DAYS_OFFERED]}

    return _change_visit(
        request,
        link,
        lang,
        "family_move",
        seen=lambda visit: f"{visit.pk}-{visit.sequence}",
        change=lambda visit: answers.move(visit, _chosen(request), link=link),
        more=offered,
    )


def _change_visit(
    request: Request,
    link: FamilyLink,
    lang: str,
    page: str,
    *,
    seen: Callable[[Visit], str],
    change: Callable[[Visit], object],
    more: Callable[[Visit], dict[str, Any]] = lambda visit: {},
) -> HttpResponse:
    """A page with one button that changes the visit; `seen`: what its form says of the one it was
    shown for, so that no other is changed. `more`: what the page shows beside."""
    context = family_page.shown(link, lang) | {"opened": OPENED.sign(str(link.pk))}
    visit = context["visit"]
    status, sentences = _refused(request, link) if request.method == "POST" else (200, [])
    if not context["may_cancel"]:
        return redirect("family_invitation", lang)
    if request.method == "POST" and not sentences:
        try:
            # Only the one they saw: another time may have been found meanwhile.
            if request.POST.get("visit") != seen(visit):
                raise NotReady(str(TIME_CHANGED))
            change(visit)
        except NotReady as refused:
            status, sentences = 409, refused.sentences
            if links.known(link.pk) is None:
                return _dead(request)
        else:
            return redirect("family_invitation", lang)
    context |= {"sentences": sentences} | more(visit)
    return render(request, f"visits/{page}.html", context, status=status)


def _chosen(request: HttpRequest) -> datetime.datetime:
    """The time that they tapped."""
    try:
        chosen = datetime.datetime.fromisoformat(request.POST.get("slot", ""))
        if chosen.tzinfo:
            return chosen.astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        pass
    raise NotReady(str(CHOOSE_A_TIME))
