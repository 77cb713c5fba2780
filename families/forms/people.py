"""What a person puts right about a family, its caregivers and children."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from phonenumber_field.formfields import PhoneNumberField

from families.models import Caregiver
from families.people import CAREGIVER_FIELDS, FAMILY_FIELDS, STUDENT_FIELDS
from families.roster.values import language
from pthv import languages
from pthv.tables.problems import BadValue

CONTROL = {"class": "form-control"}


class LanguageField(forms.CharField):
    """A language by its name or its tag (BCP 47): kept as the tag."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={**CONTROL, "list": "languages", "autocomplete": "off"})
        super().__init__(max_length=40, widget=widget, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return str(languages.NAMES.get(value, value))

    def clean(self, value: Any) -> str:
        typed = super().clean(value)
        named = {str(name).casefold(): tag for tag, name in languages.NAMES.items()}
        try:
            return named.get(typed.casefold()) or language(typed)
        except BadValue as refused:
            raise forms.ValidationError(str(refused)) from None


def text(label: Any, length: int, *, required: bool = False, **more: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=length,
        required=required,
        widget=forms.TextInput(attrs=CONTROL),
        **more,
    )


def tick(label: Any) -> forms.BooleanField:
    return forms.BooleanField(label=label, required=False)


class RowForm(forms.Form):
    """Fields of one row, which they start from; `without`: those that aren't shown."""

    fields_of: tuple[str, ...] = ()

    def __init__(
        self, *args: Any, row: Any = None, without: tuple[str, ...] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.row = row
        for name in without:
            del self.fields[name]
        if row is not None:
            self.initial = {name: getattr(row, name) for name in self.fields}


class FamilyForm(RowForm):
    fields_of = FAMILY_FIELDS
    address_hidden = False
    surnames = text(gettext_lazy("Surnames, as the family gives them"), 160, required=True)
    language = LanguageField(label=gettext_lazy("Language they like to be written to in"))
    interpreter_wanted = tick(gettext_lazy("They would like an interpreter"))
    address = text(gettext_lazy("Where they live"), 300)
    address_confidential = tick(
        gettext_lazy("Confidential: shown only to the visitors, from the day before a visit")
    )

    def hide_address(self) -> None:
        """Ask for a new address alone: the one that is kept is not shown here."""
        self.address_hidden = True
        self.initial.pop("address", None)
        self.fields["address"].label = _("New address")
        self.fields["address"].help_text = _(
            "The one we have is confidential. Leave this empty to keep it."
        )


class StudentForm(RowForm):
    fields_of = STUDENT_FIELDS
    preferred_name = text(gettext_lazy("What they like to be called"), 80)
    display_name = text(
        gettext_lazy("Whole name as the family writes it"),
        160,
        help_text=gettext_lazy("In any script. Leave it empty where the roster's is right."),
    )


class CaregiverForm(RowForm):
    fields_of = CAREGIVER_FIELDS
    given_name = text(gettext_lazy("Given name"), 80)
    family_name = text(gettext_lazy("Family name"), 80)
    preferred_name = text(gettext_lazy("What they like to be called"), 80)
    display_name = text(
        gettext_lazy("Whole name as they write it"),
        160,
        help_text=gettext_lazy("In any script. Leave it empty where given and family name do."),
    )
    relation = text(gettext_lazy("Relation to the children"), 40)
    phone = PhoneNumberField(label=gettext_lazy("Phone"), required=False)
    email = forms.EmailField(
        label=gettext_lazy("E-mail"), required=False, widget=forms.EmailInput(attrs=CONTROL)
    )
    language = LanguageField(label=gettext_lazy("Language"))
    preferred_channel = forms.ChoiceField(
        label=gettext_lazy("They like best to be reached by"), choices=Caregiver.Channel
    )
    may_be_contacted = tick(gettext_lazy("May be contacted"))
    may_decide = tick(gettext_lazy("May decide about visits"))
    may_read = tick(gettext_lazy("May read what is written about visits"))

    CONTACT = ("phone", "email", "preferred_channel")

    def __init__(self, *args: Any, region: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "phone" in self.fields:
            self.fields["phone"] = PhoneNumberField(
                label=self.fields["phone"].label,
                required=False,
                region=region,
                widget=forms.TextInput(attrs={**CONTROL, "type": "tel", "inputmode": "tel"}),
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        names = ("given_name", "family_name")
        asked = [name for name in names if name in self.fields]
        if asked and not any(cleaned.get(name, getattr(self.row, name, "")) for name in names):
            self.add_error(asked[0], _("Give at least one name."))
        return cleaned


class EndForm(forms.Form):
    """Why somebody has no say any more."""

    because = text(gettext_lazy("Why"), 255, required=True)
