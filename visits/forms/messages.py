"""A program's own words for what families are sent."""

from typing import Any

from django import forms
from django.utils.translation import get_language_info
from django.utils.translation import gettext_lazy as _

from visits import family_wording
from visits.family_words import Words


class WordingForm(forms.Form):
    """Subject and text of one kind of message in one language."""

    subject = forms.CharField(
        label=_("Subject of the e-mail"),
        max_length=120,
        required=False,
        help_text=_("It shows on locked phones: no names in it."),
    )
    body = forms.CharField(
        label=_("What it says"),
        max_length=1200,
        required=False,
        widget=forms.Textarea(attrs={"rows": 6}),
    )

    def __init__(self, *args: Any, kind: str, language: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        if kind == "call":
            del self.fields["subject"]
        direction = "rtl" if get_language_info(language)["bidi"] else "ltr"
        for field in self.fields.values():
            field.widget.attrs |= {"lang": language, "dir": direction}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and (reasons := family_wording.blockers(self.kind, self.words)):
            self.add_error(None, reasons)
        return cleaned

    @property
    def words(self) -> Words:
        """What was typed, as far as it can be used."""
        typed = getattr(self, "cleaned_data", {})
        return Words(typed.get("subject", ""), typed.get("body", ""))
