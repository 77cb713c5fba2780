"""Every URL × every kind of person: what they get, and that nobody gets more.

A row says who may (and what they see then), and to whom it is "not yours" (404). Everybody
else who is logged in gets 403, everybody else at all is sent to log in. A URL without a row
fails, and so does a row without a URL.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django_scopes import scopes_disabled

from pthv import clock
from pthv.models import AuditEntry, Membership
from tests.conftest import at
from visits.models import SelectionPlan, Visit

# Ana teaches the class and leads the visit, Ben goes along, Cara does neither.
EDUCATORS = {"educator", "partner", "colleague"}
SITES = {"site_coordinator", "other_site_coordinator"}
PROGRAM = {"program_coordinator"}
COORDINATORS = SITES | PROGRAM
# A coordinator of another program has the powers, but nothing here is hers.
ELSEWHERE = {"outsider"}
EVERYBODY = (
    EDUCATORS
    | COORDINATORS
    | ELSEWHERE
    | {"finance", "funder", "interpreter", "administrator", "anonymous"}
)


@dataclass(frozen=True)
class Row:
    """Who may `method` this URL and what they get; to whom the row is somebody else's."""

    may: set[str]
    status: int = 200
    not_yours: set[str] = field(default_factory=set)
    method: str = "get"
    of: str = ""
    data: dict = field(default_factory=dict)
    anonymous: int = 302
    more: str = ""

    def expected(self, person: str) -> int:
        if person == "anonymous" and person not in self.may:
            return self.anonymous
        if person in self.may:
            return self.status
        return 404 if person in self.not_yours else 403


def theirs(may: set[str], not_yours: set[str], of: str, **more) -> Row:
    """A page about one row."""
    return Row(may, not_yours=not_yours, of=of, **more)


# Those who may see a family of Ana's class, and those with the power but not this family.
FAMILY = {"educator", "partner", "site_coordinator", "program_coordinator"}
NOT_MY_FAMILY = {"colleague", "other_site_coordinator", "outsider"}
COORDINATED = {"site_coordinator", "program_coordinator"}
NOT_COORDINATED = {"other_site_coordinator", "outsider"}
PAIR = {"educator", "partner"}
PAY = {"site_coordinator", "program_coordinator", "finance"}
LOGGED_IN = EVERYBODY - {"anonymous"}

