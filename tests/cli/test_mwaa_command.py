"""``mwaa`` as a process of its own, as a user runs it: its help, its signals, and what it says when nothing can be started."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mwaa_provider import __version__
from mwaa_provider.local import ScriptedAirflow

SOURCE = Path(__file__).parents[2] / "src"


def mwaa(*arguments, environment=None, program=("-m", "mwaa_provider.cli.main")):
    answer = subprocess.run(
        [sys.executable, *program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(environment or {})},
        cwd=SOURCE,
    )
    return answer.returncode, answer.stdout, answer.stderr


def test_help_names_the_subcommands_and_the_exit_statuses():
    code, stdout, _ = mwaa("--help")
    assert code == 0
    assert re.findall(r"^  (\w+)  +[A-Z]", stdout.partition("Commands:")[2], re.MULTILINE) == [
        "environments",
        "url",
        "rest",
        "cli",
        "variables",
        "pools",
        "connections",
        "status",
        "dashboard",
        "export",
        "db",
        "policy",
        "local",
        "secrets",
        "connection",
        "plugins",
        "requirements",
        "startup",
    ]
    assert re.findall(r"^ +(\d+)  \w", stdout, re.MULTILINE) == ["0", "1", "2", "3", "4", "5", "6", "130", "141"]


def test_help_tells_the_exit_statuses():
    code, stdout, _ = mwaa("local", "start", "--help")
    assert code == 0
    assert "Exit status: 0 when it was up and was asked to stop" in stdout


def test_help_imports_neither_airflow_nor_boto3():
    probe = (
        "import sys; from mwaa_provider.cli import main\n"
        "sys.argv = ['mwaa', 'local', 'start', '--help']\n"
        "try: main.main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'airflow', 'boto3', 'requests', 'psycopg2'} & set(sys.modules)))"
    )
    _, stdout, _ = mwaa(program=("-c", probe))
    assert stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("missing", "arguments"),
    [
        ("packaging", ["requirements", "check", "requirements.txt", "--airflow", "3.2.1"]),
        ("pathspec", ["plugins", "build", "plugins", "--include", "plugins"]),
    ],
)
def test_without_what_the_checks_need(missing, arguments, tmp_path):
    (tmp_path / "requirements.txt").touch()
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins/own.py").touch()
    probe = (
        f"import os, sys; sys.modules[{missing!r}] = None; from mwaa_provider.cli import main\n"
        f"os.chdir({str(tmp_path)!r}); sys.argv = ['mwaa', *{arguments!r}]\nmain.main()"
    )
    assert mwaa(program=("-c", probe)) == (
        1,
        "",
        f"Error: {missing} is not installed: pip install 'airflow-provider-mwaa[cli]'\n",
    )


def test_without_click():
    probe = (
        "import importlib.util as util, sys; found = util.find_spec\n"
        "util.find_spec = lambda name, *more: None if name == 'click' else found(name, *more)\n"
        "from mwaa_provider.cli import main; main.main()"
    )
    assert mwaa(program=("-c", probe)) == (
        1,
        "",
        "The command mwaa needs a package that is not installed: pip install 'airflow-provider-mwaa[cli]'\n",
    )


def test_against_a_local_mwaa(local_mwaa, variables):
    local_mwaa.create_environment("production", ScriptedAirflow("3.3.1"))
    code, stdout, stderr = mwaa("environments", "--json", environment=variables)
    assert (code, stderr) == (0, "")
    assert [one["name"] for one in json.loads(stdout)] == ["production"]


POLICY_BY_HAND = ("policy", "production", "--action", "cli", "--account", "123456789012", "--region", "eu-west-1")


def test_a_policy_by_hand_imports_no_boto3():
    probe = (
        "import sys; from mwaa_provider.cli import main\n"
        f"sys.argv = ['mwaa', *{POLICY_BY_HAND}]\n"
        "try: main.main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'airflow', 'boto3', 'requests', 'mwaa_provider.local'} & set(sys.modules)))"
    )
    code, stdout, _ = mwaa(program=("-c", probe))
    assert (code, stdout.splitlines()[-1]) == (0, "[]")


def test_ctrl_c_while_aws_does_not_answer(variables):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        process = subprocess.Popen(
            [sys.executable, "-m", "mwaa_provider.cli.main", "environments"],
            env={**os.environ, **variables, "AWS_ENDPOINT_URL_MWAA": f"http://127.0.0.1:{silent.getsockname()[1]}"},
            cwd=SOURCE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        silent.settimeout(60)
        connection, _ = silent.accept()
        with connection:
            connection.recv(1)
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout, stderr) == (130, "", "")


def test_nobody_reads_the_output():
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as output:
        answer = subprocess.run(
            [sys.executable, "-m", "mwaa_provider.cli.main", *POLICY_BY_HAND],
            cwd=SOURCE,
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (answer.returncode, answer.stderr) == (141, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--name", "a", "--name", "a"], "every --name can be given once only"),
        (
            ["--name", "a", "--name", "b", "--postgres-url", "postgresql://host/db"],
            "--postgres-url names one database, so it goes with one --name only",
        ),
        (
            ["--postgres-url", "postgresql://me:hidden@host/db"],
            "--postgres-url holds a password, which everybody on this machine could read; put the URL into the "
            "environment variable MWAA_LOCAL_POSTGRES_URL, or give '-' to be asked for it",
        ),
    ],
)
def test_wrong_options(arguments, message):
    code, stdout, stderr = mwaa("local", "start", *arguments)
    assert (code, stdout, stderr.splitlines()[-1]) == (2, "", f"Error: {message}")
    assert "hidden" not in stderr


@pytest.fixture
def airflow_python(tmp_path):
    """An interpreter that says it has Airflow, for what fails before that matters."""

    def make(version):
        path = tmp_path / "python"
        answer = json.dumps({"airflow": version, "drivers": ["psycopg2", "asyncpg"]})
        path.write_text(f"#!/bin/sh\necho '{answer}'\n")
        path.chmod(0o755)
        return str(path)

    return make


def test_no_airflow(airflow_python):
    path = airflow_python(None)
    code, stdout, stderr = mwaa("local", "start", "--airflow-python", path)
    assert (code, stdout) == (1, "")
    assert stderr.splitlines()[-1].startswith(
        f"Error: Invalid input: --airflow-python: no Airflow is installed beside {path}."
    )
    assert "Traceback" not in stderr


def test_no_postgres(airflow_python, tmp_path):
    path = airflow_python("3.3.1")
    code, stdout, stderr = mwaa("local", "start", "--airflow-python", path, "--postgres-binaries", str(tmp_path))
    assert (code, stdout) == (1, "")
    assert stderr.splitlines()[-1].startswith(
        f"Error: No PostgreSQL to be had: {tmp_path} has no initdb and no postgres."
    )
    assert [word for word in ("Traceback", "Stopping", "Warning") if word in stderr] == []


def test_an_airflow_newer_than_all_that_were_tested(airflow_python, tmp_path):
    path = airflow_python("3.4.0")
    _, _, stderr = mwaa(
        "local", "start", "--airflow-python", path, "--postgres-binaries", str(tmp_path), "--name=a", "--name=b"
    )
    assert [line for line in stderr.splitlines() if line.startswith("Warning")] == [
        f"Warning: Airflow 3.4.0 is newer than 3.3.1, the newest release that airflow-provider-mwaa {__version__} was tested with."
    ]


def test_port_in_use(airflow_python):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, stdout, stderr = mwaa("local", "start", "--airflow-python", airflow_python("3.3.1"), "--port", port)
    assert (code, stdout) == (1, "")
    assert port in stderr
    assert "in use" in stderr
    assert "Traceback" not in stderr


def test_a_database_that_cannot_be_reached(airflow_python):
    code, stdout, stderr = mwaa(
        *("local", "start", "--airflow-python", airflow_python("3.3.1")),
        environment={"MWAA_LOCAL_POSTGRES_URL": "postgresql://me:hidden@127.0.0.1:1/db"},
    )
    assert (code, stdout) == (1, "")
    assert "Error: The given PostgreSQL database cannot be reached. Check its URL" in stderr
    assert "hidden" not in stderr
    assert "Traceback" not in stderr
