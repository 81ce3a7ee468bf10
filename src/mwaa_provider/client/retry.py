"""Which calls may be sent again, and when.

Reading changes nothing, so a read that failed for a passing reason is repeated, after a pause with full jitter
(https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). A call that creates or changes something is
repeated only if it was throttled, which means that it was not carried out; after anything else, whoever made it looks up
first what became of it.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from typing import TypeVar

from mwaa_provider.client.clock import Clock
from mwaa_provider.exceptions import MwaaError, RestApiServerError, ServiceError, ThrottledError, UnknownOutcomeError

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

_ATTEMPTS = 5
_FIRST_PAUSE_SECONDS = 1.0


class Retry:
    """Repeats calls: five attempts, pauses of up to 1, 2, 4 and 8 seconds.

    :param clock: The clock to pause by.
    :param jitter: Gives a number between 0 and its argument (default: an evenly random one).
    """

    def __init__(self, clock: Clock, jitter: Callable[[float], float] | None = None) -> None:
        self._clock = clock
        self._jitter = jitter or (lambda most: random.uniform(0, most))  # noqa: S311 - not for cryptography

    def read(self, call: Callable[[], Answer]) -> Answer:
        """Return the answer of a call that changes nothing, repeating it while it fails for a passing reason.

        :param call: Asks, once.
        :raises MwaaError: what the last attempt raised.
        """
        return self._repeat(call, is_passing)

    def change(self, call: Callable[[], Answer]) -> Answer:
        """Return the answer of a call that creates or changes something, repeating it only while AWS refuses it unseen.

        :param call: Asks, once.
        :raises MwaaError: what the last attempt raised.
        """
        return self._repeat(call, lambda error: isinstance(error, ThrottledError))

    def _repeat(self, call: Callable[[], Answer], may_repeat: Callable[[MwaaError], bool]) -> Answer:
        for attempt in range(1, _ATTEMPTS):
            try:
                return call()
            except MwaaError as error:
                if not may_repeat(error):
                    raise
                pause = self._jitter(_FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
                log.warning("Attempt %d of %d failed, the next is in %.1f s: %s", attempt, _ATTEMPTS, pause, error)
                self._clock.sleep(pause)
        return call()


def is_passing(error: MwaaError) -> bool:
    """Tell whether a read that failed so may succeed a moment later.

    A connection that could not be made is not among them: a wrong host, proxy or certificate stays wrong.

    :param error: What the read raised.
    """
    if isinstance(error, ServiceError):
        return bool(error.status >= 500)
    return isinstance(error, (RestApiServerError, ThrottledError, UnknownOutcomeError))
