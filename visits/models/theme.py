"""A program's own short list of what families hope for, and of what visitors learned."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Exists, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from pthv.models import ProgramRow, same_program, scoped

# What a form needs of a theme.
TO_TAP = ("pk", "name", "is_tapped")


class ThemeQuerySet(models.QuerySet):
    def standing(self) -> "ThemeQuerySet":
        """Offered today."""
        return self.filter(ended_on=None)

    def to_tap(self, tapped: Exists) -> "ThemeQuerySet":
        """Offered today, or tapped before: `is_tapped` says so."""
        found = self.annotate(is_tapped=tapped).filter(Q(ended_on=None) | Q(is_tapped=True))
        return found.order_by("position", "pk")

    def hopes(self) -> "ThemeQuerySet":
        """What families hope for."""
        return self.filter(kind=Theme.Kind.HOPE)

    def learned(self) -> "ThemeQuerySet":
        """What visitors learned."""
        return self.filter(kind=Theme.Kind.LEARNED)


class Theme(ProgramRow):
    """One word to tap, so that it can be counted; a retired one stays where it was tapped."""

    class Kind(models.TextChoices):
        HOPE = "hope", _("What families hope for")
        LEARNED = "learned", _("What we learned")

    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=8, choices=Kind)
    position = models.PositiveSmallIntegerField(default=0)
    ended_on = models.DateField(
        null=True, blank=True, help_text=_("Since when it isn't offered any more.")
    )

    objects: ClassVar[Any] = scoped(ThemeQuerySet)

    class Meta:
        ordering = ["kind", "position", "pk"]
        constraints = [
            *same_program("theme"),
            # What a tap's key points at: its theme, and of which kind that is.
            models.UniqueConstraint(fields=["program", "id", "kind"], name="theme_of_a_kind"),
            models.UniqueConstraint(
                "program",
                "kind",
                Lower("name"),
                name="theme_named_once",
                violation_error_message=_("This is on the list already."),
            ),
            models.CheckConstraint(name="theme_has_a_name", condition=~Q(name="")),
        ]

    def __str__(self) -> str:
        return self.name
