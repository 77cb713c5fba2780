"""A cohort, and who goes through it."""

import re
from email.utils import getaddresses
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from pthv import languages
from pthv.access import Can
from pthv.models import Educator, PartnerOrganization, School
from training import cohorts, enrolment
from training.models import Cohort, Course, Trainer

MOST_CHOICES = 100
MOST_ADDRESSES = 300
OF_COHORT = (
    "name",
    "school",
    "language",
    "capacity",
    "open_for_sign_up",
    "host",
    "cost",
    "funding",
)


class CohortForm(forms.Form):
    course = forms.ModelChoiceField(Course.objects.none(), label=_("Course"), empty_label=None)
    name = forms.CharField(
        label=_("Name"),
        max_length=120,
        help_text=_("What people will know it by, such as Fall 2026, evenings."),
    )
    school = forms.ModelChoiceField(
        School.objects.none(),
        label=_("School"),
        required=False,
        empty_label=_("Every school"),
    )
    language = forms.ChoiceField(
        label=_("Language"), choices=list(languages.COMMON.items()), required=False
    )
    capacity = forms.IntegerField(
        label=_("Places"),
        required=False,
        min_value=1,
        max_value=2000,
        help_text=_("Whoever comes after the last place waits. Empty: no limit."),
    )
    open_for_sign_up = forms.BooleanField(
        label=_("Educators may take a place themselves"), required=False
    )
    trainers = forms.ModelMultipleChoiceField(
        Trainer.objects.none(),
        label=_("Trainers"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    new_staff = forms.CharField(
        label=_("Other trainers"),
        required=False,
        max_length=400,
        help_text=_("Names, with commas between them."),
    )
    new_parents = forms.CharField(
        label=_("Other parent co-trainers"),
        required=False,
        max_length=400,
        help_text=_("Names, with commas between them."),
    )
    host = forms.ModelChoiceField(
        PartnerOrganization.objects.none(),
        label=_("Run by"),
        required=False,
        empty_label=_("The program itself"),
    )
    cost = forms.DecimalField(
        label=_("Cost in dollars"), required=False, min_value=0, max_digits=9, decimal_places=2
    )
    funding = forms.CharField(
        label=_("Paid from"),
        required=False,
        max_length=120,
        help_text=_("Such as Title I or the union."),
    )

    def __init__(self, *args, user, cohort: Cohort | None = None, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["course"].queryset = Course.objects.order_by("name", "pk")
        self.fields["host"].queryset = PartnerOrganization.objects.order_by("name")
        trainers = Trainer.objects.filter(is_active=True)
        schools = School.objects.open_to(user, Can.RUN_TRAINING)
        if cohort is not None:
            del self.fields["course"]
            trainers = trainers | Trainer.objects.filter(cohorts=cohort)
            self.initial = {name: getattr(cohort, name) for name in OF_COHORT} | {
                "school": cohort.school_id,
                "host": cohort.host_id,
                "trainers": [trainer.pk for trainer in cohort.trainers.all()],
            }
        else:
            self.initial.setdefault("language", "en")
        self.fields["trainers"].queryset = trainers.distinct().order_by("name")
        self.fields["school"].queryset = schools
        if cohort is not None and cohort.completed_at:
            for name in set(OF_COHORT) - cohorts.AFTERWARDS:
                del self.fields[name]
        elif schools[MOST_CHOICES : MOST_CHOICES + 1]:
            # Nobody can choose from a list that long; enrolling has a search.
            del self.fields["school"]

    def clean_language(self) -> str:
        return self.cleaned_data["language"] or "en"

    @property
    def cohort_fields(self) -> dict[str, Any]:
        """What the cohort itself holds."""
        return {name: self.cleaned_data[name] for name in OF_COHORT if name in self.cleaned_data}

    @property
    def new_trainers(self) -> dict[str, list[str]]:
        """Names of trainers who are not listed yet, by their kind."""
        said = {Trainer.Kind.STAFF: "new_staff", Trainer.Kind.PARENT: "new_parents"}
        return {
            str(kind): [
                name[:120] for part in self.cleaned_data[field].split(",") if (name := part.strip())
            ]
            for kind, field in said.items()
        }


class EnrolForm(forms.Form):
    """Who may join a cohort, on the page as boxes to tick."""

    educators = forms.ModelMultipleChoiceField(
        Educator.objects.none(),
        error_messages={
            "required": _("Tick at least one person."),
            "invalid_choice": _("Somebody you ticked can't be enrolled here (any more)."),
        },
    )

    def __init__(self, *args, cohort: Cohort, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["educators"].queryset = enrolment.candidates(cohort)


class Address(NamedTuple):
    """Somebody as a list of addresses has them; the name may be empty."""

    name: str
    email: str


class AddressesForm(forms.Form):
    """E-mail addresses, pasted as they are, and where people work who are new here."""

    addresses = forms.CharField(
        label=_("E-mail addresses"),
        max_length=40_000,
        widget=forms.Textarea(attrs={"rows": 6, "autocomplete": "off", "spellcheck": "false"}),
        help_text=_("One on each line. A name may stand before it."),
        error_messages={"required": _("Paste at least one address.")},
    )
    school = forms.ModelChoiceField(
        School.objects.none(),
        label=_("Their school"),
        required=False,
        empty_label=_("Choose a school"),
    )

    def __init__(self, *args, cohort: Cohort, user, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        schools = School.objects.open_to(user, Can.RUN_TRAINING)
        self.fields["school"].queryset = (
            schools.filter(pk=cohort.school_id) if cohort.school_id else schools
        )
        self.initial["school"] = cohort.school_id

    def clean_addresses(self) -> list[Address]:
        lines = re.split(r"[\n;,]+", self.cleaned_data["addresses"].replace("\r", "\n"))
        found: dict[str, Address] = {}
        for line in filter(None, map(str.strip, lines)):
            ((name, email),) = getaddresses([line])[:1] or [("", "")]
            try:
                validate_email(email)
            except ValidationError:
                said = _("“%(line)s” is no e-mail address. Mend it or take it out.")
                raise ValidationError(said, params={"line": line[:80]}) from None
            found.setdefault(email.lower(), Address(name, email.lower()))
        if not found:
            raise ValidationError(_("Paste at least one address."))
        if len(found) > MOST_ADDRESSES:
            raise ValidationError(
                _("These are %(count)s addresses. Enrol %(most)s at a time."),
                params={"count": len(found), "most": MOST_ADDRESSES},
            )
        return list(found.values())


class LeaveForm(forms.Form):
    because = forms.CharField(
        label=_("Why"),
        max_length=255,
        required=False,
        help_text=_("Kept with the cohort; the message to them doesn't say it."),
    )


class TransferForm(forms.Form):
    to = forms.ModelChoiceField(
        Cohort.objects.none(),
        label=_("Move to"),
        empty_label=None,
        error_messages={"required": _("Choose the cohort they move to.")},
    )

    def __init__(self, *args, member, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].queryset = enrolment.destinations(member)
