"""How a training was: asked once, answered once, and told only of many."""

import datetime
import random
import uuid

import pytest
from django.db import connection
from django.urls import reverse
from django_scopes import scopes_disabled

from pthv import clock
from pthv.blocked import NotReady
from pthv.models import AuditEntry, Message, User
from tests.conftest import at
from training import cohorts, enrolment, feedback, tasks
from training.models import Cohort, CohortMember, Feedback, FeedbackRequest, Wave

PEOPLE = 12
END = at(8, 9)  # the morning after the only session
GLAD = {"ready": 5, "useful": 4, "recommend": 5}
DAY = datetime.timedelta(days=1)


@pytest.fixture
def people(educators) -> list[User]:
    return [educator.user for educator in educators(PEOPLE)]


@pytest.fixture
def done(course, people, add_session, program_coordinator) -> Cohort:
    """A cohort of twelve, completed on October 8."""
    cohort = cohorts.open_cohort(course, "Big", by=program_coordinator)
    add_session(7, of=cohort)
    enrolment.enrol(cohort, [user.educators.get() for user in people], by=program_coordinator)
    with clock.at(END):
        cohorts.complete(cohort, by=program_coordinator)
    cohort.refresh_from_db()
    return cohort


def requests(wave: str = Wave.END) -> list[FeedbackRequest]:
    return list(FeedbackRequest.objects.filter(wave=wave).order_by("pk"))


def answered_by(number: int, scores=GLAD, wave: str = Wave.END, comment: str = "") -> None:
    for request in requests(wave)[:number]:
        feedback.answer(request, scores=scores, comment=comment)


def letters() -> list[Message]:
    return list(Message.objects.filter(kind="feedback_asked").order_by("pk"))


def page(client, cohort, person) -> str:
    client.force_login(person)
    return client.get(reverse("cohort_feedback", args=[cohort.pk])).content.decode()


def test_everybody_in_it_is_asked_at_its_end(done, people, settings):
    assert {letter.to_user for letter in letters()} == set(people)
    first = letters()[0]
    request = FeedbackRequest.objects.get(member__educator__user=first.to_user)
    assert settings.SITE_URL + reverse("feedback_give", args=[request.pk]) in first.body
    assert "Until Thu, Oct 29" in first.body
    assert "“Big”" in first.body


def test_asking_again_asks_nobody_twice(done, program_coordinator):
    assert feedback.ask(done, wave=Wave.END) == 0
    assert cohorts.complete(done, by=program_coordinator) == []
    assert len(letters()) == len(requests()) == PEOPLE


def test_whoever_waits_or_left_or_went_away_is_not_asked(
    course, people, add_session, program_coordinator, program
):
    program.minimum_cell = 5
    program.save()
    cohort = cohorts.open_cohort(course, "Full", by=program_coordinator, capacity=8)
    add_session(7, of=cohort)
    enrolment.enrol(cohort, [user.educators.get() for user in people[:8]], by=program_coordinator)
    enrolment.withdraw(cohort.members.get(educator__user=people[0]), by=program_coordinator)
    enrolment.enrol(cohort, [user.educators.get() for user in people[8:]], by=program_coordinator)
    people[1].is_active = False
    people[1].save()

    with clock.at(END):
        cohorts.complete(cohort, by=program_coordinator)

    assert {letter.to_user for letter in letters()} == set(people[2:9])


def test_a_group_too_small_to_hide_in_is_not_asked(
    client, cohort, add_session, enrol, educator, program_coordinator
):
    add_session(7)
    enrol(educator)
    with clock.at(END):
        cohorts.complete(cohort, by=program_coordinator)
        text = page(client, cohort, program_coordinator)

    assert letters() == []
    assert "Nobody was asked: fewer than 10 people had a place" in text


