"""What a phone sends again when it never heard the answer."""

from django.db import models

from pthv import clock
from pthv.models import ProgramRow, User, same_program


class ReceivedKey(ProgramRow):
    """One form that a phone sent and that was done; sent again, it is not done again."""

    user = models.ForeignKey(User, models.CASCADE, db_index=False, related_name="+")
    key = models.UUIDField()
    goes_on = models.CharField(max_length=200, blank=True, help_text="The page that came after it.")
    received_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["pk"]
        constraints = [
            *same_program("received_key"),
            # A key is its sender's own: nobody can use up another's.
            models.UniqueConstraint(fields=["user", "key"], name="received_key_once"),
        ]
        indexes = [models.Index(fields=["received_at"], name="received_keys_by_age")]

    def __str__(self) -> str:
        return f"Key {self.pk}"
