"""Ending an export from outside: a task that is killed, a table that failed while others are under way."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from mwaa_provider.exceptions import ExportError

log = logging.getLogger(__name__)


class Abortable(Protocol):
    """What is under way: an upload, a reading."""

    def abort(self) -> None:
        """End it, from any thread."""


class Stop:
    """Knows what is under way, and aborts it when told to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: list[Abortable] = []
        self._is_set = False

    @contextmanager
    def watching(self, one: object) -> Iterator[None]:
        """Abort something if the export is to end meanwhile.

        :param one: An upload or a reading; one that cannot be aborted ends by itself when it is asked for more.
        """
        if not hasattr(one, "abort"):
            yield
            return
        abortable: Abortable = one
        with self._lock:
            self._under_way.append(abortable)
            is_set = self._is_set
        try:
            if is_set:
                abortable.abort()
            yield
        finally:
            with self._lock:
                self._under_way.remove(abortable)

    def now(self) -> None:
        """End the export: abort what is under way, uploads first, and have nothing further begin."""
        self._is_set = True
        with self._lock:
            under_way = list(self._under_way)
        for one in under_way:
            try:
                one.abort()
            except Exception as error:
                log.warning("What is under way could not be aborted: %s", error)

    def within(self, seconds: float) -> None:
        """Do that from a signal handler, so in the middle of anything: in a thread, with a limit.

        :param seconds: How long to wait for it.
        """
        self._is_set = True
        thread = threading.Thread(target=self.now, name="abort-uploads", daemon=True)
        thread.start()
        thread.join(seconds)

    def check(self) -> None:
        """Go no further if the export is to end.

        :raises ExportError: It is.
        """
        if self._is_set:
            raise ExportError("The export was ended before its manifest was written.", bucket="", key="")
