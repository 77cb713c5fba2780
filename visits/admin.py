"""Administration of rates and funds; the walk itself is read here, and written by actions."""

from typing import Any

from django.contrib import admin
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from families.admin import FoundByName
from pthv import wording
from pthv.ruled_admin import (
    ChoicesWithinProgram,
    ReadOnlyAdmin,
    ReasonForm,
    RuledAdmin,
    asking,
)
from visits import answers, links, scheduling
from visits.forms.scheduling import EndingForm
from visits.models import (
    Availability,
    CalendarFeed,
    ContactAttempt,
    DebriefAttendee,
    DebriefSession,
    Draw,
    FamilyLink,
    FollowUp,
    FundingSource,
    Interpreter,
    InterpreterAsk,
    InterpreterRequest,
    Invitation,
    InvitationAnswer,
    LogDraft,
    MessageWording,
    PayBatch,
    PayLine,
    PayRate,
    ReceivedKey,
    Reflection,
    ReflectionTheme,
    ResourceAsk,
    SafetyCheck,
    SchoolHoliday,
    SelectionPlan,
    Tally,
    TeamMember,
    Theme,
    TimeOff,
    Visit,
    VisitGoals,
    VisitLog,
    VisitParticipant,
    VisitStudent,
    VisitTeam,
    VisitTheme,
)


def spoken(during: DateTimeTZRange) -> str:
    """A stretch of time in the zone at hand."""
    return f"{wording.moment(during.lower)}–{wording.time(during.upper)}"


@admin.register(SelectionPlan)
class SelectionPlanAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "school", "school_year", "made_by", "made_at", "program")
    list_select_related = ("school", "school_year", "school_class", "made_by", "program")


@admin.register(Invitation)
class InvitationAdmin(FoundByName, ReadOnlyAdmin):
    name_path = "family"
    list_display = ("number", "family", "kind", "state", "educator", "school", "visited_at")
    list_select_related = ("family", "educator__user", "school")
    list_filter = ("program", ("state", ChoicesWithinProgram))
    actions = (asking(answers.reopen, _("Let the family be asked again"), form=ReasonForm),)
    keeps_looks = True

    def named(self, obj: Invitation) -> str:
        return f"{obj}, {obj.family}"


@admin.register(ContactAttempt)
class ContactAttemptAdmin(ReadOnlyAdmin):
    list_display = ("made_at", "invitation", "channel", "outcome", "made_by", "program")
    list_select_related = ("invitation", "made_by", "program")
    keeps_looks = True


@admin.register(InvitationAnswer)
class InvitationAnswerAdmin(ReadOnlyAdmin):
    list_display = ("given_at", "invitation", "answer", "counted", "recorded_by", "program")
    list_select_related = ("invitation", "recorded_by", "program")
    keeps_looks = True


@admin.register(FamilyLink)
class FamilyLinkAdmin(ReadOnlyAdmin):
    list_display = ("made_at", "invitation", "expires_at", "revoked_at", "program")
    list_select_related = ("invitation", "program")
    exclude = ("nonce", "token_hash")
    keeps_looks = True
    actions = (asking(links.revoke, _("Close these links")),)


@admin.register(Draw)
class DrawAdmin(ReadOnlyAdmin):
    list_display = ("plan", "number", "size", "seed", "made_by", "made_at", "program")
    list_select_related = ("plan__school_class", "made_by", "program")


@admin.register(MessageWording)
class MessageWordingAdmin(ReadOnlyAdmin):
    list_display = ("kind", "language", "changed_at", "changed_by", "program")
    list_select_related = ("changed_by", "program")


@admin.register(VisitTeam)
class VisitTeamAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "school", "program")
    list_select_related = ("school", "program")


@admin.register(TeamMember)
class TeamMemberAdmin(ReadOnlyAdmin):
    list_display = ("team", "educator", "is_lead", "program")
    list_select_related = ("team", "educator__user", "program")


@admin.register(Availability)
class AvailabilityAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "educator", "interpreter", "program")
    list_select_related = ("educator__user", "interpreter", "program")


