"""Who is current, on which date, and until when."""

import calendar
import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pthv import clock
from pthv.blocked import NotReady
from pthv.models import AuditEntry, Message
from tests.conftest import at
from training import certification
from training.models import Certification, Course

TODAY = datetime.date(2026, 10, 6)


@pytest.fixture
def ana(educator):
    return educator.educators.get()


@pytest.fixture
def issue(ana, course, program_coordinator):
    def issue(on: datetime.date, educator=ana) -> Certification:
        return certification.issue(educator, course, on=on, by=program_coordinator)

    return issue


def test_the_first_and_the_last_day_count(issue, ana) -> None:
    issued = issue(datetime.date(2024, 10, 20))

    assert issued.expires_on == datetime.date(2026, 10, 19)
    for day, holds in [
        (datetime.date(2024, 10, 19), False),
        (datetime.date(2024, 10, 20), True),
        (datetime.date(2026, 10, 19), True),
        (datetime.date(2026, 10, 20), False),
    ]:
        assert (ana not in certification.untrained([ana], on=day)) is holds


def test_late_in_the_evening_it_is_still_the_same_day_in_honolulu(
    issue, ana, program, course, program_coordinator
) -> None:
    program.time_zone = "Pacific/Honolulu"
    program.save()
    ana.program = program
    half_past_eleven = datetime.datetime(
        2026, 10, 6, 23, 30, tzinfo=ZoneInfo("Pacific/Honolulu")
    )  # the 7th in UTC

    with clock.at(half_past_eleven):
        issued = certification.issue(ana, course, on=program.today, by=program_coordinator)
        with pytest.raises(NotReady, match="today or earlier"):
            issue(datetime.date(2026, 10, 7))

    assert issued.issued_on == TODAY
    assert issued.expires_on == datetime.date(2028, 10, 5)
    assert AuditEntry.objects.get(event="certification.issued").facts["backdated"] is False


def test_backdating_is_allowed_and_kept(issue, program_coordinator) -> None:
    issued = issue(datetime.date(2026, 8, 20))

    entry = AuditEntry.objects.get(event="certification.issued")
    assert entry.by == program_coordinator
    assert entry.subject_id == issued.pk
    assert entry.facts["backdated"] is True
    assert entry.facts["issued_on"] == "2026-08-20"


def test_certifying_twice_from_the_same_day_is_once(issue) -> None:
    assert issue(TODAY) == issue(TODAY)
    assert AuditEntry.objects.filter(event="certification.issued").count() == 1


def test_a_revoked_one_counts_no_more(issue, ana, program_coordinator) -> None:
    issued = issue(datetime.date(2026, 8, 20))

    certification.revoke(issued, because=" Asked a family about papers. ", by=program_coordinator)

    assert "was revoked" in certification.untrained([ana], on=TODAY)[ana]
    issued.refresh_from_db()
    assert (issued.revoked_by, issued.revoked_because) == (
        program_coordinator,
        "Asked a family about papers.",
    )


def test_revoking_asks_for_a_reason(issue, program_coordinator) -> None:
    issued = issue(TODAY)

    with pytest.raises(NotReady, match="Say why"):
        certification.revoke(issued, because="  ", by=program_coordinator)

    issued.refresh_from_db()
    assert issued.revoked_at is None


def test_revoking_twice_keeps_the_first_reason(issue, program_coordinator) -> None:
    issued = issue(TODAY)

    for reason in ("First", "Second"):
        certification.revoke(issued, because=reason, by=program_coordinator)

    issued.refresh_from_db()
    assert issued.revoked_because == "First"
    assert AuditEntry.objects.filter(event="certification.revoked").count() == 1


def test_what_was_revoked_is_not_given_back_by_certifying_again(issue, program_coordinator) -> None:
    certification.revoke(issue(TODAY), because="A mistake", by=program_coordinator)

    with pytest.raises(NotReady, match="was revoked"):
        issue(TODAY)


@pytest.mark.parametrize(
    ("held_from", "sentence"),
    [
        (None, "Ana Ruiz has not been trained yet; they need training first."),
        (
            datetime.date(2024, 5, 4),
            "Ana Ruiz's training ended May 3; renew it before Oct 6.",
        ),
    ],
)
def test_the_sentence_says_what_to_do(issue, ana, held_from, sentence) -> None:
    if held_from:
        issue(held_from)

    assert certification.untrained([ana], on=TODAY) == {ana: sentence}


def test_training_after_the_visit_does_not_help(issue, ana) -> None:
    issue(TODAY)

    reasons = certification.untrained([ana], on=TODAY - datetime.timedelta(days=1))

    assert reasons == {ana: "Ana Ruiz's training starts Oct 6, after this visit."}


