"""Cells as values: phones, languages, yes and no."""

import re
from typing import Any

import phonenumbers
from django.utils.translation import gettext as _

from pthv.search import fold
from pthv.tables.problems import BadValue
from pthv.tables.values import quoted

PLAIN_US = re.compile(r"(?:\+?1[ .-]?)?\(?(\d{3})\)?[ .-]?(\d{3})[ .-]?(\d{4})", re.ASCII)
US: Any = phonenumbers.PhoneMetadata.metadata_for_region("US")
US_NUMBERS = re.compile(US.fixed_line.national_number_pattern)
TRUE = frozenset(["true", "t", "yes", "y", "1"])
FALSE = frozenset(["false", "f", "no", "n", "0"])
TAG = re.compile(r"([a-z]{2,3})(?:[-_]([a-z]{4}))?(?:[-_]([a-z]{2}|\d{3}))?", re.IGNORECASE)
LANGUAGES = {
    "albanian": "sq", "american sign language": "ase", "amharic": "am", "arabic": "ar",
    "armenian": "hy", "asl": "ase", "bengali": "bn", "bosnian": "bs", "burmese": "my",
    "cantonese": "yue", "cape verdean creole": "kea", "chinese": "zh", "chuukese": "chk",
    "croatian": "hr", "dari": "prs", "dinka": "din", "english": "en", "farsi": "fa",
    "filipino": "fil", "french": "fr", "fulani": "ff", "german": "de", "greek": "el",
    "gujarati": "gu", "haitian": "ht", "haitian creole": "ht", "hebrew": "he", "hindi": "hi",
    "hmong": "hmn", "igbo": "ig", "ilocano": "ilo", "italian": "it", "japanese": "ja",
    "k'iche'": "quc", "karen": "kar", "khmer": "km", "kinyarwanda": "rw", "kirundi": "rn",
    "korean": "ko", "kurdish": "ku", "lao": "lo", "lingala": "ln", "mam": "mam",
    "mandarin": "cmn", "marshallese": "mh", "mixteco": "mix", "nahuatl": "nah", "navajo": "nv",
    "nepali": "ne", "oromo": "om", "pashto": "ps", "persian": "fa", "polish": "pl",
    "portuguese": "pt", "punjabi": "pa", "quechua": "qu", "rohingya": "rhg", "romanian": "ro",
    "russian": "ru", "samoan": "sm", "serbian": "sr", "somali": "so", "spanish": "es",
    "swahili": "sw", "tagalog": "tl", "tamil": "ta", "telugu": "te", "thai": "th",
    "tigrinya": "ti", "tongan": "to", "turkish": "tr", "ukrainian": "uk", "urdu": "ur",
    "uzbek": "uz", "vietnamese": "vi", "yoruba": "yo", "zapoteco": "zap",
}  # fmt: skip
# What languages call themselves, folded as people type them.
OWN_NAMES = {
    "espanol": "es", "castellano": "es", "portugues": "pt", "francais": "fr", "deutsch": "de",
    "italiano": "it", "kreyol": "ht", "kreyol ayisyen": "ht", "soomaali": "so", "af soomaali": "so",
    "af-soomaali": "so", "tieng viet": "vi", "русскии": "ru", "українська": "uk", "polski": "pl",
    "shqip": "sq", "bosanski": "bs", "hrvatski": "hr", "српски": "sr", "romana": "ro",
    "turkce": "tr", "ozbek": "uz", "oʻzbek": "uz", "kiswahili": "sw", "hmoob": "hmn",
    "afaan oromoo": "om", "tagalog": "tl", "gagana samoa": "sm", "lea faka-tonga": "to",
    "kajin majel": "mh", "ελληνικα": "el", "العربية": "ar", "فارسی": "fa", "دری": "prs",
    "پښتو": "ps", "اردو": "ur", "हिन्दी": "hi", "हिंदी": "hi", "नेपाली": "ne", "বাংলা": "bn",
    "ਪੰਜਾਬੀ": "pa", "ગુજરાતી": "gu", "தமிழ்": "ta", "తెలుగు": "te", "አማርኛ": "am",
    "ትግርኛ": "ti", "中文": "zh", "普通话": "cmn", "廣東話": "yue", "广东话": "yue",
    "粵語": "yue", "日本語": "ja", "한국어": "ko", "ภาษาไทย": "th", "ไทย": "th", "ລາວ": "lo",
    "ភាសាខ្មែរ": "km", "ខ្មែរ": "km", "မြန်မာ": "my", "עברית": "he", "հայերեն": "hy",
}  # fmt: skip
OWN_LANGUAGES = {fold(name): tag for name, tag in OWN_NAMES.items()}
YES = frozenset(["yes", "y", "true", "t", "1", "x", "✓", "✔", "si", "sí", "sim", "oui"])
NO = frozenset(["no", "n", "false", "f", "0", "nao", "não", "non"])


def boolean(text: str) -> bool | None:
    """true, yes, 1 and their opposites; None where nothing is said."""
    word = text.casefold()
    if word and word not in TRUE and word not in FALSE:
        raise BadValue(_("“%(text)s” is neither true nor false.") % {"text": quoted(text)})
    return word in TRUE if word else None


def phone(text: str, region: str) -> str:
    """The number in its international form, +15035550123."""
    if not text:
        return ""
    if region == "US" and (national := _plain_us_number(text)):
        return f"+1{national}"
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number):
        raise BadValue(_("“%(text)s” is not a phone number.") % {"text": quoted(text)})
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _plain_us_number(text: str) -> str:
    """The ten digits of a number that is surely a good one; empty for all that needs a look.

    Most rosters hold nothing else, and to look at each takes a tenth of a millisecond.
    """
    written = PLAIN_US.fullmatch(text)
    digits = "".join(written.groups()) if written else ""
    return digits if US_NUMBERS.fullmatch(digits) else ""


def language(text: str) -> str:
    """A BCP 47 tag from a tag or a language's usual English name."""
    if not text:
        return ""
    if tag := LANGUAGES.get(text.casefold()) or OWN_LANGUAGES.get(fold(text)):
        return tag
    match = TAG.fullmatch(text)
    if not match:
        reason = _("“%(text)s” is not a language we know. Use its name in English or a tag: es.")
        raise BadValue(reason % {"text": quoted(text)})
    base, script, region = match.groups()
    parts = [base.lower(), (script or "").title(), (region or "").upper()]
    return "-".join(part for part in parts if part)


def yes_or_no(text: str) -> bool | None:
    """None is what an empty cell says."""
    word = text.casefold()
    if word and word not in YES and word not in NO:
        raise BadValue(_("“%(text)s” is neither yes nor no.") % {"text": quoted(text)})
    return word in YES if word else None


def yes_or_no_again(value: str | bool) -> str:
    """As a cell says it."""
    return value if isinstance(value, str) else "yes" if value else "no"
