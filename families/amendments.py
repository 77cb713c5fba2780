"""What a family says is wrong or has changed: proposed, then approved or declined by staff.

A proposal keeps what it would change as it was: if that is no longer so, somebody was faster,
and it is looked at again instead of applied.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from families import people
from families.forms.people import CaregiverForm, FamilyForm, RowForm, StudentForm
from families.models import AmendmentRequest, Caregiver, Family, Student
from pthv import audit, clock, languages
from pthv.blocked import NotReady, raise_if
from pthv.models import User

State = AmendmentRequest.State
Subject = Family | Caregiver | Student
# What a family may correct about itself; what somebody may is for staff to say.
FAMILY_FIELDS = ("surnames", "language", "interpreter_wanted", "address")
CAREGIVER_FIELDS = (
    "given_name",
    "family_name",
    "preferred_name",
    "display_name",
    "relation",
    "phone",
    "email",
    "language",
    "preferred_channel",
)
STUDENT_FIELDS = people.STUDENT_FIELDS


class Refused(NotReady):
    """The new values can't be: the `form` says which and why."""

    def __init__(self, form: RowForm) -> None:
        super().__init__(*[str(said) for found in form.errors.values() for said in found])
        self.form = form


@dataclass(frozen=True)
class Correction:
    """One field of a proposal, as people read it."""

    label: str
    old: str
    new: str


def allowed(subject: Subject) -> tuple[str, ...]:
    """The fields of this family, caregiver or child that a proposal may name."""
    if isinstance(subject, Caregiver):
        return CAREGIVER_FIELDS
    return STUDENT_FIELDS if isinstance(subject, Student) else FAMILY_FIELDS


def form_of(
    subject: Subject, data: Mapping[str, Any] | None = None, fields: tuple[str, ...] = ()
) -> RowForm:
    """The form that editing uses, with the allowed fields alone, or only these of them."""
    kept = set(fields or allowed(subject)) & set(allowed(subject))
    if isinstance(subject, Caregiver):
        without = tuple(name for name in people.CAREGIVER_FIELDS if name not in kept)
        return CaregiverForm(
            data, row=subject, without=without, region=subject.program.phone_region
        )
    if isinstance(subject, Student):
        without = tuple(name for name in people.STUDENT_FIELDS if name not in kept)
        return StudentForm(data, row=subject, without=without)
    without = tuple(name for name in people.FAMILY_FIELDS if name not in kept)
    form = FamilyForm(data, row=subject, without=without)
    if subject.address_confidential and "address" in form.fields:
        form.hide_address()
    return form


@transaction.atomic
def propose(
    family: Family,
    wanted: Mapping[str, Any],
    *,
    by: User | None = None,
    caregiver: Caregiver | None = None,
    student: Student | None = None,
) -> AmendmentRequest:
    """Keep what the family says is right until staff look at it; the same twice is one.

    `wanted` are values as a form sends them, by field; `by`: whom the family told, if anybody.
    """
    family = Family.objects.select_for_update(no_key=True).get(pk=family.pk)
    subject: Subject = caregiver or student or family
    raise_if(_blockers(family, subject))
    if strange := wanted.keys() - set(allowed(subject)):
        raise ValueError(f"not for a family to propose: {sorted(strange)}")
    form = form_of(subject, wanted, tuple(wanted))
    if not form.is_valid():
        raise Refused(form)
    now = {name: _told(getattr(subject, name)) for name in wanted}
    new = {name: _told(form.cleaned_data[name]) for name in wanted}
    new = {name: value for name, value in new.items() if value != now[name]}
    if not new:
        raise NotReady(_("That is what we have already."))
    asked = {"family": family, "caregiver": caregiver, "student": student, "wanted": new}
    for same in AmendmentRequest.objects.waiting().filter(**asked):
        return same
    proposal = AmendmentRequest.objects.create(
        program_id=family.program_id,
        before={name: now[name] for name in new},
        proposed_at=clock.now(),
        proposed_by=by,
        **asked,
    )
    audit.record("amendment.proposed", proposal, by=by, family=family.pk, fields=sorted(new))
    return proposal


