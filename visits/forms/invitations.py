"""What a person records about an invitation."""

import datetime

from django import forms
from django.utils.translation import gettext_lazy as _

from families.models import Caregiver, Family
from pthv.models import Educator
from visits.models import ContactAttempt, Invitation


class AttemptForm(forms.Form):
    """How the family was contacted, whom, and how it went; what they said where that is clear."""

    OUTCOMES = [
        (ContactAttempt.Outcome.NO_ANSWER, _("No answer")),
        (ContactAttempt.Outcome.LEFT_MESSAGE, _("Left a message")),
        (ContactAttempt.Outcome.WRONG_NUMBER, _("Wrong number")),
        (ContactAttempt.Outcome.REACHED, _("We talked")),
        (Invitation.State.ACCEPTED, _("They said yes")),
        (Invitation.State.LATER, _("Not now, in a month")),
        (Invitation.State.DECLINED, _("No, thank you")),
    ]
    channel = forms.ChoiceField(choices=ContactAttempt.Channel, label=_("How"))
    outcome = forms.ChoiceField(choices=OUTCOMES, label=_("How it went"))
    caregiver = forms.ModelChoiceField(
        Caregiver.objects.none(), required=False, label=_("Whom"), empty_label=_("The family")
    )

    def __init__(self, *args, family: Family, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["caregiver"].queryset = Caregiver.objects.filter(
            family=family, may_be_contacted=True, ended_on=None
        )


class AnswerForm(forms.Form):
    """The family's own answer."""

    ANSWERS = [
        (Invitation.State.ACCEPTED, _("Yes")),
        (Invitation.State.LATER, _("Not now")),
        (Invitation.State.DECLINED, _("No, thank you")),
    ]
    answer = forms.ChoiceField(choices=ANSWERS, label=_("Their answer"))
    later_on = forms.DateField(
        required=False,
        label=_("Ask again from"),
        widget=forms.DateInput(attrs={"type": "date", "class": "form-control"}, format="%Y-%m-%d"),
    )

    def __init__(self, *args, today: datetime.date, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.tomorrow = today + datetime.timedelta(days=1)
        self.fields["later_on"].widget.attrs["min"] = self.tomorrow.isoformat()

    def clean(self) -> dict:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("answer") == Invitation.State.LATER and "later_on" not in self.errors:
            later_on = cleaned.get("later_on")
            if later_on is None or later_on < self.tomorrow:
                message = _("Choose the day from which the family may be asked again.")
                self.add_error("later_on", message)
        return cleaned


class ReopenForm(forms.Form):
    """Why a family that said no may be asked again."""

    because = forms.CharField(
        max_length=255,
        label=_("How the family opened the door"),
        widget=forms.TextInput(attrs={"class": "form-control"}),
    )


class Picks(forms.SelectMultiple):
    """Several selects of one name; one left empty is nobody."""

    def value_from_datadict(self, data, files, name) -> list[str]:
        return [value for value in super().value_from_datadict(data, files, name) or [] if value]


class TeamForm(forms.Form):
    """Who goes along with the educator who asked."""

    partners = forms.ModelMultipleChoiceField(
        Educator.objects.none(),
        label=_("Partner"),
        widget=Picks,
        error_messages={"required": _("Choose a partner.")},
    )

    def __init__(self, *args, invitation: Invitation, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["partners"].queryset = (
            Educator.objects.at(invitation.school)
            .exclude(pk=invitation.educator_id)
            .select_related("user")
            .order_by("user__family_name", "user__given_name", "pk")
        )

    def clean_partners(self) -> list[Educator]:
        return list(self.cleaned_data["partners"])
