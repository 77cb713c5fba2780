"""A plain HTTP client with a session, and how long its requests take."""

import http.client
import re
import statistics
import threading
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass


class Client:
    """One person logged in to one server, on one kept connection."""

    def __init__(self, port: int, email: str = "") -> None:
        self.port, self.cookies, self.fields = port, {}, {}
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        if email:
            self.get("/accounts/login/")
            self.post("/demo/login/", {"email": email})

    def twin(self) -> "Client":
        """The same session on a connection of its own."""
        twin = Client(self.port)
        twin.cookies, twin.fields = dict(self.cookies), self.fields
        return twin

    def get(self, path: str, **headers: str) -> tuple[int, bytes, http.client.HTTPMessage]:
        return self._send("GET", path, None, headers)

    def post(self, path: str, data: dict[str, str], **headers: str):
        token = {"csrfmiddlewaretoken": self.cookies["csrftoken"]}
        body = urllib.parse.urlencode(token | self.fields | data)
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return self._send("POST", path, body, headers)

    def take(self, path: str, field: str) -> None:
        """From now on send along what this page's hidden field says."""
        page = self.get(path)[1].decode()
        self.fields[field] = re.search(rf'name="{field}" value="([^"]+)"', page)[1]

    def _send(self, method, path, body, headers):
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            self.connection.request(method, path, body, headers)
            response = self.connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError):
            # Kept too long: the server has closed this connection in between.
            self.connection.close()
            self.connection.request(method, path, body, headers)
            response = self.connection.getresponse()
        content = response.read()
        for cookie in response.headers.get_all("Set-Cookie") or []:
            if found := re.match(r"(\w+)=([^;]*)", cookie):
                self.cookies[found[1]] = found[2]
        return response.status, content, response.headers


@dataclass
class Measured:
    """Milliseconds of single requests, requests a second at eight clients, and their cost."""

    p50: float
    p95: float
    rate: float
    cpu: float
    queries: int
    kilobytes: float


Request = Callable[..., tuple[int, bytes, http.client.HTTPMessage]]


def latencies(client: Client, request: Request, times: int) -> list[float]:
    """Milliseconds of each of so many requests, one after the other."""
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        status, _content, _headers = request(client)
        taken.append((time.perf_counter() - begin) * 1000)
        assert status in {200, 302}, status
    return taken


def rate(client: Client, request: Request, seconds: float, clients: int = 8) -> tuple[int, float]:
    """How many requests eight clients got through, and in how many seconds."""
    done, stop = [0] * clients, time.perf_counter() + seconds

    def work(place: int) -> None:
        mine = client.twin()
        while time.perf_counter() < stop:
            request(mine)
            done[place] += 1

    begin = time.perf_counter()
    threads = [threading.Thread(target=work, args=(place,)) for place in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done), time.perf_counter() - begin


def percentile(values: list[float], share: float) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1]
