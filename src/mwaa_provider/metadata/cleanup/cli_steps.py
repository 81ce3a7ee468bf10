"""How `airflow db clean` is led towards a cut-off: from the oldest rows on, in steps that each end within the endpoint's patience."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

#: A step that took less than this, in seconds, makes the next one twice as long; one that took more than that, half as long. Starting
#: the command alone takes about ten.
QUICK_SECONDS, SLOW_SECONDS = 30.0, 90.0
#: How many rows the first step is to remove, about.
FIRST_ROWS = 50_000
#: No step is shorter than this.
_SHORTEST = timedelta(minutes=10)
#: After so many failures of the first step in a row the oldest row is believed to be older than was thought, but no older than that.
_BEGIN_EARLIER_AFTER, _NOTHING_IS_OLDER = 2, datetime(2014, 1, 1, tzinfo=timezone.utc)
#: After so many failures in a row, each with half the time, it is something else.
_GIVE_UP_AFTER = 12


@dataclass
class Steps:
    """The steps of one table.

    :param begin: Where the oldest rows are believed to be.
    :param end: The cut-off.
    :param rows: How many rows there are to remove, if that is known.
    """

    begin: datetime
    end: datetime
    rows: int | None = None

    def __post_init__(self) -> None:
        self.begin = min(self.begin, self.end - timedelta(days=1))
        self._span = self.end - self.begin
        self._failures = 0
        #: Up to here all is done; ``None`` before the first step is.
        self.reached: datetime | None = None
        if self.rows is not None:
            self._span = max(_SHORTEST, self._span / max(1.0, self.rows / FIRST_ROWS))

    @property
    def is_end(self) -> bool:
        """Whether the cut-off is reached."""
        return self.reached is not None and self.reached >= self.end

    @property
    def target(self) -> datetime:
        """How far the next step goes."""
        return min(self.end, (self.reached or self.begin) + self._span)

    def limit(self, end: datetime) -> None:
        """Go no further than this.

        :param end: The moment.
        """
        self.end = min(self.end, end)

    def done(self, seconds: float) -> None:
        """Say that the step came to its end.

        :param seconds: How long it took.
        """
        self.reached = self.target
        self._failures = 0
        if seconds < QUICK_SECONDS:
            self._span *= 2
        elif seconds > SLOW_SECONDS:
            self._span = max(_SHORTEST, self._span / 2)

    def failed(self) -> bool:
        """Say that the step did not come to its end; return whether a shorter one is worth trying."""
        self._failures += 1
        self._span = max(_SHORTEST, (self.target - (self.reached or self.begin)) / 2)
        if self.reached is None and self._failures % _BEGIN_EARLIER_AFTER == 0:
            earlier = self.begin - 3 * (self.end - self.begin)
            self.begin = min(self.begin, max(earlier, _NOTHING_IS_OLDER))
        return self._failures < _GIVE_UP_AFTER
