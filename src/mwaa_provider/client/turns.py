"""Turns at something that few may use at once."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Lets so many threads in at a time as each of them is content with."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._changed = threading.Condition()
        self._inside = 0

    @contextmanager
    def take(self, *, at_once: int, seconds: float) -> Iterator[None]:
        """Wait for a turn, and hold it in a ``with`` statement.

        :param at_once: How many may be inside together with the caller, the caller included.
        :param seconds: How long to wait at most, by the machine's own clock: threads cannot wait by another.
        :raises TimeoutError: if there was no turn in that time.
        """
        if self._pid != os.getpid():  # a forked process has none of the threads that were inside
            self._begin()
        with self._changed:
            if not self._changed.wait_for(lambda: self._inside < at_once, seconds):
                raise TimeoutError(f"no turn within {seconds:g} seconds")
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()
