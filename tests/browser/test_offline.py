"""Without signal, for real: nothing lost, nothing doubled, and nothing readable left behind."""

import datetime
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.test import Client
from playwright.sync_api import Page, expect

from pthv import clock
from pthv.models import School, SchoolYear
from tests.browser.signal_of_a_phone import Signal
from training import certification
from visits import answers, invitations, logs, safety, scheduling
from visits.models import Invitation, LogDraft, PayRate, Reflection, SafetyCheck, Visit, VisitLog

pytestmark = [
    pytest.mark.browser,
    pytest.mark.real_clock,
    pytest.mark.django_db(transaction=True),
]

CANARY = "canary-sings-of-hopes"
HOUR = datetime.timedelta(hours=1)
# Everything a browser keeps of the site, as text: databases, caches, the two storages.
EVERYTHING = """async () => {
  const asked = (request) => new Promise((done) => {
    request.onsuccess = () => done(request.result);
  });
  const letters = (bytes) => new TextDecoder("latin1").decode(bytes);
  const readable = (_key, value) => {
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return letters(value);
    if (value instanceof CryptoKey) return `${value.type} key, extractable: ${value.extractable}`;
    return value;
  };
  const said = [];
  for (const { name } of await indexedDB.databases()) {
    const db = await asked(indexedDB.open(name));
    for (const store of db.objectStoreNames) {
      const rows = await asked(db.transaction(store).objectStore(store).getAll());
      for (const row of rows) said.push(`${store}: ${JSON.stringify(row, readable)}`);
    }
    db.close();
  }
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      said.push(`cache ${request.url}: ` + await (await cache.match(request)).text());
    }
  }
  said.push("local: " + JSON.stringify(localStorage), "tab: " + JSON.stringify(sessionStorage));
  return said;
}"""

KEPT = """async () => {
  const wanted = (await phone.key())?.pages ?? [];
  return (await Promise.all(wanted.map((path) => phone.page(path)))).filter(Boolean).length;
}"""


@pytest.fixture
def school_year(program) -> SchoolYear:
    """The one that holds today, whenever that is: the server's threads know no other."""
    return SchoolYear.objects.create(
        program=program,
        name="This one",
        starts_on=program.today - datetime.timedelta(days=100),
        ends_on=program.today + datetime.timedelta(days=200),
    )


@pytest.fixture
def held(invitation: Invitation, educator, partner, course, program, program_coordinator) -> Visit:
    """Ana and Ben were at the Ortegas' an hour ago."""
    for user in (educator, partner):
        on = clock.now().date()
        certification.issue(user.educators.get(), course, on=on, by=program_coordinator)
    PayRate.objects.create(program=program, kind="first", amount=40, starts_on=program.today)
    answers.record(invitation, "accepted", by=educator)
    invitations.choose_team(invitation, [partner.educators.get()], by=educator)
    soon = clock.now() + datetime.timedelta(days=2)
    slot = scheduling.slot(soon.replace(hour=22, minute=0, second=0, microsecond=0))
    visit = scheduling.schedule(invitation, slot, "home", by=educator)
    now = clock.now()
    Visit.objects.filter(pk=visit.pk).update(during=DateTimeTZRange(now - 2 * HOUR, now - HOUR))
    return scheduling.hold(Visit.objects.get(pk=visit.pk), by=educator)


@pytest.fixture
def soon(held: Visit) -> Visit:
    """In twenty minutes; they may set out."""
    now = clock.now()
    Visit.objects.filter(pk=held.pk).update(
        during=DateTimeTZRange(now + HOUR / 3, now + HOUR),
        state="scheduled",
        held_at=None,
        held_by=None,
    )
    return Visit.objects.get(pk=held.pk)


@pytest.fixture
def signal(live_server) -> Iterator[Signal]:
    address = urlsplit(live_server.url)
    signal = Signal((address.hostname, address.port))
    yield signal
    signal.stop()


@pytest.fixture
def phone(open_device, signal) -> Callable[..., Page]:
    """A phone that has been at Today with signal, and keeps what it may."""

    def opened(user, pages: int = 5) -> Page:
        page = open_device(user, phone=True, url=signal.url)
        kept(page, pages)
        return page

    return opened


def kept(page: Page, pages: int = 5) -> None:
    page.goto("/today/")
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    until(lambda: page.evaluate(KEPT) >= pages)


def unsent(page: Page) -> int:
    return page.evaluate(
        "async () => (await phone.unsent()).filter((one) => one.kind === 'form').length"
    )


def until(true: Callable[[], object], seconds: float = 10) -> None:
    """Wait for what a browser does in its own time."""
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, "it never became true"
        time.sleep(0.1)


def everything(page: Page) -> str:
    return "\n".join(page.evaluate(EVERYTHING))


