"""Willow Creek from its first roster to today, by the actions that people would call."""

import datetime
import random
import tempfile
from decimal import Decimal
from pathlib import Path

from django.db import transaction
from django_scopes import scope
from procrastinate.contrib.django import app
from procrastinate.testing import InMemoryConnector

from families.models import RosterImport
from families.roster import apply, upload
from families.roster.plan import plan as plan_roster
from pthv import clock
from pthv.models import (
    Educator,
    Membership,
    PartnerOrganization,
    Program,
    School,
    User,
)
from training import attendance, certification, cohorts, courses, enrolment, sessions
from training.models import Cohort, Course
from visits import pay
from visits.models import FundingSource, PayLine, PayRate

from . import debriefs, families, interpreters, messages, week
from .feedback import say_how_it_was
from .life import draw_lots, live, live_this_week
from .people import ADMINISTRATOR, PASSWORD, SCHOOLS, STAFF, educators, households
from .roster import write_bundle, write_contacts

SEED = 20260
SAFETY_CONTACTS = ["Noor Haddad", "Paul Vance", "Rosario Peña"]


def year_start(day: datetime.date) -> datetime.date:
    """The first of August that a day's school year began with."""
    return datetime.date(day.year if day.month >= 8 else day.year - 1, 8, 1)


@transaction.atomic
def build(now: datetime.datetime) -> Program:
    """Make the demo program as of `now`: the same people and stories every time."""
    dice = random.Random(SEED)
    program = Program.objects.create(
        name="Willow Creek Public Schools", slug="willow-creek", is_demo=True
    )
    this_year = year_start(now.astimezone(program.zone).date())
    last_year = this_year.replace(year=this_year.year - 1)
    people, staff = households(dice), educators(dice)
    # Nothing of the past is sent: its messages stand in the log as sent when they were.
    with scope(program=program), app.replace_connector(InMemoryConnector()):
        coordinator = _staff(program, last_year)
        for number, year in enumerate((last_year, this_year)):
            with clock.at(_noon(program, year)):
                _import(program, coordinator, year, people, staff, contacts=not number, dice=dice)
        _log_ins(program)
        families.put_right(_noon(program, last_year), by=coordinator)
        _money(program, last_year)
        _training(program, coordinator, last_year, now, dice)
        live(program, last_year, _noon(program, this_year), dice, schools=2)
        live_this_week(program, this_year, now)
        live(program, this_year, now, dice, schools=3, ahead=datetime.timedelta(days=20))
        draw_lots(program, this_year, now)
        families.tell(now)
        week.give(program, this_year, now)
        interpreters.ask(program, now)
        debriefs.give(program, now)
        _payroll(program, now)
        messages.write(program, now)
        messages.delivered()
    return program


def _noon(program: Program, day: datetime.date, hour: int = 12) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(hour), program.zone)


def _staff(program: Program, since: datetime.date) -> User:
    """The partners, and everybody who isn't on the roster; return the program coordinator."""
    for name, kind in [
        ("Willow Creek Public Schools", "district"),
        ("Willow Creek Teachers’ Union", "union"),
        ("Neighbors of the Creek", "community"),
        ("Cottonwood Fund", "funder"),
    ]:
        PartnerOrganization.objects.create(program=program, name=name, kind=kind)
    for email, given, family, role in STAFF:
        user = User.objects.create_user(email, given_name=given, family_name=family)
        if role != "site_coordinator":  # her school comes with the roster
            Membership.objects.create(program=program, user=user, role=role, starts_on=since)
    email, given, family = ADMINISTRATOR
    User.objects.create_superuser(email, given_name=given, family_name=family)
    return User.objects.get(email="program@demo.example")


def _import(program, coordinator, year, people, staff, *, contacts, dice) -> None:
    """Read the year's roster, and once the contacts, as the files they come in."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_bundle(folder, year, people, staff)
        _apply(program, coordinator, RosterImport.Kind.ONEROSTER, f"roster-{year.year}.zip", folder)
        if contacts:
            file = folder / "contacts.csv"
            write_contacts(file, people, dice)
            _apply(program, coordinator, RosterImport.Kind.CONTACTS, file.name, file)
    for number, (source_id, _name, hours, _grades) in enumerate(SCHOOLS):
        school = School.objects.get(source_id=source_id)
        school.contract_day_starts, school.contract_day_ends = map(
            datetime.time.fromisoformat, hours
        )
        school.phone = f"+121755501{number:02}"  # which nobody has
        # The school that begins last names nobody yet.
        if number < len(SAFETY_CONTACTS):
            school.safety_name = SAFETY_CONTACTS[number]
            school.safety_phone = f"+1217555019{number}"  # nobody's, either
            school.safety_email = f"safety{number}@demo.example"
        school.save()
        if number == 0:
            Membership.objects.get_or_create(
                program=program,
                user=User.objects.get(email="site@demo.example"),
                role="site_coordinator",
                school=school,
                defaults={"starts_on": year},
            )


def _apply(program, coordinator, kind, file_name, path) -> None:
    roster_import = upload.start(kind, file_name, program=program, by=coordinator)
    plan_roster(roster_import, path)
    apply.begin(roster_import, leaving_confirmed=True)
    apply.run(roster_import.pk, program=program, by=coordinator)


def _log_ins(program: Program) -> None:
    """Mark everybody as invented, and give those of the log-in page the demo's password."""
    everybody = User.objects.filter(email__endswith="@demo.example")
    everybody.update(is_demo=True)
    named = ["educator", "second.educator", "site", "program", "finance", "funder", "admin"]
    for user in everybody.filter(email__in=[f"{name}@demo.example" for name in named]):
        user.set_password(PASSWORD)
        user.save(update_fields=["password"])
    for number, educator in enumerate(Educator.objects.order_by("pk")):
        educator.languages = [["en", "es"], ["en"], ["en", "hmn"], ["en", "so"], ["en"]][number % 5]
        educator.save(update_fields=["languages"])


