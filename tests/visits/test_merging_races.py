"""Families merged, split and corrected at the same moment: threads on real PostgreSQL."""

from functools import partial

import pytest

from families import amendments, people
from families.models import AmendmentRequest, Family, Student
from pthv.blocked import NotReady
from pthv.models import Change
from tests.conftest import at
from tests.visits.test_concurrency import at_once
from visits import answers, invitations, merging, scheduling, selection
from visits.models import Invitation, Visit

pytestmark = [pytest.mark.concurrency, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def three(add_family, school, school_year, school_class, site_coordinator) -> list[Family]:
    found = [add_family("Ortega", child) for child in ("Mateo", "Lucía", "Inés")]
    selection.plan_everyone(school, school_year, school_class=school_class, by=site_coordinator)
    return found


def strange(results: list[object]) -> list[object]:
    """What went wrong otherwise than by a sentence."""
    return [
        found
        for found in results
        if isinstance(found, Exception) and not isinstance(found, NotReady)
    ]


def sound() -> None:
    """Nobody, and nothing that is open, is left with a family that was merged."""
    merged = Family.objects.exclude(merged_into=None)
    assert not Student.objects.filter(family__in=merged).exists()
    assert not Invitation.objects.filter(family__in=merged).exists()
    for visit in Visit.objects.select_related("invitation"):
        assert visit.family_id == visit.invitation.family_id


def test_merges_of_overlapping_pairs_at_once(three, program_coordinator):
    one, two, other = three
    pairs = [(one, two), (two, other), (other, one), (two, one)]

    results = at_once(
        *(partial(merging.merge, keep, gone, by=program_coordinator) for keep, gone in pairs)
    )

    assert strange(results) == []
    assert any(isinstance(found, Family) for found in results)
    sound()


def test_a_double_tap_is_one_merge(three, program_coordinator):
    keep, gone, _other = three

    results = at_once(*[partial(merging.merge, keep, gone, by=program_coordinator)] * 3)

    assert strange(results) == [] and Change.objects.count() == 1
    sound()


def test_a_merge_while_its_visit_is_scheduled(
    three, educator, partner, trained, pay_rate, program_coordinator
):
    keep, gone, _other = three
    invitation = Invitation.objects.get(family=gone)
    answers.record(invitation, "accepted", by=educator)
    invitations.choose_team(invitation, [partner.educators.get()], by=educator)
    slot = scheduling.slot(at(9, 16, 30))

    results = at_once(
        partial(merging.merge, keep, gone, by=program_coordinator),
        partial(scheduling.schedule, invitation, slot, "home", by=educator),
    )

    assert strange(results) == []
    assert Visit.objects.get().family == keep
    sound()


def test_a_merge_while_a_plan_is_made_again(
    three, school, school_year, school_class, site_coordinator, program_coordinator
):
    keep, gone, _other = three
    Invitation.objects.all().delete()
    plan = partial(
        selection.plan_everyone, school, school_year, school_class=school_class, by=site_coordinator
    )

    results = at_once(partial(merging.merge, keep, gone, by=program_coordinator), plan)

    assert strange(results) == []
    sound()


def test_a_double_tap_is_one_caregiver_one_proposal_one_correction(family, site_coordinator):
    marta = family.caregivers.get()
    said = {"given_name": "José", "relation": "father"}

    results = at_once(*[partial(people.add_caregiver, family, said, by=site_coordinator)] * 3)
    assert strange(results) == [] and family.caregivers.count() == 2

    propose = partial(amendments.propose, family, {"relation": "aunt"}, caregiver=marta)
    results = at_once(*[propose] * 3)
    assert strange(results) == [] and AmendmentRequest.objects.count() == 1

    proposal = AmendmentRequest.objects.get()
    results = at_once(
        partial(amendments.approve, proposal, by=site_coordinator),
        partial(amendments.decline, proposal, by=site_coordinator),
    )
    assert strange(results) == []
    assert sum(isinstance(found, NotReady) for found in results) == 1
