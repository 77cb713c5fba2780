"""A week in taps, days off, and the days on which a school is closed."""

import datetime
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from pthv.models import Program, School
from visits.availability import Window, joined
from visits.models.availability import WEEKDAYS

NOON, EVENING, NIGHT = datetime.time(12), datetime.time(17), datetime.time(20)
MORNING = datetime.time(9)
PARTS = {
    "after_school": _("After school"),
    "morning": _("Morning"),
    "afternoon": _("Afternoon"),
    "evening": _("Evening"),
}


@dataclass(frozen=True)
class Day:
    """One day of the week as the form shows it."""

    weekday: int
    name: str
    parts: list[tuple[str, str, str, bool]]  # the field's value, its label, its hours, on or off
    others: list[tuple[str, str]]  # from, to
    errors: list[str]


class WeekForm(forms.Form):
    """Each day's parts by a tap, and other hours typed; as data a day is "0": ["evening"] and
    "from-0", "to-0", as often as there are other hours."""

    def __init__(self, *args: Any, school: School | None, week: list[Window], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.ends_at = school.contract_day_ends if school else datetime.time(15, 15)
        self.week = week
        self.problems: dict[int, list[str]] = {}

    def parts(self, weekday: int) -> dict[str, tuple[datetime.time, datetime.time]]:
        """The hours of each part that a day is offered in."""
        evening = {"evening": (EVENING, NIGHT)}
        if weekday > 4:
            return {"morning": (MORNING, NOON), "afternoon": (NOON, EVENING)} | evening
        if self.ends_at >= EVENING:
            return {"evening": (self.ends_at, max(NIGHT, self.ends_at))}
        return {"after_school": (self.ends_at, EVENING)} | evening

    def clean(self) -> dict[str, Any]:
        super().clean()
        windows: list[Window] = []
        for weekday, _name in WEEKDAYS:
            parts = self.parts(weekday)
            chosen = [parts[part] for part in self.data.getlist(str(weekday)) if part in parts]
            typed = [self._typed(weekday, *both) for both in self._others(weekday) if any(both)]
            windows += [(weekday, hours[0], hours[1]) for hours in (*chosen, *typed) if hours]
        if "copy" in self.data:
            monday = [window for window in windows if window[0] == 0]
            weekend = [window for window in windows if window[0] > 4]
            windows = weekend + [
                (day, starts, ends) for day in range(5) for _monday, starts, ends in monday
            ]
        for sentences in self.problems.values():
            self.add_error(None, sentences)
        self.windows = joined(windows)
        return self.cleaned_data

    def _others(self, weekday: int) -> list[tuple[str, str]]:
        both = (self.data.getlist(f"{edge}-{weekday}") for edge in ("from", "to"))
        return list(zip(*both, strict=False))

    def _typed(
        self, weekday: int, starts: str, ends: str
    ) -> tuple[datetime.time, datetime.time] | None:
        try:
            first, last = (datetime.time.fromisoformat(typed) for typed in (starts, ends))
        except ValueError:
            first = last = MORNING
        if first < last and not (first.tzinfo or last.tzinfo):
            return first, last
        name = WEEKDAYS[weekday][1]
        sentence = _("%(day)s: type from when until when, the earlier time first.") % {"day": name}
        self.problems.setdefault(weekday, []).append(sentence)
        return None

    def days(self) -> list[Day]:
        """What is shown: what was just sent, or else the week as it is."""
        return [self._day(weekday, str(name)) for weekday, name in WEEKDAYS]

    def _day(self, weekday: int, name: str) -> Day:
        parts = self.parts(weekday)
        if self.is_bound:
            on = set(self.data.getlist(str(weekday)))
            others = [both for both in self._others(weekday) if any(both)]
        else:
            on, others = self._as_parts(weekday)
        return Day(
            weekday,
            name,
            [
                (part, str(PARTS[part]), f"{starts:%-I:%M}–{ends:%-I:%M}", part in on)
                for part, (starts, ends) in parts.items()
            ],
            others or [("", "")],
            self.problems.get(weekday, []),
        )

    def _as_parts(self, weekday: int) -> tuple[set[str], list[tuple[str, str]]]:
        """A day's hours as parts, as far as they are made of them."""
        on: set[str] = set()
        others = []
        for day, starts, ends in self.week:
            if day != weekday:
                continue
            inside = {
                part: hours
                for part, hours in self.parts(weekday).items()
                if starts <= hours[0] and hours[1] <= ends
            }
            if joined((weekday, *both) for both in inside.values()) == [(day, starts, ends)]:
                on |= inside.keys()
            else:
                others.append((f"{starts:%H:%M}", f"{ends:%H:%M}"))
        return on, others


def day_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date", "class": "form-control"}, format="%Y-%m-%d")


class TimeOffForm(forms.Form):
    starts_on = forms.DateField(label=_("First day"), widget=day_input())
    ends_on = forms.DateField(label=_("Last day"), required=False, widget=day_input())

    def clean(self) -> dict[str, Any]:
        super().clean()
        cleaned = self.cleaned_data
        if "ends_on" in cleaned:  # one day alone needs no last one
            cleaned["ends_on"] = cleaned["ends_on"] or cleaned.get("starts_on")
        return cleaned


class HolidayForm(TimeOffForm):
    name = forms.CharField(
        label=_("What for"), max_length=80, widget=forms.TextInput(attrs={"class": "form-control"})
    )
    school: forms.ModelChoiceField = forms.ModelChoiceField(
        label=_("School"),
        queryset=School.objects.none(),
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    field_order = ["name", "starts_on", "ends_on", "school"]

    def __init__(self, *args: Any, schools: Any, program: Program, everywhere: bool, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["school"].queryset = schools
        self.fields["school"].required = not everywhere
        self.fields["school"].empty_label = _("Every school") if everywhere else None
        self.fields["starts_on"].widget.attrs["min"] = program.today.isoformat()
