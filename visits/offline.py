"""Without signal: the key to what a phone keeps, and which pages it keeps.

What a phone keeps of people is sealed. The key is its person's own and comes from here, to whoever
is logged in as them; a phone forgets it, and the pages, when they log out or the log-in ends.
"""

import base64

from django.urls import reverse
from django.utils.crypto import salted_hmac

from pthv import clock
from pthv.access import Can
from pthv.models import User
from visits.models import Visit, VisitParticipant

SALT = "visits.offline"
NEXT = 2  # visits whose pages a phone keeps


def key_of(user: User) -> str:
    """256 bits that nobody has without being logged in: nothing of them is stored.

    It outlives a changed password, or what waits on a phone could never be sent.
    """
    drawn = salted_hmac(SALT, str(user.pk), algorithm="sha256").digest()
    return base64.b64encode(drawn).decode()


def pages(user: User) -> list[str]:
    """What a phone keeps: Today, and the next visits that are near or wait to be written up."""
    kept = [reverse("today")]
    mine = VisitParticipant.objects.unfinished(user.reach(Can.LOG).educators)
    stand = mine.filter(occupies=True).select_related("visit__program")[: NEXT * 2]
    near = [one.visit for one in stand if _near(one)]
    for visit in near[:NEXT]:
        names = ("visit_detail", "visit_log", "visit_reflect")
        kept += [reverse(name, args=[visit.pk]) for name in names]
    return kept


def _near(mine: VisitParticipant) -> bool:
    """Whether its forms open: a log-in ends before those of later days are needed."""
    visit = mine.visit
    return visit.is_near or visit.state == Visit.State.HELD or visit.during.lower <= clock.now()
