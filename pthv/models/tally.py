"""Totals kept by the database itself, so that a desk adds up dozens of rows, not millions."""

import pgtrigger


def tally_triggers(
    rows: str, tally: str, *, key: list[str], counts: dict[str, str]
) -> list[pgtrigger.Trigger]:
    """Statement triggers that keep in the table `tally` how many of its own rows match.

    `rows` are the columns of the counted table that keys and tests need; `key` names the
    tally's unique columns, `counts` each total and the SQL test of the rows it counts.
    Deltas are added in key order, so that two statements can't wait for each other.
    """
    # Transition tables allow one operation a trigger.
    sides = {"insert": ["new"], "update": ["old", "new"], "delete": ["old"]}
    return [
        pgtrigger.Trigger(
            name=f"tally_{operation}",
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=getattr(pgtrigger, operation.capitalize()),
            referencing=pgtrigger.Referencing(**{side: f"{side}_values" for side in tables}),
            func=_adding(rows, tally, tables, ", ".join(key), counts),
        )
        for operation, tables in sides.items()
    ]


def _adding(rows: str, tally: str, tables: list[str], key: str, counts: dict[str, str]) -> str:
    signs = {"new": "1", "old": "-1"}
    changed = " UNION ALL ".join(
        f"SELECT {signs[side]} AS sign, {rows} FROM {side}_values" for side in tables
    )
    sums = {name: f"sum(sign * ({test})::int)" for name, test in counts.items()}
    return f"""
        INSERT INTO {tally} ({key}, {", ".join(counts)})
        SELECT {key}, {", ".join(sums.values())} FROM ({changed}) AS changed
        GROUP BY {key} HAVING {" OR ".join(f"{total} <> 0" for total in sums.values())}
        ORDER BY {key}
        ON CONFLICT ({key}) DO UPDATE
        SET {", ".join(f"{name} = {tally}.{name} + excluded.{name}" for name in counts)};
        RETURN NULL;
    """