@admin.register(TimeOff)
class TimeOffAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "educator", "interpreter", "program")
    list_select_related = ("educator__user", "interpreter", "program")


@admin.register(SchoolHoliday)
class SchoolHolidayAdmin(ReadOnlyAdmin):
    list_display = ("name", "school", "starts_on", "ends_on", "program")
    list_select_related = ("school", "program")


@admin.register(Interpreter)
class InterpreterAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "kind", "languages", "position", "willing", "ended_on", "program")
    list_select_related = ("program",)


@admin.register(InterpreterRequest)
class InterpreterRequestAdmin(ReadOnlyAdmin):
    readonly_fields = ("when",)
    exclude = ("during",)
    list_display = ("number", "visit", "language", "state", "interpreter", "program")
    list_select_related = ("visit", "interpreter", "program")

    @admin.display(description=_("when"))
    def when(self, request: InterpreterRequest) -> str:
        return spoken(request.during)


@admin.register(InterpreterAsk)
class InterpreterAskAdmin(ReadOnlyAdmin):
    list_display = ("asked_at", "request", "interpreter", "answer", "program")
    list_select_related = ("request", "interpreter", "program")
    exclude = ("nonce", "token_hash")


@admin.register(CalendarFeed)
class CalendarFeedAdmin(ReadOnlyAdmin):
    list_display = ("user", "made_at", "revoked_at", "program")
    list_select_related = ("user", "program")
    exclude = ("nonce", "token_hash")


@admin.register(Visit)
class VisitAdmin(FoundByName, ReadOnlyAdmin):
    name_path = "family"
    list_display = ("number", "family", "when", "kind", "state", "place", "school")
    readonly_fields = ("when",)
    exclude = ("during",)
    list_select_related = ("family", "school")
    list_filter = ("program", ("state", ChoicesWithinProgram))
    actions = (asking(scheduling.cancel, _("Cancel"), form=EndingForm),)
    keeps_looks = True

    @admin.display(description=_("when"))
    def when(self, visit: Visit) -> str:
        return spoken(visit.during)

    def named(self, obj: Visit) -> str:
        return f"{obj}, {obj.family}, {spoken(obj.during)}"


@admin.register(VisitStudent)
class VisitStudentAdmin(ReadOnlyAdmin):
    list_display = ("visit", "student", "program")
    list_select_related = ("visit", "student", "program")
    keeps_looks = True


@admin.register(VisitParticipant)
class VisitParticipantAdmin(ReadOnlyAdmin):
    readonly_fields = ("when",)
    exclude = ("during",)
    list_display = ("visit", "educator", "role", "attested_at", "program")
    list_select_related = ("visit", "educator__user", "program")

    @admin.display(description=_("when"))
    def when(self, participant: VisitParticipant) -> str:
        return spoken(participant.during)


@admin.register(SafetyCheck)
class SafetyCheckAdmin(ReadOnlyAdmin):
    list_display = ("visit", "out_at", "arrived_at", "left_at", "alerted", "help_at", "program")
    list_select_related = ("visit", "program")
    list_filter = ("program", ("alerted", ChoicesWithinProgram))


@admin.register(VisitLog)
class VisitLogAdmin(ReadOnlyAdmin):
    list_display = ("visit", "logged_by", "logged_at", "minutes", "language", "program")
    list_select_related = ("visit", "logged_by", "program")
    keeps_looks = True


@admin.register(VisitGoals)
class VisitGoalsAdmin(ReadOnlyAdmin):
    list_display = ("visit", "kind", "program")
    list_select_related = ("visit", "program")
    keeps_looks = True


@admin.register(Reflection)
class ReflectionAdmin(ReadOnlyAdmin):
    """That somebody reflected, and when: what they wrote is for that visit's visitors only."""

    list_display = ("visit", "educator", "written_at", "program")
    list_select_related = ("visit", "educator__user", "program")
    fields = ("program", "visit", "educator", "written_at")

    def get_queryset(self, request: HttpRequest):
        return super().get_queryset(request).defer("assumed", "learned", "will_do")


