"""Themes: a program's own short list of what families hope for, and of what visitors learned."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from pthv.models import CompositeForeignKey, ProgramRow, same_program, scoped

from .reflection import Reflection
from .visit import Visit


class ThemeQuerySet(models.QuerySet):
    def standing(self) -> "ThemeQuerySet":
        """Offered today."""
        return self.filter(ended_on=None)

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


def _of_kind(table: str, kind: str) -> list[models.BaseConstraint]:
    """The theme of a tap is of this kind."""
    return [
        CompositeForeignKey(
            name=f"{table}_theme_of_its_kind",
            fields=["program", "theme", "kind"],
            to="visits.Theme",
            to_fields=["program", "id", "kind"],
        ),
        models.CheckConstraint(name=f"{table}_kind", condition=Q(kind=kind)),
    ]


class VisitTheme(ProgramRow):
    """A hope that was spoken of on a visit."""

    visit = models.ForeignKey(
        Visit, models.CASCADE, db_constraint=False, db_index=False, related_name="visit_themes"
    )
    theme = models.ForeignKey(
        Theme, models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    kind = models.CharField(max_length=8, default=Theme.Kind.HOPE, editable=False)

    objects: ClassVar[Any] = scoped()

    class Meta:
        ordering = ["pk"]
        constraints = [
            *same_program("visit_theme", visit="visits.Visit"),
            *_of_kind("visit_theme", "hope"),
            models.UniqueConstraint(fields=["visit", "theme"], name="visit_theme_once"),
        ]
        indexes = [models.Index(fields=["program", "theme"], name="visits_of_theme")]

    def __str__(self) -> str:
        return f"Theme {self.theme_id} of visit {self.visit_id}"


class ReflectionTheme(ProgramRow):
    """What a visitor learned, in one word; seen and counted as the reflection itself is."""

    reflection = models.ForeignKey(
        Reflection, models.CASCADE, db_constraint=False, db_index=False, related_name="taps"
    )
    theme = models.ForeignKey(
        Theme, models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    kind = models.CharField(max_length=8, default=Theme.Kind.LEARNED, editable=False)

    objects: ClassVar[Any] = scoped()

    class Meta:
        ordering = ["pk"]
        constraints = [
            *same_program("reflection_theme", reflection="visits.Reflection"),
            *_of_kind("reflection_theme", "learned"),
            models.UniqueConstraint(fields=["reflection", "theme"], name="reflection_theme_once"),
        ]
        indexes = [models.Index(fields=["program", "theme"], name="reflections_of_theme")]

    def __str__(self) -> str:
        return f"Theme of reflection {self.reflection_id}"
