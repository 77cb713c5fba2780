"""Selection plans: everyone of a class, a grade or a school. Nobody is picked by hand."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from families.households import families_ever
from families.models import ClassTeacher, Enrollment, SchoolClass, Student
from pthv import audit
from pthv.blocked import NotReady
from pthv.models import School, SchoolYear, User
from visits import families
from visits.models import Invitation, SelectionPlan


def population(
    school: School, school_class: SchoolClass | None = None, grade: str = ""
) -> QuerySet[Student]:
    """The students a plan is about: chosen by where they learn, and by nothing else."""
    students = Student.objects.enrolled().filter(school=school)
    if school_class:
        enrolled = Enrollment.objects.filter(school_class=school_class, left_on=None)
        return students.filter(pk__in=enrolled.values("student"))
    return students.filter(grade=grade) if grade else students


@transaction.atomic
def plan_everyone(
    school: School,
    school_year: SchoolYear,
    *,
    by: User,
    school_class: SchoolClass | None = None,
    grade: str = "",
) -> SelectionPlan:
    """Plan to invite every family of a class, a grade or the school, each once a year.

    The invitations wait for the class's teacher, in roster order. Making the same plan
    again adds the families that have come since. A family that said no is not asked again,
    nor one that was asked this year before it was split from another.
    """
    School.objects.select_for_update(no_key=True).get(pk=school.pk)
    students = list(population(school, school_class, grade).order_by("family_id", "pk"))
    if not students:
        raise NotReady(
            _("No student of the roster is in this plan. Choose another class or grade.")
        )
    asked_for = dict.fromkeys(s.family_id for s in students if s.family_id)
    askers = _who_asks(students, school_year, school_class)
    if unasked := [family for family in asked_for if family not in askers]:
        raise NotReady(
            _("The roster names no teacher for %(count)s of these families. Import it again first.")
            % {"count": len(unasked)}
        )
    said_no = families.said_no(asked_for)
    asked = _asked_before_a_split(asked_for, school_year) - said_no
    found_now = {
        "students_without_family": sum(1 for s in students if not s.family_id),
        "families_said_no_before": len(said_no),
    }
    plan, _created = SelectionPlan.objects.update_or_create(
        program_id=school.program_id,
        school=school,
        school_year=school_year,
        kind=SelectionPlan.Kind.EVERYONE,
        school_class=school_class,
        grade=grade,
        defaults=found_now,
        create_defaults={"made_by": by} | found_now,
    )
    Invitation.objects.bulk_create(
        (
            Invitation(
                program_id=school.program_id,
                plan=plan,
                school=school,
                school_year=school_year,
                family_id=family,
                educator_id=askers[family],
            )
            for family in asked_for
            if family not in said_no | asked
        ),
        batch_size=1000,
        ignore_conflicts=True,  # already asked this year, by another plan
    )
    audit.record("plan.made", plan, by=by, families=len(asked_for))
    return plan


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
