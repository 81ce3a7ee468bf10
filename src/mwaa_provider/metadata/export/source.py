"""Where an export's rows come from: the seam between the roads (database, metadata API, REST) and the writer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from mwaa_provider.metadata.catalog import Column

#: The roads, in the order in which ``route="auto"`` looks at them.
ROADS = ("database", "metadata_api", "rest")


@dataclass(frozen=True)
class Asked:
    """Which rows are wanted.

    :param tables: Names of tables, ``"history"`` for all run history; ``None`` for the three of the AWS guide.
    :param since: Rows of this age or younger, in UTC (inclusive); ``None`` for no bound.
    :param until: Rows older than this, in UTC (exclusive); ``None`` for no bound.
    :param age_columns: Table to the column its age is read from, where another than the catalog's is wanted.
    """

    tables: tuple[str, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None
    age_columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TableSelection:
    """The rows of one table that are wanted.

    :param table: The table's name.
    :param columns: Its columns, without those that are kept secret.
    :param age_column: The column that tells a row's age; ``None`` for a table without one, which is exported whole.
    :param since: The first moment, in UTC (inclusive); ``None`` for no bound.
    :param until: The moment after the last, in UTC (exclusive); ``None`` for no bound.
    :param left_out: Columns that are kept secret.
    """

    table: str
    columns: tuple[Column, ...]
    age_column: str | None
    since: datetime | None
    until: datetime | None
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceFacts:
    """What a source says of itself; it goes into the manifest.

    :param environment: The MWAA environment's name; ``None`` where it has none (not on MWAA).
    :param airflow_version: The release of Airflow whose database it is.
    :param schema_revision: The database's revision (Alembic's); ``None`` where the road does not tell.
    :param snapshot_time: The moment whose rows these are, in UTC.
    :param missing: What this road cannot give, as sentences.
    :param notes: What else there is to know, as sentences.
    """

    environment: str | None
    airflow_version: str
    schema_revision: str | None
    snapshot_time: datetime
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class TableRows(Protocol):
    """The rows of one table, on their way. The counts are known when :meth:`chunks` has ended."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns, in the order in which they come."""

    @property
    def row_count(self) -> int:
        """How many rows came."""

    @property
    def first_age(self) -> str | None:
        """The smallest value of the age column, ISO 8601 in UTC."""

    @property
    def last_age(self) -> str | None:
        """The largest value of the age column, ISO 8601 in UTC."""

    @property
    def fraction(self) -> float | None:
        """About how much of them has come, from 0 to 1 and beyond where there are more than were expected; ``None`` where nobody knows."""

    def chunks(self) -> Iterator[bytes]:
        r"""Give CSV exactly as PostgreSQL's ``COPY (FORMAT csv)`` writes it; the borders of chunks lie anywhere.

        UTF-8, no header, ``\n`` between rows, a null is nothing at all, an empty text is ``""``; DateStyle ISO, time zone UTC.
        """


class Source(Protocol):
    """One road to the rows, open for one export."""

    @property
    def road(self) -> str:
        """``database``, ``metadata_api`` or ``rest``."""

    @property
    def facts(self) -> SourceFacts:
        """What it says of itself."""

    def selections(self, asked: Asked) -> tuple[TableSelection, ...]:
        """Find out which tables and columns are meant.

        :param asked: Which rows are wanted.
        :raises InvalidInputError: naming every table that is not there, with the nearest names.
        """

    def open(self, selection: TableSelection) -> AbstractContextManager[TableRows]:
        """Read the rows of one table. May be called from several threads at once.

        :param selection: One of :meth:`selections`.
        """
