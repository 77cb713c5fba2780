"""What comes with a tap on a visit."""

import datetime

from django import forms

from visits import safety


class TapForm(forms.Form):
    """A tap is never refused for its phone's clock: what can't be read is left out."""

    phone_time = forms.DateTimeField(required=False)
    early = forms.BooleanField(required=False)

    @property
    def phone_time_said(self) -> datetime.datetime | None:
        """What the phone said the time was, if it was tapped without signal."""
        self.full_clean()
        return self.cleaned_data.get("phone_time")


class LongerForm(forms.Form):
    minutes = forms.TypedChoiceField(
        choices=[(minutes, minutes) for minutes in safety.MORE], coerce=int
    )
    seen = forms.DateTimeField()
