"""What a visitor writes down in the car: taps first, and only what the family may read.

A first visit has no academic field; goals come with the second.
"""

import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from pthv import languages
from visits import logs
from visits.forms.themes import ThemesField
from visits.models import (
    FollowUp,
    Visit,
    VisitKind,
    VisitLog,
    VisitStudent,
)

IN_TWO_WEEKS = datetime.timedelta(days=14)  # what is promised is mostly done by then


def words(label, placeholder="") -> forms.CharField:
    """A dictation-friendly box; 4,000 characters at most, and never required."""
    return forms.CharField(
        label=label,
        required=False,
        max_length=4000,
        widget=forms.Textarea(
            attrs={"rows": 2, "placeholder": placeholder, "class": "form-control"}
        ),
    )


def hopes() -> forms.CharField:
    return words(_("Hopes and dreams, in the family's words"), _("“That he loves to read.”"))


def strengths() -> forms.CharField:
    return words(_("Strengths and interests"), _("Builds radios with his uncle"))


def class_change() -> forms.CharField:
    return words(_("One thing we will change in class"), _("Bring radios into science"))


def _of_a_child(row: VisitStudent) -> dict[str, forms.Field]:
    """What is asked of each of several children."""
    found = {
        "was_there": forms.BooleanField(label=_("Was there"), required=False, initial=True),
        "hopes": hopes(),
        "strengths": strengths(),
        "class_change": class_change(),
    }
    for field in found.values():
        field.widget.attrs["data-of"] = row.student.given_name
    return {f"{row.pk}-{which}": field for which, field in found.items()}


