"""One's own calendar: two real programs read it, and it holds nothing about a family."""

import datetime
import re
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from icalendar import Calendar

from pthv import clock, tokens
from pthv.models import Membership, Message
from tests.conftest import at
from visits import feeds, moving, scheduling
from visits.models import CalendarFeed

BIN = Path(sys.executable).parent


@pytest.fixture
def feed(program, educator) -> CalendarFeed:
    return feeds.mint(program, educator)


def address(feed: CalendarFeed) -> str:
    return f"/calendar/{tokens.token(feed.nonce)}.ics"


def read(client, feed: CalendarFeed) -> list:
    response = client.get(address(feed))
    assert response.status_code == 200
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    return Calendar.from_ical(response.content).events


def test_a_visit_is_there_moves_and_disappears(client, feed, visit, educator):
    (first,) = read(client, feed)
    moving.move(visit, scheduling.slot(at(9, 17)), "home", by=educator)
    (then,) = read(client, feed)
    scheduling.cancel(visit, "family_cancelled", by=educator)

    assert (first.start, then.start) == (at(8, 16, 30), at(9, 17))
    assert first["UID"] == then["UID"] and first["SEQUENCE"] < then["SEQUENCE"]
    assert read(client, feed) == []


def test_it_says_when_and_nothing_about_a_family(client, feed, visit):
    said = client.get(address(feed)).content.decode()

    assert "SUMMARY:Home visit" in said
    for secret in ("Ortega", "Mateo", "Marta", "Lincoln"):
        assert secret not in said


def test_who_said_that_they_cant_go_has_it_no_more(client, feed, visit, educator):
    moving.decline(visit, by=educator)

    assert read(client, feed) == []


def test_another_persons_visit_is_not_in_it(client, program, colleague, visit):
    assert read(client, feeds.mint(program, colleague)) == []


@pytest.mark.parametrize("how", ["closed", "gone", "shut", "made up"])
def test_what_opens_no_more(client, feed, educator, how):
    token = tokens.token(feed.nonce)
    if how == "closed":
        feeds.revoke(feed, by=educator)
    if how == "gone":
        Membership.objects.filter(user=educator).update(ends_on=datetime.date(2026, 10, 5))
    if how == "shut":
        educator.is_active = False
        educator.save()
    if how == "made up":
        token = tokens.token("made up")

    response = client.get(f"/calendar/{token}.ics")

    assert (response.status_code, response.content) == (404, b"")


def test_guesses_are_slowed_down_and_the_right_address_still_opens(client, feed, visit):
    codes = {client.get(f"/calendar/guess{number}.ics").status_code for number in range(40)}

    assert codes == {404, 429}
    assert len(read(client, feed)) == 1


def test_one_makes_it_copies_it_and_closes_it(client, educator, partner):
    client.force_login(educator)
    client.post("/calendar/")
    client.post("/calendar/")
    feed = CalendarFeed.objects.get()

    page = client.get("/calendar/").content.decode()
    shown = re.search(r'value="(http[^"]+\.ics)"', page)
    assert shown and shown[1].endswith(address(feed))
    client.force_login(partner)
    assert tokens.token(feed.nonce) not in client.get("/calendar/").content.decode()

    client.force_login(educator)
    client.post("/calendar/close/")
    assert client.get(address(feed)).status_code == 404


@pytest.fixture
def served():
    """What a calendar program finds at an address of this machine; change it by `text`."""

    class Handler(BaseHTTPRequestHandler):
        text = ""

        def do_GET(self) -> None:
            body = self.text.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/calendar; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    Handler.url = f"http://127.0.0.1:{server.server_port}/feed.ics"
    yield Handler
    server.shutdown()
    server.server_close()


def khal_config(tmp_path: Path, calendar: Path) -> str:
    (tmp_path / "khal.ini").write_text(
        f"[calendars]\n[[mine]]\npath = {calendar}\n[sqlite]\npath = {tmp_path}/khal.db\n"
        "[locale]\nlocal_timezone = America/Chicago\ndefault_timezone = America/Chicago\n"
        "timeformat = %H:%M\ndateformat = %Y-%m-%d\nlongdateformat = %Y-%m-%d\n"
        "datetimeformat = %Y-%m-%d %H:%M\nlongdatetimeformat = %Y-%m-%d %H:%M\n"
    )
    return str(tmp_path / "khal.ini")


