"""A year of invitations and visits, lived day by day by rolling dice."""

import datetime
import random
from dataclasses import dataclass

from families.models import SchoolClass
from pthv import clock
from pthv.blocked import NotReady
from pthv.models import Educator, Program, School, SchoolYear, User
from visits import answers, invitations, logs, reflections, safety, scheduling, selection
from visits.models import Invitation, Visit

from . import messages

HOPES = [
    "That she keeps asking questions the way she does at home.",
    "Que lea por gusto y que no le dé pena preguntar.",
    "To finish school, and to be kind while doing it.",
    "That he finds one friend he can count on.",
    "Que llegue más lejos que nosotros.",
    "To be an engineer, or a baker; either is fine.",
]
STRENGTHS = [
    "Translates for her grandmother; patient with the little ones",
    "Builds radios with his uncle",
    "Draws every bird she sees",
    "Knows every player of the league by heart",
    "Cooks on Sundays with his aunt",
]
CHANGES = [
    "Bring the radios into our electricity unit",
    "A quiet corner for drawing before the first lesson",
    "Call on him after he has had a minute to think",
    "Use football tables for fractions",
]
PROMISES = [
    "Send the library card form",
    "Write down the choir's rehearsal times",
    "Find out about the bus after practice",
]
LEARNED = [
    "I had no idea how much he does for his sisters.",
    "They have read every note we sent home.",
    "She speaks three languages, and I had heard one.",
    "Mornings are hard since the shifts changed; now I see why.",
]


@dataclass
class Team:
    """Who asks, and who goes along."""

    lead: Educator
    partner: Educator


def teams(school: School) -> dict[int, Team]:
    """Each educator of a school with a standing partner, side by side on the roster."""
    people = list(Educator.objects.at(school).select_related("user").order_by("pk"))
    return {
        person.pk: Team(person, people[place + 1 if place % 2 == 0 else place - 1])
        for place, person in enumerate(people)
    }


def live(
    program: Program,
    year: datetime.date,
    until: datetime.datetime,
    dice: random.Random,
    *,
    schools: int,
    ahead: datetime.timedelta = datetime.timedelta(0),
) -> None:
    """Plan every class of the first schools in August, and go through the year up to `until`.

    Visits are scheduled so far `ahead` of it.
    """
    school_year = SchoolYear.objects.get(starts_on=year)
    coordinator = User.objects.get(email="program@demo.example")
    begin = datetime.datetime.combine(year, datetime.time(12), program.zone)
    for school in School.objects.order_by("pk")[:schools]:
        pairs = teams(school)
        for school_class in SchoolClass.objects.filter(school=school, school_year=school_year):
            with clock.at(begin):
                plan = selection.plan_everyone(
                    school, school_year, school_class=school_class, by=coordinator
                )
            asked = Invitation.objects.filter(plan=plan, state=Invitation.State.NOT_ASKED)
            for invitation in asked.order_by("pk"):
                story = _Story(program, invitation, pairs[invitation.educator_id], until, dice)
                story.ahead = ahead
                story.live(begin)


def draw_lots(program: Program, year: datetime.date, now: datetime.datetime) -> None:
    """The school that begins last invites some families first, drawn by lot."""
    school = School.objects.order_by("-pk")[0]
    school_year = SchoolYear.objects.get(starts_on=year)
    coordinator = User.objects.get(email="program@demo.example")
    day = (now - datetime.timedelta(days=4)).astimezone(program.zone)
    with clock.at(day.replace(hour=16, minute=10)):
        soon = program.today + datetime.timedelta(days=30)
        selection.draw(school, school_year, 12, by=coordinator, ask_by=soon)


