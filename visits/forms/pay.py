"""Approving and reversing pay."""

from django import forms
from django.utils.translation import gettext_lazy as _

from visits.models import FundingSource, PayLine


class ApprovalForm(forms.Form):
    """Lines ticked on the page, and the fund that pays for them."""

    lines = forms.ModelMultipleChoiceField(
        PayLine.objects.none(),
        error_messages={
            "required": _("Tick the lines to approve."),
            "invalid_choice": _("One of these lines is not yours to approve."),
        },
    )
    fund = forms.ModelChoiceField(
        FundingSource.objects.none(),
        label=_("Pay from"),
        empty_label=None,
        error_messages={"required": _("Choose the fund that pays.")},
    )

    def __init__(self, *args, lines, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["lines"].queryset = lines
        self.fields["fund"].queryset = FundingSource.objects.order_by("ends_on", "pk")


class ReversalForm(forms.Form):
    """Why a line is taken back."""

    because = forms.CharField(label=_("Why"), max_length=255)
