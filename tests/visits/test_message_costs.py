"""Writing to a family asks the database little, and no more for six caregivers than for two."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from families.models import Caregiver
from pthv import clock
from tests.conftest import NOW, at
from visits import answers, family_messages, scheduling


@pytest.fixture
def parents(family, program) -> Callable[[int], None]:
    """Give the family that many caregivers who like texts."""

    def parents(count: int) -> None:
        Caregiver.objects.update(preferred_channel="text")
        for number in range(1, count):
            Caregiver.objects.create(
                program=program,
                family=family,
                given_name=f"Carlos{number}",
                phone=f"+1312555018{number}",
                preferred_channel="text",
            )

    return parents


def cost(do: Callable[[], object]) -> int:
    """How many questions it asks the database, the savepoint of the test aside."""
    with CaptureQueriesContext(connection) as queries:
        assert do()
    return len(queries) - 2


@pytest.mark.parametrize("count", [2, 6])
def test_an_invitation(invitation, parents, educator, count):
    parents(count)

    assert cost(lambda: family_messages.invite(invitation, by=educator)) <= 19
    assert invitation.attempts.count() == count


def test_a_yes(invitation, parents, educator):
    parents(2)
    family_messages.invite(invitation, by=educator)
    link = invitation.links.first()

    assert cost(lambda: answers.record(invitation, "accepted", link=link)) <= 22


@pytest.mark.parametrize("count", [2, 6])
def test_the_time_of_a_visit(accepted, parents, educator, count):
    parents(count)
    slot = scheduling.slot(at(8, 16, 30))

    assert cost(lambda: scheduling.schedule(accepted, slot, "home", by=educator)) <= 38


def test_a_reminder(invitation, parents, educator, program):
    parents(6)
    for message in family_messages.invite(invitation, by=educator):
        message.state, message.sent_at = "sent", NOW
        message.save()

    with clock.at(NOW + family_messages.REMEMBERED / 3):
        assert cost(lambda: family_messages.remind(program)) <= 20
