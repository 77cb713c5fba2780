"""Themes: tapped when logging and reflecting, and the program's own list."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from visits.models import Theme


class ThemesField(forms.MultipleChoiceField):
    """Chips to tap, none of them needed: the ids of themes."""

    def __init__(self, **kwargs: Any) -> None:
        self.offered: dict[str, str] = {}
        super().__init__(required=False, widget=forms.CheckboxSelectMultiple, **kwargs)

    def offer(self, themes: Iterable[dict[str, Any]]) -> list[str]:
        """Show these (`ThemeQuerySet.to_tap`): the program's list, and what was tapped before;
        return what was, as the form's initial."""
        found = list(themes)
        self.offered = {str(one["pk"]): one["name"] for one in found}
        self.choices = list(self.offered.items())
        return [str(one["pk"]) for one in found if one["is_tapped"]]

    def clean(self, value: Any) -> frozenset[int]:  # type: ignore[override]
        # A page of yesterday may offer what was retired since: that one is left out.
        return frozenset(int(key) for key in super().to_python(value) if key in self.offered)


class ThemeForm(forms.Form):
    """One theme, said in a word or two."""

    name = forms.CharField(
        label=_("In a word or two"),
        max_length=60,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
        error_messages={"required": _("Say it in a word or two.")},
    )
    kind = forms.ChoiceField(choices=Theme.Kind)
