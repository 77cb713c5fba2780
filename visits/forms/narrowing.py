"""Which of the families: of a school, a grade, a class or a language. Never by what a child did."""

from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from families.models import Enrollment, SchoolClass, Student, grade_in_words
from pthv import languages
from pthv.access import Can
from pthv.models import School, SchoolYear, User
from pthv.requests import id_of
from visits.models.invitation import InvitationQuerySet

MOST_LISTED = 100
GRADES = ("PK", "TK", "KG", *(f"{year:02}" for year in range(1, 13)))
ANY = ("", _("Any"))


class NarrowForm(forms.Form):
    """Filters of the list of families; they live in the address, and an unknown one finds nobody.

    A program of more schools than a list can hold is asked for the beginning of the name.
    """

    school = forms.CharField(label=_("School"), required=False, max_length=120)
    school_class = forms.CharField(label=_("Class"), required=False, max_length=20)
    grade = forms.ChoiceField(label=_("Grade"), required=False)
    language = forms.ChoiceField(label=_("Language"), required=False)

    def __init__(self, data: Any, *, user: User, program: Any) -> None:
        super().__init__(data)
        self.user, self.program = user, program
        self.fields["grade"].choices = [ANY, *((one, grade_in_words(one)) for one in GRADES)]
        named = sorted((str(name), tag) for tag, name in languages.NAMES.items())
        self.fields["language"].choices = [ANY, *((tag, name) for name, tag in named)]
        for field in self.fields.values():
            listed = isinstance(field.widget, forms.Select)
            field.widget.attrs["class"] = "form-select" if listed else "form-control"

    def offer(self) -> "NarrowForm":
        """With the schools and classes that one may choose from."""
        reach = self.user.reach(Can.SEE_FAMILIES)
        schools = School.objects.all()
        if not reach.program:
            schools = schools.filter(pk__in=reach.schools | reach.own_schools)
        listed = list(schools.values_list("pk", "name")[: MOST_LISTED + 1])
        self._choose("school", listed)
        only = listed[0][0] if len(listed) == 1 else id_of(self.data.get("school", ""))
        classes = SchoolClass.objects.filter(
            school__in=schools.filter(pk=only), left_on=None, school_year__in=self._year()
        )
        self._choose("school_class", list(classes.values_list("pk", "title")[: MOST_LISTED + 1]))
        return self

    def _choose(self, name: str, listed: list[tuple[int, str]]) -> None:
        if not listed and name == "school_class":
            self.fields[name].widget = forms.HiddenInput()
        elif len(listed) <= MOST_LISTED:
            self.fields[name].widget = forms.Select(
                {"class": "form-select"}, choices=[ANY, *listed]
            )

    def _year(self) -> Any:
        return SchoolYear.objects.at_hand(self.program.today).values("pk")

    def narrow(self, found: InvitationQuerySet) -> InvitationQuerySet:
        """Those of `found` that every filter lets through."""
        if not self.is_valid():
            return found.none()
        said = self.cleaned_data
        if said["school"]:
            pk = id_of(said["school"])
            named = Q(school__name__istartswith=said["school"])
            found = found.filter(named if pk is None else Q(school=pk))
        if tag := said["language"]:
            dialects = Q(family__language__startswith=f"{tag}-")
            found = found.filter(Q(family__language=tag) | dialects)
        students = Student.objects.enrolled()
        if said["grade"]:
            found = found.filter(family__in=students.filter(grade=said["grade"]).values("family"))
        if said["school_class"]:
            pk = id_of(said["school_class"])
            inside = Enrollment.objects.filter(school_class=pk or 0, left_on=None)
            of_class = students.filter(pk__in=inside.values("student"))
            found = found.filter(family__in=of_class.values("family"))
        return found

    @property
    def used(self) -> bool:
        """Whether any filter is set."""
        return any(self.data.get(name) for name in self.fields)
