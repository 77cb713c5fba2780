"""By which key a plan means a family: its household in the files, or the family's own id."""

from collections.abc import Collection, Iterable

from django.db.models import Q, QuerySet

from families.models import Family, Student

from .chunks import CHUNK, chunks

# A family that no file named, by its own id: no cell of a file begins with a space.
UNNAMED = " #"
# The household of a family that a person split from another.
SPLIT = "split:"


def families_of_students() -> dict[str, str | None]:
    """Each student's family, as `held` knows it; None where there is none yet."""
    found = Student.objects.values_list("source_id", "family", "family__source_id")
    return {
        student: household or (family and f"{UNNAMED}{family}")
        for student, family, household in found.iterator(CHUNK)
    }


def merged_households() -> dict[str, str]:
    """The households of families that were merged, and which is meant by each now."""
    merged = Family.objects.exclude(merged_into=None).values_list("pk", "source_id", "merged_into")
    into = {pk: keep for pk, _household, keep in merged}

    def last(pk: int) -> int:
        while pk in into:
            pk = into[pk]
        return pk

    kept = {household: last(pk) for pk, household, _keep in merged if household}
    now = dict(Family.objects.filter(pk__in=kept.values()).values_list("pk", "source_id"))
    return {household: now[pk] or f"{UNNAMED}{pk}" for household, pk in kept.items()}


def known_households(households: Collection[str]) -> set[str]:
    """Which of these an earlier file brought."""
    found: set[str] = set()
    for some in chunks(households):
        found.update(Family.objects.filter(source_id__in=some).values_list("source_id", flat=True))
    return found


def is_unnamed(key: str) -> bool:
    return key.startswith(UNNAMED)


def key(family: Family) -> str:
    return family.source_id or f"{UNNAMED}{family.pk}"


def families(keys: Iterable[str]) -> QuerySet[Family]:
    """The families that these keys mean."""
    keys = list(keys)
    unnamed = [int(key.removeprefix(UNNAMED)) for key in keys if is_unnamed(key)]
    return Family.objects.filter(Q(source_id__in=keys) | Q(pk__in=unnamed))
