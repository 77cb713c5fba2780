"""Themes: tapped when logging and reflecting, and the program's own list."""

from typing import Any

from django import forms
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from visits.models import Theme

YES: BooleanField = BooleanField()


class ThemesField(forms.MultipleChoiceField):
    """Chips to tap, none of them needed: the ids of themes."""

    def __init__(self, kind: str, **kwargs: Any) -> None:
        self.kind = kind
        self.offered: dict[str, str] = {}
        super().__init__(required=False, widget=forms.CheckboxSelectMultiple, **kwargs)

    def offer(self, taps: QuerySet) -> list[str]:
        """Read the program's list, with what was tapped before and is retired by now; return
        what was tapped, as the form's initial."""
        tapped = Q(pk__in=taps.order_by().values("theme"))
        listed = Theme.objects.filter(kind=self.kind).filter(tapped | Q(ended_on=None))
        rows = listed.order_by("position", "pk").annotate(is_tapped=ExpressionWrapper(tapped, YES))
        found = list(rows.values_list("pk", "name", "is_tapped"))
        self.offered = {str(pk): name for pk, name, _tapped in found}
        self.choices = list(self.offered.items())
        return [str(pk) for pk, _name, is_tapped in found if is_tapped]

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
