"""Pay: earned by a completed visit, approved by another, batched, exported, or reversed."""

import datetime
from collections.abc import Iterable, Iterator
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import F, Max
from django.utils.translation import gettext as _

from pthv import audit, clock, wording
from pthv.blocked import NotReady
from pthv.models import Program, User
from training import certification
from visits.models import FundingSource, PayBatch, PayLine, PayRate, Visit, VisitKind

State = PayLine.State


def earn(visit: Visit) -> list[PayLine]:
    """A line for each visitor of a completed visit, at the rate of its date.

    Called in the transaction that completes the visit; a line is unique per visit and person.
    Scheduling asked for a rate; were it taken away since, the visit still completes.
    """
    program = visit.program
    visit_on = visit.starts_on
    rate = PayRate.objects.on(visit_on).filter(kind=visit.kind).first()
    if rate is None:
        audit.record("pay.no_rate", visit, by=None, visit_on=str(visit_on))
        return []
    visitors = [
        participant.educator for participant in visit.participants.select_related("educator__user")
    ]
    untrained = certification.untrained(
        visitors, on=visit_on, second_visit=visit.kind == VisitKind.SECOND
    )
    return PayLine.objects.bulk_create(
        PayLine(
            program=program,
            visit=visit,
            school=visit.school,
            educator=educator,
            payee_id=educator.user_id,
            rate=rate,
            amount=rate.amount,
            visit_on=visit_on,
            flag=untrained.get(educator) or _flag(visit),
            earned_at=clock.now(),
        )
        for educator in visitors
    )


def _flag(visit: Visit) -> str:
    """Why somebody should look at this visit's pay twice; "" if nothing is unusual."""
    if visit.scheduled_at > visit.during.lower:
        return _("Scheduled only after it began.")
    if visit.held_at and visit.held_at - visit.during.lower > datetime.timedelta(days=14):
        return _("Logged more than two weeks later.")
    return ""


def blockers(line: PayLine, fund: FundingSource, *, by: User) -> list[str]:
    """Why `by` may not approve this line from this fund."""
    reasons = []
    if line.payee_id == by.pk:
        reasons.append(_("You can't approve your own pay. Ask somebody else to."))
    if not fund.starts_on <= line.visit_on <= fund.ends_on:
        reasons.append(
            _("%(fund)s pays for visits from %(starts)s to %(ends)s; this one was %(day)s.")
            % {
                "fund": fund,
                "starts": wording.day(fund.starts_on, line.visit_on),
                "ends": wording.day(fund.ends_on, line.visit_on),
                "day": wording.day(line.visit_on, line.visit_on),
            }
        )
    return reasons


@transaction.atomic
def approve(lines: Iterable[PayLine], fund: FundingSource, *, by: User) -> list[PayLine]:
    """Approve earned lines from a fund, all or none; those approved before stay as they are.

    Locks the fund and the lines in order, so that two approvals can't spend the same money.
    """
    fund = FundingSource.objects.select_for_update(no_key=True).get(pk=fund.pk)
    earned = list(
        PayLine.objects.earned()
        .select_for_update(of=("self",))
        .filter(pk__in=[line.pk for line in lines])
        .order_by("pk")
    )
    if reasons := dict.fromkeys(
        reason for line in earned for reason in blockers(line, fund, by=by)
    ):
        raise NotReady(*reasons)
    total = sum((line.amount for line in earned), Decimal())
    _spend(fund, total)
    now = clock.now()
    for line in earned:
        line.state, line.fund = State.APPROVED, fund
        line.approved_at, line.approved_by = now, by
    PayLine.objects.bulk_update(earned, ["state", "fund", "approved_at", "approved_by"])
    for line in earned:
        audit.record("pay.approved", line, by=by, fund=fund.pk, amount=str(line.amount))
    return earned


