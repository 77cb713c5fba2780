"""make bench: every page against the floor, at size S (10,000 students) and L (1,000,000).

Sizes have a database each beside the one in DATABASE_URL, made and filled when missing and
kept for the next time. Servers of both sizes run at once and pages are measured in turns,
so that a noisy minute hits all of them alike: trust the ratios, not the milliseconds.
"""

import argparse
import os
import re
import subprocess
import sys
import time
import urllib.parse
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import psycopg

from .client import Client, Measured, Request, latencies, percentile, rate

ROOT = Path(__file__).resolve().parent.parent.parent
SIZES = {"S": 1, "L": 100}  # programs of 10,000 students
TICKS = os.sysconf("SC_CLK_TCK")
PEOPLE = {
    "educator": "educator1.1@large.example",
    "writer": "educator201.1@large.example",  # who has a visit to log
    "site": "site.1@large.example",
    "program": "program.1@large.example",
    "finance": "finance.1@large.example",
    "funder": "funder.1@large.example",
    "trainer": "program.t@large.example",  # of 5,000 educators in 400 cohorts
    "trainee": "educator1.t@large.example",
    "training site": "site.t@large.example",
}


LINK = """
from django_scopes import scope
from pthv.models import Program
from visits import links
from visits.models import FamilyLink
with scope(program=Program.objects.get(slug="large-1")):
    link = FamilyLink.objects.usable().filter(invitation__state="asked").latest("pk")
    links.revoke(link, by=None)
    print(links.url(links.mint(link.invitation, link.caregiver, by=None)))
"""


@dataclass
class Page:
    """A page to measure: as whom, where, and how many times the floor it may take."""

    name: str
    person: str
    path: str
    budget: float = 2.0
    post: dict[str, str] = field(default_factory=dict)
    turns: list[tuple[str, dict[str, str]]] = field(default_factory=list)  # paths and data in turn
    floor: str = "floor list"


