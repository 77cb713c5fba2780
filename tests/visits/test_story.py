"""One visit from a plan to a payroll row, by the actions alone."""

from decimal import Decimal

from pthv import clock
from pthv.models import AuditEntry, Message
from tests.conftest import at
from visits import answers, invitations, logs, pay, reflections, scheduling, selection
from visits.models import Invitation, PayLine, Tally, Visit


def test_a_visit_goes_from_a_plan_to_a_payroll_row(
    school, school_year, school_class, family, educator, partner, trained, pay_rate, fund,
    site_coordinator, finance, program, django_capture_on_commit_callbacks,
):  # fmt: skip
    selection.plan_everyone(school, school_year, school_class=school_class, by=site_coordinator)
    invitation = Invitation.objects.get(family=family)
    invitations.record_attempt(invitation, "call", "reached", by=educator)
    answers.record(invitation, "accepted", by=educator)
    invitations.choose_team(invitation, [partner.educators.get()], by=educator)
    visit = scheduling.schedule(invitation, scheduling.slot(at(8, 16, 30)), "home", by=educator)
    scheduling.confirm(visit, by=partner)

    with clock.at(at(8, 18)):
        entry = logs.Entry(
            minutes=45,
            language="es",
            adults_present=2,
            student_present=True,
            hopes="That he loves to read.",
            promise="Send the library card form",
            promise_due_on=at(15, 0).date(),
        )
        logs.write(visit, entry, by=educator)
        reflections.reflect(visit, reflections.Thoughts("He builds radios."), by=educator)
        assert not PayLine.objects.exists()
        reflections.reflect(visit, reflections.Thoughts("They cook together."), by=partner)

    visit.refresh_from_db()
    assert visit.state == Visit.State.COMPLETED
    lines = PayLine.objects.all()
    assert sorted((line.payee.email, line.amount) for line in lines) == [
        ("ana.ruiz@example.org", Decimal(40)),
        ("ben.lee@example.org", Decimal(40)),
    ]
    assert {line.flag for line in lines} == {""}

    pay.approve(lines, fund, by=site_coordinator)
    batch = pay.batch(program, by=finance)
    header, *rows = pay.export(batch, by=finance)
    assert [dict(zip(header, row, strict=True))["given_name"] for row in rows] == ["Ben", "Ana"]
    fund.refresh_from_db()
    assert fund.left == Decimal(920)
    tally = Tally.objects.get()
    assert (tally.planned, tally.asked, tally.accepted, tally.visited) == (1, 1, 1, 1)
    told = Message.objects.filter(kind="visit_scheduled").order_by("pk")
    assert [m.to_user for m in told] == [educator, partner]
    assert {"plan.made", "visit.scheduled", "visit.completed", "pay.batched"} <= set(
        AuditEntry.objects.values_list("event", flat=True)
    )