def assert_locked(page: Page) -> None:
    """Nothing to read, and neither a key nor a page; what was never sent is there, sealed."""
    found = page.evaluate(EVERYTHING)
    assert not [row for row in found if CANARY in row or "Ortega" in row or "Of Ana" in row]
    assert not [row for row in found if row.startswith(("pages: ", 'keys: {"id":"key"'))]
    assert not [row for row in found if "secret key" in row or "private key" in row]
    assert [row for row in found if row.startswith("unsent: ")]


def log_in(page: Page, user) -> None:
    client = Client()
    client.force_login(user)
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value}
    page.context.add_cookies([cookie | {"url": page.evaluate("location.origin")}])


def log_in_ends(page: Page) -> None:
    """On the server, and by the phone's own clock."""
    Session.objects.all().delete()
    page.evaluate(
        "async () => phone.put('keys', { ...(await phone.key()), until: Date.now() - 1000 })"
    )


def write_log(page: Page, held: Visit, hopes: str = CANARY) -> None:
    page.goto(f"/visits/{held.pk}/log/")
    page.get_by_text("60 min").click()
    page.get_by_label("Hopes and dreams").fill(hopes)
    page.get_by_role("button", name="Save the log").click()


def test_a_visit_is_logged_and_reflected_on_without_signal(phone, signal, held, educator):
    page = phone(educator)
    signal.cut()

    page.goto("/today/")
    expect(page.get_by_text("No signal: this is how it was at")).to_be_visible()
    expect(page.get_by_role("link", name="Log this visit")).to_be_visible()
    write_log(page, held)
    page.wait_for_url("**/reflect/")
    expect(page.get_by_text("Saved on this phone, will be sent: 1.")).to_be_visible()
    page.get_by_label("What did you learn?").fill("She builds radios")
    page.get_by_role("button", name="Save and finish").click()
    page.wait_for_url("**/today/")
    expect(page.get_by_text("Saved on this phone, will be sent: 2.")).to_be_visible()
    expect(page.get_by_text("All written. It is sent when there is signal.")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Saved on this phone, will be sent: 2.")).to_be_visible()
    assert not VisitLog.objects.exists()

    signal.back()
    page.reload()
    until(Reflection.objects.exists)
    expect(page.get_by_text("Sent at")).to_be_visible()
    assert unsent(page) == 0
    log, reflection = VisitLog.objects.get(), Reflection.objects.get()
    assert (log.hopes, log.minutes, reflection.learned) == (CANARY, 60, "She builds radios")


def test_every_tap_of_a_visit_waits_and_arrives_in_order(phone, signal, soon, educator):
    page = phone(educator)
    signal.cut()
    page.goto("/today/")

    for tap in ("On our way", "We're here", "We've left"):
        button = page.get_by_role("button", name=tap).and_(page.locator(".btn-primary"))
        button.click()
        expect(button).to_be_hidden()
    page.reload()
    expect(page.get_by_text("Saved on this phone, will be sent: 3.")).to_be_visible()
    expect(page.get_by_role("button", name="I need help now")).to_be_hidden()
    page.goto("/offline/")
    expect(page.get_by_text("We're here: Ortega family")).to_be_visible()
    page.goto("/today/")
    page.get_by_role("link", name="Log this visit").click()
    expect(page.get_by_label("Hopes and dreams")).to_be_visible()
    tapped = clock.now()

    now = clock.now()
    Visit.objects.update(during=DateTimeTZRange(now - HOUR / 3, now + HOUR / 3))
    signal.back()
    page.goto("/today/")
    expect(page.get_by_text("Sent at")).to_be_visible()
    check = SafetyCheck.objects.get()
    assert check.out_phone_at <= check.arrived_phone_at <= check.left_phone_at <= tapped
    assert unsent(page) == 0


def test_the_log_in_ends_while_a_note_waits(phone, signal, held, educator):
    page = phone(educator)
    signal.cut()
    write_log(page, held)
    page.wait_for_url("**/reflect/")
    log_in_ends(page)

    page.reload()

    expect(page.get_by_text("Your log-in has ended.")).to_be_visible()
    expect(page.get_by_text("Log in to read it")).to_be_visible()
    assert_locked(page)

    signal.back()
    page.goto("/today/")
    expect(page.get_by_text("Waiting on this phone, not sent yet: 1.")).to_be_visible()
    assert not VisitLog.objects.exists()
    log_in(page, educator)
    page.goto("/today/")
    until(VisitLog.objects.exists)
    expect(page.get_by_text("Sent at")).to_be_visible()
    assert VisitLog.objects.get().hopes == CANARY and unsent(page) == 0


def test_what_is_typed_after_the_log_in_ended_is_kept_and_sent(phone, signal, held, educator):
    page = phone(educator)
    signal.cut()
    page.goto(f"/visits/{held.pk}/log/")
    log_in_ends(page)
    page.get_by_label("Hopes and dreams").fill(CANARY)
    page.get_by_role("button", name="Save the log").click()
    expect(page.get_by_text("Your log-in has ended.")).to_be_visible()
    assert CANARY not in everything(page)

    signal.back()
    log_in(page, educator)
    page.goto("/today/")

    until(VisitLog.objects.exists)
    assert VisitLog.objects.get().hopes == CANARY


def test_the_answer_is_lost_and_the_log_is_not_written_twice(phone, signal, held, educator):
    page = phone(educator)
    page.goto(f"/visits/{held.pk}/log/")
    page.get_by_label("Hopes and dreams").fill(CANARY)
    signal.deafen()
    page.get_by_role("button", name="Save the log").click()
    until(VisitLog.objects.exists)
    signal.cut()
    page.wait_for_url("**/reflect/")
    first = VisitLog.objects.get()

    signal.back()
    page.goto("/today/")

    expect(page.get_by_text("Sent at")).to_be_visible()
    assert unsent(page) == 0
    again = VisitLog.objects.get()
    assert (again.hopes, again.logged_at) == (CANARY, first.logged_at)


def test_the_partner_wrote_meanwhile_and_a_person_chooses(phone, signal, held, educator, partner):
    page = phone(partner)
    signal.cut()
    write_log(page, held, "Of Ben")
    page.wait_for_url("**/reflect/")
    logs.write(held, logs.Entry(40, "es", 1, True, hopes="Of Ana"), by=educator)

    signal.back()
    page.goto("/today/")
    expect(page.get_by_text("Needs you before it can be saved: 1.")).to_be_visible()
    assert VisitLog.objects.get().hopes == "Of Ana"
    page.get_by_role("link", name="What waits").click()
    expect(page.get_by_text("Of Ben")).to_be_visible()
    page.get_by_role("link", name="Open").click()
    expect(page.get_by_text("Of Ana")).to_be_visible()
    expect(page.get_by_label("You wrote").first).to_have_value("Of Ben")
    page.get_by_role("button", name="Save the log").click()

    page.wait_for_url("**/reflect/")
    assert VisitLog.objects.get().hopes == "Of Ana\nOf Ben"
    assert unsent(page) == 0


def test_two_tabs_keep_two_drafts_and_a_person_chooses(phone, held, educator):
    first = phone(educator)
    second = first.context.new_page()
    for tab, hopes in ((first, "Of the first tab"), (second, "Of the second tab")):
        tab.goto(f"/visits/{held.pk}/log/")
        tab.get_by_label("Hopes and dreams").fill(hopes)
    until(lambda: LogDraft.objects.count() == 2)
    expect(second.get_by_text("Draft kept at")).to_be_visible()
    second.get_by_role("button", name="Save the log").click()
    second.wait_for_url("**/reflect/")

    first.get_by_role("button", name="Save the log").click()
    expect(first.get_by_text("Both texts are here")).to_be_visible()
    expect(first.get_by_text("Of the second tab")).to_be_visible()
    first.locator("label", has_text="Mine").nth(0).click()
    first.get_by_role("button", name="Save the log").click()

    first.wait_for_url("**/reflect/")
    assert VisitLog.objects.get().hopes == "Of the first tab"
    assert not LogDraft.objects.exists()


def test_what_is_typed_without_signal_survives_a_reload(phone, signal, held, educator):
    page = phone(educator)
    signal.cut()
    page.goto(f"/visits/{held.pk}/log/")
    page.get_by_label("Hopes and dreams").fill(CANARY)
    page.get_by_text("90 min").click()
    expect(page.get_by_text("Draft kept on this phone at")).to_be_visible()
    assert CANARY not in everything(page)

    page.reload()

    expect(page.get_by_label("Hopes and dreams")).to_have_value(CANARY)
    expect(page.get_by_label("90 min")).to_be_checked()
    signal.back()
    page.get_by_label("Strengths").fill("Chess")
    until(lambda: LogDraft.objects.filter(data__strengths=["Chess"]).exists())
    assert LogDraft.objects.get().data["hopes"] == [CANARY]
    page.reload()
    expect(page.get_by_label("Hopes and dreams")).to_have_value(CANARY)


def test_logging_out_leaves_nothing_to_read_and_nobody_else_sends_it(
    phone, signal, held, educator, partner, colleague
):
    page = phone(partner)
    signal.cut()
    write_log(page, held, CANARY)
    page.wait_for_url("**/reflect/")
    logs.write(held, logs.Entry(40, "es", 1, True, hopes="Of Ana"), by=educator)
    signal.back()
    page.goto("/today/")
    expect(page.get_by_text("Needs you before it can be saved: 1.")).to_be_visible()

    page.goto("/more/")
    page.get_by_role("button", name="Log out").click()

    expect(page.get_by_text("Waiting on this phone, not sent yet: 1.")).to_be_visible()
    assert_locked(page)

    log_in(page, colleague)
    kept(page, 1)
    expect(page.get_by_text("Needs you")).to_be_hidden()
    page.goto("/offline/")
    expect(page.get_by_text("Log in to read it")).to_be_visible()
    assert CANARY not in page.content() and unsent(page) == 1
    assert VisitLog.objects.get().hopes == "Of Ana"

    log_in(page, partner)
    kept(page)
    page.goto("/offline/")
    expect(page.get_by_text(CANARY)).to_be_visible()


def test_logging_out_with_nothing_unsent_empties_the_phone(phone, held, educator):
    page = phone(educator)
    found = page.evaluate(EVERYTHING)
    assert [row for row in found if row.startswith("pages: ")] and "Ortega" not in str(found)
    assert [row for row in found if "secret key, extractable: false" in row]

    page.goto("/more/")
    page.get_by_role("button", name="Log out").click()

    page.wait_for_url("**/accounts/login/")
    assert not [row for row in page.evaluate(EVERYTHING) if row.startswith(("pages: ", "keys: "))]


def test_it_can_be_installed(open_device, signal, educator):
    page = open_device(educator, phone=True, url=signal.url)
    kept(page, 1)

    browser = page.context.new_cdp_session(page)

    # A test's browser keeps nothing of its user, and nobody installs into that.
    found = browser.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [one["errorId"] for one in found] == ["in-incognito"]
    assert browser.send("Page.getAppManifest")["errors"] == []


def test_a_call_for_help_without_signal_says_so_and_is_tried_again(phone, signal, soon, educator):
    School.objects.update(safety_name="Vera Cole", safety_phone="+13125550177")
    safety.arrive(soon, by=educator)
    page = phone(educator)
    signal.cut()
    page.goto("/today/")
    page.get_by_role("button", name="15 minutes more").click()
    expect(page.get_by_text("This needs signal. It was not done.")).to_be_visible()

    page.get_by_role("button", name="I need help now").click()

    told = page.locator("[role=alert]", has_text="No signal. Call 911. Nobody has been told yet")
    expect(told.locator('a[href="tel:911"]')).to_be_visible()
    expect(told.locator('a[href="tel:+13125550177"]')).to_be_visible()
    assert unsent(page) == 0 and not SafetyCheck.objects.get().help_at

    signal.back()
    page.wait_for_url("**/help/")
    assert SafetyCheck.objects.get().wants_help


def test_the_hotline_and_911_are_there_without_signal(phone, signal, held, educator):
    page = phone(educator)
    page.goto("/offline/")
    signal.cut()

    page.goto("/safety/")
    expect(page.get_by_role("heading", name="A worry about a child")).to_be_visible()
    page.goto("/families/")
    expect(page.get_by_role("link", name="In danger, call 911")).to_be_visible()


def test_somebody_elses_log_out_loses_no_note(phone, signal, held, educator, program_coordinator):
    page = phone(educator)
    signal.cut()
    write_log(page, held)
    page.wait_for_url("**/reflect/")
    log_in_ends(page)
    signal.back()
    log_in(page, program_coordinator)
    page.goto("/more/")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_text("Waiting on this phone, not sent yet: 1.")).to_be_visible()

    log_in(page, educator)
    page.goto("/today/")

    until(VisitLog.objects.exists)
    assert VisitLog.objects.get().hopes == CANARY


