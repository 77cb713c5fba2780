"""The admin: everything is there, nothing breaks a rule, lists cost what they cost at one row."""

import datetime
import uuid
from collections.abc import Callable
from decimal import Decimal

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib import admin
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_scopes import scopes_disabled

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
    Student,
    StudentAttributes,
)
from pthv import audit, clock, undo
from pthv.models import (
    AuditEntry,
    Educator,
    LanguageReview,
    Membership,
    Message,
    PartnerOrganization,
    Program,
    RecordView,
    Role,
    School,
    SchoolYear,
    TextStop,
    User,
)
from pthv.ruled_admin import HistoryAdmin, ReadOnlyAdmin
from tests.conftest import at
from training import attendance, certification, cohorts, enrolment, sessions
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
)
from visits import answers, invitations, logs, pay, reflections, safety, scheduling, selection
from visits.models import (
    Availability,
    CalendarFeed,
    DebriefAttendee,
    DebriefSession,
    Draw,
    FamilyLink,
    FundingSource,
    Interpreter,
    InterpreterAsk,
    InterpreterRequest,
    Invitation,
    LogDraft,
    MessageWording,
    PayLine,
    PayRate,
    ReceivedKey,
    Reflection,
    ReflectionTheme,
    ResourceAsk,
    SchoolHoliday,
    Theme,
    TimeOff,
    Visit,
    VisitGoals,
    VisitLog,
    VisitTheme,
)

OURS = ("pthv", "families", "training", "visits")
MODELS = [model for model in apps.get_models() if model._meta.app_label in OURS]
READ_ONLY = [m for m in MODELS if isinstance(admin.site._registry.get(m), ReadOnlyAdmin)]
EDITED = [model for model in MODELS if model not in READ_ONLY]


def by_label(model: type[models.Model]) -> str:
    return model._meta.label_lower


def url_of(model: type[models.Model], page: str, *args) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def rows(model: type[models.Model]):
    manager = model._default_manager
    free = getattr(manager, "with_scopes_disabled", None)
    return (free() if free else manager).order_by("pk")


@pytest.fixture
def admin_client(administrator) -> Client:
    client = Client()
    client.force_login(administrator)
    return client


