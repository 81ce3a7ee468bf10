"""What a clean-up did, what is left and why, and how far it came."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Left:
    """A row that is still there although it is old enough.

    :param table: Its table.
    :param key: Its primary key.
    :param why: Why.
    """

    table: str
    key: str
    why: str

    def __str__(self) -> str:
        return f"{self.table} {self.key}: {self.why}"


@dataclass
class Report:
    """What a clean-up did. Every batch adds to it, from any thread.

    :param before: The cut-off, ISO 8601.
    :param rows: Table to the number of its rows that went; parts that go along by themselves are not counted.
    :param left: What stands in the way of something else: locked, too slow, referred to.
    :param kept_runs: How many old runs stay because a task instance of theirs is active, or younger than the cut-off.
    :param batches: How many batches it took.
    :param longest_batch: Seconds of the longest transaction.
    :param seconds: How long all of it took.
    :param stopped: Why it ended early; empty if it did not.
    :param reached: Where it was when it ended early, for people.
    :param notes: What else there is to know, as sentences.
    :param sizes: Table that lost rows to its bytes and dead rows, before and after.
    :param dropped: The archive tables of ``airflow db clean`` that were dropped.
    :param archive: The address of the manifest of what went, where it was archived; empty if not, or if nothing went.
    """

    before: str
    rows: dict[str, int] = field(default_factory=dict)
    left: list[Left] = field(default_factory=list)
    kept_runs: int = 0
    batches: int = 0
    longest_batch: float = 0.0
    seconds: float = 0.0
    stopped: str = ""
    reached: str = ""
    notes: list[str] = field(default_factory=list)
    sizes: dict[str, dict[str, int]] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)
    archive: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, rows: Mapping[str, int], seconds: float, kept: int = 0) -> None:
        """Add what a batch did.

        :param rows: Table to the number of rows that went.
        :param seconds: How long it took.
        :param kept: How many old runs stay for their task instances.
        """
        self.add_many(rows, 1, seconds, kept)

    def add_many(self, rows: Mapping[str, int], batches: int, longest: float, kept: int = 0) -> None:
        """Add what several batches did.

        :param rows: Table to the number of rows that went.
        :param batches: How many batches they were.
        :param longest: How long the longest of them took, in seconds.
        :param kept: How many old runs stay for their task instances.
        """
        with self._lock:
            for table, count in rows.items():
                self.rows[table] = self.rows.get(table, 0) + count
            self.batches += batches
            self.kept_runs += kept
            self.longest_batch = max(self.longest_batch, longest)

    @property
    def is_complete(self) -> bool:
        """Whether everything that was to go is gone."""
        return not self.stopped and not self.left

    @property
    def total(self) -> int:
        """How many rows went."""
        return sum(self.rows.values())

    def xcom(self) -> dict[str, Any]:
        """Return it as what a task gives back: JSON, and small."""
        return {
            "before": self.before,
            "rows": dict(self.rows),
            "complete": self.is_complete,
            "stopped": self.stopped,
            "reached": self.reached,
            "left": [str(one) for one in self.left[:100]],
            "left_count": len(self.left),
            "kept_runs": self.kept_runs,
            "batches": self.batches,
            "longest_batch": round(self.longest_batch, 3),
            "seconds": round(self.seconds, 3),
            "notes": list(self.notes),
            "sizes": dict(self.sizes),
            "dropped": list(self.dropped),
            "archive": self.archive,
        }
