"""What a visitor writes down in the car: taps first, and only what the family may read."""

from django import forms
from django.utils.translation import gettext_lazy as _

from pthv import languages
from visits import logs
from visits.models import Visit, VisitLog


def words(label, placeholder) -> forms.CharField:
    """A dictation-friendly box; 4,000 characters at most, and never required."""
    return forms.CharField(
        label=label,
        required=False,
        max_length=4000,
        widget=forms.Textarea(
            attrs={"rows": 2, "placeholder": placeholder, "class": "form-control"}
        ),
    )


class LogForm(forms.Form):
    minutes = forms.TypedChoiceField(
        label=_("How long"),
        coerce=int,
        choices=[(n, _("%s min") % n) for n in (20, 30, 40, 50, 60, 90)],
        initial=40,
    )
    adults_present = forms.TypedChoiceField(
        label=_("Adults there"), coerce=int, choices=[(n, str(n)) for n in range(1, 7)], initial=1
    )
    student_present = forms.BooleanField(
        label=_("The child was there"), required=False, initial=True
    )
    language = forms.ChoiceField(
        label=_("Language"),
        choices=languages.COMMON.items,
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    hopes = words(_("Hopes and dreams, in the family's words"), _("“That he loves to read.”"))
    strengths = words(_("Strengths and interests"), _("Builds radios with his uncle"))
    class_change = words(_("One thing we will change in class"), _("Bring radios into science"))
    promise = forms.CharField(
        label=_("One promise"),
        required=False,
        max_length=255,
        widget=forms.TextInput(
            attrs={"placeholder": _("Send the library card form"), "class": "form-control"}
        ),
    )
    promise_due_on = forms.DateField(
        label=_("We keep it by"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date", "class": "form-control"}, format="%Y-%m-%d"),
    )
    seen = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def __init__(self, *args, visit: Visit, log: VisitLog | None = None, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        spoken = visit.family.language.split("-")[0].lower()
        self.initial["language"] = spoken if spoken in languages.COMMON else "und"
        if log is None:
            return
        promise = visit.follow_ups.open().first()
        self.initial.update({name: getattr(log, name) for name in logs.FACTS})
        self.initial.update(
            seen=logs.version(log),
            promise=promise.promise if promise else "",
            promise_due_on=promise.due_on if promise else None,
        )

    @property
    def entry(self) -> logs.Entry:
        fields = {name: value for name, value in self.cleaned_data.items() if name != "seen"}
        return logs.Entry(**fields)