@pytest.fixture
def live(
    program, school, school_year, educator, partner, trained, finance, program_coordinator, person,
    add_family, administrator,
) -> Callable[[range], None]:  # fmt: skip
    """Live through whole walks, each numbered, so that every table gains rows."""
    ana, ben = educator.educators.get(), partner.educators.get()

    def settings(number: int) -> FundingSource:
        year = 2030 + number
        PartnerOrganization.objects.create(program=program, name=f"Union {number}", kind="union")
        SchoolYear.objects.create(
            program=program,
            name=str(year),
            starts_on=datetime.date(year, 8, 1),
            ends_on=datetime.date(year + 1, 7, 31),
        )
        PayRate.objects.create(
            program=program,
            kind="second",
            amount=Decimal(40),
            starts_on=datetime.date(year, 1, 1),
            ends_on=datetime.date(year, 12, 31),
        )
        PayRate.objects.filter(kind="second").update(amount=45)
        if not PayRate.objects.filter(kind="first").exists():
            PayRate.objects.create(
                program=program, kind="first", amount=40, starts_on=datetime.date(2026, 8, 1)
            )
        return FundingSource.objects.create(
            program=program,
            name=f"Fund {number}",
            budget=1000,
            starts_on=datetime.date(2026, 8, 1),
            ends_on=datetime.date(2027, 6, 30),
        )

    def training(number: int, people: School) -> None:
        course = Course.objects.create(program=program, name=f"Course {number}", hours=3)
        CourseRequirement.objects.create(program=program, course=course, kind="every_part")
        cohort = cohorts.open_cohort(course, f"Cohort {number}", by=program_coordinator)
        sessions.add(
            cohort, starts_at=at(1, 9), ends_at=at(1, 12), place="", by=program_coordinator
        )
        teo = person(f"Teo N{number}", Role.EDUCATOR, program, people)
        enrolment.enrol(cohort, [teo.educators.get()], by=program_coordinator)
        found = Attendance.objects.of(cohort).get()
        attendance.attend(found, "attended", by=program_coordinator)
        (issued,) = cohorts.complete(cohort, by=program_coordinator)
        certification.revoke(issued, because="A test", by=program_coordinator)
        around_training(number, cohort, issued)
        Membership.objects.filter(user=teo).update(ends_on=datetime.date(2027, 1, 1))
        Educator.objects.filter(user=teo).update(languages=["es"])

    def around_training(number: int, cohort: Cohort, issued: Certification) -> None:
        trainer = Trainer.objects.create(program=program, name=f"Tessa {number}")
        CohortTrainer.objects.create(program=program, cohort=cohort, trainer=trainer)
        TrainingFact.objects.create(
            program=program,
            educator=issued.educator,
            kind="debrief",
            happened_on=issued.issued_on,
            key=f"debrief:{number}",
        )
        CertificationReminder.objects.create(program=program, certification=issued, days=30)
        member = cohort.members.get()
        CohortMember.objects.filter(pk=member.pk).update(joined_at=at(1, 8))
        FeedbackRequest.objects.create(
            program=program,
            member=member,
            wave="end",
            minimum=10,
            asked_at=datetime.datetime(2026, 9, 1, tzinfo=datetime.UTC),
        )
        Feedback.objects.create(
            program=program, cohort=cohort, wave="end", ready=5, useful=4, recommend=5
        )
        brought = CertificateImport.objects.create(
            program=program, file_name=f"{number}.csv", uploaded_by=program_coordinator
        )
        CertificateLine.objects.create(
            program=program, certificate_import=brought, number=2, kind="new"
        )
        DoorSignIn.objects.create(
            program=program,
            session=cohort.sessions.get(),
            nonce_hash=str(number),
            educator=issued.educator,
        )

    def roster(number: int) -> tuple[SchoolClass, Family]:
        found = School.objects.create(program=program, name=f"School {number}")
        for user in (educator, partner):
            Membership.objects.create(
                program=program,
                user=user,
                role=Role.EDUCATOR,
                school=found,
                starts_on=datetime.date(2026, 1, 1),
            )
        training(number, found)
        school_class = SchoolClass.objects.create(
            program=program,
            school=found,
            school_year=school_year,
            source_id=f"C{number}",
            title=f"Class {number}",
        )
        ClassTeacher.objects.create(program=program, school_class=school_class, educator=ana)
        family = add_family(f"Ortega{number}", f"Mateo{number}")
        child = family.students.get()
        Student.objects.filter(pk=child.pk).update(school=found)
        Caregiver.objects.filter(family=family).update(language="en")
        Family.objects.filter(pk=family.pk).update(language="en")
        Enrollment.objects.create(program=program, school_class=school_class, student=child)
        imported = RosterImport.objects.create(
            program=program,
            kind="oneroster",
            file_name=f"{number}.zip",
            uploaded_by=program_coordinator,
        )
        RosterChange.objects.create(
            program=program, roster_import=imported, kind="new", table="students", source_id="1"
        )
        brought(number, imported, family, child)
        return school_class, family

    def brought(number: int, imported: RosterImport, family: Family, child: Student) -> None:
        with undo.recorded("roster.applied", program=program, by=program_coordinator):
            StudentAttributes.objects.create(program=program, student=child, sex="female")
        RosterProgress.objects.create(program=program, roster_import=imported, total=1)
        RosterSession.objects.create(
            program=program, source_id=f"T{number}", school_year=school_year
        )
        AmendmentRequest.objects.create(
            program=program, family=family, before={"language": "en"}, wanted={"language": "es"}
        )

    def walk(number: int) -> None:
        fund = settings(number)
        school_class, family = roster(number)
        day = at(8, 16, 30) + datetime.timedelta(days=number)
        selection.plan_everyone(
            school_class.school, school_year, school_class=school_class, by=program_coordinator
        )
        invitation = Invitation.objects.get(family=family)
        invitations.record_attempt(invitation, "call", "reached", by=educator)
        answers.record(invitation, "accepted", by=educator)
        invitations.choose_team(invitation, [ben], by=educator)
        visit = scheduling.schedule(invitation, scheduling.slot(day), "home", by=educator)
        with clock.at(day + datetime.timedelta(hours=2)):
            safety.leave(visit, by=educator)
            entry = logs.Entry(
                minutes=40,
                language="es",
                adults_present=1,
                student_present=True,
                hopes="That she loves to read",
                promise="Send the form",
                promise_due_on=day.date() + datetime.timedelta(days=7),
            )
            logs.write(visit, entry, by=educator)
            for user in (educator, partner):
                reflections.reflect(visit, reflections.Thoughts("He builds radios"), by=user)
            pay.approve(PayLine.objects.filter(visit=visit), fund, by=finance)
            pay.batch(program, by=finance)
        around_the_invitation(number, invitation, family)
        audit.viewed(family, by=educator, reason="see_families")

    def around_the_invitation(number: int, invitation: Invitation, family: Family) -> None:
        person = family.caregivers.first()
        FamilyLink.objects.create(
            program=program,
            invitation=invitation,
            caregiver=person,
            nonce=str(number),
            token_hash=str(number),
            expires_at=at(30, 12),
        )
        Draw.objects.create(
            program=program,
            plan=invitation.plan,
            number=1,
            seed="00",
            size=1,
            population=[family.pk],
            drawn=[family.pk],
            made_by=program_coordinator,
        )
        MessageWording.objects.create(
            program=program,
            kind=f"call{number}",
            language="vi",
            body="Xin chào",
            changed_by=program_coordinator,
        )
        around_the_visit(number, invitation.visits.get())
        TextStop.objects.create(phone=f"+1503555{number:04}")
        LanguageReview.objects.create(
            language="vi", fingerprint=str(number), speaker="Lan", signed_off_by=administrator
        )

    def around_the_visit(number: int, visit: Visit) -> None:
        interpreter = Interpreter.objects.create(
            program=program,
            kind="outside",
            given_name=f"Lan{number}",
            phone=f"+1503555{number:04}",
            languages=["vi"],
            adult_confirmed_by=program_coordinator,
        )
        whose = {"program": program, "interpreter": interpreter}
        Availability.objects.create(
            **whose, weekday=0, starts=datetime.time(16), ends=datetime.time(18)
        )
        day = at(8, 12).date()
        TimeOff.objects.create(**whose, starts_on=day, ends_on=day)
        day += datetime.timedelta(days=number)
        SchoolHoliday.objects.create(program=program, name="Snow", starts_on=day, ends_on=day)
        Visit.objects.filter(pk=visit.pk).update(kind="second")
        VisitGoals.objects.create(program=program, visit=visit, kind="second", shared="To read")
        request = InterpreterRequest.objects.create(
            program=program, visit=visit, bound=visit, during=visit.during, language="vi"
        )
        Interpreter.objects.filter(pk=interpreter.pk).update(position=number + 1)
        InterpreterRequest.objects.filter(pk=request.pk).update(state="no_resource")
        around_the_debrief(number, visit)
        InterpreterAsk.objects.create(**whose, request=request, token_hash=str(number))
        CalendarFeed.objects.create(
            program=program, user=educator, token_hash=str(number), revoked_at=clock.now()
        )
        LogDraft.objects.create(
            program=program,
            visit=visit,
            educator=educator.educators.get(),
            what="reflection",
            key=uuid.UUID(int=number),
            data={"learned": ["She sails boats"]},
        )
        ReceivedKey.objects.create(program=program, user=educator, key=uuid.UUID(int=number))

    def around_the_debrief(number: int, visit: Visit) -> None:
        hope, learned = (
            Theme.objects.create(program=program, kind=kind, name=f"{kind} {number}")
            for kind in Theme.Kind
        )
        VisitTheme.objects.create(program=program, visit=visit, theme=hope)
        ReflectionTheme.objects.create(
            program=program, reflection=visit.reflections.first(), theme=learned
        )
        debrief = DebriefSession.objects.create(
            program=program,
            school=visit.school,
            starts_at=at(20, 16),
            planned_by=program_coordinator,
        )
        DebriefAttendee.objects.create(program=program, debrief=debrief, educator=ana)
        ResourceAsk.objects.create(
            program=program, school=visit.school, what=f"Books {number}", asked_in=at(5, 0).date()
        )

    def live(numbers: range) -> None:
        for number in numbers:
            walk(number)
            Program.objects.create(name=f"Program {number}", slug=f"program-{number}")

    return live


