"""A family's page: who sees which family, how much of it, and why."""

import datetime
from zoneinfo import ZoneInfo

import pytest

from families import people
from families.models import (
    AmendmentRequest,
    Caregiver,
    ClassTeacher,
    Enrollment,
    Family,
    SchoolClass,
    Student,
)
from pthv import clock
from pthv.models import RecordView
from tests.conftest import at
from visits import answers, families, invitations, logs, merging, scheduling
from visits.models import Invitation, Visit

ADDRESS = "17 Quiet Lane"


@pytest.fixture
def read(client):
    def get(user, family, query: str = "", status: int = 200) -> str:
        client.force_login(user)
        response = client.get(f"/families/{family.pk}/{query}", follow=True)
        assert response.status_code == status
        return response.content.decode()

    return get


@pytest.fixture
def post(client):
    def send(user, path: str, status: int = 200, **data) -> str:
        client.force_login(user)
        response = client.post(path, data, follow=True)
        assert response.status_code == status
        return response.content.decode()

    return send


@pytest.fixture
def sister(program, other_school, school_year, family) -> Student:
    """Lucía Ortega, in Grade 7B at Roosevelt."""
    child = Student.objects.create(
        program=program, school=other_school, family=family, source_id="L",
        given_name="Lucía", family_name="Ortega", grade="07",
    )  # fmt: skip
    room = SchoolClass.objects.create(
        program=program, school=other_school, school_year=school_year, source_id="7B",
        title="Homeroom 7B",
    )  # fmt: skip
    Enrollment.objects.create(program=program, school_class=room, student=child)
    return child


@pytest.fixture
def teaches(program, school_class):
    """Let somebody teach Mateo's class."""

    def teach(user) -> None:
        ClassTeacher.objects.create(
            program=program, school_class=school_class, educator=user.educators.get()
        )

    return teach


# ---- who, and why


def test_a_family_without_invitation_has_its_page_and_says_why(read, family, educator, colleague):
    page = read(educator, family)

    assert "You teach Mateo." in page and "Nobody is asked to invite this family yet" in page
    assert "Marta Ortega" in page and "Grade 3A" in page
    read(colleague, family, status=404)


def test_who_teaches_a_child_this_year_sees_the_family(read, family, colleague, teaches):
    read(colleague, family, status=404)

    teaches(colleague)

    assert "You teach Mateo." in read(colleague, family)


@pytest.mark.parametrize("gone", ["class", "enrollment", "year", "student", "school"])
def test_who_taught_a_child_before_does_not(
    read, family, colleague, teaches, school_class, school_year, other_school, gone
):
    teaches(colleague)
    left = datetime.date(2026, 9, 30)
    if gone == "class":
        SchoolClass.objects.update(left_on=left)
    elif gone == "enrollment":
        Enrollment.objects.update(left_on=left)
    elif gone == "student":
        Student.objects.update(left_on=left)
    elif gone == "school":
        SchoolClass.objects.update(school=other_school)
    else:
        last = {"starts_on": datetime.date(2025, 8, 1), "ends_on": datetime.date(2026, 7, 31)}
        past = type(school_year).objects.create(program=family.program, name="2025–26", **last)
        SchoolClass.objects.update(school_year=past)

    read(colleague, family, status=404)


def test_each_is_told_why(
    read, accepted, educator, partner, site_coordinator, program_coordinator, other_site_coordinator
):
    family = accepted.family

    assert "You teach Mateo. You were asked to invite this family." in read(educator, family)
    assert "You visit this family together with a colleague." in read(partner, family)
    assert "You coordinate Lincoln." in read(site_coordinator, family)
    assert "You coordinate Willow Creek." in read(program_coordinator, family)
    read(other_site_coordinator, family, status=404)


def test_every_look_is_recorded_and_coordinators_see_whose(
    read, family, educator, site_coordinator
):
    read(educator, family)
    looks = RecordView.objects.filter(subject_type="family", subject_id=family.pk, by=educator)
    assert looks.get().reason == "see_families"

    assert "Looked lately: Ana Ruiz." in read(site_coordinator, family)
    assert "Looked lately" not in read(educator, family)


