"""Which two families are one, and who of a family goes."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from families.models import Caregiver, Family, Student

STAYS, GOES, BOTH = "stays", "goes", "both"
CHILD_CHOICES = [(STAYS, _("Stays")), (GOES, _("Goes"))]
CAREGIVER_CHOICES = [*CHILD_CHOICES, (BOTH, _("Of both"))]


class SplitForm(forms.Form):
    """Of each child and caregiver: stays, goes, or (a caregiver) is of both families."""

    def __init__(self, *args: Any, family: Family, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people: dict[str, Student | Caregiver] = {}
        for child in family.children:
            self._ask(f"child-{child.pk}", child, child.called, CHILD_CHOICES)
        for person in family.standing:
            self._ask(f"caregiver-{person.pk}", person, str(person), CAREGIVER_CHOICES)

    def _ask(self, name: str, person: Student | Caregiver, label: str, choices: list) -> None:
        self.people[name] = person
        self.fields[name] = forms.ChoiceField(label=label, choices=choices, initial=STAYS)

    def chosen(self, kind: type, answer: str) -> list[Any]:
        return [
            person
            for name, person in self.people.items()
            if isinstance(person, kind) and self.cleaned_data.get(name) == answer
        ]

    @property
    def children(self) -> list[Student]:
        return self.chosen(Student, GOES)

    @property
    def moving(self) -> list[Caregiver]:
        return self.chosen(Caregiver, GOES)

    @property
    def both(self) -> list[Caregiver]:
        return self.chosen(Caregiver, BOTH)
