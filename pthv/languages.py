"""The languages that families speak, by their tags (BCP 47), and those we write to them in."""

from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from pthv import catalogues
from pthv.blocked import NotReady
from pthv.models import LanguageReview, Program, User

# What we write in, as its readers call it.
AUTONYMS = {
    "en": "English",
    "es": "Español",
    "pt": "Português",
    "vi": "Tiếng Việt",
    "zh-hans": "中文（简体）",
    "ar": "العربية",
}
# Who speaks one of these reads one of ours, in other letters at worst.
NEAREST = {"zh": "zh-hans", "cmn": "zh-hans", "yue": "zh-hans", "arb": "ar"}

# What a short list offers first.
COMMON = {
    "en": _("English"),
    "es": _("Spanish"),
    "pt": _("Portuguese"),
    "vi": _("Vietnamese"),
    "zh": _("Chinese"),
    "ar": _("Arabic"),
    "so": _("Somali"),
    "hmn": _("Hmong"),
    "am": _("Amharic"),
    "ht": _("Haitian Creole"),
    "tl": _("Tagalog"),
    "und": _("Another language"),
}
NAMES = COMMON | {
    "sq": _("Albanian"),
    "ase": _("American Sign Language"),
    "hy": _("Armenian"),
    "bn": _("Bengali"),
    "bs": _("Bosnian"),
    "my": _("Burmese"),
    "kea": _("Cape Verdean Creole"),
    "yue": _("Chinese (Cantonese)"),
    "cmn": _("Chinese (Mandarin)"),
    "chk": _("Chuukese"),
    "hr": _("Croatian"),
    "prs": _("Dari"),
    "din": _("Dinka"),
    "fil": _("Filipino"),
    "fr": _("French"),
    "ff": _("Fulani"),
    "de": _("German"),
    "el": _("Greek"),
    "gu": _("Gujarati"),
    "he": _("Hebrew"),
    "hi": _("Hindi"),
    "ig": _("Igbo"),
    "ilo": _("Ilocano"),
    "it": _("Italian"),
    "ja": _("Japanese"),
    "quc": _("K'iche'"),
    "kar": _("Karen"),
    "km": _("Khmer"),
    "rw": _("Kinyarwanda"),
    "rn": _("Kirundi"),
    "ko": _("Korean"),
    "ku": _("Kurdish"),
    "lo": _("Lao"),
    "ln": _("Lingala"),
    "mam": _("Mam"),
    "mh": _("Marshallese"),
    "mix": _("Mixteco"),
    "nah": _("Nahuatl"),
    "nv": _("Navajo"),
    "ne": _("Nepali"),
    "om": _("Oromo"),
    "ps": _("Pashto"),
    "fa": _("Persian (Farsi)"),
    "pl": _("Polish"),
    "pa": _("Punjabi"),
    "qu": _("Quechua"),
    "rhg": _("Rohingya"),
    "ro": _("Romanian"),
    "ru": _("Russian"),
    "sm": _("Samoan"),
    "sr": _("Serbian"),
    "sw": _("Swahili"),
    "ta": _("Tamil"),
    "te": _("Telugu"),
    "th": _("Thai"),
    "ti": _("Tigrinya"),
    "to": _("Tongan"),
    "tr": _("Turkish"),
    "uk": _("Ukrainian"),
    "ur": _("Urdu"),
    "uz": _("Uzbek"),
    "yo": _("Yoruba"),
    "zap": _("Zapoteco"),
}


def name(tag: str) -> str:
    """ "Spanish" for es and es-MX; the tag itself where we have no name for it."""
    return str(NAMES.get(tag.split("-", maxsplit=1)[0].lower(), tag))


def choices(program: Program) -> list[tuple[str, str]]:
    """The codes that a program writes in, with what their readers call them; English first."""
    written = {"en", *program.languages_offered}
    return [(code, AUTONYMS[code]) for code, _name in settings.LANGUAGES if code in written]


def offered(program: Program, tag: str) -> str:
    """What to write in to somebody who speaks `tag`: "es" for es-MX, English where the program
    does not write in their language."""
    spoken = tag.split("-", maxsplit=1)[0].lower()
    code = NEAREST.get(spoken, spoken)
    return code if code in dict(choices(program)) else "en"


def drafted() -> frozenset[str]:
    """The codes whose sentences, as they are today, no native speaker has signed off."""
    return frozenset(catalogues.TRANSLATED) - {review.language for review in standing_reviews()}


def is_drafted(code: str) -> bool:
    """Whether nobody who speaks it natively has signed off what a language says today."""
    if code not in catalogues.TRANSLATED:
        return False
    read = LanguageReview.objects.filter(language=code, fingerprint=catalogues.fingerprint(code))
    return not read.exists()


def standing_reviews() -> list[LanguageReview]:
    """The reviews of the very sentences that families read today."""
    now = [catalogues.fingerprint(code) for code in catalogues.TRANSLATED]
    reviews = LanguageReview.objects.filter(fingerprint__in=now).select_related("signed_off_by")
    return [r for r in reviews if r.fingerprint == catalogues.fingerprint(r.language)]


def sign_off(code: str, *, speaker: str, read: str, by: User) -> LanguageReview:
    """Keep that a native speaker read a language and found it right. `read`: the fingerprint of
    what was shown; twice is once."""
    if read != catalogues.fingerprint(code):
        raise NotReady(
            gettext("The sentences have changed since you read them. Please read them again.")
        )
    review, _created = LanguageReview.objects.get_or_create(
        language=code, fingerprint=read, defaults={"speaker": speaker, "signed_off_by": by}
    )
    return review
