"""Text messages, behind one small interface: a folder of files, or a provider's HTTP API.

`TEXT_URL` says which: `file:///folder` (one file a text: development and the demo) or
`twilio://SID:TOKEN@HOST/?from=+1…` (Twilio's API for messages, or whatever speaks like it).
Without it no texts are offered.
"""

import base64
import datetime
import hmac
import json
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlencode, urlsplit

from django.conf import settings

TIMEOUT = 10  # seconds
# Clocks differ; a text the provider took a little before we say we asked is ours all the same.
CLOCKS_DIFFER = datetime.timedelta(minutes=5)
LOOKED_THROUGH = 200  # of the provider's latest texts to one number
# What the provider calls what went wrong: they asked it to stop, or nobody is there.
STOPPED = frozenset({21610})
NOBODY_THERE = frozenset({21211, 21214, 21217, 21612, 21614, 30005, 30006})
UNDELIVERED = frozenset({"failed", "undelivered"})


# Whether what the provider calls so is another message of ours, or this one's earlier copy.
Known = Callable[[str], bool]


class Refused(Exception):
    """This number can't be texted: never try again."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem  # as `Message.Problem` has them


class Unavailable(Exception):
    """The provider is not there, too busy, or doesn't know us: try again later."""


class Text(NamedTuple):
    """One text, ready to go."""

    to: str
    body: str
    reference: str  # ours, by which a report on it comes back
    asked_at: datetime.datetime  # nobody can have sent it before
    report_to: str = ""  # the address that is told how it went


class Provider(Protocol):
    """What takes texts."""

    def send(self, text: Text) -> str:
        """Hand it over; return what the provider calls it."""

    def found(self, text: Text, known: Known) -> str:
        """What the provider calls this very text if it has it already, else ""."""

    def signed(self, url: str, fields: Mapping[str, str], signature: str) -> bool:
        """Whether what was posted to `url` comes from the provider."""


# What fits into 160 to a part; with any other letter it is 70.
PLAIN = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
TWICE = frozenset("^{}\\[~]|€")


def parts(body: str) -> int:
    """As how many texts a phone company counts (and bills) one of this length."""
    if set(body) <= PLAIN | TWICE:
        length, one, each = len(body) + sum(letter in TWICE for letter in body), 160, 153
    else:
        length, one, each = len(body.encode("utf-16-le")) // 2, 70, 67
    return 1 if length <= one else -(-length // each)


def offered() -> bool:
    """Whether this site sends texts at all."""
    return bool(settings.TEXT_URL)


def provider() -> Provider:
    """The one that `TEXT_URL` names."""
    url = urlsplit(settings.TEXT_URL)
    if url.scheme == "file":
        return Folder(Path(unquote(url.path)))
    if url.scheme == "twilio":
        return Twilio(url)
    raise Unavailable("no texts are offered here")


class Folder:
    """A file for each text, named by our reference."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, text: Text) -> str:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self._path(text)
        whole = path.with_suffix(".part")
        whole.write_text(_as_file(text), encoding="utf-8")
        whole.replace(path)
        return path.name

    def found(self, text: Text, known: Known) -> str:
        path = self._path(text)
        same = path.exists() and path.read_text(encoding="utf-8") == _as_file(text)
        return path.name if same else ""

    def signed(self, url: str, fields: Mapping[str, str], signature: str) -> bool:
        return False  # a folder tells nobody anything

    def _path(self, text: Text) -> Path:
        return self.folder / f"{text.reference}.txt"


def _as_file(text: Text) -> str:
    return f"To: {text.to}\n\n{text.body}\n"


class Twilio:
    """The provider's API for messages, of version 2010-04-01."""

    def __init__(self, url: SplitResult) -> None:
        self.host, self.port = url.hostname or "", url.port
        self.account, self.secret = unquote(url.username or ""), unquote(url.password or "")
        sender = parse_qs(url.query).get("from", [""])[0].strip()
        # A plus in a query is a space, unless it was escaped.
        self.sender = f"+{sender}" if sender.isdigit() else sender

    def send(self, text: Text) -> str:
        sender = "MessagingServiceSid" if self.sender.startswith("MG") else "From"
        fields = {"To": text.to, sender: self.sender, "Body": text.body}
        if text.report_to:
            fields["StatusCallback"] = text.report_to
        status, answer = self._ask("POST", fields=fields)
        if status in (200, 201):
            return str(answer["sid"])
        if problem := problem_of(answer.get("code")):
            raise Refused(problem)
        raise ValueError(f"the text was refused: {status} {answer.get('code')}")

    def found(self, text: Text, known: Known) -> str:
        asked = {"To": text.to, "PageSize": str(LOOKED_THROUGH)}
        status, answer = self._ask("GET", asked)
        if status != 200:
            raise Unavailable(f"the provider answered {status}")
        since = text.asked_at - CLOCKS_DIFFER
        for kept in answer["messages"]:
            if kept["body"] != text.body or kept["to"] != text.to:
                continue
            if parsedate_to_datetime(kept["date_created"]) < since or known(kept["sid"]):
                continue
            if kept["status"] in UNDELIVERED and (problem := problem_of(kept["error_code"])):
                raise Refused(problem)
            return str(kept["sid"])
        return ""

    def signed(self, url: str, fields: Mapping[str, str], signature: str) -> bool:
        said = url + "".join(f"{name}{fields[name]}" for name in sorted(fields))
        meant = hmac.digest(self.secret.encode(), said.encode(), "sha1")
        return hmac.compare_digest(base64.b64encode(meant), signature.encode())

    def _ask(
        self, method: str, asked: Mapping[str, str] | None = None, *, fields: Any = None
    ) -> tuple[int, dict[str, Any]]:
        """The status and the answer; `Unavailable` where there is no answer to go by."""
        path = f"/2010-04-01/Accounts/{quote(self.account)}/Messages.json"
        path += f"?{urlencode(asked)}" if asked else ""
        login = base64.b64encode(f"{self.account}:{self.secret}".encode()).decode()
        headers = {"Authorization": f"Basic {login}", "Accept": "application/json"}
        if fields:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = self._connection()
        try:
            connection.request(method, path, urlencode(fields) if fields else None, headers)
            answer = connection.getresponse()
            status, body = answer.status, answer.read()
            # Not known there, not paid, not allowed: ours to put right, and then it goes.
            if status in (401, 402, 403, 404, 408, 429) or status >= 500:
                raise Unavailable(f"the provider answered {status}")
            return status, json.loads(body)
        except (OSError, HTTPException, ValueError) as error:
            raise Unavailable(type(error).__name__) from error
        finally:
            connection.close()

    def _connection(self) -> HTTPConnection:
        # Plain only to a stand-in on this very machine.
        kind = HTTPConnection if self.host in ("localhost", "127.0.0.1") else HTTPSConnection
        return kind(self.host, self.port, timeout=TIMEOUT)


def problem_of(code: object) -> str:
    """Why a number can't be texted, of the provider's code; "" where that isn't what it says."""
    try:
        number = int(str(code))
    except ValueError:
        return ""
    if number in STOPPED:
        return "stopped"
    return "refused" if number in NOBODY_THERE else ""
