"""The SQL of a range's rows. Names come from the catalog, that is from the database itself; values are quoted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mwaa_provider.metadata.selecting import literal, moment, quoted

if TYPE_CHECKING:
    from datetime import datetime

    from mwaa_provider.metadata.api.questions import Key
    from mwaa_provider.metadata.catalog import Table


@dataclass(frozen=True)
class Rows:
    """Some rows of a table.

    :param table: The table, from the catalog.
    :param age_column: The column that tells a row's age; ``None`` if the age does not matter.
    :param since: Rows of this age or younger; ``None`` for no bound.
    :param until: Rows older than this; ``None`` for no bound.
    :param undated: Whether rows without an age are meant too.
    :param after: Rows with a larger primary key; ``None`` for no bound.
    :param up_to: Rows with this primary key or a smaller one; ``None`` for no bound.
    """

    table: Table
    age_column: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    undated: bool = False
    after: Key | None = None
    up_to: Key | None = None

    @property
    def of_the_age(self) -> str:
        """The condition of their age, as SQL."""
        if self.age_column is None or (self.since is None and self.until is None):
            return "TRUE"
        column = self.table.column(self.age_column)
        age = quoted(column.name)
        bounds = []
        if self.since is not None:
            bounds.append(f"{age} >= {moment(self.since, column)}")
        if self.until is not None:
            bounds.append(f"{age} < {moment(self.until, column)}")
        dated = " AND ".join(bounds)
        return f"({age} IS NULL OR ({dated}))" if self.undated else f"({dated})"

    @property
    def of_the_key(self) -> str:
        """The condition of their key, as SQL: row by row, so that the index of the primary key serves it."""
        columns = ", ".join(quoted(name) for name in self.table.primary_key)
        bounds = [
            f"({columns}) {sign} ({self._values(key)})"
            for sign, key in ((">", self.after), ("<=", self.up_to))
            if key is not None
        ]
        return " AND ".join(bounds) or "TRUE"

    @property
    def has_key(self) -> bool:
        """Whether the table can be cut by its primary key: it has one, and no column of it is kept secret."""
        served = {column.name for column in self.table.columns}
        return bool(self.table.primary_key) and served.issuperset(self.table.primary_key)

    @property
    def where(self) -> str:
        """Both conditions, as SQL."""
        return f"{self.of_the_key} AND {self.of_the_age}"

    def _values(self, key: Key) -> str:
        columns = [self.table.column(name) for name in self.table.primary_key]
        return ", ".join(f"{literal(value)}::{column.type}" for value, column in zip(key, columns, strict=True))
