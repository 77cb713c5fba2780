"""Choosing a class, a grade or the school: there is no field for anything else."""

import datetime

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from families.models import SchoolClass, Student, grade_in_words
from pthv.access import Can
from pthv.models import School, SchoolYear
from visits.forms.narrowing import GRADES
from visits.models import SelectionPlan

WHOLE_SCHOOL = "school"
CLASSES_SHOWN = 80
MOST_DRAWN = 10_000


def _place(grade: str) -> tuple[int, str]:
    """Where a grade stands: kindergarten before the first, what nobody knows last."""
    return (GRADES.index(grade) if grade in GRADES else len(GRADES), grade)


class PlanForm(forms.Form):
    """A school first; then, once it is known, one of its classes or grades, or all of it."""

    school = forms.ModelChoiceField(
        School.objects.none(),
        label=_("School"),
        empty_label=None,
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    year = forms.ModelChoiceField(
        SchoolYear.objects.none(),
        label=_("School year"),
        required=False,
        empty_label=None,
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    scope = forms.ChoiceField(
        label=_("Which class or grade"), widget=forms.Select(attrs={"class": "form-select"})
    )
    kind = forms.ChoiceField(
        label=_("Whom to invite"),
        choices=[
            (SelectionPlan.Kind.EVERYONE, _("Everyone in it")),
            (SelectionPlan.Kind.DRAW, _("A random draw of them")),
        ],
        initial=SelectionPlan.Kind.EVERYONE,
        required=False,
    )
    size = forms.IntegerField(
        label=_("How many families to draw"),
        required=False,
        min_value=1,
        max_value=MOST_DRAWN,
        widget=forms.NumberInput(attrs={"class": "form-control"}),
        help_text=_("The system draws. Families can't be picked, and a draw is not repeated."),
    )
    ask_by = forms.DateField(
        label=_("Ask them all by"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date", "class": "form-control"}, format="%Y-%m-%d"),
    )

    def __init__(self, *args, user, program, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.today = program.today
        self.fields["ask_by"].widget.attrs["min"] = self.today.isoformat()
        self.fields["school"].queryset = School.objects.open_to(user, Can.PLAN)
        self.fields["year"].queryset = SchoolYear.objects.filter(ends_on__gte=self.today)
        self.schools = list(self.fields["school"].queryset)
        self.years = list(self.fields["year"].queryset)
        at_hand = SchoolYear.objects.at_hand(program.today).first()
        self.chosen = self._chosen("school", self.schools) or next(iter(self.schools), None)
        self.school_year = self._chosen("year", self.years) or at_hand
        # The beginning of a class's title, where a school has more classes than are shown.
        typed = self.data.get("q") or self.initial.get("q") or ""
        self.beginning = typed.replace("\x00", "").strip()
        self.more_classes = False
        self.initial.update(school=self.chosen, year=self.school_year)
        self.fields["scope"].choices = self._scopes() if self.chosen else []

    def _chosen(self, name: str, among: list):
        """What was sent or asked for, if it is one of these."""
        wanted = str(self.data.get(name) or self.initial.get(name) or "")
        return next((row for row in among if str(row.pk) == wanted), None)

    def _scopes(self) -> list:
        classes = SchoolClass.objects.filter(
            school=self.chosen, school_year=self.school_year, left_on=None
        ).order_by("title", "pk")
        if self.beginning:
            classes = classes.filter(title__istartswith=self.beginning)
        found = list(classes[: CLASSES_SHOWN + 1])
        self.more_classes = len(found) > CLASSES_SHOWN
        grades = (
            Student.objects.enrolled()
            .filter(school=self.chosen)
            .exclude(grade="")
            .order_by("grade")
            .values_list("grade", flat=True)
            .distinct()
        )
        return [
            (_("A class"), [(f"class:{one.pk}", one.title) for one in found[:CLASSES_SHOWN]]),
            (
                _("A grade"),
                [
                    (f"grade:{grade}", _("Grade %s") % grade_in_words(grade))
                    for grade in sorted(grades, key=_place)
                ],
            ),
            (_("Everybody"), [(WHOLE_SCHOOL, _("The whole school"))]),
        ]

    def clean_ask_by(self) -> datetime.date | None:
        ask_by = self.cleaned_data["ask_by"]
        if ask_by and ask_by < self.today:
            raise ValidationError(_("This day is over. Choose a later one."))
        return ask_by

    def clean(self) -> dict:
        if self.school_year is None:
            raise ValidationError(_("There is no school year yet. Import a roster first."))
        drawn = self.cleaned_data.get("kind") == SelectionPlan.Kind.DRAW
        if drawn and not self.cleaned_data.get("size") and "size" not in self.errors:
            self.add_error("size", _("Say how many families to draw."))
        if self.errors:
            return self.cleaned_data
        kind, _colon, value = self.cleaned_data["scope"].partition(":")
        return {
            "school": self.cleaned_data["school"],
            "school_year": self.cleaned_data["year"] or self.school_year,
            "school_class": SchoolClass.objects.get(pk=value) if kind == "class" else None,
            "grade": value if kind == "grade" else "",
            "ask_by": self.cleaned_data["ask_by"],
            **({"size": self.cleaned_data["size"]} if drawn else {}),
        }


class DrawForm(forms.Form):
    """How many more, after which draw."""

    size = forms.IntegerField(
        label=_("How many more families to draw"),
        min_value=1,
        max_value=MOST_DRAWN,
        widget=forms.NumberInput(attrs={"class": "form-control"}),
    )
    after = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    because = forms.CharField(
        label=_("Why more now"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"class": "form-control"}),
        help_text=_("It is kept in the draw's record. Name no family."),
    )