ROWS: dict[str, Row] = {
    "healthz": Row(EVERYBODY),
    "demo_login": Row(set(), method="post", not_yours=EVERYBODY, anonymous=404),
    "program_switch": Row(set(), method="post", not_yours=LOGGED_IN),
    "account_email": Row(LOGGED_IN),
    # The provider alone, by its signature; test_delivery.py signs.
    "text_status": Row(set(), method="post", anonymous=403),
    "text_reply": Row(set(), method="post", anonymous=403),
    "home": Row(LOGGED_IN, status=302),
    "more": Row(LOGGED_IN),
    "today": Row(EDUCATORS),
    # The same for everybody, and about nobody.
    "service_worker": Row(EVERYBODY),
    "manifest": Row(EVERYBODY),
    "offline_page": Row(EVERYBODY),
    "offline_key": Row(EDUCATORS),
    "desk": Row(COORDINATORS | ELSEWHERE),
    # Coordinators see whose hours they may set.
    "availability": Row(EDUCATORS | COORDINATORS | ELSEWHERE),
    "availability_list": Row(COORDINATORS | ELSEWHERE),
    "time_off_add": Row(
        EDUCATORS, method="post", status=302, data={"week": "1"}, not_yours=COORDINATORS | ELSEWHERE
    ),
    "time_off_remove": theirs(
        {"educator", "site_coordinator", "program_coordinator"},
        {"partner", "colleague", "other_site_coordinator", "outsider"},
        "day_off",
        method="post",
        status=302,
    ),
    "holiday_list": Row(COORDINATORS | ELSEWHERE),
    "holiday_remove": theirs(COORDINATED, NOT_COORDINATED, "holiday", method="post", status=302),
    "message_list": Row(COORDINATORS | ELSEWHERE),
    "message_again": theirs(COORDINATED, NOT_COORDINATED, "unsent", method="post", status=302),
    "wording_list": Row(PROGRAM | ELSEWHERE),
    "wording_edit": theirs(PROGRAM | ELSEWHERE, set(), "kind_of_message"),
    "hopes": Row(COORDINATORS | ELSEWHERE | {"funder"}),
    "theme_list": Row(PROGRAM | ELSEWHERE),
    "never_record": Row(PROGRAM | ELSEWHERE),
    "theme_begin": Row(PROGRAM | ELSEWHERE, method="post", status=302),
    "theme_edit": theirs(PROGRAM, ELSEWHERE, "theme", method="post", status=302),
    "debrief_list": Row(EDUCATORS | COORDINATORS | ELSEWHERE),
    "debrief_new": Row(COORDINATORS | ELSEWHERE),
    "debrief_detail": theirs(
        EDUCATORS | COORDINATED, {"other_site_coordinator", "outsider"}, "debrief"
    ),
    "debrief_edit": theirs(COORDINATED, NOT_COORDINATED, "debrief"),
    "debrief_hold": theirs(COORDINATED, NOT_COORDINATED, "debrief", method="post", status=422),
    "debrief_cancel": theirs(COORDINATED, NOT_COORDINATED, "debrief", method="post", status=302),
    "debrief_resource": theirs(
        COORDINATED, NOT_COORDINATED, "debrief", method="post", status=302, data={"said": "Books"}
    ),
    "resource_list": Row(COORDINATORS | ELSEWHERE),
    "resource_find": theirs(
        COORDINATED, NOT_COORDINATED, "ask", method="post", status=302, data={"said": "Here"}
    ),
    "asking": Row(COORDINATORS | ELSEWHERE),
    "coverage": Row(COORDINATORS | ELSEWHERE | {"funder"}),
    "plan_list": Row(COORDINATORS | ELSEWHERE),
    "plan_new": Row(COORDINATORS | ELSEWHERE),
    "plan_detail": theirs(
        {"site_coordinator", "program_coordinator"}, {"other_site_coordinator", "outsider"}, "plan"
    ),
    "plan_draw": theirs(
        {"site_coordinator", "program_coordinator"},
        {"other_site_coordinator", "outsider"},
        "drawn_plan",
        status=302,
        method="post",
    ),
    "draw_record": theirs(
        {"site_coordinator", "program_coordinator"},
        {"other_site_coordinator", "outsider"},
        "lots",
        method="post",
    ),
    "invitation_list": Row(EDUCATORS | COORDINATORS | ELSEWHERE),
    "search": Row(EDUCATORS | COORDINATORS | ELSEWHERE),
    "invitation_csv": Row(COORDINATORS | ELSEWHERE, method="post"),
    "family_detail": theirs(FAMILY, NOT_MY_FAMILY, "its_family"),
    "invitation_detail": theirs(FAMILY, NOT_MY_FAMILY, "accepted", status=302),
    "family_edit": theirs(COORDINATED, NOT_COORDINATED, "its_family"),
    "family_merge": theirs(COORDINATED, NOT_COORDINATED, "its_family"),
    "family_split": theirs(COORDINATED, NOT_COORDINATED, "its_family"),
    # Without a change to undo there is nothing; test_families_views.py undoes one.
    "family_undo": theirs(COORDINATED, NOT_COORDINATED, "its_family", method="post", status=404),
    "caregiver_new": theirs(COORDINATED, NOT_COORDINATED, "its_family"),
    "caregiver_edit": theirs(COORDINATED, NOT_COORDINATED, "caregiver"),
    "caregiver_end": theirs(
        COORDINATED,
        NOT_COORDINATED,
        "caregiver",
        method="post",
        status=302,
        data={"because": "The court said so."},
    ),
    "link_revoke": theirs(COORDINATED, NOT_COORDINATED, "caregiver", method="post", status=302),
    "student_edit": theirs(COORDINATED, NOT_COORDINATED, "student"),
    "amendment_new": theirs(FAMILY, NOT_MY_FAMILY, "its_family"),
    "amendment_approve": theirs(
        COORDINATED, NOT_COORDINATED, "proposal", method="post", status=302
    ),
    "amendment_decline": theirs(
        COORDINATED, NOT_COORDINATED, "proposal", method="post", status=302
    ),
    "invitation_attempt": theirs(
        FAMILY,
        NOT_MY_FAMILY,
        "accepted",
        method="post",
        data={"channel": "call", "outcome": "no_answer"},
        status=302,
    ),
    "invitation_answer": theirs(FAMILY, NOT_MY_FAMILY, "accepted", method="post", status=422),
    "invitation_write": theirs(FAMILY - {"partner"}, NOT_MY_FAMILY | {"partner"}, "invitation"),
    "attempt_undo": theirs(
        FAMILY - {"partner"}, NOT_MY_FAMILY | {"partner"}, "attempt", method="post", status=302
    ),
    "answer_undo": theirs(
        FAMILY - {"partner"}, NOT_MY_FAMILY | {"partner"}, "answer", method="post", status=302
    ),
    "invitation_reopen": theirs(
        {"site_coordinator", "program_coordinator"},
        {"other_site_coordinator", "outsider"},
        "invitation",
        method="post",
        status=422,
    ),
    "invitation_team": theirs(FAMILY, NOT_MY_FAMILY, "accepted", method="post", status=422),
    "visit_schedule": theirs(FAMILY, NOT_MY_FAMILY, "accepted"),
    # Nobody but who opened a family's link, whoever is logged in; test_family_page.py opens one.
    "link_open": Row(set(), of="no_link", not_yours=EVERYBODY, anonymous=404),
    "family_invitation": Row(set(), of="language", not_yours=EVERYBODY, anonymous=404),
    "family_answer": Row(set(), of="language", more="yes", not_yours=EVERYBODY, anonymous=404),
    "family_move": Row(set(), of="language", not_yours=EVERYBODY, anonymous=404),
    "family_cancel": Row(set(), of="language", not_yours=EVERYBODY, anonymous=404),
    # Whoever knows the address, like a key; test_feeds.py opens one.
    "calendar_feed": Row(set(), of="no_link", not_yours=EVERYBODY, anonymous=404),
    "own_calendar": Row(EDUCATORS),
    "calendar_close": Row(EDUCATORS, method="post", status=302),
    "week": Row(EDUCATORS | COORDINATORS | ELSEWHERE),
    "day_sheet": Row(EDUCATORS | COORDINATORS | ELSEWHERE),
    "day_move": theirs(COORDINATED, NOT_COORDINATED, "school"),
    "pair_list": Row(EDUCATORS | COORDINATORS | ELSEWHERE),
    "pair_answer": theirs(
        {"educator", "partner"},
        (EDUCATORS | COORDINATORS | ELSEWHERE) - {"educator", "partner"},
        "pair",
        method="post",
        status=302,
    ),
    "pair_end": theirs(
        {"site_coordinator", "program_coordinator"},
        {"other_site_coordinator", "outsider"},
        "pair",
        method="post",
        status=302,
    ),
    # Whoever holds an interpreter's link, whoever is logged in; test_interpreter_page.py does.
    "interpreter_page": Row(set(), of="no_link", not_yours=EVERYBODY, anonymous=404),
    "interpreter_list": Row(COORDINATORS | ELSEWHERE),
    "interpreter_new": Row(PROGRAM | ELSEWHERE),
    "interpreter_edit": theirs(PROGRAM, ELSEWHERE, "lan"),
    "interpreter_end": theirs(PROGRAM, ELSEWHERE, "lan", method="post", status=302),
    "interpreter_move": theirs(PROGRAM, ELSEWHERE, "lan", method="post", status=302),
    # Only an educator's own say.
    "interpreting_mine": Row(EDUCATORS, not_yours=COORDINATORS | ELSEWHERE),
    "interpreter_request_list": Row(COORDINATORS | ELSEWHERE),
    "interpreter_request_detail": theirs(COORDINATED, NOT_COORDINATED, "interpreter_request"),
    "interpreter_request_answer": theirs(
        COORDINATED, NOT_COORDINATED, "interpreter_request", method="post", status=302
    ),
    "interpreter_request_next": theirs(
        COORDINATED, NOT_COORDINATED, "interpreter_request", method="post", status=302
    ),
    "interpreter_request_end": theirs(
        COORDINATED, NOT_COORDINATED, "interpreter_request", method="post", status=302
    ),
    "visit_interpret": theirs(FAMILY, NOT_MY_FAMILY, "visit", method="post", status=302),
    "visit_list": Row(EDUCATORS | COORDINATORS | ELSEWHERE),
    "visit_detail": theirs(FAMILY, NOT_MY_FAMILY, "visit"),
    "visit_confirm": theirs(FAMILY, NOT_MY_FAMILY, "visit", method="post", status=302),
    "visit_move": theirs(FAMILY, NOT_MY_FAMILY, "visit"),
    "visit_swap": theirs(FAMILY, NOT_MY_FAMILY, "visit"),
    "visit_decline": theirs(PAIR, {"colleague"}, "visit", method="post", status=302),
    "visit_cancel": theirs(
        FAMILY,
        NOT_MY_FAMILY,
        "visit",
        method="post",
        status=302,
        data={"ending": "family_cancelled"},
    ),
    "visit_hold": theirs(PAIR, {"colleague"}, "visit", method="post", status=302),
    "safety_out": theirs(PAIR, {"colleague"}, "visit", method="post", status=302),
    "safety_arrive": theirs(PAIR, {"colleague"}, "visit", method="post", status=302),
    "safety_leave": theirs(PAIR, {"colleague"}, "visit", method="post", status=302),
    "safety_longer": theirs(PAIR, {"colleague"}, "visit", method="post", status=302),
    "safety_help": theirs(PAIR, {"colleague"}, "visit"),
    "safety_well": theirs(PAIR, {"colleague"}, "visit", method="post", status=302),
    "safety_reached": theirs(COORDINATED, NOT_COORDINATED, "visit", method="post", status=302),
    "safety_hotline": Row(EDUCATORS | COORDINATORS | ELSEWHERE),
    "visit_log": theirs(PAIR, {"colleague"}, "held"),
    "visit_reflect": theirs(PAIR, {"colleague"}, "completed"),
    "draft_keep": theirs(PAIR, {"colleague"}, "held", more="log", method="post", status=422),
    "draft_drop": theirs(PAIR, {"colleague"}, "held", more="log", method="post", status=302),
    "visit_attest": theirs(PAIR, {"colleague"}, "held", method="post", status=302),
    "promise_keep": theirs(
        {"educator"}, {"colleague", "partner"}, "promise", method="post", status=302
    ),
    "pay_list": Row(PAY | {"other_site_coordinator"} | ELSEWHERE),
    "my_pay": Row(EDUCATORS),
    "pay_approve": Row(PAY | {"other_site_coordinator"} | ELSEWHERE, method="post", status=422),
    "pay_reverse": theirs(
        {"finance"}, set(), "line", method="post", status=302, data={"because": "Twice"}
    ),
    "batch_list": Row({"finance"}),
    "batch_make": Row({"finance"}, method="post", status=302),
    "batch_detail": theirs({"finance"}, set(), "batch"),
    "batch_csv": theirs({"finance"}, set(), "batch", method="post"),
    "cohort_list": Row(COORDINATORS | ELSEWHERE),
    "cohort_new": Row(PROGRAM | ELSEWHERE),
    "cohort_detail": theirs(
        {"site_coordinator", "program_coordinator"},
        {"other_site_coordinator", "outsider"},
        "cohort",
    ),
    "session_add": theirs(PROGRAM, ELSEWHERE, "cohort"),
    "session_edit": theirs(PROGRAM, ELSEWHERE, "training_session"),
    "session_cancel": theirs(PROGRAM, ELSEWHERE, "training_session"),
    "cohort_enrol": theirs(PROGRAM, ELSEWHERE, "cohort"),
    "cohort_needs": theirs(COORDINATED, NOT_COORDINATED, "cohort"),
    "cohort_edit": theirs(PROGRAM, ELSEWHERE, "cohort"),
    "cohort_invite": theirs(PROGRAM, ELSEWHERE, "cohort"),
    "cohort_member": theirs(
        {"site_coordinator", "program_coordinator"},
        {"other_site_coordinator", "outsider"},
        "member",
    ),
    "cohort_withdraw": theirs(PROGRAM, ELSEWHERE, "member", method="post", status=302),
    # There is no other cohort to move to, and nobody waits.
    "cohort_transfer": theirs(PROGRAM, ELSEWHERE, "member", method="post", status=422),
    "cohort_place": theirs(PROGRAM, ELSEWHERE, "member", method="post", status=302),
    "own_training": Row(EDUCATORS),
    "own_sign_up": theirs(EDUCATORS, set(), "open_cohort", method="post", status=302),
    "own_leave": theirs(
        {"educator"}, {"partner", "colleague"}, "member", method="post", status=302
    ),
    "course_list": Row(PROGRAM | ELSEWHERE),
    "course_new": Row(PROGRAM | ELSEWHERE),
    "course_edit": theirs(PROGRAM, ELSEWHERE, "course"),
    "cohort_complete": theirs(PROGRAM, ELSEWHERE, "cohort", method="post", status=409),
    "attendance_record": theirs(
        PROGRAM, ELSEWHERE, "attendance", method="post", status=302, data={"state": "attended"}
    ),
    "attendance_everybody": theirs(
        PROGRAM, ELSEWHERE, "training_session", method="post", status=302
    ),
    "attendance_undo": theirs(PROGRAM, ELSEWHERE, "everybody_came", method="post", status=302),
    "attendance_guest": theirs(PROGRAM, ELSEWHERE, "training_session"),
    "session_door": theirs(PROGRAM, ELSEWHERE, "training_session"),
    "door_confirm": theirs(PROGRAM, ELSEWHERE, "signed_in", method="post", status=302),
    "door_refuse": theirs(PROGRAM, ELSEWHERE, "signed_in", method="post", status=302),
    # Whoever holds a code may look; test_door.py signs in.
    "door_sign_in": theirs(EVERYBODY, set(), "door_code"),
    "certification_list": Row(COORDINATORS | ELSEWHERE),
    "certification_issue": theirs(PROGRAM, ELSEWHERE, "ana"),
    "certification_revoke": theirs(PROGRAM, ELSEWHERE, "certified"),
    "certificate_pdf": theirs(
        {"educator", "site_coordinator", "program_coordinator"},
        {"partner", "colleague", "other_site_coordinator", "outsider"},
        "certified",
    ),
    "certificate_verify": Row(EVERYBODY),
    "training_desk": Row(COORDINATORS | ELSEWHERE),
    "certification_csv": Row(COORDINATORS | ELSEWHERE, method="post"),
    "cohort_csv": theirs(
        {"site_coordinator", "program_coordinator"},
        {"other_site_coordinator", "outsider"},
        "cohort",
        method="post",
    ),
    "certificate_import_list": Row(PROGRAM | ELSEWHERE),
    "certificate_import_new": Row(PROGRAM | ELSEWHERE, method="post", status=422),
    "certificate_import_detail": theirs(PROGRAM, ELSEWHERE, "certificate_import"),
    "certificate_import_apply": theirs(
        PROGRAM, ELSEWHERE, "certificate_import", method="post", status=302
    ),
    "certificate_import_undo": theirs(
        PROGRAM, ELSEWHERE, "certificate_import", method="post", status=409
    ),
    "certificate_import_discard": theirs(
        PROGRAM, ELSEWHERE, "certificate_import", method="post", status=302
    ),
    "certificate_import_refused": theirs(PROGRAM, ELSEWHERE, "certificate_import"),
    "cohort_feedback": theirs(
        {"site_coordinator", "program_coordinator"},
        {"other_site_coordinator", "outsider"},
        "cohort",
    ),
    "feedback_give": theirs({"educator"}, {"partner", "colleague"}, "asked"),
    "roster_list": Row(PROGRAM | ELSEWHERE),
    "roster_upload": Row(PROGRAM | ELSEWHERE, method="post", status=422),
    "roster_guide": Row(PROGRAM | ELSEWHERE),
    "contacts_template": Row(PROGRAM | ELSEWHERE),
    "attributes_template": Row(PROGRAM | ELSEWHERE),
    "roster_detail": theirs(PROGRAM, ELSEWHERE, "roster_import"),
    "roster_apply": theirs(PROGRAM, ELSEWHERE, "roster_import", method="post", status=302),
    "roster_columns": theirs(PROGRAM, ELSEWHERE, "roster_import", status=302),
    "roster_reopen": theirs(PROGRAM, ELSEWHERE, "roster_import", method="post", status=409),
    "roster_undo": theirs(PROGRAM, ELSEWHERE, "roster_import", method="post", status=409),
    "roster_refused": theirs(PROGRAM, ELSEWHERE, "roster_import"),
    "roster_discard": theirs(PROGRAM, ELSEWHERE, "roster_import", method="post", status=302),
}


