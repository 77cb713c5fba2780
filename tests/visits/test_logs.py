"""What a log holds: of each child, who interpreted, goals from the second visit on, promises."""

from collections.abc import Iterator

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from families.models import Enrollment, Student
from pthv import clock
from pthv.blocked import NotReady
from pthv.models import User
from tests.conftest import at
from tests.visits.test_family_page import text_of
from tests.visits.test_interpreting_views import like
from visits import invitations, logs, scheduling
from visits.forms.logs import LogForm
from visits.models import FollowUp, Invitation, Visit, VisitGoals, VisitLog, VisitStudent

pytestmark = pytest.mark.django_db
TAPS = {"minutes": "40", "adults_present": "2", "student_present": "on", "language": "es"}
# What belongs to lessons, marks, behaviour or attendance.
ACADEMIC = ("goal", "grade", "reading level", "homework", "behavior", "attendance", "absen", "test")


@pytest.fixture
def lucia(family, program, school, school_class) -> Student:
    """Mateo's sister, in the same class."""
    found = Student.objects.create(
        program=program, school=school, family=family, source_id="lucia", given_name="Lucía",
        family_name="Ortega", grade="1",
    )  # fmt: skip
    Enrollment.objects.create(program=program, school_class=school_class, student=found)
    return found


@pytest.fixture
def second(completed, educator, pay_rate) -> Iterator[Visit]:
    """The second visit to the Ortegas, six days later; it is over."""
    pay_rate.pk, pay_rate.kind = None, "second"
    pay_rate.save()
    with clock.at(at(8, 19)):
        invitation = invitations.open_second(completed.invitation, by=educator)
        Invitation.objects.filter(pk=invitation.pk).update(
            state="accepted", asked_at=clock.now(), answered_at=clock.now(), answered_by=educator
        )
        invitation.refresh_from_db()
        found = scheduling.schedule(invitation, scheduling.slot(at(14, 17)), "home", by=educator)
    with clock.at(at(14, 19)):
        yield found


def log_page(user: User, visit: Visit, **words) -> str:
    client = Client()
    client.force_login(user)
    url = reverse("visit_log", args=[visit.pk])
    response = client.post(url, TAPS | words, follow=True) if words else client.get(url)
    return text_of(response)


def test_of_siblings_each_childs_words_stay_apart(lucia, held, educator):
    mateo, sister = held.visit_students.order_by("pk")
    asked = log_page(educator, held)
    assert asked.count("Strengths and interests") == 2 and "Lucía Was there" in asked

    log_page(
        educator, held,
        **{f"{mateo.pk}-was_there": "on", f"{mateo.pk}-strengths": "Builds radios",
           f"{sister.pk}-strengths": "Sings", f"{sister.pk}-hopes": "To be a doctor"},
    )  # fmt: skip

    mateo.refresh_from_db()
    sister.refresh_from_db()
    assert (mateo.strengths, mateo.was_there, mateo.hopes) == ("Builds radios", True, "")
    assert (sister.strengths, sister.was_there, sister.hopes) == ("Sings", False, "To be a doctor")
    log = VisitLog.objects.get()
    assert (log.strengths, log.student_present) == ("", True)
    page = Client()
    page.force_login(educator)
    shown = text_of(page.get(held.get_absolute_url()))
    assert shown.index("Lucía") < shown.index("Sings") and "was not there" in shown


def test_two_texts_of_a_child_say_of_whom(lucia, held, educator, partner):
    sister = held.visit_students.order_by("pk")[1]
    log_page(educator, held, **{f"{sister.pk}-strengths": "Sings"})

    page = log_page(partner, held, **{f"{sister.pk}-strengths": "Dances"})

    assert "Lucía: Strengths and interests" in page and "Sings" in page and "Dances" in page


def test_siblings_written_again_as_they_are_change_nothing(lucia, held, educator):
    children = tuple(
        logs.OfAChild(one.pk, strengths=f"Of {one.student.given_name}") for one in held.several
    )
    entry = logs.Entry(40, "es", 1, True, children=children)
    first = logs.write(held, entry, by=educator)

    with clock.at(at(8, 19)):
        again = logs.write(held, entry, by=educator, seen="")

    assert logs.saved(again) == entry and again.logged_at == first.logged_at
    assert LogForm(visit=held, log=again).initial[f"{children[1].child}-strengths"] == "Of Lucía"


def test_another_familys_child_is_not_written_about(lucia, held, educator, add_family, program):
    nguyen = add_family("Nguyen", "Linh")
    linh = VisitStudent.objects.create(
        program=program, visit=like(held, nguyen, at(1, 17)), student=nguyen.students.get()
    )

    logs.write(
        held,
        logs.Entry(40, "es", 1, True, children=(logs.OfAChild(linh.pk, hopes="Stray"),)),
        by=educator,
    )

    linh.refresh_from_db()
    assert linh.hopes == ""


