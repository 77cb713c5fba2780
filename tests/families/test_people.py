"""Putting people right by hand, and what a family says is wrong."""

import datetime

import pytest

from families import amendments, people
from families.forms.people import CaregiverForm, FamilyForm
from families.models import AmendmentRequest, Caregiver, Family
from pthv.blocked import NotReady
from pthv.models import AuditEntry

MARTA = {"given_name": "Marta", "family_name": "Ortega", "phone": "+13125550142"}


@pytest.fixture
def marta(family) -> Caregiver:
    return family.caregivers.get()


def test_a_change_is_audited_by_field_and_told_of_permissions_alone(marta, site_coordinator):
    changed = people.change_caregiver(
        marta, {"email": "m@example.org", "may_read": False}, by=site_coordinator
    )

    assert changed.email == "m@example.org" and not changed.may_read
    entry = AuditEntry.objects.get(event="caregiver.changed")
    assert entry.facts == {"fields": ["email", "may_read"], "may_read": False}
    assert "example.org" not in str(entry.facts)


def test_the_same_change_twice_is_one(family, marta, site_coordinator):
    for _ in range(2):
        people.change_caregiver(marta, {"relation": "aunt"}, by=site_coordinator)
        people.change_family(family, {"surnames": "Ortega Paz"}, by=site_coordinator)
        people.change_student(family.students.get(), {"preferred_name": "Teo"}, by=site_coordinator)

    assert AuditEntry.objects.filter(event__endswith=".changed").count() == 3


def test_what_comes_with_the_roster_is_not_changed_by_hand(family, site_coordinator):
    with pytest.raises(ValueError, match="grade"):
        people.change_student(family.students.get(), {"grade": "4"}, by=site_coordinator)


def test_whoever_is_ended_is_shown_to_nobody_and_stays_so(family, marta, site_coordinator):
    with pytest.raises(NotReady, match="Say why"):
        people.end_caregiver(marta, because="  ", by=site_coordinator)

    for _ in range(2):
        people.end_caregiver(marta, because="By court order.", by=site_coordinator)

    family.refresh_from_db()
    assert (family.standing, family.reachable) == ([], [])
    assert family.caregivers.get().ended_on == datetime.date(2026, 10, 6)
    assert AuditEntry.objects.get(event="caregiver.ended").facts == {"because": "By court order."}
    with pytest.raises(NotReady, match="An administrator can bring them back"):
        people.change_caregiver(marta, {"relation": "mother"}, by=site_coordinator)


def test_a_caregiver_added_twice_is_one(family, site_coordinator):
    said = {"given_name": "José", "family_name": "Ortega", "relation": "father"}

    first, second = (people.add_caregiver(family, said, by=site_coordinator) for _ in range(2))

    assert first == second and family.caregivers.count() == 2
    with pytest.raises(NotReady, match="José Ortega is here already"):
        people.add_caregiver(family, {**said, "relation": "uncle"}, by=site_coordinator)


def test_nobody_who_was_ended_is_added_again(family, marta, add_family, site_coordinator):
    people.end_caregiver(marta, because="By court order.", by=site_coordinator)
    moved = add_family("Paz", "Ada")
    family.students.update(family=moved)

    for home in (family, moved):
        with pytest.raises(NotReady, match="Marta Ortega has had no say"):
            people.add_caregiver(home, MARTA, by=site_coordinator)


def test_how_an_ended_caregiver_is_reached_is_put_on_nobody(family, marta, site_coordinator):
    said = {"given_name": "Luis Alberto", "family_name": "Cruz Vega", "phone": "+13125550177"}
    luis = people.add_caregiver(family, said, by=site_coordinator)
    people.end_caregiver(luis, because="By court order.", by=site_coordinator)

    with pytest.raises(NotReady, match="somebody who was ended"):
        people.change_caregiver(marta, {"phone": "+13125550177"}, by=site_coordinator)
    with pytest.raises(NotReady, match="somebody who was ended"):
        people.add_caregiver(family, said | {"given_name": "Pepe"}, by=site_coordinator)
    with pytest.raises(NotReady) as refused:
        people.add_caregiver(
            family, {"given_name": "L", "family_name": "Cruz"}, by=site_coordinator
        )
    assert str(refused.value).startswith("L Cruz has had no say")
    people.change_caregiver(marta, {"phone": "+13125550142"}, by=site_coordinator)


def test_a_merged_family_is_changed_no_more(family, add_family, site_coordinator):
    family.merged_into = add_family("Paz", "Ada")
    family.save()

    with pytest.raises(NotReady, match="merged with another"):
        people.change_family(family, {"surnames": "X"}, by=site_coordinator)
    with pytest.raises(NotReady, match="merged with another"):
        people.add_caregiver(family, MARTA, by=site_coordinator)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("Spanish", "es"), ("es-mx", "es-MX"), ("zh_hant_tw", "zh-Hant-TW"), ("Korean", "ko")],
)
def test_a_language_is_kept_as_its_tag(typed, kept):
    form = FamilyForm({"surnames": "Ortega", "language": typed})

    assert form.is_valid() and form.cleaned_data["language"] == kept


