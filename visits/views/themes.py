"""The program's list of themes on one small page."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.requests import Request, post_only
from visits import themes
from visits.forms.themes import ThemeForm
from visits.models import Theme

STEPS = {"up": -1, "down": 1}


@requires(Can.SET_THEMES)
def theme_list(request: Request) -> HttpResponse:
    form = ThemeForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                themes.add(request.program, **_said(form), by=request.user)
            except NotReady as blocked:
                form.add_error("name", blocked.sentences)
                status = 409
            else:
                messages.success(request, _("Added. It can be tapped from now on."))
                return redirect("theme_list")
    standing = list(Theme.objects.standing())
    lists = [
        (kind, label, [theme for theme in standing if theme.kind == kind])
        for kind, label in Theme.Kind.choices
    ]
    context = {
        "lists": lists,
        "form": form,
        "none": not standing,
        "retired": Theme.objects.exclude(ended_on=None).order_by("kind", "name"),
    }
    return render(request, "visits/theme_list.html", context, status=status)


@post_only("theme_list")
@requires(Can.SET_THEMES)
def theme_begin(request: Request) -> HttpResponse:
    if themes.begin(request.program, by=request.user):
        messages.success(request, _("There they are. Change what doesn't sound like you."))
    return redirect("theme_list")


@post_only("theme_list")
@requires(Can.SET_THEMES)
def theme_edit(request: Request, pk: int) -> HttpResponse:
    """Rename it, move it, or retire it, as the button says."""
    theme = get_object_or_404(Theme.objects.standing().select_related("program"), pk=pk)
    do = request.POST.get("do", "")
    try:
        if do in STEPS:
            themes.move(theme, STEPS[do], by=request.user)
        elif do == "retire":
            themes.retire(theme, by=request.user)
            messages.success(request, _("Retired. Where it was tapped it still counts."))
        else:
            themes.rename(theme, request.POST.get("name", "")[:60], by=request.user)
            messages.success(request, _("Saved."))
    except NotReady as blocked:
        messages.error(request, str(blocked))
    return redirect("theme_list")


def _said(form: ThemeForm) -> dict[str, str]:
    return {name: form.cleaned_data[name] for name in ("kind", "name")}
