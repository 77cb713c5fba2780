"""The pages of an import: send, look, apply or put away; for the program's coordinator only."""

import datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from families.models import RosterImport, Student
from families.roster import apply
from families.roster.plan import refuse
from families.tasks import apply_roster, plan_roster, undo_roster
from pthv import clock
from pthv.models import User
from pthv.tables import store

from .roster_files import FIRST_TRY, bundle, replaced, without_rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def coordinator(program_coordinator: User) -> Client:
    client = Client()
    client.force_login(program_coordinator)
    return client


def send(coordinator: Client, content: bytes, kind: str = "oneroster", name: str = "roster.zip"):
    file = SimpleUploadedFile(name, content)
    return coordinator.post(reverse("roster_upload"), {"kind": kind, "file": file})


def work() -> None:
    """What the worker would do now."""
    for job in ProcrastinateJob.objects.filter(status="todo").order_by("id"):
        if job.task_name == "plan_roster":
            plan_roster.func(FIRST_TRY, **job.args)
        else:
            {"apply_roster": apply_roster, "undo_roster": undo_roster}[job.task_name].func(
                **job.args
            )
        with connection.cursor() as cursor:
            cursor.execute("delete from procrastinate_jobs where id = %s", [job.id])


def page(coordinator: Client, found: RosterImport, query: str = "") -> str:
    response = coordinator.get(reverse("roster_detail", args=[found.pk]) + query)
    assert response.status_code == 200
    return response.content.decode()


def test_the_empty_page_teaches(coordinator) -> None:
    text = coordinator.get(reverse("roster_list")).content.decode()

    assert "No roster yet" in text
    assert "OneRoster 1.1 or 1.2" in text
    assert reverse("roster_guide") in text


def test_a_file_walks_from_upload_to_roster(coordinator) -> None:
    response = send(coordinator, bundle())
    found = RosterImport.objects.get()
    assert response.url == reverse("roster_detail", args=[found.pk])
    assert "Being read" in page(coordinator, found)
    work()

    text = page(coordinator, found)
    assert "Mateo De la Cruz" in page(coordinator, found, "?kind=new&after=0")
    assert "Lincoln Elementary" in text
    coordinator.post(reverse("roster_apply", args=[found.pk]))
    assert "Being applied" in page(coordinator, found)
    work()

    assert Student.objects.count() == 25
    assert "Applied" in page(coordinator, found)
    assert "roster.zip" in coordinator.get(reverse("roster_list")).content.decode()


def test_waiting_asks_again_by_itself_and_without_script(coordinator) -> None:
    send(coordinator, bundle())
    found = RosterImport.objects.get()
    RosterImport.objects.update(rows_read=1234)

    whole = page(coordinator, found)
    url = reverse("roster_detail", args=[found.pk])
    asked = {"HX-Request": "true", "HX-Target": "progress"}
    part = coordinator.get(url, headers=asked)

    assert 'http-equiv="refresh"' in whole
    assert "1,234 rows read" in whole or "1234 rows read" in whole
    assert 'id="progress"' in part.content.decode()
    assert "<html" not in part.content.decode()
    work()
    assert coordinator.get(url, headers=asked).headers["HX-Refresh"] == "true"
    assert 'http-equiv="refresh"' not in page(coordinator, found)


def test_a_change_is_shown_old_and_new(coordinator, apply_file, plan_file) -> None:
    apply_file(bundle())
    found = plan_file(
        bundle(enrollments=replaced("enrollments.csv", '"3A","10","1002"', '"4B","10","1002"'))
    )

    text = page(coordinator, found)

    assert '<del class="diff-old">Grade 3A</del>' in text
    assert '<ins class="diff-new">Grade 4B</ins>' in text


def test_a_refused_row_is_shown_with_line_column_and_reason(coordinator, plan_file) -> None:
    found = plan_file(bundle(users=replaced("users.csv", '"KG"', '"PURPLE"')))

    text = page(coordinator, found)

    assert "line 2" in text
    assert "grades" in text
    assert "“PURPLE” is not a grade" in text


