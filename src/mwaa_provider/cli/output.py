"""What the subcommands print: results only, and only to standard output."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def print_json(value: Any) -> None:
    """Print a value as JSON, indented.

    :param value: Anything JSON can hold.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False)
    try:
        text.encode(click.get_text_stream("stdout").encoding)
    except UnicodeEncodeError:  # a terminal that is not UTF-8, or half a surrogate pair: JSON can say it in ASCII
        text = json.dumps(value, indent=2)
    click.echo(text)


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under headings, as wide as they are: a host name that is cut or folded could not be copied.

    :param headings: What stands above the columns.
    :param rows: The rows, each as long as the headings.
    """
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    for row in (headings, *rows):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        click.echo("  ".join(cells).rstrip())


@contextmanager
def output_for_the_result_alone() -> Iterator[None]:
    """Send to standard error what Airflow logs: it goes to the standard output that was there when Airflow was imported."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