def test_a_wrong_clock_deletes_no_form_and_what_cannot_be_opened_blocks_none(
    phone, signal, held, educator
):
    page = phone(educator)
    signal.cut()
    write_log(page, held)
    page.wait_for_url("**/reflect/")
    page.evaluate(
        """async () => {
          const [item] = await phone.unsent();
          await phone.put("unsent", { ...item, at: Date.UTC(2001, 0, 1) });
          const sealed = new Uint8Array(item.sealed.byteLength).buffer;
          await phone.put("unsent", { ...item, id: "broken", at: 1, sealed });
        }"""
    )

    signal.back()
    page.goto("/today/")

    until(VisitLog.objects.exists)
    expect(page.get_by_text("Needs you before it can be saved: 1.")).to_be_visible()
    page.goto("/offline/")
    expect(page.get_by_text("This phone can’t open it any more")).to_be_visible()


def test_another_secret_of_the_site_makes_no_phone_useless(phone, signal, held, educator, settings):
    page = phone(educator)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another secret of more than fifty letters, as it should be"
    kept(page)
    signal.cut()
    write_log(page, held)
    page.wait_for_url("**/reflect/")

    signal.back()
    page.goto("/today/")

    until(VisitLog.objects.exists)
    assert VisitLog.objects.get().hopes == CANARY
