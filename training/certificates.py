"""The certificate as a PDF to print and to be read aloud, and its code for whoever checks it."""

import datetime
import json
import re
from functools import cache
from typing import NamedTuple, cast
from urllib.parse import urlencode

import noto_cjk_sans_otc
import segno
import typst
from django.conf import settings
from django.template.defaultfilters import floatformat
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django_scopes import scopes_disabled

from pthv.blocked import NotReady
from training.models import Certification, code_in_groups

TEMPLATE = settings.BASE_DIR / "templates" / "training" / "certificate.typ"
# What the library says of a letter that no font has, or that the standard forbids.
UNPRINTABLE = ("could not be displayed", "disallowed codepoint")
# Signs that show nothing and turn the reading order round, or end it.
UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+")
LONGEST_CODE = 100  # as somebody types it, with all the spaces and dashes they like
# The code's letters hold no such digits: whoever types one has misread a letter.
MISREAD = str.maketrans("018", "OIB")


def pdf(certification: Certification, *, verify_at: str) -> bytes:
    """The certificate, tagged for screen readers (PDF/UA-1); `verify_at`: where its code is
    checked, as an absolute URL."""
    if certification.revoked_at:
        raise NotReady(
            _("This certification was revoked, so there is no certificate to print any more.")
        )
    compiler = typst.Compiler(TEMPLATE, root=settings.BASE_DIR, font_paths=_fonts())
    try:
        file = compiler.compile(
            format="pdf",
            sys_inputs={"certificate": json.dumps(_words(certification, verify_at))},
            pdf_standards="ua-1",
            timestamp=int(certification.issued_at.timestamp()),
        )
    except typst.TypstError as refused:
        # The standard forbids a box in the place of a letter, so none is ever printed.
        if not any(reason in refused.message for reason in UNPRINTABLE):
            raise
        raise NotReady(
            _(
                "This server has no letters to print “%(name)s” or the course's name with."
                " Your administrator can add a font for them (docs/deploy.md)."
            )
            % {"name": certification.educator}
        ) from None
    return cast(bytes, file)  # no name of a file was given to write it to


@cache
def _fonts() -> typst.Fonts:
    """The library's own, those of East Asia, and for any other letters the server's."""
    return typst.Fonts(font_paths=[noto_cjk_sans_otc.FONT_PATH.parent])


def _words(certification: Certification, verify_at: str) -> dict[str, object]:
    """What the paper says, every word of it."""
    course = certification.course
    name, training = (UNSEEN.sub(" ", str(one)).strip() for one in (certification.educator, course))
    url = f"{verify_at}?{urlencode({'code': certification.code})}"
    return {
        "title": _("Certificate of training: %(name)s") % {"name": name},
        "language": (get_language() or "en").split("-")[0],
        "program": certification.program.name,
        "heading": _("Certificate of training"),
        "certifies": _("This certifies that"),
        "name": name,
        "completed": _("completed the training"),
        "course": training,
        "facts": [
            (_("Training hours"), floatformat(course.hours, -1)),
            (_("Issued on"), _date(certification.issued_on)),
            (_("Valid until"), _date(certification.expires_on)),
        ],
        "check": _("Check this certificate at"),
        "url": url,
        "address": verify_at.partition("://")[2],
        "code": code_in_groups(certification.code),
        "qr": segno.make(url, micro=False).svg_inline(border=0),
        "qr_words": _("QR code: opens the page where this certificate is checked"),
    }


def found(typed: str) -> Certification | None:
    """The certification that a code belongs to, of whichever program, however it was typed."""
    code = "".join(filter(str.isalnum, typed[:LONGEST_CODE].upper())).translate(MISREAD)
    if not code:
        return None
    with scopes_disabled():
        codes = Certification.objects.filter(code=code)
        return codes.select_related("educator__user", "course", "program").first()


class Verdict(NamedTuple):
    """Whether a certificate counts today, and the sentence that says so."""

    counts: bool
    sentence: str


def verdict(held: Certification) -> Verdict:
    """By the day where its program is; of a revoked one it says when, never why."""
    if held.revoked_at:
        day = _date(held.revoked_at.astimezone(held.program.zone).date())
        return Verdict(False, _("It was revoked on %(day)s and counts no more.") % {"day": day})
    day = _date(held.expires_on)
    if held.expires_on < held.program.today:
        return Verdict(False, _("It ended on %(day)s.") % {"day": day})
    return Verdict(True, _("It is valid until %(day)s.") % {"day": day})


def _date(day: datetime.date) -> str:
    """With its year always: papers are read years later."""
    return date_format(day, "F j, Y")
