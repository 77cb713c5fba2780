"""What an interpreter finds behind the link in a message: what is asked, and how it stands."""

import datetime
from typing import Any

from django.db.models import Q
from django_scopes import scopes_disabled

from pthv import audit, clock, languages, tokens
from pthv.models import Educator
from visits.models import InterpreterAsk, InterpreterRequest

State, Answer = InterpreterRequest.State, InterpreterAsk.Answer
LASTS = datetime.timedelta(days=1)  # after the visit
SHOWN_WITH = (
    "program",
    "interpreter",
    "request__interpreter",
    "request__visit__program",
    "request__visit__school",
    "request__visit__family",
)


def found(token: str) -> InterpreterAsk | None:
    """What this token opens now; None where it opens nothing (any more)."""
    with scopes_disabled():
        asks = InterpreterAsk.objects.select_related(*SHOWN_WITH)
        here = Q(interpreter__educator=None) | Q(
            interpreter__educator__in=Educator.objects.staying()
        )
        asks = asks.filter(here, token_hash=tokens.hashed(token), interpreter__ended_on=None)
        ask = asks.first()
    if ask is None or ask.request.visit.during.upper + LASTS < clock.now():
        return None
    return ask


def shown(ask: InterpreterAsk) -> dict[str, Any]:
    """What its page shows: no family's name, and its address only to who comes, and then."""
    request, visit = ask.request, ask.request.visit
    standing = _standing(ask)
    coming = standing == "coming"
    return {
        "ask": ask,
        "visit": visit,
        "during": request.during,
        "school": visit.school,
        "standing": standing,
        "language": languages.name(request.language),
        "rate": request.hourly_rate if coming else ask.interpreter.hourly_rate,
        "people": [one.educator for one in visit.visitors] if coming else [],
        "address": _way_there(ask) if coming else "",
        "said_no": ask.answer == Answer.DECLINED,
    }


def _standing(ask: InterpreterAsk) -> str:
    """asking, coming, taken (by somebody else), moved (and asked anew), off, or begun."""
    request, visit = ask.request, ask.request.visit
    if request.state == State.COVERED and request.interpreter_id == ask.interpreter_id:
        return "coming"
    if request.state not in InterpreterRequest.STANDING or not visit.is_ahead:
        later = InterpreterAsk.objects.filter(interpreter=ask.interpreter_id, pk__gt=ask.pk)
        return "moved" if later.filter(request__visit=visit).exists() else "off"
    if request.state == State.COVERED:
        return "taken"
    return "begun" if visit.during.lower <= clock.now() else "asking"


def _way_there(ask: InterpreterAsk) -> str:
    """Where to go, from the day before until the visit ends; that is a look at it."""
    visit = ask.request.visit
    if visit.goes_home_soon:
        address = visit.family.address
    else:
        address = visit.address if visit.is_near else ""
    if address:
        facts = {"interpreter": ask.interpreter_id}
        audit.record("interpreter.address_seen", ask.request, by=None, **facts)
    return address
