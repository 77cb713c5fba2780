"""Which families a person may see, how much of each, and why: the one place that decides it.

An educator sees the families they invite or visit, and those of the children they teach this
year; a site coordinator those with a child enrolled, or an invitation, at their school; a
program coordinator all. Of a sister or brother at a school that isn't theirs, whoever works at
schools is told first name and grade, for that is who the family is, but neither school nor class.
"""

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.functions import Reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from families.households import earlier_students
from families.models import (
    AmendmentRequest,
    Caregiver,
    ClassTeacher,
    Enrollment,
    Family,
    Student,
    adults,
)
from families.models import children as children_of
from pthv import audit, clock, wording
from pthv.access import Can, Reach
from pthv.models import RecordView, SchoolYear, User, full_name
from visits.models import Invitation, Visit

LOOKS_READ, LOOKS_TOLD = 30, 5


def open_to(user: User, can: Can) -> QuerySet[Family]:
    """The families with which this person may do this; none that was merged into another."""
    families = Family.objects.filter(merged_into=None)
    if user.reach(can).program:
        return families
    of_family = {"family": OuterRef("pk")}
    allowed = (Q(Exists(rows.filter(**of_family))) for rows in _ways_to(user, can))
    return families.filter(reduce(or_, allowed))


def ids_open_to(user: User, can: Can) -> list[int] | None:
    """Who these families are, for whoever may see some of them; None: all of the program."""
    if user.reach(can).program:
        return None
    first, *more = (
        rows.filter(family__merged_into=None).exclude(family=None).order_by().values_list("family")
        for rows in _ways_to(user, can)
    )
    return [family for (family,) in first.union(*more)]


def _ways_to(user: User, can: Can) -> list[QuerySet[Any]]:
    """Whose families somebody may see who doesn't see all: the rows that lead there."""
    reach = user.reach(can)
    ways: list[QuerySet[Any]] = [Invitation.objects.open_to(user, can)]
    if reach.educators:
        ways.append(taught_by(reach))
    if reach.schools:
        ways.append(Student.objects.enrolled().filter(school__in=reach.schools))
    return ways


def without_a_no(ids: list[int]) -> list[int]:
    """Of these families, those whose contact data the page shows: none that said no."""
    no = said_no(ids)
    return [one for one in ids if one not in no]


def taught_by(reach: Reach) -> QuerySet[Student]:
    """The children of the classes that this person teaches in the school year at hand."""
    year = SchoolYear.objects.at_hand(timezone.localtime(clock.now()).date())
    taught = ClassTeacher.objects.filter(
        educator__in=reach.educators,
        school_class__school__in=reach.own_schools,
        school_class__school_year__in=year.values("pk"),
        school_class__left_on=None,
    )
    enrolled = Enrollment.objects.filter(
        student=OuterRef("pk"), left_on=None, school_class__in=taught.values("school_class")
    )
    return Student.objects.enrolled().filter(Exists(enrolled))


def schools(reach: Reach) -> frozenset[int]:
    """Where whoever has this reach works; nothing is hidden from the reach of the program."""
    return reach.schools | reach.own_schools


def proposals_open_to(
    user: User, can: Can, proposals: QuerySet[AmendmentRequest]
) -> QuerySet[AmendmentRequest]:
    """Of these corrections, those about nobody whose name this person may not be told."""
    reach = user.reach(can)
    if reach.program:
        return proposals
    return proposals.filter(Q(student=None) | Q(student__school__in=schools(reach)))


def children(family: Family, user: User, can: Can) -> list[Any]:
    """The family's children with their school and `class_titles` of this year; `known` says
    whether this person may be told these, `taught` whether they teach the child."""
    reach = user.reach(can)
    year = SchoolYear.objects.at_hand(timezone.localtime(clock.now()).date())
    titles = Enrollment.objects.filter(
        student=OuterRef("pk"), left_on=None, school_class__school_year__in=year.values("pk")
    )
    found = (
        Student.objects.enrolled()
        .filter(family=family)
        .select_related("school")
        .defer("folded", "searchable")
        .annotate(
            class_titles=ArraySubquery(
                titles.order_by("school_class__title").values("school_class__title")
            ),
            taught=Exists(taught_by(reach).filter(pk=OuterRef("pk"))),
        )
    )
    rows = list(found)
    for child in rows:
        child.known = reach.program or child.school_id in schools(reach)
    return rows


def said_no(found: Iterable[int]) -> set[int]:
    """Those of the families that said no, or one of whose children came from one that did."""
    # As `has_said_no` has it for lists, in fewer words: every tap of a family asks this.
    found = list(found)
    no = Invitation.objects.filter(state=Invitation.State.DECLINED).order_by()
    own = no.filter(family__in=found).values_list("family")
    came = earlier_students().filter(
        Exists(no.filter(family=OuterRef("family"))), pgh_obj__family__in=found
    )
    moved = came.order_by().values_list("pgh_obj__family")
    return {family for (family,) in own.union(moved)}


