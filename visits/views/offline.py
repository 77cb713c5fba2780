"""What lets the pages be kept on a phone and opened there without signal."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.templatetags.static import static
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from pthv import clock
from pthv.access import Can, requires
from pthv.requests import Request
from visits import offline

# What the kept pages are drawn with; nothing of it is about anybody.
DRAWN_WITH = [
    "vendor/bootstrap/bootstrap.min.css",
    "css/pthv.css",
    "vendor/htmx/htmx.min.js",
    "js/pthv.js",
    "js/offline_store.js",
    "js/offline_send.js",
    "js/offline.js",
    "js/drafts.js",
    "js/offline_page.js",
    "js/never_record.js",
    "vendor/icons/icons.svg",
    "icon.svg",
]

ITS_SCRIPTS = ["js/offline_store.js", "js/offline_send.js"]


@require_safe
@requires(Can.LOG)
def offline_key(request: Request) -> HttpResponse:
    """For the script of somebody logged in: their key until the log-in ends, and what to keep."""
    session = request.session.model.objects.get(pk=request.session.session_key)
    return JsonResponse(
        {
            "user": str(request.user.pk),
            "key": offline.key_of(request.user),
            "older": offline.older_keys_of(request.user),
            "now": int(clock.now().timestamp() * 1000),
            "until": int(session.expire_date.timestamp() * 1000),
            "csrf": get_token(request),
            "pages": offline.pages(request.user),
        }
    )


@login_not_required
@require_safe
def offline_page(request: Request) -> HttpResponse:
    """What a phone shows without signal where it has nothing kept: what waits to be sent."""
    return render(request, "visits/offline_page.html")


@login_not_required
@require_safe
@cache_control(no_cache=True)
def service_worker(request: Request) -> HttpResponse:
    """At the root, since a service worker answers for what lies below its address."""
    files = [static(path) for path in DRAWN_WITH]
    context = {"files": files, "scripts": [static(path) for path in ITS_SCRIPTS]}
    return render(request, "visits/service_worker.js", context, content_type="text/javascript")


@login_not_required
@require_safe
@cache_control(max_age=3600)
def manifest(request: Request) -> HttpResponse:
    """What a phone needs to put the app beside the others."""
    icons = [("icon-192.png", 192, "any"), ("icon-512.png", 512, "any")]
    icons += [("icon-maskable-512.png", 512, "maskable")]
    said = {
        "id": "/",
        "name": _("Home visits"),
        "short_name": _("Home visits"),
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "theme_color": "#faf7f2",
        "background_color": "#faf7f2",
        "icons": [
            {
                "src": static(name),
                "sizes": f"{size}x{size}",
                "type": "image/png",
                "purpose": purpose,
            }
            for name, size, purpose in icons
        ],
    }
    return JsonResponse(said, content_type="application/manifest+json")
