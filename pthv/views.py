"""What belongs to no room: health, the demo's log-in, the choice of program, and what the
provider of texts says."""

from allauth.account.views import LoginView
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST, require_safe

from pthv import accounts, outbox, stops, texts
from pthv.models import Membership
from pthv.requests import Request, id_of

DEMO_PEOPLE = 7
LONGEST_NUMBER = 20  # as TextStop has it


@login_not_required
@never_cache
@require_GET
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer "ok" if the database does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok", content_type="text/plain")


class LogIn(LoginView):
    """The log-in page; where demo log-ins are on, with the invented people one may walk as."""

    def get_context_data(self, **kwargs):
        return super().get_context_data(demo_people=_demo_people(), **kwargs)


def _demo_people() -> list[dict[str, str]]:
    people = list(accounts.demo_people()[:DEMO_PEOPLE])
    held = Membership.objects.current().filter(user__in=people).order_by("-pk")
    roles = {membership.user_id: membership.get_role_display() for membership in held}
    return [
        {
            "email": user.email,
            "name": str(user),
            "role": str(roles.get(user.pk) or (_("Administrator") if user.is_staff else user)),
        }
        for user in people
    ]


@login_not_required
@require_POST
def demo_login(request: HttpRequest) -> HttpResponse:
    """Log in as one of the invented people, where they may, and only as them."""
    user = get_object_or_404(accounts.demo_people(), email=request.POST.get("email", ""))
    login(request, user)
    return redirect("home")


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """What was sent came from no page of ours, or from one that had been open for too long."""
    asked = request.resolver_match and request.resolver_match.kwargs.get("lang")
    if asked is None:
        return render(request, "403_csrf.html", status=403)
    code = asked if asked in dict(settings.LANGUAGES) else "en"
    with translation.override(code):
        return render(request, "403_csrf_family.html", status=403)


@require_safe
def account_email(request: HttpRequest) -> HttpResponse:
    """The address one logs in with, to read only.

    Rosters and colleagues are matched by address: whoever could change their own could
    take on somebody else's classes. An administrator changes it.
    """
    return render(request, "account/email.html")


@require_POST
def program_switch(request: Request) -> HttpResponse:
    """Act in another of one's programs from now on."""
    wanted = request.POST.get("program", "")
    chosen = next((program for program in request.programs if program.slug == wanted), None)
    if chosen is None:
        raise Http404
    request.session["program"] = chosen.pk
    return redirect("home")


@login_not_required
@csrf_exempt
@never_cache
@require_POST
def text_status(request: HttpRequest) -> HttpResponse:
    """The provider says how a text of ours went."""
    _refuse_unless_signed(request)
    message, sid = id_of(request.GET.get("message", "")), request.POST.get("MessageSid", "")
    if not sid.isprintable():
        return HttpResponseBadRequest()
    if message and request.POST.get("MessageStatus") in texts.UNDELIVERED:
        problem = texts.problem_of(request.POST.get("ErrorCode"))
        outbox.came_back(message, problem, provider_id=sid)
    return HttpResponse(status=204)


@login_not_required
@csrf_exempt
@never_cache
@require_POST
def text_reply(request: HttpRequest) -> HttpResponse:
    """Somebody answered a text: stop and start are heard; nobody reads, or keeps, the rest."""
    _refuse_unless_signed(request)
    phone, said = request.POST.get("From", ""), request.POST.get("Body", "")
    if not (0 < len(phone) <= LONGEST_NUMBER and phone.isprintable()):
        return HttpResponseBadRequest()
    if stops.means_stop(said):
        stops.stop(phone)
    elif stops.means_start(said):
        stops.lift(phone)
    elif not stops.is_stopped(phone):
        with translation.override(outbox.language_of(phone)):
            return _texted(str(stops.NOBODY_READS))
    return _texted("")


def _texted(sentence: str) -> HttpResponse:
    """An answer as the provider takes it; the provider itself confirms a stop."""
    said = f"<Message>{escape(sentence)}</Message>" if sentence else ""
    return HttpResponse(f"<Response>{said}</Response>", content_type="text/xml")


def _refuse_unless_signed(request: HttpRequest) -> None:
    url = settings.SITE_URL + request.get_full_path()
    signature = request.headers.get("X-Twilio-Signature", "")
    if not (texts.offered() and texts.provider().signed(url, request.POST.dict(), signature)):
        raise PermissionDenied
