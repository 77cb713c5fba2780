"""Themes: tapped when logging and reflecting, and the program's own list."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from visits.models import Theme


class ThemesField(forms.MultipleChoiceField):
    """Chips to tap, none of them needed: a list of themes."""

    def __init__(self, kind: str, **kwargs: Any) -> None:
        self.kind = kind
        self.offered: dict[str, Theme] = {}
        super().__init__(required=False, widget=forms.CheckboxSelectMultiple, **kwargs)

    def offer(self, tapped: Iterable[int] = ()) -> list[str]:
        """Read the program's list, with what was tapped before and is retired by now; return
        what was tapped, as the form's initial."""
        before = set(tapped)
        found = Theme.objects.filter(kind=self.kind).order_by("position", "pk")
        shown = [theme for theme in found if theme.ended_on is None or theme.pk in before]
        self.offered = {str(theme.pk): theme for theme in shown}
        self.choices = [(key, theme.name) for key, theme in self.offered.items()]
        return [str(pk) for pk in before]

    def clean(self, value: Any) -> list[Theme]:  # type: ignore[override]
        # A page of yesterday may offer what was retired since: that one is left out.
        return [self.offered[key] for key in super().to_python(value) if key in self.offered]


class ThemeForm(forms.Form):
    """One theme, said in a word or two."""

    name = forms.CharField(
        label=_("In a word or two"),
        max_length=60,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
        error_messages={"required": _("Say it in a word or two.")},
    )
    kind = forms.ChoiceField(choices=Theme.Kind)
