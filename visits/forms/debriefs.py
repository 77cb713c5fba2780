"""Planning a debrief, and writing it up."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from pthv.access import Can
from pthv.models import Educator, Membership, Program, Role, School, User
from training.models import Cohort
from visits import debriefs
from visits.models import DebriefSession

CONTROL, SELECT = {"class": "form-control"}, {"class": "form-select"}
COHORTS_SHOWN = 40


class DebriefForm(forms.Form):
    """Whose, when, where and who leads; whose it is can't be changed later."""

    whose = forms.ChoiceField(label=_("Who meets"), widget=forms.Select(attrs=SELECT))
    starts_at = forms.DateTimeField(
        label=_("When"),
        widget=forms.DateTimeInput(
            attrs={"type": "datetime-local", **CONTROL}, format="%Y-%m-%dT%H:%M"
        ),
    )
    place = forms.CharField(
        label=_("Where"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"placeholder": _("Library, or a link"), **CONTROL}),
    )
    led_by = forms.ModelChoiceField(
        User.objects.none(),
        label=_("Who leads it"),
        required=False,
        empty_label=_("Nobody yet"),
        widget=forms.Select(attrs=SELECT),
    )

    def __init__(
        self,
        *args: Any,
        user: User,
        program: Program,
        row: DebriefSession | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.schools = list(School.objects.open_to(user, Can.RUN_DEBRIEFS))
        self.fields["led_by"].queryset = _leaders(program, [school.pk for school in self.schools])
        if row:
            del self.fields["whose"]
            self.initial = {name: getattr(row, name) for name in ("starts_at", "place", "led_by")}
            return
        self.initial["led_by"] = user.pk
        self.cohorts = list(Cohort.objects.open_to(user, Can.RUN_DEBRIEFS)[:COHORTS_SHOWN])
        self.fields["whose"].choices = [
            (_("A school"), [(f"school:{one.pk}", one.name) for one in self.schools]),
            (_("A cohort"), [(f"cohort:{one.pk}", one.name) for one in self.cohorts]),
        ]

    @property
    def plan(self) -> debriefs.Plan:
        said = {name: self.cleaned_data[name] for name in ("starts_at", "place", "led_by")}
        kind, _colon, number = self.cleaned_data.get("whose", "").partition(":")
        among = {"school": "schools", "cohort": "cohorts"}.get(kind)
        if among:
            said[kind] = next(one for one in getattr(self, among) if str(one.pk) == number)
        return debriefs.Plan(**said)


def _leaders(program: Program, schools: list[int]) -> Any:
    """Coordinators and educators of these schools, and the program's coordinators."""
    held = Membership.objects.current(program.today).filter(program=program)
    there = held.filter(
        Q(role=Role.PROGRAM_COORDINATOR)
        | Q(role__in=[Role.SITE_COORDINATOR, Role.EDUCATOR], school__in=schools)
    )
    return User.objects.filter(is_active=True, pk__in=there.values("user"))


class MinutesForm(forms.Form):
    """Who came, and what was decided."""

    came = forms.ModelMultipleChoiceField(
        Educator.objects.none(),
        label=_("Who came"),
        error_messages={"required": _("Tick who came.")},
    )
    decisions = forms.CharField(
        label=_("What we decided"),
        required=False,
        max_length=4000,
        help_text=_("No names."),
        widget=forms.Textarea(attrs={"rows": 3, **CONTROL}),
    )

    def __init__(self, *args: Any, row: DebriefSession, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["came"].queryset = debriefs.expected(row)


class ResourceForm(forms.Form):
    """What educators ask for, or what was found of it."""

    said = forms.CharField(max_length=300)

    def clean_said(self) -> str:
        said = " ".join(self.cleaned_data["said"].split())
        if not said:
            raise ValidationError(_("Say what would help."))
        return said
