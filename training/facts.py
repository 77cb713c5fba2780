"""What other rooms hand over that a course may ask for: a first visit made, a debrief held."""

import datetime
from collections.abc import Iterable

from django.db import transaction

from pthv.models import Educator, User
from training import requirements
from training.models import TrainingFact

Kind = TrainingFact.Kind


@transaction.atomic
def record(
    educators: Iterable[Educator], kind: str, *, on: datetime.date, key: str, by: User
) -> None:
    """Keep that these did it, once for each `key` ("visit:12"); certify who lacked only this."""
    people = list(educators)
    TrainingFact.objects.bulk_create(
        (
            TrainingFact(
                program_id=educator.program_id,
                educator=educator,
                key=key,
                kind=kind,
                happened_on=on,
            )
            for educator in people
        ),
        ignore_conflicts=True,
    )
    # All at once: two pairs who complete crosswise lock their people in the same order.
    requirements.settle(*people, by=by)


def take_back(educators: Iterable[int], *, key: str) -> None:
    """These (ids) did not do it after all. What was certified by it stays: that is revoked by a
    person, with a reason."""
    TrainingFact.objects.filter(educator__in=list(educators), key=key).delete()
