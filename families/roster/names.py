"""Names shouted in capitals, made readable without guessing."""

import re

# Small words inside a family name. The first word of a name is always capitalised.
PARTICLES = frozenset(
    "da das de del della den der di do dos du e el la las le los ter van vom von y zu".split()  # noqa: SIM905
)
SUFFIXES = {"ii": "II", "iii": "III", "iv": "IV"}
VOWELS = frozenset("AEIOUYÀÁÂÃÄÅÆÈÉÊËÌÍÎÏÒÓÔÕÖØÙÚÛÜÝŒ")
APOSTROPHES = "'’ʼ‘`"
WORD = re.compile(r"[^\s-]+")


def readable(given: str, family: str) -> tuple[str, str]:
    """Both names in ordinary letters, if and only if both stand wholly in capitals.

    DE LA CRUZ becomes De la Cruz and O'BRIEN becomes O'Brien. MCDONALD becomes Mcdonald:
    whether the person writes McDonald can't be known from the file.
    """
    if not f"{given}{family}".isupper():
        return given, family
    return _lowered(given), _lowered(family)


def _lowered(name: str) -> str:
    words = WORD.findall(name)
    last = len(words) - 1
    index = -1

    def one(match: re.Match[str]) -> str:
        nonlocal index
        index += 1
        return _word(match[0], first=index == 0, last=0 < index == last)

    return WORD.sub(one, name)


def _word(word: str, *, first: bool, last: bool) -> str:
    small = word.lower()
    if last and small in SUFFIXES:
        return SUFFIXES[small]
    if small in PARTICLES and not first and not last:
        return small
    if len(word) == 2 and word.isalpha() and word.isascii() and not VOWELS & set(word):
        return word  # initials such as TJ
    return _capitalised(small)


def _capitalised(small: str) -> str:
    if len(small) > 3 and small[1] in APOSTROPHES:
        return small[0].upper() + small[1] + small[2].upper() + small[3:]
    for place, letter in enumerate(small):
        if letter.isalpha():
            return small[:place] + letter.upper() + small[place + 1 :]
    return small