def test_every_model_of_ours_is_there() -> None:
    assert [model for model in MODELS if model not in admin.site._registry] == []
    assert len(MODELS) > 40


def test_what_actions_and_triggers_guard_is_read_only() -> None:
    assert {by_label(model) for model in EDITED} == {
        "families.caregiver",
        "families.family",
        "families.student",
        "pthv.educator",
        "pthv.membership",
        "pthv.partnerorganization",
        "pthv.program",
        "pthv.school",
        "pthv.schoolyear",
        "pthv.user",
        "training.course",
        "training.courserequirement",
        "training.trainer",
        "visits.fundingsource",
        "visits.payrate",
    }


def test_every_page_answers_and_costs_the_same_at_1_and_30_rows(admin_client, live) -> None:
    def cost(url: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert admin_client.get(url).status_code == 200, url
        return len(queries)

    lists = [url_of(model, "changelist") for model in MODELS]
    live(range(1))
    for url in lists:
        admin_client.get(url)
    one = {url: cost(url) for url in lists}
    live(range(1, 30))
    with scopes_disabled():
        assert {by_label(m): rows(m).count() for m in MODELS if rows(m).count() < 30} == {}

    assert {url: cost(url) for url in lists} == one
    assert max(one.values()) <= 8
    for model in MODELS:
        with scopes_disabled():
            pk = rows(model).last().pk
        assert cost(url_of(model, "change", pk)) <= 16, model
        adding = admin_client.get(url_of(model, "add")).status_code
        refused = model in READ_ONLY or model is Student
        assert adding == (403 if refused else 200), model
        assert admin_client.get(url_of(model, "delete", pk)).status_code == 403, model
    for url in lists:
        for typed in ("ana", "Ortega1", "visit 1", "é '", "99999999999999999999"):
            assert admin_client.get(url, {"q": typed}).status_code == 200, (url, typed)


def test_read_only_rows_refuse_a_post(admin_client, live) -> None:
    live(range(1))

    for model in READ_ONLY:
        with scopes_disabled():
            row = rows(model).first()
            before = rows(model).filter(pk=row.pk).values().get()
        for page in (url_of(model, "change", row.pk), url_of(model, "delete", row.pk)):
            assert admin_client.post(page, {"post": "yes", "state": "held"}).status_code == 403
        assert admin_client.post(url_of(model, "add"), {}).status_code == 403
        with scopes_disabled():
            assert rows(model).filter(pk=row.pk).values().get() == before


@pytest.mark.parametrize(
    "who", ["educator", "site_coordinator", "program_coordinator", "finance", "funder", "outsider"]
)
def test_it_is_for_administrators_only(request, who, client: Client) -> None:
    client.force_login(request.getfixturevalue(who))

    for url in (reverse("admin:index"), url_of(Family, "changelist")):
        assert client.get(url, follow=True).status_code == 403


@pytest.mark.parametrize("rights", [{"is_staff": True}, {"is_superuser": True}])
def test_half_an_administrator_is_none(client: Client, db, rights) -> None:
    client.force_login(User.objects.create_user("half@example.org", **rights))

    assert client.get(reverse("admin:index"), follow=True).status_code == 403


def test_administrators_log_in_like_everybody_else(client: Client, db) -> None:
    for url in (reverse("admin:index"), url_of(User, "changelist")):
        where, _status = client.get(url, follow=True).redirect_chain[-1]
        assert where == f"{reverse('account_login')}?next={url}"
    posted = client.post(reverse("admin:login"), {"username": "a", "password": "b"})
    assert posted.url == f"{reverse('account_login')}?next={reverse('admin:index')}"


@pytest.mark.parametrize("elsewhere", ["https://example.com/", "//example.com", "", "/desk/"])
def test_admin_login_sends_nobody_elsewhere(admin_client, elsewhere) -> None:
    login = reverse("admin:login")

    known = admin_client.get(login, {"next": elsewhere})
    unknown = Client().get(login, {"next": elsewhere})

    assert known.url == reverse("admin:index")
    assert unknown.url == f"{reverse('account_login')}?next={reverse('admin:index')}"


def test_what_was_reflected_is_not_shown(admin_client, live) -> None:
    live(range(1))
    pk = Reflection.objects.first().pk

    for url in (url_of(Reflection, "changelist"), url_of(Reflection, "change", pk)):
        with CaptureQueriesContext(connection) as queries:
            assert "builds radios" not in admin_client.get(url).content.decode()
        assert not any('"learned"' in query["sql"] for query in queries)


def test_what_is_still_being_written_is_not_shown(admin_client, live) -> None:
    live(range(1))
    pk = LogDraft.objects.first().pk

    for url in (url_of(LogDraft, "changelist"), url_of(LogDraft, "change", pk)):
        with CaptureQueriesContext(connection) as queries:
            assert "sails boats" not in admin_client.get(url).content.decode()
        assert not any('"data"' in query["sql"] for query in queries)


@pytest.mark.parametrize("model", ["family", "student", "visit", "invitation", "visitlog"])
def test_a_look_is_kept(admin_client, administrator, live, model) -> None:
    live(range(1))
    found = next(m for m in MODELS if m._meta.model_name == model)
    pk = rows(found).first().pk

    admin_client.get(url_of(found, "change", pk))

    look = RecordView.objects.get(by=administrator)
    assert (look.subject_type, look.subject_id, look.reason) == (model, pk, "administrator")


def test_a_look_at_what_a_family_was_is_kept_as_one_at_the_family(
    admin_client, administrator, family
) -> None:
    Family.objects.filter(pk=family.pk).update(language="vi")
    kept = next(m for m in MODELS if m._meta.model_name == "familyhistoryevent")

    page = admin_client.get(url_of(Family, "change", family.pk)).content.decode()
    earlier = f"{url_of(kept, 'changelist')}?pgh_obj_id={family.pk}"
    assert earlier in page
    assert "1 earlier family" in admin_client.get(earlier).content.decode()
    admin_client.get(url_of(kept, "change", kept.objects.get().pk))

    # The family, the list of what it was, and the one row of it.
    assert RecordView.objects.filter(by=administrator, subject_type="family").count() == 3
    assert isinstance(admin.site._registry[kept], HistoryAdmin)


@pytest.mark.parametrize("model", ["family", "caregiver", "student", "visit", "message"])
def test_a_list_is_a_look_at_each_row_it_shows(admin_client, administrator, live, model) -> None:
    live(range(2))
    found = next(m for m in MODELS if m._meta.model_name == model)
    with scopes_disabled():
        every = set(rows(found).values_list("pk", flat=True))
    only = max(every)

    admin_client.get(url_of(found, "changelist"), {"q": only})
    looks = RecordView.objects.filter(by=administrator, subject_type=model)
    assert [look.subject_id for look in looks] == [only]
    admin_client.get(url_of(found, "changelist"))

    assert len(every) > 1
    assert sorted(look.subject_id for look in looks.all()) == sorted([*every, only])


def test_whoever_enters_a_school_learns_what_its_phone_is_for(admin_client) -> None:
    page = admin_client.get(url_of(School, "add")).content.decode()

    assert "Families are told to call the school with questions" in page


def test_a_list_of_schools_is_no_look(admin_client, administrator, school) -> None:
    admin_client.get(url_of(School, "changelist"))

    assert not RecordView.objects.filter(by=administrator).exists()


@pytest.mark.parametrize(
    ("model", "query"),
    [
        (Reflection, "learned__startswith=He"),
        (Reflection, "learned=He"),
        (Reflection, "visit__family__surnames__startswith=O"),
        (Reflection, "educator__user__password__startswith=a"),
        (VisitLog, "hopes__contains=loves"),
        (Message, "body__contains=a"),
        (Message, "state__startswith=q"),
        (Message, "program__name__startswith=W"),
        (User, "password__startswith=a"),
    ],
)
def test_nothing_is_read_letter_by_letter(admin_client, live, model, query) -> None:
    live(range(1))

    assert admin_client.get(f"{url_of(model, 'changelist')}?{query}").status_code == 400


@pytest.mark.parametrize(
    "query", ["program__id__exact={}", "state__exact=queued", "id__exact=1", "pk=1", "p=2"]
)
def test_the_lists_own_links_work(admin_client, program, live, query) -> None:
    live(range(1))
    where = f"{url_of(Message, 'changelist')}?{query.format(program.pk)}"

    assert admin_client.get(where).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "program__id__exact={}&state__exact=%00",
        "program__id__exact={}&state__exact=",
        "program__id__exact={}&state__isnull=perhaps",
        "program__id__exact=%00",
        "program__id__exact=x",
        "program__id__exact=" + "9" * 30,
        "program__id__exact=" + "9" * 5000,
        "id__exact=x",
        "id__exact=%00",
        "pk=-1",
        "p=%00",
        "p=-5",
        "q=%00",
        "%00=1",
        "e=1",
        "o=%00",
    ],
)
def test_an_odd_address_is_the_list_and_no_error(admin_client, program, live, query) -> None:
    live(range(1))
    url = f"{url_of(Message, 'changelist')}?{query.format(program.pk)}"

    response = admin_client.get(url, follow=True)

    refused = query.startswith("%00") and response.status_code == 400
    assert response.status_code == 200 or refused