def test_a_sister_at_another_school_is_a_name_and_a_grade(
    read, invitation, family, sister, educator, site_coordinator, other_site_coordinator,
    program_coordinator,
):  # fmt: skip
    for user in (educator, site_coordinator):
        page = read(user, family)
        assert "Lucía" in page and "Grade 7" in page
        assert "Homeroom 7B" not in page and "Roosevelt" not in page
        assert "Lucía Ortega" not in page
    page = read(other_site_coordinator, family)
    assert "Homeroom 7B" in page and "Grade 3A" not in page
    page = read(program_coordinator, family)
    assert "Homeroom 7B" in page and "Grade 3A" in page


def test_an_invitation_leads_to_its_familys_page(client, educator, invitation, family):
    client.force_login(educator)

    response = client.get(f"/invitations/{invitation.pk}/")

    assert response["Location"] == f"/families/{family.pk}/?invitation={invitation.pk}"


def test_the_page_shows_the_step_of_the_invitation_one_came_for(read, educator, invitation, family):
    second = Invitation.objects.create(
        program=family.program, school=invitation.school, school_year=invitation.school_year,
        family=family, kind="second", educator=invitation.educator,
    )  # fmt: skip

    assert f"/invitations/{second.pk}/attempt/" in read(educator, family)
    page = read(educator, family, f"?invitation={invitation.pk}")
    assert f"/invitations/{invitation.pk}/attempt/" in page and "Other invitations" in page
    for odd in ("x", "%00", "9" * 30, "-1"):
        read(educator, family, f"?invitation={odd}")


# ---- caregivers


def test_what_caregivers_may_is_said_in_words(read, family, educator):
    family.caregivers.update(may_be_contacted=False, may_decide=False, may_read=False)

    page = read(educator, family)

    assert "Not to be contacted · May not decide about visits" in page
    assert "tel:" not in page and "555-0" not in page


def test_nothing_is_shown_of_whoever_was_ended(
    read, invitation, family, educator, site_coordinator
):
    marta = family.caregivers.get()
    invitations.record_attempt(invitation, "call", "reached", by=educator, caregiver=marta)
    assert "Marta" in read(educator, family)

    people.end_caregiver(marta, because="By court order.", by=site_coordinator)

    for user in (educator, site_coordinator):
        page = read(user, family)
        assert "Marta" not in page and "555-0" not in page and "court" not in page
        assert "Call · Reached" in page


def test_of_a_family_that_said_no_nobody_is_shown_how_to_reach_them(
    read, invitation, family, educator, site_coordinator
):
    Family.objects.filter(pk=family.pk).update(address=ADDRESS)
    answers.record(invitation, "declined", by=educator)

    for user in (educator, site_coordinator):
        page = read(user, family)
        assert "tel:" not in page and "555-0" not in page and ADDRESS not in page


def test_a_no_at_one_school_holds_at_the_other(
    read, invitation, family, sister, other_school, program, person, educator
):
    theirs = person("Rita Roe", "educator", program, other_school)
    other = Invitation.objects.create(
        program=program, school=other_school, school_year=invitation.school_year,
        family=family, kind="second", educator=theirs.educators.get(),
    )  # fmt: skip
    answers.record(invitation, "declined", by=educator)

    page = read(theirs, family)

    assert "This family said no thank you." in page and "tel:" not in page
    assert f"/invitations/{other.pk}/answer/" not in page


# ---- the address


@pytest.fixture
def honolulu(program, visit) -> Visit:
    """A visit to a confidential address, on Saturday at 11:30 PM in Honolulu."""
    program.time_zone = "Pacific/Honolulu"
    program.save()
    Family.objects.filter(pk=visit.family_id).update(address=ADDRESS, address_confidential=True)
    starts = datetime.datetime(2026, 10, 10, 23, 30, tzinfo=ZoneInfo("Pacific/Honolulu"))
    Visit.objects.filter(pk=visit.pk).update(during=scheduling.slot(starts))
    return visit


