"""``mwaa export``, and an export that is killed in the middle: processes of their own, the same on every release."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.support.metadata import EPOCH, Rows
from tests.support.processes import ROOT
from tests.support.s3 import BUCKET, started_s3


@pytest.fixture(scope="module")
def s3_server():
    with started_s3() as s3:
        yield s3


@pytest.fixture
def s3(s3_server):
    yield s3_server
    s3_server.empty()


@pytest.fixture
def rows(airflow_database):
    with Rows.opened(airflow_database.home) as rows:
        yield rows


_CHILD = """
import json, os, sys
sys.path[:0] = {paths!r}
from tests.support.network import block_network
block_network()
from mwaa_provider.metadata.export import s3_upload
s3_upload.PART_BYTES = 5 * 1024 * 1024
import boto3
from mwaa_provider.metadata.export.asking import run_export

def progress(table, size, fraction):
    if size > 8_000_000:
        print("under way", flush=True)
        sys.stdin.read()  # until it is killed

run_export({arguments!r}, boto3.client("s3", endpoint_url={endpoint!r}), progress=progress)
"""


@pytest.mark.patient
def test_what_a_kill_9_leaves_is_no_export_and_the_next_try_removes_it(rows, s3):
    rows.add_many_task_instances(30_000, value="x" * 400)
    arguments = {
        "s3_bucket": BUCKET,
        "s3_key_template": "{table}.{format}",
        "tables": ["log", "task_instance"],
        "until": "2100-01-01T00:00:00Z",
        "compression": None,
        "owner": "me",
        "at_once": 1,
    }
    code = _CHILD.format(paths=[str(ROOT), str(ROOT / "src")], arguments=arguments, endpoint=s3.endpoint_url)
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        while (line := child.stdout.readline()) and "under way" not in line:
            pass
        assert s3.uploads() == ["task_instance.csv"]
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdin.close()
        child.stdout.close()
    assert s3.uploads() == ["task_instance.csv"]
    assert s3.objects() == ["log.csv"]  # no manifest: that export does not exist
    import boto3

    from mwaa_provider.metadata.export.asking import run_export

    time.sleep(max(0.0, 1.1 - time.time() % 1))  # S3 tells when an upload began in whole seconds
    run_export(arguments, boto3.client("s3", endpoint_url=s3.endpoint_url))
    assert s3.uploads() == []
    assert s3.objects() == ["log.csv", "manifest.json", "task_instance.csv"]


_COMMAND = """
import sys, time
from contextlib import contextmanager
sys.path[:0] = {paths!r}
from mwaa_provider.metadata.export import s3_upload
s3_upload.PART_BYTES = 5 * 1024 * 1024
from mwaa_provider.cli import export, main

@contextmanager
def slowly(quiet):
    def progress(table, size, fraction):
        if size > 8_000_000:
            print("under way", file=sys.stderr, flush=True)
            time.sleep(0.5)
    yield progress

export._progress = slowly
sys.argv[1:] = {arguments!r}
main.main()
"""


@pytest.mark.patient
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_command_that_is_told_to_end_leaves_nothing(rows, s3, tmp_path, number):
    rows.add_many_task_instances(30_000, value="x" * 400)
    arguments = ["export", "run", BUCKET, "--table", "task_instance", "--compression", "none"]
    arguments += ["--until", "2100-01-01T00:00:00Z", "--template", "{table}.{format}"]
    child = subprocess.Popen(
        [sys.executable, "-c", _COMMAND.format(paths=[str(ROOT), str(ROOT / "src")], arguments=arguments)],
        env={**os.environ, "AWS_ENDPOINT_URL_S3": s3.endpoint_url, "AWS_REGION": "eu-west-1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    try:
        said = ""
        while (line := child.stderr.readline()) and "under way" not in line:
            said += line
        assert s3.uploads() == ["task_instance.csv"], said
        child.send_signal(number)
        out, err = child.communicate(timeout=60)
    finally:
        child.kill()
        child.wait()
    assert (child.returncode, out) == (130, ""), err
    assert "Traceback" not in err
    assert s3.uploads() == []
    assert s3.objects() == []


@pytest.mark.patient
def test_the_command_exports_and_verifies(rows, s3, tmp_path):
    rows.add_task_instance(EPOCH)
    environment = {**os.environ, "AWS_ENDPOINT_URL_S3": s3.endpoint_url, "AWS_REGION": "eu-west-1"}

    def mwaa(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "mwaa_provider.cli.main", "export", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            cwd=tmp_path,
        )

    done = mwaa(
        "run", BUCKET, "--table", "task_instance", "--until", "2026-02-01T00:00:00Z", "--template", "x/{table}.{format}"
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"manifest": f"s3://{BUCKET}/x/manifest.json", "row_counts": {"task_instance": 1}}
    verified = mwaa("verify", f"s3://{BUCKET}/x/manifest.json")
    assert json.loads(verified.stdout)["verified"] is True
    s3.client.delete_object(Bucket=BUCKET, Key="x/task_instance.csv.gz")
    broken = mwaa("verify", f"s3://{BUCKET}/x/manifest.json", "--quiet")
    assert (broken.returncode, broken.stdout) == (1, "")
    assert f"s3://{BUCKET}/x/task_instance.csv.gz is not there" in broken.stderr
