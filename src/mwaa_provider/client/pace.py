"""The pace of IAM calls: MWAA takes 10 InvokeRestApi calls a second from an environment's callers together.

https://docs.aws.amazon.com/mwaa/latest/userguide/access-mwaa-apache-airflow-rest-api.html
"""

from __future__ import annotations

from mwaa_provider.client.clock import Clock
from mwaa_provider.client.locks import ForkSafeLock

#: Evenly spaced, so that in no second more than 10 arrive, even if some are delayed on their way.
MOST_CALLS_PER_SECOND = 9.0
FEWEST_CALLS_PER_SECOND = 1.0
#: So many calls in a row that had to wait are no burst any more.
_MANY = 10


class Pace:
    """Gives each call its turn, evenly spaced over all threads.

    Other processes call too, and nobody sees their calls: whoever is throttled halves the pace, and each second without that adds one
    call a second to it, so that processes come to share what there is.

    :param clock: The clock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next_turn = clock.monotonic()
        self._calls_per_second = MOST_CALLS_PER_SECOND
        self._changed_at = self._next_turn
        self._waited_in_a_row = 0
        self._lock = ForkSafeLock()

    @property
    def is_too_slow(self) -> bool:
        """Whether more is asked of it than it gives: the last calls all had to wait for their turns."""
        with self._lock:
            return self._waited_in_a_row >= _MANY

    def take_turn(self) -> None:
        """Wait for the next free turn."""
        with self._lock:
            now = self._clock.monotonic()
            self._calls_per_second = min(
                MOST_CALLS_PER_SECOND, self._calls_per_second + max(0.0, now - self._changed_at)
            )
            self._changed_at = max(now, self._changed_at)
            turn = max(self._next_turn, now)
            self._waited_in_a_row = self._waited_in_a_row + 1 if turn > now else 0
            self._next_turn = turn + 1 / self._calls_per_second
        pause = turn - self._clock.monotonic()
        if pause > 0:
            self._clock.sleep(pause)

    def slow_down(self) -> None:
        """Halve the pace: a call was throttled. Of several within a second, which were on their way at once, the first counts."""
        with self._lock:
            now = self._clock.monotonic()
            if now >= self._changed_at:
                self._calls_per_second = max(FEWEST_CALLS_PER_SECOND, self._calls_per_second / 2)
                self._changed_at = now + 1
                self._next_turn = max(self._next_turn, now + 1 / self._calls_per_second)