def test_an_odd_row_number_in_history_is_the_list(admin_client, family) -> None:
    kept = next(m for m in MODELS if m._meta.model_name == "familyhistoryevent")

    for odd in ("x", "%00", "9" * 30, ""):
        url = f"{url_of(kept, 'changelist')}?pgh_obj_id={odd}"
        assert admin_client.get(url, follow=True).status_code == 200


def save(client: Client, model: type[models.Model], row: models.Model | None, **changes):
    """Post what the form would, with `changes`; return the response."""
    url = url_of(model, "change", row.pk) if row else url_of(model, "add")
    form = client.get(url).context["adminform"].form
    data = {name: form[name].value() for name in form.fields if name != "password"}
    data |= changes
    given = {name: value for name, value in data.items() if value not in (None, False)}
    return client.post(url, given)


def errors(response) -> str:
    assert response.status_code == 200, "it was saved"
    return str(response.context["errors"])


def test_a_correction_is_audited_without_its_words(admin_client, administrator, family) -> None:
    response = save(admin_client, Family, family, surnames="Ortega Núñez")

    assert response.status_code == 302
    family.refresh_from_db()
    assert family.surnames == "Ortega Núñez"
    entry = AuditEntry.objects.get(event="family.corrected")
    assert (entry.by, entry.subject_id, entry.facts) == (
        administrator,
        family.pk,
        {"fields": ["surnames"]},
    )


