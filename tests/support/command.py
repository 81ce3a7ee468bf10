"""The command ``mwaa`` in this process, as a process of its own would run it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from click.testing import CliRunner

from mwaa_provider.cli.group import mwaa
from mwaa_provider.local import LocalMwaa


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


def variables_for(local_mwaa: LocalMwaa) -> dict[str, str]:
    """Return the environment variables by which the command finds a local MWAA, as ``mwaa local start`` prints them.

    :param local_mwaa: The local MWAA.
    """
    connection = local_mwaa.airflow_connection()
    return {
        "AWS_ENDPOINT_URL_MWAA": local_mwaa.endpoint_url,
        "AWS_REGION": local_mwaa.region_name,
        "AWS_ACCESS_KEY_ID": connection["login"],
        "AWS_SECRET_ACCESS_KEY": connection["password"],
        "AWS_CA_BUNDLE": str(local_mwaa.ca_file),
    }


def run_mwaa(arguments: Sequence[str], variables: Mapping[str, str | None], stdin: str | None = None) -> Ended:
    """Run the command and tell how it ended.

    :param arguments: Its arguments.
    :param variables: Environment variables to set, or with None to take away.
    :param stdin: What it reads.
    """
    with _logging_of_a_fresh_process():
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
def _logging_of_a_fresh_process() -> Iterator[None]:
    # Another test may have imported Airflow 2 into this process, which then logs everybody's INFO to standard output.
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    root.handlers = [handler for handler in handlers if not type(handler).__module__.startswith("airflow.")]
    root.setLevel(logging.WARNING)
    try:
        yield
    finally:
        root.handlers = handlers
        root.setLevel(level)
