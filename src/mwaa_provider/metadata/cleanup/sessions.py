"""The transactions of a clean-up: short, with limits, and with what may be wrong told apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mwaa_provider.metadata.database import TimeLimits
from mwaa_provider.metadata.selecting import SETTINGS, literal

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, CursorResult

#: Batches are looked up by keys. Statistics of a table that has just lost most of its rows, or was never analysed, may tell the planner
#: to read all of it instead; compiling such a plan takes longer than the batch.
_BY_INDEX = (
    "SET LOCAL enable_hashjoin = off",
    "SET LOCAL enable_mergejoin = off",
    "SET LOCAL enable_seqscan = off",
    "SET LOCAL jit = off",
    "SET LOCAL max_parallel_workers_per_gather = 0",
)

#: What PostgreSQL answers where a part of a batch stands in the way of the rest; a smaller batch may do.
#: https://www.postgresql.org/docs/current/errcodes-appendix.html
_STANDS_IN_THE_WAY = {
    "55P03": "locked by another transaction",
    "57014": "not done within statement_timeout",
    "40P01": "locked by another transaction",
    "40001": "changed by another transaction",
    "23503": "something that stays refers to it",
    "23001": "something that stays refers to it",
}


@dataclass(frozen=True)
class Limits:
    """How long one batch may take.

    :param statement: Seconds for one statement (default 10).
    :param lock: Seconds to wait for a lock (default 0.5).
    """

    statement: float = 10.0
    lock: float = 0.5


class BatchBlockedError(Exception):
    """Something stands in the way of a batch; nothing of it was done. Never leaves the engine.

    :param why: What.
    :param is_slow: Whether it took too long.
    """

    def __init__(self, why: str, *, is_slow: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.is_slow = is_slow


@contextmanager
def batch(connection: Connection, limits: Limits, *, by_index: bool = False) -> Iterator[None]:
    """Run one batch in a transaction of its own: all of it, or nothing.

    :param connection: The connection; nothing may be under way in it.
    :param limits: How long it may take.
    :param by_index: Whether the planner is to go by indexes alone.
    :raises BatchBlockedError: Something stands in the way; nothing was done.
    """
    times = TimeLimits(statement=limits.statement, idle=60.0, lock=limits.lock)
    try:
        with connection.begin():
            _set(connection, [*SETTINGS, *times.statements(), *(_BY_INDEX if by_index else ())])
            yield
    except Exception as error:  # SQLAlchemy's, or within a COPY the driver's own
        source = getattr(error, "orig", None) or error
        state = getattr(source, "sqlstate", None) or getattr(source, "pgcode", None)
        why = _STANDS_IN_THE_WAY.get(str(state))
        if why is None:
            raise
        raise BatchBlockedError(why, is_slow=state == "57014") from error


_SETTING = re.compile(r"SET LOCAL (\w+) = '?([^']*)'?")


def _set(connection: Connection, settings: Sequence[str]) -> None:
    """Make all settings by one statement: psycopg 3 sends no more than one at a time."""
    found = [(one[1], one[2]) for one in map(_SETTING.fullmatch, settings) if one is not None]
    calls = ", ".join(["set_config(%s, %s, true)"] * len(found))
    ask(connection, f"SELECT {calls}", [part for pair in found for part in pair])


def written_out(text: str, values: Sequence[Any]) -> str:
    """Write a statement with its values in it, for ``COPY``, which takes none.

    :param text: The statement, with ``%s`` for its values, each of which is cast to its type there.
    :param values: The values: texts, numbers, moments and lists of texts or numbers.
    """
    given = iter(values)
    return _PLACEHOLDER.sub(lambda found: _written(next(given)) if found[0] == "%s" else "%", text)


def _written(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        quoted = ('"' + str(one).replace("\\", "\\\\").replace('"', '\\"') + '"' for one in value)
        return literal("{" + ",".join(quoted) + "}")
    return literal(value.isoformat() if isinstance(value, datetime) else str(value))


_PLACEHOLDER = re.compile(r"%[%s]")


def ask(connection: Connection, statement: str, values: Sequence[Any] = ()) -> CursorResult[Any]:
    """Run a statement whose values may be lists.

    SQLAlchemy 1.4 takes a tuple that begins with a list for the values of many statements, so each value gets a name.

    :param connection: The connection.
    :param statement: The statement, with ``%s`` for its values.
    :param values: The values.
    """
    names = (f"%(v{number})s" for number in range(len(values)))
    named = _PLACEHOLDER.sub(lambda found: next(names) if found[0] == "%s" else found[0], statement)
    return connection.exec_driver_sql(named, {f"v{number}": value for number, value in enumerate(values)})
