"""A visit that changes: each change is refused in a sentence, or told to everybody once."""

import datetime

import pytest
from icalendar import Calendar

from pthv import clock
from pthv.blocked import NotReady
from pthv.models import Message, User
from tests.conftest import at
from visits import interpreting, moving, safety, scheduling
from visits.models import Visit, VisitParticipant

FRIDAY = scheduling.slot(at(9, 17))


def of(user: User):
    return user.educators.get()


def going(visit: Visit) -> list[str]:
    return [
        str(one.educator)
        for one in VisitParticipant.objects.filter(visit=visit).select_related("educator__user")
    ]


def told(kind: str) -> list[str]:
    return sorted(Message.objects.filter(kind=kind).values_list("address", flat=True))


def entries(kind: str) -> list[tuple[str, str, int, datetime.datetime]]:
    """Method, UID, SEQUENCE and start of each entry for a calendar that went out."""
    found = []
    for message in Message.objects.filter(kind=kind).order_by("pk"):
        calendar = Calendar.from_ical(message.calendar)
        (event,) = calendar.walk("VEVENT")
        found.append(
            (str(calendar["method"]), str(event["uid"]), event["sequence"], event["dtstart"].dt)
        )
    return found


def test_a_move_takes_everybody_along(visit, educator, partner):
    scheduling.confirm(visit, by=partner)

    moved = moving.move(visit, FRIDAY, "neutral", by=educator, address="Library, Oak Street")

    assert moved.pk == visit.pk and moved.state == "scheduled" and moved.confirmed_at is None
    assert moved.address == "Library, Oak Street"
    assert {one.during for one in VisitParticipant.objects.all()} == {moved.during}
    assert told("visit_moved") == sorted([educator.email, partner.email])
    body = Message.objects.filter(kind="visit_moved").first().body
    assert "Thu, Oct 8, 4:30 PM" in body and "Fri, Oct 9, 5:00 PM" in body
    assert "Library" not in body


def test_a_calendar_sees_one_entry_that_moves_and_is_taken_out(visit, educator, partner):
    moving.move(visit, FRIDAY, "home", by=educator)
    scheduling.cancel(visit, "family_cancelled", by=educator)

    (first, *_), (then, *_), (last, *_) = map(
        entries, ("visit_scheduled", "visit_moved", "visit_cancelled")
    )

    assert [one[0] for one in (first, then, last)] == ["REQUEST", "REQUEST", "CANCEL"]
    assert len({one[1] for one in (first, then, last)}) == 1
    assert first[2] < then[2] < last[2]
    assert (first[3], then[3]) == (at(8, 16, 30), at(9, 17))


def test_the_entry_names_no_family_and_no_place(visit, educator):
    moving.move(visit, FRIDAY, "neutral", by=educator, address="12 Oak Street")

    for message in Message.objects.exclude(calendar=""):
        said = message.calendar + message.subject + message.body
        assert not any(word in said for word in ("Ortega", "Mateo", "Oak"))


def test_there_and_back_again_is_told_each_time(visit, educator):
    back = visit.during
    visit.invitation.family.caregivers.update(preferred_channel="text")
    for during in (FRIDAY, FRIDAY, back):
        moving.move(visit, during, "home", by=educator)

    told = Message.objects.filter(kind="visit_moved")
    assert told.filter(recipient="").count() == 4
    assert told.filter(recipient__gt="").count() == 2


@pytest.mark.parametrize(
    ("during", "sentence"),
    [
        (scheduling.slot(at(9, 10)), "contract day"),
        (scheduling.slot(at(5, 16)), "has passed"),
    ],
)
def test_a_move_is_refused_as_a_new_time_would_be(visit, educator, during, sentence):
    with pytest.raises(NotReady, match=sentence):
        moving.move(visit, during, "home", by=educator)

    visit.refresh_from_db()
    assert visit.during.lower == at(8, 16, 30) and visit.sequence == 0


def test_a_move_by_half_an_hour_is_not_in_its_own_way(visit, educator):
    moved = moving.move(visit, scheduling.slot(at(8, 17)), "home", by=educator)

    assert moved.during.lower == at(8, 17)


def test_what_is_over_is_not_moved(visit, educator):
    with clock.at(at(8, 17)), pytest.raises(NotReady, match="has begun"):
        moving.move(visit, FRIDAY, "home", by=educator)


def test_where_they_are_already_is_not_moved(visit, educator):
    with clock.at(at(8, 16, 20)):
        safety.arrive(visit, by=educator)
        with pytest.raises(NotReady, match="has begun"):
            moving.move(visit, FRIDAY, "home", by=educator)


def test_somebody_else_goes(visit, educator, partner, third):
    for _tap in range(2):
        moving.swap(visit, of(partner), of(third), by=educator)

    assert going(visit) == ["Ana Ruiz", "Cara Diaz"]
    assert told("visit_left") == [partner.email]
    assert told("visit_swapped") == [educator.email]
    assert third.email in told("visit_scheduled")
    assert [one[0] for one in entries("visit_left")] == ["CANCEL"]
    visit.invitation.refresh_from_db()
    assert list(map(str, visit.invitation.people())) == ["Ana Ruiz", "Cara Diaz"]