def test_an_unreadable_file_gets_its_sentence(coordinator) -> None:
    send(coordinator, b"not a zip")
    work()

    text = page(coordinator, RosterImport.objects.get())

    assert "This is not a zip file." in text
    assert reverse("roster_apply", args=[RosterImport.objects.get().pk]) not in text


@pytest.mark.parametrize("content", [b"", None])
def test_no_file_or_an_empty_one_is_told_on_the_form(coordinator, content) -> None:
    data = {"kind": "oneroster"}
    if content is not None:
        data["file"] = SimpleUploadedFile("roster.zip", content)

    response = coordinator.post(reverse("roster_upload"), data)

    assert response.status_code == 422
    assert not RosterImport.objects.exists()


def test_a_file_too_large_is_told_on_the_form(coordinator, monkeypatch, uploads) -> None:
    monkeypatch.setattr(store, "MAX_UPLOAD", 100)

    response = send(coordinator, bundle())

    assert response.status_code == 422
    assert "larger than" in response.content.decode()
    assert not RosterImport.objects.exists()
    assert list(uploads.iterdir()) == []


def test_many_leaving_must_be_confirmed_on_the_page(coordinator, apply_file, plan_file) -> None:
    apply_file(bundle())
    found = plan_file(bundle(users=without_rows("users.csv", orgSourcedIds="20", role="student")))
    url = reverse("roster_apply", args=[found.pk])

    refused = coordinator.post(url)

    assert refused.status_code == 409
    sentence = "11 of 11 students would leave Roosevelt Middle."
    assert sentence in refused.content.decode()
    assert 'name="leaving_confirmed"' in page(coordinator, found)
    coordinator.post(url, {"leaving_confirmed": "on"})
    work()
    assert Student.objects.enrolled().count() == 14


def test_a_second_tap_on_apply_changes_nothing(coordinator, plan_file) -> None:
    found = plan_file(bundle())
    url = reverse("roster_apply", args=[found.pk])

    answers = [coordinator.post(url).status_code for _ in range(3)]

    assert answers == [302, 302, 302]
    assert ProcrastinateJob.objects.filter(task_name="apply_roster").count() == 1


def test_a_plan_can_be_put_away(coordinator, plan_file) -> None:
    found = plan_file(bundle())

    coordinator.post(reverse("roster_discard", args=[found.pk]))

    found.refresh_from_db()
    assert found.state == RosterImport.State.DISCARDED
    assert "discarded" in page(coordinator, found)


@pytest.mark.parametrize("state", ["reading", "applying"])
def test_what_is_stuck_can_be_put_away(coordinator, plan_file, state) -> None:
    found = plan_file(bundle())
    RosterImport.objects.update(state=state, working_since=clock.now())
    url = reverse("roster_discard", args=[found.pk])

    early = coordinator.post(url)

    assert early.status_code == 409
    assert "being worked on" in early.content.decode()
    assert url not in page(coordinator, found)
    with clock.at(clock.now() + datetime.timedelta(minutes=61)):
        coordinator.force_login(found.uploaded_by)  # the session has run out
        assert "unusually long" in page(coordinator, found)
        assert url in page(coordinator, found)
        assert coordinator.post(url).status_code == 302
    found.refresh_from_db()
    assert found.state == RosterImport.State.DISCARDED
    assert not found.changes.exists()


def test_a_worker_that_comes_late_leaves_what_was_put_away(coordinator) -> None:
    send(coordinator, bundle())
    found = RosterImport.objects.get()
    with clock.at(clock.now() + datetime.timedelta(minutes=61)):
        apply.discard(found, by=found.uploaded_by)

    work()

    found.refresh_from_db()
    assert (found.state, found.problem) == (RosterImport.State.DISCARDED, "")


def test_the_hour_counts_from_the_tap_on_apply(coordinator, plan_file) -> None:
    found = plan_file(bundle())
    with clock.at(clock.now() + datetime.timedelta(hours=3)):
        apply.begin(found, leaving_confirmed=True)
        found.refresh_from_db()
        assert found.working and not found.stuck


def test_what_was_applied_is_not_put_away(coordinator, apply_file) -> None:
    found = apply_file(bundle())

    assert coordinator.post(reverse("roster_discard", args=[found.pk])).status_code == 409

    found.refresh_from_db()
    assert found.state == RosterImport.State.APPLIED


