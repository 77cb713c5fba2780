"""The training desk: each of its numbers is the rows behind it, and nothing is shown as 0 that
nobody entered."""

import csv
import datetime
import re
from decimal import Decimal

import pytest
from django.urls import reverse

from pthv import clock
from pthv.access import Can
from pthv.models import AuditEntry, Educator, Membership, Role, SchoolYear
from tests.conftest import at
from tests.visits.test_query_counts import DASHBOARD, PAGE, flat
from tests.visits.test_query_counts import count as _count
from training import certification, cohorts, desk, enrolment, sessions
from training.models import (
    Certification,
    Cohort,
    CohortMember,
    CohortTrainer,
    Course,
    CourseRequirement,
    Trainer,
)
from training.standings import LABELS, standing

count = _count
pytestmark = pytest.mark.django_db
DESK, LIST = "/training/desk/", "/training/certified/"
TODAY = datetime.date(2026, 10, 6)


@pytest.fixture
def hire(person, program, school):
    """Somebody of Lincoln, or another school, held a certification until that day."""

    def hire(name, until=None, where=school, since=None) -> Educator:
        found = person(name, Role.EDUCATOR, program, where).educators.get()
        if until is not None:
            Certification.objects.create(
                program=program,
                educator=found,
                course=Course.objects.get(name="Introduction"),
                issued_on=since or until - datetime.timedelta(days=700),
                expires_on=until,
                issued_by=found.user,
            )
        return found

    return hire


@pytest.fixture
def staff(hire, course, other_school, school_year, program_coordinator):
    """One of each standing at Lincoln; at Roosevelt nobody may visit."""
    days = datetime.timedelta(days=1)
    staff = {
        "today": hire("Today Last", TODAY),
        "month": hire("In Month", TODAY + 29 * days),
        "thirty": hire("Day Thirty", TODAY + 30 * days),
        "sixty": hire("Day Sixty", TODAY + 60 * days),
        "ninety": hire("Day Ninety", TODAY + 90 * days),
        "new": hire("Fresh Face", TODAY + 700 * days, since=TODAY),
        "ended": hire("Ended Yesterday", TODAY - days),
        "never": hire("Never Trained"),
        "enrolled": hire("Waiting Room"),
        "other": hire("Rosa Elsewhere", where=other_school),
        "revoked": hire("Revoked Soon", TODAY + 300 * days),
    }
    certification.revoke(
        staff["revoked"].certifications.get(), because="Left.", by=program_coordinator
    )
    Certification.objects.create(  # renewed early: it is the last day that counts
        program=course.program, educator=staff["today"], course=course, issued_on=TODAY,
        expires_on=TODAY + 400 * days, issued_by=program_coordinator,
    )  # fmt: skip
    cohort = cohorts.open_cohort(course, "Fall", by=program_coordinator)
    sessions.add(cohort, starts_at=at(9, 16), ends_at=at(9, 18), place="", by=program_coordinator)
    enrolment.enrol(cohort, [staff["enrolled"]], by=program_coordinator)
    return staff


def figures(client, user, url=DESK) -> dict[str, int]:
    """Every number of a page that links to a list, by the link."""
    client.force_login(user)
    text = client.get(url).text
    found = re.findall(
        r'<a (?:class="figure[^"]*" )?href="(/training/certified/\?[^"]*)"[^>]*>(.*?)</a>',
        text,
        re.DOTALL,
    )
    numbers = {}
    for link, inside in found:
        words = re.sub(r"<[^>]*>", " ", inside).split()
        number = re.search(r'figure-value">(\d+)', inside)
        if number or words[-1].isdecimal():
            numbers[link.replace("&amp;", "&")] = int(number[1] if number else words[-1])
    return numbers


@pytest.mark.parametrize("who", ["program_coordinator", "site_coordinator"])
def test_every_number_is_the_rows_behind_it(client, staff, request, who):
    user = request.getfixturevalue(who)

    numbers = figures(client, user)

    assert len(numbers) > 12
    for link, number in numbers.items():
        rows = client.get(link).context["rows"]
        assert (link, len(rows)) == (link, number)


