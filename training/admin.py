"""Administration of courses; what people did in them is read here, and written by actions."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from pthv.ruled_admin import (
    ChoicesWithinProgram,
    ReadOnlyAdmin,
    ReasonForm,
    RuledAdmin,
    asking,
)
from training import certification, feedback
from training.models import (
    Attendance,
    CertificateImport,
    CertificateLine,
    Certification,
    CertificationReminder,
    Cohort,
    CohortMember,
    CohortTrainer,
    Course,
    CourseRequirement,
    DoorSignIn,
    Feedback,
    FeedbackRequest,
    Trainer,
    TrainingFact,
    TrainingSession,
)

EDUCATORS_NAME = ("educator__user__email", "educator__user__family_name")


@admin.register(Course)
class CourseAdmin(RuledAdmin):
    list_display = ("name", "program", "hours", "validity_months", "grants")
    list_select_related = ("program",)
    list_filter = ("grants", "program")
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


@admin.register(CourseRequirement)
class CourseRequirementAdmin(RuledAdmin):
    list_display = ("course", "kind", "amount", "held", "program")
    list_select_related = ("course", "held", "program")
    list_filter = ("program", ("kind", ChoicesWithinProgram))


@admin.register(TrainingFact)
class TrainingFactAdmin(ReadOnlyAdmin):
    list_display = ("educator", "kind", "happened_on", "program")
    list_select_related = ("educator__user", "program")
    list_filter = ("program", ("kind", ChoicesWithinProgram))


@admin.register(Trainer)
class TrainerAdmin(RuledAdmin):
    list_display = ("name", "kind", "is_active", "program")
    list_select_related = ("program",)
    list_filter = ("is_active", "program")
    search_fields = ("name",)
    search_help_text = _("Search by name.")
    by_number = False
    raw_id_fields = ("user",)


@admin.register(CohortTrainer)
class CohortTrainerAdmin(ReadOnlyAdmin):
    list_display = ("cohort", "trainer", "program")
    list_select_related = ("cohort", "trainer", "program")


@admin.register(CohortMember)
class CohortMemberAdmin(ReadOnlyAdmin):
    list_display = ("educator", "cohort", "state", "joined_at", "left_at", "program")
    list_select_related = ("educator__user", "cohort", "program")
    list_filter = ("program", ("state", ChoicesWithinProgram))


@admin.register(CertificationReminder)
class CertificationReminderAdmin(ReadOnlyAdmin):
    list_display = ("certification", "days", "made_at", "program")
    list_select_related = ("certification", "program")


@admin.register(CertificateImport)
class CertificateImportAdmin(ReadOnlyAdmin):
    list_display = ("file_name", "state", "uploaded_at", "uploaded_by", "program")
    list_select_related = ("uploaded_by", "program")


@admin.register(CertificateLine)
class CertificateLineAdmin(ReadOnlyAdmin):
    list_display = ("certificate_import", "number", "kind", "problem", "program")
    list_select_related = ("certificate_import", "program")


@admin.register(FeedbackRequest)
class FeedbackRequestAdmin(ReadOnlyAdmin):
    """That people were asked; who answered is nobody's to see."""

    list_display = ("wave", "asked_at", "program")
    list_select_related = ("program",)
    fields = ("wave", "asked_at", "program")


@admin.register(Feedback)
class FeedbackAdmin(ReadOnlyAdmin):
    """That there are answers; what they say is read on the cohort's page, and only of many.

    Whoever could count them, or see their keys, while people answer would know which is new.
    """

    list_display = ("cohort", "wave", "program")
    list_display_links = None
    ordering = ("-cohort", "wave")
    list_select_related = ("cohort", "program")
    fields = ("cohort", "wave", "program")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Feedback]:
        return feedback.of_closed_surveys(super().get_queryset(request))


@admin.register(DoorSignIn)
class DoorSignInAdmin(ReadOnlyAdmin):
    list_display = ("session", "educator", "name", "state", "signed_in_at", "program")
    list_select_related = ("session", "educator__user", "program")
    list_filter = ("program", ("state", ChoicesWithinProgram))
