"""Counting rows, and finding the smallest and largest age, while they pass: so that a table is read once."""

from __future__ import annotations

import re

_MOMENT = re.compile(rb"(\d{4,})-(\d\d)-(\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(?:\+00(?::00)?)?")


class Tally:
    """Takes the rows of a ``COPY`` whose first column is the age, and gives them back without it.

    PostgreSQL's protocol hands a COPY over row by row, and an age holds neither a comma nor a quote: so the first comma ends it.

    :param has_age: Whether the first column is an age that is to be taken off.
    """

    def __init__(self, *, has_age: bool) -> None:
        self._has_age = has_age
        self._smallest: bytes | None = None
        self._largest: bytes | None = None
        self.rows = 0

    def passed(self, rows: list[bytes]) -> bytes:
        """Count rows, and return them as one piece of CSV.

        :param rows: The rows, each with its line end.
        """
        self.rows += len(rows)
        if not self._has_age:
            return b"".join(rows)
        parts = [row.partition(b",") for row in rows]
        ages = [age for age, _, _ in parts if age]
        if ages:
            smallest, largest = min(ages), max(ages)
            if self._smallest is None or smallest < self._smallest:
                self._smallest = smallest
            if self._largest is None or largest > self._largest:
                self._largest = largest
        return b"".join([rest for _, _, rest in parts])

    @property
    def first_age(self) -> str | None:
        """The smallest age, ISO 8601 in UTC; ``None`` without one."""
        return None if self._smallest is None else iso(self._smallest)

    @property
    def last_age(self) -> str | None:
        """The largest age."""
        return None if self._largest is None else iso(self._largest)


def iso(age: bytes) -> str:
    """Return an age as ISO 8601 in UTC with six digits after the second, as text of PostgreSQL as it is where it is no such moment.

    :param age: What PostgreSQL wrote, in the style ISO and the time zone UTC.
    """
    read = _MOMENT.fullmatch(age)
    if read is None:
        return age.decode("utf-8", "replace")
    year, month, day, clock, fraction = read.groups(b"")
    return f"{year.decode()}-{month.decode()}-{day.decode()}T{clock.decode()}.{fraction.decode():0<6}Z"
