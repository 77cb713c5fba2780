"""The papers say what is so: names, links, words and packages are compared with the tree."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

from pthv.models.history import HistoryEvent
from visits.demo.people import ADMINISTRATOR, EDUCATOR, PASSWORD, SECOND_EDUCATOR, STAFF

ROOT = Path(settings.BASE_DIR)
ROOMS = ("pthv", "families", "training", "visits")
README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
DEPENDENCIES = (ROOT / "docs" / "decisions" / "0009-dependencies.md").read_text()


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def packages() -> set[str]:
    """What pyproject.toml depends on, to run and to develop, less extras and versions."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    return {re.match(r"[a-z0-9-]+", requirement)[0] for requirement in wanted}


def test_each_package_has_its_line_and_each_line_its_package():
    assert set(re.findall(r"^- `([a-z0-9-]+)`: \S", DEPENDENCIES, re.MULTILINE)) == packages()


@pytest.mark.parametrize("path", ["requirements.txt", "requirements-dev.txt"])
def test_the_requirements_were_made_from_what_the_project_names(path):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = list(project["dependencies"])
    if "dev" in path:
        wanted += project["optional-dependencies"]["dev"]
    pinned = set(re.findall(r"^([a-z0-9-]+==[^ ;\\]+)", (ROOT / path).read_text(), re.MULTILINE))

    assert {re.sub(r"\[.*\]", "", requirement) for requirement in wanted} <= pinned


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_is_short_and_says_why_what_and_what_of_it(path):
    text = path.read_text()

    assert len(text.split()) < 300
    assert [word for word in ("Context", "Decision", "Consequences") if word not in text] == []


def test_decisions_are_numbered_without_a_gap():
    numbers = [int(path.name[:4]) for path in DECISIONS]

    assert numbers == list(range(1, len(DECISIONS) + 1))


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_every_link_leads_somewhere(path):
    links = re.findall(r"\]\(([^)]+)\)", path.read_text())
    inside = [link.split("#")[0] for link in links if "://" not in link]

    assert [link for link in inside if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_every_file_named_in_words_is_there(path):
    """`visits/pay.py` and `templates/emails/` in a page, wherever they begin with a folder."""
    folders = "|".join([*ROOMS, "templates", "static", "tests", "docs"])
    paths = re.findall(rf"`((?:{folders})/[\w./*-]*)`", path.read_text())

    assert [name for name in paths if not (ROOT / name).exists()] == []


def tree() -> list[str]:
    """The names in the README's tree."""
    block = README.split("## The tree")[1].split("```")[1]
    return [line.split()[0].rstrip("/") for line in block.strip().splitlines()]


def test_the_readmes_tree_is_there():
    assert [name for name in tree() if not (ROOT / name).exists()] == []


def test_the_readmes_tree_leaves_nothing_out():
    if not (ROOT / ".git").exists():
        pytest.skip("no git here to ask what belongs to the project")
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    top = {line.split("/")[0] for line in listed.stdout.splitlines()} - {".gitignore"}

    assert top == set(tree())


def test_the_readme_fits_a_screen_and_names_who_can_log_in():
    people = [EDUCATOR, SECOND_EDUCATOR, *(person[:3] for person in STAFF), ADMINISTRATOR]

    assert [p for p in people if f"| `{p[0]}` | {p[1]} {p[2]}, " not in README] == []
    assert f"`{PASSWORD}`" in README
    assert len(README.splitlines()) <= 100


def test_the_readme_names_every_command():
    offered = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    told = set(re.findall(r"`([a-z]+)`", README)) | set(re.findall(r"make ([a-z]+)", README))

    assert offered - told - {"help"} == set()


def test_the_changelog_has_days_newest_first_and_words_under_each():
    days = re.split(r"^## ", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)[1:]
    dates = [re.match(r"\d{4}-\d\d-\d\d", day)[0] for day in days]

    assert dates
    assert dates == sorted(dates, reverse=True)
    assert all("\n- " in day for day in days)


def test_the_glossary_has_every_model():
    words = set(re.findall(r"^- \*\*(\w+)\*\*", (ROOT / "docs/glossary.md").read_text(), re.M))
    models = {
        model.__name__
        for model in apps.get_models()
        if model._meta.app_label in ROOMS and not issubclass(model, HistoryEvent)
    }

    assert models - words == set(), "models without a word"
    assert words - models == {"Power", "Blockers", "Coverage"}, "words without a model"


OTHER_CLOCKS = {"timezone.now", "datetime.now", "datetime.utcnow", "date.today", "time.time"}


def other_clocks(source: str) -> list[str]:
    """Calls of a clock that isn't the program's."""
    calls = [ast.unparse(n.func) for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call)]
    return [call for call in calls if ".".join(call.split(".")[-2:]) in OTHER_CLOCKS]


def test_there_is_one_clock():
    modules = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    asking = {named(path) for path in modules if other_clocks(path.read_text())}

    assert asking == {"pthv/clock.py"}
    assert other_clocks("x = datetime.datetime.now(UTC)")