def test_saving_nothing_new_is_no_correction(admin_client, family) -> None:
    assert save(admin_client, Family, family).status_code == 302

    assert not AuditEntry.objects.filter(event="family.corrected").exists()


def test_a_row_stays_in_its_program(admin_client, family, other_program) -> None:
    form = admin_client.get(url_of(Family, "change", family.pk)).context["adminform"].form
    assert "program" not in form.fields

    save(admin_client, Family, family, program=other_program.pk, surnames="Moved")

    family.refresh_from_db()
    assert family.program_id != other_program.pk


def test_another_programs_school_is_refused_in_a_sentence(
    admin_client, family, other_program, person, program
) -> None:
    with scopes_disabled():
        elsewhere = School.objects.create(program=other_program, name="Far")
    student = family.students.get()

    assert "Choose one of Willow Creek" in errors(
        save(admin_client, Student, student, school=elsewhere.pk)
    )
    user = User.objects.create_user("new@example.org")
    refused = save(
        admin_client, Membership, None, program=program.pk, user=user.pk, role="educator",
        school=elsewhere.pk, starts_on="2026-10-01",
    )  # fmt: skip
    assert "Choose one of Willow Creek" in errors(refused)


def test_what_the_database_refuses_is_a_sentence_on_the_form(
    admin_client, program, fund, pay_rate, school_year, school, educator
) -> None:
    FundingSource.objects.filter(pk=fund.pk).update(used=500)
    for model, row, changes, sentence in [
        (FundingSource, fund, {"budget": "499"}, "not enough left"),
        (Program, program, {"minimum_cell": "1"}, "program_minimum_cell_protects"),
        (Program, program, {"time_zone": "Mars/Base"}, "Choose a time zone"),
        (School, school, {"contract_day_ends": "06:00"}, "school_contract_day_in_order"),
        (
            SchoolYear,
            None,
            {
                "program": program.pk,
                "name": "Twice",
                "starts_on": "2026-09-01",
                "ends_on": "2027-06-30",
            },
            "overlaps another",
        ),
        (
            PayRate,
            None,
            {"program": program.pk, "kind": "first", "amount": "50", "starts_on": "2026-09-01"},
            "Another rate of this kind",
        ),
        (PayRate, pay_rate, {"amount": "0"}, "pay_rate_positive"),
        (
            Membership,
            Membership.objects.get(user=educator),
            {"school": ""},
            "belong to a school",
        ),
    ]:
        assert sentence in errors(save(admin_client, model, row, **changes)), sentence


