"""A session: which part, a day with two times meant where the program is, place and link."""

import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from pthv import clock, wording
from pthv.models import Program
from training.models import Cohort, TrainingSession

FARTHEST = datetime.timedelta(days=2 * 366)


def time_field(label: Any) -> forms.TimeField:
    return forms.TimeField(
        label=label, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )


class SessionForm(forms.Form):
    part = forms.TypedChoiceField(label=_("Part"), coerce=int, required=False)
    day = forms.DateField(
        label=_("Day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    starts = time_field(_("Starts"))
    ends = time_field(_("Ends"))
    place = forms.CharField(label=_("Place"), max_length=160, required=False)
    link = forms.URLField(
        label=_("Link"),
        required=False,
        assume_scheme="https",
        help_text=_("Where to join it by video."),
    )

    def __init__(
        self, *args: Any, cohort: Cohort, session: TrainingSession | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.program = cohort.program
        planned = TrainingSession.objects.standing().filter(cohort=cohort)
        if session:
            planned = planned.exclude(pk=session.pk)
            self.initial.update(_of(session, self.program))
        days: dict[int, list[str]] = {}
        for other in planned:
            days.setdefault(other.part, []).append(wording.day(_local(other, self.program).date()))
        new = max([0, *days]) + 1
        self.fields["part"].choices = [
            (part, _part(part, days.get(part))) for part in range(1, new + 1)
        ]
        self.initial.setdefault("part", new)

    def clean_day(self) -> datetime.date:
        day = self.cleaned_data["day"]
        if day != self.initial.get("day") and abs(day - self.program.today) > FARTHEST:
            raise ValidationError(_("Choose a day within two years of today."))
        return day

    def clean(self) -> dict[str, Any]:
        super().clean()
        cleaned = self.cleaned_data
        if not {"day", "starts", "ends"} <= cleaned.keys():
            return cleaned
        day = cleaned.pop("day")
        if not cleaned["part"]:
            del cleaned["part"]  # as it is, or the next one
        for name in ("starts", "ends"):
            cleaned[f"{name}_at"] = clock.instant(day, cleaned.pop(name), self.program.zone)
        return cleaned


def _part(part: int, days: list[str] | None) -> str:
    if not days:
        return _("Part %(part)s") % {"part": part}
    facts = {"part": part, "days": wording.listed(days)}
    return _("Part %(part)s again, for whoever missed it (%(days)s)") % facts


def _of(session: TrainingSession, program: Program) -> dict[str, Any]:
    starts = _local(session, program)
    return {
        "part": session.part,
        "day": starts.date(),
        "starts": starts.time(),
        "ends": session.ends_at.astimezone(program.zone).time(),
        "place": session.place,
        "link": session.link,
    }


def _local(session: TrainingSession, program: Program) -> datetime.datetime:
    return session.starts_at.astimezone(program.zone)
