"""Pay on screen: approve many, batch, download, reverse."""

import csv
import datetime
import io
from decimal import Decimal

import pytest

from pthv import clock
from pthv.models import Membership, Role
from tests.conftest import at
from visits import logs, pay, reflections
from visits.models import PayBatch, PayLine


@pytest.fixture
def lines(held, educator, partner):
    """Ana's and Ben's line of one completed visit."""
    logs.write(held, logs.Entry(45, "es", 2, True), by=educator)
    for user in (educator, partner):
        reflections.reflect(held, reflections.Thoughts("He builds radios."), by=user)
    return list(PayLine.objects.order_by("pk"))


@pytest.fixture
def approve(client, lines, fund):
    def post(user, chosen=None):
        client.force_login(user)
        facts = {"lines": [line.pk for line in (chosen or lines)], "fund": fund.pk}
        response = client.post("/pay/approve/", facts, follow=True)
        return response.status_code, response.content.decode()

    return post


def test_many_are_approved_at_once(approve, client, site_coordinator):
    status, page = approve(site_coordinator)

    assert status == 200 and "2 lines approved." in page
    assert "$920.00 left" in page and "Nothing to approve" in page


def test_nobody_approves_their_own_pay(approve, educator, program, school, lines):
    Membership.objects.create(
        program=program, user=educator, role=Role.SITE_COORDINATOR, school=school,
        starts_on=datetime.date(2026, 1, 1),
    )  # fmt: skip

    status, page = approve(educator)

    assert status == 409 and "You can&#x27;t approve your own pay. Ask somebody else to." in page
    assert "Your own: somebody else approves it." in page
    assert PayLine.objects.earned().count() == 2


def test_an_educator_without_that_power_is_refused(approve, partner):
    assert approve(partner)[0] == 403


def test_nothing_ticked_says_what_to_do(client, site_coordinator, lines, fund):
    client.force_login(site_coordinator)

    page = client.post("/pay/approve/", {"fund": fund.pk})

    assert page.status_code == 422 and "Tick the lines to approve." in page.content.decode()


def test_a_fund_that_has_not_enough_is_refused_and_ticks_stay(
    approve, site_coordinator, fund, lines
):
    fund.budget = Decimal(50)
    fund.save()

    status, page = approve(site_coordinator)

    assert status == 409 and "Title I has $50.00 left; these lines need $80.00." in page
    assert page.count(" checked") == 2


def test_the_unusual_come_first(client, site_coordinator, visit, educator, partner, fund):
    with clock.at(at(30, 18)):  # three weeks later
        logs.write(visit, logs.Entry(45, "es", 2, True), by=educator)
        for user in (educator, partner):
            reflections.reflect(visit, reflections.Thoughts("He builds radios."), by=user)
    client.force_login(site_coordinator)

    page = client.get("/pay/").content.decode()

    assert "Look at these first" in page and "Logged more than two weeks later." in page
    assert "As expected" not in page
    assert "Ana Ruiz" in client.get("/pay/?flagged=1").content.decode()


def test_nothing_unusual_leads_back_to_everything(client, site_coordinator, lines, fund):
    client.force_login(site_coordinator)

    page = client.get("/pay/?flagged=1").content.decode()
    assert "Nothing unusual" in page and "Show everything" in page
    everything = client.get("/pay/").content.decode()
    assert "As expected" in everything and "$80.00" in everything


def test_finance_batches_and_downloads_what_payroll_gets(
    client, lines, fund, site_coordinator, finance
):
    pay.approve(lines, fund, by=site_coordinator)
    client.force_login(finance)
    assert "2 approved lines, $80.00." in client.get("/pay/").content.decode()

    page = client.post("/pay/batches/make/", follow=True).content.decode()
    assert "Locked. Download the file for payroll." in page and "$80.00" in page
    batch = PayBatch.objects.get()
    assert "Not downloaded" in client.get("/pay/batches/").content.decode()
    response = client.post(f"/pay/batches/{batch.pk}/payroll.csv")

    rows = list(csv.DictReader(io.StringIO(response.getvalue().decode("utf-8-sig"))))
    assert [(row["given_name"], row["amount"], row["fund"]) for row in rows] == [
        ("Ben", "40.00", "Title I"),
        ("Ana", "40.00", "Title I"),
    ]
    assert "Downloaded" in client.get("/pay/batches/").content.decode()
    assert client.get(f"/pay/batches/{batch.pk}/payroll.csv").status_code == 405


def test_a_mistake_is_taken_back_with_a_reason(
    client, lines, fund, site_coordinator, finance, program
):
    pay.approve(lines, fund, by=site_coordinator)
    pay.batch(program, by=finance)
    client.force_login(finance)
    url = f"/pay/{lines[0].pk}/reverse/"

    assert "Say why this line is reversed." in client.post(url, follow=True).content.decode()
    page = client.post(url, {"because": "Entered twice."}, follow=True).content.decode()

    assert "Reversed. The second line goes out with the next batch." in page
    assert "1 approved line, −$40.00." in client.get("/pay/").content.decode()


def test_finance_sees_no_child_and_no_number(client, lines, finance):
    client.force_login(finance)

    page = client.get("/pay/").content.decode()

    assert "Ana Ruiz" in page
    assert "Mateo" not in page and "3125550142" not in page


def test_everybody_sees_their_own_pay(client, lines, educator, colleague):
    client.force_login(educator)
    page = client.get("/pay/mine/").content.decode()
    assert "$40.00" in page and page.count("Waiting for approval") == 2

    client.force_login(colleague)
    assert "Nothing earned yet" in client.get("/pay/mine/").content.decode()
