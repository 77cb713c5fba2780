"""The words that are warned about while somebody types."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.requests import Request
from visits import never_record as words


@requires(Can.SET_THEMES)
def never_record(request: Request) -> HttpResponse:
    """By topic, in each language: our words, or the program's own."""
    topic = request.POST.get("topic", "")
    sentences: list[str] = []
    if topic in words.TOPICS:
        try:
            if "ours" in request.POST:
                words.back_to_ours(request.program, topic, by=request.user)
            else:
                words.change(request.program, topic, request.POST.dict(), by=request.user)
        except NotReady as refused:
            sentences = refused.sentences
        else:
            messages.success(request, _("Saved."))
            return redirect("never_record")
    topics = [
        {
            "key": key,
            "label": label,
            "own": words.is_own(request.program, key),
            "open": key == topic,
            "boxes": [
                (
                    tag,
                    name,
                    request.POST[tag]
                    if key == topic and tag in request.POST
                    else ", ".join(words.words(request.program, key, tag)),
                )
                for tag, name in words.LANGUAGES.items()
            ],
        }
        for key, label in words.TOPICS.items()
    ]
    context = {"topics": topics, "sentences": sentences}
    return render(request, "visits/never_record.html", context, status=409 if sentences else 200)
