"""How much one batch takes, how long a clean-up goes on, and how it is ended."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from mwaa_provider.metadata.cleanup.sessions import Limits


@dataclass(frozen=True)
class Settings:
    """How a clean-up goes about it.

    :param batch_size: The most rows that a batch takes (default: as many as it can in its time).
    :param batch_seconds: How long a batch should take (default 0.5).
    :param limits: How long a statement may take, and the waiting for a lock.
    :param pause_between_batches: Seconds to leave to others after each batch (default 0).
    :param max_duration: Seconds after which no further batch begins (default: no limit).
    :param parallel: How many connections work side by side (default 1).
    """

    batch_size: int | None = None
    batch_seconds: float = 0.5
    limits: Limits = field(default_factory=Limits)
    pause_between_batches: float = 0.0
    max_duration: float | None = None
    parallel: int = 1


class Stop:
    """Ends a clean-up between two batches, from any thread or from a signal handler."""

    def __init__(self) -> None:
        self._event = threading.Event()
        #: Why it ends; empty as long as it does not.
        self.why = ""

    def ask(self, why: str) -> None:
        """Have no further batch begin.

        :param why: Why, for the report.
        """
        self.why = self.why or why
        self._event.set()

    @property
    def is_asked(self) -> bool:
        """Whether it is to end."""
        return self._event.is_set()

    def wait(self, seconds: float) -> None:
        """Wait, but not if it is to end.

        :param seconds: How long.
        """
        if seconds > 0:
            self._event.wait(seconds)


class Pace:
    """How many rows the next batch takes, so that it takes about as long as it should.

    :param most: The most that it may take.
    :param seconds: How long a batch should take.
    :param start: How many rows the first batch takes.
    """

    def __init__(self, most: int, seconds: float, start: int = 1000) -> None:
        self._most = most
        self._seconds = seconds
        self._rows = float(min(start, most))
        self._lock = threading.Lock()

    @property
    def rows(self) -> int:
        """How many rows the next batch takes."""
        return max(1, int(self._rows))

    def learn(self, asked: int, seconds: float, *, is_full: bool = True) -> None:
        """Learn from a batch.

        :param asked: How many rows it was to take.
        :param seconds: How long it took.
        :param is_full: Whether there were that many; one that found fewer says nothing of what more would cost.
        """
        factor = min(2.0, max(0.25, self._seconds / max(seconds, 0.001)))
        if factor > 1 and not is_full:
            return
        with self._lock:
            self._rows = min(float(self._most), max(1.0, asked * factor))
