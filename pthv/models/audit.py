"""What was done, who looked, and what was sent."""

from typing import Any, ClassVar

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from pthv import clock

from .tenancy import ProgramRow, same_program, scoped

APPEND_ONLY = pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)


class AuditEntry(ProgramRow):
    """One thing somebody did, in the program's words; never changed, never deleted."""

    event = models.CharField(max_length=60, help_text=_("Such as visit.scheduled."))
    subject_type = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    by = models.ForeignKey("pthv.User", models.PROTECT, null=True, db_index=False, related_name="+")
    at = models.DateTimeField(default=clock.now)
    facts = models.JSONField(default=dict, help_text=_("Ids, states and reasons; no notes."))

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "audit entries"
        constraints = [*same_program("audit_entry")]
        indexes = [
            models.Index(
                fields=["program", "subject_type", "subject_id", "id"], name="audit_of_subject"
            )
        ]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.event} {self.subject_type} {self.subject_id}"


class RecordView(ProgramRow):
    """One look at a family, note or address, and why it was allowed."""

    subject_type = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    by = models.ForeignKey("pthv.User", models.PROTECT, db_index=False, related_name="+")
    at = models.DateTimeField(default=clock.now)
    reason = models.CharField(max_length=40, help_text=_("The power that allowed it."))

    class Meta:
        ordering = ["-pk"]
        constraints = [*same_program("record_view")]
        indexes = [
            models.Index(
                fields=["program", "subject_type", "subject_id", "id"], name="views_of_subject"
            )
        ]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.subject_type} {self.subject_id}"


class MessageQuerySet(models.QuerySet):
    def waiting(self) -> "MessageQuerySet":
        """Not sent, and not given up."""
        return self.filter(state=Message.State.QUEUED)

    def to_families(self) -> "MessageQuerySet":
        """What families are sent; the others go to our own people."""
        return self.exclude(about="")

    def not_arrived(self) -> "MessageQuerySet":
        """Given up, or come back."""
        # Spelled as the index has it.
        return self.filter(state__in=["failed", "bounced"])

    def due(self) -> "MessageQuerySet":
        """Waiting, and not put off to later."""
        return self.waiting().filter(next_try_at__lte=clock.now())


class Message(ProgramRow):
    """One e-mail or text, from the moment it was decided on until it was sent."""

    class Channel(models.TextChoices):
        EMAIL = "email", _("E-mail")
        TEXT = "text", _("Text message")

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Could not be sent")
        BOUNCED = "bounced", _("Came back")
        WITHDRAWN = "withdrawn", _("Not needed any more")

    class Problem(models.TextChoices):
        REFUSED = "refused", _("There is no such address")
        STOPPED = "stopped", _("They asked us to stop")
        UNAVAILABLE = "unavailable", _("The service did not answer")

    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=120, help_text=_("What it must not be sent twice for."))
    channel = models.CharField(max_length=5, choices=Channel, default=Channel.EMAIL)
    to_user = models.ForeignKey(
        "pthv.User", models.PROTECT, null=True, db_index=False, related_name="+"
    )
    address = models.CharField(max_length=254)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    calendar = models.TextField(blank=True, help_text=_("The calendar entry it brings along."))
    calendar_method = models.CharField(
        max_length=7, blank=True, help_text=_("What a calendar does with it: REQUEST or CANCEL.")
    )
    about = models.CharField(
        max_length=40,
        blank=True,
        default="",
        db_default="",
        help_text=_("What a family is told of, such as invitation:12."),
    )
    recipient = models.CharField(
        max_length=40,
        blank=True,
        default="",
        db_default="",
        help_text=_("Whom of the family it is for, such as caregiver:5."),
    )
    language = models.CharField(max_length=12, blank=True, default="", db_default="")
    quiet = models.BooleanField(
        default=False, db_default=False, help_text=_("Never sent in the program's quiet hours.")
    )
    link_nonce = models.CharField(
        max_length=40,
        blank=True,
        default="",
        db_default="",
        help_text=_("What the family's link in it is made from, when it is sent."),
    )
    provider_id = models.CharField(
        max_length=80,
        blank=True,
        default="",
        db_default="",
        help_text=_("How the text provider calls it."),
    )
    problem = models.CharField(
        max_length=12, choices=Problem, blank=True, default="", db_default=""
    )
    state = models.CharField(max_length=9, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    queued_at = models.DateTimeField(default=clock.now)
    next_try_at = models.DateTimeField(
        default=clock.now, help_text=_("Nobody tries to send it before.")
    )
    sent_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = scoped(MessageQuerySet)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            *same_program("message"),
            models.UniqueConstraint(fields=["program", "key"], name="message_once"),
            models.CheckConstraint(
                name="message_sent_at_with_state",
                condition=Q(state__in=["sent", "bounced"], sent_at__isnull=False)
                | (~Q(state__in=["sent", "bounced"]) & Q(sent_at=None)),
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_try_at"], condition=Q(state="queued"), name="messages_waiting"
            ),
            models.Index(
                F("program"),
                F("id").desc(),
                condition=Q(state__in=["failed", "bounced"]),
                name="messages_not_arrived",
            ),
            models.Index(
                F("program"), F("id").desc(), condition=~Q(about=""), name="messages_to_families"
            ),
            models.Index(
                F("program"),
                F("id").desc(),
                condition=Q(state="queued") & ~Q(about=""),
                name="messages_to_families_waiting",
            ),
            models.Index(
                fields=["address", "id"], condition=Q(channel="text"), name="messages_texted"
            ),
            models.Index(
                F("program"), F("about"), F("id"), condition=~Q(about=""), name="messages_about"
            ),
            models.Index(
                fields=["channel", "address", "id"],
                condition=Q(state="queued"),
                name="messages_waiting_in_order",
            ),
            models.Index(
                fields=["provider_id"], condition=~Q(provider_id=""), name="messages_by_provider"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"

    @property
    def never_reached(self) -> bool:
        """Whether it was kept back before it left, or by a STOP."""
        stopped = self.problem == self.Problem.STOPPED
        lost = self.state in (self.State.FAILED, self.State.BOUNCED)
        return self.state == self.State.WITHDRAWN or (stopped and lost)


class TextStop(models.Model):
    """A number that asked for no more texts. Of the whole site: a number is one person's."""

    phone = models.CharField(max_length=20, unique=True)
    stopped_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.phone


class LanguageReview(models.Model):
    """A native speaker's word that what families read in a language is right as it stands.

    Of the whole site: all programs share its sentences. It holds for the very ones that were
    read; `fingerprint` tells whether they have changed since.
    """

    language = models.CharField(max_length=12)
    fingerprint = models.CharField(max_length=64)
    speaker = models.CharField(max_length=120, help_text=_("Who read it, and speaks it natively."))
    signed_off_at = models.DateTimeField(default=clock.now)
    signed_off_by = models.ForeignKey("pthv.User", models.PROTECT, db_index=False, related_name="+")

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["language", "fingerprint"], name="language_reviewed_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.language} by {self.speaker}"
