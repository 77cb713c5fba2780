"""The cast. Everybody works at Lincoln in the program Willow Creek, unless the name says not.

It is Tuesday, October 6, 2026, 1 PM in Chicago, but not in a server's threads, and not where a
test asks for the `real_clock`.
"""

import datetime
from collections.abc import Callable, Iterator
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from families import amendments
from families.models import (
    AmendmentRequest,
    Caregiver,
    ClassTeacher,
    Enrollment,
    Family,
    RosterImport,
    SchoolClass,
    Student,
)
from pthv import clock
from pthv.models import (
    Change,
    Educator,
    Membership,
    Message,
    Program,
    Role,
    School,
    SchoolYear,
    User,
)
from tests import mail_server as mail_servers
from tests import text_provider
from tests.mail_server import MailServer
from tests.text_provider import TextProvider
from training import attendance as attendances
from training import certification, cohorts, door, enrolment, sessions
from training.models import (
    Attendance,
    CertificateImport,
    Certification,
    Cohort,
    CohortMember,
    Course,
    CourseRequirement,
    DoorSignIn,
    FeedbackRequest,
    TrainingSession,
)
from visits import (
    answers,
    availability,
    debriefs,
    family_messages,
    interpreting,
    invitations,
    logs,
    pay,
    reflections,
    rota,
    scheduling,
    selection,
    teams,
    themes,
)
from visits.models import (
    ContactAttempt,
    DebriefSession,
    Draw,
    FollowUp,
    FundingSource,
    Interpreter,
    InterpreterRequest,
    Invitation,
    InvitationAnswer,
    PayBatch,
    PayLine,
    PayRate,
    ResourceAsk,
    SchoolHoliday,
    Theme,
    TimeOff,
    Visit,
    VisitTeam,
)

CHICAGO = ZoneInfo("America/Chicago")
NOW = datetime.datetime(2026, 10, 6, 13, 0, tzinfo=CHICAGO)


def at(day: int, hour: int, minute: int = 0, month: int = 10) -> datetime.datetime:
    """An hour of that day of the school year's autumn, in Chicago."""
    return datetime.datetime(2026, month, day, hour, minute, tzinfo=CHICAGO)


