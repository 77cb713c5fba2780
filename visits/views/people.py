"""Putting a family, its caregivers and children right, and what a family says is wrong."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from families import amendments, people
from families.forms.people import CaregiverForm, EndForm, FamilyForm, RowForm, StudentForm
from families.models import AmendmentRequest, Caregiver, Family, Student
from pthv import audit, languages
from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.requests import Request, id_of, post_only
from visits import families, links
from visits.models import FamilyLink

EDIT = Can.EDIT_FAMILIES


@requires(EDIT)
def family_edit(request: Request, pk: int) -> HttpResponse:
    """What a family is called and where it lives; of a confidential address only a new one."""
    family = _family(request, pk, EDIT)
    kept = family.address_confidential
    without = ("address_confidential",) if kept else ()
    form = FamilyForm(request.POST or None, row=family, without=without)
    if kept or families.said_no([family.pk]):
        form.hide_address()
    elif family.address:
        audit.viewed(family, by=request.user, reason=EDIT, part="address")

    def save(wanted: dict[str, Any]) -> None:
        if form.address_hidden and not wanted["address"]:
            del wanted["address"]
        people.change_family(family, wanted, by=request.user)

    return _edit(request, family, form, save, _("Change the family"))


@requires(EDIT)
def student_edit(request: Request, pk: int) -> HttpResponse:
    """What a child is called."""
    student = get_object_or_404(Student.objects.exclude(family=None), pk=pk)
    family = _family(request, student.family_id, EDIT)
    if student.pk not in _children(request, family):
        raise Http404
    form = StudentForm(request.POST or None, row=student)

    def save(wanted: dict[str, Any]) -> None:
        people.change_student(student, wanted, by=request.user)

    return _edit(request, family, form, save, _("What %(name)s is called") % {"name": student})


@requires(EDIT)
def caregiver_new(request: Request, pk: int) -> HttpResponse:
    """Add a caregiver by hand."""
    family = _family(request, pk, EDIT)
    form = CaregiverForm(
        request.POST or None,
        region=request.program.phone_region,
        row=Caregiver(language=family.language),
    )

    def save(wanted: dict[str, Any]) -> None:
        people.add_caregiver(family, wanted, by=request.user)

    return _edit(request, family, form, save, _("Add a caregiver"))


@requires(EDIT)
def caregiver_edit(request: Request, pk: int) -> HttpResponse:
    """A caregiver, and what they may."""
    caregiver, family = _caregiver(request, pk)
    form = CaregiverForm(
        request.POST or None,
        row=caregiver,
        region=request.program.phone_region,
        without=CaregiverForm.CONTACT if families.said_no([family.pk]) else (),
    )

    def save(wanted: dict[str, Any]) -> None:
        people.change_caregiver(caregiver, wanted, by=request.user)

    title = _("Change %(name)s") % {"name": caregiver}
    link = FamilyLink.objects.usable().filter(caregiver=caregiver).first()
    more = {"ending": EndForm(), "caregiver": caregiver, "link": link}
    return _edit(request, family, form, save, title, **more)


@post_only("caregiver_edit")
@requires(EDIT)
def caregiver_end(request: Request, pk: int) -> HttpResponse:
    """This person has no say any more; one whom a file left out is ended for good."""
    caregiver, family = _caregiver(request, pk, Caregiver.objects.all())
    form = EndForm(request.POST)
    try:
        if not form.is_valid():
            raise NotReady(_("Say why this person has no say any more."))
        people.end_caregiver(caregiver, because=form.cleaned_data["because"], by=request.user)
    except NotReady as blocked:
        messages.error(request, str(blocked))
        if caregiver.ended_on:
            return redirect("family_detail", family.pk)
        return redirect("caregiver_edit", caregiver.pk)
    done = _("%(name)s has no say any more. Nothing is shown to them, or of them.")
    messages.success(request, done % {"name": caregiver})
    return redirect("family_detail", family.pk)


@post_only("caregiver_edit")
@requires(EDIT)
def link_revoke(request: Request, pk: int) -> HttpResponse:
    """Whoever holds a link of this caregiver answers nothing with it any more."""
    caregiver, _family = _caregiver(request, pk)
    if links.revoke_all(caregiver, by=request.user):
        done = _("The link of %(name)s is closed. The next message to them brings a new one.")
        messages.success(request, done % {"name": caregiver})
    return redirect("caregiver_edit", caregiver.pk)


@requires(Can.SEE_FAMILIES)
def amendment_new(request: Request, pk: int) -> HttpResponse:
    """What the family says is wrong: of whom the address says, of the family if of nobody."""
    family = _family(request, pk, Can.SEE_FAMILIES)
    caregiver, student = _about(request, family)
    subject = caregiver or student or family
    form = amendments.form_of(subject, request.POST or None, _told_of(request, family, subject))

    def save(wanted: dict[str, Any]) -> None:
        sent = {name: request.POST.get(name, "") for name in wanted}
        if sent.get("address") == "" and family.address_confidential:
            del sent["address"]
        amendments.propose(family, sent, by=request.user, caregiver=caregiver, student=student)

    return _edit(
        request,
        family,
        form,
        save,
        _("They told me something changed"),
        lede=_("A coordinator looks at it before it counts."),
        done=_("Sent to your coordinator."),
    )


def _told_of(request: Request, family: Family, subject: Any) -> tuple[str, ...]:
    """The fields of somebody that the family's page tells this person of, too."""
    hidden: set[str] = set()
    if families.said_no([family.pk]) or (
        isinstance(subject, Caregiver) and not subject.may_be_contacted
    ):
        hidden = {*CaregiverForm.CONTACT, "address"}
    elif isinstance(subject, Family) and subject.address and not subject.address_confidential:
        audit.viewed(family, by=request.user, reason=Can.SEE_FAMILIES, part="address")
    return tuple(name for name in amendments.allowed(subject) if name not in hidden)