class _Story:
    """One invitation's way, as far as it has come by `until`."""

    ahead = datetime.timedelta(0)

    def __init__(self, program, invitation, team: Team, until, dice: random.Random) -> None:
        self.program, self.invitation, self.team = program, invitation, team
        self.until, self.dice = until, dice

    def live(self, begin: datetime.datetime) -> None:
        asked_at = self._some_evening(begin, days=int((self.until - begin).days) + 1)
        if asked_at >= self.until or self.dice.random() < 0.12:
            return
        answer = self._ask(asked_at)
        if answer != Invitation.State.ACCEPTED:
            return
        visit = self._visit(asked_at + datetime.timedelta(days=self.dice.randint(3, 12)))
        if visit is None or visit.state != Visit.State.COMPLETED or self.dice.random() < 0.4:
            return
        self._second(visit)

    def _some_evening(self, begin: datetime.datetime, *, days: int) -> datetime.datetime:
        day = begin + datetime.timedelta(days=self.dice.randrange(max(days, 1)))
        hour, minute = self.dice.choice([(16, 0), (16, 40), (17, 15), (18, 5)])
        return day.astimezone(self.program.zone).replace(hour=hour, minute=minute)

    def _ask(self, at: datetime.datetime) -> str:
        by = self.team.lead.user
        tries = self.dice.choices([0, 1, 2, 3], [55, 28, 12, 5])[0]
        for number in range(tries):
            tried = at - datetime.timedelta(days=2 * (tries - number))
            channel = "text" if number % 2 else "call"
            with clock.at(max(tried, at - datetime.timedelta(days=1))):
                invitations.record_attempt(self.invitation, channel, "no_answer", by=by)
        if tries == 3:
            return Invitation.State.UNREACHABLE
        answer = self.dice.choices(["accepted", "declined", "later", ""], [80, 8, 5, 7])[0]
        with clock.at(at):
            invitations.record_attempt(
                self.invitation, "call", "reached" if answer else "left_message", by=by
            )
            if answer:
                later_on = (at + datetime.timedelta(days=60)).date() if answer == "later" else None
                answers.record(self.invitation, answer, by=by, later_on=later_on)
        return answer

    def _visit(self, around: datetime.datetime) -> Visit | None:
        """Choose the team, find a free time, go, write and reflect, as far as time has come."""
        decided = min(around - datetime.timedelta(days=2), self.until)
        with clock.at(decided):
            invitations.choose_team(self.invitation, [self.team.partner], by=self.team.lead.user)
            visit = self._schedule(around)
        if visit is None:
            return None
        if self.dice.random() < 0.85:
            with clock.at(decided + datetime.timedelta(hours=3)):
                scheduling.confirm(visit, by=self.team.partner.user)
        ended = visit.during.upper
        if ended < self.until:
            with clock.at(ended):
                self._hold(visit, ended)
        visit.refresh_from_db()
        return visit

    def _schedule(self, around: datetime.datetime) -> Visit | None:
        for days in range(8):
            start = (around + datetime.timedelta(days=days)).astimezone(self.program.zone)
            weekend = start.weekday() > 4
            hour = self.dice.choice([10, 11, 13, 14] if weekend else [16, 17, 18])
            start = start.replace(hour=hour, minute=self.dice.choice([0, 15, 30]))
            if start > self.until + self.ahead - datetime.timedelta(days=4):
                return None
            place = self.dice.choices(["home", "neutral", "virtual"], [75, 18, 7])[0]
            try:
                return scheduling.schedule(
                    self.invitation, scheduling.slot(start), place, by=self.team.lead.user
                )
            except NotReady:
                continue
        return None

    def _hold(self, visit: Visit, ended: datetime.datetime) -> None:
        if self.dice.random() < 0.04:
            ending = self.dice.choice(["family_cancelled", "not_home", "educator_cancelled"])
            messages.delivered()
            scheduling.cancel(visit, ending, by=self.team.lead.user)
            return
        log_visit(visit, self.team, ended, self.dice, self.until)
        for person in (self.team.partner, self.team.lead):
            reflected_at = ended + datetime.timedelta(hours=self.dice.randint(1, 60))
            past_year = not self.ahead
            if reflected_at < self.until and (past_year or self.dice.random() < 0.97):
                with clock.at(reflected_at):
                    reflections.reflect(
                        visit,
                        reflections.Thoughts(self.dice.choice(LEARNED)),
                        by=person.user,
                    )

    def _second(self, visit: Visit) -> None:
        after = visit.during.upper + datetime.timedelta(days=self.dice.randint(70, 120))
        if after >= self.until:
            return
        with clock.at(after):
            self.invitation.refresh_from_db()
            self.invitation = invitations.open_second(self.invitation, by=self.team.lead.user)
        if self._ask(after) == Invitation.State.ACCEPTED:
            self._visit(after + datetime.timedelta(days=5))


