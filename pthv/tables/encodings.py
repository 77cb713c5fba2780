"""The bytes of a file as lines of text: what can't be known to be read rightly is refused."""

import codecs
import re
from collections.abc import Iterator
from typing import IO

from django.utils.translation import gettext as _

from .problems import Unreadable

MAX_LINE = 1024 * 1024
BLOCK = 64 * 1024
UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
LINE_END = re.compile("\r\n|\n|\r")


def text_lines(stream: IO[bytes], name: str) -> Iterator[str]:
    """UTF-8, with or without its mark, or UTF-16 with it; lines end as on any system.

    Of other encodings a file doesn't say which one it is, and a wrong guess would write wrong
    names: such bytes come as surrogates, for whoever reads the row to refuse it.
    """
    first = stream.readline(MAX_LINE + 1)
    encoding = UTF16.get(first[:2])
    if encoding:
        yield from _checked(_decoded(first[2:], stream, name, encoding), name)
    elif b"\0" in first[:2]:
        raise Unreadable(_("%(file)s is saved as UTF-16. Save it as CSV UTF-8.") % {"file": name})
    elif _ends_in_cr(first):
        first = first.removeprefix(codecs.BOM_UTF8)
        yield from _checked(_decoded(first, stream, name, "utf-8"), name)
    else:
        yield from _utf8(first.removeprefix(codecs.BOM_UTF8), stream, name)


def _ends_in_cr(first: bytes) -> bool:
    """The file has the line ends of old Macs, so that what we took for a line holds several."""
    return b"\r" in first.rstrip(b"\r\n")


def _utf8(line: bytes, stream: IO[bytes], name: str) -> Iterator[str]:
    number = 1
    while line:
        if len(line) > MAX_LINE:
            raise _too_long(name, number)
        yield line.decode(errors="surrogateescape")
        line = stream.readline(MAX_LINE + 1)
        number += 1


def _checked(lines: Iterator[str], name: str) -> Iterator[str]:
    number = 1
    try:
        for line in lines:
            yield line
            number += 1
    except UnicodeDecodeError:
        raise _undecodable(name, number) from None


def _decoded(block: bytes, stream: IO[bytes], name: str, encoding: str) -> Iterator[str]:
    """Lines of a file whose line ends can't be told from its bytes alone."""
    decoder = codecs.getincrementaldecoder(encoding)()
    rest, number = decoder.decode(block), 1
    while block:
        block = stream.read(BLOCK)
        rest += decoder.decode(block, final=not block)
        begins = 0
        for end in LINE_END.finditer(rest):
            if end.end() == len(rest) and block:
                break  # the other half of a line end may stand in the next block
            yield rest[begins : end.end()]
            begins = end.end()
            number += 1
        rest = rest[begins:]
        if len(rest) > MAX_LINE:
            raise _too_long(name, number)
    if rest:
        yield rest


def _too_long(name: str, line: int) -> Unreadable:
    where = {"file": name, "line": line}
    return Unreadable(_("Line %(line)s of %(file)s is far too long.") % where)


def _undecodable(name: str, line: int) -> Unreadable:
    where = {"file": name, "line": line}
    reason = _("Line %(line)s of %(file)s is not UTF-8 text. Save it as CSV UTF-8.")
    return Unreadable(reason % where)
