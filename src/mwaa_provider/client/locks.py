"""Locks that a forked process can trust, and values that are made once for all who wait.

Celery's workers and gunicorn fork. The child has the parent's locks but not its threads, so a lock that one of them held is never released.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from typing import Generic, TypeVar

from mwaa_provider.exceptions import MwaaError

Value = TypeVar("Value")


class ForkSafeLock:
    """A ``threading.Lock`` that is free in a forked process."""

    def __init__(self) -> None:
        self.renew()
        _all_locks.add(self)

    def renew(self) -> None:
        """Be free, whoever held it."""
        self._lock = threading.Lock()

    def acquire(self, timeout: float = -1) -> bool:
        """Take the lock, and tell whether it was had.

        :param timeout: Seconds to wait at most (default: no limit).
        """
        return self._lock.acquire(timeout=timeout)

    def release(self) -> None:
        """Give the lock back."""
        self._lock.release()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


_all_locks: weakref.WeakSet[ForkSafeLock] = weakref.WeakSet()


def _renew_all() -> None:
    for lock in list(_all_locks):
        lock.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)


class Slot(Generic[Value]):
    """The place of one value that is made when it is needed, by one thread for all that wait.

    If making it fails, it has failed for all that waited; else each of them would try in its turn, however long that takes.
    """

    def __init__(self) -> None:
        self._lock = ForkSafeLock()
        self._times_tried = 0
        self._failure: MwaaError | None = None
        self._value: Value | None = None

    def get(self, is_good: Callable[[Value], bool], make: Callable[[], Value]) -> tuple[Value, bool]:
        """Return the value, and whether it was made for this.

        :param is_good: Tells whether the value that is there will do.
        :param make: Makes another.
        :raises MwaaError: what ``make`` raised, here or in the thread that this one waited for.
        """
        times_tried = self._times_tried
        with self._lock:
            if self._value is not None and is_good(self._value):
                return self._value, False
            if self._times_tried != times_tried and self._failure is not None:
                raise self._failure.with_note("(Another thread was told so while this one waited for it.)")
            self._value = self._failure = None
            try:
                self._value = make()
            except MwaaError as error:
                self._failure = error
                raise
            finally:
                self._times_tried += 1
            return self._value, True

    def forget(self, value: Value) -> None:
        """Drop a value that turned out to be bad (unless there is a newer one).

        :param value: The value.
        """
        with self._lock:
            if self._value is value:
                self._value = None