class LogForm(forms.Form):
    minutes = forms.TypedChoiceField(
        label=_("How long"),
        coerce=int,
        choices=[(n, _("%s min") % n) for n in (20, 30, 40, 50, 60, 90)],
        initial=40,
    )
    adults_present = forms.TypedChoiceField(
        label=_("Grown-ups of the family"),
        coerce=int,
        choices=[(n, str(n)) for n in range(1, 7)],
        initial=1,
    )
    student_present = forms.BooleanField(
        label=_("The child was there"), required=False, initial=True
    )
    place = forms.ChoiceField(label=_("Where"), choices=Visit.Place, required=False)
    language = forms.ChoiceField(
        label=_("Language"),
        choices=languages.COMMON.items,
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    interpreting = forms.ChoiceField(
        label=_("Who interpreted"), choices=VisitLog.Interpreting, required=False
    )
    hopes = hopes()
    strengths = strengths()
    class_change = class_change()
    promise = forms.CharField(
        label=_("One promise"),
        required=False,
        max_length=255,
        widget=forms.TextInput(
            attrs={"placeholder": _("Send the library card form"), "class": "form-control"}
        ),
    )
    promise_due_on = forms.DateField(
        label=_("We keep it by"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date", "class": "form-control"}, format="%Y-%m-%d"),
    )
    promise_owner = forms.TypedChoiceField(
        label=_("Who keeps it, if not you"), required=False, coerce=int, empty_value=None
    )
    themes = ThemesField(label=_("Their hopes, in a word"))
    seen = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def __init__(self, *args, visit: Visit, log: VisitLog | None = None, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.visit = visit
        self.fields["promise_owner"].choices = [
            (one.educator_id, one.educator.user.get_short_name()) for one in visit.visitors
        ]
        for one in visit.several:
            self.fields |= _of_a_child(one)
        if visit.kind != VisitKind.FIRST:
            self.fields |= {
                "shared": words(_("What we want to reach together")),
                "at_home": words(_("How home works on it")),
                "at_school": words(_("How school works on it")),
            }
        tapped = self.fields["themes"].offer(visit.hopes_offered)
        self.initial.update(self._expected() if log is None else self._saved(log))
        if not self.initial.get("promise_due_on"):
            self.initial["promise_due_on"] = visit.program.today + IN_TWO_WEEKS
        self.initial["themes"] = tapped
        if self.visit.several:
            self._leave_out(
                "student_present",
                *(name for name in logs.OF_A_CHILD[1:] if not self.initial.get(name)),
            )

    def clean(self) -> dict[str, Any]:
        """A form that was kept on a phone for long may lack what is asked by now."""
        super().clean()
        given = self.cleaned_data
        for name, likely in self._expected().items():
            if name not in self.errors:
                given[name] = given.get(name) or likely
        if not given.get("promise"):
            given["promise_due_on"] = given["promise_owner"] = None
        elif not given.get("promise_due_on") and "promise_due_on" not in self.errors:
            self.add_error("promise_due_on", _("By when? Pick a day."))
        return given

    def _leave_out(self, *names: str) -> None:
        """What is asked of each child instead; words of before stay."""
        for name in names:
            del self.fields[name]

    def _expected(self) -> dict[str, Any]:
        """What is likely, so that it needs no tap."""
        spoken = self.visit.family.language.split("-")[0].lower()
        return {
            "place": self.visit.place,
            "language": spoken if spoken in languages.COMMON else "und",
            "interpreting": self._likely_interpreting(spoken),
        }

    def _likely_interpreting(self, spoken: str) -> str:
        Interpreting = VisitLog.Interpreting
        if any(one.state == "covered" for one in self.visit.needs):
            return Interpreting.INTERPRETER
        if spoken == "en":
            return Interpreting.NOT_NEEDED
        ours = (tag for one in self.visit.visitors for tag in one.educator.languages)
        speaks = any(tag.split("-")[0].lower() == spoken for tag in ours)
        return Interpreting.VISITOR if speaks else Interpreting.NOT_NEEDED

    def _saved(self, log: VisitLog) -> dict[str, Any]:
        entry = logs.saved(log)
        found = {name: getattr(entry, name) for name in self.base_fields if name != "seen"}
        found |= vars(entry.goals) | {"seen": logs.version(log)}
        for one in entry.children:
            found |= {f"{one.child}-{name}": getattr(one, name) for name in logs.OF_A_CHILD}
        return found

    @property
    def likely(self) -> str:
        """Where, in which language, and who interpreted if anybody did, in a few words."""
        unsaid = {VisitLog.Interpreting.NOT_NEEDED.label}
        names = (
            dict(self.fields[name].choices).get(self[name].value(), "")
            for name in ("place", "language", "interpreting")
        )
        return " · ".join(str(name) for name in names if name and name not in unsaid)

    @property
    def children(self) -> list[tuple[VisitStudent, list[forms.BoundField]]]:
        """Each of several children, with the fields about them."""
        return [
            (one, [self[f"{one.pk}-{name}"] for name in logs.OF_A_CHILD])
            for one in self.visit.several
        ]

    @property
    def together(self) -> list[forms.BoundField]:
        """The goals, from the second visit on."""
        return [self[name] for name in logs.GOALS if name in self.fields]

    @property
    def entry(self) -> logs.Entry:
        given = self.cleaned_data
        children = tuple(
            logs.OfAChild(one.pk, *(given[f"{one.pk}-{name}"] for name in logs.OF_A_CHILD))
            for one in self.visit.several
        )
        facts = {name: given[name] for name in self.base_fields if name in given and name != "seen"}
        if children:
            facts["student_present"] = any(one.was_there for one in children)
        goals = logs.Goals(**{name: given[name] for name in logs.GOALS if name in given})
        return logs.Entry(**facts, children=children, goals=goals)


class OutcomeForm(forms.Form):
    """What came of a promise; kept, unless said otherwise."""

    outcome = forms.ChoiceField(choices=FollowUp.Outcome, required=False)
    note = forms.CharField(
        label=_("In a few words"),
        required=False,
        max_length=255,
        error_messages={"max_length": _("Say it in fewer words.")},
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )

    def clean_outcome(self) -> str:
        return self.cleaned_data["outcome"] or FollowUp.Outcome.KEPT

    @property
    def sentences(self) -> list[str]:
        return [str(error) for errors in self.errors.values() for error in errors]
