"""Who goes together all year."""

from django import forms
from django.utils.translation import gettext_lazy as _

from pthv.models import Educator, School
from visits.models import TeamMember

SELECT = {"class": "form-select"}


class Named(forms.ModelChoiceField):
    widget = forms.Select(attrs=SELECT)


class PairForm(forms.Form):
    """Two, or three, of those who are `here` at a school; the first leads."""

    lead = Named(Educator.objects.none(), label=_("Leads"), empty_label=_("Choose somebody"))
    partner = Named(
        Educator.objects.none(), label=_("Goes along"), empty_label=_("Choose somebody")
    )
    third = Named(
        Educator.objects.none(), label=_("Third"), empty_label=_("Nobody else"), required=False
    )

    def __init__(self, *args, school: School, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.school = school
        here = Educator.objects.at(school).by_name()
        self.here = list(here)
        named = [(one.pk, str(one)) for one in self.here]
        for field in self.fields.values():
            field.queryset = here
            # Read once for all three.
            field.choices = [("", field.empty_label), *named]

    @property
    def people(self) -> list[Educator]:
        """Whoever was chosen, the lead first."""
        chosen = (self.cleaned_data[name] for name in ("lead", "partner", "third"))
        return [person for person in chosen if person]


class PairAnswerForm(forms.Form):
    answer = forms.ChoiceField(choices=TeamMember.Answer)
