"""A course, and what it asks for, as a coordinator says it."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from training.models import Course, CourseRequirement, Grant

Kind = CourseRequirement.Kind
ATTENDANCE = [
    (Kind.EVERY_PART, _("Every part")),
    (Kind.SESSIONS, _("At least so many sessions")),
    (Kind.HOURS, _("At least so many hours")),
    ("", _("Nothing")),
]
COUNTED = (Kind.FIRST_VISITS, Kind.SECOND_VISITS, Kind.DEBRIEFS)


def count_field(label: Any, help_text: Any = "") -> forms.IntegerField:
    return forms.IntegerField(
        label=label, help_text=help_text, required=False, min_value=0, max_value=99
    )


class CourseForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120)
    hours = forms.DecimalField(
        label=_("Hours in all"), min_value=Decimal("0.5"), max_digits=4, decimal_places=1
    )
    validity_months = forms.IntegerField(
        label=_("Months a certification lasts"), min_value=1, max_value=240, initial=24
    )
    grants = forms.ChoiceField(
        label=_("Whoever completes it may"),
        choices=Grant.choices,
        required=False,
        initial=Grant.VISITS,
    )
    attendance = forms.ChoiceField(
        label=_("Attended"),
        choices=ATTENDANCE,
        required=False,
        initial=Kind.EVERY_PART,
        widget=forms.RadioSelect,
    )
    attendance_amount = forms.DecimalField(
        label=_("How many sessions or hours"),
        required=False,
        min_value=Decimal("0.5"),
        max_digits=4,
        decimal_places=1,
        help_text=_("Only where it asks for so many."),
    )
    first_visits = count_field(_("First visits made"))
    second_visits = count_field(_("Second visits made"))
    debriefs = count_field(_("Group debriefs attended"))
    holds = forms.ModelChoiceField(
        Course.objects.none(),
        label=_("Another course completed before"),
        required=False,
        empty_label=_("None"),
    )

    def __init__(self, *args, course: Course | None = None, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        others = Course.objects.order_by("name")
        if course is not None:
            others = others.exclude(pk=course.pk)
            self.initial = self._said(course)
        self.fields["holds"].queryset = others

    @staticmethod
    def _said(course: Course) -> dict[str, Any]:
        said: dict[str, Any] = {
            name: getattr(course, name) for name in ("name", "hours", "validity_months", "grants")
        }
        said["attendance"] = ""
        for asked in course.requirements.all():
            if asked.kind == Kind.HOLDS:
                said["holds"] = asked.held_id
            elif asked.kind in COUNTED:
                said[asked.kind] = int(asked.amount)
            else:
                said["attendance"] = asked.kind
                if asked.kind != Kind.EVERY_PART:
                    said["attendance_amount"] = asked.amount
        return said

    def clean(self) -> dict:
        cleaned = super().clean() or {}
        so_many = cleaned.get("attendance") in (Kind.SESSIONS, Kind.HOURS)
        if so_many and "attendance_amount" in cleaned and not cleaned["attendance_amount"]:
            self.add_error("attendance_amount", _("Say how many."))
        return cleaned

    @property
    def course_fields(self) -> dict[str, Any]:
        """What the course itself holds."""
        names = ("name", "hours", "validity_months", "grants")
        return {name: self.cleaned_data[name] for name in names}

    @property
    def asked(self) -> dict[str, Decimal]:
        """How much of each kind it asks for."""
        said = self.cleaned_data
        asked = {str(kind): Decimal(said[kind]) for kind in COUNTED if said[kind]}
        if kind := said["attendance"]:
            so_many = kind in (Kind.SESSIONS, Kind.HOURS)
            asked[kind] = said["attendance_amount"] if so_many else Decimal(1)
        return asked
