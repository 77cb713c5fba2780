"""What a view is handed: for type checkers and readers."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from pthv.access import Can
from pthv.models import Program, User


class Request(HttpRequest):
    """The request of somebody logged in, as the middleware has prepared it.

    Behind `@requires` there is always a program; before log-in it is None.
    """

    user: User
    program: Program
    programs: list[Program]
    powers: frozenset[Can]
    htmx: HtmxDetails