@transaction.atomic
def approve(proposal: AmendmentRequest, *, by: User) -> AmendmentRequest:
    """What the family says is right from now on."""
    proposal = _locked(proposal)
    if proposal.state == State.APPROVED:
        return proposal
    raise_if(_decided_blockers(proposal))
    subject = subject_of(proposal)
    raise_if(_blockers(proposal.family, subject))
    if any(_told(getattr(subject, name)) != was for name, was in proposal.before.items()):
        raise NotReady(
            _("This was changed since it was proposed. Decline it, or ask the family again.")
        )
    form = form_of(subject, proposal.wanted, tuple(proposal.wanted))
    if not form.is_valid():
        raise Refused(form)
    _apply(subject, {name: form.cleaned_data[name] for name in proposal.wanted}, by)
    return _decide(proposal, State.APPROVED, by)


@transaction.atomic
def decline(proposal: AmendmentRequest, *, by: User) -> AmendmentRequest:
    """Leave everything as it is."""
    proposal = _locked(proposal)
    if proposal.state == State.DECLINED:
        return proposal
    raise_if(_decided_blockers(proposal))
    return _decide(proposal, State.DECLINED, by)


def waiting_of(proposals: QuerySet[AmendmentRequest]) -> QuerySet[AmendmentRequest]:
    """Those that wait for somebody to decide, with whom they are about; none about somebody
    who was ended since."""
    waiting = proposals.filter(state=State.PROPOSED, caregiver__ended_on=None)
    return waiting.select_related(
        "family__program", "caregiver__program", "student__program", "proposed_by"
    ).order_by("pk")


def subject_of(proposal: AmendmentRequest) -> Subject:
    """Whom a proposal is about."""
    return proposal.caregiver or proposal.student or proposal.family


def corrections(proposal: AmendmentRequest) -> list[Correction]:
    """What a proposal would change, old and new; of a confidential address only that it would."""
    subject = subject_of(proposal)
    fields = form_of(subject).fields
    found = []
    for name, new in proposal.wanted.items():
        was, wanted = _said(name, proposal.before.get(name, "")), _said(name, new)
        if name == "address" and proposal.family.address_confidential:
            was = wanted = _("confidential")
        found.append(Correction(str(fields[name].label), was, wanted))
    return found


def _said(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name == "language":
        return languages.name(value)
    if name == "phone":
        return Caregiver(phone=value).number
    if name == "preferred_channel":
        return str(dict(Caregiver.Channel.choices).get(value, value))
    return str(value)


def _told(value: Any) -> Any:
    """A value as JSON keeps it."""
    return value if isinstance(value, bool) else str(value)


def _blockers(family: Family, subject: Subject) -> list[str]:
    if not isinstance(subject, Family) and subject.family_id != family.pk:
        return [_("This person is not of this family any more.")]
    if isinstance(subject, Caregiver) and (sentences := people.ended_blockers(subject)):
        return sentences
    return people.merged_blockers(family)


def _decided_blockers(proposal: AmendmentRequest) -> list[str]:
    if proposal.state == State.PROPOSED:
        return []
    return [_("Somebody decided about this already.")]


def _apply(subject: Subject, wanted: dict[str, Any], by: User) -> None:
    if isinstance(subject, Caregiver):
        people.change_caregiver(subject, wanted, by=by)
    elif isinstance(subject, Student):
        people.change_student(subject, wanted, by=by)
    else:
        people.change_family(subject, wanted, by=by)


def _decide(proposal: AmendmentRequest, state: str, by: User) -> AmendmentRequest:
    proposal.state, proposal.decided_at, proposal.decided_by = state, clock.now(), by
    proposal.save(update_fields=["state", "decided_at", "decided_by"])
    audit.record(f"amendment.{state}", proposal, by=by, family=proposal.family_id)
    return proposal


def _locked(proposal: AmendmentRequest) -> AmendmentRequest:
    """The proposal as it is now, with its people; the family first, as everywhere."""
    Family.objects.select_for_update(no_key=True).get(pk=proposal.family_id)
    found = AmendmentRequest.objects.select_for_update(of=("self",))
    return found.select_related("family__program", "caregiver__program", "student__program").get(
        pk=proposal.pk
    )
