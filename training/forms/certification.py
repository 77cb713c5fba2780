"""Certifying somebody by hand, and taking it back."""

import datetime

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from pthv.models import Program
from training import certification
from training.models import Course


class IssueForm(forms.Form):
    course = forms.ModelChoiceField(Course.objects.none(), label=_("Course"), empty_label=None)
    on = forms.DateField(
        label=_("Certified from"),
        help_text=_("The day the training ended. An earlier date is kept with your name."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def __init__(self, *args, program: Program, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.today = program.today
        self.initial.setdefault("on", self.today)
        self.fields["on"].widget.attrs["max"] = self.today.isoformat()
        self.fields["course"].queryset = Course.objects.order_by("name")

    def clean_on(self) -> datetime.date:
        on = self.cleaned_data["on"]
        if not certification.EARLIEST <= on <= self.today:
            raise ValidationError(_("Choose the day the training ended: today or earlier."))
        return on


class RevokeForm(forms.Form):
    because = forms.CharField(
        label=_("Why"),
        max_length=255,
        help_text=_("They can read it, and so can whoever reads the history."),
    )
