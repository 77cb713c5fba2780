"""Who stands at the door, and what they see there."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from pthv import accounts


class NumberForm(forms.Form):
    """Enough for whoever is logged in."""

    number = forms.CharField(
        label=_("The number on the screen now"),
        max_length=3,
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "off", "pattern": "[0-9]*"}
        ),
        error_messages={"required": _("Look at the screen and type its number.")},
    )


class SignInForm(NumberForm):
    name = forms.CharField(
        label=_("Your name"),
        max_length=160,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = forms.EmailField(
        label=_("Your school e-mail"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"}),
    )
    field_order = ("name", "email", "number")

    def clean_name(self) -> str:
        if name := accounts.plain_name(self.cleaned_data["name"]):
            return name
        raise ValidationError(_("Type your name."))