@admin.register(Theme)
class ThemeAdmin(ReadOnlyAdmin):
    list_display = ("name", "kind", "position", "ended_on", "program")
    list_select_related = ("program",)


@admin.register(VisitTheme)
class VisitThemeAdmin(ReadOnlyAdmin):
    list_display = ("visit", "theme", "program")
    list_select_related = ("visit", "theme", "program")
    keeps_looks = True


@admin.register(ReflectionTheme)
class ReflectionThemeAdmin(ReadOnlyAdmin):
    """That something was tapped; what, is for that visit's visitors only."""

    list_display = ("number", "program")
    list_select_related = ("program",)
    fields = ("program",)


@admin.register(DebriefSession)
class DebriefSessionAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "school", "cohort", "starts_at", "state", "led_by", "program")
    list_select_related = ("school", "cohort", "led_by", "program")


@admin.register(DebriefAttendee)
class DebriefAttendeeAdmin(ReadOnlyAdmin):
    list_display = ("debrief", "educator", "program")
    list_select_related = ("debrief", "educator__user", "program")


@admin.register(ResourceAsk)
class ResourceAskAdmin(ReadOnlyAdmin):
    list_display = ("what", "school", "asked_in", "found_at", "program")
    list_select_related = ("school", "program")
    ordering = ("asked_in", "what", "pk")


@admin.register(LogDraft)
class LogDraftAdmin(ReadOnlyAdmin):
    """That somebody is writing, and since when; what they write is for nobody else."""

    list_display = ("visit", "educator", "what", "saved_at", "program")
    list_select_related = ("visit", "educator__user", "program")
    fields = ("program", "visit", "educator", "what", "saved_at")

    def get_queryset(self, request: HttpRequest):
        return super().get_queryset(request).defer("data")


@admin.register(ReceivedKey)
class ReceivedKeyAdmin(ReadOnlyAdmin):
    """That a phone sent something, and when; not what."""

    list_display = ("user", "received_at", "program")
    list_select_related = ("user", "program")
    exclude = ("key",)


@admin.register(FollowUp)
class FollowUpAdmin(ReadOnlyAdmin):
    list_display = ("visit", "owner", "due_on", "outcome", "kept_at", "program")
    list_select_related = ("visit", "owner__user", "program")
    keeps_looks = True


@admin.register(PayRate)
class PayRateAdmin(RuledAdmin):
    """What a rate pays stays as it is once a line was earned by it; a new rate follows it."""

    list_display = ("kind", "amount", "starts_on", "ends_on", "program")
    list_select_related = ("program",)
    list_filter = ("kind", "program")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        found = super().get_readonly_fields(request, obj)
        earned = obj is not None and PayLine.objects.filter(rate=obj).exists()
        return [*found, "kind", "amount", "starts_on"] if earned else found


@admin.register(FundingSource)
class FundingSourceAdmin(RuledAdmin):
    list_display = ("name", "program", "budget", "used", "starts_on", "ends_on")
    list_select_related = ("program",)
    readonly_fields = ("used",)
    search_fields = ("name",)
    search_help_text = _("Search by name.")
    by_number = False


@admin.register(PayLine)
class PayLineAdmin(ReadOnlyAdmin):
    list_display = ("number", "payee", "amount", "state", "visit_on", "fund", "batch", "flag")
    list_select_related = ("payee", "fund", "batch")
    list_filter = ("program", ("state", ChoicesWithinProgram))


@admin.register(PayBatch)
class PayBatchAdmin(ReadOnlyAdmin):
    list_display = ("number", "program", "made_by", "made_at", "exported_at")
    list_select_related = ("program", "made_by")


@admin.register(Tally)
class TallyAdmin(ReadOnlyAdmin):
    list_display = ("educator", "school", "school_year", "planned", "accepted", "visited")
    list_select_related = ("educator__user", "school", "school_year")
