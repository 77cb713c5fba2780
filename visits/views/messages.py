"""What families were sent, what did not arrive, and what it says."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _

from pthv import audit, clock, languages, texts
from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.models import Message
from pthv.paging import paged
from pthv.requests import Request, post_only
from visits import family_messages, family_wording
from visits.family_words import Words, ours
from visits.forms.messages import WordingForm
from visits.models import MessageWording

# What the list can be narrowed to.
SHOWN = ("not_arrived", "waiting")


@requires(Can.SEE_DESK)
def message_list(request: Request) -> HttpResponse:
    """Messages to families, the latest first."""
    show = request.GET.get("show", "")
    rare = show in SHOWN
    found = family_messages.open_to(request.user, Can.SEE_DESK, rare=rare)
    if show == "not_arrived":
        found = found.not_arrived()
    elif show == "waiting":
        found = found.waiting()
    page = paged(found, request)
    asked = family_messages.attempts_of(page.rows)
    audit.listed(
        [one.invitation.family for one in asked.values()], by=request.user, reason=Can.SEE_DESK
    )
    rows = [_row(message, asked) for message in page.rows]
    context = {
        "page": page,
        "rows": rows,
        "show": show,
        "may_reword": Can.REWORD in request.powers,
        "may_edit": Can.EDIT_FAMILIES in request.powers,
    }
    return render(request, "visits/message_list.html", context)


def _row(message: Message, asked: dict[int, Any]) -> dict[str, Any]:
    arrived = message.state not in (Message.State.FAILED, Message.State.BOUNCED)
    return {
        "message": message,
        "asked": asked.get(message.pk),
        "kind": family_wording.NAMES.get(message.kind, message.kind),
        "language": languages.name(message.language),
        "arrived": arrived,
        "later": message.state == Message.State.QUEUED and message.next_try_at > clock.now(),
    }


@post_only("message_list")
@requires(Can.SEE_DESK)
def message_again(request: Request, pk: int) -> HttpResponse:
    """Try one anew that did not arrive."""
    message = get_object_or_404(
        family_messages.open_to(request.user, Can.SEE_DESK, rare=True), pk=pk
    )
    try:
        family_messages.send_again(message, by=request.user)
    except NotReady as blocked:
        for sentence in blocked.sentences:
            messages.error(request, sentence)
    else:
        messages.success(request, _("It is tried again."))
    show = request.POST.get("show", "")
    query = f"?show={show}" if show in SHOWN else ""
    return redirect(reverse("message_list") + query)


@requires(Can.REWORD)
def wording_list(request: Request) -> HttpResponse:
    """The kinds of messages, and in which languages the program has its own words."""
    choices = languages.choices(request.program)
    own = set(MessageWording.objects.values_list("kind", "language"))
    rows = [
        {
            "kind": kind,
            "name": name,
            "said": ours(kind, "en"),
            "languages": [(code, called, (kind, code) in own) for code, called in choices],
        }
        for kind, name in family_wording.NAMES.items()
    ]
    context = {"rows": rows, "drafted": languages.drafted()}
    return render(request, "visits/wording_list.html", context)


@requires(Can.REWORD)
def wording_edit(request: Request, kind: str) -> HttpResponse:
    """The program's own words for one kind of message in one language, with a preview."""
    choices = dict(languages.choices(request.program))
    language = request.GET.get("language", "en")
    if kind not in family_wording.NAMES or language not in choices:
        raise Http404
    which = (request.program, kind, language)
    now = family_wording.of_program(kind, language)
    form = WordingForm(request.POST or None, initial=now._asdict(), kind=kind, language=language)
    status = 200
    if "ours" in request.POST:
        family_wording.back_to_ours(*which, by=request.user)
        messages.success(request, _("Families read our wording again."))
        return redirect("wording_list")
    if form.is_bound:
        status = 200 if form.is_valid() else 422
    if status == 200 and "save" in request.POST:
        family_wording.reword(*which, form.words, by=request.user)
        messages.success(request, _("Saved. Families read this from now on."))
        return redirect("wording_list")
    words = form.words if form.is_bound else now
    context = {
        "form": form,
        "kind": kind,
        "name": family_wording.NAMES[kind],
        "language": language,
        "choices": choices.items(),
        "reworded": now != ours(kind, language),
        "drafted": now == ours(kind, language) and languages.is_drafted(language),
        **_beside(request, kind, language, words),
    }
    return render(request, "visits/wording_edit.html", context, status=status)


def _beside(request: Request, kind: str, language: str, words: Words) -> dict[str, Any]:
    """What helps to word it: our English, what can be filled in, how it looks then."""
    preview = family_wording.preview(words, language, request.program)
    fillable = family_wording.placeholders(kind)
    return {
        "english": ours(kind, "en") if language != "en" else None,
        "placeholders": [(f"{{{one}}}", family_wording.PLACEHOLDERS[one]) for one in fillable],
        "preview": preview,
        "parts": texts.parts(family_wording.as_text(preview.body, language)),
        "direction": "rtl" if get_language_info(language)["bidi"] else "ltr",
    }