@pytest.fixture(autouse=True)
def _now(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.node.get_closest_marker("real_clock"):
        yield
        return
    with clock.at(NOW), timezone.override(CHICAGO):
        yield


@pytest.fixture(autouse=True)
def _texts_stay_here(settings, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What a test texts lies in a folder of the tests."""
    settings.TEXT_URL = f"file://{tmp_path_factory.getbasetemp()}/texts"


@pytest.fixture
def stand_in(settings) -> Iterator[TextProvider]:
    """The provider of texts, as it would answer."""
    with text_provider.running() as provider:
        settings.TEXT_URL = provider.url
        yield provider


@pytest.fixture
def mail_server(settings) -> Iterator[MailServer]:
    """A mail server that our e-mails really go to."""
    with mail_servers.running() as (server, port):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        yield server


@pytest.fixture(autouse=True)
def _no_jobs_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Empty the job queue, which a flush leaves alone, after tests that really commit."""
    yield
    marker = request.node.get_closest_marker("django_db")
    if (marker and marker.kwargs.get("transaction")) or "live_server" in request.fixturenames:
        blocker = request.getfixturevalue("django_db_blocker")
        with blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("TRUNCATE procrastinate_jobs CASCADE")


@pytest.fixture
def program(db) -> Iterator[Program]:
    program = Program.objects.create(name="Willow Creek", slug="willow-creek")
    with scope(program=program):
        yield program


@pytest.fixture
def other_program(db) -> Program:
    return Program.objects.create(name="Elsewhere", slug="elsewhere")


@pytest.fixture
def school_year(program: Program) -> SchoolYear:
    return SchoolYear.objects.create(
        program=program,
        name="2026–27",
        starts_on=datetime.date(2026, 8, 1),
        ends_on=datetime.date(2027, 7, 31),
    )


@pytest.fixture
def school(program: Program) -> School:
    return School.objects.create(program=program, name="Lincoln")


@pytest.fixture
def other_school(program: Program) -> School:
    return School.objects.create(program=program, name="Roosevelt")


@pytest.fixture
def person() -> Callable[..., User]:
    """Make somebody with one membership; an educator is an Educator too."""

    def make(name: str, role: Role, program: Program, school: School | None = None) -> User:
        user = User.objects.create_user(
            f"{name.lower().replace(' ', '.')}@example.org",
            given_name=name.split(maxsplit=1)[0],
            family_name=name.rsplit(maxsplit=1)[-1],
        )
        Membership.objects.create(
            program=program,
            user=user,
            role=role,
            school=school,
            starts_on=datetime.date(2026, 1, 1),
        )
        if role == Role.EDUCATOR:
            with scopes_disabled():
                Educator.objects.create(program=program, user=user)
        return user

    return make


@pytest.fixture
def educator(person, program, school) -> User:
    """Ana Ruiz, who teaches the class."""
    return person("Ana Ruiz", Role.EDUCATOR, program, school)


@pytest.fixture
def partner(person, program, school) -> User:
    """Ben Lee, who goes with her."""
    return person("Ben Lee", Role.EDUCATOR, program, school)


@pytest.fixture
def colleague(person, program, school) -> User:
    """Cara Diaz, of the same school, who has nothing to do with it."""
    return person("Cara Diaz", Role.EDUCATOR, program, school)


@pytest.fixture
def site_coordinator(person, program, school) -> User:
    return person("Sam Site", Role.SITE_COORDINATOR, program, school)


@pytest.fixture
def other_site_coordinator(person, program, other_school) -> User:
    """Coordinates Roosevelt."""
    return person("Rosa Roosevelt", Role.SITE_COORDINATOR, program, other_school)


@pytest.fixture
def program_coordinator(person, program) -> User:
    return person("Pat Program", Role.PROGRAM_COORDINATOR, program)


@pytest.fixture
def finance(person, program) -> User:
    return person("Fay Finance", Role.FINANCE, program)


@pytest.fixture
def funder(person, program) -> User:
    """A partner organisation's person: counts only."""
    return person("Flo Funder", Role.PARTNER, program)


@pytest.fixture
def interpreter(person, program) -> User:
    return person("Ivo Interpreter", Role.INTERPRETER, program)


@pytest.fixture
def outsider(person, other_program) -> User:
    """Coordinates another program."""
    return person("Otto Outsider", Role.PROGRAM_COORDINATOR, other_program)


@pytest.fixture
def administrator(db) -> User:
    return User.objects.create_superuser("admin@example.org", "a long password")


@pytest.fixture
def course(program) -> Course:
    course = Course.objects.create(program=program, name="Introduction", hours=3)
    CourseRequirement.objects.create(program=program, course=course, kind="every_part")
    return course


@pytest.fixture
def trained(course, educator, partner, program_coordinator) -> None:
    """Ana and Ben are certified from August 20 on, for two years."""
    for user in (educator, partner):
        certification.issue(
            user.educators.get(), course, on=datetime.date(2026, 8, 20), by=program_coordinator
        )


@pytest.fixture
def third(person, program, school, course, program_coordinator) -> User:
    """Cara Diaz, trained too."""
    user = person("Cara Diaz", Role.EDUCATOR, program, school)
    certification.issue(
        user.educators.get(), course, on=datetime.date(2026, 8, 20), by=program_coordinator
    )
    return user


@pytest.fixture
def pay_rate(program) -> PayRate:
    return PayRate.objects.create(
        program=program, kind="first", amount=Decimal(40), starts_on=datetime.date(2026, 8, 1)
    )


@pytest.fixture
def fund(program) -> FundingSource:
    return FundingSource.objects.create(
        program=program,
        name="Title I",
        budget=Decimal(1000),
        starts_on=datetime.date(2026, 8, 1),
        ends_on=datetime.date(2027, 6, 30),
    )


@pytest.fixture
def school_class(program, school, school_year, educator) -> SchoolClass:
    school_class = SchoolClass.objects.create(
        program=program, school=school, school_year=school_year, source_id="3A", title="Grade 3A"
    )
    ClassTeacher.objects.create(
        program=program,
        school_class=school_class,
        educator=educator.educators.get(),
        is_primary=True,
    )
    return school_class


@pytest.fixture
def add_family(program, school, school_class) -> Callable[..., Family]:
    """Make a family with one caregiver and children in the class."""

    def make(surname: str = "Ortega", *children: str) -> Family:
        family = Family.objects.create(program=program, surnames=surname, language="es")
        Caregiver.objects.create(
            program=program,
            family=family,
            given_name="Marta",
            family_name=surname,
            relation="mother",
            phone="+13125550142",
            language="es",
        )
        for name in children or ("Mateo",):
            student = Student.objects.create(
                program=program,
                school=school,
                family=family,
                source_id=f"{family.pk}-{name}",
                given_name=name,
                family_name=surname,
                grade="3",
            )
            Enrollment.objects.create(program=program, school_class=school_class, student=student)
        return family

    return make


@pytest.fixture
def family(add_family) -> Family:
    return add_family("Ortega", "Mateo")


@pytest.fixture
def invitation(family, school, school_year, school_class, site_coordinator) -> Invitation:
    """The Ortega family, planned and not asked yet."""
    selection.plan_everyone(school, school_year, school_class=school_class, by=site_coordinator)
    return Invitation.objects.get(family=family)


@pytest.fixture
def lots(family, school, school_year, school_class, site_coordinator) -> Draw:
    """The Ortega family, drawn by lot from the class."""
    plan = selection.draw(school, school_year, 1, school_class=school_class, by=site_coordinator)
    return plan.draws.get()


@pytest.fixture
def unsent(invitation, family, educator) -> Message:
    """The text that invited Marta, which could not be delivered."""
    Caregiver.objects.filter(family=family).update(preferred_channel="text")
    (message,) = family_messages.invite(invitation, by=educator)
    Message.objects.filter(pk=message.pk).update(state="failed", problem="unavailable")
    message.refresh_from_db()
    return message


@pytest.fixture
def kind_of_message() -> str:
    return "invitation"


@pytest.fixture
def proposal(invitation, family, educator) -> AmendmentRequest:
    """The Ortegas told Ana that Marta has a new number."""
    caregiver = family.caregivers.get()
    wanted = {"phone": "(312) 555-0199"}
    return amendments.propose(family, wanted, by=educator, caregiver=caregiver)


@pytest.fixture
def accepted(invitation, educator, partner, trained, pay_rate) -> Invitation:
    """The Ortega family said yes, and Ana goes with Ben."""
    invitations.record_attempt(invitation, "call", "reached", by=educator)
    answers.record(invitation, "accepted", by=educator)
    invitations.choose_team(invitation, [partner.educators.get()], by=educator)
    invitation.refresh_from_db()
    return invitation


@pytest.fixture
def attempt(invitation, educator) -> ContactAttempt:
    """Ana called the Ortegas, and nobody answered."""
    return invitations.record_attempt(invitation, "call", "no_answer", by=educator)


@pytest.fixture
def answer(invitation, educator) -> InvitationAnswer:
    """The Ortegas told Ana yes."""
    return answers.record(invitation, "accepted", by=educator)


@pytest.fixture
def visit(accepted, educator) -> Visit:
    """Scheduled for Thursday at 4:30 PM, an hour."""
    return scheduling.schedule(accepted, scheduling.slot(at(8, 16, 30)), "home", by=educator)


@pytest.fixture
def pair(school, educator, partner, site_coordinator) -> VisitTeam:
    """Ana and Ben go together all year."""
    people = [user.educators.get() for user in (educator, partner)]
    return teams.stand(school, people, by=site_coordinator)


@pytest.fixture
def lan(program, program_coordinator) -> Interpreter:
    """Lan Tran, of the staff, who interprets Spanish and Vietnamese and is asked a day ahead."""
    program.interpreter_notice = 1
    program.save()
    facts = {
        "kind": "staff",
        "given_name": "Lan",
        "family_name": "Tran",
        "email": "lan@example.org",
        "phone": "",
        "languages": ["es", "vi"],
        "hourly_rate": Decimal(45),
    }
    return rota.add(program, facts, by=program_coordinator)


@pytest.fixture
def interpreter_request(visit, lan, educator) -> InterpreterRequest:
    """Somebody is needed on Thursday; Lan was asked."""
    return interpreting.request_for(visit, "es", by=educator)


@pytest.fixture
def held(visit, educator) -> Iterator[Visit]:
    """Held on Thursday; it is 6 PM now."""
    with clock.at(at(8, 18)):
        yield scheduling.hold(visit, by=educator)


@pytest.fixture
def completed(visit, educator, partner):
    """The visit, logged with a promise and reflected on by both."""
    with clock.at(at(8, 18)):
        scheduling.hold(visit, by=educator)
        entry = logs.Entry(
            minutes=40,
            language="es",
            adults_present=1,
            student_present=True,
            promise="Send the form",
            promise_due_on=at(20, 0).date(),
        )
        logs.write(visit, entry, by=educator)
        for user in (educator, partner):
            reflections.reflect(visit, reflections.Thoughts("Much."), by=user)
    visit.refresh_from_db()
    return visit


@pytest.fixture
def theme(program, program_coordinator) -> Theme:
    """Reading, which families hope for."""
    return themes.add(program, "hope", "Reading", by=program_coordinator)


@pytest.fixture
def debrief(program, school, site_coordinator) -> DebriefSession:
    """Lincoln meets on October 20 at 4 PM."""
    planned = debriefs.Plan(at(20, 16), school=school, place="Library", led_by=site_coordinator)
    return debriefs.plan(program, planned, by=site_coordinator)


@pytest.fixture
def ask(program, school) -> ResourceAsk | None:
    """Somebody at Lincoln asked for books in Spanish."""
    return debriefs.ask_for(program, "Books in Spanish", school=school)


@pytest.fixture
def promise(completed) -> FollowUp:
    return FollowUp.objects.get()


@pytest.fixture
def batch(completed, fund, finance, program) -> PayBatch:
    pay.approve(PayLine.objects.all(), fund, by=finance)
    return pay.batch(program, by=finance)


@pytest.fixture
def line(batch) -> PayLine:
    return PayLine.objects.order_by("pk").first()


@pytest.fixture
def ana(educator) -> Educator:
    return educator.educators.get()


@pytest.fixture
def day_off(ana, educator) -> TimeOff:
    """Ana can't visit this week."""
    return availability.not_this_week(ana, by=educator)


@pytest.fixture
def holiday(program, school, site_coordinator) -> SchoolHoliday:
    """Lincoln is closed on October 30."""
    day = at(30, 0).date()
    return availability.close(program, school, "Fair", day, day, by=site_coordinator)


@pytest.fixture
def cohort(course, ana, program_coordinator) -> Cohort:
    cohort = cohorts.open_cohort(course, "Fall", by=program_coordinator)
    sessions.add(cohort, starts_at=at(7, 16), ends_at=at(7, 18), place="", by=program_coordinator)
    enrolment.enrol(cohort, [ana], by=program_coordinator)
    return cohort


@pytest.fixture
def member(cohort) -> CohortMember:
    """Ana, in that cohort."""
    return cohort.members.get()


@pytest.fixture
def open_cohort(course, program_coordinator) -> Cohort:
    """Anybody may join it, until October 20."""
    cohort = cohorts.open_cohort(
        course, "Open evening", open_for_sign_up=True, by=program_coordinator
    )
    sessions.add(cohort, starts_at=at(20, 16), ends_at=at(20, 18), place="", by=program_coordinator)
    return cohort


@pytest.fixture
def training_session(cohort) -> TrainingSession:
    return cohort.sessions.get()


@pytest.fixture
def going_on(cohort, program_coordinator) -> TrainingSession:
    """A session of the same cohort from noon to 3 PM today."""
    with clock.at(at(6, 9)):
        return sessions.add(cohort, starts_at=at(6, 12), ends_at=at(6, 15), by=program_coordinator)


@pytest.fixture
def everybody_came(going_on, program_coordinator) -> Change:
    return attendances.everybody_came(going_on, by=program_coordinator)


@pytest.fixture
def door_code(going_on) -> str:
    return door.code(going_on)


@pytest.fixture
def signed_in(door_code, ana) -> DoorSignIn:
    """Somebody with Ana's address, who waits to be confirmed."""
    code = door.read(door_code)
    with clock.at(clock.now() + datetime.timedelta(seconds=door.SHOWN)):
        number = door.number(code.session)
        return door.sign_in(code, number, name="Ana", email=ana.user.email)


@pytest.fixture
def attendance(cohort) -> Attendance:
    return Attendance.objects.of(cohort).get()


@pytest.fixture
def asked(member) -> FeedbackRequest:
    """Ana was asked how the training was."""
    return FeedbackRequest.objects.create(
        program=member.program, member=member, wave="end", minimum=10
    )


@pytest.fixture
def certified(ana, course, program_coordinator) -> Certification:
    return certification.issue(ana, course, on=at(1, 0).date(), by=program_coordinator)


@pytest.fixture
def roster_import(program, program_coordinator) -> RosterImport:
    return RosterImport.objects.create(
        program=program,
        kind="oneroster",
        state="planned",
        file_name="roster.zip",
        uploaded_by=program_coordinator,
        counts={"new": 0, "changed": 0, "left": 0, "refused": 0, "leaving": []},
    )


@pytest.fixture
def certificate_import(program, program_coordinator) -> CertificateImport:
    """A list of one old certificate that waits to be applied; its line is left out."""
    return CertificateImport.objects.create(
        program=program,
        state="planned",
        file_name="binder.csv",
        uploaded_by=program_coordinator,
        counts={"new": 1},
    )
