"""Time, as the client sees it; tests pass one that they advance by hand."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """A clock that only goes forward."""

    def monotonic(self) -> float:
        """Return the time in seconds since some fixed point."""

    def sleep(self, seconds: float) -> None:
        """Let that many seconds pass.

        :param seconds: How many.
        """


class SystemClock:
    """The machine's own clock."""

    def monotonic(self) -> float:
        """Return the time in seconds since some fixed point."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let that many seconds pass.

        :param seconds: How many.
        """
        time.sleep(seconds)
