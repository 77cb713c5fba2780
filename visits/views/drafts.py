"""Drafts of a log or a reflection, as the page sends them while somebody writes."""

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.requests import Request
from visits import drafts
from visits.forms.logs import LogForm
from visits.forms.reflections import ReflectionForm
from visits.models import LogDraft, Visit

PAGES = {LogDraft.What.LOG: "visit_log", LogDraft.What.REFLECTION: "visit_reflect"}


@require_POST
@requires(Can.LOG)
def draft_keep(request: Request, pk: int, what: str) -> HttpResponse:
    """Keep what stands in the form; `seen` or `instead_of` is the version it was begun on."""
    visit = _visit(request, pk, what)
    key = drafts.key_of(request.POST.get("key", ""))
    if key is None:
        return JsonResponse({"said": _("This draft has no key.")}, status=422)
    form = LogForm(visit=visit) if what == LogDraft.What.LOG else ReflectionForm()
    # What is asked for without a name is no part of anybody's draft.
    names = {field.name for field in form.visible_fields()} - {"would_help"}
    texts = {name: request.POST.getlist(name) for name in names if name in request.POST}
    begun_on = "seen" if what == LogDraft.What.LOG else "instead_of"
    try:
        draft = drafts.keep(
            visit,
            what,
            key,
            texts,
            by=request.user,
            instead_of=request.POST.get(begun_on, "")[:40],
            replaces=drafts.key_of(request.POST.get("draft", "")),
        )
    except NotReady as blocked:
        return JsonResponse({"said": str(blocked)}, status=409)
    return JsonResponse({"saved_at": draft.saved_at})


@requires(Can.LOG)
def draft_drop(request: Request, pk: int, what: str) -> HttpResponse:
    """Throw a draft away; a reload, or the way back from logging in, only shows the form."""
    visit = _visit(request, pk, what)
    if request.method == "POST":
        drafts.drop(visit, what, request.POST.getlist("draft"), by=request.user)
    return redirect(PAGES[LogDraft.What(what)], pk)


def _visit(request: Request, pk: int, what: str) -> Visit:
    if what not in LogDraft.What.values:
        raise Http404
    visits = Visit.objects.open_to(request.user, Can.LOG).select_related("family")
    return get_object_or_404(visits, pk=pk)
