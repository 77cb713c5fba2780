"""Group debriefs: an agenda of nobody's words, who came, and what would help."""

import datetime
from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction

from pthv import clock
from pthv.blocked import NotReady
from pthv.models import AuditEntry, Educator, Role
from tests.conftest import at
from training.models import CourseRequirement, TrainingFact
from visits import debriefs, logs, themes
from visits.models import (
    DebriefSession,
    Reflection,
    ReflectionTheme,
    ResourceAsk,
)

AFTERWARDS, SOON = at(20, 18), at(9, 9)


@pytest.fixture
def lessons(program, program_coordinator) -> list:
    return [
        themes.add(program, "learned", name, by=program_coordinator)
        for name in ("A strength", "What he loves")
    ]


@pytest.fixture
def share(completed, person, program, school, lessons) -> Callable[..., Reflection]:
    """Let somebody new share these themes of a visit."""

    def share(name: str, *shared, when: datetime.datetime = SOON, offers: bool = True):
        found = Educator.objects.filter(user__given_name=name).first()
        if found is None:
            found = person(f"{name} Kim", Role.EDUCATOR, program, school).educators.get()
        reflection, _new = Reflection.objects.update_or_create(
            program=program,
            visit=completed,
            educator=found,
            defaults={
                "learned": f"Secret of {name}",
                "shared_with_debrief": offers,
                "written_at": when,
            },
        )
        for theme in shared or lessons[:1]:
            ReflectionTheme.objects.get_or_create(
                program=program, reflection=reflection, theme=theme
            )
        return reflection

    return share


def hold(debrief: DebriefSession, *people: Educator, by, decisions: str = "") -> DebriefSession:
    with clock.at(AFTERWARDS):
        return debriefs.hold(debrief, people, decisions, by=by)


def topics(debrief: DebriefSession) -> list[tuple[str, int | None]]:
    with clock.at(AFTERWARDS):
        return [(topic.name, topic.count) for topic in debriefs.agenda(debrief)]


def test_nothing_of_fewer_than_three_people(debrief, share, lessons):
    share("Dee", *lessons)
    share("Eli", *lessons)
    share("Fay", *lessons, offers=False)
    assert topics(debrief) == []

    share("Gus", lessons[0])

    assert topics(debrief) == [("A strength", 3), ("What he loves", None)]


def test_only_what_was_shared_since_the_last_one(
    program, school, debrief, share, ana, site_coordinator
):
    for name in ("Dee", "Eli", "Fay"):
        share(name)
    hold(debrief, ana, by=site_coordinator)
    assert topics(debrief) == [("A strength", 3)]
    then = debriefs.Plan(at(27, 16), school=school)
    later = debriefs.plan(program, then, by=site_coordinator)
    assert topics(later) == []
    for name in ("Dee", "Eli", "Fay"):
        share(name, when=at(21, 9))

    with clock.at(at(27, 18)):
        assert [topic.count for topic in debriefs.agenda(later)] == [3]
    assert topics(debrief) == []  # it was of what they have written anew since


def test_a_cohorts_agenda_is_of_its_people(program, cohort, share, ana, program_coordinator):
    for name in ("Dee", "Eli", "Fay"):
        share(name)
    theirs = debriefs.plan(
        program, debriefs.Plan(at(20, 16), cohort=cohort), by=program_coordinator
    )
    assert topics(theirs) == []
    assert list(debriefs.expected(theirs)) == [ana]


def test_who_came_counts_for_training_once_and_can_be_put_right(
    debrief, ana, partner, course, site_coordinator
):
    ben = partner.educators.get()
    CourseRequirement.objects.create(
        program=course.program, course=course, kind="debriefs", amount=1
    )
    hold(debrief, ana, ben, by=site_coordinator, decisions="Radios into science")
    hold(debrief, ana, by=site_coordinator, decisions="Radios")

    assert [(fact.educator, fact.kind, fact.key) for fact in TrainingFact.objects.all()] == [
        (ana, "debrief", f"debrief:{debrief.pk}")
    ]
    assert TrainingFact.objects.get().happened_on == at(20, 0).date()
    debrief.refresh_from_db()
    assert debrief.decisions == "Radios" and debrief.held_by == site_coordinator
    assert AuditEntry.objects.filter(event="debrief.held").count() == 1


def test_it_counts_only_where_the_program_says_so(program, debrief, ana, site_coordinator):
    program.debriefs_train = False
    program.save()

    hold(debrief, ana, by=site_coordinator)

    assert debrief.attendees.get().educator == ana
    assert not TrainingFact.objects.exists()


def test_it_is_not_written_up_before_it_begins(debrief, ana, site_coordinator):
    with pytest.raises(NotReady, match="not begun"):
        debriefs.hold(debrief, [ana], "", by=site_coordinator)
    with clock.at(AFTERWARDS), pytest.raises(NotReady, match="Tick who came"):
        debriefs.hold(debrief, [], "", by=site_coordinator)


