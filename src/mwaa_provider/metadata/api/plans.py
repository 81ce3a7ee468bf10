"""What the metadata API answers, as its client holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mwaa_provider.metadata.catalog import Column


@dataclass(frozen=True)
class Range:
    """A range of a table's primary key.

    :param after: Rows with a larger key; ``None`` for no bound.
    :param up_to: Rows with this key or a smaller one; ``None`` for no bound.
    """

    after: tuple[str, ...] | None
    up_to: tuple[str, ...] | None

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Range:
        """Read what the web server told.

        :param told: Its words.
        """
        after, up_to = told["after"], told["up_to"]
        return cls(None if after is None else tuple(after), None if up_to is None else tuple(up_to))


@dataclass(frozen=True)
class PlannedTable:
    """How a table is read.

    :param table: Its name.
    :param columns: The columns that are served.
    :param left_out: The columns that are kept secret.
    :param age_column: The column that tells a row's age; ``None`` for a table without one.
    :param since: The first moment (inclusive); ``None`` for no bound.
    :param until: The moment after the last (exclusive), the cut at the latest; ``None`` for a table without an age.
    :param undated: Whether rows without an age come too.
    :param estimated_rows: How many rows the whole table has, about.
    :param ranges: The ranges it is read in, in their order.
    """

    table: str
    columns: tuple[Column, ...]
    left_out: tuple[str, ...]
    age_column: str | None
    since: datetime | None
    until: datetime | None
    undated: bool
    estimated_rows: int
    ranges: tuple[Range, ...]

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> PlannedTable:
        """Read what the web server told.

        :param told: Its words.
        """
        return cls(
            table=told["table"],
            columns=tuple(Column(one["name"], one["type"], one["is_base64"]) for one in told["columns"]),
            left_out=tuple(told["left_out"]),
            age_column=told["age_column"],
            since=_moment(told["since"]),
            until=_moment(told["until"]),
            undated=told["undated"],
            estimated_rows=told["estimated_rows"],
            ranges=tuple(Range.of(one) for one in told["ranges"]),
        )

    def question(self, part: Range, revision: str) -> dict[str, Any]:
        """Write the question for the rows of a range.

        :param part: The range.
        :param revision: The revision of the database that was planned for.
        """
        return {
            "table": self.table,
            "columns": [column.name for column in self.columns],
            "age_column": self.age_column,
            "since": None if self.since is None else self.since.isoformat(),
            "until": None if self.until is None else self.until.isoformat(),
            "undated": self.undated,
            "after": None if part.after is None else list(part.after),
            "up_to": None if part.up_to is None else list(part.up_to),
            "revision": revision,
        }


@dataclass(frozen=True)
class Plan:
    """How an export is read.

    :param environment: The environment's name, as its web server knows it.
    :param airflow_version: Its Airflow's release.
    :param schema_revision: The revision of its database.
    :param snapshot_time: When it was planned.
    :param cut: Rows of this age or younger are left to the next export.
    :param tables: The tables.
    """

    environment: str | None
    airflow_version: str
    schema_revision: str
    snapshot_time: datetime
    cut: datetime
    tables: tuple[PlannedTable, ...]

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Plan:
        """Read what the web server told.

        :param told: Its words.
        """
        return cls(
            environment=told["environment"],
            airflow_version=told["airflow_version"],
            schema_revision=told["schema_revision"],
            snapshot_time=datetime.fromisoformat(told["snapshot_time"]),
            cut=datetime.fromisoformat(told["cut"]),
            tables=tuple(PlannedTable.of(one) for one in told.get("tables", ())),
        )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