def test_a_file_that_is_gone_is_told(coordinator, uploads) -> None:
    send(coordinator, bundle())
    for path in uploads.iterdir():
        path.unlink()
    work()

    text = page(coordinator, RosterImport.objects.get())

    assert "The file is gone; send it again." in text


def test_a_refusal_that_comes_late_changes_nothing(plan_file) -> None:
    found = plan_file(bundle())

    refuse(found, "The file is empty.")

    found.refresh_from_db()
    assert (found.state, found.problem) == (RosterImport.State.PLANNED, "")


def test_a_second_file_with_nothing_new_says_so(coordinator, apply_file, plan_file) -> None:
    apply_file(bundle())

    text = page(coordinator, plan_file(bundle()))

    assert "Nothing to change" in text
    assert "roster_apply" not in text


def test_what_a_file_says_is_text_everywhere(coordinator, plan_file) -> None:
    nasty = "<script>alert(1)</script>"
    found = plan_file(bundle(orgs=replaced("orgs.csv", "Lincoln Elementary", nasty)))

    assert nasty not in page(coordinator, found, "?kind=new")
    assert "&lt;script&gt;" in page(coordinator, found, "?kind=new")


def test_the_diff_is_paged_by_key(coordinator, plan_file, monkeypatch) -> None:
    monkeypatch.setattr("families.roster.diff.PAGE", 30)
    found = plan_file(bundle())

    first = page(coordinator, found)
    link = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = page(coordinator, found, link)
    back = second.split('rel="prev" href="')[1].split('"')[0].replace("&amp;", "&")

    assert (first.count('class="item"'), second.count('class="item"')) == (30, 7)
    assert "Kiran Patel" in second
    assert page(coordinator, found, back).count('class="item"') == 30


def test_the_files_are_paged(coordinator, plan_file, monkeypatch) -> None:
    monkeypatch.setattr("families.views.roster.IMPORTS_SHOWN", 2)
    for _ in range(3):
        plan_file(bundle())

    first = coordinator.get(reverse("roster_list")).content.decode()
    link = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = coordinator.get(reverse("roster_list") + link).content.decode()

    assert (first.count('class="item"'), second.count('class="item"')) == (2, 1)


@pytest.mark.parametrize("query", ["?kind=none", "?after=x", "?after=99999999999999999999"])
def test_a_mistyped_link_shows_the_first_page(coordinator, plan_file, query) -> None:
    found = plan_file(bundle())

    assert "2026–27" in page(coordinator, found, query)


def test_query_counts_do_not_grow(coordinator, plan_file, apply_file) -> None:
    def counted(url: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert coordinator.get(url).status_code == 200
        return len(queries)

    def detail(found: RosterImport) -> str:
        return reverse("roster_detail", args=[found.pk]) + "?kind=new"

    small = plan_file(bundle(users=without_rows("users.csv", role="student", orgSourcedIds="20")))
    few = counted(reverse("roster_list")), counted(detail(small))
    for _ in range(29):
        large = plan_file(bundle())
    many = counted(reverse("roster_list")), counted(detail(large))

    assert few == many
    assert max(many) <= 10  # two more than a page: whether the plan is out of date


def test_others_are_not_let_in(plan_file, finance, outsider) -> None:
    found = plan_file(bundle())
    client = Client()
    pages = [reverse("roster_list"), reverse("roster_detail", args=[found.pk])]

    client.force_login(finance)
    assert [client.get(url).status_code for url in pages] == [403, 403]
    assert client.post(reverse("roster_apply", args=[found.pk])).status_code == 403
    client.force_login(outsider)
    assert client.get(pages[1]).status_code == 404
    for action in ("roster_apply", "roster_discard"):
        assert client.post(reverse(action, args=[found.pk])).status_code == 404
        assert client.get(reverse(action, args=[found.pk])).status_code == 302
    found.refresh_from_db()
    assert found.state == RosterImport.State.PLANNED
    assert apply.blockers(found, leaving_confirmed=False) == []
