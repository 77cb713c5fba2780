"""Forms that begin with a draft."""

from django import forms
from django.utils.datastructures import MultiValueDict

from visits.models import LogDraft


def begin_with(draft: LogDraft | None, form: forms.BaseForm) -> None:
    """Let a form begin with what stood on the page."""
    if draft is None:
        return
    texts = MultiValueDict(draft.data)
    for field in form.visible_fields():
        # A box that is not ticked is not there.
        ticks = isinstance(field.field, (forms.BooleanField, forms.MultipleChoiceField))
        if ticks or field.name in texts:
            form.initial[field.name] = field.field.widget.value_from_datadict(texts, {}, field.name)
