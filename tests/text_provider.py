"""A stand-in for the provider of texts: its HTTP API for messages, on this very machine."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from pthv import clock

ACCOUNT, SECRET, SENDER = "AC0123", "s/e:cret", "+15005550006"


class TextProvider:
    """What it was given, in order, and how it behaves: `down` (a status, or "hangs up"),
    `refuses` (a code by number), `forgets_to_say` (takes the text and breaks off)."""

    def __init__(self) -> None:
        self.taken: list[dict] = []
        self.asked = 0
        self.down: int | str | None = None
        self.refuses: dict[str, int] = {}
        self.forgets_to_say = False
        self.forms: list[dict[str, str]] = []
        self.url = ""

    @property
    def bodies(self) -> list[str]:
        return [text["body"] for text in self.taken]

    def take(self, form: dict[str, str]) -> tuple[int, dict]:
        self.forms.append(form)
        if code := self.refuses.get(form["To"]):
            return 400, {"code": code, "status": 400, "message": "…"}
        kept = {
            "sid": f"SM{len(self.taken):04}",
            "to": form["To"],
            "body": form["Body"],
            "status": "queued",
            "error_code": None,
            "date_created": format_datetime(clock.now()),
        }
        self.taken.append(kept)
        return 201, kept

    def listed(self, query: dict[str, str]) -> dict:
        found = [text for text in reversed(self.taken) if text["to"] == query["To"]]
        return {"messages": found[: int(query["PageSize"])]}


class Handler(BaseHTTPRequestHandler):
    provider: TextProvider

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self._refused():
            return
        status, answer = self.provider.take(_flat(body))
        if self.provider.forgets_to_say:
            self.close_connection = True
            return
        self._answer(status, answer)

    def do_GET(self) -> None:
        if not self._refused():
            self._answer(200, self.provider.listed(_flat(urlsplit(self.path).query)))

    def _refused(self) -> bool:
        """Whether it is down, or doesn't know who asks; it says so."""
        self.provider.asked += 1
        login = base64.b64encode(f"{ACCOUNT}:{SECRET}".encode()).decode()
        known = self.headers["Authorization"] == f"Basic {login}"
        path = urlsplit(self.path).path
        if self.provider.down == "hangs up":
            self.close_connection = True
        elif self.provider.down:
            self._answer(int(self.provider.down), {})
        elif not known or path != f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json":
            self._answer(401, {"code": 20003})
        else:
            return False
        return True

    def _answer(self, status: int, answer: dict) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


def _flat(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}


@contextmanager
def running() -> Iterator[TextProvider]:
    provider = TextProvider()
    handler = type("OneHandler", (Handler,), {"provider": provider})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    secret = SECRET.replace("/", "%2F").replace(":", "%3A")
    port = server.server_address[1]
    provider.url = f"twilio://{ACCOUNT}:{secret}@127.0.0.1:{port}/?from={SENDER}"
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
