"""Numbers that asked for no more texts: heard at once, and kept until they ask for them again.

What whoever answers a text gets back is read by families.
"""

import re
import unicodedata
from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext_lazy
from django_scopes import scopes_disabled

from pthv import clock
from pthv.models import Message, TextStop

# The words phone companies know, and what people write in the languages we write to them in.
STOP = frozenset(
    {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"}
    | {"alto", "parar", "pare", "detener", "basta", "cancelar", "baja", "sair"}
    | {"dừng", "dung", "ngừng", "ngung", "hủy", "huy", "停止", "停", "退订", "取消"}
    | {"توقف", "قف", "إيقاف", "ايقاف", "إلغاء", "الغاء"}
)
# Whatever comes after these, it is meant …
STOP_WHATEVER_FOLLOWS = frozenset({"stop", "stopall", "unsubscribe", "alto", "parar", "pare"})
# … and so it is by these, wherever they stand among a few words …
FEW, LONGEST = 4, 40  # words, and letters, since Chinese has no spaces
AMONG_A_FEW = re.compile(
    r"\b(?:stop|unsubscribe|opt out|leave me alone|remove me"
    r"|(?:no more|no) (?:texts?|messages?|sms)"
    r"|(?:dont|don t|do not|quit) (?:text|send|messag|writ|contact)\w*"
    r"|alto|par(?:ar|e|en)|basta|detener|no (?:m[aá]s |quiero )?(?:mensajes|textos)"
    r"|no me (?:escrib|mand|env[ií])\w*|(?:não|nao) (?:mand|envi)\w*|chega de \w+"
    r"|dừng|ngừng|(?:đừng|không|thôi|dung|ngung) (?:nhắn|gửi|nhan|gui)"
    r"|توقف\w*|[أا]وقف\w*|[إا]يقاف|كفى|كفاية|لا (?:ترسل\w*|رسائل|مزيد)|[إا]لغاء الاشتراك)\b"
    r"|停止|退订|退訂|取消订阅|(?:不要|别|別)再?(?:给我)?发"
)
# … but not where they say to go on, or that somebody comes along.
NOT_MEANT = re.compile(
    r"\b(?:stop by|(?:t|dont|not|never) stop|(?:no|nunca|não|nao) par(?:ar|e|en|es)"
    r"|(?:đừng|không) (?:dừng|ngừng)|لا ت?توقف\w*)\b|(?:不要|别|別|不)停"
)
START = frozenset({"start", "unstop", "comenzar", "iniciar", "começar", "开始", "ابدأ"})
NOBODY_READS = gettext_lazy(
    "Nobody reads answers to this number. Please use the link or call the school."
)


def means_stop(said: str) -> bool:
    """Whether somebody asks for no more texts."""
    words = _words(said)
    if "".join(words) in STOP:
        return True
    text = " ".join(words)
    if not words or NOT_MEANT.search(text):
        return False
    few = len(said.split()) <= FEW and len(text) <= LONGEST
    return words[0] in STOP_WHATEVER_FOLLOWS or bool(few and AMONG_A_FEW.search(text))


def means_start(said: str) -> bool:
    """Whether somebody asks for texts again."""
    return "".join(_words(said)) in START


def _words(said: str) -> list[str]:
    """In small letters, without the marks that Arabic is written with or without."""
    plain = unicodedata.normalize("NFKC", said).casefold()
    return re.findall(r"\w+", "".join(one for one in plain if not unicodedata.combining(one)))


def is_stopped(phone: str) -> bool:
    """Whether this number must not be texted."""
    return bool(stopped([phone]))


def stopped(phones: Iterable[str]) -> set[str]:
    """Those of the numbers that must not be texted."""
    phones = [phone for phone in phones if phone]
    found = TextStop.objects.filter(phone__in=phones).values_list("phone", flat=True)
    return set(found) if phones else set()


@transaction.atomic
def stop(phone: str) -> None:
    """No text goes to this number from now on, those that wait included."""
    TextStop.objects.get_or_create(phone=phone, defaults={"stopped_at": clock.now()})
    with scopes_disabled():
        waiting = Message.objects.waiting().filter(channel=Message.Channel.TEXT, address=phone)
        waiting.update(state=Message.State.WITHDRAWN, problem=Message.Problem.STOPPED)


def lift(phone: str) -> None:
    """This number wants texts again."""
    TextStop.objects.filter(phone=phone).delete()