def test_a_name_twice_in_a_program_is_refused(admin_client, program, course) -> None:
    again = {"program": program.pk, "name": "Introduction", "hours": "3", "validity_months": "24"}

    assert "already exists" in errors(save(admin_client, Course, None, **again))
    second = Course.objects.create(program=program, name="Second", hours=1)
    assert "already exists" in errors(save(admin_client, Course, second, name="Introduction"))


def test_a_rate_that_paid_stays_as_it_was(admin_client, live) -> None:
    live(range(1))
    rate = PayRate.objects.get(kind="first")

    assert save(admin_client, PayRate, rate, amount="99", ends_on="2027-07-31").status_code == 302

    rate.refresh_from_db()
    assert (rate.amount, rate.ends_on) == (Decimal(40), datetime.date(2027, 7, 31))


def test_a_new_educator_can_be_invited_to_visit(admin_client, program, school) -> None:
    response = save(
        admin_client, User, None, email="Nia.Bell@Example.org", given_name="Nia",
        password1="a long pass word", password2="a long pass word",
    )  # fmt: skip
    assert response.status_code == 302
    nia = User.objects.get(email="nia.bell@example.org")
    assert nia.check_password("a long pass word")
    assert not nia.is_staff

    response = save(
        admin_client, Membership, None, program=program.pk, user=nia.pk, role="educator",
        school=school.pk, starts_on="2026-10-01",
    )  # fmt: skip

    assert response.status_code == 302
    assert Educator.objects.get(user=nia).program == program
    assert AuditEntry.objects.filter(event="membership.added").count() == 1


