"""The house rules that a parser can check: who may import whom, and where things stay."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models
from django.urls import URLPattern, URLResolver, get_resolver

from pthv.models import CompositeForeignKey, ProgramRow

ROOT = Path(__file__).resolve().parent.parent
# Each room may import itself and what it names.
MAY_IMPORT = {
    "pthv": set(),
    "families": {"pthv"},
    "training": {"pthv"},
    "visits": {"pthv", "families", "training"},
}
JUNK = {"utils", "util", "common", "helpers", "core", "services", "misc", "signals"}


def modules() -> list[Path]:
    return sorted(
        path
        for room in MAY_IMPORT
        for path in (ROOT / room).rglob("*.py")
        if "migrations" not in path.parts
    )


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every imported module's full name, with its line; relative ones stay in their room."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.lineno, node.module or ""


def upward(room: str, source: str) -> list[str]:
    """The imports of a module in `room` that point up, as sentences."""
    found = []
    for line, name in imports(ast.parse(source)):
        target = name.split(".")[0]
        if target in MAY_IMPORT and target != room and target not in MAY_IMPORT[room]:
            found.append(f"line {line}: {room} imports {name}")
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path):
    room = path.relative_to(ROOT).parts[0]

    assert upward(room, path.read_text()) == []


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("pthv", "from visits.models import Visit"),
        ("families", "import training.models"),
        ("training", "from families import models"),
        ("families", "def late():\n    from visits import pay"),
    ],
)
def test_an_upward_import_is_found(room, source):
    assert upward(room, source)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_stand_at_the_top(path: Path):
    functions = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    inside = [
        inner.lineno
        for function in functions
        for inner in ast.walk(function)
        if isinstance(inner, (ast.Import, ast.ImportFrom))
    ]

    assert inside == []


def test_no_module_is_a_junk_drawer():
    assert [path for path in modules() if path.stem in JUNK or JUNK & set(path.parts)] == []


def test_the_environment_is_read_in_settings_alone():
    # The runner and the launcher work before Django is set up.
    exempt = {"settings.py", "embedded_postgres.py", "launch.py", "wsgi.py"}
    readers = [
        path
        for path in modules()
        if path.name not in exempt and re.search(r"os\.(environ|getenv)", path.read_text())
    ]

    assert readers == []


def program_rows() -> list[type[models.Model]]:
    return [
        model
        for model in apps.get_models()
        if issubclass(model, ProgramRow) and not model._meta.abstract
    ]


@pytest.mark.parametrize("model", program_rows(), ids=lambda model: model.__name__)
def test_a_row_names_only_rows_of_its_own_program(model):
    kept = {
        name
        for constraint in model._meta.constraints
        if isinstance(constraint, CompositeForeignKey) and constraint.fields[0] == "program"
        for name in constraint.fields[1:]
    }
    inside = {
        field.name
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey) and issubclass(field.related_model, ProgramRow)
    }

    assert inside <= kept


def routes(resolver: URLResolver | None = None) -> Iterator[URLPattern]:
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            if entry.app_name != "admin":
                yield from routes(entry)
        else:
            yield entry


def test_every_view_of_ours_is_a_function_that_asks_for_a_power():
    # Pages that belong to whoever is logged in, or to nobody yet.
    open_to_all = {"healthz", "demo_login", "program_switch", "home", "more", "search"}
    open_to_all |= {"certificate_verify", "door_sign_in", "text_status", "text_reply"}
    open_to_all |= {"link_open", "family_invitation", "family_answer", "family_cancel"}
    open_to_all |= {"calendar_feed", "family_move", "interpreter_page"}
    open_to_all |= {"service_worker", "manifest", "offline_page"}
    ours = [r for r in routes() if r.callback.__module__.split(".")[0] in MAY_IMPORT]

    unguarded = {
        route.name for route in ours if not hasattr(route.callback, "requires")
    } - open_to_all

    assert len(ours) >= 40
    assert {name for name in unguarded if not name.startswith("account_")} == set()


def test_url_name_view_and_template_share_a_stem():
    ours = [
        r
        for r in routes()
        if r.callback.__module__.split(".")[0] in {"families", "training", "visits"}
    ]

    assert {r.name for r in ours if r.callback.__name__ != r.name} <= {"search"}
