"""How a batch's rows are removed: just so, or written to an archive first."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from mwaa_provider.metadata.cleanup.plan import Sql
from mwaa_provider.metadata.cleanup.sessions import ask

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


class Removal(Protocol):
    """The removal of one batch, in its transaction; a ``with`` block around that of the transaction tells it how that ended."""

    def __enter__(self) -> Removal:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Learn whether the transaction has ended well."""

    @property
    def is_explicit(self) -> bool:
        """Whether every row has to be removed by a statement, and none by a foreign key."""

    @property
    def waited(self) -> float:
        """Seconds that were spent on other things than the database."""

    def remove(self, connection: Connection, table: str, alias: str, statement: Sql) -> int:
        """Remove rows; return how many.

        :param connection: The connection.
        :param table: The table.
        :param alias: What the statement calls its rows.
        :param statement: The ``DELETE``, without ``RETURNING``.
        """

    def finish(self, connection: Connection) -> None:
        """Do what has to be done before the transaction may end well; what it raises rolls all of it back.

        :param connection: The connection.
        """


class Removals(Protocol):
    """Begins removals."""

    def begin(self) -> Removal:
        """Begin the removal of one batch."""


class _Plain:
    """Removes rows, and that is all."""

    is_explicit = False
    waited = 0.0

    def begin(self) -> _Plain:
        """Begin the removal of one batch."""
        return self

    def __enter__(self) -> _Plain:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def remove(self, connection: Connection, table: str, alias: str, statement: Sql) -> int:
        """Remove rows; return how many.

        :param connection: The connection.
        :param table: The table.
        :param alias: What the statement calls its rows.
        :param statement: The ``DELETE``.
        """
        count: int = ask(connection, statement.text, statement.values).rowcount
        return count

    def finish(self, connection: Connection) -> None:
        """Do nothing more.

        :param connection: The connection.
        """


#: Removes rows, and that is all.
PLAIN = _Plain()
