"""Where a piece of work is, and the batches of it that wait for their turn."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mwaa_provider.metadata.cleanup.report import Left, Report

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from mwaa_provider.metadata.cleanup.aged_batches import Key

#: Does something to a connection, and leaves it without a transaction.
Job = Callable[["Connection"], None]


@dataclass(frozen=True)
class Place:
    """Where a piece of work is: all there is to know for going on from there, elsewhere or later.

    :param after: The key up to which all is done; ``None`` for the beginning.
    :param rows: How many rows the next batch takes; ``None`` for as many as the first one does.
    :param per_run: How many task instances a run is likely to have.
    """

    after: Key | None = None
    rows: int | None = None
    per_run: float = 1.0


class WaitingBatches:
    """Batches that wait: parts of one that was split, to be done next; what was put back, to be tried once more when all else is done.

    :param report: Is told of what is not tried again.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._next: list[Job] = []
        self._again: list[tuple[Job, Left]] = []
        self._lock = threading.Lock()

    def do_next(self, *jobs: Job) -> None:
        """Have batches done before all others.

        :param jobs: The batches.
        """
        with self._lock:
            self._next[:0] = jobs

    def put_back(self, left: Left, again: Job | None) -> None:
        """Put a batch back until all else is done.

        :param left: What is listed if it comes to nothing.
        :param again: The batch; ``None`` if it is not tried again.
        """
        with self._lock:
            if again is None:
                self._report.left.append(left)
            else:
                self._again.append((again, left))

    def take(self) -> Job | None:
        """Take a part of a batch that was split; ``None`` if there is none."""
        with self._lock:
            return self._next.pop(0) if self._next else None

    def take_again(self) -> Job | None:
        """Take a batch that was put back; ``None`` if there is none."""
        with self._lock:
            return self._again.pop(0)[0] if self._again else None

    @property
    def has_next(self) -> bool:
        """Whether parts of a batch that was split wait to be done."""
        return bool(self._next)

    def finish(self) -> None:
        """List what was not tried once more."""
        with self._lock:
            self._report.left += [left for _, left in self._again]
            self._again = []
