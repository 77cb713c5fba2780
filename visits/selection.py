"""Selection plans: everyone of a class, a grade or a school, or some of them drawn by lot.

Nobody is picked by hand.
"""

import datetime
import hashlib
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from families.households import families_ever
from families.models import ClassTeacher, Enrollment, SchoolClass, Student
from pthv import audit
from pthv.blocked import NotReady
from pthv.models import School, SchoolYear, User
from visits import families
from visits.models import Draw, Invitation, SelectionPlan, VisitKind


def population(
    school: School, school_class: SchoolClass | None = None, grade: str = ""
) -> QuerySet[Student]:
    """The students a plan is about: chosen by where they learn, and by nothing else."""
    students = Student.objects.enrolled().filter(school=school)
    if school_class:
        enrolled = Enrollment.objects.filter(school_class=school_class, left_on=None)
        return students.filter(pk__in=enrolled.values("student"))
    return students.filter(grade=grade) if grade else students


@dataclass(frozen=True)
class Scope:
    """Whom a plan is about: those who learn at a school, in one grade or one class of it."""

    school: School
    school_year: SchoolYear
    school_class: SchoolClass | None = None
    grade: str = ""


@dataclass(frozen=True)
class Found:
    """The families of a scope by their ids, in order, and who asks each of them."""

    families: list[int]
    askers: dict[int, int]
    said_no: set[int]
    without_family: int

    @property
    def may_be_asked(self) -> list[int]:
        return [family for family in self.families if family not in self.said_no]


def plan_everyone(
    school: School,
    school_year: SchoolYear,
    *,
    by: User,
    school_class: SchoolClass | None = None,
    grade: str = "",
    ask_by: datetime.date | None = None,
) -> SelectionPlan:
    """Plan to invite every family of a class, a grade or the school, each once a year.

    The invitations wait for the class's teacher, in roster order. Making the same plan
    again adds the families that have come since. A family that said no is not asked again,
    nor one that was asked this year before it was split from another.
    """
    scope = Scope(school, school_year, school_class, grade)
    with transaction.atomic():
        found = _find(scope)
        plan, _created = _plan(scope, SelectionPlan.Kind.EVERYONE, found, by=by, ask_by=ask_by)
        _invite(plan, found.may_be_asked, found)
        audit.record("plan.made", plan, by=by, families=len(found.families))
    return plan


def draw(
    school: School,
    school_year: SchoolYear,
    size: int,
    *,
    by: User,
    school_class: SchoolClass | None = None,
    grade: str = "",
    ask_by: datetime.date | None = None,
) -> SelectionPlan:
    """Plan to invite `size` families, drawn by lot among all of a class, a grade or the school.

    Those who said no are left out; nothing else that is known of a family plays a part. A
    plan is drawn once, so that nobody draws until a certain family comes: the same plan again
    is the one that stands, and `draw_more` adds to it.
    """
    scope = Scope(school, school_year, school_class, grade)
    with transaction.atomic():
        found = _find(scope)
        plan, created = _plan(scope, SelectionPlan.Kind.DRAW, found, by=by, ask_by=ask_by)
        if created:
            audit.record("plan.made", plan, by=by, families=len(found.families))
            _draw(plan, found, size, number=1, by=by)
        elif plan.draws.get(number=1).size != size:
            raise NotReady(
                _("Families were drawn here already. You can draw more of them on the plan's page.")
            )
    return plan


def draw_more(
    plan: SelectionPlan, size: int, *, after: int, by: User, because: str = ""
) -> Draw | None:
    """Draw `size` more of those not drawn yet, once all drawn before were asked, or `because` of
    a reason; None if draw number `after` isn't the last one, since somebody drew in the meantime,
    perhaps the same thumb."""
    scope = Scope(plan.school, plan.school_year, plan.school_class, plan.grade)
    with transaction.atomic():
        found = _find(scope)
        if plan.draws.count() != after:
            return None
        because = because.strip()
        if not because and (left := unasked(plan, plan.draws.all())):
            raise NotReady(
                ngettext(
                    "%(count)s drawn family is not asked yet. Ask it first, or say why not.",
                    "%(count)s drawn families are not asked yet. Ask them first, or say why not.",
                    left,
                )
                % {"count": left}
            )
        _plan(scope, SelectionPlan.Kind.DRAW, found, by=by)
        return _draw(plan, found, size, number=after + 1, by=by, because=because)


def unasked(plan: SelectionPlan, draws: Iterable[Draw]) -> int:
    """How many of the drawn families still wait to be asked, by whichever plan of the year."""
    drawn = {family for made in draws for family in made.drawn}
    asked_for = Invitation.objects.filter(
        school_year=plan.school_year_id, family__in=drawn, kind=VisitKind.FIRST
    )
    return asked_for.filter(state=Invitation.State.NOT_ASKED).without_a_no().count()


def lot(seed: str, population: Iterable[int], size: int) -> list[int]:
    """The first `size` of the families in the order that the seed puts them in."""

    def place(family: int) -> bytes:
        return hashlib.sha256(f"{seed}:{family}".encode()).digest()

    return sorted(population, key=place)[:size]


def record(made: Draw) -> bytes:
    """All that it takes to draw again: ids and the seed, always written the same way."""
    plan = made.plan
    return _canonical(
        {
            "program": made.program_id,
            "plan": made.plan_id,
            "school": plan.school_id,
            "school_year": plan.school_year_id,
            "school_class": plan.school_class_id,
            "grade": plan.grade,
            "number": made.number,
            "made_at": made.made_at.astimezone(datetime.UTC).isoformat(),
            "made_by": made.made_by_id,
            "because": made.because,
            "order": "sha256 of seed:family",
            "seed": made.seed,
            "size": made.size,
            "population": made.population,
            "drawn": made.drawn,
        }
    )