def our_urls(resolver: URLResolver | None = None) -> set[str]:
    """The names of every URL but the admin's and allauth's, which have rows of their own."""
    names = set()
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLPattern):
            names.add(entry.name)
        elif entry.app_name != "admin" and entry.urlconf_module.__name__ != "allauth.urls":
            names |= our_urls(entry)
    return names - {"account_login"}


def test_every_url_has_a_row_and_every_row_a_url():
    assert our_urls() == set(ROWS)


@pytest.fixture
def row_id(request) -> Callable[[str], int | str]:
    """The id of a row of each kind, all about the Ortega family's visit; or a code."""

    def pk(kind: str) -> int | str:
        if kind == "plan":
            request.getfixturevalue("invitation")
            return SelectionPlan.objects.get().pk
        if kind == "drawn_plan":
            return request.getfixturevalue("lots").plan_id
        if kind in {"its_family", "caregiver", "student"}:
            family = request.getfixturevalue("accepted").family
            rows = {"caregiver": family.caregivers, "student": family.students}
            return rows[kind].get().pk if kind in rows else family.pk
        found = request.getfixturevalue(kind)
        return found if isinstance(found, str) else found.pk

    return pk


@pytest.fixture
def no_link() -> str:
    return "a-token-of-nobody"


@pytest.fixture
def language() -> str:
    return "es"


