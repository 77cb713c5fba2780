"""What a family may say beside its answer; read by families, and none of it needed."""

import datetime
from collections.abc import Iterator
from itertools import groupby

from django import forms
from django.utils.translation import gettext_lazy as _

from pthv.models import School
from visits.answers import Wishes
from visits.family_page import DAYS, PARTS, PLACES
from visits.models import Invitation

WEEKEND = {"sat", "sun"}
WAITS = {"14": _("In two weeks"), "30": _("In a month"), "91": _("In three months")}
HOURS = {
    "morning": (datetime.time(8), datetime.time(12)),
    "afternoon": (datetime.time(12), datetime.time(17)),
    "evening": (datetime.time(17), datetime.time(20)),
}


class AnswerForm(forms.Form):
    """No, thank you: nothing more to say, and no reason to give."""

    use_required_attribute = False

    def __init__(self, *args, invitation: Invitation, **kwargs) -> None:
        self.invitation = invitation
        super().__init__(*args, **kwargs)

    @property
    def later_on(self) -> datetime.date | None:
        return None

    @property
    def wishes(self) -> Wishes:
        return Wishes()


class TimesForm(AnswerForm):
    """Please call: which times suit them."""

    times = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args, invitation: Invitation, **kwargs) -> None:
        super().__init__(*args, invitation=invitation, **kwargs)
        self.fields["times"].choices = [
            (f"{day}-{part}", PARTS[part]) for day in DAYS for part in self.parts(day)
        ]
        self.initial.setdefault("times", invitation.times)

    def parts(self, day: str) -> list[str]:
        """Of which times of this day there is a choice."""
        return [] if day in WEEKEND else list(PARTS)

    def days(self) -> Iterator[tuple[str, list]]:
        """Each day by its name, with its boxes."""
        boxes = self["times"]
        for day, of_day in groupby(boxes, lambda box: box.data["value"].partition("-")[0]):
            yield str(DAYS[day]), list(of_day)

    @property
    def wishes(self) -> Wishes:
        return Wishes(times=tuple(self.cleaned_data["times"]))


class YesForm(TimesForm):
    """Yes: where, when, and whether somebody should interpret."""

    place_wanted = forms.ChoiceField(
        label=_("Where would you like to meet?"), choices=PLACES, widget=forms.RadioSelect
    )
    interpreter_wanted = forms.BooleanField(label=_("An interpreter, please"), required=False)
    field_order = ("place_wanted", "interpreter_wanted", "times")

    def __init__(self, *args, invitation: Invitation, **kwargs) -> None:
        super().__init__(*args, invitation=invitation, **kwargs)
        said = invitation if invitation.answered_at else invitation.family
        self.initial.setdefault("place_wanted", invitation.place_wanted or "home")
        self.initial.setdefault("interpreter_wanted", said.interpreter_wanted)

    def parts(self, day: str) -> list[str]:
        """No visit is within the school's contract day, so that nobody is offered one."""
        busy = None if day in WEEKEND else self.invitation.school
        return [part for part in PARTS if not busy or _has_room(part, busy)]

    @property
    def wishes(self) -> Wishes:
        return Wishes(
            place=self.cleaned_data["place_wanted"],
            interpreter=self.cleaned_data["interpreter_wanted"],
            times=tuple(self.cleaned_data["times"]),
        )


def _has_room(part: str, school: School) -> bool:
    starts, ends = HOURS[part]
    return starts < school.contract_day_starts or ends > school.contract_day_ends


class LaterForm(AnswerForm):
    """Not now: from when on they may be asked again."""

    wait = forms.ChoiceField(
        label=_("When may we ask you again?"),
        choices=WAITS,
        initial="30",
        widget=forms.RadioSelect,
    )

    @property
    def later_on(self) -> datetime.date:
        days = datetime.timedelta(days=int(self.cleaned_data["wait"]))
        return self.invitation.program.today + days


FORMS = {"yes": YesForm, "later": LaterForm, "no": AnswerForm, "call": TimesForm}
