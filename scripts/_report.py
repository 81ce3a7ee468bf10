"""The table at the end: what ran, on what, how long, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEAD = ("what", "Python", "outcome", "seconds", "passed", "failed", "skipped")


@dataclass(frozen=True)
class Row:
    """One line of the table.

    :param what: A check, or an Airflow release.
    :param python: The Python it ran on; empty if that says nothing.
    :param outcome: ``passed``, ``FAILED`` or ``not run``.
    :param seconds: How long it took; None if it did not run.
    :param counts: Tests passed, failed, skipped; None for a check.
    :param notes: Why something was skipped or not run, or what failed; printed below the line.
    """

    what: str
    python: str = ""
    outcome: str = "passed"
    seconds: float | None = None
    counts: tuple[int, int, int] | None = None
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether the whole is a failure because of this line."""
        return self.outcome == "FAILED"


def print_table(rows: Sequence[Row], *, selected: bool) -> None:
    """Print the table, and in one line what it comes to.

    :param rows: The lines.
    :param selected: Whether pytest was given a selection, so that "all" would be too much said.
    """
    cells = [_HEAD]
    for row in rows:
        seconds = "" if row.seconds is None else f"{row.seconds:.0f}"
        cells.append(
            (row.what, row.python, row.outcome, seconds, *(map(str, row.counts) if row.counts else ("", "", "")))
        )
    widths = [max(len(line[column]) for line in cells) for column in range(len(_HEAD))]

    def line(values: Sequence[str]) -> str:
        texts = [
            value.ljust(width) if column < 3 else value.rjust(width)
            for column, (value, width) in enumerate(zip(values, widths, strict=True))
        ]
        return "  ".join(texts).rstrip()

    print(f"\n{line(_HEAD)}\n{line(['-' * width for width in widths])}")
    for row, values in zip(rows, cells[1:], strict=True):
        print(line(values))
        for note in row.notes:
            print(f"    {note}")
    failed = [row.what for row in rows if row.failed]
    not_run = [row.what for row in rows if row.outcome == "not run"]
    print()
    if not_run:
        print(f"Not run: {', '.join(not_run)}.")
    print(
        f"FAILED: {', '.join(failed)}." if failed else f"Nothing failed{' in what was selected' if selected else ''}."
    )