def with_twins(found: QuerySet[Family], user: User) -> QuerySet[Family]:
    """Families, and whether each `has_twin`: another one of this person's that has a phone of
    its caregivers', and so may be the same."""
    reach = user.reach(Can.MERGE_FAMILIES)
    standing = Caregiver.objects.filter(ended_on=None).exclude(phone="")
    phones = standing.annotate(backwards=Reverse("phone"))
    own = phones.filter(family=OuterRef(OuterRef("pk"))).values("backwards")
    others = phones.filter(
        ~Exists(_split(OuterRef("family"), OuterRef(OuterRef("pk")))),
        ~Exists(_split(OuterRef(OuterRef("pk")), OuterRef("family"))),
        program=OuterRef("program"),
        backwards__in=own,
        family__merged_into=None,
    ).exclude(family=OuterRef("pk"))
    if not reach.program:
        here = Student.objects.enrolled().filter(school__in=reach.schools)
        others = others.filter(Exists(here.filter(family=OuterRef("family"))))
    return found.annotate(has_twin=Exists(others))


def _split(one: Any, other: Any) -> QuerySet[Any]:
    """Whether a child of `one` was of `other` before: somebody said that these are two."""
    return earlier_students().filter(pgh_obj__family=one, family=other)


def with_looks(found: QuerySet[Family]) -> QuerySet[Family]:
    """Families with the names of those who looked at them last."""
    looks = RecordView.objects.filter(
        program=OuterRef("program"), subject_type="family", subject_id=OuterRef("pk")
    )
    names = looks.order_by("-pk").values(name=full_name("by__"))[:LOOKS_READ]
    return found.annotate(looked_names=ArraySubquery(names))


def looked(family: Any) -> list[str]:
    """Who looked at the family lately, each once, the last first."""
    return list(dict.fromkeys(filter(None, family.looked_names)))[:LOOKS_TOLD]


def why(user: User, can: Can, children: list[Any], invitations: list[Any]) -> list[str]:
    """Why this person may see this family, in sentences."""
    reach = user.reach(can)
    if reach.program:
        program = next(held.program for held in user.memberships if held.school_id is None)
        return [_("You coordinate %(where)s.") % {"where": program}]
    here = {child.school_id for child in children} | {one.school_id for one in invitations}
    coordinated = {
        str(held.school)
        for held in user.memberships
        if held.school_id in reach.schools and held.school_id in here
    }
    reasons = [_("You coordinate %(where)s.") % {"where": name} for name in sorted(coordinated)]
    if taught := [child.called for child in children if child.taught]:
        reasons.append(_("You teach %(names)s.") % {"names": wording.listed(taught)})
    own = [one for one in invitations if one.mine and one.school_id not in reach.schools]
    if any(one.educator_id in reach.educators for one in own):
        reasons.append(_("You were asked to invite this family."))
    elif own:
        reasons.append(_("You visit this family together with a colleague."))
    return reasons


def alike(found: QuerySet[Family], family: Family) -> QuerySet[Family]:
    """Those that may be the same family: a caregiver has a phone or an e-mail of this one's."""
    phones = [str(person.phone)[::-1] for person in family.standing if person.phone]
    emails = [person.email for person in family.standing if person.email]
    standing = Caregiver.objects.filter(program=family.program_id, ended_on=None)
    backwards = standing.annotate(backwards=Reverse("phone", output_field=TextField()))
    called = backwards.exclude(phone="").filter(backwards__in=phones)
    written = standing.exclude(email="").filter(email__in=emails)
    people = called.order_by().values("family").union(written.order_by().values("family"))
    alike = found.filter(
        ~Exists(_split(OuterRef("pk"), Value(family.pk))),
        ~Exists(_split(Value(family.pk), OuterRef("pk"))),
        pk__in=people,
    )
    alike = alike.exclude(pk=family.pk).order_by("pk")
    return alike.prefetch_related(children_of(), adults())


def way_there(visit: Visit, user: User, can: Can) -> str:
    """Where to go, for somebody who goes on this visit, once it is near; that is a look at it."""
    if visit.goes_home_soon and visit.family.address:
        audit.viewed(visit.family, by=user, reason=can, part="address")
        return visit.family.address
    if visit.is_near and visit.address:
        audit.viewed(visit, by=user, reason=can, part="address")
        return visit.address
    return ""


def address_is_open(family: Family, visits: list[Any], *, said_no: bool) -> bool:
    """Whether the family's address may be shown to somebody who may see the family.

    A confidential one is for those who go there, from the day before until the visit ends:
    `visits` are those of the family, with `mine` and `page_open` for whoever looks.
    """
    if not family.address:
        return False
    if not family.address_confidential:
        return not said_no
    return any(
        visit.mine and visit.page_open and visit.goes_home_soon
        for visit in visits
        if visit.family_id == family.pk
    )
