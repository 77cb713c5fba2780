"""Where each visit of a day goes."""

import datetime

from django import forms
from django.utils.translation import gettext_lazy as _

from visits.models import Visit
from visits.moving_days import Proposal

CANCEL = "cancel"


class MoveDayForm(forms.Form):
    """One choice for each visit: a time that was proposed, to leave it, or to cancel it."""

    def __init__(self, *args, proposals: list[Proposal], **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.proposals = proposals
        for proposal in proposals:
            times = [(time.value, time.value) for time in proposal.times]
            self.fields[f"visit-{proposal.visit.pk}"] = forms.ChoiceField(
                choices=[*times, ("", _("Leave it")), (CANCEL, _("Cancel"))], required=False
            )

    @property
    def chosen(self) -> dict[Visit, datetime.datetime | None]:
        """When each visit shall be; None: never. Those to be left are not among them."""
        found: dict[Visit, datetime.datetime | None] = {}
        for proposal in self.proposals:
            said = self.cleaned_data[f"visit-{proposal.visit.pk}"]
            if said:
                found[proposal.visit] = (
                    None if said == CANCEL else datetime.datetime.fromisoformat(said)
                )
        return found