def redraw(kept: bytes) -> bytes:
    """Draw again from a record: byte for byte the same one, if it is what was drawn."""
    facts = json.loads(kept)
    facts["drawn"] = lot(facts["seed"], facts["population"], facts["size"])
    return _canonical(facts)


def matches(made: Draw) -> bool:
    """Whether drawing again from its record gives that very record."""
    kept = record(made)
    return redraw(kept) == kept


def _canonical(facts: dict[str, object]) -> bytes:
    return json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()


def _find(scope: Scope) -> Found:
    """Who is in the scope today; locks the school, so that two plans don't race."""
    if scope.school_year.ends_on < scope.school.program.today:
        raise NotReady(_("This school year is over. Choose another one."))
    School.objects.select_for_update(no_key=True).get(pk=scope.school.pk)
    students = list(
        population(scope.school, scope.school_class, scope.grade).order_by("family_id", "pk")
    )
    if not students:
        raise NotReady(
            _("No student of the roster is in this plan. Choose another class or grade.")
        )
    families_found = list(dict.fromkeys(s.family_id for s in students if s.family_id))
    askers = _who_asks(students, scope.school_year, scope.school_class)
    if unasked := [family for family in families_found if family not in askers]:
        raise NotReady(
            _("The roster names no teacher for %(count)s of these families. Import it again first.")
            % {"count": len(unasked)}
        )
    return Found(
        families=families_found,
        askers=askers,
        said_no=families.said_no(families_found),
        without_family=sum(1 for s in students if not s.family_id),
    )


def _plan(
    scope: Scope,
    kind: SelectionPlan.Kind,
    found: Found,
    *,
    by: User,
    ask_by: datetime.date | None = None,
) -> tuple[SelectionPlan, bool]:
    """The one plan of a kind for a scope, with what was found of it now; whether it is new."""
    found_now: dict[str, object] = {
        "students_without_family": found.without_family,
        "families_said_no_before": len(found.said_no),
    }
    if ask_by:
        found_now["ask_by"] = ask_by
    return SelectionPlan.objects.update_or_create(
        program_id=scope.school.program_id,
        school=scope.school,
        school_year=scope.school_year,
        kind=kind,
        school_class=scope.school_class,
        grade=scope.grade,
        defaults=found_now,
        create_defaults={"made_by": by} | found_now,
    )


def _draw(
    plan: SelectionPlan, found: Found, size: int, *, number: int, by: User, because: str = ""
) -> Draw:
    before = {family for earlier in plan.draws.all() for family in earlier.drawn}
    left = [family for family in found.may_be_asked if family not in before]
    if not 0 < size <= len(left):
        raise NotReady(
            ngettext(
                "There is %(count)s family to draw from. Choose a number up to that.",
                "There are %(count)s families to draw from. Choose a number up to that.",
                len(left),
            )
            % {"count": len(left)}
        )
    # The system's own dice: nobody types or chooses a seed.
    seed = secrets.token_hex(16)
    made = Draw.objects.create(
        program_id=plan.program_id,
        plan=plan,
        number=number,
        seed=seed,
        size=size,
        population=left,
        drawn=lot(seed, left, size),
        made_by=by,
        because=because,
    )
    _invite(plan, made.drawn, found)
    audit.record("plan.drawn", plan, by=by, number=number, size=size, families=len(left))
    return made


def _invite(plan: SelectionPlan, asked_for: list[int], found: Found) -> None:
    """Make their invitations in this order, but for those who were asked this year."""
    asked = _asked_before_a_split(asked_for, plan.school_year)
    Invitation.objects.bulk_create(
        (
            Invitation(
                program_id=plan.program_id,
                plan=plan,
                school=plan.school,
                school_year=plan.school_year,
                family_id=family,
                educator_id=found.askers[family],
            )
            for family in asked_for
            if family not in asked
        ),
        batch_size=1000,
        ignore_conflicts=True,  # already asked this year, by another plan
    )


def _asked_before_a_split(found: Iterable[int], school_year: SchoolYear) -> set[int]:
    """Those of the families whose every child was asked this year as another family's."""
    children = Student.objects.enrolled().filter(family__in=found)
    ever = families_ever(children)
    asked = set(
        Invitation.objects.filter(
            family__in={family for earlier in ever.values() for family in earlier},
            school_year=school_year,
            asked_at__isnull=False,
        ).values_list("family", flat=True)
    )
    were = [
        (family, bool((ever[child] - {family}) & asked))
        for child, family in children.values_list("pk", "family")
    ]
    return {family for family, was in were if was} - {family for family, was in were if not was}


def _who_asks(
    students: list[Student], school_year: SchoolYear, school_class: SchoolClass | None
) -> dict[int, int]:
    """For each family, the educator who teaches its first child: the class's own teacher first."""
    # Last year's enrollments stay open when this year's roster no longer speaks of them.
    enrolled = Enrollment.objects.filter(
        student__in=students, school_class__school_year=school_year, left_on=None
    )
    if school_class:
        enrolled = enrolled.filter(school_class=school_class)
    teachers = {
        teacher.school_class_id: teacher.educator_id
        for teacher in ClassTeacher.objects.filter(
            school_class__in=enrolled.values("school_class")
        ).order_by("is_primary", "-pk")  # the last one wins: the primary, first on the roster
    }
    family_of = {student.pk: student.family_id for student in students}
    askers: dict[int, int] = {}
    for student, class_ in enrolled.order_by("school_class__title", "pk").values_list(
        "student", "school_class"
    ):
        family = family_of[student]
        if family and class_ in teachers:
            askers.setdefault(family, teachers[class_])
    return askers
