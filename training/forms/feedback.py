"""A few taps on how a training was."""

from django import forms
from django.utils.translation import gettext_lazy as _

from training.feedback import SCALE, STATEMENTS


class FeedbackForm(forms.Form):
    comment = forms.CharField(
        label=_("What should we do differently?"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3, "class": "form-control"}),
    )

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        for statement in STATEMENTS:
            self.fields[statement.name] = forms.TypedChoiceField(
                label=statement.text,
                choices=list(SCALE.items()),
                coerce=int,
                widget=forms.RadioSelect,
                error_messages={"required": _("Tap a number from 1 to 5.")},
            )

    @property
    def statements(self) -> list[forms.BoundField]:
        """What one agrees with or not."""
        return [self[statement.name] for statement in STATEMENTS]

    @property
    def scores(self) -> dict[str, int]:
        """1 to 5, by statement."""
        return {statement.name: self.cleaned_data[statement.name] for statement in STATEMENTS}
