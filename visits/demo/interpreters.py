"""The invented adults who interpret, and the visits of the next weeks at which they do."""

import datetime
from decimal import Decimal

from pthv import clock
from pthv.blocked import NotReady
from pthv.models import Program, User
from visits import interpreting, rota
from visits.models import Interpreter, InterpreterRequest, Visit

# name, kind, languages, dollars an hour
ROTA = [
    ("Rosa", "Delgado", "staff", ["es"], 32),
    ("Pa Houa", "Xiong", "staff", ["hmn"], 32),
    ("Luis", "Carranza", "outside", ["es", "pt"], 55),
    ("Hodan", "Warsame", "staff", ["so"], 32),
    ("Thu", "Pham", "outside", ["vi"], 58),
    ("Erin", "Kowalski", "outside", ["ase"], 85),
]
AT_MOST = 8


def ask(program: Program, now: datetime.datetime) -> None:
    """Fill the rota, and ask it for visits that lie far enough ahead: some say yes, some can't,
    and some haven't answered yet."""
    coordinator = User.objects.get(email="program@demo.example")
    with clock.at(now - datetime.timedelta(hours=5)):
        for given, family, kind, spoken, dollars in ROTA:
            facts = {
                "kind": kind,
                "given_name": given,
                "family_name": family,
                "email": f"{given}.{family}@demo.example".lower().replace(" ", "."),
                "phone": "",
                "languages": spoken,
                "hourly_rate": Decimal(dollars),
            }
            rota.add(program, facts, by=coordinator, namesake=True)
        made = list(_requests(coordinator))
    for number, request in enumerate(made):
        with clock.at(now - datetime.timedelta(hours=4, minutes=-number)):
            asked = request.asks.filter(answer="waiting").first()
            if asked is None or number % 4 == 1:
                continue
            (interpreting.decline if number % 4 == 2 else interpreting.accept)(asked)


def _requests(by: User) -> list[InterpreterRequest]:
    spoken = {tag for one in Interpreter.objects.all() for tag in one.languages}
    visits = Visit.objects.ahead().filter(family__language__in=spoken).by_start()
    made: list[InterpreterRequest] = []
    for visit in visits.filter(starts_at__gt=clock.now()).order_by("starts_at")[:60]:
        try:
            made.append(interpreting.request_for(visit, visit.family.language, by=by))
        except NotReady:
            continue
        if len(made) == AT_MOST:
            break
    return made
