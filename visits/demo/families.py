"""Families as they are: parents who separated, one household told as two, a new number."""

import datetime

from django.db.models import Count, Q

from families import amendments, people
from families.models import Caregiver, Family
from pthv import clock
from pthv.models import Educator, Program, School, User
from visits import links, merging
from visits.models import FamilyLink, Invitation

STREETS = ["Cottonwood Lane", "Prairie Street", "Mill Road", "Old River Road", "Linden Avenue"]


def put_right(now: datetime.datetime, *, by: User) -> None:
    """What a coordinator did by hand, and two entries that wait for her."""
    schools = list(School.objects.order_by("pk"))
    with clock.at(now):
        _addresses(by)
        _separate(schools[0], by)
        _found_to_be_one(schools[0], schools[2], by)
        _told_twice(schools[3], by)


def link_of_one(program: Program) -> FamilyLink | None:
    """What a mother who was asked and reads Spanish opens from her message; the same each time
    until she has answered."""
    asked = Invitation.objects.of_year(program.today).filter(state=Invitation.State.ASKED)
    theirs = {"family__language": "es", "family__merged_into": None}
    for invitation in asked.filter(**theirs).order_by("pk")[:50]:
        for caregiver in invitation.family.reachable:
            if not links.blockers(invitation, caregiver):
                return links.mint(invitation, caregiver, by=None)
    return None


def _addresses(by: User) -> None:
    for number, family in enumerate(Family.objects.order_by("pk")[:40]):
        address = f"{120 + 7 * number} {STREETS[number % len(STREETS)]}"
        people.change_family(family, {"address": address}, by=by)


def _separate(school: School, by: User) -> None:
    """Two parents who live apart, each with a child; the mother is of both families, and where
    she lives is confidential."""
    here = Count("students", filter=Q(students__school=school), distinct=True)
    several = Family.objects.annotate(here=here).filter(here__gt=1)
    family = several.filter(caregivers__relation="father").order_by("pk")[0]
    father, mother = family.caregivers.order_by("relation")
    child = family.students.order_by("-pk")[0]
    theirs = merging.split(family, [child], [father], [mother], by=by)
    people.change_family(
        family, {"address": "4 Quiet Court, Apt. 12", "address_confidential": True}, by=by
    )
    people.change_family(theirs, {"address": "88 Mill Road", "address_confidential": False}, by=by)
    both = theirs.caregivers.get(relation="mother")
    people.change_caregiver(both, {"may_decide": False}, by=by)


def _found_to_be_one(school: School, other: School, by: User) -> None:
    """Brother and sister at two schools, whom the office had as two households."""
    (keep, gone), *_more = _namesakes(school, other)
    merging.merge(keep, gone, by=by)


def _told_twice(school: School, by: User) -> None:
    """Two households at one school that are one: the same mother, with the same phone."""
    (one, same), *_more = _namesakes(school, school)
    mother = one.caregivers.order_by("pk")[0]
    twin = same.caregivers.order_by("pk")[0]
    said = {name: getattr(mother, name) for name in ("given_name", "relation", "phone")}
    people.change_caregiver(twin, said, by=by)


def _namesakes(school: School, other: School) -> list[tuple[Family, Family]]:
    """Pairs of families of one surname with one child each, at these schools."""

    def only_children(at: School) -> list[Family]:
        alone = Family.objects.annotate(children_there=Count("students")).filter(children_there=1)
        return list(alone.filter(students__school=at).order_by("pk"))

    there = only_children(other)
    return [
        (one, another)
        for one in only_children(school)
        for another in there
        if one.surnames == another.surnames and one.pk < another.pk
    ]


def tell(now: datetime.datetime) -> None:
    """Yesterday somebody told Ana that their number is a new one."""
    ana = Educator.objects.select_related("user").get(user__email="educator@demo.example")
    asked = Caregiver.objects.filter(
        family__invitations__educator=ana, family__invitations__state="accepted", ended_on=None
    ).exclude(phone="")
    person = asked.select_related("family").order_by("pk")[0]
    with clock.at(now - datetime.timedelta(days=1)):
        amendments.propose(person.family, {"phone": "+15035550177"}, by=ana.user, caregiver=person)
