"""A day, a time and a place, meant where the program is."""

from django import forms
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.translation import gettext_lazy as _

from pthv import clock
from pthv.models import Program
from visits import scheduling
from visits.models import Visit


class SlotForm(forms.Form):
    day = forms.DateField(
        label=_("Day"),
        error_messages={"required": _("Choose a day."), "invalid": _("Choose a day.")},
        widget=forms.DateInput(attrs={"type": "date", "class": "form-control"}, format="%Y-%m-%d"),
    )
    time = forms.TimeField(
        label=_("Time"),
        error_messages={"required": _("Choose a time."), "invalid": _("Choose a time.")},
        widget=forms.TimeInput(attrs={"type": "time", "class": "form-control"}, format="%H:%M"),
    )
    minutes = forms.TypedChoiceField(
        label=_("How long"),
        coerce=int,
        initial=60,
        choices=[(30, _("30 minutes")), (45, _("45 minutes")), (60, _("1 hour"))],
    )
    place = forms.ChoiceField(label=_("Where"), choices=Visit.Place, initial=Visit.Place.HOME)

    def __init__(self, *args, program: Program, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.program = program
        self.fields["day"].widget.attrs["min"] = program.today.isoformat()
        if not program.school_as_place_allowed:
            self.fields["place"].choices = [
                choice for choice in Visit.Place.choices if choice[0] != Visit.Place.SCHOOL
            ]

    def clean(self) -> dict:
        super().clean()
        cleaned = self.cleaned_data
        if {"day", "time"} <= cleaned.keys():
            self.starts_at = clock.instant(cleaned["day"], cleaned["time"], self.program.zone)
        return cleaned

    @property
    def during(self) -> DateTimeTZRange:
        return scheduling.slot(self.starts_at, self.cleaned_data["minutes"])


class EndingForm(forms.Form):
    """How a visit that won't be came to its end. Nobody has to say why."""

    State = Visit.State
    ending = forms.ChoiceField(
        choices=[
            (State.FAMILY_CANCELLED, _("The family cancelled")),
            (State.EDUCATOR_CANCELLED, _("We cancelled")),
            (State.NOT_HOME, _("Nobody was home")),
        ]
    )
