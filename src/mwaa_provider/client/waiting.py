"""Looking again and again until a wait is over: in a task here, in the triggerer by :mod:`mwaa_provider.triggers.poller`."""

from __future__ import annotations

import logging
from collections.abc import Callable

from mwaa_provider.client.clock import Clock
from mwaa_provider.client.looks import Look
from mwaa_provider.client.retry import is_passing
from mwaa_provider.exceptions import MwaaError

log = logging.getLogger(__name__)

#: How long it may take to end a run over there because the task that waits for it was killed, in seconds.
CANCEL_SECONDS = 3.0
#: So long a newer try of that task holds back before it takes an active run up, in seconds, so that no late end hits the run in its hands.
#: A run is ended in the first seconds of a newer try, or not at all.
HOLD_BACK_SECONDS = 10.0
#: For so many seconds nothing but errors may come, all of a passing kind, before a wait without a timeout of its own is given up.
PATIENCE_SECONDS = 3600.0
_LONGEST_PAUSE_SECONDS = 300.0
#: A wait looks up so often, in seconds, whether it has been called off.
_SLICE_SECONDS = 1.0


class Patience:
    """How long errors are put up with: an environment may be updated, or throttled by others, while it is waited for.

    :param clock: The clock.
    :param has_timeout: Whether the wait ends in time anyway; else nothing but errors for an hour ends it.
    """

    def __init__(self, clock: Clock, *, has_timeout: bool) -> None:
        self._clock = clock
        self._most_seconds = float("inf") if has_timeout else PATIENCE_SECONDS
        self._since: float | None = None
        self._errors = 0

    def pause_after(self, error: MwaaError, poke_interval: float) -> float:
        """Return after how many seconds to look again, twice as many after each error.

        :param error: What went wrong.
        :param poke_interval: The wait's seconds between two looks, the least there is to wait.
        :raises MwaaError: that error, if it does not pass by itself, or has been put up with for too long.
        """
        now = self._clock.monotonic()
        self._since = now if self._since is None else self._since
        self._errors += 1
        if not is_passing(error) or now - self._since > self._most_seconds:
            raise error
        return max(poke_interval, min(poke_interval * 2.0 ** min(self._errors - 1, 20), _LONGEST_PAUSE_SECONDS))

    def is_well(self) -> None:
        """Forget the errors: a look went well."""
        self._since = None
        self._errors = 0


def wait(
    look: Callable[[], Look],
    *,
    poke_interval: float,
    timeout: float | None,
    clock: Clock,
    is_called_off: Callable[[], bool] = lambda: False,
) -> Look:
    """Look until there is nothing more to wait for, and return the last look; its verdict is ``wait`` if time was up, or it was called off.

    :param look: Looks once.
    :param poke_interval: Seconds between two looks.
    :param timeout: Seconds to wait at most; ``None`` for no limit.
    :param clock: The clock.
    :param is_called_off: Tells whether to stop (default: never); it is asked every second.
    :raises MwaaError: if it cannot be looked at, and that is not passing.
    """
    deadline = None if timeout is None else clock.monotonic() + timeout
    patience = Patience(clock, has_timeout=timeout is not None)
    last: Look | None = None

    def is_over() -> bool:
        return is_called_off() or (deadline is not None and clock.monotonic() >= deadline)

    while True:
        pause = poke_interval
        try:
            seen = look()
        except MwaaError as error:
            pause = patience.pause_after(error, poke_interval)
            log.warning("Could not look, the next try is in %.0f s: %s", pause, error)
            if last is None and is_over():
                raise
        else:
            patience.is_well()
            if last is None or seen.news != last.news:
                log.info("%s", seen.news)
            last = seen
            if seen.verdict != "wait":
                return seen
        if last is not None and is_over():
            return last
        wake_at = clock.monotonic() + pause
        if deadline is not None:
            wake_at = min(wake_at, deadline)
        while not is_called_off() and (left := wake_at - clock.monotonic()) > 0:
            clock.sleep(min(left, _SLICE_SECONDS))
