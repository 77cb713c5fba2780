"""Enrolling people by their e-mail addresses; whoever is new gets an account."""

from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from pthv import accounts
from pthv.blocked import NotReady
from pthv.models import Educator, School, User
from training import enrolment
from training.enrolment import Joined
from training.models import Cohort


def unknown(emails: Iterable[str], cohort: Cohort) -> list[str]:
    """Those addresses that belong to nobody who visits here: an account would be made, or one
    be opened again."""
    emails = list(emails)
    known = Educator.objects.filter(program=cohort.program_id).staying()
    held = set(known.filter(user__email__in=emails).values_list("user__email", flat=True))
    return [email for email in emails if email not in held]


@transaction.atomic
def enrol(
    cohort: Cohort, people: Iterable[tuple[str, str]], school: School | None, *, by: User
) -> Joined:
    """Enrol people by name and e-mail address; who is unknown gets an account at `school`."""
    people = list(people)
    strangers = set(unknown([email for _name, email in people], cohort))
    if strangers and school is None:
        raise NotReady(_("Choose the school of those who are new."))
    known = {
        educator.user.email: educator
        for educator in Educator.objects.filter(
            program=cohort.program_id, user__email__in=[email for _name, email in people]
        ).select_related("user")
    }
    educators = []
    for name, email in people:
        if email in strangers and school:
            educators.append(accounts.welcome(email, name, school, by=by))
        else:
            educators.append(known[email])
    return enrolment.enrol(cohort, educators, by=by)
