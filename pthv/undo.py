"""Taking back what was done to many rows at once: all of it, or nothing.

While `recorded` is open, the database keeps each row that is written as it was
(pthv/models/undo.py). `take_back` puts every one of them back, byte for byte.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pghistory
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from pthv import audit, clock
from pthv.blocked import NotReady
from pthv.models import Program, User
from pthv.models.undo import SETTING, UNDOABLE, Change, RowImage, hashed, stored

KEPT_FOR = timedelta(days=30)
# What the history says of a row that was put back: it was so only by mistake.
TAKEN_BACK = "taken_back"
# A change's images, one for each row: as it was first, and what was made of it last.
COLLAPSE = """
    CREATE TEMPORARY TABLE taken_back ON COMMIT DROP AS
    SELECT
        "table", row,
        (array_agg(before ORDER BY id))[1] AS before,
        (array_agg(after ORDER BY id DESC))[1] AS after
    FROM pthv_rowimage WHERE change_id = %s GROUP BY "table", row
"""
# An account is its owner's from the first login on: only one that is as it was made goes.
KEEP_ACCOUNTS = f"""
    DELETE FROM taken_back USING {User._meta.db_table} AS held
    WHERE "table" = %s AND row = held.id AND before IS NULL AND after <> {hashed(User, "held")}
"""
KEPT = 'WITH kept AS (SELECT row, before, after FROM taken_back WHERE "table" = %s)'


class ChangedSince(Exception):
    """A row isn't what the change made of it any more."""


@contextmanager
def recorded(what: str, *, program: Program, by: User | None, label: str = "") -> Iterator[Change]:
    """Do the block in one transaction, so that it can be taken back; `what` as in the audit."""
    with transaction.atomic():
        change = Change.objects.create(
            program=program, what=what, label=label, made_at=clock.now(), made_by=by
        )
        _name_change(f"{program.pk}:{change.pk}")
        yield change
        _name_change("")
        # What is planned meanwhile doesn't know of it: it is made when it is over.
        change.made_at = clock.now()
        change.save(update_fields=["made_at"])


def blockers(change: Change) -> list[str]:
    """Why it can't be taken back, as far as that is known without looking at every row."""
    if change.undone_at is not None:
        return [_("This was undone already.")]
    if clock.now() - change.made_at > KEPT_FOR:
        days = {"days": KEPT_FOR.days}
        return [_("It is more than %(days)s days ago, so it can't be undone.") % days]
    return []


def size(change: Change) -> int:
    """How many rows the change wrote, each as often as it did."""
    return change.images.count()


def _ignore(rows: int) -> None:
    """Nobody watches."""


def take_back(change: Change, *, by: User, progress: Callable[[int], None] = _ignore) -> None:
    """Put back every row as it was before the change; raise NotReady if something was built on it.

    Rows it created are deleted, rows it changed are restored, rows it deleted return; accounts
    that it made and that somebody uses stay, with nothing they may do here.
    `progress` is told how many more were.
    """
    with transaction.atomic():
        Program.objects.select_for_update(no_key=True).get(pk=change.program_id)
        held = Change.objects.select_for_update().get(pk=change.pk)
        if sentences := blockers(held):
            raise NotReady(*sentences)
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS taken_back")
            cursor.execute(COLLAPSE, [held.pk])
            cursor.execute(KEEP_ACCOUNTS, [User._meta.db_table])
            cursor.execute("ANALYZE taken_back")
            cursor.execute('SELECT DISTINCT "table" FROM taken_back')
            touched = {table for (table,) in cursor.fetchall()}
        tables = [model for model in _parents_first() if model._meta.db_table in touched]
        try:
            with (
                transaction.atomic(),
                pghistory.context(**{TAKEN_BACK: held.pk}),
                connection.cursor() as cursor,
            ):
                _restore(tables, progress)
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        except (ChangedSince, IntegrityError) as found:
            # Counted now that the rows are again as people left them.
            raise NotReady(_changed_since(tables) or _used_since(found)) from found
        held.undone_at, held.undone_by = clock.now(), by
        held.save(update_fields=["undone_at", "undone_by"])
        audit.record("change.undone", held, by=by, what=held.what)
    change.undone_at, change.undone_by = held.undone_at, held.undone_by


def sweep() -> int:
    """Forget the images of changes that can't be undone any more."""
    old = Change.objects.with_scopes_disabled().filter(made_at__lt=clock.now() - KEPT_FOR)
    images = RowImage.objects.with_scopes_disabled()
    return images.filter(change__in=old.values("pk"))._raw_delete(using="default")