def test_who_stands_where(staff, program, program_coordinator):
    found = {
        state: {
            name for name, one in staff.items()
            if standing(Educator.objects.filter(pk=one.pk), state, on=TODAY).exists()
        }
        for state in LABELS
    }  # fmt: skip
    assert found == {
        "current": {"today", "month", "thirty", "sixty", "ninety", "new"},
        "expiring": {"month"},
        "ending": {"month", "thirty"},
        "later": {"month", "thirty", "sixty"},
        "ended": {"ended"},
        "never": {"never", "enrolled", "other", "revoked"},
        "nowhere": {"never", "other", "revoked"},
        "new": {"new"},
    }
    total, _schools = desk.standings(program, program_coordinator.reach(Can.SEE_TRAINING), None)
    assert (total.educators, total.current, total.nowhere) == (11, 6, 3)


def test_schools_where_nobody_may_visit_come_first(client, staff, program_coordinator):
    client.force_login(program_coordinator)

    schools = client.get(DESK).context["schools"]

    assert [(row.school, row.current) for row in schools] == [("Roosevelt", 0), ("Lincoln", 6)]


def test_who_works_at_two_schools_counts_at_each_and_once_in_all(
    staff, program, other_school, program_coordinator
):
    Membership.objects.create(
        program=program, user=staff["new"].user, role="educator", school=other_school,
        starts_on="2026-01-01",
    )  # fmt: skip

    total, schools = desk.standings(program, program_coordinator.reach(Can.SEE_TRAINING), None)

    assert (total.educators, [row.educators for row in schools]) == (11, [2, 10])


def test_a_site_coordinator_sees_the_own_school_and_no_money(client, staff, site_coordinator):
    client.force_login(site_coordinator)

    response = client.get(DESK)

    assert [row.school for row in response.context["schools"]] == ["Lincoln"]
    assert response.context["total"].educators == 10
    assert "Roosevelt" not in response.text
    assert "Rosa Elsewhere" not in response.text
    assert "Cost of each" not in response.text


@pytest.fixture
def run_cohort(course, program_coordinator, hire, school_year):
    """Open, attend and complete a cohort with these educators, at a cost or without."""
    CourseRequirement.objects.get_or_create(
        program=course.program, course=course, kind="every_part"
    )

    def run_cohort(name: str, educators: list[Educator], cost: int | None) -> Cohort:
        cohort = cohorts.open_cohort(course, name, by=program_coordinator)
        Cohort.objects.filter(pk=cohort.pk).update(cost=cost)
        starts, ends = at(1, 16), at(1, 18)
        with clock.at(at(1, 8)):
            sessions.add(cohort, starts_at=starts, ends_at=ends, place="", by=program_coordinator)
            enrolment.enrol(cohort, educators, by=program_coordinator)
        for one in cohort.sessions.get().attendances.all():
            one.state, one.recorded_at, one.recorded_by = "attended", ends, program_coordinator
            one.save()
        with clock.at(at(2, 9)):
            cohorts.complete(cohort, by=program_coordinator)
        return cohort

    return run_cohort


def test_the_cost_is_of_those_who_were_newly_trained(client, run_cohort, hire, program_coordinator):
    run_cohort("Fall", [hire(f"New {n}") for n in range(3)] + [hire("Old One", TODAY)], 240)
    client.force_login(program_coordinator)

    text = client.get(DESK).text

    assert "$80.00" in text
    assert "$240.00 for 3 newly trained" in text
    assert "As much as other programs spend" in text
    assert client.get("/training/?completed=1").context["page"].rows[0].name == "Fall"


def test_a_cost_that_nobody_entered_is_said_and_never_zero(
    client, run_cohort, hire, program_coordinator
):
    run_cohort("Fall", [hire("New One")], None)
    client.force_login(program_coordinator)

    text = client.get(DESK).text

    assert "No cost entered." in text
    assert "1 complete cohort has no cost entered, and is left out." in text
    assert "$0" not in text
    assert "no cost entered" in client.get("/training/?completed=1").text


@pytest.mark.parametrize(
    ("dollars", "side"), [(61, "below"), (63, "within"), (100, "within"), (101, "above")]
)
def test_the_yardstick(dollars, side):
    assert desk.Cost(cohorts=1, priced=1, dollars=Decimal(dollars * 2), through=2).side == side


