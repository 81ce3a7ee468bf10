"""The road through the database: all tables of an export from one read-only snapshot, several at a time where that can be."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timezone
from typing import TYPE_CHECKING, Any

from mwaa_provider.airflow_compat import airflow_version
from mwaa_provider.exceptions import MetadataDatabaseError
from mwaa_provider.metadata.catalog import Catalog, Column, Table
from mwaa_provider.metadata.copying import Copied
from mwaa_provider.metadata.database import MetadataDatabase, TimeLimits, begin_snapshot
from mwaa_provider.metadata.export.source import Asked, SourceFacts, TableSelection
from mwaa_provider.metadata.selecting import copy_statement, estimate_statement, summary_statement

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

log = logging.getLogger(__name__)


class DatabaseSource:
    """An open snapshot of the metadata database; see :func:`open_database`.

    :param database: The way to the database.
    :param connection: The connection whose transaction is the snapshot.
    :param limits: How long the database may take.
    :param environment: The environment's name, for the manifest.
    :param version: The release of Airflow whose database it is.
    """

    road = "database"

    def __init__(
        self,
        database: MetadataDatabase,
        connection: Connection,
        limits: TimeLimits,
        environment: str | None,
        version: str,
    ) -> None:
        self._database = database
        self._limits = limits
        self._first = connection
        self._first_is_free = threading.Lock()
        self._exported: str | None = None
        notes: tuple[str, ...] = ()
        try:
            self._exported = _scalar(connection, "SELECT pg_export_snapshot()")
            self._check_that_it_is_imported()
        except Exception as error:
            notes = (
                f"The snapshot cannot be shared between connections ({_first_line(error)}): tables are read one after another.",
            )
            log.info("%s", notes[0])
            if self._exported is None:  # the transaction is spoilt; nothing has been read in it
                begin_snapshot(connection, limits)
            self._exported = None
        self.catalog = Catalog.read(connection, database.schema)
        self.facts = SourceFacts(
            environment=environment,
            airflow_version=version,
            schema_revision=self.catalog.revision,
            snapshot_time=_scalar(connection, "SELECT now()").astimezone(timezone.utc),
            notes=notes,
        )

    @property
    def is_parallel(self) -> bool:
        """Whether tables can be read several at a time."""
        return self._exported is not None

    def selections(self, asked: Asked) -> tuple[TableSelection, ...]:
        """Find out which tables and columns are meant; see :class:`mwaa_provider.metadata.export.source.Source`."""
        return self.catalog.selections(asked)

    @contextmanager
    def open(self, selection: TableSelection) -> Iterator[DatabaseRows]:
        """Read the rows of one table; a second table at the same time gets a connection of its own into the same snapshot."""
        table = self.catalog.tables[selection.table]
        is_first = self._first_is_free.acquire(blocking=self._exported is None)
        try:
            if is_first:
                with closing(DatabaseRows(self._first, table, selection)) as rows:
                    yield rows
            else:
                with (
                    self._database.snapshot(self._limits, self._exported) as connection,
                    closing(DatabaseRows(connection, table, selection)) as rows,
                ):
                    yield rows
        finally:
            if is_first:
                self._first_is_free.release()

    def _check_that_it_is_imported(self) -> None:
        with self._database.snapshot(self._limits, self._exported):
            pass


class DatabaseRows:
    """The rows of one table; see :class:`mwaa_provider.metadata.export.source.TableRows`.

    :param connection: A connection in the snapshot.
    :param table: The table.
    :param selection: Which rows of it.
    """

    def __init__(self, connection: Connection, table: Table, selection: TableSelection) -> None:
        self._connection = connection
        self._table = table
        self._selection = selection
        self._copied = Copied(connection, copy_statement(table, selection))
        self.columns: tuple[Column, ...] = selection.columns
        self.row_count = 0
        self.first_age: str | None = None
        self.last_age: str | None = None
        self._rows_so_far = 0
        self._expected = 0

    @property
    def fraction(self) -> float | None:
        """About how much has come, by PostgreSQL's estimate of the rows; a line break within a value counts as a row here."""
        return self._rows_so_far / self._expected if self._expected else None

    def chunks(self) -> Iterator[bytes]:
        """Give the CSV as PostgreSQL writes it.

        :raises MetadataDatabaseError: PostgreSQL ended it: a time limit, a lost connection, a missing permission.
        """
        try:
            ((plan,),) = self._connection.exec_driver_sql(estimate_statement(self._table, self._selection)).one()
            self._expected = int(plan["Plan"]["Plan Rows"])
            for chunk in self._copied.chunks():
                self._rows_so_far += chunk.count(b"\n")
                yield chunk
            self.row_count = self._copied.row_count
            row = self._connection.exec_driver_sql(summary_statement(self._table, self._selection)).one()
        except Exception as error:
            raise MetadataDatabaseError(
                f"Table {self._table.name!r} could not be read: {_first_line(error)}.", origin="the snapshot"
            ) from error
        counted, self.first_age, self.last_age = row
        if counted != self.row_count:
            raise MetadataDatabaseError(
                f"Table {self._table.name!r}: {self.row_count} rows came of {counted} that the same snapshot counts.",
                origin="the snapshot",
            )

    def abort(self) -> None:
        """End the reading, from any thread: PostgreSQL may be looking for the first row still."""
        self._copied.cancel()

    def close(self) -> None:
        """Leave the connection to others, even if the rows were not read to their end."""
        self._copied.close()


@contextmanager
def open_database(
    database: MetadataDatabase,
    *,
    limits: TimeLimits | None = None,
    environment: str | None = None,
    version: str | None = None,
) -> Iterator[DatabaseSource]:
    """Open a snapshot, and end it.

    :param database: The way to the database.
    :param limits: How long the database may take.
    :param environment: The environment's name, for the manifest (default: this MWAA environment's).
    :param version: The release of Airflow whose database it is (default: this Airflow's).
    :raises MetadataDatabaseError: The database cannot be reached.
    """
    limits = limits or TimeLimits()
    with database.snapshot(limits) as connection:
        yield DatabaseSource(
            database,
            connection,
            limits,
            # set in every MWAA container, see aws/amazon-mwaa-docker-images
            environment or os.environ.get("AIRFLOW_ENV_NAME") or None,
            version or airflow_version(),
        )


def _scalar(connection: Connection, query: str) -> Any:
    return connection.exec_driver_sql(query).scalar()


def _first_line(error: Exception) -> str:
    return (str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__])[0]
