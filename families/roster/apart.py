"""Families that a person made out of one: whoever stands in one, a file brings into no other."""

from collections.abc import Mapping

from families.households import earlier_students
from families.models import Family, Student

from .family_keys import SPLIT


def split_families(into: Mapping[int, int]) -> dict[int, set[int]]:
    """Of each family that a person split, all that it was one with before, and itself.

    `into` says of families that were merged since which they are part of now.
    """
    split = Family.objects.filter(source_id__startswith=SPLIT, merged_into=None)
    now = dict(Student.objects.filter(family__in=split).values_list("pk", "family"))
    earlier = earlier_students().filter(pgh_obj__in=list(now)).exclude(family=None)
    before = {
        student: into.get(family, family)
        for student, family in earlier.order_by("pgh_id").values_list("pgh_obj", "family")
        if family != now[student]
    }
    together: dict[int, set[int]] = {}
    for student, family in before.items():
        if family == now[student]:
            continue
        one = together.get(family, {family}) | together.get(now[student], {now[student]})
        together |= dict.fromkeys(one, one)
    return together
