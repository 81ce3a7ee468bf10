"""An archive of what a clean-up removes: each batch's rows lie in S3, read back and compared, before its transaction may end.

A batch's rows are taken by the very statements that remove them (``COPY (DELETE ... RETURNING ...)``), so what is written is what goes.
If writing fails, the transaction is rolled back. Whether a transaction of a process that was killed has ended well is asked of PostgreSQL
by the next clean-up: until then a note of the batch lies in the archive, under ``pending``.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING

from mwaa_provider.airflow_compat import airflow_version
from mwaa_provider.metadata.catalog import Catalog
from mwaa_provider.metadata.cleanup.archive_files import ArchiveFiles, Origin, Rows, removing_copy
from mwaa_provider.metadata.cleanup.archive_target import Target
from mwaa_provider.metadata.cleanup.plan import Plan, Sql
from mwaa_provider.metadata.cleanup.sessions import ask
from mwaa_provider.metadata.export.manifest import FileEntry

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


class Archive(ArchiveFiles):
    """The archive of one clean-up by the database.

    :param target: Where it lies.
    :param plan: What will be cleaned.
    :param catalog: The tables, with what of them may leave the database.
    :param environment: The environment's name; ``None`` if it has none.
    """

    def __init__(self, target: Target, plan: Plan, catalog: Catalog, environment: str | None) -> None:
        super().__init__(
            target, plan.wanted.before, Origin("database", environment, airflow_version(), catalog.revision)
        )
        self._catalog = catalog

    def begin(self) -> BatchArchive:
        """Begin the removal of one batch."""
        return BatchArchive(self, self._catalog, self.number())


class BatchArchive:
    """The removal of one batch, whose rows are written before it ends.

    :param archive: The archive.
    :param catalog: The tables.
    :param number: The batch's number.
    """

    is_explicit = True

    def __init__(self, archive: Archive, catalog: Catalog, number: str) -> None:
        self._archive = archive
        self._catalog = catalog
        self._number = number
        self._taken: list[Rows] = []
        self._files: list[FileEntry] = []
        self._pending = archive.pending(number)
        self.waited = 0.0

    def __enter__(self) -> BatchArchive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for rows in self._taken:
            rows.close()
        if error is None and self._files:
            self._archive.gone(self._files, self._pending)

    def remove(self, connection: Connection, table: str, alias: str, statement: Sql) -> int:
        """Remove rows, and keep what they held; return how many.

        :param connection: The connection.
        :param table: The table.
        :param alias: What the statement calls its rows.
        :param statement: The ``DELETE``, without ``RETURNING``.
        """
        rows = Rows(self._catalog.tables[table])
        self._taken.append(rows)
        return removing_copy(connection, rows, alias, statement)

    def finish(self, connection: Connection) -> None:
        """Write all of it, read it back, and leave a note of the transaction.

        :param connection: The connection.
        :raises ExportError: S3 failed.
        :raises VerificationError: What was read back is not what was written.
        """
        taken = [rows for rows in self._taken if rows.row_count]
        if not taken:
            return
        transaction = str(ask(connection, "SELECT txid_current()").scalar())
        began = time.monotonic()
        self._files = self._archive.write(self._number, taken, {"transaction": transaction})
        self.waited = time.monotonic() - began
