"""It snows: a coordinator moves all visits of a day at once."""

import datetime
import re

import pytest
from django.test import Client

from pthv.models import Message
from tests.conftest import at
from visits import answers, invitations, moving_days, scheduling, selection
from visits.models import Invitation, SchoolHoliday, Visit

DAY = datetime.date(2026, 10, 8)


@pytest.fixture
def three(
    add_family, school, school_year, school_class, educator, partner, trained, pay_rate,
    site_coordinator,
) -> list[Visit]:  # fmt: skip
    """The same two visit three families on Thursday afternoon."""
    for surname in ("Ortega", "Nguyen", "Haddad"):
        add_family(surname)
    selection.plan_everyone(school, school_year, school_class=school_class, by=site_coordinator)
    found = []
    for number, invitation in enumerate(Invitation.objects.order_by("pk")):
        answers.record(invitation, "accepted", by=educator)
        invitations.choose_team(invitation, [partner.educators.get()], by=educator)
        start = at(8, 15, 30) + number * datetime.timedelta(minutes=75)
        invitation.refresh_from_db()
        found.append(
            scheduling.schedule(invitation, scheduling.slot(start, 45), "home", by=educator)
        )
    return found


@pytest.fixture
def sam(site_coordinator) -> Client:
    client = Client()
    client.force_login(site_coordinator)
    return client


def url(school) -> str:
    return f"/visits/day/move/{school.pk}/?on={DAY}"


def starts() -> list[datetime.datetime]:
    return [visit.during.lower for visit in Visit.objects.standing().order_by("pk")]


def test_each_is_offered_its_own_hour_of_another_day_first(three, school):
    found = moving_days.proposals(school, DAY)

    assert [proposal.visit for proposal in found] == three
    firsts = [proposal.times[0].during.lower for proposal in found]
    assert firsts[0] == at(9, 15, 30)
    assert len(set(firsts)) == 3
    assert all(start.date() != DAY for start in firsts)
    for one in range(3):
        for other in range(one):
            assert abs(firsts[one] - firsts[other]) >= datetime.timedelta(minutes=60)


def test_a_snow_day_takes_two_pages(sam, three, school, educator):
    response = sam.post(
        "/holidays/", {"name": "Snow", "starts_on": str(DAY), "school": school.pk}, follow=True
    )
    assert response.redirect_chain[-1][0] == url(school)
    assert SchoolHoliday.objects.get().name == "Snow"
    page = response.content.decode()
    firsts = re.findall(r'<select[^>]+name="(visit-\d+)"><option value="([^"]+)"', page)
    assert len(firsts) == 3

    done = sam.post(url(school), dict(firsts), follow=True)

    assert "3 visits changed. Everybody was told." in done.content.decode()
    assert starts() == [datetime.datetime.fromisoformat(value) for _name, value in firsts]
    assert not moving_days.ahead(school, DAY)
    assert Message.objects.filter(kind="visit_moved", address=educator.email).count() == 3


def test_one_is_cancelled_one_is_left(sam, three, school):
    one, other, last = three
    times = moving_days.proposals(school, DAY)[0].times

    sam.post(
        url(school),
        {
            f"visit-{one.pk}": times[0].value,
            f"visit-{other.pk}": "cancel",
            f"visit-{last.pk}": "",
        },
    )

    for visit in three:
        visit.refresh_from_db()
    assert one.during.lower == times[0].during.lower
    assert other.state == "educator_cancelled"
    assert last.during.lower == at(8, 18) and last.is_ahead


def test_a_time_that_nobody_offered_is_refused(sam, three, school):
    form = {f"visit-{three[0].pk}": "2026-10-09T03:00:00-05:00", f"visit-{three[1].pk}": "cancel"}
    response = sam.post(url(school), form)

    page = response.content.decode()
    assert response.status_code == 422 and "A time is taken by now." in page
    assert '<option value="cancel" selected>' in page
    assert starts()[0] == at(8, 15, 30)


def test_a_day_without_visits_says_so(sam, school):
    page = sam.get(f"/visits/day/move/{school.pk}/?on=2026-10-09").content.decode()

    assert "No visit of this day lies ahead." in page


def test_what_was_taken_between_looking_and_tapping(three, school, educator):
    one, other, _last = three
    time = moving_days.proposals(school, DAY)[0].times[0].during.lower

    refused = moving_days.move_all({one: time, other: time}, by=educator)

    assert [visit for visit, _sentences in refused] == [other]
    assert "overlaps a visit" in refused[0][1][0]
    assert starts()[:2] == [time, at(8, 16, 45)]
