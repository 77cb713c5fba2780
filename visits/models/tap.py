"""Which themes were tapped, of a visit and of a reflection."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from pthv.models import CompositeForeignKey, ProgramRow, same_program, scoped

from .reflection import Reflection
from .theme import Theme
from .visit import Visit


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
