"""Who interprets, and what they said."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from phonenumber_field.formfields import PhoneNumberField

from families.forms.people import CONTROL, LanguageField, text
from pthv import languages
from visits.models import Interpreter, InterpreterRequest


class LanguagesField(forms.CharField):
    """Languages by their names or tags, with commas between them; kept as a list of tags."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={**CONTROL, "autocomplete": "off"})
        super().__init__(max_length=200, widget=widget, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, (list, tuple)):
            return value
        return ", ".join(languages.name(tag) for tag in value)

    def clean(self, value: Any) -> list[str]:  # type: ignore[override]
        if isinstance(value, list):  # of a field that can't be changed
            return value
        one = LanguageField()
        typed = (part.strip() for part in super().clean(value).split(","))
        tags = [one.clean(part).split("-", maxsplit=1)[0] for part in typed if part]
        if not tags and self.required:
            raise forms.ValidationError(self.error_messages["required"], code="required")
        return list(dict.fromkeys(tags))


class InterpreterForm(forms.Form):
    """Somebody on the rota."""

    kind = forms.ChoiceField(
        label=gettext_lazy("Who they work for"),
        choices=[
            (Interpreter.Kind.STAFF, gettext_lazy("The district or a school (staff)")),
            (Interpreter.Kind.OUTSIDE, gettext_lazy("Somebody else (from outside)")),
        ],
    )
    given_name = text(gettext_lazy("Given name"), 80, required=True)
    family_name = text(gettext_lazy("Family name"), 80)
    languages = LanguagesField(
        label=gettext_lazy("Languages"),
        help_text=gettext_lazy("With commas between them, such as: Spanish, Vietnamese."),
    )
    email = forms.EmailField(
        label=gettext_lazy("E-mail"), required=False, widget=forms.EmailInput(attrs=CONTROL)
    )
    phone = PhoneNumberField(label=gettext_lazy("Phone"), required=False)
    hourly_rate = forms.DecimalField(
        label=gettext_lazy("Dollars an hour"),
        min_value=0,
        max_digits=7,
        decimal_places=2,
        required=False,
        help_text=gettext_lazy("Empty: not paid by the hour. Only you and they see it."),
        widget=forms.NumberInput(attrs={**CONTROL, "step": "0.01", "inputmode": "decimal"}),
    )
    adult = forms.BooleanField(
        label=gettext_lazy("This person is an adult, not a student"),
        error_messages={"required": gettext_lazy("Only adults interpret. Tick this to go on.")},
    )
    namesake = forms.BooleanField(
        label=gettext_lazy("An adult who happens to be called like a student here"),
        required=False,
    )

    def __init__(
        self, *args: Any, region: str, row: Interpreter | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.row = row
        self.fields["phone"] = PhoneNumberField(
            label=self.fields["phone"].label,
            required=False,
            region=region,
            help_text=_("They are asked by e-mail, or by text where there is only a number."),
            widget=forms.TextInput(attrs={**CONTROL, "type": "tel", "inputmode": "tel"}),
        )
        if row is not None:
            names = [name for name in self.fields if name not in {"adult", "namesake"}]
            self.initial = {name: getattr(row, name) for name in names} | {"adult": True}
        if row is not None and row.educator_id:
            # Who they are, and how they are reached, stands with their log-in.
            for name in ("given_name", "family_name", "email", "languages", "kind"):
                self.fields[name].disabled = True

    @property
    def facts(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        return {
            name: cleaned[name] for name in self.fields if name not in {"adult", "namesake"}
        } | {"phone": cleaned["phone"] or ""}


class MyInterpretingForm(forms.Form):
    """Whether an educator may be asked to interpret, too, and what."""

    willing = forms.BooleanField(label=gettext_lazy("You may ask me to interpret"), required=False)
    languages = LanguagesField(
        label=gettext_lazy("Languages I interpret"),
        required=False,
        help_text=gettext_lazy("With commas between them, such as: Spanish, Vietnamese."),
    )


class AnswerForm(forms.Form):
    """What an interpreter said on the phone."""

    interpreter = forms.ModelChoiceField(
        label=gettext_lazy("Who"),
        queryset=Interpreter.objects.none(),
        empty_label=None,
        error_messages={"invalid_choice": gettext_lazy("Choose somebody on the rota.")},
    )
    answer = forms.ChoiceField(
        choices=[("yes", gettext_lazy("Comes")), ("no", gettext_lazy("Can't come"))]
    )

    def __init__(self, *args: Any, request: InterpreterRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["interpreter"].queryset = Interpreter.objects.on_the_rota(  # type: ignore[attr-defined]
            request.language
        )