def test_trainers_without_a_session_come_first(client, cohort, hire, program, program_coordinator,
                                               school_year):  # fmt: skip
    hire("Never Trained")
    busy = Trainer.objects.create(program=program, name="Ada Busy")
    Trainer.objects.create(program=program, name="Zoe Free", kind="parent")
    Trainer.objects.create(program=program, name="Bo Gone", is_active=False)
    CohortTrainer.objects.create(program=program, cohort=cohort, trainer=busy)
    sessions.add(cohort, starts_at=at(9, 16), ends_at=at(9, 18), place="", by=program_coordinator)
    client.force_login(program_coordinator)

    response = client.get(DESK)

    assert [(str(one), one.sessions, one.hours) for one in response.context["trainers"]] == [
        ("Zoe Free", 0, 0.0),
        ("Ada Busy", 1, 2.0),
    ]
    assert "1 session, 2 h" in response.text
    assert len(client.get(f"/training/?trainer={busy.pk}").context["page"].rows) == 1


def downloaded(response) -> list[list[str]]:
    return list(csv.reader(response.getvalue().decode("utf-8-sig").splitlines()))


def test_the_list_of_educators_is_downloaded_as_it_is_narrowed(client, staff, site_coordinator):
    client.force_login(site_coordinator)

    rows = downloaded(client.post(f"{reverse('certification_csv')}?standing=ended"))

    assert [row[:5] for row in rows[1:]] == [
        ["Ended Yesterday", "ended.yesterday@example.org", "Lincoln", "ended", "Introduction"]
    ]
    entry = AuditEntry.objects.get(event="educators.exported")
    assert (entry.by, entry.facts["filters"]) == (site_coordinator, {"standing": "ended"})
    everybody = downloaded(client.post(reverse("certification_csv")))
    assert len(everybody) == 1 + 10


def test_that_a_list_was_taken_is_kept_where_no_school_year_is(client, staff, site_coordinator):
    SchoolYear.objects.all().delete()
    client.force_login(site_coordinator)

    client.post(reverse("certification_csv"))

    entry = AuditEntry.objects.get(event="educators.exported")
    held = Membership.objects.get(user=site_coordinator)
    assert (entry.subject_type, entry.subject_id) == ("membership", held.pk)


def test_a_cohort_is_downloaded_with_who_came(client, run_cohort, hire, program_coordinator):
    cohort = run_cohort("Fall", [hire("New One"), hire("=Two Sums")], 100)
    CohortMember.objects.filter(educator__user__family_name="Sums").update(state="waiting")
    client.force_login(program_coordinator)

    rows = downloaded(client.post(reverse("cohort_csv", args=[cohort.pk])))

    assert rows == [
        ["name", "email", "membership", "2026-10-01 part 1", "certified_from", "last_day"],
        ["New One", "new.one@example.org", "enrolled", "attended", "2026-10-01", "2028-09-30"],
        ["'=Two Sums", "'=two.sums@example.org", "waiting", "attended", "2026-10-01", "2028-09-30"],
    ]
    assert AuditEntry.objects.filter(event="cohort.exported", subject_id=cohort.pk).exists()


def test_the_desk_and_its_lists_ask_no_more_for_many(
    count, staff, hire, run_cohort, program, program_coordinator, site_coordinator
):
    run_cohort("First", [hire("First New")], 80)
    pages = {
        DESK: program_coordinator,
        f"{DESK}?": site_coordinator,
        f"{LIST}?standing=nowhere": program_coordinator,
        f"{LIST}?standing=ending&q=a": site_coordinator,
        "/training/?completed=1": program_coordinator,
    }

    def grow():
        days = datetime.timedelta(days=1)
        for number in range(29):
            hire(f"Never Trained{number}")
            hire(f"Ends Soon{number}", TODAY + number * days)
            Trainer.objects.create(program=program, name=f"T{number}")
        for number in range(9):
            run_cohort(f"C{number}", [hire(f"Fresh New{number}")], None)

    flat(count, pages, grow, DASHBOARD)
    assert count(f"{LIST}?standing=nowhere", program_coordinator) <= PAGE