def when(day: int, hour: int, minute: int = 0) -> datetime.datetime:
    return datetime.datetime(2026, 10, day, hour, minute, tzinfo=ZoneInfo("Pacific/Honolulu"))


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (when(8, 23, 59), False),
        (when(9, 0, 0), True),
        (when(9, 23, 30), True),
        (when(10, 23, 30), True),
        (when(11, 0, 29), True),
        (when(11, 0, 30), False),
    ],
)
def test_a_confidential_address_is_shown_near_the_visit(read, honolulu, educator, moment, shown):
    with clock.at(moment):
        page = read(educator, honolulu.family)

    assert (ADDRESS in page) == shown
    assert ("Kept confidential until a visit is near." in page) != shown
    looks = RecordView.objects.filter(subject_type="family.address", by=educator)
    assert looks.exists() == shown


def test_and_to_its_visitors_alone(
    read, honolulu, teaches, colleague, partner, site_coordinator, program_coordinator
):
    teaches(colleague)
    with clock.at(when(10, 12)):
        assert ADDRESS in read(partner, honolulu.family)
        for user in (colleague, site_coordinator, program_coordinator):
            assert ADDRESS not in read(user, honolulu.family)


@pytest.mark.parametrize("page", ["/today/", "/visits/{visit}/"])
def test_the_way_there_stands_on_a_visitors_pages_once_it_is_near(
    client, honolulu, educator, partner, site_coordinator, page
):
    def shown(user, moment) -> bool:
        client.force_login(user)
        with clock.at(moment):
            response = client.get(page.format(visit=honolulu.pk), follow=True)
        return ADDRESS in response.content.decode()

    assert shown(educator, when(10, 12)) and shown(partner, when(10, 12))
    looks = RecordView.objects.filter(subject_type="family.address")
    assert {look.by for look in looks} == {educator, partner}
    assert not shown(educator, when(8, 12)) and not shown(site_coordinator, when(10, 12))


def test_an_administrators_look_at_an_address_is_recorded(client, honolulu, administrator):
    client.force_login(administrator)

    page = client.get(f"/admin/families/family/{honolulu.family_id}/change/").content.decode()

    assert ADDRESS in page
    looks = RecordView.objects.filter(subject_type="family.address")
    assert [look.by for look in looks] == [administrator]


@pytest.mark.parametrize("change", [{"place": "neutral"}, {"state": "family_cancelled"}])
def test_and_only_while_a_visit_stands_that_goes_there(read, honolulu, educator, change):
    if "state" in change:
        with clock.at(when(9, 12)):
            scheduling.cancel(honolulu, change["state"], by=educator)
    else:
        Visit.objects.update(**change)

    with clock.at(when(10, 12)):
        assert ADDRESS not in read(educator, honolulu.family)


def test_an_address_that_is_not_confidential_is_a_look_of_its_own(read, family, educator):
    Family.objects.filter(pk=family.pk).update(address=ADDRESS)

    assert ADDRESS in read(educator, family)
    assert RecordView.objects.filter(subject_type="family.address", by=educator).count() == 1


def test_a_coordinator_replaces_a_confidential_address_unseen(
    client, read, post, honolulu, site_coordinator
):
    family = honolulu.family
    client.force_login(site_coordinator)
    form = client.get(f"/families/{family.pk}/edit/").content.decode()
    assert ADDRESS not in form and "New address" in form and "Confidential" not in form

    sent = {"surnames": "Ortega", "language": "Spanish", "address": ""}
    post(site_coordinator, f"/families/{family.pk}/edit/", **sent)
    family.refresh_from_db()
    assert (family.address, family.address_confidential) == (ADDRESS, True)

    post(site_coordinator, f"/families/{family.pk}/edit/", **sent | {"address": "2 Oak St"})
    family.refresh_from_db()
    assert (family.address, family.address_confidential) == ("2 Oak St", True)


# ---- the story


def test_the_story_is_told_over_years_and_of_what_was_merged(
    read, accepted, visit, educator, add_family, program_coordinator
):
    gone = add_family("Ortega", "Lucía")
    merging.merge(gone, accepted.family, by=program_coordinator)

    page = read(educator, gone)

    assert "Call · Reached" in page and "First visit · Scheduled" in page
    assert f"/visits/{visit.pk}/" in page


