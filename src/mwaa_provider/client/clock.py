"""Time, as the client sees it; tests pass one that they advance by hand."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """A clock to measure by, to wait by, and to date by."""

    def monotonic(self) -> float:
        """Return the time in seconds since some fixed point; it only goes forward."""

    def time(self) -> float:
        """Return the time in seconds since 1970; it may be set."""

    def sleep(self, seconds: float) -> None:
        """Let that many seconds pass.

        :param seconds: How many.
        """


class SystemClock:
    """The machine's own clock."""

    def monotonic(self) -> float:
        """Return the time in seconds since some fixed point; it only goes forward."""
        return time.monotonic()

    def time(self) -> float:
        """Return the time in seconds since 1970; it may be set."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Let that many seconds pass.

        :param seconds: How many.
        """
        time.sleep(seconds)


@dataclass(frozen=True)
class Stamp:
    """When something was asked for, by both ways of telling the time.

    The monotonic clock stands still while a Lambda function is frozen or a laptop sleeps, the other one may be set back: what must not
    be used for too long is as old as the older of the two says.

    :param monotonic: Seconds of the monotonic clock.
    :param wall: Seconds since 1970.
    """

    monotonic: float
    wall: float

    @classmethod
    def now(cls, clock: Clock) -> Stamp:
        """Return a stamp of this moment.

        :param clock: The clock.
        """
        return cls(clock.monotonic(), clock.time())

    def age(self, clock: Clock) -> float:
        """Return how many seconds ago this was, at least.

        :param clock: The clock it was taken from.
        """
        return max(clock.monotonic() - self.monotonic, clock.time() - self.wall)
