"""A day, a time and a place, meant where the program is."""

import datetime

from django import forms
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.translation import gettext_lazy as _

from pthv import clock
from pthv.models import Program
from visits import scheduling
from visits.models import Visit

EARLIEST, LATEST = datetime.time(6), datetime.time(21)


class SlotForm(forms.Form):
    """One of the times that were offered, or another day and time."""

    OTHER = "other"
    MINUTES = [(30, _("30 minutes")), (45, _("45 minutes")), (60, _("1 hour"))]

    slot = forms.CharField(required=False)
    day = forms.DateField(
        label=_("Day"),
        required=False,
        error_messages={"invalid": _("Choose a day.")},
        widget=forms.DateInput(attrs={"type": "date", "class": "form-control"}, format="%Y-%m-%d"),
    )
    time = forms.TimeField(
        label=_("Time"),
        required=False,
        error_messages={"invalid": _("Choose a time.")},
        widget=forms.TimeInput(attrs={"type": "time", "class": "form-control"}, format="%H:%M"),
    )
    minutes = forms.TypedChoiceField(label=_("How long"), coerce=int, initial=60, choices=MINUTES)
    place = forms.ChoiceField(label=_("Where"), choices=Visit.Place, initial=Visit.Place.HOME)
    address = forms.CharField(
        label=_("Where to meet"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )
    interpret = forms.CharField(required=False, max_length=20)

    def __init__(self, *args, program: Program, language: str = "", **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.program, self.language = program, language
        self.fields["day"].widget.attrs["min"] = program.today.isoformat()
        if not program.school_as_place_allowed:
            self.fields["place"].choices = [
                choice for choice in Visit.Place.choices if choice[0] != Visit.Place.SCHOOL
            ]

    def clean_interpret(self) -> str:
        """A page of before may ask for a language that nobody needs interpreted any more."""
        wanted = self.cleaned_data["interpret"]
        if wanted in ("", self.language):
            return wanted
        self.add_error(None, _("Who comes has changed: choose again whether somebody interprets."))
        return ""

    def clean_time(self) -> datetime.time | None:
        """4 AM is a slip of the thumb."""
        time = self.cleaned_data["time"]
        if time and not EARLIEST <= time <= LATEST:
            raise forms.ValidationError(_("Choose a time between 6 AM and 9 PM."))
        return time

    def clean(self) -> dict:
        super().clean()
        cleaned = self.cleaned_data
        if cleaned.get("slot", "") not in {"", self.OTHER}:
            self._take(cleaned["slot"])
            return cleaned
        for name, sentence in (("day", _("Choose a day.")), ("time", _("Choose a time."))):
            if not cleaned.get(name) and name not in self.errors:
                self.add_error(name, sentence)
        if not self.errors:
            self.starts_at = clock.instant(cleaned["day"], cleaned["time"], self.program.zone)
        return cleaned

    def _take(self, offered: str) -> None:
        """The instant that a button stood for."""
        try:
            chosen = datetime.datetime.fromisoformat(offered)
            self.starts_at = chosen.astimezone(datetime.UTC)
        except (ValueError, OverflowError):
            chosen = None
        # A time without its zone is meant nowhere; beyond these years days can't be counted on.
        if chosen is None or chosen.tzinfo is None or not 2000 <= chosen.year <= 2100:
            self.add_error(None, _("Choose a time."))

    @property
    def during(self) -> DateTimeTZRange:
        return scheduling.slot(self.starts_at, self.cleaned_data["minutes"])


class EndingForm(forms.Form):
    """How a visit that won't be came to its end. Nobody has to say why, and no family is asked."""

    State = Visit.State
    ending = forms.ChoiceField(
        choices=[
            # First, since that is what Enter means after the reason.
            (State.EDUCATOR_CANCELLED, _("We cancelled")),
            (State.FAMILY_CANCELLED, _("The family cancelled")),
            (State.NOT_HOME, _("Nobody was home")),
        ]
    )
    because = forms.CharField(
        label=_("Why, if we cancel"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
        error_messages={"max_length": _("Say it in fewer words.")},
    )
