"""Choosing a class, a grade or the school: there is no field for anything else."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from families.models import SchoolClass, Student
from pthv.access import Can
from pthv.models import School, SchoolYear

WHOLE_SCHOOL = "school"


class PlanForm(forms.Form):
    """A school first; then, once it is known, one of its classes or grades, or all of it."""

    school = forms.ModelChoiceField(
        School.objects.none(),
        label=_("School"),
        empty_label=None,
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    scope = forms.ChoiceField(
        label=_("Whom to invite"),
        widget=forms.Select(attrs={"class": "form-select"}),
        help_text=_("Everyone in it is invited. Families can't be picked one by one."),
    )

    def __init__(self, *args, user, program, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.school_year = SchoolYear.objects.on(program.today).first()
        schools = School.objects.open_to(user, Can.PLAN)
        self.fields["school"].queryset = schools
        chosen = str(self.data.get("school") or self.initial.get("school") or "")
        self.chosen = schools.filter(pk=chosen).first() if chosen.isdigit() else schools.first()
        self.initial.setdefault("school", self.chosen)
        self.fields["scope"].choices = self._scopes() if self.chosen else []

    def _scopes(self) -> list:
        classes = SchoolClass.objects.filter(
            school=self.chosen, school_year=self.school_year, left_on=None
        ).order_by("title", "pk")[:80]
        grades = (
            Student.objects.enrolled()
            .filter(school=self.chosen)
            .exclude(grade="")
            .order_by("grade")
            .values_list("grade", flat=True)
            .distinct()
        )
        return [
            (_("A class"), [(f"class:{found.pk}", found.title) for found in classes]),
            (_("A grade"), [(f"grade:{grade}", _("Grade %s") % grade) for grade in grades]),
            (_("Everybody"), [(WHOLE_SCHOOL, _("The whole school"))]),
        ]

    def clean(self) -> dict:
        if self.school_year is None:
            raise ValidationError(
                _("No school year holds today's date. Import this year's roster first.")
            )
        if self.errors:
            return self.cleaned_data
        kind, _colon, value = self.cleaned_data["scope"].partition(":")
        return {
            "school": self.cleaned_data["school"],
            "school_year": self.school_year,
            "school_class": SchoolClass.objects.get(pk=value) if kind == "class" else None,
            "grade": value if kind == "grade" else "",
        }
