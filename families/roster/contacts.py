"""Our own contacts file: one line for each student and caregiver."""

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import StringIO
from typing import IO

from django.utils.translation import gettext as _

from . import names, values
from .archive import Bundle
from .problems import BadValue, Refused, Unreadable
from .read import LONGEST_PERSON_NAME, BadCell
from .tables import Row, rows

FILE = "contacts.csv"
LONGEST_RELATION = 40
ZIP_MARK = b"PK\x03\x04"  # a zip, and so an .xlsx, begins with it
CHANNELS = {
    "call": "call", "phone": "call", "phone call": "call", "voice": "call",
    "text": "text", "text message": "text", "sms": "text",
    "email": "email", "e-mail": "email", "mail": "email",
}  # fmt: skip
COLUMNS = (
    "student_id",
    "household",
    "given_name",
    "family_name",
    "relation",
    "phone",
    "email",
    "language",
    "preferred_channel",
)
REQUIRED = ("student_id", "given_name", "family_name")
ALIASES = {
    "studentid": ["studentsourcedid", "sourcedid", "studentnumber", "student"],
    "household": ["householdid", "family", "familyid"],
    "givenname": ["firstname", "first", "caregivergivenname", "caregiverfirstname"],
    "familyname": ["lastname", "last", "surname", "caregiverfamilyname", "caregiverlastname"],
    "relation": ["relationship"],
    "phone": ["phonenumber", "mobile", "mobilephone", "cell", "cellphone", "telephone"],
    "email": ["emailaddress", "mail"],
    "language": ["preferredlanguage", "contactlanguage"],
    "preferredchannel": ["channel", "contactby", "preferredcontact", "contactmethod"],
}
CANONICAL = {alias: name for name, aliases in ALIASES.items() for alias in aliases}


@dataclass(frozen=True, slots=True)
class Contact:
    """A caregiver of one student, as a line of the file has it."""

    row: int
    student_id: str
    household: str
    given_name: str
    family_name: str
    relation: str
    phone: str
    email: str
    language: str
    preferred_channel: str


def template() -> str:
    """An example to fill in: the header, and two lines that show how."""
    sheet = StringIO()
    writer = csv.writer(sheet)
    writer.writerow(COLUMNS)
    ana = ["1001", "H-1", "Ana", "Ramírez", "mother", "(503) 555-0123"]
    writer.writerow([*ana, "ana@example.org", "Spanish", "text"])
    writer.writerow(["1002", "H-1", "Ana", "Ramírez", "mother", "", "", "es", "call"])
    return sheet.getvalue()


def contacts(bundle: Bundle, region: str) -> Iterator[Contact | Refused]:
    """Every line as a Contact; `region` is the country of numbers written without +."""
    with bundle.open(FILE) as stream:
        start = stream.read(len(ZIP_MARK))
        stream.seek(0)
        if start == ZIP_MARK:
            raise Unreadable(
                _("This is a zip or a spreadsheet. Save the contacts as CSV UTF-8 and send that.")
            )
        yield from _contacts(stream, region)


def heading(title: str) -> str:
    """A column's title as we know it: "Student ID", "studentId", "First name"."""
    plain = re.sub(r"[^a-z0-9]", "", title.casefold())
    return CANONICAL.get(plain, plain)


def _contacts(stream: IO[bytes], region: str) -> Iterator[Contact | Refused]:
    found = rows(
        stream,
        FILE,
        columns=COLUMNS,
        required=REQUIRED,
        key="student_id",
        match=heading,
        delimiters=",;\t",
    )
    for row in found:
        if isinstance(row, Refused):
            yield row
            continue
        try:
            yield _contact(row, region)
        except BadCell as bad:
            yield Refused(FILE, row.number, bad.column, str(bad), row["student_id"])


def _contact(row: Row, region: str) -> Contact:
    student = row["student_id"]
    if not student:
        raise BadCell("student_id", _("It is empty."))
    given, family = names.readable(_name(row, "given_name"), _name(row, "family_name"))
    if not given and not family:
        raise BadCell("family_name", _("The caregiver needs a name."))
    relation = row["relation"]
    if len(relation) > LONGEST_RELATION:
        limit = {"limit": LONGEST_RELATION}
        raise BadCell("relation", _("It is longer than %(limit)s characters.") % limit)
    phone = _value(row, "phone", lambda text: values.phone(text, region))
    email = _value(row, "email", values.email)
    return Contact(
        row=row.number,
        student_id=student,
        household=row["household"],
        given_name=given,
        family_name=family,
        relation=relation.lower() if relation.isupper() else relation,
        phone=phone,
        email=email,
        language=_value(row, "language", values.language),
        preferred_channel=_value(row, "preferred_channel", _channel),
    )


def _name(row: Row, column: str) -> str:
    text = row[column]
    if len(text) > LONGEST_PERSON_NAME:
        limit = {"limit": LONGEST_PERSON_NAME}
        raise BadCell(column, _("It is longer than %(limit)s characters.") % limit)
    return text


def _channel(text: str) -> str:
    channel = CHANNELS.get(text.casefold(), "")
    if text and not channel:
        reason = _("“%(text)s” is not a way to reach someone: call, text or email.")
        raise BadValue(reason % {"text": values.quoted(text)})
    return channel


def _value(row: Row, column: str, parse: Callable[[str], str]) -> str:
    try:
        return parse(row[column])
    except BadValue as bad:
        raise BadCell(column, str(bad)) from bad
