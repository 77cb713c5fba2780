"""Administration of families, children and rosters."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from families.models import (
    AmendmentRequest,
    Caregiver,
    ClassTeacher,
    Enrollment,
    Family,
    RosterChange,
    RosterImport,
    RosterProgress,
    RosterSession,
    SchoolClass,
    SchoolTally,
    Student,
    StudentAttributes,
)
from pthv import audit
from pthv.models import Program
from pthv.ruled_admin import ChoicesWithinProgram, ReadOnlyAdmin, RuledAdmin, account
from pthv.search import fold

MOST_FOUND = 200


def families_called(typed: str) -> list[int]:
    """Ids of families with these very surnames, or with a child whose name begins so."""
    surnames = Family.objects.filter(
        program__in=list(Program.objects.values_list("pk", flat=True)), folded=fold(typed)
    )
    of_children = Student.objects.named(typed).exclude(family=None)
    return [
        *surnames.order_by().values_list("pk", flat=True)[:MOST_FOUND],
        *of_children.order_by().values_list("family", flat=True)[:MOST_FOUND],
    ]


def students_called(typed: str) -> list[int]:
    """Ids of students whose names begin so."""
    return list(Student.objects.named(typed).order_by().values_list("pk", flat=True)[:MOST_FOUND])


class FoundByName:
    """Searched by the name of the family or student at `name_path`; by number as well."""

    name_path = ""
    find = staticmethod(families_called)
    search_help_text: ClassVar[Any] = _(
        "Search by a family's surnames, a child's name, or by number."
    )

    def get_search_results(self, request: HttpRequest, queryset, search_term: str):
        typed = search_term.strip()
        if not typed or typed.lstrip("#").isdecimal():
            return super().get_search_results(request, queryset, search_term)  # type: ignore[misc]
        found = self.find(typed.replace("\x00", ""))
        return queryset.filter(**{f"{self.name_path}__in": found}), False


@admin.register(Family)
class FamilyAdmin(FoundByName, RuledAdmin):
    name_path = "pk"
    list_display = ("__str__", "program", "language", "interpreter_wanted", "source_id")
    list_select_related = ("program",)
    fields = (
        "program",
        "surnames",
        "language",
        "interpreter_wanted",
        "address",
        "address_confidential",
        "merged_into",
        "source_id",
    )
    fixed = ("source_id", "merged_into")
    keeps_looks = True

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Family | None:
        family = super().get_object(request, object_id, from_field)
        if family is not None and family.address:
            by = account(request)
            audit.viewed(family, by=by, reason=audit.ADMINISTRATOR, part="address")
        return family


@admin.register(Caregiver)
class CaregiverAdmin(FoundByName, RuledAdmin):
    name_path = "family"
    list_display = ("__str__", "family", "relation", "language", "preferred_channel", "program")
    list_select_related = ("family", "program")
    fixed = ("source_id", "roster_id")
    keeps_looks = True


@admin.register(Student)
class StudentAdmin(FoundByName, RuledAdmin):
    """Children come with a roster; here a name or a household is put right."""

    name_path = "pk"
    find = staticmethod(students_called)
    search_help_text = _("Search by name, or by number.")
    list_display = ("__str__", "grade", "school", "family", "left_on", "program")
    list_select_related = ("school", "family", "program")
    fields = (
        "program",
        "source_id",
        "given_name",
        "family_name",
        "preferred_name",
        "display_name",
        "grade",
        "school",
        "family",
        "left_on",
    )
    fixed = ("source_id",)
    keeps_looks = True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(SchoolClass)
class SchoolClassAdmin(ReadOnlyAdmin):
    list_display = ("title", "school", "school_year", "source_id", "left_on", "program")
    list_select_related = ("school", "school_year", "program")
    search_fields = ("title", "source_id")
    search_help_text = _("Search by title, or by the id in the roster files.")
    by_number = False


@admin.register(ClassTeacher)
class ClassTeacherAdmin(ReadOnlyAdmin):
    list_display = ("school_class", "educator", "is_primary", "program")
    list_select_related = ("school_class", "educator__user", "program")


@admin.register(Enrollment)
class EnrollmentAdmin(FoundByName, ReadOnlyAdmin):
    name_path = "student"
    find = staticmethod(students_called)
    search_help_text = _("Search by the student's name, or by number.")
    list_display = ("student", "school_class", "left_on", "program")
    list_select_related = ("student", "school_class", "program")
    keeps_looks = True


@admin.register(RosterImport)
class RosterImportAdmin(ReadOnlyAdmin):
    list_display = ("file_name", "kind", "state", "uploaded_by", "uploaded_at", "program")
    list_select_related = ("uploaded_by", "program")
    list_filter = ("program", ("state", ChoicesWithinProgram))


@admin.register(RosterChange)
class RosterChangeAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "roster_import", "row", "reason")
    list_select_related = ("roster_import",)
    keeps_looks = True


@admin.register(SchoolTally)
class SchoolTallyAdmin(ReadOnlyAdmin):
    list_display = ("school", "enrolled", "program")
    list_select_related = ("school", "program")


@admin.register(RosterProgress)
class RosterProgressAdmin(ReadOnlyAdmin):
    list_display = ("roster_import", "done", "total", "program")
    list_select_related = ("roster_import", "program")


@admin.register(RosterSession)
class RosterSessionAdmin(ReadOnlyAdmin):
    list_display = ("source_id", "school_year", "program")
    list_select_related = ("school_year", "program")


@admin.register(StudentAttributes)
class StudentAttributesAdmin(FoundByName, ReadOnlyAdmin):
    """What a program counts by; corrected by the next file, looked at only with a trace."""

    name_path = "student"
    find = staticmethod(students_called)
    search_help_text = _("Search by the student's name, or by number.")
    list_display = ("student", "program")
    list_select_related = ("student", "program")
    keeps_looks = True


@admin.register(AmendmentRequest)
class AmendmentRequestAdmin(FoundByName, ReadOnlyAdmin):
    name_path = "family"
    list_display = ("family", "state", "proposed_at", "proposed_by", "program")
    list_select_related = ("family", "proposed_by", "program")
    list_filter = ("program", ("state", ChoicesWithinProgram))
    keeps_looks = True