def test_a_merged_family_is_found_where_it_is_now(read, client, family, add_family, educator,
                                                  colleague, program_coordinator):  # fmt: skip
    keep = add_family("Ortega", "Lucía")
    merging.merge(keep, family, by=program_coordinator)
    client.force_login(educator)

    assert client.get(f"/families/{family.pk}/")["Location"] == f"/families/{keep.pk}/"
    client.force_login(colleague)
    assert client.get(f"/families/{family.pk}/").status_code == 404


def test_where_a_child_came_from_counts_until_it_left(
    read, accepted, educator, add_family, program_coordinator
):
    new = add_family("Paz", "Ada")
    accepted.family.students.update(family=new)
    with clock.at(datetime.datetime(2099, 1, 1, tzinfo=datetime.UTC)):
        answers.record(accepted, "later", by=educator,
                                  later_on=datetime.date(2099, 2, 1))  # fmt: skip

    page = read(program_coordinator, new)

    assert "Call · Reached" in page and "come back later" not in page


def test_coordinators_learn_that_something_was_promised_and_not_what(
    read, completed, educator, partner, site_coordinator, program_coordinator, teaches, colleague
):
    for user in (educator, partner):
        assert "Send the form" in read(user, completed.family)
    for user in (site_coordinator, program_coordinator):
        page = read(user, completed.family)
        assert "A promise was made" in page and "Send the form" not in page
    teaches(colleague)
    page = read(colleague, completed.family)
    assert "First visit · Completed" in page
    assert "promise" not in page and f"/visits/{completed.pk}/" not in page


def test_a_promise_that_was_kept_says_so(read, completed, promise, educator):
    logs.keep(promise, by=educator)

    assert "A promise was kept" in read(educator, completed.family)


# ---- putting right


def test_a_caregiver_is_changed_added_and_ended_on_screen(post, family, site_coordinator):
    marta = family.caregivers.get()
    sent = {"given_name": "Marta", "family_name": "Ortega", "language": "Spanish",
            "preferred_channel": "text", "phone": "(312) 555-0199", "may_decide": "on"}  # fmt: skip

    post(site_coordinator, f"/caregivers/{marta.pk}/", **sent)
    marta.refresh_from_db()
    assert (str(marta.phone), marta.may_decide, marta.may_read) == ("+13125550199", True, False)

    assert "valid phone number" in post(
        site_coordinator, f"/caregivers/{marta.pk}/", 422, **sent | {"phone": "1"}
    )
    page = post(site_coordinator, f"/families/{family.pk}/caregivers/new/",
                **sent | {"given_name": "José", "phone": ""})  # fmt: skip
    assert "José Ortega" in page
    assert "Say why" in post(site_coordinator, f"/caregivers/{marta.pk}/end/", because="")
    page = post(site_coordinator, f"/caregivers/{marta.pk}/end/", because="By court order.")
    assert "Marta Ortega has no say any more" in page
    assert post(site_coordinator, f"/caregivers/{marta.pk}/", 404, **sent)
    assert "had no say since" in post(
        site_coordinator, f"/families/{family.pk}/caregivers/new/", 409, **sent
    )


def test_of_a_family_that_said_no_the_form_has_no_contact_data(
    client, invitation, family, educator, site_coordinator
):
    answers.record(invitation, "declined", by=educator)
    client.force_login(site_coordinator)

    form = client.get(f"/caregivers/{family.caregivers.get().pk}/").content.decode()

    assert "555-0" not in form and 'name="phone"' not in form and 'name="may_read"' in form


def test_a_no_that_came_along_hides_the_same_everywhere(
    client, read, invitation, add_family, educator, site_coordinator
):
    """Mateo's family said no; he lives with the Vegas by now."""
    answers.record(invitation, "declined", by=educator)
    vega = add_family("Vega", "Lucía")
    Student.objects.filter(family=invitation.family).update(family=vega)
    client.force_login(site_coordinator)

    form = client.get(f"/caregivers/{vega.caregivers.get().pk}/").content.decode()

    assert "555-0" not in form and 'name="phone"' not in form and 'name="may_read"' in form
    assert "555-0" not in read(site_coordinator, vega)
    assert families.said_no([vega.pk]) == {vega.pk}


