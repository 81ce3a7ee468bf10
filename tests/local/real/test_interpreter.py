from __future__ import annotations

import json
import sys

import pytest

from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.local.real import RealAirflow
from mwaa_provider.local.real.interpreter import Interpreter, inspect_interpreter, is_newer_than_tested


@pytest.fixture
def python(tmp_path):
    """An interpreter that gives a prepared answer to whatever it is asked."""

    def make(airflow, drivers=("psycopg2", "psycopg", "asyncpg")):
        path = tmp_path / "python"
        path.write_text(f"#!/bin/sh\necho '{json.dumps({'airflow': airflow, 'drivers': drivers})}'\n")
        path.chmod(0o755)
        return path

    return make


@pytest.mark.parametrize(
    ("version", "drivers", "driver", "major"),
    [
        ("2.7.2", ["psycopg2"], "psycopg2", 2),
        ("2.11.2", ["psycopg2", "psycopg"], "psycopg2", 2),
        ("3.0.6", ["psycopg2", "asyncpg"], "psycopg2", 3),
        ("3.3.1", ["psycopg", "asyncpg"], "psycopg", 3),
    ],
)
def test_supported(python, version, drivers, driver, major):
    path = python(version, drivers)
    found = inspect_interpreter(path)
    assert found == Interpreter(str(path), version, driver)
    assert found.major == major


def test_a_virtual_environments_folder_will_do(python, tmp_path):
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    python("3.3.1").rename(tmp_path / "venv" / "bin" / "python")
    assert inspect_interpreter(tmp_path / "venv").python == str(tmp_path / "venv" / "bin" / "python")


def test_the_running_one_by_default():
    assert inspect_interpreter(None).python == sys.executable


@pytest.mark.parametrize(
    ("version", "drivers", "message"),
    [
        (None, [], "no Airflow is installed beside {path}. Name the bin/python of a virtual environment that has one"),
        (
            "2.6.3",
            ["psycopg2"],
            "Airflow 2.6.3 beside {path} is not supported; MWAA runs 2.7.2 to 2.11 and 3.0.6 to 3.3.",
        ),
        (
            "4.0.0",
            ["psycopg"],
            "Airflow 4.0.0 beside {path} is not supported; MWAA runs 2.7.2 to 2.11 and 3.0.6 to 3.3.",
        ),
        (
            "2.10.3",
            ["psycopg"],
            "Airflow 2.10.3 beside {path} lacks a driver for PostgreSQL: psycopg2. "
            "Install 'apache-airflow[postgres]==2.10.3' there, with Airflow's constraint file.",
        ),
        (
            "3.3.1",
            ["psycopg2"],
            "lacks a driver for PostgreSQL: asyncpg. Install 'apache-airflow[postgres]==3.3.1' there",
        ),
        ("3.0.6", ["asyncpg"], "lacks a driver for PostgreSQL: psycopg2 or psycopg. Install"),
        ("3.0.6", [], "lacks a driver for PostgreSQL: psycopg2 or psycopg, and asyncpg. Install"),
    ],
)
def test_not_usable(python, version, drivers, message):
    path = python(version, drivers)
    with pytest.raises(InvalidInputError) as raised:
        RealAirflow(path)
    assert message.format(path=path) in str(raised.value)


@pytest.mark.parametrize(
    ("version", "is_newer"),
    [("2.11.2", False), ("3.3.1", False), ("3.3.1rc1", False), ("3.3.2", True), ("3.10.0", True)],
)
def test_newer_than_all_that_were_tested(version, is_newer):
    assert is_newer_than_tested(version) is is_newer


def test_no_interpreter(tmp_path):
    with pytest.raises(InvalidInputError, match="cannot be run as a Python interpreter"):
        inspect_interpreter(tmp_path / "missing")


def test_an_interpreter_that_fails(tmp_path):
    path = tmp_path / "python"
    path.write_text("#!/bin/sh\necho broken >&2\nexit 1\n")
    path.chmod(0o755)
    with pytest.raises(InvalidInputError, match="python failed: broken"):
        inspect_interpreter(path)