@pytest.fixture
def anonymous() -> AnonymousUser:
    return AnonymousUser()


@pytest.mark.parametrize("name", sorted(ROWS))
def test_access(name: str, request, row_id, db):
    row = ROWS[name]
    url = reverse(name, args=[*filter(None, [row.of and row_id(row.of), row.more])])
    cast = {person: request.getfixturevalue(person) for person in sorted(EVERYBODY)}

    got = {person: status_for(url, row, user) for person, user in cast.items()}

    assert got == {person: row.expected(person) for person in cast}


def status_for(url: str, row: Row, user) -> int | None:
    """The status `user` gets; what it changed is taken back. A detour to log in is kept apart."""
    client = Client()
    with transaction.atomic():
        if user.is_authenticated:
            client.force_login(user)
        response = getattr(client, row.method)(url, row.data)
        transaction.set_rollback(True)
    if not user.is_authenticated and response.status_code == 302:
        assert response["Location"].startswith(reverse("account_login"))
    return response.status_code


@pytest.mark.parametrize("name", sorted(name for name, row in ROWS.items() if row.method == "post"))
def test_a_write_never_happens_on_get(name: str, request, client: Client, row_id, administrator):
    """A reload after a refusal is at most sent to the page it belongs to."""
    row = ROWS[name]
    client.force_login(request.getfixturevalue(sorted(row.may or {"administrator"})[0]))

    url = reverse(name, args=[*filter(None, [row.of and row_id(row.of), row.more])])
    with scopes_disabled():
        before = AuditEntry.objects.count()

    response = client.get(url)

    with scopes_disabled():
        assert AuditEntry.objects.count() == before
    assert response.status_code in {302, 405}
    if response.status_code == 302:
        assert response["Location"] != url
        assert client.get(response["Location"], follow=True).status_code == 200


def test_nobody_takes_on_another_address(client: Client, funder):
    client.force_login(funder)
    url = reverse("account_email")

    response = client.post(url, {"action_add": "", "email": "new.teacher@example.org"})

    assert response.status_code == 405
    funder.refresh_from_db()
    assert funder.email == "flo.funder@example.org"


def test_an_educator_at_another_school_now_leaves_the_families_behind(
    client: Client, educator, accepted, visit, other_school, program
):
    held = Membership.objects.get(user=educator)
    held.ends_on = at(5, 0).date()
    held.save()
    Membership.objects.create(
        program=program, user=educator, role="educator", school=other_school,
        starts_on=at(6, 0).date(),
    )  # fmt: skip
    client.force_login(educator)

    assert client.get(accepted.get_absolute_url()).status_code == 404
    assert client.get(reverse("visit_detail", args=[visit.pk])).status_code == 404
    assert "Ortega" not in client.get(reverse("invitation_list")).content.decode()

    with clock.at(at(8, 18)):  # what was held is still to be written up
        Visit.objects.update(state="held", held_at=clock.now(), held_by=educator)
        assert client.get(reverse("visit_log", args=[visit.pk])).status_code == 200