@post_only("desk")
@requires(EDIT)
def amendment_approve(request: Request, pk: int) -> HttpResponse:
    return _decide(request, pk, amendments.approve, _("Changed as the family says."))


@post_only("desk")
@requires(EDIT)
def amendment_decline(request: Request, pk: int) -> HttpResponse:
    return _decide(request, pk, amendments.decline, _("Left as it was."))


def _decide(request: Request, pk: int, action: Callable[..., Any], done: str) -> HttpResponse:
    theirs = families.open_to(request.user, EDIT).values("pk")
    proposals = AmendmentRequest.objects.filter(family__in=theirs)
    proposal = get_object_or_404(families.proposals_open_to(request.user, EDIT, proposals), pk=pk)
    try:
        action(proposal, by=request.user)
    except NotReady as blocked:
        messages.error(request, str(blocked))
    else:
        messages.success(request, done)
    if request.POST.get("from") == "desk":
        return redirect("desk")
    return redirect("family_detail", proposal.family_id)


def _edit(
    request: Request,
    family: Family,
    form: RowForm,
    save: Callable[[dict[str, Any]], None],
    title: str,
    *,
    done: str = "",
    **more: Any,
) -> HttpResponse:
    """Show the form; hand a valid one to `save`, then go back to the family's page."""
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                save(dict(form.cleaned_data))
            except NotReady as blocked:
                form.add_error(None, blocked.sentences)
                status = 409
            else:
                messages.success(request, done or _("Saved."))
                return redirect("family_detail", family.pk)
    elif request.method == "GET":
        audit.viewed(family, by=request.user, reason=Can.SEE_FAMILIES)
    context = {"family": family, "form": form, "title": title, "languages": languages.NAMES} | more
    return render(request, "visits/family_edit.html", context, status=status)


def _family(request: Request, pk: int | None, can: Can) -> Family:
    return get_object_or_404(families.open_to(request.user, can).select_related("program"), pk=pk)


def _caregiver(
    request: Request, pk: int, people: QuerySet[Caregiver] | None = None
) -> tuple[Caregiver, Family]:
    """Somebody of a family of this person's; who has a say in it, unless others are asked for."""
    if people is None:
        people = Caregiver.objects.filter(ended_on=None)
    caregiver = get_object_or_404(people.select_related("program"), pk=pk)
    return caregiver, _family(request, caregiver.family_id, EDIT)


def _children(request: Request, family: Family) -> dict[int, Any]:
    """The children whose names this person may know whole."""
    found = families.children(family, request.user, Can.SEE_FAMILIES)
    return {child.pk: child for child in found if child.known}


def _about(request: Request, family: Family) -> tuple[Caregiver | None, Student | None]:
    """Whom of the family a correction is about: ?caregiver= or ?student=."""
    standing: dict[int, Any] = {person.pk: person for person in family.standing}
    for name, rows in (("caregiver", standing), ("student", _children(request, family))):
        if name in request.GET:
            found = rows.get(id_of(request.GET[name]) or 0)
            if found is None:
                raise Http404
            return (found, None) if name == "caregiver" else (None, found)
    return None, None
