"""The progress bar of ``mwaa export run``: a line for each table that is whole, and a bar for those that are on their way."""

from __future__ import annotations

import threading
from collections.abc import Callable

_MIB = 1024 * 1024
_WIDTH = 30
#: Back to the line's beginning, and empty it.
_AGAIN = "\r\x1b[K"


class ExportBar:
    """Draws how far an export is; called from the threads that export.

    :param write: Writes to the terminal, without a line break of its own.
    """

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._running: dict[str, tuple[int, float | None]] = {}
        self._lock = threading.Lock()

    def show(self, table: str, size: int, fraction: float | None) -> None:
        """Draw it anew.

        :param table: The table of which more has come.
        :param size: Bytes of its rows until now.
        :param fraction: How much of it that is, from 0 to 1; ``None`` if nobody knows.
        """
        with self._lock:
            if fraction == 1.0:
                self._running.pop(table, None)
                self._write(f"{_AGAIN}{table}: {size / _MIB:,.1f} MiB of rows\n{self._line()}")
            else:
                self._running[table] = (size, fraction)
                self._write(_AGAIN + self._line())

    def end(self) -> None:
        """Leave a terminal on which the next line can begin."""
        with self._lock:
            self._write(_AGAIN)

    def _line(self) -> str:
        if not self._running:
            return ""
        names = list(self._running)
        sizes = sum(size for size, _ in self._running.values())
        label = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
        # What all of them will be, by how far each is: large tables count for more.
        expected = sum(size / fraction if fraction else 0 for size, fraction in self._running.values())
        if not expected or any(fraction is None for _, fraction in self._running.values()):
            return f"{label}: {sizes / _MIB:,.1f} MiB"
        done = min(sizes / expected, 0.99)
        return f"{label} [{'#' * int(done * _WIDTH):-<{_WIDTH}}] {done:4.0%}  {sizes / _MIB:,.1f} MiB"