@pytest.mark.parametrize("late", [0, 7, 40])
def test_three_months_later_each_is_asked_once_however_often_the_worker_runs(done, late):
    three_months = END + feedback.LATER

    with clock.at(three_months - DAY):
        tasks.ask_how_it_was(0)
    assert requests(Wave.LATER) == []

    for again in range(3):
        with clock.at(three_months + (late + again) * DAY):
            tasks.ask_how_it_was(0)

    assert len(requests(Wave.LATER)) == PEOPLE
    assert len(letters()) == 2 * PEOPLE
    assert "three months ago" in letters()[-1].body


def test_a_worker_killed_in_the_act_asks_all_or_nobody(done, monkeypatch):
    def dies(*_args):
        raise SystemExit

    with clock.at(END + feedback.LATER):
        with monkeypatch.context() as trouble:
            trouble.setattr(feedback.outbox, "queue_many", dies)
            with pytest.raises(SystemExit):
                tasks.ask_how_it_was(0)
        assert requests(Wave.LATER) == []
        tasks.ask_how_it_was(0)

    assert len(requests(Wave.LATER)) == PEOPLE
    assert len(letters()) == 2 * PEOPLE


def test_three_taps_and_a_sentence(client, done, people):
    request = FeedbackRequest.objects.get(member__educator__user=people[0])
    url = reverse("feedback_give", args=[request.pk])
    client.force_login(people[0])

    with clock.at(END):
        assert url in client.get(reverse("own_training")).content.decode()
        empty = client.post(url, {"ready": "5"})
        assert empty.status_code == 422
        assert empty.content.decode().count("Tap a number from 1 to 5.") >= 2
        assert client.post(url, GLAD | {"ready": "6"}).status_code == 422
        assert Feedback.objects.count() == 0

        client.post(url, GLAD | {"comment": " More time "})
        twice = client.post(url, {"ready": "1", "useful": "1", "recommend": "1"}, follow=True)

        assert url not in client.get(reverse("own_training")).content.decode()
    assert "Thank you" in twice.content.decode()
    said = Feedback.objects.get()
    assert (said.ready, said.useful, said.recommend, said.comment) == (5, 4, 5, "More time")


def test_nobody_answers_for_a_colleague(client, done, people):
    request = FeedbackRequest.objects.get(member__educator__user=people[0])
    client.force_login(people[1])

    assert client.post(reverse("feedback_give", args=[request.pk]), GLAD).status_code == 404
    assert Feedback.objects.count() == 0


def test_the_last_day_counts_and_the_next_is_too_late(client, done, people):
    last_evening = at(29, 23, 30)  # the 30th in UTC
    with clock.at(last_evening):
        answered_by(1)
    with clock.at(last_evening + DAY / 24):
        with pytest.raises(NotReady, match="until Oct 29"):
            feedback.answer(requests()[1], scores=GLAD)
        client.force_login(people[1])
        late = client.post(reverse("feedback_give", args=[requests()[1].pk]), GLAD)

        assert (
            reverse("feedback_give", args=[requests()[1].pk])
            not in client.get(reverse("own_training")).content.decode()
        )

    assert late.status_code == 409
    assert Feedback.objects.count() == 1


def test_nothing_is_shown_while_people_answer(client, done, program_coordinator):
    """Whoever looked before and after an answer would know what was in it."""
    with clock.at(END):
        answered_by(11)
        before = feedback.results(done)
        answered_by(12, comment="Only I said this")
        after = feedback.results(done)
        text = page(client, done, program_coordinator)

    assert [(one.given, one.comments) for one in before + after] == [((), ())] * 2
    assert "12 of 12 have answered so far." in text
    assert "Only I said this" not in text
    assert "who answered" not in text


def test_what_is_shown_afterwards_never_changes(done):
    with clock.at(END):
        answered_by(10)
    with clock.at(END + 30 * DAY):
        first = feedback.results(done)
        with pytest.raises(NotReady):
            answered_by(12)
        assert feedback.results(done) == first
    assert first[0].answered == 10


