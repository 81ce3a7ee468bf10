"""A call that may take so long and no longer, whatever it waits for: locks, turns, name servers, a log-in, an answer.

No socket's time-out bounds all of these together, so the call is made in a thread of its own, and its caller goes on when time is up. What
has not been sent by then is not sent any more: nobody expects it later.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from mwaa_provider.client.locks import ForkSafeLock
from mwaa_provider.client.retry import is_passing, was_not_carried_out
from mwaa_provider.exceptions import ConnectionFailedError, MwaaError

Answer = TypeVar("Answer")

_FIRST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 1.0


class TimeLimit:
    """The time that one call has, by the machine's own clock: threads cannot wait by another.

    :param seconds: How long it may take.
    """

    def __init__(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds
        self._lock = ForkSafeLock()
        self._has_begun = self._is_over = False
        self._may_have_acted = False

    def begin(self) -> float:
        """Return how many seconds are left for a request that is about to be sent.

        :raises ConnectionFailedError: if it must not be sent any more.
        """
        with self._lock:
            left = self._deadline - time.monotonic()
            if self._is_over or left <= 0:
                raise ConnectionFailedError(
                    "Time was up before the request was sent; nothing was done.",
                    environment_name="",
                    host="",
                    may_pass=True,
                )
            self._has_begun = True
            return left

    def repeat(self, call: Callable[[], Answer]) -> Answer:
        """Return the answer of a call that may be made twice, repeating it while it fails for a passing reason and time is left.

        :param call: Asks, once; whatever it sends, it asks this limit before.
        :raises MwaaError: what the last attempt raised.
        """
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                return call()
            except MwaaError as error:
                if not (is_passing(error) or was_not_carried_out(error)) or not self._is_there_more_than(pause):
                    raise
                self._has_failed(error)
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def give_up(self) -> bool:
        """Let nothing be sent from now on, and tell whether something was that may have been carried out."""
        with self._lock:
            self._is_over = True
            return self._has_begun or self._may_have_acted

    def _is_there_more_than(self, seconds: float) -> bool:
        with self._lock:
            return not self._is_over and self._deadline - time.monotonic() > seconds

    def _has_failed(self, error: MwaaError) -> None:
        with self._lock:
            self._may_have_acted |= self._has_begun and not was_not_carried_out(error)
            self._has_begun = False


def within(seconds: float, call: Callable[[TimeLimit], Answer], late: Callable[[bool], MwaaError]) -> Answer:
    """Return the answer of a call, or raise what it raised, if that takes no longer than so many seconds.

    :param seconds: How many.
    :param call: Asks; whatever it sends, it asks the limit before. If it is late, it is left to end by itself.
    :param late: Makes the error for that, from whether a request that may have been carried out had been sent by then.
    """
    limit, ended = TimeLimit(seconds), threading.Event()
    outcome: dict[str, Any] = {}

    def run() -> None:
        try:
            outcome["answer"] = call(limit)
        except BaseException as error:  # raised again below, by who waits for it
            outcome["error"] = error
        ended.set()

    threading.Thread(target=run, name="mwaa_provider-within", daemon=True).start()
    if not ended.wait(seconds):
        was_sent = limit.give_up()
        if not ended.is_set():
            raise late(was_sent)
    if "error" in outcome:
        raise outcome["error"]
    answer: Answer = outcome["answer"]
    return answer
