"""``mwaa local start`` with a real Airflow, ended by signals."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import boto3
import pytest
import requests
from botocore.config import Config

from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.exceptions import NotFoundError

pytestmark = pytest.mark.real_airflow

SOURCE = Path(__file__).parents[2] / "src"


@pytest.fixture
def workplace():
    # Short, because of the limit on a socket's path, and open to enter, since PostgreSQL may run as another user.
    path = Path(tempfile.mkdtemp(prefix="mt-", dir="/tmp"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def start(workplace):
    processes = []

    def start(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-m", "mwaa_provider.cli.main", "local", "start", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Its Airflow runs the tasks with this checkout, too.
            env={**os.environ, "TMPDIR": str(workplace), "PYTHONPATH": str(SOURCE)},
            cwd=SOURCE,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def leftovers(workplace):
    found = [str(path) for path in workplace.iterdir()]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            facts = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            facts += os.readlink(process / "cwd").encode()
        except OSError:
            continue
        if str(workplace).encode() in facts:
            found.append(f"{process.name}: {facts[:200]!r}")
    return found


def is_whole(client, dag_id):
    """Whether a DAG can be triggered: it is listed a moment before it is stored whole, and details are read from that."""
    try:
        return client.invoke_rest_api("target", "GET", f"/dags/{dag_id}/details").status == 200
    except NotFoundError:
        return False


@pytest.mark.patient
def test_from_start_to_sigterm(start, workplace, tmp_path, monkeypatch):
    for name in ("example_trigger_other_environment.py", "example_target.py"):
        shutil.copy(SOURCE.parent / "example_dags" / name, tmp_path)
    process = start(
        *("--name", "target", "--region", "eu-west-1", "--show-login-link", "--dags-folder", str(tmp_path), "--unpause")
    )
    told = ""
    while "Press Ctrl-C" not in told:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        told += line

    connection = json.loads(re.search(r"AIRFLOW_CONN_MWAA_LOCAL='(.*)'", told)[1])
    client = boto3.client(
        "mwaa",
        endpoint_url=connection["extra"]["endpoint_url"],
        region_name=connection["extra"]["region_name"],
        aws_access_key_id=connection["login"],
        aws_secret_access_key=connection["password"],
        config=Config(inject_host_prefix=False),
    )
    environment = client.get_environment(Name="target")["Environment"]
    assert (environment["Status"], environment["Arn"]) == (
        "AVAILABLE",
        "arn:aws:airflow:eu-west-1:123456789012:environment/target",
    )
    # What it prints for the command mwaa, pasted into a shell as it stands there.
    pasted = re.search(r"The command mwaa, MwaaClient\(\) and boto3, in another shell:\n\n((?:  .*\n)+)", told)[1]
    shell = subprocess.run(
        [
            "bash",
            "-ec",
            f'mwaa() {{ "{sys.executable}" -m mwaa_provider.cli.main "$@"; }}\n{pasted}mwaa rest target GET /variables',
        ],
        env={name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        cwd=SOURCE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (shell.returncode, shell.stderr) == (0, "")
    table, _, answer = shell.stdout.partition("{")
    assert [line.split()[0] for line in table.splitlines()] == ["NAME", "target"]
    assert json.loads("{" + answer)["total_entries"] == 0
    # Its DAGs reach it by the connection that they find there.
    for name, value in re.findall(r"export (\w+)=(\S+)", pasted):
        monkeypatch.setenv(name, value)
    caller, called = "example_trigger_other_environment", "example_target"
    inside = MwaaClient()
    end = time.monotonic() + 120
    while not (is_whole(inside, caller) and is_whole(inside, called)) and time.monotonic() < end:
        time.sleep(0.5)
    run = inside.trigger_dag_run("target", caller, conf={"aws_conn_id": "mwaa_local", "environment_name": "target"})
    assert inside.wait_for_dag_run("target", caller, run.run_id, poke_interval=1, timeout=120).state == "success"
    assert [one.state for one in inside.list_dag_runs("target", called)] == ["success"]
    link = re.search(r"log in within 60 s: (\S+)", told)[1]
    page = requests.get(link, verify=connection["extra"]["verify"], timeout=30)
    assert page.status_code == 200

    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)

    assert (process.returncode, errors.splitlines()[-1]) == (0, "Stopping ...")
    assert leftovers(workplace) == []


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_ended_while_it_starts(start, workplace, number, status):
    process = start("--name", "target")
    while "waiting for the web server" not in (line := process.stderr.readline()):
        assert line, "ended too early"
    assert len(leftovers(workplace)) > 5

    process.send_signal(number)
    process.communicate(timeout=60)

    assert process.returncode == status
    if number is signal.SIGINT:
        assert leftovers(workplace) == []
    else:
        # The folder of the local MWAA's certificates outlives a SIGKILL; they are worth nothing without it.
        end = time.monotonic() + 30
        while len(leftovers(workplace)) > 1 and time.monotonic() < end:
            time.sleep(0.1)
        assert [re.sub(r"\w+$", "", path) for path in leftovers(workplace)] == [f"{workplace}/local-mwaa-"]
