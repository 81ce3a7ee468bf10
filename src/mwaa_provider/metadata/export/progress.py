"""How far an export is: told to whoever wants to know, and to the log."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator

from mwaa_provider.metadata.catalog import Column
from mwaa_provider.metadata.export.source import TableRows
from mwaa_provider.metadata.export.stopping import Stop

log = logging.getLogger(__name__)

#: Seconds between two lines of progress.
PROGRESS_SECONDS = 15.0
_MIB = 1024 * 1024

#: Told of a table, how many bytes of its rows have come, and how much of it that is, from 0 to 1 (``None`` where nobody knows). The road
#: estimates, so that a table may be whole sooner; 1 is told once, when it is.
Progress = Callable[[str, int, "float | None"], None]


class WatchedRows:
    """Rows that tell how many of them have come, and stop when they are to.

    :param rows: The rows.
    :param table: Whose.
    :param stop: Ends it from outside.
    :param progress: Is told.
    """

    def __init__(self, rows: TableRows, table: str, stop: Stop, progress: Progress | None) -> None:
        self._rows = rows
        self._table = table
        self._stop = stop
        self._progress = progress
        #: How many bytes have come.
        self.size = 0
        self.columns: tuple[Column, ...] = rows.columns

    @property
    def row_count(self) -> int:
        """How many rows came."""
        return self._rows.row_count

    @property
    def first_age(self) -> str | None:
        """The smallest value of the age column."""
        return self._rows.first_age

    @property
    def last_age(self) -> str | None:
        """The largest value of the age column."""
        return self._rows.last_age

    @property
    def fraction(self) -> float | None:
        """How much of the table has come."""
        return self._rows.fraction

    def chunks(self) -> Iterator[bytes]:
        """Give them on.

        :raises ExportError: It was to stop.
        """
        began = told = time.monotonic()
        for chunk in self._rows.chunks():
            self._stop.check()
            self.size += len(chunk)
            fraction = self._rows.fraction
            # An estimate that was too low must not look like the end.
            fraction = None if fraction is None else min(fraction, 0.99)
            if self._progress is not None:
                self._progress(self._table, self.size, fraction)
            now = time.monotonic()
            if now - told >= PROGRESS_SECONDS:
                told = now
                log.info(
                    "%s: %.0f MiB of rows so far%s, %.1f MiB/s",
                    self._table,
                    self.size / _MIB,
                    "" if fraction is None else f" (about {fraction:.0%})",
                    self.size / _MIB / (now - began),
                )
            yield chunk
        if self._progress is not None:
            self._progress(self._table, self.size, 1.0)
