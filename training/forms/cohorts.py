"""A new cohort, and who goes through it."""

from django import forms
from django.utils.translation import gettext_lazy as _

from pthv.access import Can
from pthv.models import Educator, School
from training import enrolment
from training.models import Cohort, Course

MOST_CHOICES = 100


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

    def __init__(self, *args, user, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["course"].queryset = Course.objects.order_by("name", "pk")
        schools = School.objects.open_to(user, Can.RUN_TRAINING)
        self.fields["school"].queryset = schools
        if schools[MOST_CHOICES : MOST_CHOICES + 1]:
            # Nobody can choose from a list that long; enrolling has a search.
            del self.fields["school"]


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
