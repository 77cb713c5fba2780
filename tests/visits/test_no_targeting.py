"""No screen, filter, sort or export knows absence, marks or discipline."""

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django import forms
from django.apps import apps
from django.conf import settings
from django.contrib import admin

import families
import pthv
import visits
from visits.forms.selection import DrawForm, PlanForm
from visits.models import Draw, SelectionPlan

ROOT = Path(settings.BASE_DIR)
# Training keeps who came to a session, of educators.
ROOMS = (pthv, families, visits)
BARRED = re.compile(
    r"absen|attendance|truan|tard(y|ies)|chronic|disciplin|suspen(d|s)|expel|expulsion|incident"
    r"|behaviou?r|referral|detention|gpa|grade_?point|test_?score|assessment|\bmarks?\b|_marks?\b"
    r"|report_?card|proficien|at_?risk",
    re.IGNORECASE,
)


def modules() -> Iterator[object]:
    for room in ROOMS:
        for found in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            if not re.search(r"\.(migrations|management|wsgi|launch|urls)\b", found.name):
                yield importlib.import_module(found.name)


def form_classes() -> set[type[forms.BaseForm]]:
    return {
        one
        for module in modules()
        for _name, one in inspect.getmembers(module, inspect.isclass)
        if issubclass(one, forms.BaseForm) and one.__module__.startswith(("pthv", "fami", "visits"))
    }


def asked_for_in_addresses() -> set[str]:
    """What any view reads from the address or a form beside its fields."""
    found = set()
    for room in ROOMS:
        for path in Path(room.__path__[0]).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                named = ast.unparse(node) if isinstance(node, ast.Call | ast.Subscript) else ""
                read = re.match(r"[\w.]*(?:GET|POST|data)(?:\.get(?:list)?\(|\[)'(\w+)'", named)
                found |= {read[1]} if read else set()
    return found


def named_in_templates() -> set[str]:
    """Names of inputs, and of parameters in links."""
    texts = [path.read_text() for path in (ROOT / "templates").rglob("*.html")]
    return {
        name
        for text in texts
        for name in re.findall(r'name="([\w-]+)"|[?&](?:amp;)?(\w+)=', text)
        for name in name
        if name
    }


def columns_of_models() -> set[str]:
    return {
        field.name
        for model in apps.get_models()
        if model._meta.app_label in {"pthv", "families", "visits"}
        for field in model._meta.fields
    }


def lists_of_the_admin() -> set[str]:
    return {
        str(name)
        for model, found in admin.site._registry.items()
        if model._meta.app_label in {"families", "visits"}
        for names in (found.list_filter, found.search_fields, found.list_display, found.ordering)
        for name in names or ()
    }


def export_headings() -> set[str]:
    """Words in the modules that write files for people."""
    found = set()
    for path in (ROOT / "visits").rglob("*.py"):
        text = path.read_text()
        if "csv_response" in text or "def export" in text:
            nodes = ast.walk(ast.parse(text))
            found |= {
                n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)
            }
    return found


def fields_of_forms() -> set[str]:
    found = set()
    for form in form_classes():
        for name, field in form.base_fields.items():
            found |= {name, str(field.label or ""), str(field.help_text or "")}
            found |= {str(label) for pair in getattr(field, "choices", []) for label in pair}
    return found


@pytest.mark.parametrize(
    ("names", "least", "one_of_them"),
    [
        (fields_of_forms, 80, "ask_by"),
        (asked_for_in_addresses, 10, "state"),
        (named_in_templates, 20, "q"),
        (columns_of_models, 200, "ask_by"),
        (lists_of_the_admin, 30, "state"),
        (export_headings, 20, "family__surnames"),
    ],
)
def test_nothing_selects_by_absence_marks_or_discipline(db, names, least, one_of_them) -> None:
    found = names()

    assert len(found) >= least and one_of_them in found
    assert {name for name in found if BARRED.search(name)} == set()


@pytest.mark.parametrize(
    "name", ["days_absent", "Chronic absence", "attendance", "gpa", "discipline", "incidents"]
)
def test_it_would_be_found(name) -> None:
    assert BARRED.search(name)


def test_a_plan_has_a_field_for_its_scope_and_its_size_alone() -> None:
    assert set(PlanForm.base_fields) == {"school", "year", "scope", "kind", "size", "ask_by"}
    assert set(DrawForm.base_fields) == {"size", "after", "because"}
    assert {field.name for field in SelectionPlan._meta.fields} == {
        "id", "program", "school", "school_year", "kind", "school_class", "grade", "ask_by",
        "made_at", "made_by", "students_without_family", "families_said_no_before",
    }  # fmt: skip
    assert "seed" not in {name for form in form_classes() for name in form.base_fields}
    assert not {"weight", "reason", "filter"} & {field.name for field in Draw._meta.fields}
