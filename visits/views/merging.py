"""Two families made one, one made two, and either undone."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet, prefetch_related_objects
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from families import finding
from families import merging as together
from families.models import Family, adults
from pthv import audit
from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.models import Change
from pthv.requests import Request, id_of, post_only
from visits import families, merging
from visits.forms.families import SplitForm

MERGE = Can.MERGE_FAMILIES
FOUND = 10


@requires(MERGE)
def family_merge(request: Request, pk: int) -> HttpResponse:
    """Find the other family, look at both side by side, then make them one."""
    family = _family(request, pk)
    typed = request.GET.get("q", "").strip()
    other = _other(request, family)
    problems, status = [], 200
    if request.method == "POST" and other is not None:
        try:
            merging.merge(family, other, by=request.user)
        except NotReady as blocked:
            problems, status = blocked.sentences, 409
        else:
            messages.success(request, _("They are one family now. You can undo it for 30 days."))
            return redirect("family_detail", family.pk)
    seen = [family, other] if other else [family]
    audit.listed(seen, by=request.user, reason=MERGE)
    context: dict[str, Any] = {"family": family, "other": other, "typed": typed}
    if other is not None:
        context |= {
            "pair": seen,
            "problems": problems or merging.merge_blockers(family, other),
            "caregivers": together.together(family, other),
        }
    elif typed:
        context["found"] = _found(request, family, typed)
    else:
        context["alike"] = _alike(request, family)
    return render(request, "visits/family_merge.html", context, status=status)


@requires(MERGE)
def family_split(request: Request, pk: int) -> HttpResponse:
    """Choose who goes into a family of their own."""
    family = _family(request, pk)
    form = SplitForm(request.POST or None, family=family)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            who = (form.children, form.moving, form.both)
            try:
                new = merging.split(family, *who, by=request.user)
            except NotReady as blocked:
                form.add_error(None, blocked.sentences)
                status = 409
            else:
                done = _("They are two families now. This is the new one; you can undo it here.")
                messages.success(request, done)
                return redirect("family_detail", new.pk)
    audit.viewed(family, by=request.user, reason=MERGE)
    return render(
        request, "visits/family_split.html", {"family": family, "form": form}, status=status
    )


@post_only("family_detail")
@requires(MERGE)
def family_undo(request: Request, pk: int) -> HttpResponse:
    """Undo a merge or a split that this family was part of."""
    family = _family(request, pk)
    named = id_of(request.POST.get("change", ""))
    change: Change = get_object_or_404(merging.changes(family), pk=named)
    others = Family.objects.filter(pk__in=merging.families_of(change)).exclude(pk=family.pk)
    if merging.within_reach(others, request.user).count() < len(others):
        raise Http404
    try:
        merging.take_back(change, by=request.user)
    except NotReady as blocked:
        messages.error(request, str(blocked))
        return redirect("family_detail", family.pk)
    messages.success(request, _("Undone: everything is as it was before."))
    here = Family.objects.filter(pk=family.pk).exists()
    return redirect("family_detail", family.pk if here else others[0].pk)


def _family(request: Request, pk: int) -> Any:
    """A family that this person may merge or split: a school's only with all its children."""
    return get_object_or_404(_theirs(request).select_related("program"), pk=pk)


def _theirs(request: Request) -> QuerySet[Family]:
    return merging.within_reach(families.open_to(request.user, MERGE), request.user)


def _other(request: Request, family: Family) -> Family | None:
    typed = (request.POST if request.method == "POST" else request.GET).get("other", "")
    if not typed:
        return None
    other = id_of(typed)
    if other is None or other == family.pk:
        raise Http404
    return _family(request, other)


def _found(request: Request, family: Family, typed: str) -> list[Family]:
    everyone = request.user.reach(MERGE).program
    among = None if everyone else _theirs(request).values_list("pk", flat=True)
    finds = finding.find(typed, request.program, among)
    found = [row.family for row in finds.rows if row.family and row.family != family][:FOUND]
    prefetch_related_objects(found, adults())
    return found


def _alike(request: Request, family: Family) -> list[Family]:
    """Families that may be the same one: a caregiver's phone or e-mail is theirs too."""
    return list(families.alike(_theirs(request), family)[:FOUND])
