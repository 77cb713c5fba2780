"""Money: earned once, approved by another, never overspent, never edited."""

import datetime
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from pthv import clock, exports
from pthv.blocked import NotReady
from tests.conftest import at
from training.models import Certification
from visits import logs, pay, reflections
from visits.models import FundingSource, PayLine


@pytest.fixture
def lines(held, educator, partner) -> list[PayLine]:
    entry = logs.Entry(minutes=40, language="es", adults_present=1, student_present=True)
    logs.write(held, entry, by=educator)
    for user in (educator, partner):
        reflections.reflect(held, reflections.Thoughts("Much."), by=user)
    return list(PayLine.objects.order_by("pk"))


@pytest.fixture
def batch(lines, fund, finance, program):
    pay.approve(lines, fund, by=finance)
    return pay.batch(program, by=finance)


def test_nobody_approves_their_own_pay(lines, fund, educator):
    with pytest.raises(NotReady) as refused:
        pay.approve(lines, fund, by=educator)

    assert refused.value.sentences == ["You can't approve your own pay. Ask somebody else to."]
    assert PayLine.objects.earned().count() == 2


def test_the_database_refuses_own_approval_too(lines, fund):
    with pytest.raises(IntegrityError, match="pay_line_approved_by_another"), transaction.atomic():
        PayLine.objects.update(
            state="approved",
            approved_by_id=lines[0].payee_id,
            approved_at=clock.now(),
            fund=fund,
        )


def test_a_fund_is_never_overspent(lines, fund, finance):
    FundingSource.objects.update(budget=79)
    fund.refresh_from_db()

    with pytest.raises(NotReady) as refused:
        pay.approve(lines, fund, by=finance)

    assert str(refused.value) == "Title I has $79.00 left; these lines need $80.00."
    fund.refresh_from_db()
    assert fund.used == 0


def test_a_fund_pays_for_its_own_dates(lines, fund, finance):
    FundingSource.objects.update(ends_on=datetime.date(2026, 10, 7))

    with pytest.raises(NotReady, match="from Aug 1 to Oct 7; this one was Oct 8"):
        pay.approve(lines, fund, by=finance)


def test_approving_twice_spends_once(lines, fund, finance):
    pay.approve(lines, fund, by=finance)
    pay.approve(lines, fund, by=finance)

    fund.refresh_from_db()
    assert fund.used == Decimal(80)


@pytest.mark.parametrize("change", ["amount = 4000", "visit_on = '2026-01-01'"])
def test_a_line_is_never_edited(lines, change):
    with (
        pytest.raises(DatabaseError, match="pgtrigger"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"UPDATE visits_payline SET {change}")


@pytest.mark.parametrize(
    "sql", ["DELETE FROM visits_payline", "UPDATE visits_payline SET flag = 'x'"]
)
def test_a_batched_line_is_locked(batch, sql):
    with (
        pytest.raises(DatabaseError, match="pgtrigger"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)


def test_a_mistake_is_reversed_by_a_second_line(batch, fund, finance, program):
    line = PayLine.objects.first()

    pay.reverse(line, because="Logged twice", by=finance)
    again = pay.reverse(line, because="Logged twice", by=finance)

    assert (again.amount, again.reverses) == (Decimal(-40), line)
    assert PayLine.objects.count() == 3
    fund.refresh_from_db()
    assert fund.used == Decimal(40)
    assert pay.batch(program, by=finance).number == 2


def test_who_was_not_trained_that_day_is_looked_at_twice(held, educator, partner):
    Certification.objects.filter(educator__user=partner).update(
        expires_on=datetime.date(2026, 10, 7)
    )
    entry = logs.Entry(minutes=40, language="es", adults_present=1, student_present=True)
    logs.write(held, entry, by=educator)
    for user in (educator, partner):
        reflections.reflect(held, reflections.Thoughts("Much."), by=user)

    flags = dict(PayLine.objects.values_list("payee__given_name", "flag"))

    assert flags == {"Ana": "", "Ben": "Ben Lee's training ended Oct 7; renew it before Oct 8."}


def test_a_visit_is_complete_only_when_both_have_reflected(held, educator, partner):
    with pytest.raises(NotReady, match="Log the visit first"):
        reflections.reflect(held, reflections.Thoughts("Much."), by=educator)

    entry = logs.Entry(minutes=40, language="es", adults_present=1, student_present=True)
    logs.write(held, entry, by=educator)
    reflections.reflect(held, reflections.Thoughts("Much."), by=educator)

    held.refresh_from_db()
    assert held.state == "held"
    assert not PayLine.objects.exists()


def test_the_partners_words_are_never_overwritten(held, educator, partner):
    entry = logs.Entry(
        minutes=40, language="es", adults_present=1, student_present=True, hopes="To read"
    )
    logs.write(held, entry, by=educator)
    theirs = logs.Entry(
        minutes=40, language="es", adults_present=1, student_present=True, hopes="To sing"
    )

    with pytest.raises(NotReady, match="This log was saved while you were writing"):
        logs.write(held, theirs, by=partner, seen="")

    held.log.refresh_from_db()
    assert held.log.hopes == "To read"
    with clock.at(at(8, 19)):
        logs.write(held, theirs, by=partner, seen=logs.version(held.log))
    attested = dict(held.participants.values_list("educator__user__given_name", "attested_at"))
    assert attested["Ana"] is None  # a corrected log is read anew


@given(st.text(max_size=40))
def test_no_cell_of_an_export_is_a_formula(text):
    cell = exports.cell(text)

    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert cell in (text, f"'{text}")


@given(st.decimals(min_value=-9999, max_value=9999, places=2))
def test_numbers_stay_numbers(amount):
    assert exports.cell(amount) is amount


def test_a_promise_can_be_corrected_by_either_and_taken_back(held, educator, partner):
    def write(by, promise, due_on=None, seen=""):
        entry = logs.Entry(40, "es", 1, True, promise=promise, promise_due_on=due_on)
        return logs.write(held, entry, by=by, seen=seen)

    log = write(educator, "Send the form", at(20, 0).date())
    with clock.at(at(8, 19)):
        log = write(partner, "Send the card form", at(22, 0).date(), logs.version(log))
    promise = held.follow_ups.get()
    assert (promise.owner.user, promise.promise) == (educator, "Send the card form")
    assert promise.due_on == at(22, 0).date()

    with clock.at(at(8, 20)):
        write(educator, "", None, logs.version(log))
    assert not held.follow_ups.exists()


def test_nobody_stands_by_a_log_they_did_not_read(held, educator, partner):
    log = logs.write(held, logs.Entry(40, "es", 1, True, hopes="To read"), by=educator)
    seen = logs.version(log)
    with clock.at(at(8, 19)):
        logs.write(held, logs.Entry(40, "es", 1, True, hopes="To sing"), by=educator, seen=seen)

    with pytest.raises(NotReady, match="Please read it again"):
        reflections.reflect(held, reflections.Thoughts("Much."), by=partner, seen=seen)

    assert not held.reflections.exists()
