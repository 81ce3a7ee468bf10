"""The time a local MWAA lives by: token life times, rates and scripted runs all ask it, so a test can move it."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta, timezone
from typing import Protocol


class Clock(Protocol):
    """What tells the time and passes it."""

    def now(self) -> datetime:
        """Return the time, aware and in UTC."""

    def sleep(self, seconds: float) -> None:
        """Let time pass.

        :param seconds: How long, in seconds.
        """


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the time, aware and in UTC."""
        return datetime.now(timezone.utc)

    def sleep(self, seconds: float) -> None:
        """Let time pass.

        :param seconds: How long, in seconds.
        """
        time.sleep(seconds)


class ManualClock:
    """A clock that stands still until it is told to go on; sleeping on it advances it and returns at once.

    :param start: The time it shows at first; the present when not given.
    """

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime.now(timezone.utc)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the time, aware and in UTC."""
        with self._lock:
            return self._now

    def advance(self, seconds: float) -> None:
        """Move the time forward.

        :param seconds: How far, in seconds.
        """
        with self._lock:
            self._now += timedelta(seconds=seconds)

    def sleep(self, seconds: float) -> None:
        """Move the time forward, as :meth:`advance` does.

        :param seconds: How far, in seconds.
        """
        self.advance(seconds)
