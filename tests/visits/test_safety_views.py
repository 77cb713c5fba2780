"""The taps as pages show them: Today, the visit, the desk, the call for help, the hotline."""

import datetime
import re

import pytest
from django.test import Client

from pthv import clock, stops
from pthv.models import Message, Program, School
from pthv.templatetags.wording import dialled
from tests.conftest import at
from tests.snapshot import database
from visits import safety, scheduling
from visits.models import SafetyCheck, Visit

MINUTE = datetime.timedelta(minutes=1)
START, END = at(8, 16, 30), at(8, 17, 30)


@pytest.fixture
def contact(school) -> School:
    school.safety_name, school.safety_phone = "Vera Cole", "+13125550177"
    school.save()
    return school


@pytest.fixture
def phone(client):
    """Open a page as somebody, at a moment, and read it."""

    def read(url: str, user, moment: datetime.datetime) -> str:
        client.force_login(user)
        with clock.at(moment):
            response = client.get(url)
        assert response.status_code == 200
        page = " ".join(response.content.decode().split())
        # What only a phone without signal shows, once a step waits there.
        return re.sub(r"<div data-offline-after.*?</div>", "", page)

    return read


@pytest.fixture
def tap():
    """Tap one of a page's forms, as a browser without script would; return where that leads."""

    def post(page: str, label: str, user, moment: datetime.datetime, **more: str) -> str:
        forms = re.findall(r'<form method="post" action="([^"]+)"([^>]*)>(.*?)</form>', page)
        (url, _marks, inside) = next(form for form in forms if label in form[2])
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)"(?: value="([^"]*)")?', inside))
        fields.pop("csrfmiddlewaretoken", None)
        client = Client()
        client.force_login(user)
        with clock.at(moment):
            response = client.post(url, fields | more)
        assert response.status_code == 302
        return response["Location"]

    return post


def primary(page: str) -> list[str]:
    found = re.findall(r"btn-primary[^>]*>(.*?)</(?:button|a)>", page)
    return [re.sub(r"<[^>]+>", "", label).strip() for label in found]


def test_today_leads_from_tap_to_tap_to_the_log(phone, tap, visit, educator, partner):
    moment = START - 30 * MINUTE
    page = phone("/today/", educator, moment)
    assert primary(page) == ["On our way"]
    assert tap(page, "On our way", educator, moment) == "/today/"

    page = phone("/today/", partner, START)
    assert primary(page) == ["We're here"]
    assert tap(page, "re here", partner, START) == "/today/"

    page = phone("/today/", educator, START + MINUTE)
    assert primary(page) == ["We've left"]
    assert "You are expected back by 5:30 PM." in page
    for quieter in ("We left early", "15 minutes more", "I need help now", "A worry about a child"):
        assert quieter in page
    assert tap(page, "ve left", educator, END) == f"/visits/{visit.pk}/log/"
    assert primary(phone("/today/", partner, END)) == ["Log this visit"]
    assert (Visit.objects.get().state, SafetyCheck.objects.get().left_by) == ("held", educator)


def test_two_phones_with_the_same_old_page_see_no_error(phone, tap, visit, educator, partner):
    before = phone("/today/", educator, START)
    his = phone("/today/", partner, START)
    tap(before, "re here", educator, START)
    tap(his, "re here", partner, START + MINUTE)
    old = phone("/today/", partner, START + MINUTE)
    tap(old, "15 minutes more", partner, END)
    tap(old, "15 minutes more", educator, END)
    assert SafetyCheck.objects.get().expected_end == END + 15 * MINUTE
    for user in (educator, partner):
        assert tap(old, "ve left", user, END) == f"/visits/{visit.pk}/log/"
    assert tap(before, "re here", educator, END) == "/today/"
    page = phone("/today/", partner, END)
    assert "notice-error" not in page and "notice-warning" not in page


def test_a_phone_that_had_no_signal_says_when_it_was(phone, tap, visit, educator):
    page = phone("/today/", educator, START)

    tap(page, "re here", educator, START + 9 * MINUTE, phone_time=START.isoformat())

    check = SafetyCheck.objects.get()
    assert (check.arrived_at, check.arrived_phone_at) == (START + 9 * MINUTE, START)


@pytest.mark.parametrize("said", ["", "yesterday", "2031-01-01T00:00:00Z", "9" * 400, "\x00"])
def test_a_strange_phone_time_stops_no_tap(phone, tap, visit, educator, said):
    page = phone("/today/", educator, START)

    tap(page, "re here", educator, START, phone_time=said)

    assert SafetyCheck.objects.get().arrived_phone_at is None


def test_the_tap_forms_are_marked_for_a_phone_without_signal(phone, visit, educator):
    page = phone("/today/", educator, START)

    title = "We're here: Ortega family"
    marked = re.findall(rf'action="(\S+)" data-offline data-title="{title}">.*?"phone_time"', page)
    assert marked == [f"/visits/{visit.pk}/arrive/"]


def test_the_visits_page_asks_for_the_same_step(phone, visit, educator, site_coordinator):
    url = f"/visits/{visit.pk}/"
    assert "On our way" in phone(url, educator, START - 30 * MINUTE)
    with clock.at(START):
        safety.arrive(visit, by=educator)
    page = phone(url, educator, START)
    assert "ve left" in page and "I need help now" in page
    seen = phone(url, site_coordinator, START)
    assert "ve left" not in seen and "Arrived" in seen


def test_what_is_on_now_stands_before_what_is_to_write_up(
    phone, held, educator, partner, add_family
):
    """The visit of Thursday waits to be logged; on Friday the pair goes to the Nguyens."""
    other = Visit.objects.get()
    other.pk, other._state.adding = None, True
    other.family = add_family("Nguyen")
    other.during = scheduling.slot(at(9, 17))
    other.state, other.held_at, other.held_by = "confirmed", None, None
    other.confirmed_at, other.confirmed_by = at(8, 9), partner
    invitation = held.invitation
    invitation.pk, invitation._state.adding, invitation.family = None, True, other.family
    invitation.save()
    other.invitation = invitation
    other.save()
    for one in held.participants.all():
        one.pk, one._state.adding, one.visit, one.during = None, True, other, other.during
        one.save()

    morning = phone("/today/", educator, at(9, 9))
    assert primary(morning) == ["Log this visit"]
    later = phone("/today/", educator, at(9, 16, 30))
    assert primary(later) == ["On our way"]
    assert later.index("Nguyen") < later.index("Afterwards") < later.index("Ortega")


def test_a_pair_that_is_inside_can_say_so_though_the_visit_was_cancelled(
    phone, tap, visit, educator, partner
):
    with clock.at(START - 10 * MINUTE):
        safety.arrive(visit, by=educator)
        scheduling.cancel(visit, "family_cancelled", by=None)

    for url in ("/today/", f"/visits/{visit.pk}/"):
        page = phone(url, partner, START)
        assert primary(page) == ["We've left"], url
        assert "15 minutes more" in page and "I need help now" in page
    assert tap(page, "ve left", partner, END) == "/today/"
    assert SafetyCheck.objects.get().left_at == END
    assert primary(phone("/today/", educator, END + MINUTE)) != ["We've left"]


class TestHelp:
    def test_a_tap_leads_to_what_to_do(self, phone, tap, visit, contact, educator):
        with clock.at(START):
            safety.arrive(visit, by=educator)
        page = phone("/today/", educator, START)

        url = tap(page, "I need help now", educator, START + MINUTE)

        page = phone(url, educator, START + MINUTE)
        assert 'href="tel:911"' in page and 'href="tel:+13125550177"' in page
        assert "Ana asked for help at 4:31 PM." in page and "Vera Cole" in page
        assert "Ortega" not in page and "Mateo" not in page
        assert Message.objects.filter(kind="safety_help").exists()

    def test_looking_asks_nobody(self, phone, visit, contact, educator):
        before = SafetyCheck.objects.count(), Message.objects.count()
        phone(f"/visits/{visit.pk}/help/", educator, START)
        assert (SafetyCheck.objects.count(), Message.objects.count()) == before

    def test_leaving_asks_whether_they_are_fine(self, phone, tap, visit, contact, educator):
        with clock.at(START):
            safety.arrive(visit, by=educator)
            safety.ask_help(visit, by=educator)
        page = phone("/today/", educator, START + MINUTE)

        assert tap(page, "ve left", educator, START + MINUTE) == "/today/"
        assert SafetyCheck.objects.get().wants_help
        page = phone("/today/", educator, START + 2 * MINUTE)
        tap(page, "We are fine", educator, START + 2 * MINUTE)
        assert not SafetyCheck.objects.get().is_open

    def test_it_promises_no_message_to_whom_none_goes(self, phone, visit, contact, educator):
        with clock.at(START):
            safety.ask_help(visit, by=educator)
        stops.stop("+13125550177")

        page = phone(f"/visits/{visit.pk}/help/", educator, START)
        assert "A message goes to the program" in page and 'href="tel:+13125550177"' in page

    def test_both_see_it_on_today_until_they_are_fine(
        self, phone, tap, visit, contact, educator, partner
    ):
        with clock.at(START):
            safety.ask_help(visit, by=educator)

        page = phone("/today/", partner, START + MINUTE)
        assert "Ana asked for help at 4:30 PM." in page
        tap(page, "We are fine", partner, START + MINUTE)
        assert "asked for help" not in phone("/today/", partner, START + 2 * MINUTE)


class TestDesk:
    @pytest.fixture
    def missing(self, visit, contact, educator) -> Visit:
        with clock.at(START):
            safety.arrive(visit, by=educator)
        return visit

    def test_overdue_is_on_the_desk_though_no_worker_ever_ran(
        self, phone, missing, site_coordinator, program_coordinator, other_site_coordinator
    ):
        assert "Needs a person now" not in phone("/desk/", site_coordinator, END + 15 * MINUTE)
        for user in (site_coordinator, program_coordinator):
            page = phone("/desk/", user, END + 16 * MINUTE)
            needs = page[page.index("Needs a person now") :].split("</section>")[0]
            assert "Ana Ruiz and Ben Lee" in needs and "Lincoln" in needs
            assert "Expected back on Thu, Oct 8, 5:30 PM" in needs
            assert "Vera Cole is told next" in needs and 'href="tel:+13125550177"' in needs
            assert "Ortega" not in needs and "Mateo" not in needs
            titles = re.findall(r'class="section-title"[^>]*>([^<]+)', page)
            assert titles[0] == "Needs a person now" and len(titles) > 2
        assert "Needs a person now" not in phone(
            "/desk/", other_site_coordinator, END + 16 * MINUTE
        )

    def test_a_contact_whom_no_message_reaches_is_to_be_called(
        self, phone, missing, site_coordinator
    ):
        stops.stop("+13125550177")
        page = phone("/desk/", site_coordinator, END + 46 * MINUTE)

        assert "No message reaches Vera Cole: call them" in page
        assert "Vera Cole is told" not in page and 'href="tel:+13125550177"' in page

    def test_who_asked_for_help_stands_first_and_stays_when_mail_is_down(
        self, phone, missing, educator, site_coordinator
    ):
        with clock.at(END):
            safety.ask_help(missing, by=educator)
        Message.objects.update(state="failed")

        page = phone("/desk/", site_coordinator, END + MINUTE)
        assert "Ana Ruiz asked for help on Thu, Oct 8, 5:30 PM" in page

    def test_i_reached_them_ends_it_and_is_kept(
        self, phone, tap, missing, site_coordinator, program
    ):
        moment = END + 40 * MINUTE
        with clock.at(moment):
            safety.watch(program)
        page = phone("/desk/", site_coordinator, moment)

        assert tap(page, "I reached them", site_coordinator, moment) == "/desk/"

        check = SafetyCheck.objects.get()
        assert (check.well_at, check.well_by) == (moment, site_coordinator)
        assert "Needs a person now" not in phone("/desk/", site_coordinator, moment + MINUTE)
        with clock.at(END + 300 * MINUTE):
            assert safety.watch(program) == 0

    def test_a_school_without_a_contact_is_said(self, phone, visit, site_coordinator, school):
        assert "One school names nobody" in phone("/desk/", site_coordinator, START)
        School.objects.filter(pk=school.pk).update(safety_name="Vera", safety_email="v@example.org")
        assert "names nobody" not in phone("/desk/", site_coordinator, START)


class TestHotline:
    def test_it_says_what_the_program_says_and_that_nothing_is_kept(self, phone, educator, program):
        Program.objects.update(hotline="Call <Dana> at extension 12.\n\nThen sit down.")
        page = phone("/safety/", educator, START)
        main = page[page.index("<main") : page.index("</main")]

        assert "Call &lt;Dana&gt; at extension 12." in main and "Then sit down." in main
        assert "Nothing is stored here" in main
        assert "<form" not in main and "<input" not in main and "<script" not in main

    def test_until_then_it_names_911_and_childhelp(self, phone, educator):
        page = phone("/safety/", educator, START)
        assert '<a href="tel:911">911</a>' in page
        assert '<a href="tel:18004224453">1-800-422-4453</a>' in page

    @pytest.mark.parametrize(
        ("said", "shown"),
        [
            ("(312) 555-0142", '<a href="tel:3125550142">(312) 555-0142</a>'),
            ("+1 312 555 0142.", '<a href="tel:+13125550142">+1 312 555 0142</a>.'),
            ("Call 988 & <b>", 'Call <a href="tel:988">988</a> &amp; &lt;b&gt;'),
            ("Room 1911, 2026-10-08", "Room 1911, 2026-10-08"),
            ("", ""),
        ],
    )
    def test_a_number_in_it_is_called_at_a_tap(self, said, shown):
        assert dialled(said) == shown

    def test_opening_it_leaves_no_trace_in_the_database(self, client, visit, educator):
        client.force_login(educator)
        client.get("/today/")
        before = database()

        response = client.get("/safety/")

        assert response.status_code == 200 and "worry about a child" in response.content.decode()
        assert database() == before

    @pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
    def test_there_is_nothing_to_send_to_it(self, client, educator, method):
        client.force_login(educator)
        assert getattr(client, method)("/safety/").status_code == 405

    def test_no_way_to_it_names_a_visit(self, phone, visit, educator):
        with clock.at(START):
            safety.arrive(visit, by=educator)
        for url in ("/today/", f"/visits/{visit.pk}/", "/more/"):
            links = re.findall(r'href="([^"]*safety[^"]*)"', phone(url, educator, START))
            assert set(links) == {"/safety/"}


def test_a_phone_without_our_page_gets_back_to_the_visit(client, visit, educator):
    client.force_login(educator)
    for name in ("out", "arrive", "leave", "longer", "well"):
        response = client.get(f"/visits/{visit.pk}/{name}/")
        assert (response.status_code, response["Location"]) == (302, f"/visits/{visit.pk}/")
