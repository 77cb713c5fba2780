"""The program's list of themes, and what is tapped of a visit or a reflection."""

import pytest
from django.db import IntegrityError, transaction

from pthv.blocked import NotReady
from visits import logs, never_record, reflections, themes
from visits.models import Reflection, ReflectionTheme, Theme, Visit, VisitLog, VisitTheme

TAPS = {"minutes": "50", "adults_present": "2", "student_present": "on", "language": "es"}


@pytest.fixture
def logged(held, educator):
    logs.write(held, logs.Entry(45, "es", 2, True), by=educator)
    return held


@pytest.fixture
def strength(program, program_coordinator) -> Theme:
    return themes.add(program, "learned", "A strength", by=program_coordinator)


def names(kind: str = "hope") -> list[str]:
    return [theme.name for theme in Theme.objects.standing().filter(kind=kind)]


def tapped(visit: Visit) -> list[str]:
    return [tap.theme.name for tap in VisitTheme.objects.filter(visit=visit)]


def test_the_usual_ones_come_once(program, program_coordinator):
    begun = themes.begin(program, by=program_coordinator)

    assert len(begun) == len(Theme.objects.all()) == 16
    assert names()[:3] == ["Reading", "Mathematics and science", "Friends"]
    assert themes.begin(program, by=program_coordinator) == []


def test_a_programs_own_words_are_refused_too(program, program_coordinator):
    said = {"en": "robotics camp*", "es": ""}
    never_record.change(program, "money", said, by=program_coordinator)

    with pytest.raises(NotReady, match="never recorded"):
        themes.add(program, "hope", "A robotics campus", by=program_coordinator)
    themes.add(program, "hope", "Robotics", by=program_coordinator)


@pytest.mark.parametrize(
    "name",
    ["Immigration", "Green card", "Visa", "ADHD", "IEP goals", "Low income", "Free lunch",
     "La iglesia", "Politics", "SIN PAPELES", "Depresión", "Good grades",
     "Fewer suspensions", "Better behavior", "Single mother", "Attendance"],
)  # fmt: skip
def test_what_is_never_recorded_is_no_theme(program, program_coordinator, name):
    with pytest.raises(NotReady, match="never recorded"):
        themes.add(program, "hope", name, by=program_coordinator)


def test_a_theme_stands_once_whatever_its_capitals(program, program_coordinator, theme):
    with pytest.raises(NotReady, match="already"):
        themes.add(program, "hope", " reading ", by=program_coordinator)
    music = themes.add(program, "hope", "Music", by=program_coordinator)
    with pytest.raises(NotReady, match="already"):
        themes.rename(music, "READING", by=program_coordinator)


def test_a_retired_one_comes_back_as_itself(program, program_coordinator, theme):
    themes.add(program, "hope", "Music", by=program_coordinator)
    themes.retire(theme, by=program_coordinator)
    assert names() == ["Music"]

    again = themes.add(program, "hope", "Reading", by=program_coordinator)

    assert again == theme and names() == ["Music", "Reading"]


def test_they_are_put_in_order(program, program_coordinator):
    added = [themes.add(program, "hope", name, by=program_coordinator) for name in "ABC"]

    themes.move(added[2], -1, by=program_coordinator)
    themes.move(added[0], -1, by=program_coordinator)

    assert names() == ["A", "C", "B"]


def test_the_list_on_screen(client, program, program_coordinator):
    client.force_login(program_coordinator)
    assert "Begin with the usual ones" in client.get("/themes/").text

    client.post("/themes/begin/")
    page = client.post("/themes/", {"kind": "hope", "name": "Swimming"}, follow=True).text
    assert "Added." in page and "Begin with the usual ones" not in page
    swimming = Theme.objects.get(name="Swimming")
    client.post(f"/themes/{swimming.pk}/edit/", {"do": "up", "name": "Swimming"})
    client.post(f"/themes/{swimming.pk}/edit/", {"name": "Learning to swim"})
    assert names()[-2] == "Learning to swim"
    page = client.post(f"/themes/{swimming.pk}/edit/", {"do": "retire"}, follow=True).text
    assert "Retired: Learning to swim" in " ".join(page.split())

    refused = client.post("/themes/", {"kind": "learned", "name": "Religion"})
    assert refused.status_code == 409 and "never recorded of a family" in refused.text


def test_a_hope_is_no_lesson_and_a_lesson_no_hope(logged, educator, theme, strength, program):
    reflection = reflections.reflect(logged, reflections.Thoughts("Much."), by=educator)
    row = {"program": program, "theme": theme}
    with pytest.raises(IntegrityError), transaction.atomic():
        ReflectionTheme.objects.create(**row, reflection=reflection, kind="hope")
    for made in (
        lambda: ReflectionTheme.objects.create(**row, reflection=reflection),
        lambda: VisitTheme.objects.create(program=program, visit=logged, theme=strength),
    ):
        # The composite key is checked when the transaction ends.
        with pytest.raises(IntegrityError), transaction.atomic():
            made()
            with transaction.get_connection().cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_reflecting_taps_a_lesson_and_takes_it_back(client, logged, educator, theme, strength):
    client.force_login(educator)
    url = f"/visits/{logged.pk}/reflect/"
    page = client.get(url).text
    assert "A strength" in page and "Reading" not in page

    client.post(url, {"learned": "He cooks.", "themes": [strength.pk, theme.pk]})
    assert [tap.theme for tap in ReflectionTheme.objects.all()] == [strength]
    assert f'value="{strength.pk}" checked' in client.get(url).text
    client.post(url, {"learned": "He cooks.", "themes": [strength.pk]})
    assert ReflectionTheme.objects.count() == 1
    client.post(url, {"learned": "He cooks."})

    assert not ReflectionTheme.objects.exists()


def test_one_retired_meanwhile_stays_where_it_was(
    client, logged, educator, strength, program_coordinator
):
    client.force_login(educator)
    url = f"/visits/{logged.pk}/reflect/"
    client.post(url, {"learned": "He cooks.", "themes": [strength.pk]})
    themes.retire(strength, by=program_coordinator)

    assert "A strength" in client.get(url).text
    client.post(url, {"learned": "He cooks, well.", "themes": [strength.pk]})

    assert ReflectionTheme.objects.get().theme == strength
    assert Reflection.objects.get().learned == "He cooks, well."


def test_without_a_list_nothing_is_offered(client, logged, educator):
    client.force_login(educator)

    assert 'name="themes"' not in client.get(f"/visits/{logged.pk}/reflect/").text


def test_logging_taps_hopes_that_the_partner_may_put_right(
    client, held, educator, partner, theme, strength, program, program_coordinator
):
    music = themes.add(program, "hope", "Music", by=program_coordinator)
    url = f"/visits/{held.pk}/log/"
    client.force_login(educator)
    page = client.get(url).text
    assert "Reading" in page and "A strength" not in page
    client.post(url, TAPS | {"themes": [theme.pk, strength.pk]})
    assert tapped(held) == ["Reading"]

    client.force_login(partner)
    page = client.get(url).text
    assert f'value="{theme.pk}" checked' in page and f'value="{music.pk}" checked' not in page
    seen = logs.version(VisitLog.objects.get())
    client.post(url, TAPS | {"themes": [theme.pk], "seen": "", "place": "home"})
    assert VisitLog.objects.get().logged_by == educator, "nothing was changed"
    client.post(url, TAPS | {"themes": [music.pk], "seen": seen})

    assert tapped(held) == ["Music"]
    assert VisitLog.objects.get().logged_by == partner
    assert "Music" in client.get(f"/visits/{held.pk}/").text
