"""An interpreter's page, behind the link in a message: look, and say yes or no.

The link itself stands for the interpreter, so that several can be open at once: no cookie, and so
nothing that another site could post with. Nothing changes but by a button.
"""

from allauth.core import ratelimit
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from django_scopes import scope

from pthv.blocked import NotReady
from visits import interpreter_page as pages
from visits import interpreting
from visits.models import InterpreterAsk

ANSWERS = {"yes": interpreting.accept, "no": interpreting.decline}


@never_cache
@login_not_required
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def interpreter_page(request: HttpRequest, token: str) -> HttpResponse:
    ask = pages.found(token)
    if ask is None:
        # Only what opens nothing is counted: nobody is shut out by somebody else's guesses.
        limited = ratelimit.consume_or_429(request, action="interpreter_link", limit_get=True)
        context = {"standing": "throttled" if limited is not None else "dead"}
        response = _page(request, context, status=429 if limited is not None else 404)
    else:
        with scope(program=ask.program), timezone.override(ask.program.zone):
            response = (
                _answer(request, ask)
                if request.method == "POST"
                else _page(request, pages.shown(ask))
            )
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _answer(request: HttpRequest, ask: InterpreterAsk) -> HttpResponse:
    action = ANSWERS.get(request.POST.get("answer", ""))
    status, sentences = 422, [_("Choose one of the two.")]
    if not ratelimit.consume(request, action="interpreter_answer", key=str(ask.pk)):
        status, sentences = 429, [_("That was often. Please wait an hour, or call the school.")]
    elif action is not None:
        try:
            action(ask)
        except NotReady as refused:
            status, sentences = 409, refused.sentences
            ask.refresh_from_db()
        else:
            return redirect(request.path)
    return _page(request, pages.shown(ask) | {"sentences": sentences}, status=status)


def _page(request: HttpRequest, context: dict, *, status: int = 200) -> HttpResponse:
    return render(request, "visits/interpreter_page.html", context, status=status)
