"""A family's own pages, behind its link: see what is asked, answer, change it, cancel a visit.

Nothing changes but by one of their buttons. What is posted belongs to the link that this browser
opened, whatever else it says; and each request asks anew whether that link still opens. Read by
families.
"""

from collections.abc import Callable
from functools import wraps

from allauth.core import ratelimit
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django_scopes import scope

from pthv import languages
from pthv.blocked import NotReady
from visits import answers, family_page, links, scheduling
from visits.family_wording import language_of
from visits.forms.family_page import FORMS
from visits.models import FamilyLink, InvitationAnswer, Visit

SALT = "visits.family_page"
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


@never_cache
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@of_the_link
def family_answer(request: HttpRequest, lang: str, link: FamilyLink, answer: str) -> HttpResponse:
    posted = request.POST if request.method == "POST" else None
    form = FORMS[answer](posted, invitation=link.invitation)
    sentences: list[str] = []
    if form.is_bound and form.is_valid():
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
            sentences = refused.sentences
            if links.known(link.pk) is None:
                return _dead(request)
        else:
            return redirect("family_invitation", lang)
    status = 409 if sentences else 422 if form.is_bound else 200
    context = {"answer": answer, "form": form, "sentences": sentences}
    context |= family_page.shown(link, lang)
    context["cancels"] = context["visit"] and family_page.cancels(link, ANSWERS[answer])
    return render(request, "visits/family_answer.html", context, status=status)


@never_cache
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@of_the_link
def family_cancel(request: HttpRequest, lang: str, link: FamilyLink) -> HttpResponse:
    context = family_page.shown(link, lang)
    visit, status = context["visit"], 200
    if not context["may_cancel"]:
        return redirect("family_invitation", lang)
    if request.method == "POST":
        # Only the one they saw: another time may have been found meanwhile.
        if request.POST.get("visit") == str(visit.pk):
            scheduling.cancel(visit, Visit.State.FAMILY_CANCELLED, by=None)
            return redirect("family_invitation", lang)
        context["sentences"], status = [_("The time has changed. Please look at it again.")], 409
    return render(request, "visits/family_cancel.html", context, status=status)