def test_a_childs_name_is_put_right_by_its_own_school(
    post, family, sister, site_coordinator, other_site_coordinator
):
    sent = {"preferred_name": "Luchi", "display_name": ""}
    post(site_coordinator, f"/students/{sister.pk}/", 404, **sent)

    assert "Luchi" in post(other_site_coordinator, f"/students/{sister.pk}/", **sent)


def test_an_educator_passes_on_what_the_family_said(
    post, read, invitation, family, educator, site_coordinator
):
    marta = family.caregivers.get()
    form = {"given_name": "Marta", "family_name": "Ortega", "language": "Spanish",
            "relation": "mother", "preferred_channel": "call"}  # fmt: skip
    url = f"/families/{family.pk}/corrections/new/?caregiver={marta.pk}"

    assert "what we have already" in post(educator, url, 409, phone="(312) 555-0142", **form)
    page = post(educator, url, phone="312 555 0199", **form)
    assert "(312) 555-0199" in page and "A coordinator looks at it." in page
    assert "Change it" not in page

    proposal = AmendmentRequest.objects.get()
    desk = post(site_coordinator, f"/corrections/{proposal.pk}/approve/")
    assert "Changed as the family says." in desk
    marta.refresh_from_db()
    assert str(marta.phone) == "+13125550199"
    assert "looks at it" not in read(educator, family)


@pytest.mark.parametrize("whom", ["caregiver=999999", "student=x", "student={sister}"])
def test_nobody_corrects_whom_they_do_not_know(post, invitation, family, sister, educator, whom):
    query = whom.format(sister=sister.pk)

    post(educator, f"/families/{family.pk}/corrections/new/?{query}", 404)


def test_a_proposal_waits_on_the_desk_and_on_the_page(client, read, proposal, site_coordinator):
    client.force_login(site_coordinator)

    desk = client.get("/desk/").content.decode()

    assert "(312) 555-0142" in desk and "(312) 555-0199" in desk
    assert "The family told Ana Ruiz" in read(site_coordinator, proposal.family)


# ---- merging and splitting on screen


@pytest.fixture
def twin(add_family, family) -> Family:
    return add_family("Ortega", "Lucía")


def test_the_other_family_is_suggested_found_compared_merged_and_undone(
    client, post, family, twin, site_coordinator
):
    client.force_login(site_coordinator)
    url = f"/families/{family.pk}/merge/"

    assert "May be the same family" in client.get(f"/families/{family.pk}/").content.decode()
    assert "May be the same family" in client.get(url).content.decode()
    for typed in ("Luc", "0142", "Marta Ort"):
        assert f"?other={twin.pk}" in client.get(url, {"q": typed}).content.decode()
    compared = client.get(url, {"other": twin.pk}).content.decode()
    assert (
        "<bdi>Mateo Ortega</bdi>, <bdi>Lucía Ortega</bdi>" in compared and "Afterwards" in compared
    )

    page = post(site_coordinator, url, other=twin.pk)
    assert "Mateo (3), Lucía (3)" in page and "Sam Site made two families one" in page

    (change,) = merging.changes(family)
    assert "Undone" in post(site_coordinator, f"/families/{family.pk}/undo/", change=change.pk)
    assert [child.given_name for child in twin.students.all()] == ["Lucía"]
    post(site_coordinator, f"/families/{family.pk}/undo/", 404, change=change.pk)


def test_a_shared_email_is_enough_to_be_alike_and_an_empty_one_is_not(family, add_family):
    other, stranger = add_family("Vega", "Ana"), add_family("Paz", "Ada")
    Caregiver.objects.update(phone="")
    Caregiver.objects.filter(family__in=[family, other]).update(email="home@example.org")

    assert list(families.alike(Family.objects.all(), family)) == [other]
    assert list(families.alike(Family.objects.all(), stranger)) == []