def _name_change(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [SETTING, name])


def _restore(tables: list[type[models.Model]], progress: Callable[[int], None]) -> None:
    """Write the rows back; raise ChangedSince at the first that isn't what was made of it."""
    # What points elsewhere lets go first, then what was created goes, then what was deleted
    # returns.
    steps = [(_update, model) for model in tables]
    steps += [(_delete, model) for model in reversed(tables)]
    steps += [(_insert, model) for model in tables]
    for step, model in steps:
        meant, reached = step(model)
        if meant != reached:
            raise ChangedSince
        progress(reached)


def _changed_since(tables: list[type[models.Model]]) -> str:
    """A sentence that counts the rows which are not what was made of them; empty if none is."""
    found = []
    with connection.cursor() as cursor:
        for model in tables:
            table = model._meta.db_table
            cursor.execute(
                f"""{KEPT} SELECT count(*) FROM kept LEFT JOIN {table} AS held ON held.id = kept.row
                    WHERE kept.after IS DISTINCT FROM
                    CASE WHEN held.id IS NOT NULL THEN {hashed(model, "held")} END""",
                [table],
            )
            if count := cursor.fetchone()[0]:
                found.append(_counted(count, model))
    if not found:
        return ""
    sentence = _("This can't be undone: changed since then were %(rows)s.")
    return sentence % {"rows": get_text_list(found, _("and"))}


def _counted(count: int, model: type[models.Model]) -> str:
    names = model._meta
    return f"{count} {names.verbose_name if count == 1 else names.verbose_name_plural}"


def _update(model: type[models.Model]) -> tuple[int, int]:
    table, columns = model._meta.db_table, ", ".join(f'"{name}"' for name in stored(model))
    return _run(
        table,
        f"""UPDATE {table} AS held SET ({columns}) = (
                SELECT {columns} FROM jsonb_populate_record(NULL::{table}, kept.before)
            ) FROM kept WHERE held.id = kept.row AND kept.before IS NOT NULL
            AND kept.after = {hashed(model, "held")}""",
        "before IS NOT NULL AND after IS NOT NULL",
    )


def _delete(model: type[models.Model]) -> tuple[int, int]:
    table = model._meta.db_table
    return _run(
        table,
        f"""DELETE FROM {table} AS held USING kept
            WHERE held.id = kept.row AND kept.before IS NULL
            AND kept.after = {hashed(model, "held")}""",
        "before IS NULL AND after IS NOT NULL",
    )


def _insert(model: type[models.Model]) -> tuple[int, int]:
    table, columns = model._meta.db_table, ", ".join(f'"{name}"' for name in stored(model))
    return _run(
        table,
        f"""INSERT INTO {table} ({columns})
            SELECT {columns} FROM kept, jsonb_populate_record(NULL::{table}, kept.before)
            WHERE kept.before IS NOT NULL AND kept.after IS NULL""",
        "before IS NOT NULL AND after IS NULL",
    )


def _run(table: str, statement: str, meant: str) -> tuple[int, int]:
    """Run it; how many rows were meant, and how many it reached."""
    with connection.cursor() as cursor:
        cursor.execute(f"{KEPT} SELECT count(*) FROM kept WHERE {meant}", [table])
        expected = cursor.fetchone()[0]
        if not expected:
            return 0, 0
        cursor.execute(KEPT + statement, [table])
        return expected, cursor.rowcount


def _parents_first() -> list[type[models.Model]]:
    """The undoable models, each after those that its rows point at."""
    ordered: list[type[models.Model]] = []

    def add(model: type[models.Model]) -> None:
        if model in ordered or model in above:
            return
        above.append(model)
        for field in model._meta.concrete_fields:
            if field.related_model in UNDOABLE:
                add(field.related_model)
        above.remove(model)
        ordered.append(model)

    above: list[type[models.Model]] = []
    for model in UNDOABLE:
        add(model)
    return ordered


def _used_since(error: Exception) -> str:
    """A sentence from the database's refusal: which rows stand on what would go."""
    diagnosis = getattr(error.__cause__, "diag", None)
    table = getattr(diagnosis, "table_name", None)
    for model in apps.get_models():
        if model._meta.db_table == table:
            rows = {"rows": model._meta.verbose_name_plural}
            return _("This can't be undone: there are %(rows)s by now that stand on it.") % rows
    return _("This can't be undone: something stands on it by now.")