def run(tmp_path: Path, *command: str, said: str | None = None) -> str:
    """What a calendar program says, at home in a folder of its own."""
    done = subprocess.run(
        [BIN / command[0], *command[1:]],
        input=said, capture_output=True, text=True, timeout=60, check=False,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def phone(tmp_path, served):
    """vdirsyncer brings the feed, khal shows it: what stands on each day."""
    calendar = tmp_path / "calendar"
    calendar.mkdir()
    (tmp_path / "vdirsyncer.ini").write_text(
        f'[general]\nstatus_path = "{tmp_path}/status"\n'
        '[pair mine]\na = "here"\nb = "there"\ncollections = null\nconflict_resolution = "b wins"\n'
        f'[storage here]\ntype = "filesystem"\npath = "{calendar}"\nfileext = ".ics"\n'
        f'[storage there]\ntype = "http"\nurl = "{served.url}"\n'
    )
    config = khal_config(tmp_path, calendar)

    def phone(text: str) -> list[str]:
        served.text = text
        brings = str(tmp_path / "vdirsyncer.ini")
        run(tmp_path, "vdirsyncer", "-c", brings, "discover", said="y\n")
        run(tmp_path, "vdirsyncer", "-c", brings, "sync", "--force-delete")
        listed = run(
            tmp_path, "khal", "-c", config, "list", "--day-format", "",
            "--format", "{start} {end-time} {title}", "2026-10-01", "70d",
        )  # fmt: skip
        return [line for line in listed.splitlines() if line.strip()]

    return phone


def test_a_phone_follows_it_across_the_clock_change(phone, feed, visit, educator, school_year):
    """October 8 is summer time in Chicago, November 12 is not."""
    first = phone(feeds.text(feed))
    moving.move(visit, scheduling.slot(at(12, 16, 30, month=11)), "home", by=educator)
    then = phone(feeds.text(feed))
    scheduling.cancel(visit, "educator_cancelled", by=educator)
    last = phone(feeds.text(feed))

    assert first == ["2026-10-08 16:30 17:30 Home visit"]
    assert then == ["2026-11-12 16:30 17:30 Home visit"]
    assert last == []


def test_an_invitation_is_one_entry_that_moves_and_is_crossed_out(
    tmp_path, visit, educator, partner
):
    """What went out by e-mail, opened on a computer: one entry, whatever changes."""
    calendar = tmp_path / "calendar"
    calendar.mkdir()
    config = khal_config(tmp_path, calendar)
    moving.move(visit, scheduling.slot(at(12, 16, 30, month=11)), "home", by=educator)
    scheduling.cancel(visit, "educator_cancelled", by=educator)
    seen = []
    for kind in ("visit_scheduled", "visit_moved", "visit_cancelled"):
        mail = Message.objects.get(kind=kind, to_user=partner)
        file = tmp_path / f"{kind}.ics"
        file.write_text(mail.calendar, encoding="utf-8")
        run(tmp_path, "khal", "-c", config, "import", "--batch", str(file))
        listed = run(
            tmp_path, "khal", "-c", config, "list", "--day-format", "",
            "--format", "{start} {end-time} {title}{cancelled}", "2026-10-01", "70d",
        )  # fmt: skip
        seen.append([line.strip() for line in listed.splitlines() if line.strip()])

    assert seen == [
        ["2026-10-08 16:30 17:30 Home visit"],
        ["2026-11-12 16:30 17:30 Home visit"],
        ["2026-11-12 16:30 17:30 Home visitCANCELLED"],
    ]


def test_two_visits_are_two(phone, feed, visit, educator):
    scheduling.cancel(visit, "educator_cancelled", by=educator)
    scheduling.schedule(visit.invitation, scheduling.slot(at(8, 16, 30)), "home", by=educator)

    assert phone(feeds.text(feed)) == ["2026-10-08 16:30 17:30 Home visit"]
    with clock.at(at(9, 12)):
        assert len(Calendar.from_ical(feeds.text(feed)).events) == 1