def test_the_lead_can_be_somebody_else_too(visit, educator, third):
    moving.swap(visit, of(educator), of(third), by=educator)

    assert going(visit) == ["Cara Diaz", "Ben Lee"]


def test_nobody_goes_twice_or_untrained_or_from_elsewhere(visit, educator, partner, colleague):
    with pytest.raises(NotReady, match="Ana Ruiz goes on this visit already"):
        moving.swap(visit, of(partner), of(educator), by=educator)
    with pytest.raises(NotReady, match="Cara Diaz has not been trained"):
        moving.swap(visit, of(partner), of(colleague), by=educator)

    assert going(visit) == ["Ana Ruiz", "Ben Lee"]
    assert not told("visit_left")


def test_who_cant_go_says_so_and_the_other_hears_it(visit, educator, partner, third):
    for _tap in range(2):
        moving.decline(visit, by=partner)

    visit.refresh_from_db()
    assert visit.state == "scheduled" and told("visit_declined") == [educator.email]
    with clock.at(at(8, 18)), pytest.raises(NotReady, match="Ben Lee can't go"):
        scheduling.hold(visit, by=educator)

    moving.swap(visit, of(partner), of(third), by=educator)
    with clock.at(at(8, 18)):
        assert scheduling.hold(visit, by=educator).state == "held"


def test_who_can_after_all_confirms(visit, partner):
    moving.decline(visit, by=partner)

    scheduling.confirm(visit, by=partner)

    assert not VisitParticipant.objects.exclude(declined_at=None).exists()


def test_only_who_goes_can_say_that_they_dont(visit, colleague):
    with pytest.raises(NotReady, match="don't go"):
        moving.decline(visit, by=colleague)


def test_nobody_confirms_while_somebody_cant_go(visit, partner, site_coordinator, third):
    moving.decline(visit, by=partner)

    with pytest.raises(NotReady, match="Ben Lee can't go"):
        scheduling.confirm(visit, by=site_coordinator)

    moving.swap(visit, of(partner), of(third), by=site_coordinator)
    assert scheduling.confirm(visit, by=third).state == "confirmed"


def test_where_to_meet_stays_unless_it_is_said_anew(visit, educator):
    moving.move(visit, FRIDAY, "neutral", by=educator, address="Library")
    moved = moving.move(visit, FRIDAY, "home", by=educator, address="Library")

    assert moved.address == ""


class TestWithAnInterpreter:
    @pytest.fixture(autouse=True)
    def _five_days(self, interpreter_request, program):
        """Lan was asked, and has not answered; for anything new she needs five days."""
        program.interpreter_notice = 5
        program.save()

    def test_a_new_time_keeps_to_the_notice(self, visit, educator):
        with pytest.raises(NotReady, match="An interpreter for Spanish needs 5 working days"):
            moving.move(visit, FRIDAY, "home", by=educator)

        moved = moving.move(visit, scheduling.slot(at(14, 17)), "home", by=educator)
        assert [one.state for one in moved.interpreter_requests.order_by("pk")] == [
            "cancelled",
            "pending",
        ]

    def test_or_goes_without(self, visit, educator):
        moved = moving.move(visit, FRIDAY, "home", by=educator, interpret="")

        assert [one.state for one in moved.interpreter_requests.all()] == ["cancelled"]

    def test_whoever_comes_already_needs_none(self, visit, educator, interpreter_request, lan):
        interpreting.cover(interpreter_request, lan, by=educator)

        moved = moving.move(visit, FRIDAY, "home", by=educator)

        assert moved.interpreter_requests.order_by("pk").last().state == "pending"


def test_the_lead_can_after_all_too(visit, educator):
    moving.decline(visit, by=educator)

    scheduling.confirm(visit, by=educator)

    visit.refresh_from_db()
    assert visit.state == "scheduled"
    assert not VisitParticipant.objects.exclude(declined_at=None).exists()


def test_who_went_instead_may_be_said_until_it_is_held(visit, educator, partner, third):
    moving.decline(visit, by=partner)

    with clock.at(at(8, 17)):
        moving.swap(visit, of(partner), of(third), by=educator)
        assert scheduling.hold(visit, by=educator).state == "held"
        with pytest.raises(NotReady):
            moving.swap(visit, of(third), of(partner), by=educator)


def test_whoever_chose_the_time_does_not_confirm_it(visit, educator, partner):
    moving.move(visit, FRIDAY, "home", by=partner)

    with pytest.raises(NotReady, match="Your partner confirms"):
        scheduling.confirm(visit, by=partner)
    assert scheduling.confirm(visit, by=educator).state == "confirmed"


def test_an_old_page_confirms_moves_and_swaps_nothing(visit, educator, partner, third):
    seen = visit.sequence
    moving.move(visit, FRIDAY, "home", by=educator)

    for change in (
        lambda: scheduling.confirm(visit, by=partner, seen=seen),
        lambda: moving.move(visit, scheduling.slot(at(12, 17)), "home", by=partner, seen=seen),
        lambda: moving.swap(visit, of(partner), of(third), by=educator, seen=seen),
    ):
        with pytest.raises(NotReady, match="was changed since"):
            change()

    visit.refresh_from_db()
    assert (visit.state, visit.during.lower, going(visit)) == (
        "scheduled",
        at(9, 17),
        ["Ana Ruiz", "Ben Lee"],
    )