def pages(sql: psycopg.Connection) -> list[Page]:
    """The pages of one size, with ids of its first large program."""

    def one(query: str) -> str:
        row = sql.execute(query).fetchone()
        assert row, query
        return row[0]

    program = one("SELECT id FROM pthv_program WHERE slug = 'large-1'")
    mine = f"program_id = {program}"
    educator = one(
        f"SELECT e.id FROM pthv_educator e JOIN pthv_user u ON u.id = user_id "
        f"WHERE email = '{PEOPLE['educator']}'"
    )
    of_educator = (
        f"JOIN visits_visitparticipant p ON p.visit_id = v.id AND educator_id = {educator}"
    )
    visit = one(f"SELECT max(v.id) FROM visits_visit v {of_educator} WHERE state = 'completed'")
    held = one(
        f"SELECT v.id FROM visits_visit v JOIN visits_visitparticipant p ON p.visit_id = v.id "
        f"JOIN pthv_educator e ON e.id = p.educator_id JOIN pthv_user u ON u.id = e.user_id "
        f"WHERE email = '{PEOPLE['writer']}' AND state = 'held'"
    )
    invitation = one(f"SELECT max(id) FROM visits_invitation WHERE educator_id = {educator}")
    family = one(f"SELECT family_id FROM visits_invitation WHERE id = {invitation}")
    middle = one(
        f"SELECT id FROM visits_invitation WHERE {mine} ORDER BY id DESC OFFSET 12000 LIMIT 1"
    )
    deep = one(
        f"SELECT id || '~' || to_char(lower(during) AT TIME ZONE 'UTC', "
        f"'YYYY-MM-DD\"T\"HH24:MI:SS') || '%%2B00:00' FROM visits_visit WHERE {mine} "
        f"ORDER BY lower(during) DESC, id DESC OFFSET 12000 LIMIT 1"
    ).replace("%%", "%")
    week = one(
        f"SELECT to_char(date_trunc('week', lower(during)), 'YYYY-MM-DD') AS monday "
        f"FROM visits_visit WHERE {mine} AND occupies "
        f"GROUP BY monday ORDER BY count(*) DESC LIMIT 1"
    )
    ahead = one(
        f"SELECT min(v.id) FROM visits_visit v JOIN pthv_membership m ON m.school_id = v.school_id "
        f"JOIN pthv_user u ON u.id = m.user_id WHERE email = '{PEOPLE['site']}' "
        f"AND state = 'confirmed' AND lower(during) > now()"
    )
    school, day = sql.execute(
        f"SELECT school_id, to_char(lower(during) AT TIME ZONE time_zone, 'YYYY-MM-DD') "
        f"FROM visits_visit v JOIN pthv_program p ON p.id = program_id WHERE v.id = {ahead}"
    ).fetchone()
    plan = one(f"SELECT min(id) FROM visits_selectionplan WHERE {mine}")
    batch = one(f"SELECT max(id) FROM visits_paybatch WHERE {mine}")
    cohorts = "SELECT max(id) FROM training_cohort WHERE program_id = (SELECT id FROM pthv_program "
    cohorts += "WHERE slug = 'training') AND completed_at IS"
    complete, open_ = one(f"{cohorts} NOT NULL"), one(f"{cohorts} NULL")
    ask = sql.execute(
        f"SELECT id FROM visits_invitation WHERE {mine} AND state IN ('not_asked', 'asked')"
    ).fetchall()
    # The same tap within a minute is the same attempt, so each is another one.
    attempts = [
        (f"/invitations/{pk}/attempt/", {"channel": channel, "outcome": outcome})
        for outcome in ("reached", "left_message")
        for channel in ("call", "text", "email", "in_person")
        for (pk,) in ask
    ]
    # Not the same twice, or it would be one.
    answers = [
        ("/invitation/es/yes/", {"place_wanted": place, "times": time})
        for place in ("home", "video", "elsewhere")
        for time in ("mon-evening", "tue-evening", "sat-morning")
    ]
    return [
        Page("floor list", "program", "/floor/", 1),
        Page("Today", "educator", "/today/", 2.5),
        Page("families, educator", "educator", "/families/"),
        Page("family", "educator", f"/families/{family}/"),
        Page("find a time", "educator", f"/invitations/{invitation}/schedule/"),
        Page("visit", "educator", f"/visits/{visit}/"),
        Page("log form", "writer", f"/visits/{held}/log/"),
        Page("my pay", "educator", "/pay/mine/"),
        Page("desk, school", "site", "/desk/", 2.5),
        Page("families, school", "site", "/families/"),
        Page("desk, program", "program", "/desk/", 2.5),
        Page("families p1", "program", "/families/"),
        Page("families deep", "program", f"/families/?after={middle}~"),
        Page("families asked", "program", "/families/?state=asked"),
        Page("families in Spanish", "program", "/families/?language=es"),
        Page("families of grade 3", "program", "/families/?grade=03"),
        Page("family, program", "program", f"/families/{family}/"),
        Page("family form", "program", f"/families/{family}/edit/"),
        Page("search, common", "program", "/search/?q=mateo"),
        Page("search, two words", "program", "/search/?q=nun+ma"),
        Page("search, two letters", "program", "/search/?q=ma"),
        Page("search, phone", "program", "/search/?q=4567"),
        Page("search, school", "site", "/search/?q=mateo"),
        Page("search, educator", "educator", "/search/?q=ma"),
        Page("visits p1", "program", "/visits/"),
        Page("visits deep", "program", f"/visits/?after={deep}"),
        Page("week, program", "program", f"/visits/week/?on={week}"),
        Page("week, school", "site", f"/visits/week/?on={week}"),
        Page("week, educator", "educator", f"/visits/week/?on={week}"),
        Page("day sheet", "site", f"/visits/day/?on={week}"),
        Page("hours", "educator", "/availability/"),
        Page("everybody's hours", "program", "/availability/"),
        Page("pairs, school", "site", "/pairs/"),
        Page("hours of a school", "site", "/availability/people/"),
        Page("rota", "program", "/interpreters/"),
        Page("requests", "program", "/interpreters/requests/"),
        Page("requests, school", "site", "/interpreters/requests/"),
        Page("move a visit", "site", f"/visits/{ahead}/move/"),
        Page("move a day", "site", f"/visits/day/move/{school}/?on={day}"),
        Page("plans", "program", "/plans/"),
        Page("plan", "program", f"/plans/{plan}/"),
        Page("plan form", "program", "/plans/new/"),
        Page("asking", "program", "/asking/", 2.5),
        Page("asking, school", "site", "/asking/", 2.5),
        Page("families that wait", "program", "/families/?waits=1"),
        Page("dead contacts", "program", "/families/?dead=1"),
        Page("words to ask with", "program", f"/invitations/{ask[0][0]}/write/"),
        Page("messages", "program", "/messages/"),
        Page("messages, school", "site", "/messages/"),
        Page("messages lost", "program", "/messages/?show=not_arrived"),
        Page("our words", "program", "/wording/"),
        Page("family's page", "mother", "/invitation/es/"),
        Page("family's yes", "mother", "/invitation/es/yes/"),
        Page("cohorts", "trainer", "/training/"),
        Page("cohort, complete", "trainer", f"/training/cohorts/{complete}/"),
        Page("cohort, open", "trainer", f"/training/cohorts/{open_}/"),
        Page("enrol", "trainer", f"/training/cohorts/{open_}/enrol/"),
        Page("certifications", "trainer", "/training/certified/"),
        Page("certifications, named", "trainer", "/training/certified/?q=reyes"),
        Page("certifications, school", "training site", "/training/certified/"),
        Page("cohorts, school", "training site", "/training/"),
        Page("training desk", "trainer", "/training/desk/", 2.5),
        Page("training desk, school", "training site", "/training/desk/", 2.5),
        Page("enrolled nowhere", "trainer", "/training/certified/?standing=nowhere"),
        Page("ending soon", "trainer", "/training/certified/?standing=ending"),
        Page("my training", "trainee", "/training/mine/"),
        Page("rosters", "program", "/rosters/"),
        Page("coverage", "funder", "/coverage/", 2.5),
        Page("pay to approve", "finance", "/pay/"),
        Page("batches", "finance", "/pay/batches/"),
        Page("batch", "finance", f"/pay/batches/{batch}/"),
        Page("floor write", "program", "/floor/write/", 1, {"kind": "union"}, [], "floor write"),
        Page("record an attempt", "program", "", 3, {}, attempts, "floor write"),
        Page("family answers", "mother", "", 3, {}, answers, "floor write"),
    ]


