"""Which Airflow is installed beside a Python interpreter, asked without importing it (that takes seconds)."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from mwaa_provider.exceptions import InvalidInputError

OLDEST = (2, 7, 2)
NEWEST_MAJOR = 3
#: The newest release that the tests run with; a newer one of the same line is tried all the same.
NEWEST_TESTED = "3.3.1"

# The core is a distribution of its own from Airflow 3 on; "apache-airflow" is then an empty shell around it.
_QUESTION = """
import importlib.metadata as metadata, importlib.util as util, json
def version(*names):
    for name in names:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            pass
print(json.dumps({
    "airflow": version("apache-airflow-core", "apache-airflow"),
    "drivers": [name for name in ("psycopg2", "psycopg", "asyncpg") if util.find_spec(name)],
}))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python interpreter with Airflow.

    :param python: The interpreter's path.
    :param airflow_version: Airflow's version.
    :param driver: The PostgreSQL driver that its Airflow can use.
    """

    python: str
    airflow_version: str
    driver: str

    @property
    def major(self) -> int:
        """Airflow's major version."""
        return int(self.airflow_version.split(".")[0])


def inspect_interpreter(python: str | os.PathLike[str] | None) -> Interpreter:
    """Find out which Airflow an interpreter has.

    :param python: The interpreter of a virtual environment. Default: the running one.
    :raises InvalidInputError: It cannot be run, or it has no Airflow that could be used; the message says what to do.
    """
    path = _path_of(python)
    try:
        answer = subprocess.run(
            [path, "-c", _QUESTION], capture_output=True, text=True, check=True, timeout=60, stdin=subprocess.DEVNULL
        )
        facts = json.loads(answer.stdout)
    except subprocess.CalledProcessError as error:
        raise InvalidInputError([f"python: {path} failed: {error.stderr.strip()[-500:]}"]) from error
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise InvalidInputError(
            [
                f"python: {path} cannot be run as a Python interpreter ({error}). "
                "Name the bin/python of a virtual environment with Airflow in it."
            ]
        ) from error
    version = facts["airflow"]
    if version is None:
        raise InvalidInputError(
            [
                f"python: no Airflow is installed beside {path}. Name the bin/python of a virtual environment that has "
                "one (--airflow-python, RealAirflow(python=...)), or install 'apache-airflow[postgres]' there with "
                "Airflow's constraint file."
            ]
        )
    numbers = _numbers(version)
    if numbers < OLDEST or numbers[0] > NEWEST_MAJOR:
        raise InvalidInputError(
            [
                f"python: Airflow {version} beside {path} is not supported; MWAA runs 2.7.2 to 2.11 and 3.0.6 to 3.3. "
                "Install one of those."
            ]
        )
    takes = ["psycopg2"] if numbers[0] == 2 else ["psycopg2", "psycopg"]
    drivers = [name for name in takes if name in facts["drivers"]]
    missing = [] if drivers else [" or ".join(takes)]
    if numbers[0] == 3 and "asyncpg" not in facts["drivers"]:  # Airflow 3 wants one of each kind
        missing.append("asyncpg")
    if missing:
        raise InvalidInputError(
            [
                f"python: Airflow {version} beside {path} lacks a driver for PostgreSQL: {', and '.join(missing)}. "
                f"Install 'apache-airflow[postgres]=={version}' there, with Airflow's constraint file."
            ]
        )
    return Interpreter(path, version, drivers[0])


def is_newer_than_tested(airflow_version: str) -> bool:
    """Tell whether an Airflow is newer than all that this version of ours was tested with.

    :param airflow_version: Airflow's version.
    """
    return _numbers(airflow_version) > _numbers(NEWEST_TESTED)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def _path_of(python: str | os.PathLike[str] | None) -> str:
    if python is None:
        return sys.executable
    path = Path(python).expanduser()
    if path.is_dir() and (path / "bin" / "python").exists():
        path = path / "bin" / "python"
    # Not resolved: the interpreter of a virtual environment is a link, and what it links to has no Airflow.
    return os.path.abspath(path)
