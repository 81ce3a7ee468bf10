"""The command ``mwaa`` in this process, as a process of its own would run it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from click.testing import CliRunner

from mwaa_provider.cli.group import mwaa


@dataclass(frozen=True)
class Ended:
    """How one run of the command ended.

    :param status: Its exit status.
    :param stdout: What it printed.
    :param stderr: What it said.
    """

    status: int
    stdout: str
    stderr: str

    @property
    def error(self) -> str:
        """The last line it said."""
        return self.stderr.splitlines()[-1]


def run_mwaa(arguments: Sequence[str], variables: Mapping[str, str | None], stdin: str | None = None) -> Ended:
    """Run the command and tell how it ended.

    :param arguments: Its arguments.
    :param variables: Environment variables to set, or with None to take away.
    :param stdin: What it reads.
    """
    with logging_of_a_fresh_process():
        result = _runner().invoke(
            mwaa, list(arguments), input=stdin, env=variables, prog_name="mwaa", catch_exceptions=False
        )
    return Ended(result.exit_code, result.stdout, result.stderr)


def _runner() -> CliRunner:
    try:
        return CliRunner(mix_stderr=False)
    except TypeError:  # click 8.2 and later never mix them
        return CliRunner()


@contextmanager
def logging_of_a_fresh_process() -> Iterator[None]:
    """Log as a process does that has imported no Airflow: Airflow 2 logs everybody's INFO to standard output."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    root.handlers = [handler for handler in handlers if not type(handler).__module__.startswith("airflow.")]
    root.setLevel(logging.WARNING)
    try:
        yield
    finally:
        root.handlers = handlers
        root.setLevel(level)
