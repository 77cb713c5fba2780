"""Parts of exclusion constraints, without the btree_gist that the embedded PostgreSQL lacks."""

from typing import Any

from django.contrib.postgres.fields import BigIntegerRangeField, DateRangeField, RangeOperators
from django.db.models import Expression, F, Func, Value


def same(of: str | Expression) -> tuple[Any, str]:
    """Equal whole numbers: a range of just one overlaps only itself.

    `of` is a column that is never null, for such a range of null would overlap everything,
    or an expression.
    """
    number = F(of) if isinstance(of, str) else of
    one = Func(
        number, number, Value("[]"), function="int8range", output_field=BigIntegerRangeField()
    )
    return one, RangeOperators.OVERLAPS


def dates_overlap(first: str, last: str) -> tuple[Any, str]:
    """Stretches of days that share one; both ends count, an empty last day means no end."""
    days = Func(F(first), F(last), Value("[]"), function="daterange", output_field=DateRangeField())
    return days, RangeOperators.OVERLAPS