def test_a_password_is_set_and_its_hash_never_shown(admin_client, educator) -> None:
    educator.set_password("an older pass word")
    educator.save()
    page = admin_client.get(url_of(User, "change", educator.pk)).content.decode()
    assert educator.password.rsplit("$", 1)[-1] not in page

    save(admin_client, User, educator, password="plain")
    educator.refresh_from_db()
    assert educator.check_password("an older pass word")
    url = reverse("admin:auth_user_password_change", args=[educator.pk])
    new = "a newer pass word"
    admin_client.post(url, {"usable_password": "true", "password1": new, "password2": new})

    educator.refresh_from_db()
    assert educator.check_password(new)


def test_an_administrator_is_one_in_full_and_keeps_the_key(
    admin_client, administrator, educator
) -> None:
    save(admin_client, User, educator, is_staff="on")
    educator.refresh_from_db()
    assert educator.is_superuser
    save(admin_client, User, educator, is_staff=False)
    educator.refresh_from_db()
    assert not educator.is_superuser

    save(admin_client, User, administrator, given_name="Alex", is_active=False, is_staff=False)

    administrator.refresh_from_db()
    assert (administrator.given_name, administrator.is_active) == ("Alex", True)
    assert administrator.is_staff


def act(client: Client, action: str, *chosen: models.Model, **answers):
    data = {"action": action, "_selected_action": [row.pk for row in chosen], **answers}
    return client.post(url_of(type(chosen[0]), "changelist"), data, follow=True)


def test_revoking_asks_why_on_a_page_of_its_own(
    admin_client, administrator, trained, educator, partner
) -> None:
    held = list(Certification.objects.order_by("pk"))

    asked = act(admin_client, "revoke", *held)
    assert b'name="because"' in asked.content
    assert b"Ana Ruiz, Introduction" in asked.content
    unanswered = act(admin_client, "revoke", *held, _asked="yes", because="")
    assert b"This field is required" in unanswered.content
    assert not Certification.objects.exclude(revoked_at=None).exists()
    done = act(admin_client, "revoke", *held, _asked="yes", because="Left early")

    assert b"Done for 2 of 2." in done.content
    assert {c.revoked_because for c in Certification.objects.all()} == {"Left early"}
    assert AuditEntry.objects.filter(event="certification.revoked", by=administrator).count() == 2


def test_a_family_is_asked_again_for_a_reason_only(
    admin_client, invitation, site_coordinator
) -> None:
    answers.record(invitation, "declined", by=site_coordinator)

    act(admin_client, "reopen", invitation, _asked="yes", because=" ")
    invitation.refresh_from_db()
    assert invitation.state == "declined"
    act(admin_client, "reopen", invitation, _asked="yes", because="She called us")

    invitation.refresh_from_db()
    assert invitation.state == "asked"
    assert AuditEntry.objects.get(event="invitation.reopened").facts["because"] == "She called us"


def test_a_visit_is_cancelled_by_the_action(admin_client, visit) -> None:
    act(admin_client, "cancel", visit, _asked="yes", ending="educator_cancelled")

    visit.refresh_from_db()
    assert (visit.state, visit.occupies) == ("educator_cancelled", False)
    assert AuditEntry.objects.filter(event="visit.cancelled").count() == 1
    assert Message.objects.filter(kind="visit_cancelled").count() == 2


def test_what_an_action_refuses_is_said(admin_client, held) -> None:
    response = act(admin_client, "cancel", held, _asked="yes", ending="not_home")

    assert b"Only a visit that lies ahead can be cancelled." in response.content
    assert Visit.objects.get().state == "held"


def test_an_account_is_closed_at_once(admin_client, administrator, educator, client) -> None:
    client.force_login(educator)

    response = act(admin_client, "deactivate", educator, administrator, _asked="yes")

    assert b"can&#x27;t close your own account" in response.content
    educator.refresh_from_db()
    administrator.refresh_from_db()
    assert (educator.is_active, administrator.is_active) == (False, True)
    assert client.get(reverse("more")).status_code == 302
    assert AuditEntry.objects.get(event="account.closed").facts == {"user": educator.pk}