def test_a_schools_coordinator_merges_only_what_is_all_theirs(
    client, post, family, sister, twin, site_coordinator, program_coordinator
):
    post(site_coordinator, f"/families/{twin.pk}/merge/", 404, other=family.pk)
    post(site_coordinator, f"/families/{family.pk}/split/", 404)
    client.force_login(site_coordinator)
    assert f"?other={family.pk}" not in client.get(f"/families/{twin.pk}/merge/").content.decode()

    assert "They are one family now" in post(
        program_coordinator, f"/families/{twin.pk}/merge/", other=family.pk
    )
    (change,) = merging.changes(twin)
    post(site_coordinator, f"/families/{twin.pk}/undo/", 404, change=change.pk)


def test_what_stands_in_the_way_of_a_merge_is_said(
    client, post, visit, add_family, site_coordinator, educator, school, school_year, school_class
):
    from visits import selection

    twin = add_family("Ortega", "Lucía")
    selection.plan_everyone(school, school_year, school_class=school_class, by=site_coordinator)
    answers.record(Invitation.objects.get(family=twin), "declined", by=educator)
    url = f"/families/{visit.family_id}/merge/"
    client.force_login(site_coordinator)

    page = client.get(url, {"other": twin.pk}).content.decode()
    assert "said no thank you, and a visit stands" in page and ">Merge</button>" not in page
    assert "said no thank you" in post(site_coordinator, url, 409, other=twin.pk)


def test_a_family_is_split_on_screen_and_undone_from_the_new_one(
    read, post, add_family, program, site_coordinator
):
    family = add_family("Ortega", "Mateo", "Lucía")
    jose = Caregiver.objects.create(program=program, family=family, given_name="José")
    mateo, lucia = family.students.order_by("pk")
    (marta,) = family.caregivers.exclude(pk=jose.pk)
    sent = {f"child-{mateo.pk}": "stays", f"child-{lucia.pk}": "goes",
            f"caregiver-{jose.pk}": "goes", f"caregiver-{marta.pk}": "both"}  # fmt: skip
    url = f"/families/{family.pk}/split/"

    assert "At least one child stays" in post(
        site_coordinator, url, 409, **sent | {f"child-{mateo.pk}": "goes"}
    )
    post(site_coordinator, url, 422, **sent | {f"child-{mateo.pk}": "both"})
    page = post(site_coordinator, url, **sent)
    assert "José &amp; Ortega family" in page and "made a family two" in page
    # Marta is of both: nobody asks whether they are one.
    for one in Family.objects.all():
        assert "May be the same" not in read(site_coordinator, one)
        assert "May be the same" not in read(site_coordinator, one, "merge/")

    new = Family.objects.latest("pk")
    (change,) = merging.changes(new)
    page = post(site_coordinator, f"/families/{new.pk}/undo/", change=change.pk)
    assert "Undone" in page and "Mateo (3), Lucía (3)" in page


def test_the_rule_finds_exactly_the_families_of_each_person(
    family, add_family, sister, educator, colleague, site_coordinator, other_site_coordinator,
    program_coordinator, finance,
):  # fmt: skip
    from pthv.access import Can

    other = add_family("Paz", "Ada")

    def found(user) -> set[int]:
        return set(families.open_to(user, Can.SEE_FAMILIES).values_list("pk", flat=True))

    assert found(educator) == found(site_coordinator) == found(program_coordinator)
    assert found(educator) == {family.pk, other.pk}
    assert found(other_site_coordinator) == {family.pk}
    assert found(colleague) == found(finance) == set()
    # The search asks the same rule another way; a merged family is nobody's.
    gone = add_family("Sol", "Eva")
    Family.objects.filter(pk=gone.pk).update(merged_into=other)
    cast = (educator, site_coordinator, other_site_coordinator, colleague, finance)
    for user in cast:
        assert set(families.ids_open_to(user, Can.SEE_FAMILIES)) == found(user)
    assert families.ids_open_to(program_coordinator, Can.SEE_FAMILIES) is None
    assert at(6, 13) == clock.now()
