"""Many rows, new or changed, sent to the database the quick way."""

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from django.db import connection, models
from psycopg.types.json import Jsonb

COPY = "COPY {} ({}) FROM STDIN"


def copy_new(model: type[models.Model], rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert a row for each mapping of field names to what the database stores (keys, plain
    text); a field that isn't named has its default. Nothing is checked by Python: for the
    database's own constraints and triggers it is an insert like any other."""
    fields = [
        field
        for field in model._meta.concrete_fields
        if not field.generated and not field.primary_key
    ]
    unsaid = [(field.name, _plain(field.get_default())) for field in fields]
    values = ([row.get(name, default) for name, default in unsaid] for row in rows)
    copy_rows(model._meta.db_table, [str(field.column) for field in fields], values)


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, models.Choices) else value


def copy_rows(table: str, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """Send rows to a table, each with a value for each of the columns."""
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        return
    quote = connection.ops.quote_name
    command = COPY.format(quote(table), ", ".join(map(quote, columns)))
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        for row in chain([first], rows):
            copy.write_row(row)


def change_rows(model: type[models.Model], said: Mapping[int, Mapping[str, Any]]) -> None:
    """Write these fields (as JSON has them) of these rows, by id, and leave the others alone."""
    names = sorted({name for fields in said.values() for name in fields})
    if not names:
        return
    quote = connection.ops.quote_name
    table, sets = quote(model._meta.db_table), []
    for name in names:
        field = model._meta.get_field(name)
        column, kind = quote(field.column), field.db_type(connection)  # type: ignore[union-attr, arg-type]
        told = f"(new.said ->> '{name}')::{kind}"
        sets.append(f"{column} = CASE WHEN new.said ? '{name}' THEN {told} ELSE held.{column} END")
    statement = f"""
        UPDATE {table} AS held SET {", ".join(sets)}
        FROM unnest(%s::bigint[], %s::jsonb[]) AS new(id, said) WHERE held.id = new.id
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(said), [Jsonb(fields) for fields in said.values()]])
