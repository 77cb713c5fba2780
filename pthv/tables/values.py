"""Cells as values: dates and e-mail addresses."""

import re
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from .problems import BadValue

DATE_FORMATS = ("%Y-%m-%d", "%m/%d/%Y", "%Y/%m/%d", "%Y%m%d", "%m/%d/%y")
CLOCK = re.compile(r"[T ].*")
SHOWN = 40


def quoted(text: str) -> str:
    """A cell as a sentence about it may quote it."""
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def day(text: str) -> date | None:
    """2026-09-01, 2026-09-01T00:00:00Z, 9/1/2026 or 20260901."""
    if not text:
        return None
    written = CLOCK.sub("", text, count=1)
    for pattern in DATE_FORMATS:
        try:
            return datetime.strptime(written, pattern).date()
        except ValueError:
            continue
    raise BadValue(_("“%(text)s” is not a date such as 2026-09-01.") % {"text": quoted(text)})


def email(text: str) -> str:
    address = text.lower()
    if address:
        try:
            validate_email(address)
        except ValidationError:
            raise BadValue(
                _("“%(text)s” is not an e-mail address.") % {"text": quoted(text)}
            ) from None
    return address