def test_the_results_are_sentences_with_bars_and_a_table(client, done, program_coordinator):
    with clock.at(END):
        answered_by(9)
        for request, score in zip(requests()[9:], (4, 3, 1), strict=True):
            feedback.answer(request, scores=GLAD | {"ready": score}, comment=f"Said {score}")

    with clock.at(END + 22 * DAY):
        text = page(client, done, program_coordinator)

    assert "10 of 12 who answered feel ready to visit." in text
    assert "12 of 12 would recommend the training to a colleague." in text
    assert "9 strongly agree · 1 agree · 1 neither · 1 strongly disagree" in text
    assert text.count('class="scale-bar"') == 3
    assert '<td class="num">9</td><td class="num">1</td><td class="num">1</td>' in text
    assert all(f"Said {score}" in text for score in (4, 3, 1))


@pytest.mark.parametrize(("answers", "shown"), [(9, False), (10, True)])
def test_fewer_than_the_programs_minimum_are_never_shown(
    client, done, program_coordinator, answers, shown
):
    with clock.at(END):
        answered_by(answers, comment="Words of somebody")

    with clock.at(END + 22 * DAY):
        text = page(client, done, program_coordinator)

    assert ("who answered feel ready" in text) is shown
    assert ("Words of somebody" in text) is shown
    assert (f"What fewer than {10} people said is never shown" in text) is not shown


@pytest.mark.parametrize(
    ("afterwards", "answers", "shown"), [(5, 9, False), (5, 10, True), (12, 11, False)]
)
def test_what_was_promised_holds_when_the_programs_minimum_is_lowered(
    client, done, people, program, program_coordinator, afterwards, answers, shown
):
    with clock.at(END):
        answered_by(answers, comment="Words of somebody")
    program.minimum_cell = afterwards
    program.save()

    with clock.at(END):
        client.force_login(people[11])
        form = client.get(reverse("feedback_give", args=[requests()[11].pk])).content.decode()
        meanwhile = page(client, done, program_coordinator)
    with clock.at(END + 22 * DAY):
        text = page(client, done, program_coordinator)

    assert all("only if 10 people or more answered" in letter.body for letter in letters())
    assert "only if 10 people or more answered" in form
    assert f"if {max(10, afterwards)} or more answered" in meanwhile
    assert ("Words of somebody" in text) is shown
    assert (f"fewer than {max(10, afterwards)} people said is never shown" in text) is not shown


def test_each_wave_has_to_be_answered_by_enough_itself(done):
    with clock.at(END):
        answered_by(12)
    with clock.at(END + feedback.LATER):
        tasks.ask_how_it_was(0)
        answered_by(3, wave=Wave.LATER)
    with clock.at(END + feedback.LATER + 22 * DAY):
        first, later = feedback.results(done)

    assert len(first.given) == 3
    assert later.given == ()
    assert (later.asked, later.answered) == (12, 3)


def test_no_row_leads_from_an_answer_to_a_person(done):
    trail = AuditEntry.objects.count()
    with clock.at(END):
        for number, request in enumerate(requests()):
            feedback.answer(request, scores=GLAD, comment=f"Number {number}")

    assert AuditEntry.objects.count() == trail
    names = {field.name for field in Feedback._meta.get_fields()}
    assert names == {"program", "id", "cohort", "wave", "ready", "useful", "recommend", "comment"}
    assert all(isinstance(one.pk, uuid.UUID) and one.pk.version == 4 for one in said())
    assert [one.comment for one in said()] != [f"Number {number}" for number in range(PEOPLE)]
    asked = {field.name for field in FeedbackRequest._meta.concrete_fields}
    assert asked == {"id", "program", "member", "wave", "minimum", "asked_at", "answered"}


def said() -> list[Feedback]:
    return list(Feedback.objects.all())


