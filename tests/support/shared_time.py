"""Time for many threads at once: it stands still while any of them works and goes on when all of them sleep."""

from __future__ import annotations

import heapq
import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

#: Real seconds after which nobody believes any more that the others still work.
PATIENCE = 120.0


class SharedTime:
    """A clock for the client and for the local MWAA, so that minutes of waiting in hundreds of threads take no time and are exact.

    Only the threads of :meth:`run` make the time go on. Those that wait for a lock of :meth:`lock` count as asleep; with another lock, one
    that sleeps while another waits for a lock that it holds would stop the time for good, and ends with an error.
    """

    def __init__(self) -> None:
        self._start = datetime(2026, 1, 1, tzinfo=timezone.utc)
        self._seconds = 0.0
        self._awake = 0
        self._sleepers: list[tuple[float, int, threading.Event]] = []
        self._number = 0
        self._lock = threading.Lock()

    def run(self, tasks: list[Callable[[], Any]]) -> None:
        """Run each task in a thread of its own, all at once, to their ends.

        :param tasks: What to do; a task keeps its own result.
        :raises TimeoutError: if they wait for each other.
        """
        self._awake = len(tasks)
        threads = [threading.Thread(target=self._run_one, args=(task,), daemon=True) for task in tasks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(2 * PATIENCE)  # longer than a sleeper's, who can say more
            if thread.is_alive():
                raise TimeoutError(f"a thread works or waits for ever, at second {self._seconds} of the clock")

    def _run_one(self, task: Callable[[], Any]) -> None:
        try:
            task()
        finally:
            with self._lock:
                self._fall_asleep()

    def lock(self) -> SharedTimeLock:
        """A lock in place of ``threading.Lock()`` for what may sleep while it holds one."""
        return SharedTimeLock(self)

    def sleep(self, seconds: float) -> None:
        woken = threading.Event()
        with self._lock:
            self._number += 1
            heapq.heappush(self._sleepers, (self._seconds + seconds, self._number, woken))
            self._fall_asleep()
        if not woken.wait(PATIENCE):
            raise TimeoutError("a thread sleeps that nobody wakes: another waits for a lock that it holds")

    def _fall_asleep(self) -> None:
        self._awake -= 1
        self._go_on()

    def _wake(self, woken: threading.Event) -> None:
        self._awake += 1
        woken.set()

    def _go_on(self) -> None:
        if self._awake > 0 or not self._sleepers:
            return
        self._seconds = max(self._seconds, self._sleepers[0][0])
        while self._sleepers and self._sleepers[0][0] <= self._seconds:
            self._wake(heapq.heappop(self._sleepers)[2])

    def monotonic(self) -> float:
        return self._seconds

    def time(self) -> float:
        return self._start.timestamp() + self._seconds

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._seconds)


class SharedTimeLock:
    """A lock that lets the time go on while threads wait for it; it is handed on in the order in which they came.

    :param time: The time.
    """

    def __init__(self, time: SharedTime) -> None:
        self._time = time
        self._held = False
        self._waiting: deque[threading.Event] = deque()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        assert timeout <= 0, "this lock knows no waiting for a while"
        with self._time._lock:
            if not self._held:
                self._held = True
                return True
            if not blocking or timeout == 0:
                return False
            woken = threading.Event()
            self._waiting.append(woken)
            self._time._fall_asleep()
        if not woken.wait(PATIENCE):
            raise TimeoutError("a thread waits for a lock that nobody gives back")
        return True

    def release(self) -> None:
        with self._time._lock:
            if self._waiting:
                self._time._wake(self._waiting.popleft())
            else:
                self._held = False

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()
