"""Who goes instead of whom."""

from django import forms
from django.utils.translation import gettext_lazy as _

from pthv.models import Educator
from visits.models import Visit


class SwapForm(forms.Form):
    out = forms.ModelChoiceField(
        Educator.objects.none(),
        label=_("Who can't go"),
        error_messages={"required": _("Say who can't go.")},
    )
    to = forms.ModelChoiceField(
        Educator.objects.none(),
        label=_("Who goes instead"),
        error_messages={"required": _("Choose who goes instead.")},
    )

    def __init__(self, *args, visit: Visit, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        here = Educator.objects.select_related("user")
        going = [one.educator_id for one in visit.visitors]
        self.fields["out"].queryset = here.filter(pk__in=going)
        self.fields["to"].queryset = here.at(visit.school).exclude(pk__in=going)
