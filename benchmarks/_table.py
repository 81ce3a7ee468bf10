"""Tables for people."""

from __future__ import annotations

from collections.abc import Sequence


def show(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table: words to the left, figures to the right.

    :param head: The names of its columns.
    :param rows: Its lines.
    """
    lines = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    for number, line in enumerate(lines):
        cells = [
            cell.rjust(width) if _is_figure(lines[-1][at]) else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))


def ratio(one: float, other: float) -> str:
    """Write how many times one thing is another.

    :param one: The one.
    :param other: The other.
    """
    return f"{one / other:.1f} x" if other else "-"


def _is_figure(text: str) -> bool:
    return text[:1].isdigit() or text == "-"