def test_cancelled_is_cancelled_and_held_is_held(program, school, debrief, ana, site_coordinator):
    hold(debrief, ana, by=site_coordinator)
    with pytest.raises(NotReady, match="took place"):
        debriefs.cancel(debrief, by=site_coordinator)
    other = debriefs.plan(program, debriefs.Plan(at(20, 16), school=school), by=site_coordinator)
    debriefs.cancel(other, by=site_coordinator)
    debriefs.cancel(other, by=site_coordinator)

    with clock.at(AFTERWARDS), pytest.raises(NotReady, match="was cancelled"):
        debriefs.hold(other, [ana], "", by=site_coordinator)
    assert AuditEntry.objects.filter(event="debrief.cancelled").count() == 1


def test_it_is_of_a_school_or_of_a_cohort(program, school, cohort, site_coordinator):
    for whose in ({}, {"school": school, "cohort": cohort}):
        with pytest.raises(IntegrityError), transaction.atomic():
            debriefs.plan(program, debriefs.Plan(at(20, 16), **whose), by=site_coordinator)


def test_planned_on_screen_and_written_up(
    client, school, colleague, ana, site_coordinator, share, lessons
):
    for name in ("Dee", "Eli", "Fay"):
        share(name)
    client.force_login(site_coordinator)
    said = {"whose": f"school:{school.pk}", "starts_at": "2026-10-20T16:00", "place": "Library",
            "led_by": site_coordinator.pk}  # fmt: skip
    page = client.post("/debriefs/new/", said, follow=True)
    debrief = DebriefSession.objects.get()
    assert page.redirect_chain[-1][0] == debrief.get_absolute_url()
    assert debrief.starts_at == at(20, 16) and "Sam Site leads" in page.text
    assert "It took place" not in page.text
    client.post(f"/debriefs/{debrief.pk}/edit/", {"starts_at": "2026-10-20T16:30", "place": "Gym"})
    client.post(f"/debriefs/{debrief.pk}/resource/", {"said": "Atlases"})

    with clock.at(AFTERWARDS):
        page = client.get(debrief.get_absolute_url()).text
        assert "A strength" in page and "Atlases" in page and "Secret" not in page
        refused = client.post(f"/debriefs/{debrief.pk}/hold/", {"decisions": "Keep this"})
        assert refused.status_code == 422
        assert "Tick who came." in refused.text and "Keep this" in refused.text
        client.post(
            f"/debriefs/{debrief.pk}/hold/", {"came": [ana.pk], "decisions": "Radios into science"}
        )
        client.force_login(colleague)
        page = client.get(debrief.get_absolute_url()).text

    assert "Radios into science" in page and "Gym" in page
    assert "Who came" not in page and 'name="came"' not in page
    assert "Lincoln" in client.get("/debriefs/").text


def test_nobody_plans_for_another_school(client, other_school, site_coordinator):
    client.force_login(site_coordinator)

    page = client.post(
        "/debriefs/new/", {"whose": f"school:{other_school.pk}", "starts_at": "2026-10-20T16:00"}
    )

    assert page.status_code == 422 and not DebriefSession.objects.exists()


def test_what_would_help_is_asked_by_nobody(client, held, educator, partner, site_coordinator):
    logs.write(held, logs.Entry(45, "es", 2, True), by=educator)
    client.force_login(educator)
    url = f"/visits/{held.pk}/reflect/"
    assert "without your name" in client.get(url).text
    before = set(AuditEntry.objects.values_list("event", flat=True))

    for _twice in range(2):
        client.post(url, {"learned": "He cooks.", "would_help": " Cookbooks  in Spanish "})

    ask = ResourceAsk.objects.get()
    assert (ask.what, ask.asked_in) == ("Cookbooks in Spanish", at(5, 0).date())
    # The columns that could name somebody are of whoever found it.
    people = [f.name for f in ResourceAsk._meta.fields if f.is_relation]
    assert people == ["program", "school", "debrief", "found_by"]
    assert ask.found_by is None and ask.debrief is None
    new = set(AuditEntry.objects.values_list("event", flat=True)) - before
    assert new == {"visit.reflected"}
    assert "Cookbooks" not in client.get(url).text
    client.force_login(site_coordinator)
    page = client.get("/resources/").text
    assert "Cookbooks in Spanish" in page and "Ana" not in page


def test_what_was_found_is_said(client, ask, school, program, site_coordinator):
    debriefs.ask_for(program, "Atlases", school=school)
    client.force_login(site_coordinator)
    empty = client.post(f"/resources/{ask.pk}/found/", {"said": " "}, follow=True).text
    assert "Say what was found" in empty

    page = client.post(f"/resources/{ask.pk}/found/", {"said": "In the library"}, follow=True).text

    assert page.index("Atlases") < page.index("Books in Spanish")
    assert "In the library" in page
    ask.refresh_from_db()
    assert ask.found_by == site_coordinator
    again = debriefs.ask_for(program, "Books in Spanish", school=school)
    assert again is not None and again.pk != ask.pk


def test_a_site_coordinator_finds_only_what_their_school_asked_for(
    client, ask, other_site_coordinator
):
    client.force_login(other_site_coordinator)

    assert "Books in Spanish" not in client.get("/resources/").text


def test_the_course_form_says_that_debriefs_count(client, program_coordinator):
    client.force_login(program_coordinator)

    page = client.get("/training/courses/new/").text

    assert "Group debriefs attended" in page and "not recorded here" not in page
