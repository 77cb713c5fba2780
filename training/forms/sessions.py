"""A day with two times, meant where the program is."""

import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.timezone import make_aware
from django.utils.translation import gettext_lazy as _

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
                self._instant(cleaned["day"], cleaned[name]) for name in ("starts", "ends")
            )
            return {"starts_at": starts_at, "ends_at": ends_at, "place": cleaned.get("place", "")}
        return cleaned

    def _instant(self, day: datetime.date, time: datetime.time) -> datetime.datetime:
        meant = datetime.datetime.combine(day, time)
        try:
            instant = make_aware(meant, self.program.zone)
            # A time that the clocks skip comes back as another one.
            back = instant.astimezone(datetime.UTC).astimezone(self.program.zone)
        except OverflowError:
            raise ValidationError(_("Choose a day of this school year.")) from None
        if back.replace(tzinfo=None) != meant:
            raise ValidationError(
                _("The clocks change that night and this time doesn't exist. Pick another.")
            )
        return instant
