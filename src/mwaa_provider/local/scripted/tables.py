"""What ``airflow ... --output table`` and ``--output json`` print."""

from __future__ import annotations

import json
from typing import Any


def as_json(rows: list[dict[str, Any]]) -> str:
    """Return rows as JSON.

    :param rows: The rows.
    """
    return json.dumps(rows) + "\n"


def as_table(rows: list[dict[str, Any]]) -> str:
    """Return rows as Airflow's plain table, unwrapped however wide it is (the real one wraps at 200 characters).

    :param rows: The rows, all with the same keys.
    """
    names = list(rows[0])
    cells = [[_cell(row[name]) for name in names] for row in rows]
    widths = [max(len(name), *(len(line[at]) for line in cells)) for at, name in enumerate(names)]

    def line(values: list[str]) -> str:
        return " | ".join(value.ljust(width) for value, width in zip(values, widths, strict=True))

    rule = "=+=".join("=" * width for width in widths)
    return "\n".join([line(names), rule, *(line(values) for values in cells), " " * len(line(names))]) + "\n"


def _cell(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
