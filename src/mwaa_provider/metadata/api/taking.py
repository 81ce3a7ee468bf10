"""Batches that are archived by who asks: their rows are given first, and removed when they are asked for as they were given.

Taking a batch removes it in a transaction that is rolled back. Removing it does the same again, and the transaction ends well only if
what goes is, row by row, what was given.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

from mwaa_provider.metadata.api.reading import AnswerError
from mwaa_provider.metadata.catalog import Catalog, Table
from mwaa_provider.metadata.cleanup.archive_files import Rows, removing_copy
from mwaa_provider.metadata.cleanup.plan import Sql
from mwaa_provider.metadata.cleanup.sessions import ask

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

#: Bytes of CSV that a batch may have before a smaller one is taken; and what the smallest one may have.
MOST_BYTES, MOST_BYTES_OF_THE_SMALLEST = 8 * 1024 * 1024, 64 * 1024 * 1024
#: Seconds from the taking of a batch until it can be removed no more.
VALID_SECONDS = 120


class TakenError(Exception):
    """A batch was taken, and its transaction is to be rolled back. Never leaves the web server."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__("taken")
        self.answer = answer


class LargeBatchError(Exception):
    """A batch has too many bytes. Never leaves the web server."""


class Counted(Rows):
    """Rows with their digest, which does not depend on their order: the sum of the rows' SHA-256 modulo 2**192.

    :param table: The table.
    :param most_bytes: Of rows with more bytes nothing is kept but the digest.
    """

    def __init__(self, table: Table, most_bytes: int) -> None:
        super().__init__(table)
        self._most_bytes = most_bytes
        self._sum = 0
        self.size = 0

    def take(self, row: bytes) -> None:
        """Keep a row.

        :param row: All of it, and nothing else.
        """
        row = bytes(row)
        self._sum += int.from_bytes(hashlib.sha256(row).digest(), "big")
        self.size += len(row)
        if self.size <= self._most_bytes:  # else it is of no use any more
            super().take(row)

    @property
    def digest(self) -> str:
        """How many rows there are, and their digest."""
        return f"{self.row_count}-{self._sum % 2**192:048x}"


class Taking:
    """Takes the first batch that has rows, or removes it.

    :param catalog: The tables.
    :param digests: Table to the digest of the rows that may be removed; ``None`` if they are to be taken.
    :param until: After this moment of the database's clock nothing is removed.
    :param most_bytes: How many bytes the batch may have.
    """

    is_explicit = True
    waited = 0.0

    def __init__(
        self, catalog: Catalog, digests: Mapping[str, str] | None, until: datetime | None, most_bytes: int
    ) -> None:
        self._catalog = catalog
        self._digests = digests
        self._until = until
        self._most_bytes = most_bytes
        self._taken: list[Counted] = []
        #: Whether something was removed.
        self.is_removed = False

    def begin(self) -> Taking:
        """Begin the removal of one batch."""
        return self

    def __enter__(self) -> Taking:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for rows in self._taken:
            rows.close()
        self._taken = []

    def remove(self, connection: Connection, table: str, alias: str, statement: Sql) -> int:
        """Remove rows, and keep what they held; return how many.

        :param connection: The connection.
        :param table: The table.
        :param alias: What the statement calls its rows.
        :param statement: The ``DELETE``, without ``RETURNING``.
        """
        rows = Counted(self._catalog.tables[table], self._most_bytes)
        self._taken.append(rows)
        count = removing_copy(connection, rows, alias, statement)
        if sum(one.size for one in self._taken) > self._most_bytes:
            raise LargeBatchError
        return count

    def finish(self, connection: Connection) -> None:
        """Roll back what is to be taken, or is not as it was given.

        :param connection: The connection.
        :raises TakenError: with the rows.
        :raises AnswerError: They are not as they were given, or it is too late.
        """
        taken = [rows for rows in self._taken if rows.row_count]
        if not taken:
            return
        if self._digests is None:
            until: Any = ask(connection, f"SELECT clock_timestamp() + interval '{VALID_SECONDS} seconds'").scalar()
            raise TakenError({"until": until.isoformat(), "taken": [_told(rows) for rows in taken]})
        found = {rows.table.name: rows.digest for rows in taken}
        is_late = ask(connection, "SELECT clock_timestamp() > %s::timestamptz", (self._until,)).scalar()
        if is_late or len(found) != len(taken) or found != dict(self._digests):
            raise AnswerError(
                409, "changed_batch", "The batch is not as it was taken, or it is too late. Take it anew."
            )
        self.is_removed = True


def _told(rows: Counted) -> dict[str, Any]:
    packed: IO[bytes]
    with tempfile.SpooledTemporaryFile(MOST_BYTES) as packed:
        with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1, mtime=0) as file:
            for chunk in rows.chunks():
                file.write(chunk)
        packed.seek(0)
        text = base64.b64encode(packed.read()).decode()
    table = rows.table
    return {
        "table": table.name,
        "columns": [asdict(column) for column in table.columns],
        "left_out": list(table.left_out),
        "primary_key": list(table.primary_key),
        "row_count": rows.row_count,
        "digest": rows.digest,
        "rows": text,
    }
