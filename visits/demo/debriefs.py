"""What the demo's families hope for, what its educators learned, and when they meet."""

import datetime
import random

from django.db.models import F

from pthv import clock
from pthv.models import Educator, Program, School, User
from visits import debriefs, themes
from visits.models import Reflection, ReflectionTheme, Theme, VisitLog, VisitTheme

ASKED = (
    "Picture books in Spanish and in Vietnamese",
    "A list of the city's free music lessons",
    "Half an hour together before the second visits",
)


def give(program: Program, now: datetime.datetime) -> None:
    """Themes of most visits, some of them shared; one debrief held, and one to come."""
    coordinator = User.objects.get(email="program@demo.example")
    dice = random.Random(11)
    with clock.at(now - datetime.timedelta(days=500)):
        themes.begin(program, by=coordinator)
    _tap(program, dice)
    school = School.objects.order_by("pk")[0]
    site = User.objects.get(email="site@demo.example")
    people = list(Educator.objects.at(school).order_by("pk"))
    half_past = {"hour": 15, "minute": 30, "second": 0, "microsecond": 0}
    today = now.astimezone(program.zone).replace(**half_past)  # type: ignore[arg-type]
    # Wednesdays, three weeks ago or so, and soon.
    away = (-19 - today.weekday(), 9 - today.weekday())
    before, soon = (today + datetime.timedelta(days=days) for days in away)
    with clock.at(before - datetime.timedelta(days=10)):
        first = debriefs.Plan(before, school=school, place="Library", led_by=site)
        held = debriefs.plan(program, first, by=site)
    with clock.at(before + datetime.timedelta(hours=2)):
        decided = "Ask about hobbies on every first visit.\nBring what we hear into science."
        debriefs.hold(held, people[:7], decided, by=site)
        debriefs.ask_for(program, ASKED[0], school=school, debrief=held)
        found = debriefs.ask_for(program, ASKED[1], school=school, debrief=held)
    with clock.at(now):
        if found:
            debriefs.find(found, "The library's flyer; a stack lies in the office.", by=site)
        debriefs.ask_for(program, ASKED[2], school=school)
        after = debriefs.Plan(soon, school=school, place="Library", led_by=site)
        debriefs.plan(program, after, by=site)


def _tap(program: Program, dice: random.Random) -> None:
    """One to three hopes of a visit, one or two lessons of a reflection, in four statements."""
    hopes, learned = list(Theme.objects.hopes()), list(Theme.objects.learned())
    visits = VisitLog.objects.order_by("pk").values_list("visit", flat=True)
    VisitTheme.objects.bulk_create(
        VisitTheme(program=program, visit_id=visit, theme=theme)
        for visit in visits
        if dice.random() < 0.85
        for theme in dice.sample(hopes[: dice.choice([4, 7, 10])], dice.choice([1, 2, 2]))
    )
    reflected = list(Reflection.objects.order_by("pk").values_list("pk", flat=True))
    ReflectionTheme.objects.bulk_create(
        ReflectionTheme(program=program, reflection_id=pk, theme=theme)
        for pk in reflected
        for theme in dice.sample(learned[: dice.choice([3, 6])], dice.choice([1, 2]))
    )
    Reflection.objects.annotate(turn=F("pk") % 3).filter(turn=0).update(shared_with_debrief=True)
