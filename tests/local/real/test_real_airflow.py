"""One real Airflow, the one of the running interpreter, from its start to the proof that nothing of it is left."""

from __future__ import annotations

import base64
import hmac
import json
import os
import re
import socket
import subprocess
import sys
import textwrap
from contextlib import suppress
from pathlib import Path

import pytest

from mwaa_provider.local.backend import BackendRequest, CliAnswer
from mwaa_provider.local.real import PostgresServer, RealAirflow, StartFailedError

pytestmark = pytest.mark.real_airflow

BASE_URL = "https://127.0.0.1:8443"
DAG = """
from __future__ import annotations

import os
from datetime import datetime

try:
    from airflow.sdk import dag, task
except ImportError:
    from airflow.decorators import dag, task


@dag(schedule=None, start_date=datetime(2024, 1, 1), catchup=False)
def reports_its_environment():
    @task
    def look():
        return {name: os.environ[name] for name in ("AIRFLOW_ENV_NAME", "AWS_REGION", "AIRFLOW_CONN_AWS_DEFAULT")}

    look()


reports_its_environment()
"""


@pytest.fixture(scope="module")
def server(workplace):
    server = PostgresServer()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def dags(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dags")
    (folder / "reports_its_environment.py").write_text(DAG)
    (folder / "broken.py").write_text("# an airflow dag\nraise ValueError('no such luck')\n")
    return folder


@pytest.fixture(scope="module")
def airflow(server, dags):
    progress = []
    airflow = RealAirflow(
        dags_folder=dags,
        postgres=server,
        environment={"AIRFLOW_CONN_MINE": "http://me:a-password-of-mine@host"},
        on_progress=progress.append,
    )
    airflow.start("target", BASE_URL)
    assert progress[0] == f"target: making the metadata database of Airflow {airflow.airflow_version}"
    assert progress[-1] == f"target: Airflow {airflow.airflow_version} is ready"
    yield airflow
    airflow.stop()


@pytest.fixture
def is_3(airflow):
    return airflow.airflow_version.startswith("3.")


def call(airflow, method, path, body=None, role="Admin", query=""):
    content = json.dumps(body).encode() if body is not None else b""
    answer = airflow.rest(BackendRequest(method, path, query, content, "application/json" if body else "", role))
    return answer.status, json.loads(answer.body) if answer.body else None


def rows(airflow, query):
    connection = airflow.connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()
    finally:
        connection.close()


def test_health(airflow, is_3):
    components = ["metadatabase", "scheduler", "triggerer", *(["dag_processor"] if is_3 else [])]
    assert airflow.health() == dict.fromkeys(components, "healthy")
    assert airflow.ended_components() == []


def test_a_run_from_trigger_to_success(airflow, is_3, eventually):
    dag = "/dags/reports_its_environment"
    airflow.wait_for_dag("reports_its_environment", timeout=120)
    assert call(airflow, "GET", dag)[1]["is_paused"] is True
    assert call(airflow, "PATCH", dag, {"is_paused": False})[0] == 200

    status, run = call(
        airflow, "POST", f"{dag}/dagRuns", {"dag_run_id": "manual+1", **({"logical_date": None} if is_3 else {})}
    )
    assert (status, run["dag_run_id"], run["state"]) == (200, "manual+1", "queued")
    # The run id's percent-encoding has to arrive as it was sent.
    eventually(lambda: call(airflow, "GET", f"{dag}/dagRuns/manual%2B1")[1]["state"] in ("success", "failed"), 120)

    assert rows(airflow, "SELECT dag_id, run_id, state FROM dag_run") == [
        ("reports_its_environment", "manual+1", "success")
    ]
    # Before 2.10 the value is always text, and the parameter is unknown.
    stringify = "" if airflow.airflow_version.startswith(("2.7.", "2.8.", "2.9.")) else "stringify=false"
    status, xcom = call(
        airflow, "GET", f"{dag}/dagRuns/manual%2B1/taskInstances/look/xcomEntries/return_value", query=stringify
    )
    seen = xcom["value"] if isinstance(xcom["value"], dict) else json.loads(xcom["value"].replace("'", '"'))
    assert seen == {"AIRFLOW_ENV_NAME": "target", "AWS_REGION": "us-east-1", "AIRFLOW_CONN_AWS_DEFAULT": "aws://"}


@pytest.mark.parametrize(
    ("role", "reading", "writing"),
    [
        ("Admin", 200, {200, 201}),
        ("Op", 200, {200, 201}),
        ("User", 200, {403}),
        ("Viewer", 200, {403}),
        ("Public", 403, {403}),
    ],
)
def test_roles(airflow, role, reading, writing):
    assert call(airflow, "GET", "/dags", role=role)[0] == reading
    assert call(airflow, "POST", "/variables", {"key": f"of_{role}", "value": "1"}, role)[0] in writing


def test_airflows_own_errors_arrive(airflow):
    status, body = call(airflow, "GET", "/dags/missing")
    assert status == 404
    assert "missing" in body["detail"]


def test_a_log_in_that_has_expired_is_renewed(airflow, is_3):
    def kept():
        return airflow._line._tokens if is_3 else airflow._line._cookies

    assert airflow.page(BackendRequest("GET", "/home")).status == 200
    kept()["Admin"] = expired = _expired(kept()["Admin"], airflow._line._jwt_secret) if is_3 else "expired"

    assert call(airflow, "GET", "/dags")[0] == 200
    assert airflow.page(BackendRequest("GET", "/home")).status == 200
    assert kept()["Admin"] != expired


def _expired(token, secret):
    """The same token, with its time over."""
    head, claims, _ = token.split(".")
    facts = json.loads(base64.urlsafe_b64decode(claims + "=="))
    signed = f"{head}.{_base64(json.dumps({**facts, 'iat': 1, 'nbf': 1, 'exp': 2}).encode())}"
    algorithm = json.loads(base64.urlsafe_b64decode(head + "=="))["alg"].replace("HS", "sha")
    return f"{signed}.{_base64(hmac.digest(secret.encode(), signed.encode(), algorithm))}"


def _base64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_pages(airflow, is_3):
    home = airflow.page(BackendRequest("GET", "/" if is_3 else "/home", airflow_role="Viewer"))
    assert (home.status, home.content_type) == (200, "text/html; charset=utf-8")
    assert [name for name, _ in home.headers if name == "Set-Cookie"] == []
    assert ('<base href="/' if is_3 else "DAGs - Airflow") in home.body.decode()
    if not is_3:
        # What the page's own scripts do: post with the token that the page holds.
        [token] = re.findall(r'<meta name="csrf_token" content="([^"]+)', home.body.decode())
        form = {"method": "POST", "path": "/dag_stats", "airflow_role": "Viewer"}
        assert airflow.page(BackendRequest(**form)).status == 400
        assert airflow.page(BackendRequest(**form, headers=(("x-csrftoken", token),))).status == 200
        redirect = airflow.page(BackendRequest("GET", "/dags/reports_its_environment"))
        assert redirect.status in (302, 308)
        location = dict(redirect.headers)["Location"]
        assert location.startswith((f"{BASE_URL}/dags/", "/dags/"))


def test_cli(airflow):
    assert airflow.cli(["version"]) == CliAnswer(f"{airflow.airflow_version}\n", "", 0)
    wrong = airflow.cli(["no-such-command"])
    assert wrong.exit_code == 2
    assert "invalid choice: 'no-such-command'" in wrong.stderr


def test_cli_reads_the_same_database(airflow):
    assert call(airflow, "POST", "/variables", {"key": "seen_by_both", "value": "yes"})[0] in (200, 201)
    answer = airflow.cli(["variables", "get", "seen_by_both"])
    assert (answer.stdout.strip().splitlines()[-1], answer.exit_code) == ("yes", 0)


def test_a_dag_that_is_not_there(airflow):
    with pytest.raises(TimeoutError, match=r"(?s)^missing was not parsed within 0 s\. Import errors: .*no such luck"):
        airflow.wait_for_dag("missing", timeout=0)


def test_secrets_are_nowhere_to_be_seen(airflow, workplace):
    secrets = sorted(airflow._masker._secrets)
    assert len(secrets) > 8
    processes = subprocess.run(["ps", "-eww", "-o", "args"], capture_output=True, text=True, check=True).stdout
    assert str(airflow.logs_folder) in processes
    assert [secret for secret in secrets if secret in processes or secret in repr(airflow)] == []
    logs = [path for path in airflow.logs_folder.rglob("*") if path.is_file() and path.name.endswith(".log")]
    assert len(logs) > 4
    assert [path for path in logs for secret in secrets if secret in path.read_text(errors="replace")] == []
    assert oct(airflow.logs_folder.stat().st_mode & 0o777) == "0o700"


def test_it_listens_on_the_loopback_alone(airflow):
    ours = {pid for process in airflow._processes._guarded for pid in _family(process.pid)}
    sockets = _listening_inodes()
    found = set()
    for pid in ours:
        # A process that parses a file, or its descriptor, may be gone by now.
        with suppress(FileNotFoundError):
            for descriptor in Path(f"/proc/{pid}/fd").iterdir():
                target = os.readlink(descriptor)
                if target.startswith("socket:[") and target[8:-1] in sockets:
                    found.add(sockets[target[8:-1]])
    assert {address for address, _ in found} == {"127.0.0.1"}
    assert {port for _, port in found} == {airflow._settings.port}


def _family(pid):
    family = [pid]
    for known in family:
        with suppress(FileNotFoundError):
            for task in Path(f"/proc/{known}/task").iterdir():
                family += [int(child) for child in (task / "children").read_text().split()]
    return family


def _listening_inodes():
    """Socket inode -> (address, port), of everything that listens on TCP."""
    found = {}
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                raw, port = fields[1].split(":")
                address = socket.inet_ntoa(bytes.fromhex(raw)[::-1]) if table == "tcp" else raw
                found[fields[9]] = (address, int(port, 16))
    return found


def test_a_second_start_is_refused(airflow):
    with pytest.raises(RuntimeError, match="has been started already"):
        airflow.start("again", BASE_URL)


@pytest.mark.patient
def test_a_component_that_dies_at_its_start(airflow, server, workplace):
    before = set(workplace.leftovers())
    databases = rows(airflow, "SELECT count(*) FROM pg_database")
    broken = RealAirflow(
        postgres=server,
        environment={
            "AIRFLOW__TRIGGERER__CAPACITY": "not-a-number",
            "AIRFLOW__TRIGGERER__DEFAULT_CAPACITY": "not-a-number",
            "AIRFLOW_CONN_X": "http://u:hidden-away@host",
        },
    )
    with pytest.raises(StartFailedError) as raised:
        broken.start("broken", BASE_URL)

    assert raised.value.component == "triggerer"
    assert "triggerer ended at its start with exit code 1. Everything was stopped again." in str(raised.value)
    assert "not-a-number" in raised.value.log
    assert "hidden-away" not in str(raised.value)
    assert {line for line in workplace.leftovers() if "broken" in line} == set()
    assert len(workplace.leftovers()) <= len(before)
    assert rows(airflow, "SELECT count(*) FROM pg_database") == databases


@pytest.mark.slow
def test_the_owner_is_killed_half_way(workplace, server, airflow):
    before = set(workplace.leftovers())
    owner = textwrap.dedent(
        f"""
        import tempfile
        from mwaa_provider.local.real import RealAirflow
        tempfile.tempdir = {str(workplace.path)!r}
        RealAirflow(on_progress=lambda said: print(said, flush=True)).start("killed", {BASE_URL!r})
        """
    )
    with subprocess.Popen([sys.executable, "-c", owner], stdout=subprocess.PIPE, text=True) as process:
        while "waiting for the web server" not in process.stdout.readline():
            assert process.poll() is None
        assert set(workplace.leftovers()) - before
        process.kill()
    _until_gone(workplace, before)


def _until_gone(workplace, before):
    for _ in range(300):
        if not set(workplace.leftovers()) - before:
            return
        subprocess.run(["sleep", "0.1"], check=True)
    assert set(workplace.leftovers()) - before == set()


def test_nothing_is_left(airflow, server, workplace):
    """Runs last: it ends what the others use."""
    airflow.stop()
    airflow.stop()
    server.stop()

    assert workplace.leftovers() == []
    with pytest.raises(StartFailedError, match="The environment has been stopped; make a new one"):
        airflow.start("target", BASE_URL)
