"""Which calls may be sent again, and when.

A call that reads, or that does the same when done twice, is repeated when it failed for a passing reason, after a pause with full jitter
(https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). Any other call is sent once, and again only if it was
throttled, which means that it was not carried out. A call that creates something has an identity: when nobody knows what became of it,
it is looked up, and sent again only if it is not there.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from typing import TypeVar

from mwaa_provider.client.clock import Clock
from mwaa_provider.exceptions import (
    ConflictError,
    ConnectionFailedError,
    LoginFailedError,
    MwaaError,
    NoWayInError,
    RestApiLimitError,
    RestApiServerError,
    ServiceError,
    ThrottledError,
    UnexpectedAnswerError,
    UnknownOutcomeError,
)

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

ATTEMPTS = 5
#: All attempts and pauses of one call together, in seconds, waiting for a turn at IAM included; an attempt under way is not cut short.
BUDGET_SECONDS = 120.0
#: So many attempts are made even if they were slow.
_AT_LEAST = 3
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 20.0

#: After these errors nobody knows whether a call was carried out.
UNKNOWN_OUTCOME = (UnknownOutcomeError, RestApiServerError, RestApiLimitError, UnexpectedAnswerError)


class Retry:
    """Repeats calls: at most five attempts within two minutes (three, however slow); being throttled counts against the time only.

    :param clock: The clock to pause by.
    :param jitter: Gives a number between 0 and its argument (default: an evenly random one).
    """

    def __init__(self, clock: Clock, jitter: Callable[[float], float] | None = None) -> None:
        self._clock = clock
        self._jitter = jitter or (lambda most: random.uniform(0, most))  # noqa: S311 - not for cryptography

    def repeat(self, call: Callable[[], Answer]) -> Answer:
        """Return the answer of a call that may be made twice, repeating it while it fails for a passing reason.

        :param call: Asks, once.
        :raises MwaaError: what the last attempt raised.
        """
        return self._run(call, is_passing)

    def once(self, call: Callable[[], Answer]) -> Answer:
        """Return the answer of a call that must not be made twice, repeating it only while it certainly was not carried out.

        :param call: Asks, once.
        :raises MwaaError: what the last attempt raised.
        """
        return self._run(call, was_not_carried_out)

    def create(self, call: Callable[[], Answer], look_up: Callable[[], Answer | None]) -> Answer:
        """Return what a creating call made, made once although the call may be sent more than once.

        After an unknown outcome the thing is looked up; only if it is not there, the call is sent again, with the same identity. If it
        is there by then, which only a late arrival of the first call explains, the second is in conflict with it and it is looked up.
        Each sending and each look has two minutes of its own.

        :param call: Creates a thing that has an identity of its own, of which there can be one only.
        :param look_up: Returns the thing, or ``None``; repeats itself.
        :raises MwaaError: what the last attempt raised.
        """
        sent_before = False

        def attempt() -> Answer:
            nonlocal sent_before
            try:
                return self.once(call)
            except ConflictError:
                found = look_up() if sent_before else None
                if found is None:
                    raise
                return found
            except UNKNOWN_OUTCOME as error:
                sent_before = True
                found = look_up()
                if found is None:
                    raise _NotThere(error) from error
                return found

        try:
            return self._run(attempt, lambda error: isinstance(error, _NotThere))
        except _NotThere as not_there:
            raise not_there.error from not_there.error.__cause__

    def _run(self, call: Callable[[], Answer], may_repeat: Callable[[MwaaError], bool]) -> Answer:
        deadline = self._clock.monotonic() + BUDGET_SECONDS
        failures = throttled = 0
        while True:
            try:
                return call()
            except MwaaError as error:
                if not may_repeat(error):
                    raise
                if isinstance(error, ThrottledError):
                    throttled += 1
                else:
                    failures += 1
                attempts = failures + throttled
                pause = self._pause(attempts, error)
                is_late = self._clock.monotonic() + pause > deadline
                if failures >= ATTEMPTS or (is_late and (attempts >= _AT_LEAST or pause > BUDGET_SECONDS)):
                    raise
                log.warning("Attempt %d failed, the next is in %.1f s: %s", attempts, pause, error)
            self._clock.sleep(pause)

    def _pause(self, attempt: int, error: MwaaError) -> float:
        most = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2.0 ** min(attempt - 1, 10))
        return max(self._jitter(most), float(error.facts.get("retry_after") or 0))


class _NotThere(MwaaError):  # noqa: N818 - a signal of create to its own loop
    """A creating call with an unknown outcome made nothing that could be found."""

    def __init__(self, error: MwaaError) -> None:
        super().__init__(error.message, **error.facts)
        self.error = error


def is_passing(error: MwaaError) -> bool:
    """Tell whether a call that failed so may succeed a moment later.

    A connection that could not be made may be among them; a certificate that is not trusted or a wrong proxy stays wrong.

    :param error: What the call raised.
    """
    if isinstance(error, ServiceError):
        return bool(error.status >= 500)
    if error.facts.get("may_pass"):
        return True
    return isinstance(error, (RestApiServerError, ThrottledError, UnknownOutcomeError))


def was_not_carried_out(error: MwaaError) -> bool:
    """Tell whether a call that failed so did nothing, and may succeed a moment later.

    :param error: What the call raised.
    """
    return isinstance(error, ThrottledError) or (
        isinstance(error, (ConnectionFailedError, LoginFailedError, NoWayInError)) and bool(error.facts.get("may_pass"))
    )