def _money(program: Program, since: datetime.date) -> None:
    for kind in ("first", "second", "additional"):
        PayRate.objects.create(program=program, kind=kind, amount=Decimal(40), starts_on=since)
    ends = since.replace(year=since.year + 2) - datetime.timedelta(days=32)  # 30 June
    for name, budget in [("Title I, Part A", 24000), ("Cottonwood Fund grant", 6000)]:
        FundingSource.objects.create(
            program=program, name=name, budget=budget, starts_on=since, ends_on=ends
        )


def _training(program, coordinator, since, now, dice) -> None:
    """Training in every state: two cohorts done, one under way, two ahead; some never came."""
    course = _course(program, coordinator, "Introduction to home visits", 3, 24, "every_part")
    refresher = _course(program, coordinator, "Refresher", 1.5, 12, "every_part", held=course)
    _course(program, coordinator, "Second visits", 2, 24, "first_visits", grants="")
    everyone = list(Educator.objects.select_related("user", "program").order_by("pk"))
    never, newcomers, rest = everyone[37:], everyone[31:37], everyone[:31]
    today = now.astimezone(program.zone).date()
    long_ago = rest[24:27]
    others = [educator for educator in rest if educator not in long_ago]
    union = PartnerOrganization.objects.filter(kind="union").first()
    run_by = {"host": union, "cost": Decimal(2100), "funding": "Title I, Part A"}
    trainers = {"staff": ["Dana Whitfield"], "parent": ["Guadalupe Reyes"]}
    _cohort(
        course, "Summer institute", since, others, coordinator, dice, **run_by,
        new_trainers=trainers,
    )  # fmt: skip
    # These certifications end soon, or ended last month.
    for educator, days in zip(long_ago, (720, 705, 760), strict=True):
        issued = today - datetime.timedelta(days=days)
        with clock.at(_noon(program, issued)):
            certification.issue(educator, course, on=issued, by=coordinator)
    started = today - datetime.timedelta(days=10)
    _cohort(
        course, "Fall cohort", started, newcomers, coordinator, dice, meetings=2, now=now,
        capacity=12, new_trainers=trainers,
    )  # fmt: skip
    ahead = today + datetime.timedelta(days=20)
    waiting = long_ago + never[:1]
    _cohort(
        refresher, "Winter refresher", ahead, waiting, coordinator, dice, now=now, capacity=3,
        open_for_sign_up=True,
    )  # fmt: skip
    later = today + datetime.timedelta(days=48)
    _cohort(
        course, "Winter introduction", later, [], coordinator, dice, meetings=2, now=now,
        capacity=20, open_for_sign_up=True, language="es",
    )  # fmt: skip
    for cohort in Cohort.objects.filter(completed_at__isnull=False):
        say_how_it_was(cohort, now)


def _course(program, by, name, hours, months, asks, *, held=None, grants="visits") -> Course:
    fields = {
        "name": name,
        "hours": Decimal(str(hours)),
        "validity_months": months,
        "grants": grants,
    }
    asked = {asks: Decimal(1)}
    return courses.save(Course(program=program), fields, asked, by=by, held=held)


def _cohort(course, name, first_day, people, by, dice, *, meetings=1, now=None, **how) -> None:
    program = course.program
    with clock.at(_noon(program, first_day - datetime.timedelta(days=45))):
        cohort = cohorts.open_cohort(course, name, by=by, **how)
        for week in range(meetings):
            starts = _noon(program, first_day + datetime.timedelta(days=14 * week), 16)
            sessions.add(
                cohort,
                starts_at=starts,
                ends_at=starts + datetime.timedelta(hours=float(course.hours)),
                place="District office, room 4",
                by=by,
            )
        enrolment.enrol(cohort, people, by=by)
    for session in cohort.sessions.all():
        if now and session.ends_at > now:
            return
        with clock.at(session.ends_at):
            for found in session.attendances.all():
                absent = meetings > 1 and dice.random() < 0.15
                attendance.attend(found, "absent" if absent else "attended", by=by)
    with clock.at(session.ends_at):
        cohorts.complete(cohort, by=by)


def _payroll(program: Program, now: datetime.datetime) -> None:
    """Everything older than three weeks was approved and went to payroll, month by month."""
    finance = User.objects.get(email="finance@demo.example")
    fund = FundingSource.objects.order_by("pk").first()
    edge = (now - datetime.timedelta(days=21)).astimezone(program.zone).date()
    lines = list(PayLine.objects.earned().filter(visit_on__lt=edge).order_by("visit_on", "pk"))
    months = sorted({(line.visit_on.year, line.visit_on.month) for line in lines})
    for year, month in months:
        due = [x for x in lines if (x.visit_on.year, x.visit_on.month) == (year, month)]
        after = max(line.earned_at for line in due) + datetime.timedelta(days=2)
        with clock.at(min(after, now)):
            pay.approve(due, fund, by=finance)
            made = pay.batch(program, by=finance)
            list(pay.export(made, by=finance))
    recent = list(PayLine.objects.earned().filter(flag="").order_by("pk")[:6])
    if recent:
        pay.approve(recent, fund, by=finance)
