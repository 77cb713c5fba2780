"""URL name = view = template stem: one search finds all of it."""

from django.urls import path, re_path, register_converter

from visits.views import (
    asking,
    availability,
    coverage,
    desk,
    families,
    family_page,
    feeds,
    interpreter_page,
    interpreting,
    invitations,
    logs,
    merging,
    messages,
    moving,
    pay,
    people,
    reflections,
    scheduling,
    search,
    selection,
    teams,
    today,
    visits,
    week,
    writing,
)


class Token:
    """A link's token, with the slash that ends its address or, as some phones cut it, without:
    a redirect would have it in a browser's cache."""

    regex = "[^/]+/?"

    def to_python(self, value: str) -> str:
        return value.removesuffix("/")

    def to_url(self, value: str) -> str:
        return f"{value}/"


register_converter(Token, "token")

urlpatterns = [
    path("", today.home, name="home"),
    path("today/", today.today, name="today"),
    path("more/", today.more, name="more"),
    path("desk/", desk.desk, name="desk"),
    path("coverage/", coverage.coverage, name="coverage"),
    path("asking/", asking.asking, name="asking"),
    path("availability/", availability.availability, name="availability"),
    path("availability/people/", availability.availability_list, name="availability_list"),
    path("availability/off/", availability.time_off_add, name="time_off_add"),
    path("availability/off/<int:pk>/remove/", availability.time_off_remove, name="time_off_remove"),
    path("holidays/", availability.holiday_list, name="holiday_list"),
    path("holidays/<int:pk>/remove/", availability.holiday_remove, name="holiday_remove"),
    path("plans/", selection.plan_list, name="plan_list"),
    path("plans/new/", selection.plan_new, name="plan_new"),
    path("plans/<int:pk>/", selection.plan_detail, name="plan_detail"),
    path("plans/<int:pk>/draw/", selection.plan_draw, name="plan_draw"),
    path("draws/<int:pk>/draw.json", selection.draw_record, name="draw_record"),
    path("messages/", messages.message_list, name="message_list"),
    path("messages/<int:pk>/again/", messages.message_again, name="message_again"),
    path("wording/", messages.wording_list, name="wording_list"),
    path("wording/<slug:kind>/", messages.wording_edit, name="wording_edit"),
    path("search/", search.search, name="search"),
    path("families/", invitations.invitation_list, name="invitation_list"),
    path("families/families.csv", invitations.invitation_csv, name="invitation_csv"),
    path("families/<int:pk>/", families.family_detail, name="family_detail"),
    path("families/<int:pk>/edit/", people.family_edit, name="family_edit"),
    path("families/<int:pk>/merge/", merging.family_merge, name="family_merge"),
    path("families/<int:pk>/split/", merging.family_split, name="family_split"),
    path("families/<int:pk>/undo/", merging.family_undo, name="family_undo"),
    path("families/<int:pk>/caregivers/new/", people.caregiver_new, name="caregiver_new"),
    path("families/<int:pk>/corrections/new/", people.amendment_new, name="amendment_new"),
    path("caregivers/<int:pk>/", people.caregiver_edit, name="caregiver_edit"),
    path("caregivers/<int:pk>/end/", people.caregiver_end, name="caregiver_end"),
    path("caregivers/<int:pk>/close-link/", people.link_revoke, name="link_revoke"),
    path("students/<int:pk>/", people.student_edit, name="student_edit"),
    path("corrections/<int:pk>/approve/", people.amendment_approve, name="amendment_approve"),
    path("corrections/<int:pk>/decline/", people.amendment_decline, name="amendment_decline"),
    path("invitations/<int:pk>/", invitations.invitation_detail, name="invitation_detail"),
    path(
        "invitations/<int:pk>/attempt/", invitations.invitation_attempt, name="invitation_attempt"
    ),
    path("invitations/<int:pk>/write/", writing.invitation_write, name="invitation_write"),
    path("invitations/<int:pk>/answer/", invitations.invitation_answer, name="invitation_answer"),
    path("invitations/<int:pk>/reopen/", invitations.invitation_reopen, name="invitation_reopen"),
    path("attempts/<int:pk>/undo/", invitations.attempt_undo, name="attempt_undo"),
    path("answers/<int:pk>/undo/", invitations.answer_undo, name="answer_undo"),
    path("invitations/<int:pk>/team/", invitations.invitation_team, name="invitation_team"),
    path("invitations/<int:pk>/schedule/", scheduling.visit_schedule, name="visit_schedule"),
    path("f/<token:token>", family_page.link_open, name="link_open"),
    path("invitation/<str:lang>/", family_page.family_invitation, name="family_invitation"),
    path("invitation/<str:lang>/move/", family_page.family_move, name="family_move"),
    path("invitation/<str:lang>/cancel/", family_page.family_cancel, name="family_cancel"),
    re_path(
        r"^invitation/(?P<lang>[a-z-]+)/(?P<answer>yes|later|no|call)/$",
        family_page.family_answer,
        name="family_answer",
    ),
    path("calendar/", feeds.own_calendar, name="own_calendar"),
    path("calendar/close/", feeds.calendar_close, name="calendar_close"),
    path("calendar/<str:token>.ics", feeds.calendar_feed, name="calendar_feed"),
    path("pairs/", teams.pair_list, name="pair_list"),
    path("pairs/<int:pk>/answer/", teams.pair_answer, name="pair_answer"),
    path("pairs/<int:pk>/end/", teams.pair_end, name="pair_end"),
    path("i/<token:token>", interpreter_page.interpreter_page, name="interpreter_page"),
    path("interpreters/", interpreting.interpreter_list, name="interpreter_list"),
    path("interpreters/new/", interpreting.interpreter_new, name="interpreter_new"),
    path("interpreters/mine/", interpreting.interpreting_mine, name="interpreting_mine"),
    path("interpreters/<int:pk>/", interpreting.interpreter_edit, name="interpreter_edit"),
    path("interpreters/<int:pk>/end/", interpreting.interpreter_end, name="interpreter_end"),
    path("interpreters/<int:pk>/move/", interpreting.interpreter_move, name="interpreter_move"),
    path(
        "interpreters/requests/",
        interpreting.interpreter_request_list,
        name="interpreter_request_list",
    ),
    path(
        "interpreters/requests/<int:pk>/",
        interpreting.interpreter_request_detail,
        name="interpreter_request_detail",
    ),
    path(
        "interpreters/requests/<int:pk>/answer/",
        interpreting.interpreter_request_answer,
        name="interpreter_request_answer",
    ),
    path(
        "interpreters/requests/<int:pk>/next/",
        interpreting.interpreter_request_next,
        name="interpreter_request_next",
    ),
    path(
        "interpreters/requests/<int:pk>/end/",
        interpreting.interpreter_request_end,
        name="interpreter_request_end",
    ),
    path("visits/", visits.visit_list, name="visit_list"),
    path("visits/week/", week.week, name="week"),
    path("visits/day/", week.day_sheet, name="day_sheet"),
    path("visits/<int:pk>/", visits.visit_detail, name="visit_detail"),
    path("visits/<int:pk>/confirm/", scheduling.visit_confirm, name="visit_confirm"),
    path("visits/<int:pk>/cancel/", scheduling.visit_cancel, name="visit_cancel"),
    path("visits/<int:pk>/move/", moving.visit_move, name="visit_move"),
    path("visits/<int:pk>/swap/", moving.visit_swap, name="visit_swap"),
    path("visits/<int:pk>/decline/", moving.visit_decline, name="visit_decline"),
    path("visits/<int:pk>/interpret/", interpreting.visit_interpret, name="visit_interpret"),
    path("visits/<int:pk>/hold/", scheduling.visit_hold, name="visit_hold"),
    path("visits/<int:pk>/log/", logs.visit_log, name="visit_log"),
    path("visits/<int:pk>/reflect/", reflections.visit_reflect, name="visit_reflect"),
    path("visits/<int:pk>/attest/", reflections.visit_attest, name="visit_attest"),
    path("promises/<int:pk>/keep/", logs.promise_keep, name="promise_keep"),
    path("pay/", pay.pay_list, name="pay_list"),
    path("pay/mine/", pay.my_pay, name="my_pay"),
    path("pay/approve/", pay.pay_approve, name="pay_approve"),
    path("pay/<int:pk>/reverse/", pay.pay_reverse, name="pay_reverse"),
    path("pay/batches/", pay.batch_list, name="batch_list"),
    path("pay/batches/make/", pay.batch_make, name="batch_make"),
    path("pay/batches/<int:pk>/", pay.batch_detail, name="batch_detail"),
    path("pay/batches/<int:pk>/payroll.csv", pay.batch_csv, name="batch_csv"),
]