def _spend(fund: FundingSource, amount: Decimal) -> None:
    try:
        with transaction.atomic():
            FundingSource.objects.filter(pk=fund.pk).update(used=F("used") + amount)
    except IntegrityError as refused:
        raise NotReady(
            _("%(fund)s has %(left)s left; these lines need %(amount)s.")
            % {"fund": fund, "left": f"${fund.left:,.2f}", "amount": f"${amount:,.2f}"}
        ) from refused


@transaction.atomic
def batch(program: Program, *, by: User) -> PayBatch:
    """Lock every approved line into a new batch for payroll."""
    Program.objects.select_for_update(no_key=True).get(pk=program.pk)
    lines = PayLine.objects.approved().filter(program=program)
    waiting = list(lines.select_for_update().order_by("pk").values_list("pk", "amount"))
    if not waiting:
        raise NotReady(_("No approved line waits for a batch."))
    last = PayBatch.objects.filter(program=program).aggregate(last=Max("number"))["last"]
    made = PayBatch.objects.create(
        program=program,
        number=(last or 0) + 1,
        line_count=len(waiting),
        dollars=sum(amount for _pk, amount in waiting),
        made_at=clock.now(),
        made_by=by,
    )
    lines.filter(pk__in=[pk for pk, _amount in waiting]).update(state=State.BATCHED, batch=made)
    audit.record("pay.batched", made, by=by, lines=len(waiting))
    return made


HEADER = [
    "batch",
    "line",
    "employee_id",
    "family_name",
    "given_name",
    "email",
    "visit_date",
    "school",
    "visit",
    "amount",
    "fund",
    "reverses_line",
]


@transaction.atomic
def export(made: PayBatch, *, by: User) -> Iterator[list[object]]:
    """The batch as payroll gets it, a header and a row for each line; the first time is kept."""
    PayBatch.objects.filter(pk=made.pk, exported_at=None).update(
        exported_at=clock.now(), exported_by=by
    )
    audit.record("pay.exported", made, by=by)
    rows = (
        PayLine.objects.filter(batch=made)
        .order_by("payee__family_name", "payee__given_name", "pk")
        .values_list(
            "pk",
            "educator__source_id",
            "payee__family_name",
            "payee__given_name",
            "payee__email",
            "visit_on",
            "school__name",
            "rate__kind",
            "amount",
            "fund__name",
            "reverses",
        )
    )
    return _with_header(made, rows)


def _with_header(made: PayBatch, rows) -> Iterator[list[object]]:
    yield [*HEADER]
    for row in rows.iterator(chunk_size=2000):
        yield [made.number, *row]


@transaction.atomic
def reverse(line: PayLine, *, because: str, by: User) -> PayLine:
    """Take a batched line back by a second one, which goes out with the next batch."""
    if not because.strip():
        raise NotReady(_("Say why this line is reversed."))
    line = PayLine.objects.select_for_update(of=("self",)).select_related("fund").get(pk=line.pk)
    if line.state != State.BATCHED or line.reverses_id:
        raise NotReady(_("Only a line that went to payroll can be reversed."))
    if line.payee_id == by.pk:
        raise NotReady(_("You can't reverse your own pay. Ask somebody else to."))
    if existing := PayLine.objects.filter(reverses=line).first():
        return existing
    now = clock.now()
    reversal = PayLine.objects.create(
        program_id=line.program_id,
        visit_id=line.visit_id,
        school_id=line.school_id,
        educator_id=line.educator_id,
        payee_id=line.payee_id,
        rate_id=line.rate_id,
        fund_id=line.fund_id,
        amount=-line.amount,
        visit_on=line.visit_on,
        state=State.APPROVED,
        earned_at=now,
        approved_at=now,
        approved_by=by,
        reverses=line,
        reason=because.strip(),
    )
    FundingSource.objects.filter(pk=line.fund_id).update(used=F("used") - line.amount)
    audit.record("pay.reversed", line, by=by, because=because.strip())
    return reversal
