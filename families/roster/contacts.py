"""Our own contacts file: one line for each student and caregiver."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from sys import intern
from typing import TypeVar

from django.utils.translation import gettext as _

from pthv.tables.columns import Places
from pthv.tables.problems import BadValue, Refused
from pthv.tables.rows import Row
from pthv.tables.sheets import Sheet
from pthv.tables.values import email as email_address
from pthv.tables.values import quoted

from . import names, values
from .columns import STUDENT
from .read import LONGEST_PERSON_NAME
from .records import BadCell

FILE = "contacts"
LONGEST_RELATION = 40
CHANNELS = {
    "call": "call", "phone": "call", "phone call": "call", "voice": "call", "llamada": "call",
    "text": "text", "text message": "text", "sms": "text", "mensaje": "text",
    "email": "email", "e-mail": "email", "mail": "email", "correo": "email",
}  # fmt: skip
# Cells that many lines share: kept once, and parsed once in a while.
language = lru_cache(maxsize=512)(values.language)
phone = lru_cache(maxsize=8192)(values.phone)

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Contact:
    """A caregiver of one student, as a line of the file has it; None is what it doesn't say."""

    row: int
    student_id: str
    household: str
    given_name: str
    family_name: str
    preferred_name: str
    relation: str
    phone: str
    email: str
    language: str
    preferred_channel: str
    interpreter: bool | None
    address: str
    do_not_contact: bool | None
    address_confidential: bool | None
    may_decide: bool | None
    may_read: bool | None

    @property
    def cells(self) -> dict[str, str]:
        """The line once more, to be mended and sent again."""
        return {
            name: values.yes_or_no_again(value)
            for name, value in asdict(self).items()
            if name != "row" and value not in ("", None)
        }


def contacts(sheet: Sheet, columns: Places, region: str) -> Iterator[Contact | Refused]:
    """Every line as a Contact; `region` is the country of numbers written without +."""
    for row in sheet.rows(columns, STUDENT.name):
        if isinstance(row, Refused):
            yield row
            continue
        try:
            yield _contact(row, region)
        except BadCell as bad:
            key = row[STUDENT.name]
            yield Refused(FILE, row.number, bad.column, str(bad), key, cells=row.cells)


def _contact(row: Row, region: str) -> Contact:
    student = row["student_id"]
    if not student:
        raise BadCell("student_id", _("It is empty."))
    given, family = names.readable(
        _short(row, "given_name", LONGEST_PERSON_NAME),
        _short(row, "family_name", LONGEST_PERSON_NAME),
    )
    if not given and not family:
        raise BadCell("family_name", _("The caregiver needs a name."))
    relation = _short(row, "relation", LONGEST_RELATION)
    return Contact(
        row=row.number,
        student_id=student,
        household=row["household"],
        given_name=given,
        family_name=family,
        preferred_name=_short(row, "preferred_name", LONGEST_PERSON_NAME),
        relation=intern(relation.lower() if relation.isupper() else relation),
        phone=value(row, "phone", lambda text: phone(text, region)),
        email=value(row, "email", email_address),
        language=value(row, "language", language),
        preferred_channel=value(row, "preferred_channel", _channel),
        interpreter=value(row, "interpreter", values.yes_or_no),
        address=row["address"],
        do_not_contact=value(row, "do_not_contact", values.yes_or_no),
        address_confidential=value(row, "address_confidential", values.yes_or_no),
        may_decide=value(row, "may_decide", values.yes_or_no),
        may_read=value(row, "may_read", values.yes_or_no),
    )


def _short(row: Row, column: str, longest: int) -> str:
    text = row[column]
    if len(text) > longest:
        reason = _("It is longer than %(limit)s characters.")
        raise BadCell(column, reason % {"limit": longest})
    return text


def _channel(text: str) -> str:
    channel = CHANNELS.get(text.casefold(), "")
    if text and not channel:
        reason = _("“%(text)s” is not a way to reach someone: call, text or email.")
        raise BadValue(reason % {"text": quoted(text)})
    return channel


def value(row: Row, column: str, parse: Callable[[str], Value]) -> Value:
    """A cell read by `parse`, whose complaint is then that cell's."""
    try:
        return parse(row[column])
    except BadValue as bad:
        raise BadCell(column, str(bad)) from bad
