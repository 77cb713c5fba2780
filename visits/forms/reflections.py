"""What a visitor thinks afterwards; seen by that visit's visitors only."""

from django import forms
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from visits.forms.themes import ThemesField
from visits.models import Reflection, ReflectionTheme, Theme
from visits.models.theme import TO_TAP


class ReflectionForm(forms.ModelForm):
    themes = ThemesField(
        label=_("In a word, it was about"),
        help_text=_("Counted only among many, and never with your name."),
    )
    would_help = forms.CharField(
        label=_("Something that would help?"),
        required=False,
        max_length=300,
        help_text=_("Your coordinator reads it, without your name."),
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )

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

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        taps = ReflectionTheme.objects.filter(reflection=self.instance.pk, theme=OuterRef("pk"))
        themes = Theme.objects.learned().to_tap(Exists(taps)).values(*TO_TAP)
        self.initial["themes"] = self.fields["themes"].offer(themes)