class Site:
    """One size: its database, its server, and the people logged in to it."""

    def __init__(self, size: str, programs: int, port: int) -> None:
        self.size, self.port = size, port
        url = urllib.parse.urlsplit(os.environ["DATABASE_URL"])
        self.name = f"{url.path.lstrip('/')}_bench_{size.lower()}"
        self.url = url._replace(path=f"/{self.name}").geturl()
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as sql:
            there = sql.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self.name])
            if not there.fetchone():
                sql.execute(f'CREATE DATABASE "{self.name}"')
        self.environment = {
            **os.environ,
            "DATABASE_URL": self.url,
            "DJANGO_SETTINGS_MODULE": "tests.bench.settings",
        }
        self.manage("migrate", "--verbosity", "0")
        self.manage("createcachetable")
        with psycopg.connect(self.url) as sql:
            query = "SELECT count(*) FROM pthv_program WHERE slug LIKE 'large-%'"
            missing = programs - sql.execute(query).fetchone()[0]
            query = "SELECT 1 FROM pthv_program WHERE slug = 'training'"
            trains = sql.execute(query).fetchone()
            query = "SELECT 1 FROM visits_availability a JOIN pthv_program p ON p.id = a.program_id"
            schedules = sql.execute(f"{query} WHERE slug = 'large-1' LIMIT 1").fetchone()
        if missing > 0 or not trains or not schedules:
            self.manage("demo", "--scale", str(max(missing, 0)))
        self.server = subprocess.Popen(
            [
                Path(sys.executable).parent / "granian", "--interface", "wsgi", "--workers", "1",
                "--blocking-threads", "2", "--port", str(port), "--log-level", "error",
                "pthv.wsgi:application",
            ],
            cwd=ROOT,
            env=self.environment,
        )  # fmt: skip
        self.wait()
        self.clients = {person: Client(port, email) for person, email in PEOPLE.items()}
        self.clients["mother"] = Client(port)
        self.clients["mother"].get(urllib.parse.urlsplit(self.link()).path)
        self.clients["mother"].take("/invitation/es/yes/", "opened")
        with psycopg.connect(self.url) as sql:
            self.pages = pages(sql)

    def manage(self, *words: str) -> None:
        command = [sys.executable, "manage.py", *words]
        subprocess.run(command, cwd=ROOT, env=self.environment, check=True)

    def link(self) -> str:
        """The address of a link to an invitation that is open."""
        command = [sys.executable, "manage.py", "shell", "-v0", "-c", LINK]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, check=True, capture_output=True, text=True
        )
        return done.stdout.split()[-1]

    def wait(self) -> None:
        for _ in range(100):
            try:
                if Client(self.port).get("/healthz")[0] == 200:
                    return
            except OSError:
                time.sleep(0.1)
        raise SystemExit("The server did not start.")

    def cpu(self) -> float:
        """Seconds of processor time that this server and its database connections have used."""
        with psycopg.connect(self.url) as sql:
            backends = sql.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = %s", [self.name]
            ).fetchall()
        return sum(map(_seconds, [pid for (pid,) in backends])) + _tree(self.server.pid)


