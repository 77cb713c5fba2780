"""An import is taken back byte for byte, or not at all."""

import csv
import datetime
import io
from pathlib import Path

import pytest
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from families.models import Caregiver, Family, RosterImport, Student
from families.roster import apply
from families.tasks import undo_roster
from pthv import clock
from pthv.blocked import NotReady
from pthv.models import AuditEntry, Educator, Membership, User
from tests.families.roster_files import CONTACTS, bundle, bundle_files
from tests.pthv.test_undo import snapshot

pytestmark = pytest.mark.django_db
State = RosterImport.State


@pytest.fixture
def take_back(program, program_coordinator):
    def take_back(found: RosterImport) -> RosterImport:
        apply.hand_over_undo(found, by=program_coordinator)
        undo_roster.func(program.pk, found.pk, program_coordinator.pk)
        found.refresh_from_db()
        return found

    return take_back


def test_the_first_import_leaves_nothing_behind(apply_file, take_back, program_coordinator):
    before = snapshot()
    found = apply_file(bundle())
    assert snapshot() != before

    take_back(found)

    assert snapshot() == before
    assert (found.state, found.change.undone_by) == (State.UNDONE, program_coordinator)
    assert AuditEntry.objects.filter(event="roster.undone", subject_id=found.pk).exists()


def test_what_was_undone_can_be_brought_again(apply_file, take_back):
    take_back(apply_file(bundle()))

    apply_file(bundle())

    assert Student.objects.count() == 25


def test_contacts_are_taken_back_and_the_roster_stays(apply_file, take_back):
    apply_file(bundle())
    before = snapshot()

    found = take_back(apply_file(CONTACTS, kind="contacts"))

    assert found.state == State.UNDONE
    assert snapshot() == before


def test_the_older_import_waits_for_the_newer(apply_file, take_back):
    roster = apply_file(bundle())
    contacts = apply_file(CONTACTS, kind="contacts")
    after = snapshot()

    refused = take_back(roster)

    assert refused.state == State.APPLIED
    assert refused.problem.startswith("This can't be undone: changed since then were")
    assert snapshot() == after
    take_back(contacts)
    assert take_back(roster).state == State.UNDONE
    assert not Student.objects.exists()


def test_a_correction_made_since_is_not_lost(apply_file, take_back):
    apply_file(bundle())
    found = apply_file(CONTACTS, kind="contacts")
    Caregiver.objects.filter(pk=Caregiver.objects.first().pk).update(phone="+15035550177")

    refused = take_back(found)

    assert refused.state == State.APPLIED
    assert "1 caregiver" in refused.problem
    assert Caregiver.objects.filter(phone="+15035550177").exists()


def test_an_account_in_use_stays_and_may_do_nothing(apply_file, take_back):
    before = snapshot()
    found = apply_file(bundle())
    used = Educator.objects.first().user_id
    User.objects.filter(pk=used).update(last_login="2026-10-06T12:00Z")

    take_back(found)

    assert found.state == State.UNDONE
    assert User.objects.filter(pk=used).exists()
    assert not Membership.objects.filter(user=used).exists()
    after = snapshot()
    assert len(after.pop("pthv_user")) == len(before.pop("pthv_user")) + 1
    assert after == before
    apply_file(bundle())
    assert Educator.objects.filter(user=used).exists()


def test_tapping_twice_undoes_once(apply_file, program, program_coordinator):
    found = apply_file(bundle())
    for _tap in range(2):
        apply.hand_over_undo(found, by=program_coordinator)
    for _job in range(2):
        undo_roster.func(program.pk, found.pk, program_coordinator.pk)

    found.refresh_from_db()
    assert found.state == State.UNDONE
    assert AuditEntry.objects.filter(event="roster.undone").count() == 1


@pytest.mark.parametrize("state", [State.PLANNED, State.REFUSED, State.DISCARDED, State.UNDONE])
def test_only_what_was_applied_is_undone(plan_file, program, program_coordinator, state):
    found = plan_file(bundle())
    if state != State.UNDONE:
        RosterImport.objects.filter(pk=found.pk).update(state=state)
        with pytest.raises(NotReady, match="can't be undone"):
            apply.hand_over_undo(found, by=program_coordinator)


def test_a_plan_made_before_the_undoing_is_not_applied_after_it(
    apply_file, plan_file, take_back, program_coordinator
):
    first = apply_file(bundle())
    waiting = plan_file(bundle(users=without("1001")))
    with clock.at(clock.now() + datetime.timedelta(minutes=1)):
        take_back(first)

    with pytest.raises(NotReady, match="merged or undone after this file came"):
        apply.begin(waiting, leaving_confirmed=True)


def without(*missing: str) -> str:
    rows = list(csv.reader(io.StringIO(bundle_files()["users.csv"])))
    sheet = io.StringIO()
    csv.writer(sheet).writerows(row for row in rows if row[0] not in missing)
    return sheet.getvalue()


PEOPLE = ["1001", "1002", "1009", "1016", "t1", "t4"]
steps = st.lists(
    st.one_of(
        st.sets(st.sampled_from(PEOPLE), max_size=4),
        st.just("contacts"),
    ),
    min_size=1,
    max_size=4,
)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps)
def test_any_sequence_is_taken_back_step_by_step(apply_file, take_back, sequence):
    done = []
    for step in [set(), *sequence]:
        before = snapshot()
        if step == "contacts":
            found = apply_file(Path(CONTACTS), kind="contacts")
        else:
            found = apply_file(bundle(users=without(*step)))
        done.append((found, before))

    for found, before in reversed(done):
        assert take_back(found).state == State.UNDONE, found.problem
        assert snapshot() == before
    assert not Family.objects.exists()


def test_the_page_takes_it_back(client, apply_file, program, program_coordinator):
    found = apply_file(bundle())
    client.force_login(program_coordinator)

    assert client.post(reverse("roster_undo", args=[found.pk])).status_code == 302

    undo_roster.func(program.pk, found.pk, program_coordinator.pk)
    assert "Undone" in client.get(reverse("roster_detail", args=[found.pk])).text
    assert not Student.objects.exists()
