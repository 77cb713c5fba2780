"""Finding a family by anybody's name in it, or by a phone's last digits, as one types."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from families import finding
from pthv.access import Can, requires
from pthv.htmx import render
from pthv.requests import Request
from visits import families


@require_safe
@requires(Can.SEE_FAMILIES)
def search(request: Request) -> HttpResponse:
    """The families that what was typed may mean, of those this person may see."""
    typed = request.GET.get("q", "").replace("\x00", "").strip()
    among = families.ids_open_to(request.user, Can.SEE_FAMILIES) if typed else []
    if finding.digits(typed) and among is not None and Can.EDIT_FAMILIES not in request.powers:
        among = families.without_a_no(among)
    finds = finding.find(typed, request.program, among)
    context = {"typed": typed, "found": finds.rows, "more": finds.more, "short": finds.short}
    return render(request, "visits/search.html", context, partial="found")
