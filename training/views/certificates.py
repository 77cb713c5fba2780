"""The certificate to print, and the public page that says whether one holds."""

from allauth.core.internal import ratelimit
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.requests import Request
from training import certificates
from training.models import Certification

# Wrong codes alone are counted, by address: nobody uses up another's, and a school's office may
# check as many papers as it has.
GUESSES = {"certificate_verify": "20/10m/ip"}


@require_safe
@requires(Can.SEE_CERTIFICATES)
def certificate_pdf(request: Request, pk: int) -> HttpResponse:
    """The certificate of somebody within reach, or one's own."""
    open_to_them = Certification.objects.open_to(request.user, Can.SEE_CERTIFICATES)
    held = get_object_or_404(
        open_to_them.select_related("educator__user", "course", "program"), pk=pk
    )
    verify_at = request.build_absolute_uri(reverse("certificate_verify"))
    try:
        file = certificates.pdf(held, verify_at=verify_at)
    except NotReady as refused:
        context = {"certification": held, "sentences": refused.sentences}
        return render(request, "training/certificate_pdf.html", context, status=409)
    return HttpResponse(
        file,
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="certificate-{held.issued_on}.pdf"'},
    )


@login_not_required
@never_cache
@require_safe
def certificate_verify(request: HttpRequest) -> HttpResponse:
    """Say to anybody who holds a certificate's code whether it counts, and nothing beyond it."""
    typed = request.GET.get("code", "").strip()
    context: dict[str, object] = {"typed": typed}
    status = 200
    if typed and not _guess(request, dry_run=True):
        context["problem"] = _("Too many wrong codes came from here. Try again in ten minutes.")
        status = 429
    elif typed:
        held = certificates.found(typed)
        if held:
            context |= {"certification": held, "verdict": certificates.verdict(held)}
        else:
            _guess(request)
            context["problem"] = _("No certificate has this code. Compare it with the paper.")
            status = 404
    response = render(request, "training/certificate_verify.html", context, status=status)
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _guess(request: HttpRequest, *, dry_run: bool = False) -> bool:
    """Count a wrong code; False if there were too many."""
    counted = ratelimit.consume(
        request,
        app="training",
        action="certificate_verify",
        config=GUESSES,
        limit_get=True,
        dry_run=dry_run,
    )
    return counted is not None
