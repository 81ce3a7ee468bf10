"""An archive of what a clean-up removes: each batch's rows lie in S3, read back and compared, before its transaction may end.

A batch's rows are taken by the very statements that remove them (``COPY (DELETE ... RETURNING ...)``), so what is written is what goes.
If writing fails, the transaction is rolled back. Whether a transaction of a process that was killed has ended well is asked of PostgreSQL
by the next clean-up: until then a note of the batch lies in the archive, under ``pending``.
"""

from __future__ import annotations

import logging
import secrets
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

from mwaa_provider.airflow_compat import airflow_version
from mwaa_provider.exceptions import VerificationError
from mwaa_provider.metadata.catalog import Catalog, Column, Table
from mwaa_provider.metadata.cleanup.archive_target import Target, put
from mwaa_provider.metadata.cleanup.plan import Plan, Sql
from mwaa_provider.metadata.cleanup.sessions import ask, written_out
from mwaa_provider.metadata.copying import copy_to
from mwaa_provider.metadata.export import formats
from mwaa_provider.metadata.export.bucket import address
from mwaa_provider.metadata.export.manifest import ColumnEntry, FileEntry, Manifest
from mwaa_provider.metadata.export.s3_upload import S3Upload
from mwaa_provider.metadata.export.verifying import differences_of
from mwaa_provider.metadata.selecting import quoted

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

log = logging.getLogger(__name__)

#: Bytes of one table's rows of a batch that stay in memory; what is larger waits in a temporary file.
_IN_MEMORY = 4 * 1024 * 1024
_PIECE = 256 * 1024
#: Objects of one batch that are written at a time.
_AT_ONCE = 4


class Archive:
    """The archive of one clean-up.

    :param target: Where it lies.
    :param plan: What will be cleaned.
    :param catalog: The tables, with what of them may leave the database.
    :param environment: The environment's name; ``None`` if it has none.
    """

    def __init__(self, target: Target, plan: Plan, catalog: Catalog, environment: str | None) -> None:
        self.target = target
        #: What tells this clean-up's objects from those of others.
        self.stamp = f"{datetime.now(timezone.utc):%Y-%m-%dT%H%M%SZ}-{secrets.token_hex(4)}"
        #: The manifest's address, once it is written; empty if nothing went.
        self.address = ""
        #: What there is to know, as sentences.
        self.notes: list[str] = []
        self._plan = plan
        self._catalog = catalog
        self._environment = environment
        self._began = datetime.now(timezone.utc)
        self._files: list[FileEntry] = []
        self._pending: list[str] = []
        self._number = 0
        self._lock = threading.Lock()

    def begin(self) -> BatchArchive:
        """Begin the removal of one batch."""
        with self._lock:
            self._number += 1
            return BatchArchive(self, self._catalog, f"{self._number:06d}")

    def manifest(self, files: list[FileEntry], transaction: str = "") -> Manifest:
        """Write down what files hold.

        :param files: The files.
        :param transaction: The transaction that removes these rows, as long as nobody knows how it ended.
        """
        return Manifest(
            environment=self._environment,
            airflow_version=airflow_version(),
            schema_revision=self._catalog.revision,
            road="database",
            road_reason="A clean-up removed these rows.",
            missing=(),
            notes=(f"These rows, older than {self._plan.wanted.before.isoformat()}, are in the database no more.",),
            snapshot_time=self._began,
            since=None,
            until=None,
            file_format="csv",
            compression="gzip",
            bucket=self.target.bucket,
            files=tuple(files),
            exported_by={"clean_up": self.stamp, **({"transaction": transaction} if transaction else {})},
        )

    def gone(self, files: list[FileEntry], pending: str) -> None:
        """Learn that the rows of some files are gone.

        :param files: The files.
        :param pending: The key of the note on them.
        """
        with self._lock:
            self._files += files
            self._pending.append(pending)

    def close(self) -> None:
        """Write the manifest of all that is gone, if anything is."""
        if not self._files:
            return
        key = self.target.key(self.stamp, "manifest.json")
        try:
            put(self.target, key, self.manifest(self._files))
            for pending in self._pending:
                self.target.client.delete_object(Bucket=self.target.bucket, Key=pending)
        except Exception as error:
            note = (
                f"The archive's manifest could not be written; the next clean-up that archives there does it: {error}"
            )
            log.error("%s", note)
            self.notes.append(note)
            return
        self.address = address(self.target.bucket, key)
        log.info("What went is archived: %s", self.address)


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
        self._taken: list[_Rows] = []
        self._files: list[FileEntry] = []
        self._pending = archive.target.key("pending", f"{archive.stamp}-{number}.json")
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
        found = self._catalog.tables[table]
        values = ", ".join(_value_of(column, alias) for column in found.columns)
        rows = _Rows(found)
        self._taken.append(rows)
        driver_connection: Any = connection.connection.dbapi_connection
        rows.row_count = copy_to(
            driver_connection,
            f"COPY ({written_out(statement.text, statement.values)} RETURNING {values}) TO STDOUT WITH (FORMAT csv, ENCODING 'UTF8')",
            rows.take,
        )
        return rows.row_count

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
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="archive") as pool:
            self._files = list(pool.map(self._write, enumerate(taken)))
        manifest = self._archive.manifest(self._files, transaction)
        if differences := differences_of(manifest, self._archive.target.client):
            raise VerificationError(
                "What was read back is not what was written, so nothing of the batch was removed:"
                + "".join(f"\n  - {one}" for one in differences),
                manifest=address(manifest.bucket, self._pending),
                differences=tuple(differences),
            )
        put(self._archive.target, self._pending, manifest)
        self.waited = time.monotonic() - began

    def _write(self, numbered: tuple[int, _Rows]) -> FileEntry:
        place, rows = numbered
        table = rows.table
        target = self._archive.target
        key = target.key(self._archive.stamp, table.name, f"{self._number}-{place}.csv.gz")
        with S3Upload(target.client, target.bucket, key) as upload:
            formats.write_rows(rows, upload, "csv", "gzip")
        stored = upload.stored
        assert stored is not None  # noqa: S101 - for the type checker: the block was left without an error
        return FileEntry(
            table=table.name,
            key=key,
            version_id=stored.version_id,
            columns=tuple(
                ColumnEntry(one.name, one.type, "base64" if one.is_base64 else None) for one in table.columns
            ),
            left_out=table.left_out,
            age_column=None,
            row_count=rows.row_count,
            first_age=None,
            last_age=None,
            size=stored.size,
            sha256=stored.sha256,
        )


class _Rows:
    """The rows of one table that a batch has removed."""

    first_age: str | None = None
    last_age: str | None = None
    fraction: float | None = None

    def __init__(self, table: Table) -> None:
        self.table = table
        self.columns: tuple[Column, ...] = table.columns
        self.row_count = 0
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed with this

    def take(self, row: bytes) -> None:
        self._file.write(row)

    def chunks(self) -> Iterator[bytes]:
        self._file.seek(0)
        yield from iter(lambda: self._file.read(_PIECE), b"")

    def close(self) -> None:
        self._file.close()


def _value_of(column: Column, alias: str) -> str:
    name = f"{alias}.{quoted(column.name)}"
    if column.is_base64:
        # encode() breaks its lines after 76 characters.
        return f"replace(encode({name}, 'base64'), chr(10), '') AS {quoted(column.name)}"
    return name