def test_a_lost_phone_is_forgotten(admin_client, administrator, educator) -> None:
    for user in (educator, administrator):
        Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})

    act(admin_client, "forget_second_step", educator, administrator, _asked="yes")

    assert [found.user for found in Authenticator.objects.all()] == [administrator]
    assert AuditEntry.objects.filter(event="account.second_step_forgotten").count() == 1


def test_other_packages_pages_do_not_edit_secrets() -> None:
    theirs = {by_label(m) for m in admin.site._registry if m._meta.app_label not in OURS}

    assert theirs == {"admin.logentry", "procrastinate.procrastinatejob"}


def test_times_are_the_programs(admin_client, visit, other_program) -> None:
    half_past_four = "Thu, Oct 8, 4:30 PM–5:30 PM"
    lists = url_of(Visit, "changelist")

    for page in (
        admin_client.get(url_of(Visit, "change", visit.pk)),
        admin_client.get(lists, {"program__id__exact": visit.program_id}),
    ):
        assert half_past_four in page.content.decode()
        assert "Times are those of America/Chicago." in page.content.decode()
    assert "Times are those of UTC." in admin_client.get(lists).content.decode()


def test_a_membership_ends_today(admin_client, educator, partner) -> None:
    ana, ben = Membership.objects.get(user=educator), Membership.objects.get(user=partner)
    Membership.objects.filter(pk=ben.pk).update(starts_on=datetime.date(2026, 11, 1))

    response = act(admin_client, "end_today", ana, ben, _asked="yes")

    assert b"has not begun yet" in response.content
    ana.refresh_from_db()
    ben.refresh_from_db()
    assert (ana.ends_on, ben.ends_on) == (datetime.date(2026, 10, 6), None)
    assert AuditEntry.objects.filter(event="membership.ended").count() == 1


def test_children_and_their_visits_are_found_by_name(admin_client, visit, add_family) -> None:
    add_family("Baker", "Ida")

    for model in (Family, Caregiver, Student, Enrollment, Invitation, Visit):
        for typed in ("mateo", "Mat ort"):
            found = admin_client.get(url_of(model, "changelist"), {"q": typed}).context["cl"]
            assert found.result_count == 1, (model, typed)
        missed = admin_client.get(url_of(model, "changelist"), {"q": "Zzz"}).context["cl"]
        assert missed.result_count == 0
    by_surname = admin_client.get(url_of(Family, "changelist"), {"q": "BAKER"}).context["cl"]
    assert [str(family) for family in by_surname.result_list] == ["Baker family"]


def test_the_trail_of_a_row_is_found(admin_client, visit) -> None:
    typed = {"q": f"visit {visit.pk}"}

    found = admin_client.get(url_of(AuditEntry, "changelist"), typed).context["cl"]

    assert [entry.event for entry in found.result_list] == ["visit.scheduled"]


def test_state_is_a_filter_once_a_program_is_chosen(admin_client, visit, program) -> None:
    url = url_of(Visit, "changelist")
    chosen = {"program__id__exact": program.pk, "state__exact": "held"}

    everywhere = admin_client.get(url).context["cl"]
    within = admin_client.get(url, chosen).context["cl"]

    assert len(everywhere.filter_specs) + 1 == len(within.filter_specs)
    assert (everywhere.result_count, within.result_count) == (1, 0)


def test_no_list_counts_or_sorts_a_whole_table(admin_client, live, monkeypatch) -> None:
    live(range(1))

    for model in MODELS:
        with CaptureQueriesContext(connection) as queries:
            admin_client.get(url_of(model, "changelist"))
        counts = [q["sql"] for q in queries if "COUNT(" in q["sql"]]
        assert all("LIMIT 1000" in sql for sql in counts), counts


def test_no_select_is_longer_than_a_hundred(admin_client, live, program) -> None:
    live(range(1))
    School.objects.bulk_create(School(program=program, name=f"S{n}") for n in range(120))

    for model in EDITED:
        for row in (None, rows(model).last()):
            if row is None and model is Student:
                continue
            url = url_of(model, "change", row.pk) if row else url_of(model, "add")
            assert admin_client.get(url).content.decode().count("<option") <= 100, model


def test_autocomplete_offers_what_was_typed(admin_client, family) -> None:
    asked = {"app_label": "families", "model_name": "student", "field_name": "family"}

    found = admin_client.get(reverse("admin:autocomplete"), asked | {"term": "orte"}).json()

    assert [row["text"] for row in found["results"]] == ["Ortega family"]
