"""A day with two times, meant where the program is."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from pthv import clock
from pthv.models import Program


def time_field(label: Any) -> forms.TimeField:
    return forms.TimeField(
        label=label, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )


class SessionForm(forms.Form):
    day = forms.DateField(
        label=_("Day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    starts = time_field(_("Starts"))
    ends = time_field(_("Ends"))
    place = forms.CharField(label=_("Place"), max_length=160, required=False)

    def __init__(self, *args, program: Program, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.program = program

    def clean(self) -> dict:
        super().clean()
        cleaned = self.cleaned_data
        if {"day", "starts", "ends"} <= cleaned.keys():
            starts_at, ends_at = (
                clock.instant(cleaned["day"], cleaned[name], self.program.zone)
                for name in ("starts", "ends")
            )
            return {"starts_at": starts_at, "ends_at": ends_at, "place": cleaned.get("place", "")}
        return cleaned
