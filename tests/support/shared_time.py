"""Time for many threads at once: it stands still while any of them works and goes on when all of them sleep."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

#: Real seconds after which nobody believes any more that the others still work.
PATIENCE = 120.0


class SharedTime:
    """A clock for the client and for the local MWAA, so that minutes of waiting in hundreds of threads take no time and are exact.

    Only the threads of :meth:`run` make the time go on. One that sleeps while another waits for a lock that it holds would stop the time
    for good: that is a fault of what is tested, and ends with an error.
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
                self._awake -= 1
                self._go_on()

    def sleep(self, seconds: float) -> None:
        woken = threading.Event()
        with self._lock:
            self._number += 1
            heapq.heappush(self._sleepers, (self._seconds + seconds, self._number, woken))
            self._awake -= 1
            self._go_on()
        if not woken.wait(PATIENCE):
            raise TimeoutError("a thread sleeps that nobody wakes: another waits for a lock that it holds")

    def _go_on(self) -> None:
        if self._awake > 0 or not self._sleepers:
            return
        self._seconds = max(self._seconds, self._sleepers[0][0])
        while self._sleepers and self._sleepers[0][0] <= self._seconds:
            _, _, woken = heapq.heappop(self._sleepers)
            self._awake += 1
            woken.set()

    def monotonic(self) -> float:
        return self._seconds

    def time(self) -> float:
        return self._start.timestamp() + self._seconds

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._seconds)
