"""What we hold about people is written down: every field of every table is a decision."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models

from pthv.access import POWERS, Can
from pthv.models.history import HistoryEvent

POLICY = tomllib.loads((Path(settings.BASE_DIR) / "docs" / "data-policy.toml").read_text())
ANYWHERE = set(POLICY.pop("not_personal_anywhere"))
KEPT: dict[str, str] = POLICY.pop("kept")
SEEN_BY: dict[str, dict[str, Any]] = POLICY.pop("seen_by")

# Django's migrations keep tables (managed); a proxy or a view has none of its own.
MODELS = [m for m in apps.get_models() if m._meta.managed and not m._meta.proxy]
HISTORY = [m for m in MODELS if issubclass(m, HistoryEvent)]
TABLES = {m._meta.label: m for m in MODELS if m not in HISTORY}


def fields(model: type[models.Model]) -> set[str]:
    return {field.name for field in model._meta.get_fields() if getattr(field, "concrete", False)}


def rows(label: str) -> dict[str, dict[str, Any]]:
    """The personal fields of a model, each with why, kept and seen_by."""
    return {name: row for name, row in POLICY.get(label, {}).items() if name != "not_personal"}


def decided(label: str) -> set[str]:
    return set(rows(label)) | set(POLICY.get(label, {}).get("not_personal", []))


def test_every_table_has_a_policy_and_every_policy_a_table():
    assert set(POLICY) == set(TABLES)


@pytest.mark.parametrize("label", sorted(TABLES))
def test_every_field_is_decided_on_and_exists(label):
    held = fields(TABLES[label]) - ANYWHERE

    assert held - decided(label) == set(), "fields without a row"
    assert decided(label) - held == set(), "rows without a field"


@pytest.mark.parametrize("label", sorted(POLICY))
def test_a_field_is_personal_or_not(label):
    policy = POLICY[label]

    assert sorted(set(policy["not_personal"])) == sorted(policy["not_personal"])
    assert not set(rows(label)) & set(policy["not_personal"])


@pytest.mark.parametrize("label", sorted(POLICY))
def test_a_personal_field_says_why_how_long_and_who(label):
    for name, row in rows(label).items():
        assert set(row) == {"why", "kept", "seen_by"}, name
        assert row["why"].endswith("."), name
        assert row["kept"] in KEPT, name
        assert row["seen_by"], name
        assert set(row["seen_by"]) <= set(SEEN_BY), name
        assert row["seen_by"] == ["nobody"] or "nobody" not in row["seen_by"], name


def test_no_answer_is_left_over():
    told = [row for label in POLICY for row in rows(label).values()]

    assert {row["kept"] for row in told} == set(KEPT)
    assert {reader for row in told for reader in row["seen_by"]} == set(SEEN_BY)


@pytest.mark.parametrize("reader", sorted(SEEN_BY))
def test_who_sees_it_is_what_the_permission_table_says(reader):
    policy = SEEN_BY[reader]
    if "can" not in policy:
        assert policy["who"]
        return
    can = Can[policy["can"]]
    spans = {role.value: held[can].name.lower() for role, held in POWERS.items() if can in held}

    assert policy["span"] == spans


@pytest.mark.parametrize("model", HISTORY, ids=lambda model: model.__name__)
def test_history_holds_no_field_that_its_model_does_not(model):
    kept = {name for name in fields(model) if not name.startswith("pgh_")}

    assert kept <= fields(model.pgh_tracked_model)


def test_there_is_history_to_look_at():
    assert len(HISTORY) >= 10
