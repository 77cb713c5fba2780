"""A long row of things, taken a handful at a time."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

CHUNK = 2000

Item = TypeVar("Item")


def chunks(items: Iterable[Item], size: int = CHUNK) -> Iterator[list[Item]]:
    rows = iter(items)
    while chunk := list(islice(rows, size)):
        yield chunk
