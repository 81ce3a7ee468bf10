"""Filters, order and pages of lists, alike in both REST APIs."""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

Row = TypeVar("Row")

#: Suffix of a range filter and the comparison it makes.
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "gte": operator.ge,
    "gt": operator.gt,
    "lte": operator.le,
    "lt": operator.lt,
}


def in_ranges(row: object, ranges: Mapping[str, datetime]) -> bool:
    """Tell whether a row lies in all ranges; as in SQL, one that has no value lies in none.

    :param row: The row.
    :param ranges: Limits by name, such as ``start_date_gte``.
    """
    for name, limit in ranges.items():
        attribute, _, suffix = name.rpartition("_")
        value = getattr(row, attribute)
        if value is None or not COMPARISONS[suffix](value, limit):
            return False
    return True


def like(text: str, pattern: str) -> bool:
    """Tell whether a text has a pattern in it, as SQL's ``ILIKE`` does between two ``%``.

    :param text: The text.
    :param pattern: The pattern, in which ``%`` stands for anything and ``_`` for one character.
    """
    steps = {"%": ".*", "_": "."}
    expression = "".join(steps.get(letter) or re.escape(letter) for letter in pattern)
    return re.search(expression, text, re.IGNORECASE | re.DOTALL) is not None


def ordered(rows: Iterable[Row], keys: list[tuple[str, bool]]) -> list[Row]:
    """Sort rows as PostgreSQL does: rows without a value come last, or first when descending.

    :param rows: The rows.
    :param keys: Attribute and whether descending, the most important first.
    """
    result = list(rows)
    for attribute, descending in reversed(keys):
        result.sort(key=lambda row: _key(getattr(row, attribute)), reverse=descending)
    return result


def _key(value: Any) -> tuple[bool, Any]:
    return (True, 0) if value is None else (False, str(value) if isinstance(value, dict) else value)
