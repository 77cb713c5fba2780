"""Where children learn: a school's classes, who teaches them and who is in them."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from pthv.models import CompositeForeignKey, Educator, ProgramRow, same_program, undoable

from .people import Student


class SchoolTally(ProgramRow):
    """How many students a school has: the denominator of its coverage.

    Kept by triggers on Student; never written by hand.
    """

    school = models.ForeignKey(
        "pthv.School", models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    enrolled = models.IntegerField(db_default=0)

    class Meta:
        verbose_name_plural = "school tallies"
        constraints = [
            *same_program("school_tally"),
            CompositeForeignKey(
                name="school_tally_school_same_program",
                fields=["program", "school"],
                to="pthv.School",
                to_fields=["program", "id"],
                on_delete="CASCADE",
            ),
            models.UniqueConstraint(fields=["program", "school"], name="school_tally_once"),
        ]

    def __str__(self) -> str:
        return f"{self.enrolled} enrolled"


@undoable
class SchoolClass(ProgramRow):
    """A class as the roster names it, in one school year."""

    school = models.ForeignKey(
        "pthv.School", models.PROTECT, db_constraint=False, db_index=False, related_name="classes"
    )
    school_year = models.ForeignKey(
        "pthv.SchoolYear", models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    source_id = models.CharField(max_length=255)
    title = models.CharField(max_length=160)
    left_on = models.DateField(null=True, blank=True)
    teachers = models.ManyToManyField(Educator, through="ClassTeacher", related_name="classes")

    class Meta:
        verbose_name_plural = "school classes"
        ordering = ["title", "pk"]
        constraints = [
            *same_program("school_class", school="pthv.School", school_year="pthv.SchoolYear"),
            models.UniqueConstraint(
                fields=["program", "school_year", "source_id"], name="school_class_source_id_once"
            ),
        ]
        indexes = [models.Index(fields=["program", "school", "title"], name="classes_of_school")]

    def __str__(self) -> str:
        return self.title


@undoable
class ClassTeacher(ProgramRow):
    """An educator who teaches a class, and may therefore invite its families."""

    school_class = models.ForeignKey(SchoolClass, models.CASCADE, db_constraint=False)
    educator = models.ForeignKey(Educator, models.CASCADE, db_constraint=False)
    is_primary = models.BooleanField(default=False)
    source_id = models.CharField(
        max_length=255,
        blank=True,
        default="",
        db_default="",
        help_text=_("The enrollment's id in the roster files."),
    )

    class Meta:
        ordering = ["-is_primary", "pk"]
        constraints = [
            *same_program(
                "class_teacher", school_class="families.SchoolClass", educator="pthv.Educator"
            ),
            models.UniqueConstraint(fields=["school_class", "educator"], name="class_teacher_once"),
        ]

    def __str__(self) -> str:
        return f"{self.educator_id} in {self.school_class_id}"


@undoable
class Enrollment(ProgramRow):
    """A student in a class."""

    school_class = models.ForeignKey(
        SchoolClass, models.CASCADE, db_constraint=False, related_name="enrollments"
    )
    student = models.ForeignKey(
        Student, models.CASCADE, db_constraint=False, related_name="enrollments"
    )
    left_on = models.DateField(null=True, blank=True)
    source_id = models.CharField(
        max_length=255,
        blank=True,
        default="",
        db_default="",
        help_text=_("The enrollment's id in the roster files."),
    )

    class Meta:
        ordering = ["pk"]
        constraints = [
            *same_program(
                "enrollment", school_class="families.SchoolClass", student="families.Student"
            ),
            models.UniqueConstraint(fields=["school_class", "student"], name="enrollment_once"),
        ]

    def __str__(self) -> str:
        return f"{self.student_id} in {self.school_class_id}"
