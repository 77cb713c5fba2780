"""What a program chose to keep of its students, apart from them, to count by."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from pthv.models import ProgramRow, same_program, undoable

from .people import Student


@undoable
class StudentAttributes(ProgramRow):
    """Only what the program turned on; leaves it only as counts of groups large enough."""

    student = models.OneToOneField(
        Student, models.CASCADE, db_constraint=False, related_name="attributes"
    )
    home_language = models.CharField(max_length=20, blank=True)
    english_learner = models.BooleanField(null=True, blank=True)
    race_ethnicity = ArrayField(
        models.CharField(max_length=40),
        default=list,
        blank=True,
        help_text=_("The columns of OneRoster demographics that are true."),
    )
    sex = models.CharField(max_length=20, blank=True)

    class Meta:
        verbose_name_plural = "student attributes"
        constraints = [*same_program("student_attributes", student="families.Student")]

    def __str__(self) -> str:
        return f"Attributes of {self.student_id}"
