"""Administration of courses; what people did in them is read here, and written by actions."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from pthv.ruled_admin import (
    ChoicesWithinProgram,
    ReadOnlyAdmin,
    ReasonForm,
    RuledAdmin,
    asking,
)
from training import certification
from training.models import Attendance, Certification, Cohort, Course, TrainingSession

EDUCATORS_NAME = ("educator__user__email", "educator__user__family_name")


@admin.register(Course)
class CourseAdmin(RuledAdmin):
    list_display = ("name", "program", "hours", "validity_months", "certifies")
    list_select_related = ("program",)
    list_filter = ("certifies", "program")
    search_fields = ("name",)
    search_help_text = _("Search by name.")
    by_number = False


@admin.register(Cohort)
class CohortAdmin(ReadOnlyAdmin):
    list_display = ("name", "course", "school", "completed_at", "program")
    list_select_related = ("course", "school", "program")
    search_fields = ("name",)
    search_help_text = _("Search by name.")
    by_number = False


@admin.register(TrainingSession)
class TrainingSessionAdmin(ReadOnlyAdmin):
    list_display = ("cohort", "starts_at", "ends_at", "place", "program")
    list_select_related = ("cohort", "program")


@admin.register(Attendance)
class AttendanceAdmin(ReadOnlyAdmin):
    list_display = ("educator", "session", "state", "recorded_at", "program")
    list_select_related = ("educator__user", "session", "program")
    list_filter = ("program", ("state", ChoicesWithinProgram))


@admin.register(Certification)
class CertificationAdmin(ReadOnlyAdmin):
    list_display = ("educator", "course", "issued_on", "expires_on", "revoked_at", "program")
    list_select_related = ("educator__user", "course", "program")
    search_fields = EDUCATORS_NAME
    search_help_text = _("Search by the educator's family name or e-mail address.")
    by_number = False
    actions = (asking(certification.revoke, _("Revoke"), form=ReasonForm),)

    def named(self, obj: Certification) -> str:
        return f"{obj.educator}, {obj.course}, {obj.issued_on} – {obj.expires_on}"
