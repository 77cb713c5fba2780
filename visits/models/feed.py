"""A person's own calendar, by an address that only they know."""

from django.db import models
from django.db.models import Q

from pthv import clock
from pthv.models import ProgramRow, User, same_program


class CalendarFeed(ProgramRow):
    """The secret address of one person's visits, for the calendar on their phone.

    The token itself is nowhere; pthv/tokens.py makes it from the nonce when its owner looks.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    nonce = models.CharField(max_length=40, editable=False)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    made_at = models.DateTimeField(default=clock.now)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            *same_program("calendar_feed"),
            models.UniqueConstraint(
                fields=["program", "user"],
                condition=Q(revoked_at=None),
                name="calendar_feed_one_standing",
            ),
        ]

    def __str__(self) -> str:
        return f"Feed {self.pk}"