@pytest.mark.parametrize(
    ("spoken", "likely"), [("es", "Spanish · One of us spoke it"), ("vi", "Vietnamese ")]
)
def test_who_interpreted_is_filled_in(held, educator, spoken, likely):
    held.family.language = spoken
    held.family.save()
    mine = educator.educators.get()
    mine.languages = ["en", "es"]
    mine.save()

    assert f"At home · {likely}" in log_page(educator, held)


def test_what_a_phone_kept_from_before_still_saves(held, educator):
    """TAPS say neither where nor who interpreted, as forms did until lately."""
    Visit.objects.filter(pk=held.pk).update(place="virtual")

    log_page(educator, held, hopes="To sing")

    assert VisitLog.objects.get().place == "virtual"


def test_a_first_visit_has_no_academic_field(held, educator):
    form = LogForm(visit=held)
    page = log_page(educator, held).lower()

    assert not set(logs.GOALS) & set(form.fields)
    labels = " ".join(str(field.label).lower() for field in form.fields.values())
    for word in ACADEMIC:
        assert word not in labels
        assert word not in page.replace("latest", "")
    assert "how school works on it" not in page


def test_nor_does_one_take_goals_that_are_sent_all_the_same(held, educator):
    log_page(educator, held, shared="Read at level C")
    assert not VisitGoals.objects.exists()

    with pytest.raises(NotReady, match="Goals come with the second"):
        logs.write(held, logs.Entry(40, "es", 1, True, goals=logs.Goals("Level C")), by=educator)
    for kind in ("first", "second"):
        with (
            pytest.raises(IntegrityError),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(
                "INSERT INTO visits_visitgoals (program_id, visit_id, kind, shared, at_home,"
                " at_school) SELECT program_id, id, %s, 'x', '', '' FROM visits_visit",
                [kind],
            )


def test_a_second_visit_sets_goals_together(second, educator, partner):
    page = log_page(
        educator, second, shared="A book a week", at_home="Bedtime", at_school="Library"
    )

    assert "One thing left: reflect." in page
    assert second.goals.shared == "A book a week"
    client = Client()
    client.force_login(partner)
    shown = text_of(client.get(second.get_absolute_url()))
    assert "How home works on it Bedtime" in shown and "How school works on it Library" in shown
    log_page(educator, second, seen=logs.version(second.log), hopes="To read")
    assert not VisitGoals.objects.exists()


def test_last_times_promise_comes_along(second, promise, educator):
    assert "Last time we promised Send the form · Ana, by Tue, Oct 20" in log_page(educator, second)

    logs.keep(promise, by=educator, outcome="instead", note="Brought it by")

    assert "Send the form · Something else instead: Brought it by" in log_page(educator, second)


def test_another_schools_promise_does_not(second, promise, other_school, educator):
    promise.visit.school = other_school
    Visit.objects.filter(pk=promise.visit_id).update(school=other_school)

    assert "Last time we promised" not in log_page(educator, second)


def test_either_visitor_can_be_the_one_who_keeps_it(held, educator, partner, colleague):
    ben = partner.educators.get()
    facts = {"promise": "A library card", "promise_due_on": "2026-10-15"}

    log_page(educator, held, **facts, promise_owner=ben.pk)

    assert FollowUp.objects.get().owner == ben
    stranger = log_page(educator, held, **facts, promise_owner=colleague.educators.get().pk)
    assert "Select a valid choice" in stranger or "is not one of the available" in stranger


@pytest.mark.parametrize(
    ("posted", "outcome", "said"),
    [
        ({}, "kept", "Kept. Thank you."),
        ({"outcome": "not_possible", "note": "The library closed"}, "not_possible", "Noted."),
    ],
)
def test_what_came_of_a_promise(promise, educator, posted, outcome, said):
    client = Client()
    client.force_login(educator)

    response = client.post(reverse("promise_keep", args=[promise.pk]), posted, follow=True)

    promise.refresh_from_db()
    assert (promise.outcome, promise.note) == (outcome, posted.get("note", ""))
    assert promise.kept_at and said in text_of(response)
    assert promise not in FollowUp.objects.open()


def test_what_came_of_it_is_said_in_few_words(promise, educator):
    client = Client()
    client.force_login(educator)

    response = client.post(
        reverse("promise_keep", args=[promise.pk]), {"note": "x" * 256}, follow=True
    )

    assert "Say it in fewer words." in text_of(response)
    assert promise in FollowUp.objects.open()
