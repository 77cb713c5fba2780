"""What a visitor thinks afterwards; seen by that visit's visitors only."""

from django import forms
from django.utils.translation import gettext_lazy as _

from visits.models import Reflection


class ReflectionForm(forms.ModelForm):
    class Meta:
        model = Reflection
        fields = ["assumed", "learned", "will_do", "shared_with_debrief"]
        labels = {
            "assumed": _("What did you assume before?"),
            "learned": _("What did you learn?"),
            "will_do": _("What will you do?"),
            "shared_with_debrief": _("Share the theme with our school's debrief, without names"),
        }
        error_messages = {"learned": {"required": _("One line is enough: what did you learn?")}}
        widgets = {
            name: forms.Textarea(attrs={"rows": 2, "maxlength": 4000, "class": "form-control"})
            for name in ("assumed", "learned", "will_do")
        }
