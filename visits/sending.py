"""Done once: what a phone sends again, because it never heard the answer, is known by its key."""

import datetime
import uuid
from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, JsonResponse

from pthv import clock
from pthv.blocked import NotReady
from pthv.requests import Request
from visits.models import ReceivedKey

HEADER = "X-Send-Key"
KEPT = datetime.timedelta(days=30)  # as long as a phone keeps what it could not send


def once(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Do what a phone posts with a key at most once, and answer it as a script can read:
    `next` is the page that comes after, or `said` why not. A refusal uses up no key. Without a
    key, which is without our script, the view answers as ever."""

    @wraps(view)
    def guarded(request: Request, *args: int, **kwargs: int) -> HttpResponse:
        key = key_of(request)
        if key is None:
            return view(request, *args, **kwargs)
        with transaction.atomic():
            # A second one with this key waits here until the first is done.
            received, new = ReceivedKey.objects.get_or_create(
                user=request.user,
                key=key,
                defaults={"program": request.program, "received_at": clock.now()},
            )
            if new:
                list(messages.get_messages(request))  # of many sent at once, the last one speaks
                try:
                    response = view(request, *args, **kwargs)
                except NotReady as blocked:
                    response = JsonResponse({"said": str(blocked)}, status=409)
                if response.status_code != 302:
                    transaction.set_rollback(True)
                    return response
                received.goes_on = response.headers["Location"]
                received.save(update_fields=["goes_on"])
        return JsonResponse({"next": received.goes_on})

    return guarded


def key_of(request: Request) -> uuid.UUID | None:
    """The key that a script sent this with."""
    if request.method != "POST":
        return None
    try:
        return uuid.UUID(request.headers.get(HEADER, ""))
    except ValueError:
        return None


def forget() -> int:
    """Forget the keys that no phone sends again."""
    return ReceivedKey.objects.filter(received_at__lt=clock.now() - KEPT).delete()[0]