def _seconds(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    user, system = text[text.rindex(")") + 2 :].split()[11:13]
    return (int(user) + int(system)) / TICKS


def _tree(pid: int) -> float:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return _seconds(pid) + sum(_tree(int(child)) for child in children)


def request_of(page: Page) -> Request:
    if page.turns:
        turns = cycle(page.turns)
        return lambda client, **headers: client.post(*next(turns), **headers)
    if page.post:
        return lambda client, **headers: client.post(page.path, page.post, **headers)
    return lambda client, **headers: client.get(page.path, **headers)


def measure(site: Site, page: Page, *, times: int, seconds: float) -> Measured:
    client, request = site.clients[page.person], request_of(page)
    client.get("/more/")  # a fresh token against forgery
    latencies(client, request, 5)
    _, body, headers = request(client, **{"X-Count-Queries": "1"})
    taken = latencies(client, request, times)
    before = site.cpu()
    done, elapsed = rate(client, request, seconds)
    return Measured(
        p50=percentile(taken, 0.5),
        p95=percentile(taken, 0.95),
        rate=done / elapsed,
        cpu=(site.cpu() - before) * 1000 / max(done, 1),
        queries=int(headers["X-Queries"]),
        kilobytes=len(body) / 1024,
    )


def table(results: dict[str, dict[str, Measured]], all_pages: list[Page]) -> str:
    """The figures of the largest size, against its floor and against the smallest size."""
    sizes = list(results)
    large, small = results[sizes[-1]], results[sizes[0]]
    lines = [
        f"| {'page':<20} | p50 ms | p95 ms | req/s | queries |  kB | × floor | budget "
        f"| req/s ÷ floor | CPU ms | CPU {sizes[-1]}/{sizes[0]} |",
        "|" + "---|" * 11,
    ]
    for page in all_pages:
        got, floor = large[page.name], large[page.floor]
        times = got.p50 / floor.p50
        mark = "" if times <= page.budget else " ✗"
        lines.append(
            f"| {page.name:<20} | {got.p50:.1f} | {got.p95:.1f} | {got.rate:.0f} | {got.queries} "
            f"| {got.kilobytes:.0f} | {times:.2f}{mark} | {page.budget} "
            f"| {got.rate / floor.rate:.2f} | {got.cpu:.1f} "
            f"| {got.cpu / small[page.name].cpu:.2f} |"
        )
    return "\n".join(lines)


def main() -> None:
    options = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    options.add_argument("--sizes", default="S,L")
    options.add_argument("--only", default="", help="pages whose name matches this pattern")
    options.add_argument("--times", type=int, default=40, help="timed requests a page and round")
    options.add_argument("--seconds", type=float, default=2.0, help="of eight clients, a page")
    chosen = options.parse_args()
    sites = [
        Site(size, SIZES[size], 8700 + place) for place, size in enumerate(chosen.sizes.split(","))
    ]
    floors = {"floor list", "floor write"}
    wanted = [
        page.name
        for page in sites[0].pages
        if page.name in floors or re.search(chosen.only, page.name)
    ]
    results: dict[str, dict[str, Measured]] = {site.size: {} for site in sites}
    try:
        for name in wanted:
            for site in sites:
                page = next(page for page in site.pages if page.name == name)
                results[site.size][name] = measure(
                    site, page, times=chosen.times, seconds=chosen.seconds
                )
    finally:
        for site in sites:
            site.server.terminate()
            site.server.wait()
    print(table(results, [p for p in sites[-1].pages if p.name in wanted]))  # noqa: T201


if __name__ == "__main__":
    main()
