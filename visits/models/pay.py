"""Pay for visits: rates, funds, lines that are never edited, and batches for payroll."""

import datetime
from decimal import Decimal
from typing import Any, ClassVar

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from pthv import clock
from pthv.access import Can
from pthv.models import Educator, ProgramRow, User, full_name, same_program, scoped
from pthv.models.exclusion import dates_overlap, same
from pthv.models.history import keeps_history

from .invitation import VisitKind
from .visit import Visit


class PayRateQuerySet(models.QuerySet):
    def on(self, date: datetime.date) -> "PayRateQuerySet":
        """In force on a date."""
        return self.filter(Q(ends_on=None) | Q(ends_on__gte=date), starts_on__lte=date)


@keeps_history()
class PayRate(ProgramRow):
    """What a visit pays one educator, from one date to another; the amount is flat."""

    kind = models.CharField(max_length=10, choices=VisitKind)
    amount = models.DecimalField(max_digits=8, decimal_places=2, help_text=_("Dollars a person."))
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True, help_text=_("Last day; empty: no end."))

    objects: ClassVar[Any] = scoped(PayRateQuerySet)

    class Meta:
        ordering = ["kind", "-starts_on"]
        constraints = [
            *same_program("pay_rate"),
            models.CheckConstraint(name="pay_rate_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="pay_rate_in_order",
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
            ),
            ExclusionConstraint(
                name="pay_rates_apart",
                expressions=[
                    same("program_id"),
                    same(Func(F("kind"), function="hashtext")),
                    dates_overlap("starts_on", "ends_on"),
                ],
                violation_error_message=_("Another rate of this kind holds on some of these days."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ${self.amount}"


class FundingSourceQuerySet(models.QuerySet):
    def with_money(self, date: datetime.date) -> "FundingSourceQuerySet":
        """That have begun and are not used up: one that ended still pays for visits before."""
        return self.filter(starts_on__lte=date, used__lt=F("budget"))

    def paying_on(self, date: datetime.date) -> "FundingSourceQuerySet":
        """That pay for visits of a date, the one that ends first at the top."""
        return self.filter(starts_on__lte=date, ends_on__gte=date)


@keeps_history()
class FundingSource(ProgramRow):
    """Money for visits: a budget, until when, and what approved lines have used of it."""

    name = models.CharField(max_length=120)
    budget = models.DecimalField(max_digits=12, decimal_places=2)
    used = models.DecimalField(max_digits=12, decimal_places=2, default=0, editable=False)
    starts_on = models.DateField()
    ends_on = models.DateField(help_text=_("The last visit date it pays for."))

    objects: ClassVar[Any] = scoped(FundingSourceQuerySet)

    class Meta:
        ordering = ["ends_on", "pk"]
        constraints = [
            *same_program("funding_source"),
            models.UniqueConstraint(fields=["program", "name"], name="funding_source_named_once"),
            models.CheckConstraint(
                name="funding_source_in_order", condition=Q(ends_on__gte=F("starts_on"))
            ),
            models.CheckConstraint(
                name="fund_never_overspent",
                condition=Q(used__gte=0, used__lte=F("budget")),
                violation_error_message=_("This fund has not enough left."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def left(self):
        return self.budget - self.used


class PayBatch(ProgramRow):
    """Approved lines, locked together and handed to payroll as one file.

    Its lines can't change any more, so their number and sum are kept with it.
    """

    number = models.PositiveIntegerField()
    line_count = models.PositiveIntegerField(default=0)
    dollars = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    made_at = models.DateTimeField(default=clock.now)
    made_by = models.ForeignKey(User, models.PROTECT, db_index=False, related_name="+")
    exported_at = models.DateTimeField(null=True, blank=True)
    exported_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )

    class Meta:
        ordering = ["-number"]
        verbose_name_plural = "pay batches"
        constraints = [
            *same_program("pay_batch"),
            models.UniqueConstraint(fields=["program", "number"], name="pay_batch_numbered_once"),
            models.CheckConstraint(
                name="pay_batch_exported_at_with_by",
                condition=Q(exported_at=None, exported_by=None)
                | Q(exported_at__isnull=False, exported_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"Batch {self.number}"


class PayLineQuerySet(models.QuerySet):
    def open_to(self, user: User, can: Can) -> "PayLineQuerySet":
        """Lines of the program, of one's schools' visits, or one's own."""
        reach = user.reach(can)
        if reach.program:
            return self
        allowed = Q(educator__in=reach.educators)
        if reach.schools:
            allowed |= Q(school__in=reach.schools)
        return self.filter(allowed)

    def for_list(self) -> "PayLineQuerySet":
        """With the words that a list shows: `payee_name`, `school_name` and `surnames`."""
        return self.annotate(
            payee_name=full_name("payee__"),
            school_name=F("school__name"),
            surnames=F("visit__family__surnames"),
        )

    def earned(self) -> "PayLineQuerySet":
        """Waiting for somebody's approval."""
        return self.filter(state=PayLine.State.EARNED)

    def totals(self) -> dict[str, Any]:
        """How many `lines` and how many `dollars`."""
        return self.aggregate(
            lines=models.Count("pk"),
            dollars=models.Sum("amount", default=Decimal(), output_field=models.DecimalField()),
        )

    def approved(self) -> "PayLineQuerySet":
        """Approved, and in no batch yet."""
        return self.filter(state=PayLine.State.APPROVED)


@keeps_history()
class PayLine(ProgramRow):
    """What one educator earned on one visit; a mistake is reversed by a second line.

    `amount` is negative on a reversal. Who earned it, for what and how much can't change.
    """

    class State(models.TextChoices):
        EARNED = "earned", _("Earned")
        APPROVED = "approved", _("Approved")
        BATCHED = "batched", _("In a batch")

    visit = models.ForeignKey(Visit, models.PROTECT, db_constraint=False, related_name="pay_lines")
    school = models.ForeignKey(
        "pthv.School", models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    educator = models.ForeignKey(
        Educator, models.PROTECT, db_constraint=False, related_name="pay_lines"
    )
    payee = models.ForeignKey(User, models.PROTECT, db_index=False, related_name="+")
    rate = models.ForeignKey(PayRate, models.PROTECT, db_constraint=False, related_name="+")
    amount = models.DecimalField(max_digits=8, decimal_places=2)
    visit_on = models.DateField(help_text=_("The visit's date where the program is."))
    flag = models.CharField(
        max_length=255, blank=True, help_text=_("Why somebody should look twice.")
    )
    fund = models.ForeignKey(
        FundingSource,
        models.PROTECT,
        null=True,
        blank=True,
        db_constraint=False,
        related_name="lines",
    )
    state = models.CharField(max_length=8, choices=State, default=State.EARNED)
    earned_at = models.DateTimeField(default=clock.now)
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    batch = models.ForeignKey(
        PayBatch,
        models.PROTECT,
        null=True,
        blank=True,
        db_constraint=False,
        related_name="lines",
    )
    reverses = models.OneToOneField(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        db_constraint=False,
        related_name="reversal",
    )
    reason = models.CharField(max_length=255, blank=True, help_text=_("Why it was reversed."))

    objects: ClassVar[Any] = scoped(PayLineQuerySet)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            *same_program(
                "pay_line",
                visit="visits.Visit",
                school="pthv.School",
                educator="pthv.Educator",
                rate="visits.PayRate",
                fund="visits.FundingSource",
                batch="visits.PayBatch",
                reverses="visits.PayLine",
            ),
            models.UniqueConstraint(
                fields=["visit", "educator"],
                condition=Q(reverses=None),
                name="paid_once_a_visit",
            ),
            models.CheckConstraint(
                name="pay_line_approved_by_another",
                condition=Q(approved_by=None) | ~Q(approved_by=F("payee")),
                violation_error_message=_("Somebody else has to approve your own pay."),
            ),
            models.CheckConstraint(
                name="pay_line_approval_complete",
                condition=Q(
                    state="earned", approved_at=None, approved_by=None, fund=None, batch=None
                )
                | (
                    ~Q(state="earned")
                    & Q(approved_at__isnull=False, approved_by__isnull=False, fund__isnull=False)
                ),
            ),
            models.CheckConstraint(
                name="pay_line_batch_with_state",
                condition=Q(state="batched", batch__isnull=False)
                | (~Q(state="batched") & Q(batch=None)),
            ),
            models.CheckConstraint(
                name="pay_line_sign",
                condition=Q(reverses=None, amount__gt=0)
                | (Q(reverses__isnull=False, amount__lt=0) & ~Q(reason="")),
            ),
        ]
        indexes = [
            models.Index(
                fields=["program", "id"], condition=Q(state="earned"), name="pay_to_approve"
            ),
            models.Index(
                fields=["program", "id"], condition=Q(state="approved"), name="pay_to_batch"
            ),
            models.Index(fields=["batch", "id"], name="pay_of_batch"),
            models.Index(fields=["educator", "id"], name="pay_of_educator"),
            models.Index(fields=["program", "school", "id"], name="pay_of_school"),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="facts_stay",
                fields=[
                    "program",
                    "visit",
                    "school",
                    "educator",
                    "payee",
                    "rate",
                    "amount",
                    "visit_on",
                    "reverses",
                    "earned_at",
                ],
            ),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="locked_in_batch",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state="batched"),
            ),
        ]

    def __str__(self) -> str:
        return f"Pay line {self.pk}"
