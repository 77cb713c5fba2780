"""The key to what a phone keeps, which pages it keeps, and what lets a browser keep them."""

import base64
import json
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django.contrib.staticfiles import finders
from django.test import Client

from pthv import clock
from tests.conftest import at
from visits import answers, invitations, offline, scheduling, selection
from visits.models import Invitation, Visit


def ask(user) -> tuple[object, dict]:
    client = Client()
    client.force_login(user)
    response = client.get("/offline/key/")
    return response, response.json() if response.status_code == 200 else {}


def test_the_key_is_ones_own_and_the_same_each_time(educator, partner):
    mine, again, other = (ask(user)[1]["key"] for user in (educator, educator, partner))

    assert mine == again != other
    assert len(base64.b64decode(mine)) == 32


def test_the_key_changes_with_the_secret_of_the_site(educator, settings):
    before = offline.key_of(educator)
    settings.SECRET_KEY = "another"

    assert offline.key_of(educator) != before


def test_what_waits_outlives_a_changed_password(educator):
    before = offline.key_of(educator)
    educator.set_password("another long password")

    assert offline.key_of(educator) == before


def test_no_browser_and_no_cache_keeps_the_answer(educator):
    response, _said = ask(educator)

    assert "no-store" in response["Cache-Control"]


def test_the_key_ends_with_the_log_in(educator):
    _response, said = ask(educator)

    ends = Session.objects.get().expire_date
    assert said["until"] == int(ends.timestamp() * 1000)
    assert said["user"] == str(educator.pk) and said["csrf"]


def test_nobody_gets_it_who_is_not_logged_in(client, site_coordinator, db):
    assert client.get("/offline/key/").status_code == 302
    assert ask(site_coordinator)[0].status_code == 403


def test_today_and_what_is_near_is_kept(visit, educator, colleague):
    # Thursday's visit is not near on Tuesday; the log-in ends before.
    assert ask(educator)[1]["pages"] == ["/today/", "/safety/"]
    of_it = [f"/visits/{visit.pk}/", f"/visits/{visit.pk}/log/", f"/visits/{visit.pk}/reflect/"]
    with clock.at(at(7, 9)):
        assert ask(educator)[1]["pages"] == ["/today/", "/safety/", *of_it]
        assert ask(colleague)[1]["pages"] == ["/today/", "/safety/"]
    Visit.objects.update(state="held", held_at=at(8, 18), held_by=educator)
    with clock.at(at(12, 9)):
        assert ask(educator)[1]["pages"] == ["/today/", "/safety/", *of_it]


@pytest.mark.parametrize("page", ["log", "reflect"])
def test_the_forms_of_a_visit_that_is_near_open_and_are_refused(client, visit, educator, page):
    client.force_login(educator)
    url = f"/visits/{visit.pk}/{page}/"
    said = {"log": "Log it afterwards.", "reflect": "Log the visit first"}[page]
    form = {"learned": "He cooks.", "minutes": "40", "adults_present": "1", "language": "es"}

    with clock.at(at(7, 9)):
        shown = client.get(url)
        refused = client.post(url, form)

    assert shown.status_code == 200 and said in shown.content.decode()
    assert refused.status_code == 409
    visit.refresh_from_db()
    assert visit.state == Visit.State.SCHEDULED


def test_the_worker_is_at_the_root_and_names_files_that_are_there(client, db):
    response = client.get("/sw.js")

    assert response["Content-Type"] == "text/javascript"
    assert response["Cache-Control"] == "no-cache"
    named = response.content.decode().split("const FILES = [")[1].split(", ]")[0]
    files = json.loads(f"[{named}]")
    assert len(files) > 5
    assert all(finders.find(path.removeprefix("/static/")) for path in files)


def test_the_app_can_be_installed(client, db):
    said = client.get("/manifest.webmanifest").json()

    assert (said["id"], said["start_url"], said["display"]) == ("/", "/", "standalone")
    assert {icon["sizes"] for icon in said["icons"]} == {"192x192", "512x512"}
    assert "maskable" in {icon["purpose"] for icon in said["icons"]}
    for icon in said["icons"]:
        picture = Path(finders.find(icon["src"].removeprefix("/static/"))).read_bytes()
        size = int(icon["sizes"].split("x")[0])
        assert picture[:8] == b"\x89PNG\r\n\x1a\n"
        assert int.from_bytes(picture[16:20], "big") == size


def test_the_page_without_signal_names_nobody(client, educator, family):
    anonymous = client.get("/offline/").content.decode()
    client.force_login(educator)

    for page in (anonymous, client.get("/offline/").content.decode()):
        assert educator.given_name not in page and "Ortega" not in page


def test_what_waits_on_a_phone_outlives_logging_out(client, educator):
    client.force_login(educator)

    response = client.post("/accounts/logout/")

    assert "Clear-Site-Data" not in response
    assert client.get("/today/").status_code == 302


def test_what_waits_outlives_somebody_else_leaving_the_administration(client, django_user_model):
    admin = django_user_model.objects.create_superuser("admin@example.org", "a long password")
    client.force_login(admin)

    response = client.post("/admin/logout/", follow=True)

    assert "Clear-Site-Data" not in response
    assert "js/offline_out.js" in response.content.decode()


@pytest.mark.parametrize("user", ["educator", "program_coordinator", "finance"])
def test_whoever_logs_out_the_phone_forgets_key_and_pages(client, request, user):
    client.force_login(request.getfixturevalue(user))

    page = client.get("/more/").content.decode()

    assert page.count("js/offline_store.js") == page.count("js/offline_out.js") == 1


@pytest.fixture
def days(visit, educator, partner, add_family, school, school_year, school_class, site_coordinator):
    """Ana and Ben's visits by family, all at 4:30 PM: on the 8th, 12th, 13th, and 14th."""
    found = {"Ortega": visit}
    for number, name in enumerate(("Nguyen", "Cole", "Haile")):
        add_family(name)
        selection.plan_everyone(school, school_year, school_class=school_class, by=site_coordinator)
        asked = Invitation.objects.get(family__surnames=name)
        answers.record(asked, "accepted", by=educator)
        invitations.choose_team(asked, [partner.educators.get()], by=educator)
        slot = scheduling.slot(at(12 + number, 16, 30))
        found[name] = scheduling.schedule(asked, slot, "home", by=educator)
    return found


def test_old_visits_that_nobody_wrote_up_push_out_none_of_today(days, educator):
    with clock.at(at(14, 15)):
        for name in ("Ortega", "Nguyen", "Cole"):
            scheduling.hold(days[name], by=educator)

        kept = ask(educator)[1]["pages"]

    assert kept[2] == f"/visits/{days['Haile'].pk}/"
    assert kept[5] == f"/visits/{days['Cole'].pk}/" and len(kept) == 8


def test_the_visit_just_left_comes_before_what_is_older(client, days, educator):
    client.force_login(educator)
    with clock.at(at(14, 17, 30)):
        scheduling.hold(days["Ortega"], by=educator)
    with clock.at(at(15, 17)):
        scheduling.hold(days["Haile"], by=educator)

        page = client.get("/today/").content.decode()

    assert page.index("Haile family") < page.index("Afterwards") < page.index("Ortega family")


def test_the_keys_of_a_secret_that_was_replaced_still_open(educator, settings):
    before = offline.key_of(educator)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"

    said = ask(educator)[1]

    assert said["older"] == [before] and said["key"] != before