def test_a_language_nobody_knows_is_asked_again():
    form = FamilyForm({"surnames": "Ortega", "language": "the usual one"})

    assert "is not a language we know" in str(form.errors["language"])


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("(312) 555-0199", "+13125550199"), ("+52 55 5123 4567", "+525551234567")],
)
def test_a_phone_is_international_or_of_the_programs_region(typed, kept):
    form = CaregiverForm(
        {"given_name": "M", "language": "es", "preferred_channel": "call", "phone": typed},
        region="US",
    )

    assert form.is_valid() and str(form.cleaned_data["phone"]) == kept


def test_a_caregiver_has_a_name():
    form = CaregiverForm({"language": "es", "preferred_channel": "call"}, region="US")

    assert "Give at least one name." in str(form.errors)


# ---- what a family says is wrong


def test_a_proposal_changes_nothing_until_it_is_approved(proposal, marta, site_coordinator):
    marta.refresh_from_db()
    assert str(marta.phone) == "+13125550142"
    (correction,) = amendments.corrections(proposal)
    assert (correction.old, correction.new) == ("(312) 555-0142", "(312) 555-0199")

    for _ in range(2):
        amendments.approve(proposal, by=site_coordinator)

    marta.refresh_from_db()
    assert str(marta.phone) == "+13125550199"
    assert AuditEntry.objects.filter(event="amendment.approved").count() == 1
    with pytest.raises(NotReady, match="decided about this already"):
        amendments.decline(proposal, by=site_coordinator)


def test_a_declined_proposal_leaves_everything(proposal, marta, site_coordinator):
    amendments.decline(proposal, by=site_coordinator)

    marta.refresh_from_db()
    assert str(marta.phone) == "+13125550142"
    with pytest.raises(NotReady, match="decided about this already"):
        amendments.approve(proposal, by=site_coordinator)


def test_the_same_proposal_twice_is_one_and_the_family_itself_may_propose(family, marta):
    for _ in range(2):
        amendments.propose(family, {"email": "m@example.org"}, caregiver=marta)

    proposal = AmendmentRequest.objects.get()
    assert proposal.proposed_by is None and proposal.wanted == {"email": "m@example.org"}


def test_nothing_new_is_no_proposal(family, marta):
    with pytest.raises(NotReady, match="what we have already"):
        amendments.propose(family, {"phone": "312-555-0142"}, caregiver=marta)


def test_what_cannot_be_is_refused_with_the_forms_own_sentence(family, marta):
    with pytest.raises(amendments.Refused, match="valid phone number") as refused:
        amendments.propose(family, {"phone": "12"}, caregiver=marta)
    assert "phone" in refused.value.form.errors


@pytest.mark.parametrize("field", ["may_decide", "ended_on", "source_id"])
def test_a_family_does_not_propose_what_somebody_may(family, marta, field):
    with pytest.raises(ValueError, match=field):
        amendments.propose(family, {field: "x"}, caregiver=marta)


def test_whoever_was_faster_wins(proposal, marta, site_coordinator):
    people.change_caregiver(marta, {"phone": "+13125550111"}, by=site_coordinator)

    with pytest.raises(NotReady, match="changed since it was proposed"):
        amendments.approve(proposal, by=site_coordinator)
    marta.refresh_from_db()
    assert str(marta.phone) == "+13125550111"


def test_nothing_is_approved_for_somebody_who_was_ended(proposal, marta, site_coordinator):
    people.end_caregiver(marta, because="By court order.", by=site_coordinator)

    assert not amendments.waiting_of(AmendmentRequest.objects.all()).exists()
    with pytest.raises(NotReady, match="has had no say"):
        amendments.approve(proposal, by=site_coordinator)


def test_nobody_of_another_family_is_corrected_through_this_one(family, add_family):
    stranger = add_family("Paz", "Ada").caregivers.get()

    with pytest.raises(NotReady, match="not of this family"):
        amendments.propose(family, {"relation": "aunt"}, caregiver=stranger)


def test_a_confidential_address_is_not_told_by_its_proposal(family):
    Family.objects.filter(pk=family.pk).update(address="1 Elm St", address_confidential=True)
    family.refresh_from_db()
    proposal = amendments.propose(family, {"address": "2 Oak St"})

    (correction,) = amendments.corrections(proposal)
    assert "Elm" not in str(correction) and "Oak" not in str(correction)


def test_yes_and_no_are_proposed_too(family, site_coordinator):
    proposal = amendments.propose(family, {"interpreter_wanted": "on"})

    (correction,) = amendments.corrections(proposal)
    assert (correction.old, correction.new) == ("no", "yes")
    amendments.approve(proposal, by=site_coordinator)
    family.refresh_from_db()
    assert family.interpreter_wanted
