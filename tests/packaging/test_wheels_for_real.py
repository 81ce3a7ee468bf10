"""Wheels from the real package index, with compiled parts, for this release on MWAA; then installed where there is no index."""

from __future__ import annotations

import hashlib
import http.server
import json
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import airflow
import pytest

from tests.packaging.environments import PINS, PROJECT, Environment, uv
from tests.support.environment import OUTSIDE
from tests.support.processes import ROOT

pytestmark = pytest.mark.slow

REQUIREMENTS = "paramiko\noracledb\napache-airflow-providers-ssh\n"

RUN_TASK = """
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("example_build_wheels", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print(json.dumps(module.build_wheels.function(*sys.argv[2:])))
"""


@pytest.fixture
def with_command(pinned: Environment) -> Iterator[Environment]:
    uv("pip", "install", "--python", str(pinned.python), "pip")
    uv("pip", "install", "--python", str(pinned.python), "--no-index", "--find-links", str(pinned.links), PROJECT)
    try:
        yield pinned
    finally:
        uv("pip", "uninstall", "--python", str(pinned.python), PROJECT, "pip")


def _run(environment: Environment, folder: Path, *arguments: str, **variables: str) -> str:
    done = subprocess.run(
        [str(environment.python), *arguments],
        cwd=folder,
        env={**OUTSIDE, **variables},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


def test_download_check_and_install(with_command: Environment, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(REQUIREMENTS)
    release = ["--airflow", airflow.__version__]
    mwaa = ["-m", "mwaa_provider.cli.main", "requirements"]
    download = [
        *mwaa,
        "wheels",
        "requirements.txt",
        *release,
        "--constraint",
        str(PINS),
        "--requirements",
        "private.txt",
    ]
    names = _run(with_command, tmp_path, *download).splitlines()
    projects = {name.partition("-")[0] for name in names}
    assert {"paramiko", "oracledb", "apache_airflow_providers_ssh", "bcrypt"} <= projects
    # MWAA has Airflow, and what only Airflow asks for.
    assert not {"apache_airflow", "apache_airflow_core", "flask", "fastapi"} & projects
    check = [*mwaa, "check", "private.txt", *release, "--private", "--wheels", "wheels.zip", "--constraint", str(PINS)]
    found = json.loads(_run(with_command, tmp_path, *check, "--json"))["findings"]
    assert {one["id"] for one in found} <= {"unpinned"}

    with zipfile.ZipFile(tmp_path / "wheels.zip") as archive:
        archive.extractall(tmp_path / "wheels")
    before = with_command.versions()
    wanted = (tmp_path / "private.txt").read_text().replace("/usr/local/airflow/plugins", str(tmp_path / "wheels"))
    (tmp_path / "there.txt").write_text(wanted)
    uv("pip", "install", "--python", str(with_command.python), "-r", str(tmp_path / "there.txt"))
    after = with_command.versions()
    try:
        # Nothing that was there has changed.
        assert {name: after.get(name) for name in before} == before
        assert _run(with_command, tmp_path, "-c", "import paramiko, oracledb, bcrypt; print('loaded')") == "loaded\n"
    finally:
        new = sorted(set(after) - set(before))
        uv("pip", "uninstall", "--python", str(with_command.python), *new)


class _Bucket(http.server.BaseHTTPRequestHandler):
    """As much of S3 as takes one object."""

    objects: dict[str, bytes] = {}

    def do_PUT(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self.objects[self.path.partition("?")[0]] = data
        self.send_response(200)
        self.send_header("ETag", '"0"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


def test_the_example_dag_puts_them_into_s3(with_command: Environment, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("oracledb\n")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Bucket)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        connection = {
            "conn_type": "aws",
            "login": "k",
            "password": "s",
            "extra": {"endpoint_url": f"http://127.0.0.1:{server.server_port}"},
        }
        said = _run(
            with_command,
            tmp_path,
            "-c",
            RUN_TASK,
            str(ROOT / "example_dags/example_build_wheels.py"),
            str(tmp_path / "requirements.txt"),
            str(PINS),
            "bucket",
            "key.zip",
            "there",
            AIRFLOW_VERSION=airflow.__version__,
            AIRFLOW_HOME=str(tmp_path / "airflow"),
            AIRFLOW_CONN_THERE=json.dumps(connection),
            AWS_DEFAULT_REGION="eu-west-1",
            AWS_REQUEST_CHECKSUM_CALCULATION="when_required",
            NO_PROXY="*",
        )
    finally:
        server.shutdown()
        server.server_close()
    answer = json.loads(said.splitlines()[-1])
    (data,) = _Bucket.objects.values()
    assert answer["sha256"] == hashlib.sha256(data).hexdigest()
    assert any(name.startswith("oracledb-") for name in answer["wheels"])
