"""Who could go along: everybody is on the list, with reasons; who may not stands last."""

import datetime

import pytest

from pthv.blocked import NotReady
from pthv.models import Educator, Role
from training import certification
from visits import teams
from visits.models import Availability, TeamMember, VisitTeam

ON = datetime.date(2026, 10, 8)


@pytest.fixture
def hired(person, program, school, course, program_coordinator):
    """Make an educator of the school, trained, with languages and hours on Mondays."""

    def hired(name: str, *languages: str, until: int = 0, trained: bool = True) -> Educator:
        found = person(name, Role.EDUCATOR, program, school).educators.get()
        found.languages = list(languages)
        found.save()
        if trained:
            certification.issue(
                found, course, on=datetime.date(2026, 8, 20), by=program_coordinator
            )
        if until:
            free(found, 16, until)
        return found

    return hired


def free(educator: Educator, starts: int, ends: int, weekday: int = 0) -> None:
    Availability.objects.create(
        program_id=educator.program_id,
        educator=educator,
        weekday=weekday,
        starts=datetime.time(starts),
        ends=datetime.time(ends),
    )


def suggested(invitation) -> dict[str, teams.Suggestion]:
    found = teams.suggest(invitation, [invitation.educator], on=ON)
    return {str(one.educator): one for one in found}


def test_everybody_is_there_the_best_first(invitation, hired, colleague, partner, trained):
    invitation.family.language = "es-MX"
    free(invitation.educator, 15, 20)
    hired("Eva Cruz", "es", until=17)
    hired("Fay Long", until=19)
    hired("Gus Hall", until=18)

    found = suggested(invitation)

    # Cara is not trained yet.
    assert list(found) == ["Eva Cruz", "Fay Long", "Gus Hall", "Ben Lee", "Cara Diaz"]
    assert found["Eva Cruz"].reasons == [
        "Speaks the family's language",
        "1 hour a week in common",
        "No visit yet this year",
    ]
    assert "3 hours a week in common" in found["Fay Long"].reasons
    assert "Hasn't said when they can" in found["Ben Lee"].reasons
    assert found["Cara Diaz"].hurdles[0].startswith("Cara Diaz has not been trained")


def test_who_visited_least_comes_first_of_equals(invitation, visit, hired, partner):
    hired("Eva Cruz")

    found = suggested(invitation)

    assert list(found) == ["Eva Cruz", "Ben Lee"]
    assert "1 visit this year" in found["Ben Lee"].reasons


def test_who_goes_with_one_all_year_comes_before_free_hours(
    invitation, hired, partner, trained, school, educator
):
    free(invitation.educator, 15, 20)
    hired("Eva Cruz", until=20)
    teams.stand(school, [invitation.educator, partner.educators.get()], by=educator)

    found = suggested(invitation)

    assert list(found) == ["Ben Lee", "Eva Cruz"]
    assert found["Ben Lee"].reasons[0] == "Goes with Ana Ruiz all year"


def test_hours_that_only_touch_are_none_in_common(invitation, hired):
    free(invitation.educator, 15, 16)
    hired("Eva Cruz", until=18)

    assert "No hour of the week in common" in suggested(invitation)["Eva Cruz"].reasons


def test_it_asks_the_same_for_two_and_for_twenty(invitation, hired, django_assert_max_num_queries):
    free(invitation.educator, 15, 20)
    for number in range(20):
        hired(f"Eva Cruz{number}", "es", until=18)

    with django_assert_max_num_queries(8):
        assert len(suggested(invitation)) == 20


def test_a_pair_stands_is_asked_and_may_say_no(
    school, educator, partner, site_coordinator, invitation, trained, mailoutbox
):
    pair = [user.educators.get() for user in (educator, partner)]
    team = teams.stand(school, pair, by=site_coordinator)

    assert teams.stand(school, pair[::-1], by=site_coordinator) == team
    assert team.stands and VisitTeam.objects.standing().get() == team

    for _tap in range(2):
        teams.answer(team, TeamMember.Answer.DECLINED, by=partner)

    assert not VisitTeam.objects.standing().exists()
    assert VisitTeam.objects.for_the_year().get() == team
    with pytest.raises(NotReady, match="not of this team"):
        teams.answer(team, TeamMember.Answer.AGREED, by=site_coordinator)


def test_who_has_a_pair_gets_no_second_one_before_it_ends(
    school, educator, partner, site_coordinator, hired
):
    pair = [user.educators.get() for user in (educator, partner)]
    team = teams.stand(school, pair, by=site_coordinator)
    third = hired("Eva Cruz")

    with pytest.raises(NotReady, match="go together already"):
        teams.stand(school, [pair[0], third], by=site_coordinator)

    teams.end(team, by=site_coordinator)
    assert teams.stand(school, [pair[0], third], by=site_coordinator).stands


def test_a_pair_is_two_of_this_school(
    school, other_school, educator, person, program, site_coordinator
):
    ana = educator.educators.get()
    far = person("Hal Far", Role.EDUCATOR, program, other_school).educators.get()

    with pytest.raises(NotReady, match="two different people"):
        teams.stand(school, [ana, ana], by=site_coordinator)
    with pytest.raises(NotReady, match="does not visit for"):
        teams.stand(school, [ana, far], by=site_coordinator)


def test_a_no_is_seen_and_may_be_taken_back(pair, partner, site_coordinator, client):
    client.force_login(partner)
    client.post(f"/pairs/{pair.pk}/answer/", {"answer": "declined"})
    client.force_login(site_coordinator)
    board = client.get("/pairs/").content.decode()
    assert "Ben can&#x27;t." in board or "Ben can't." in board

    client.force_login(partner)
    assert f"/pairs/{pair.pk}/answer/" in client.get("/pairs/").content.decode()
    client.post(f"/pairs/{pair.pk}/answer/", {"answer": "agreed"})
    assert VisitTeam.objects.standing().get() == pair


def test_an_old_page_makes_no_second_pair(pair, educator, partner, school, site_coordinator, hired):
    teams.answer(pair, "declined", by=partner)
    teams.stand(school, [hired("Eva Cruz"), partner.educators.get()], by=site_coordinator)

    with pytest.raises(NotReady, match="goes with somebody else by now"):
        teams.answer(pair, "agreed", by=partner)

    teams.end(pair, by=site_coordinator)
    with pytest.raises(NotReady, match="has ended"):
        teams.answer(pair, "agreed", by=partner)
