"""The files of an archive: rows that a batch has removed, written to S3, read back, and listed."""

from __future__ import annotations

import logging
import secrets
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import IO, TYPE_CHECKING, Any

from mwaa_provider.exceptions import VerificationError
from mwaa_provider.metadata.catalog import Column, Table
from mwaa_provider.metadata.cleanup.archive_target import Target, put
from mwaa_provider.metadata.cleanup.plan import Sql
from mwaa_provider.metadata.cleanup.sessions import written_out
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


@dataclass(frozen=True)
class Origin:
    """Where archived rows are from.

    :param road: The road.
    :param environment: The environment's name; ``None`` if it has none.
    :param airflow_version: Its release of Airflow.
    :param schema_revision: The revision of its database.
    """

    road: str
    environment: str | None
    airflow_version: str
    schema_revision: str | None


class ArchiveFiles:
    """The files of the archive of one clean-up.

    :param target: Where it lies.
    :param before: What is older goes.
    :param origin: What the manifest says of where the rows are from.
    """

    def __init__(self, target: Target, before: datetime, origin: Origin) -> None:
        self.target = target
        #: What tells this clean-up's objects from those of others.
        self.stamp = f"{datetime.now(timezone.utc):%Y-%m-%dT%H%M%SZ}-{secrets.token_hex(4)}"
        #: The manifest's address, once it is written; empty if nothing went.
        self.address = ""
        #: What there is to know, as sentences.
        self.notes: list[str] = []
        self._before = before
        self._origin = origin
        self._began = datetime.now(timezone.utc)
        self._files: list[FileEntry] = []
        self._pending: list[str] = []
        self._number = 0
        self._lock = threading.Lock()

    def number(self) -> str:
        """Give the next batch a number."""
        with self._lock:
            self._number += 1
            return f"{self._number:06d}"

    def pending(self, number: str) -> str:
        """Name the key of the note on a batch.

        :param number: The batch's number.
        """
        return self.target.key("pending", f"{self.stamp}-{number}.json")

    def write(self, number: str, taken: list[Rows], proof: dict[str, Any]) -> list[FileEntry]:
        """Write a batch, read it back, and leave a note of it; return its files.

        :param number: The batch's number.
        :param taken: Its rows, by table.
        :param proof: By what it can be told later whether they are gone.
        :raises ExportError: S3 failed.
        :raises VerificationError: What was read back is not what was written.
        """
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="archive") as pool:
            files = list(pool.map(lambda numbered: self._write(number, *numbered), enumerate(taken)))
        manifest = self.manifest(files, proof)
        if differences := differences_of(manifest, self.target.client):
            raise VerificationError(
                "What was read back is not what was written, so nothing of the batch was removed:"
                + "".join(f"\n  - {one}" for one in differences),
                manifest=address(manifest.bucket, self.pending(number)),
                differences=tuple(differences),
            )
        put(self.target, self.pending(number), manifest)
        return files

    def manifest(self, files: list[FileEntry], proof: dict[str, Any] | None = None) -> Manifest:
        """Write down what files hold.

        :param files: The files.
        :param proof: By what it can be told whether these rows are gone, as long as nobody knows.
        """
        return Manifest(
            environment=self._origin.environment,
            airflow_version=self._origin.airflow_version,
            schema_revision=self._origin.schema_revision,
            road=self._origin.road,
            road_reason="A clean-up removed these rows.",
            missing=(),
            notes=(f"These rows, older than {self._before.isoformat()}, are in the database no more.",),
            snapshot_time=self._began,
            since=None,
            until=None,
            file_format="csv",
            compression="gzip",
            bucket=self.target.bucket,
            files=tuple(files),
            exported_by={"clean_up": self.stamp, **(proof or {})},
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

    def discard(self, files: list[FileEntry], pending: str) -> None:
        """Remove the files of a batch that was not removed, and the note on it last.

        :param files: The files.
        :param pending: The note's key.
        """
        for key in (*(file.key for file in files), pending):
            self.target.client.delete_object(Bucket=self.target.bucket, Key=key)

    def _write(self, number: str, place: int, rows: Rows) -> FileEntry:
        table = rows.table
        target = self.target
        key = target.key(self.stamp, table.name, f"{number}-{place}.csv.gz")
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


class Rows:
    """The rows of one table that a batch has removed.

    :param table: The table.
    """

    first_age: str | None = None
    last_age: str | None = None
    fraction: float | None = None

    def __init__(self, table: Table) -> None:
        self.table = table
        self.columns: tuple[Column, ...] = table.columns
        self.row_count = 0
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed with this

    def take(self, row: bytes) -> None:
        """Keep some bytes of them.

        :param row: The bytes.
        """
        self._file.write(row)

    def chunks(self) -> Iterator[bytes]:
        """Give all of it."""
        self._file.seek(0)
        yield from iter(lambda: self._file.read(_PIECE), b"")

    def close(self) -> None:
        """Forget it."""
        self._file.close()


def removing_copy(connection: Connection, rows: Rows, alias: str, statement: Sql) -> int:
    """Remove rows, and keep what they held; return how many.

    :param connection: The connection.
    :param rows: Keeps them.
    :param alias: What the statement calls its rows.
    :param statement: The ``DELETE``, without ``RETURNING``.
    """
    values = ", ".join(_value_of(column, alias) for column in rows.columns)
    driver_connection: Any = connection.connection.dbapi_connection
    rows.row_count = copy_to(
        driver_connection,
        f"COPY ({written_out(statement.text, statement.values)} RETURNING {values}) TO STDOUT WITH (FORMAT csv, ENCODING 'UTF8')",
        rows.take,
    )
    return rows.row_count


def _value_of(column: Column, alias: str) -> str:
    name = f"{alias}.{quoted(column.name)}"
    if column.is_base64:
        # encode() breaks its lines after 76 characters.
        return f"replace(encode({name}, 'base64'), chr(10), '') AS {quoted(column.name)}"
    return name
