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


def merged() -> dict[int, int]:
    """Of each family that was merged, the one that it is part of now."""
    gone = Family.objects.exclude(merged_into=None).values_list("pk", "merged_into")
    into: dict[int, int] = dict(gone)

    def last(pk: int) -> int:
        while pk in into:
            pk = into[pk]
        return pk

    return {pk: last(pk) for pk in into}


def merged_households() -> dict[str, str]:
    """The households of families that were merged, and which is meant by each now."""
    into = merged()
    gone = Family.objects.filter(pk__in=list(into)).exclude(source_id="")
    kept = {household: into[pk] for pk, household in gone.values_list("pk", "source_id")}
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
