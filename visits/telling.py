"""What those who go on a visit hear by e-mail, with the entry for their calendar."""

from collections.abc import Iterable

from django.conf import settings
from django.utils.translation import gettext as _

from pthv import calendars, outbox
from pthv.calendars import Appointment, Method
from pthv.models import Educator, User
from visits.models import Visit

# What takes the visit out of somebody's calendar again.
ENDINGS = ("visit_cancelled", "visit_left")
# What changes nothing in it.
SILENT = ("visit_declined", "visit_reminder")


def appointment(visit: Visit) -> Appointment:
    """A visit as calendars know it: no family, no child, no address."""
    return Appointment(
        uid=calendars.uid(visit.program, "visit", visit.pk),
        sequence=visit.sequence,
        title=_("Home visit"),
        starts_at=visit.during.lower,
        ends_at=visit.during.upper,
        link=f"{settings.SITE_URL}{visit.get_absolute_url()}",
    )


def tell(
    visit: Visit,
    kind: str,
    educators: Iterable[Educator],
    *,
    by: User | None,
    which: int = 0,
    **context: object,
) -> None:
    """Queue the e-mail of a kind to each of these; `by`: whose doing it is; `which` of several
    of a kind between two changes."""
    method = Method.CANCEL if kind in ENDINGS else Method.REQUEST
    entry = appointment(visit)
    letters = (
        outbox.Letter(
            educator.user,
            {"visit": visit, "by": by, "own": by is not None and educator.user_id == by.pk}
            | context,
            f"{visit.pk}:{visit.sequence}:{which}:{educator.pk}",
            None
            if kind in SILENT
            else calendars.invitation(entry, visit.program, educator.user, method),
        )
        for educator in educators
    )
    outbox.queue_many(visit.program, kind, letters)