@pytest.mark.django_db(transaction=True)
def test_the_database_itself_cannot_tell_which_answer_came_with_whom(done):
    """PostgreSQL keeps in each row the transaction that wrote it last."""
    with clock.at(END):
        answered_by(11)

    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT xmin::text FROM training_feedback")
        answers = cursor.fetchall()
        cursor.execute("SELECT DISTINCT xmin::text FROM training_feedbackrequest")
        assert len(answers) == len(cursor.fetchall()) == 1


@pytest.mark.django_db(transaction=True)
def test_where_a_row_lies_says_nothing_of_when_it_was_written(done):
    given = random.Random(7).sample(requests(), PEOPLE)
    order = [request.pk for request in given]
    lay = []
    with clock.at(END):
        for request in given:
            feedback.answer(request, scores=GLAD, comment=str(request.pk))
            lay.append([int(one) for one in as_they_lie()])

    # By chance, once in 11!.
    assert all(last != order[: len(last)] for last in lay[-2:])
    # The newest is not always the last: by chance, once in 12!.
    assert any(rows[-1] != newest for rows, newest in zip(lay, order, strict=True))
    assert {str(key) for key in order} == set(as_they_lie())


def as_they_lie() -> list[str]:
    """The comments in the order in which the rows lie on the disk."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT comment FROM training_feedback ORDER BY ctid")
        return [comment for (comment,) in cursor.fetchall()]


def test_no_key_lasts_while_people_answer(done):
    """Whoever wrote the keys down after each answer could tell which one was new."""
    with clock.at(END):
        answered_by(5)
        before = {one.pk for one in said()}
        answered_by(6)

    assert len(before) == 5
    assert before.isdisjoint(one.pk for one in said())


def test_comments_are_in_the_order_of_their_words(done):
    words = [f"{letter} word" for letter in "kBdaJhCgfIle"]
    with clock.at(END):
        for request, text in zip(requests(), words, strict=True):
            feedback.answer(request, scores=GLAD, comment=text)

    with clock.at(END + 22 * DAY):
        assert feedback.results(done)[0].comments == [f"{x} word" for x in "aBCdefghIJkl"]


def test_the_admin_lists_no_answer_before_its_survey_is_closed(client, done, administrator):
    with clock.at(END):
        answered_by(11)
    client.force_login(administrator)
    url = reverse("admin:training_feedback_changelist")

    def listed(when: datetime.datetime) -> tuple[int, str]:
        with clock.at(when):
            response = client.get(url)
        return response.context["cl"].result_count, response.content.decode()

    still_open = (END, END + 21 * DAY, at(29, 23, 59))
    assert [listed(when)[0] for when in still_open] == [0, 0, 0]
    count, text = listed(END + 24 * DAY)
    with scopes_disabled():
        keys = [one.pk for one in said()]
    assert count == len(keys) == 11
    assert not any(str(key) in text for key in keys)
    with clock.at(END):
        row = client.get(reverse("admin:training_feedback_change", args=keys[:1]))
    assert row.status_code == 302


def test_the_admin_shows_neither_who_answered_nor_what(client, done, administrator):
    with clock.at(END):
        answered_by(1, comment="Words of somebody")
    client.force_login(administrator)
    with scopes_disabled():
        rows = [*requests(), *said()]
        names = [str(one.educator) for one in CohortMember.objects.filter(cohort=done)]

    for row in rows:
        kind = row._meta.model_name
        shown = client.get(reverse(f"admin:training_{kind}_change", args=[row.pk]))
        listed = client.get(reverse(f"admin:training_{kind}_changelist"))
        for text in (shown.content.decode(), listed.content.decode()):
            assert "Words of somebody" not in text
            assert not any(name in text for name in names)


def test_the_page_costs_the_same_for_few_and_for_many(
    client, done, program_coordinator, django_assert_max_num_queries
):
    with clock.at(END):
        answered_by(12, comment="Well done")
    client.force_login(program_coordinator)

    with clock.at(END + 22 * DAY), django_assert_max_num_queries(8):
        client.get(reverse("cohort_feedback", args=[done.pk]))