def log_visit(
    visit: Visit,
    team: Team,
    ended: datetime.datetime,
    dice: random.Random,
    until: datetime.datetime,
) -> None:
    """Write the log in the car, a few minutes after the end, and keep most promises in time."""
    promised = dice.random() < 0.6
    entry = logs.Entry(
        minutes=dice.choice([30, 40, 50, 60]),
        language=visit.family.language,
        adults_present=dice.choice([1, 1, 2, 3]),
        student_present=dice.random() < 0.8,
        hopes=dice.choice(HOPES),
        strengths=dice.choice(STRENGTHS),
        class_change=dice.choice(CHANGES),
        promise=dice.choice(PROMISES) if promised else "",
        promise_due_on=(ended + datetime.timedelta(days=14)).date() if promised else None,
    )
    with clock.at(ended + datetime.timedelta(minutes=6)):
        log = logs.write(visit, entry, by=team.lead.user)
    kept = log.logged_at + datetime.timedelta(days=9)
    for promise in visit.follow_ups.all():
        long_ago = until - kept > datetime.timedelta(days=30)
        if kept < until and (long_ago or dice.random() < 0.7):
            with clock.at(kept):
                logs.keep(promise, by=team.lead.user)


def _go(visit: Visit, team: Team) -> None:
    """Say on the way, there and back what a phone asks for."""
    starts, ends = visit.during.lower, visit.during.upper
    with clock.at(starts - datetime.timedelta(minutes=20)):
        safety.out(visit, by=team.lead.user)
    with clock.at(starts + datetime.timedelta(minutes=2)):
        safety.arrive(visit, by=team.partner.user)
    with clock.at(ends):
        safety.leave(visit, by=team.lead.user)


def live_this_week(program: Program, year: datetime.date, now: datetime.datetime) -> None:
    """What Ana and Ben find when they log in: one visit tomorrow, one to reflect on."""
    dice = random.Random(7)
    school_year = SchoolYear.objects.get(starts_on=year)
    school = School.objects.order_by("pk")[0]
    lead = Educator.objects.select_related("user").get(user__email="educator@demo.example")
    team = teams(school)[lead.pk]
    school_class = SchoolClass.objects.get(school=school, school_year=school_year, teachers=lead)
    begin = max(
        datetime.datetime.combine(year, datetime.time(12), program.zone),
        now - datetime.timedelta(days=12),
    )
    with clock.at(begin):
        selection.plan_everyone(
            school,
            school_year,
            school_class=school_class,
            by=User.objects.get(email="site@demo.example"),
        )
    yesterday, tomorrow = (
        (now + datetime.timedelta(days=days))
        .astimezone(program.zone)
        .replace(hour=17, minute=30, second=0, microsecond=0)
        for days in (-1, 1)
    )
    chosen = Invitation.objects.filter(educator=lead, school_year=school_year).order_by("pk")
    for invitation, starts in zip(chosen[:2], (yesterday, tomorrow), strict=True):
        with clock.at(begin):
            invitations.record_attempt(invitation, "call", "reached", by=lead.user)
            answers.record(invitation, "accepted", by=lead.user)
            invitations.choose_team(invitation, [team.partner], by=lead.user)
            visit = scheduling.schedule(invitation, scheduling.slot(starts), "home", by=lead.user)
            scheduling.confirm(visit, by=team.partner.user)
        if starts < now:
            _go(visit, team)
            with clock.at(visit.during.upper):
                log_visit(visit, team, visit.during.upper, dice, now)
                reflections.reflect(visit, reflections.Thoughts(LEARNED[2]), by=lead.user)
