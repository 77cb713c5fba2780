"""What other rooms hand over that a course may ask for: a first visit made, a debrief held."""

import datetime

from django.db import transaction

from pthv.models import Educator, User
from training import requirements
from training.models import TrainingFact

Kind = TrainingFact.Kind


@transaction.atomic
def record(educator: Educator, kind: str, *, on: datetime.date, key: str, by: User) -> None:
    """Keep that it happened, once for each `key` ("visit:12"); certify who lacked only this."""
    _fact, created = TrainingFact.objects.get_or_create(
        program_id=educator.program_id,
        educator=educator,
        key=key,
        defaults={"kind": kind, "happened_on": on},
    )
    if created:
        requirements.settle(educator, by=by)
