"""Which program a request acts in, and its clock."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.template.response import SimpleTemplateResponse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django_scopes import scope, scopes_disabled

from pthv import access
from pthv.requests import Request


class ProgramMiddleware:
    """Open exactly one program to the request, the one chosen or the person's first.

    The admin sees all programs; whoever holds no membership sees none, and any query
    for a program's rows then raises. Pages for people are never stored by a browser.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Request) -> HttpResponse:
        request.program, request.programs, request.powers = None, [], frozenset()  # type: ignore[assignment]
        if not request.user.is_authenticated:
            return self.get_response(request)
        if request.path.startswith("/admin/"):
            # Which zone it shows is the admin's own choice, for this one answer.
            with scopes_disabled(), timezone.override(None):
                # Rendered inside, since admin templates query late.
                response = self.get_response(request)
                if isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
                    response.render()
        else:
            response = self.in_program(request)
        patch_cache_control(response, no_store=True, private=True)
        # Just logged out. The key and the pages are gone by the page's own script
        # (static/js/offline_out.js), which says whether nothing waits there to be sent, of
        # anybody; without scripts nothing was ever kept.
        if not request.user.is_authenticated and "nothing_waits" in request.POST:
            response.headers["Clear-Site-Data"] = '"storage"'
        return response

    def in_program(self, request: Request) -> HttpResponse:
        held = request.user.memberships
        request.programs = list({m.program_id: m.program for m in held}.values())
        if not request.programs:
            return self.get_response(request)
        chosen = request.session.get("program")
        request.program = next(
            (program for program in request.programs if program.pk == chosen), request.programs[0]
        )
        # From here on the person is only who they are in this program.
        request.user.memberships = [m for m in held if m.program_id == request.program.pk]
        request.powers = access.powers(request.user.memberships)
        with scope(program=request.program), timezone.override(request.program.zone):
            return self.get_response(request)
