"""``COPY ... TO STDOUT`` with whichever driver the release's engine speaks: psycopg2 or psycopg 3."""

from __future__ import annotations

import io
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

#: A COPY hands over a row at a time; so many bytes of them go on together.
CHUNK_BYTES = 512 * 1024
#: So many chunks may lie between the database and whoever reads them. Together with what a chunk may hold this bounds the memory.
_WAITING = 4


class Copied:
    """The answer to one ``COPY ... TO STDOUT``, read ahead in a thread by a few chunks.

    The thread alone uses the connection until :meth:`chunks` has ended. One that is left before its end breaks the connection.

    :param connection: An SQLAlchemy connection to PostgreSQL, in the transaction that is to be read in.
    :param statement: The whole ``COPY`` statement.
    """

    def __init__(self, connection: Connection, statement: str) -> None:
        self._connection = connection
        self._driver_connection: Any = connection.connection.dbapi_connection
        self._statement = statement
        self._ahead: queue.Queue[bytes | BaseException | None] = queue.Queue(_WAITING)
        self._given_up = threading.Event()
        self._thread = threading.Thread(target=self._produce, name="copy", daemon=True)
        #: How many rows PostgreSQL says it has sent; known at the end.
        self.row_count = 0

    def chunks(self) -> Iterator[bytes]:
        """Give the bytes as they come; borders lie anywhere."""
        self._thread.start()
        try:
            while True:
                chunk = self._ahead.get()
                if chunk is None or isinstance(chunk, BaseException):
                    self._thread.join()
                    if chunk is not None:
                        raise chunk
                    return
                yield chunk
        finally:
            self.close()

    def cancel(self) -> None:
        """Have PostgreSQL end it with an error, from any thread."""
        _cancel(self._driver_connection)

    def close(self) -> None:
        """End it if it has not come to its end; then the connection can be used no more. Safe to call twice."""
        if not self._thread.is_alive():
            return
        self._given_up.set()
        self.cancel()
        self._thread.join()
        self._connection.invalidate()

    def _produce(self) -> None:
        try:
            sink = io.BufferedWriter(cast("io.RawIOBase", _Ahead(self._ahead, self._given_up)), CHUNK_BYTES)
            self.row_count = copy_to(self._driver_connection, self._statement, sink.write)
            sink.flush()
            end: BaseException | None = None
        except BaseException as error:
            end = error
        _put(self._ahead, end, self._given_up)


class _Ahead(io.RawIOBase):
    """Where the thread writes to."""

    def __init__(self, ahead: queue.Queue[bytes | BaseException | None], given_up: threading.Event) -> None:
        super().__init__()
        self._ahead = ahead
        self._given_up = given_up

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        if not _put(self._ahead, bytes(data), self._given_up):
            raise BrokenPipeError("nobody reads the copy any more")
        return len(data)


def _put(ahead: queue.Queue[bytes | BaseException | None], item: Any, given_up: threading.Event) -> bool:
    while not given_up.is_set():
        try:
            ahead.put(item, timeout=0.2)
        except queue.Full:
            continue
        return True
    return False


def _cancel(driver_connection: Any) -> None:
    with suppress(Exception):  # it may be gone already, and is closed next
        driver_connection.cancel()


def copy_to(driver_connection: Any, statement: str, write: Callable[[bytes], Any]) -> int:
    """Run a ``COPY ... TO STDOUT`` and give every piece of its answer to a function; return the number of rows.

    :param driver_connection: A connection of psycopg2 or psycopg 3.
    :param statement: The statement.
    :param write: Takes the pieces, a row each.
    """
    with driver_connection.cursor() as cursor:
        if hasattr(cursor, "copy_expert"):  # psycopg2
            cursor.copy_expert(statement, _Sink(write))
        else:  # psycopg 3
            with cursor.copy(statement) as copy:
                for piece in copy:
                    write(piece)
        return int(cursor.rowcount)


class _Sink:
    def __init__(self, write: Callable[[bytes], Any]) -> None:
        self.write = write
        # copy_expert wants to see a file's both sides.
        self.read = None