def test_a_course_that_does_not_certify_allows_no_visit(ana, program, program_coordinator) -> None:
    talk = Course.objects.create(program=program, name="Talk", hours=1, grants="")
    certification.issue(ana, talk, on=TODAY, by=program_coordinator)

    assert ana in certification.untrained([ana], on=TODAY)


def test_standings_of_everybody_in_one_query(
    issue, ana, partner, colleague, program_coordinator, django_assert_num_queries
) -> None:
    ben, cara = partner.educators.get(), colleague.educators.get()
    issue(datetime.date(2024, 10, 30))
    certification.revoke(issue(TODAY, ben), because="A mistake", by=program_coordinator)

    with django_assert_num_queries(1):
        found = certification.standings([ana, ben, cara], on=TODAY)

    assert {pk: standing.state for pk, standing in found.items()} == {
        ana.pk: "expiring",
        ben.pk: "revoked",
        cara.pk: "never",
    }
    assert found[ana.pk].day == datetime.date(2026, 10, 29)


def test_a_renewal_counts_before_the_old_one_ends(issue, ana) -> None:
    issue(datetime.date(2024, 10, 30))
    renewed = issue(TODAY)

    standing = certification.standings([ana], on=TODAY)[ana.pk]

    assert standing == ("current", datetime.date(2028, 10, 5), renewed)


@pytest.mark.parametrize(
    ("months", "from_day", "last_day"),
    [
        (6, datetime.date(2026, 8, 31), datetime.date(2027, 2, 27)),  # as if from February 28
        (12, datetime.date(2024, 2, 29), datetime.date(2025, 2, 27)),
        (48, datetime.date(2024, 2, 29), datetime.date(2028, 2, 28)),
        (1, datetime.date(2026, 1, 1), datetime.date(2026, 1, 31)),
        (24, datetime.date(2026, 12, 31), datetime.date(2028, 12, 30)),
    ],
)
def test_a_certification_lasts_whole_months(months, from_day, last_day) -> None:
    assert certification.expiry(Course(validity_months=months), from_day) == last_day


@given(
    issued_on=st.dates(datetime.date(1998, 1, 1), datetime.date(2099, 12, 31)),
    months=st.integers(1, 600),
)
def test_the_day_after_the_last_is_the_same_day_so_many_months_on(issued_on, months) -> None:
    after = certification.expiry(Course(validity_months=months), issued_on) + datetime.timedelta(1)

    assert (after.year * 12 + after.month) - (issued_on.year * 12 + issued_on.month) == months
    assert after.day == min(issued_on.day, calendar.monthrange(after.year, after.month)[1])


@given(
    one=st.dates(datetime.date(1998, 1, 1), datetime.date(2099, 12, 31)),
    other=st.dates(datetime.date(1998, 1, 1), datetime.date(2099, 12, 31)),
    months=st.integers(1, 120),
)
def test_training_later_never_ends_earlier(one, other, months) -> None:
    course = Course(validity_months=months)
    earlier, later = sorted([one, other])

    assert certification.expiry(course, earlier) <= certification.expiry(course, later)
    assert certification.expiry(course, earlier) >= earlier


def test_training_that_ends_before_the_visit_says_when(ana, course, program_coordinator):
    issued = certification.issue(ana, course, on=datetime.date(2026, 8, 20), by=program_coordinator)

    reasons = certification.untrained([ana], on=issued.expires_on + datetime.timedelta(days=1))

    assert reasons == {ana: "Ana Ruiz's training ends Aug 19, 2028; renew it before Aug 20, 2028."}


@pytest.mark.parametrize("days_before", [0, 1, 30])
def test_what_was_revoked_does_not_come_back_with_another_day(
    issue, ana, program_coordinator, days_before
) -> None:
    certification.revoke(
        issue(datetime.date(2026, 9, 6)), because="Told on", by=program_coordinator
    )

    with pytest.raises(NotReady, match="was revoked on Oct 6"):
        issue(TODAY - datetime.timedelta(days=days_before))
    with clock.at(at(8, 9)):
        issue(datetime.date(2026, 10, 7))

    assert certification.current(ana, on=datetime.date(2026, 10, 8))


def test_whoever_is_revoked_hears_why_and_what_still_counts(
    issue, ana, program, program_coordinator
) -> None:
    refresher = Course.objects.create(program=program, name="Refresher", hours=1)
    certification.issue(ana, refresher, on=datetime.date(2026, 9, 1), by=program_coordinator)
    first = issue(datetime.date(2026, 8, 20))

    certification.revoke(first, because="Told a neighbor", by=program_coordinator)
    certification.revoke(first, because="Told a neighbor", by=program_coordinator)

    told = Message.objects.get(kind="certification_revoked")
    assert told.to_user == ana.user
    assert "Told a neighbor" in told.body
    assert "until Thu, Aug 31, 2028, by another training" in told.body
    assert "Told" not in told.subject
