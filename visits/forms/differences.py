"""Two have written the same thing: what differs, and what a person chooses to keep of it."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _

from pthv import wording

PREFIX = "keep_"
THEIRS, MINE, BOTH = "theirs", "mine", "both"


@dataclass(frozen=True)
class Difference:
    """A field that says something else in what is saved (`theirs`) than in what was sent."""

    field: forms.BoundField
    theirs: Any
    mine: Any

    @property
    def is_text(self) -> bool:
        """Words, to be written on."""
        return type(self.field.field) is forms.CharField

    @property
    def adds_up(self) -> bool:
        """Words or a list, of which both can be kept."""
        return self.is_text or isinstance(self.field.field, forms.MultipleChoiceField)

    @property
    def label(self) -> str:
        """What it is, and of whom where several are asked about."""
        whom = self.field.field.widget.attrs.get("data-of")
        return f"{whom}: {self.field.label}" if whom else str(self.field.label)

    @property
    def name(self) -> str:
        return PREFIX + self.field.name

    @property
    def chosen(self) -> str:
        """Both, unless chosen otherwise; of a fact, what is saved."""
        return BOTH if self.adds_up else THEIRS

    @property
    def choices(self) -> list[tuple[str, str]]:
        both = [(BOTH, _("Both"))] if self.adds_up else []
        return [*both, (THEIRS, _("The saved one")), (MINE, _("Mine"))]

    @property
    def said_theirs(self) -> str:
        return self._said(self.theirs)

    @property
    def said_mine(self) -> str:
        return self._said(self.mine)

    def _said(self, value: Any) -> str:
        if isinstance(value, bool):
            return _("Yes") if value else _("No")
        if isinstance(self.field.field, forms.DateField):
            return wording.day(value) if value else ""
        names = dict(getattr(self.field.field, "choices", ()))
        if isinstance(value, list):
            return wording.listed(names[one] for one in value if one in names)
        return str(names.get(value, value or ""))


def between(
    mine: forms.BaseForm, theirs: forms.BaseForm, *, apart: tuple[str, ...] = ()
) -> list[Difference]:
    """The visible fields in which what was sent differs from what `theirs` begins with; not
    those that are kept `apart`, so that nothing is known of what was saved."""
    found = []
    for field in mine.visible_fields():
        if field.name in apart or field.name not in theirs.fields:
            continue
        saved, sent = theirs[field.name].initial, mine.cleaned_data.get(field.name)
        if isinstance(field.field, forms.MultipleChoiceField):
            saved, sent = sorted(saved or []), sorted(field.value() or [])
        if (saved or sent) and saved != sent:
            found.append(Difference(field, saved, sent))
    return found


def settle(data: QueryDict, theirs: forms.BaseForm) -> None:
    """Put into what was sent what a person chose of each field: theirs, mine, or both."""
    for field in theirs.visible_fields():
        choice, saved = data.get(PREFIX + field.name, ""), field.initial
        if isinstance(field.field, forms.MultipleChoiceField):
            sent = data.getlist(field.name)
            lists = {THEIRS: saved, BOTH: [*dict.fromkeys([*(saved or []), *sent])]}
            data.setlist(field.name, lists.get(choice, sent) or [])
        elif choice == THEIRS:
            data[field.name] = _written(saved)
        elif choice == BOTH:
            lines = "\n" if isinstance(field.field.widget, forms.Textarea) else "; "
            texts = dict.fromkeys(filter(None, (saved, data.get(field.name, ""))))
            data[field.name] = lines.join(texts)


def _written(value: Any) -> str:
    return "" if value is None else str(value)


def unchanged(mine: forms.BaseForm, found: list[Difference]) -> list[forms.BoundField]:
    """The other visible fields, which go along as they are."""
    differ = {one.field.name for one in found}
    return [field for field in mine.visible_fields() if field.name not in differ]
