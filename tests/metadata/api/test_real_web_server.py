"""The metadata API of real web servers, on each release of Airflow 3: attacked, restarted, and beside the heartbeats of tasks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config

from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.local import LocalMwaa
from mwaa_provider.local.real import RealAirflow
from mwaa_provider.metadata.cleanup.asking import run_cleanup
from mwaa_provider.metadata.cleanup.report import Report
from mwaa_provider.metadata.export.api_source import ApiSource
from mwaa_provider.metadata.export.source import Asked
from tests.metadata.api import attacks
from tests.metadata.api.heartbeats import Probe, Watch, p99, until
from tests.metadata.api.support import AIRFLOW_3_ONLY

pytestmark = [AIRFLOW_3_ONLY, pytest.mark.slow]

SECRET = "a secret of these tests, known to everybody, and long enough for HS512 to take it without any word"
NAME = "there"
ROWS = 600_000


class There:
    """A real Airflow 3 whose metadata API is on.

    :param mwaa: The local MWAA it is in.
    :param airflow: The Airflow.
    """

    def __init__(self, mwaa: LocalMwaa, airflow: RealAirflow) -> None:
        self.mwaa = mwaa
        self.airflow = airflow
        self.target = attacks.Target(airflow.inner_url, self._token, SECRET)

    def _token(self, role: str) -> str:
        return self.airflow.credentials(role)["Authorization"].removeprefix("Bearer ")  # type: ignore[arg-type]

    def client(self) -> MwaaClient:
        return MwaaClient(
            session=self.mwaa.boto3_session(),
            endpoint_url=self.mwaa.endpoint_url,
            botocore_config=Config(inject_host_prefix=False),
            verify=str(self.mwaa.ca_file),
        )

    def rows(self, statement: str) -> list[Any]:
        connection = self.airflow.connect()
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement)
                return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()


def started(**variables: str) -> Iterator[There]:
    environment = {
        "AIRFLOW__MWAA_PROVIDER__METADATA_API": "True",
        "AIRFLOW__MWAA_PROVIDER__METADATA_API_CLEANUP": "True",
        "AIRFLOW__API_AUTH__JWT_SECRET": SECRET,
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        **variables,
    }
    airflow = RealAirflow(dags_folder=Path(__file__).parent / "dags", environment=environment, unpause=True)
    with LocalMwaa() as mwaa:
        mwaa.create_environment(NAME, airflow)
        yield There(mwaa, airflow)


@pytest.fixture(scope="module")
def there() -> Iterator[There]:
    for one in started():
        one.rows(
            "INSERT INTO log (dttm, event, dag_id, owner, extra) SELECT TIMESTAMPTZ '2026-01-01Z' + n * interval '1 second', "
            f"'event ' || n % 7, 'dag_' || n % 50, 'airflow', md5(n::text) FROM generate_series(1, {ROWS}) n"
        )
        one.rows("ANALYZE log")
        yield one


def test_attacks(there):
    there.client().set_variable(NAME, "planted", attacks.PLANTED)
    attacks.nobody_but_an_administrator_gets_in(there.target)
    attacks.a_cookie_does_not_count(there.target)
    attacks.hostile_names_and_ranges_are_refused(there.target, there.rows)
    attacks.secrets_stay_at_home(there.target)
    attacks.a_thousand_at_once_are_two_at_a_time(there.target)


def test_a_web_server_that_restarts_in_the_middle_costs_no_row(there):
    component = "api-server"
    restarted = threading.Event()

    def restart() -> None:
        there.airflow.restart(component)
        restarted.set()

    digest = 0
    with ApiSource(there.client(), NAME) as source:
        (selection,) = source.selections(Asked(("log",)))
        with source.open(selection) as rows:
            for number, chunk in enumerate(rows.chunks()):
                if number == 2:
                    threading.Thread(target=restart).start()
                digest += chunk.count(b"\n")
    assert restarted.wait(60)
    assert rows.row_count == digest >= ROWS
    ((count,),) = there.rows(f"SELECT count(*) FROM log WHERE dttm < '{selection.until.isoformat()}'")
    assert rows.row_count == count


def test_a_web_server_that_restarts_in_the_middle_of_a_clean_up_costs_no_row(there):
    cut = datetime(2026, 1, 1, tzinfo=timezone.utc)
    there.rows(
        "INSERT INTO log (dttm, event) SELECT TIMESTAMPTZ '2025-01-01Z' + n * interval '1 second', 'old' "
        "FROM generate_series(1, 200000) n"
    )
    ((young,),) = there.rows(f"SELECT count(*) FROM log WHERE dttm >= '{cut.isoformat()}'")
    restarting = threading.Thread(target=there.airflow.restart, args=("api-server",))

    def restart_once(reached: str, report: Report) -> None:
        if not restarting.ident:
            restarting.start()

    arguments = {
        "before": cut,
        "tables": ["log"],
        "batch_size": 5000,
        "pause_between_batches": 0.1,
        "environment_name": NAME,
    }
    report = run_cleanup(arguments, there.client, progress=restart_once)
    restarting.join(60)
    assert report.is_complete
    ((old, rest),) = there.rows(
        f"SELECT count(*) FILTER (WHERE dttm < '{cut.isoformat()}'), count(*) FILTER (WHERE dttm >= '{cut.isoformat()}') FROM log"
    )
    assert (old, rest >= young) == (0, True)
    # Of a batch whose answer was lost nothing is counted, and it is said so.
    assert report.rows["log"] == 200_000 or report.notes


EXPORTS = """
import json, os, sys, time
from pathlib import Path
from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.metadata.cleanup.asking import run_cleanup
from mwaa_provider.metadata.cleanup.report import Report
from mwaa_provider.metadata.export.api_source import ApiSource
from mwaa_provider.metadata.export.source import Asked

os.nice(19)  # on MWAA a task runs on another machine than the web server
rows = exports = 0
with ApiSource(MwaaClient(), sys.argv[1]) as source:
    while not Path(sys.argv[2], "stop").exists():
        (selection,) = source.selections(Asked(("log",)))
        with source.open(selection) as found:
            for _ in found.chunks():
                Path(sys.argv[2], "begun").touch()
        rows, exports = rows + found.row_count, exports + 1
        Path(sys.argv[2], "told").write_text(json.dumps([exports, rows]))
"""


CLEAN_UPS = """
import json, os, sys
from datetime import datetime, timezone
from pathlib import Path
from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.metadata.cleanup.asking import run_cleanup

os.nice(19)  # on MWAA a task runs on another machine than the web server
rows = times = 0
before = datetime(2025, 6, 1, tzinfo=timezone.utc)
while not Path(sys.argv[2], "stop").exists():
    arguments = {"before": before, "route": "metadata_api", "environment_name": sys.argv[1]}
    report = run_cleanup(arguments, MwaaClient, progress=lambda *told: Path(sys.argv[2], "begun").touch())
    rows, times = rows + report.total, times + 1
    Path(sys.argv[2], "told").write_text(json.dumps([times, rows]))
"""


def old_rows(there: There) -> None:
    there.rows(
        "INSERT INTO log (dttm, event, extra) SELECT TIMESTAMPTZ '2025-01-01Z' + n * interval '1 second', 'old', md5(n::text) "
        "FROM generate_series(1, 1500000) n"
    )


@pytest.mark.parametrize(
    ("work", "script"), [("exports", EXPORTS), ("clean-ups", CLEAN_UPS)], ids=["exports", "clean_ups"]
)
def test_no_heartbeat_is_lost_and_none_waits_long(there, tmp_path, record_property, work, script):
    if script == CLEAN_UPS:
        old_rows(there)
    there.airflow.wait_for_dag("beating")
    client = there.client()
    run = client.trigger_dag_run(NAME, "beating", conf={"seconds": 75})
    until(
        lambda: there.rows("SELECT count(*) FROM task_instance WHERE state = 'running' AND pid IS NOT NULL") == [(4,)],
        lambda: there.rows("SELECT task_id, map_index, state FROM task_instance"),
    )
    watch, probe = Watch(there.airflow), Probe(there.airflow, SECRET)
    watch.start()
    probe.seconds(50)
    idle = probe.seconds(400)
    environment = {**os.environ, **there.mwaa.environment_variables(), "NO_PROXY": "*"}
    working = subprocess.Popen([sys.executable, "-c", script, NAME, str(tmp_path)], env=environment)
    try:
        until((tmp_path / "begun").exists, lambda: f"no {work} begin", 60)
        busy = probe.seconds(400)
        (tmp_path / "stop").touch()
        assert working.wait(120) == 0
    finally:
        working.kill()
        working.wait()
    times, rows = json.loads((tmp_path / "told").read_text())
    finished = client.wait_for_dag_run(NAME, "beating", run.run_id, poke_interval=1, timeout=180)
    watch.stop()
    ratio = p99(busy) / p99(idle)
    told = (
        f"p99 of a heartbeat: idle {1000 * p99(idle):.1f} ms, during {times} {work} of {rows} rows {1000 * p99(busy):.1f} ms, "
        f"{ratio:.2f} times; the longest time a running task lay back: {watch.longest:.1f} s"
    )
    print(told)
    record_property("heartbeats", told)
    assert finished.state == "success"
    assert len(watch.seen) >= 4
    # The scheduler gives a task up after 300 seconds; it beats every second here.
    assert watch.longest < 10, told
    logs = there.airflow.logs_folder / "logs"
    assert not [log for log in logs.rglob("dag_id=beating/**/*.log") if "Failed to send heartbeat" in log.read_text()]
    assert ratio < 3, told


def test_a_slow_reader_holds_up_nobody_for_long(there):
    """Two who do not take their answers keep both places, until their time is up."""
    import socket
    from urllib.parse import urlsplit

    token = there.target.token_of("Admin")
    question = json.dumps(there.target.question(columns=["id", "dttm", "event", "extra"])).encode()
    address = urlsplit(there.target.url)
    slow = []
    for _ in range(2):
        connection = socket.create_connection((address.hostname, address.port))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(
            b"POST /mwaa_provider/metadata/v1/rows HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
            + token.encode()
            + b"\r\nContent-Length: %d\r\n\r\n" % len(question)
            + question
        )
        slow.append(connection)
    time.sleep(2)
    assert there.target.ask("GET", "", token=token).status_code == 429
    ((open_for,),) = there.rows(
        "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float FROM pg_stat_activity WHERE query LIKE 'COPY%'"
    )
    assert open_for < 25
    began = time.monotonic()
    until(
        lambda: there.target.ask("GET", "", token=token).status_code == 200, lambda: "both places are still taken", 90
    )
    assert time.monotonic() - began < 75
    assert there.rows("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY%' AND state <> 'idle'") == [(0,)]
    for connection in slow:
        connection.close()


def test_where_all_are_admins_the_token_must_be_shown_all_the_same():
    for there in started(AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS="True"):
        # Airflow gives anybody a token there.
        import requests

        token = requests.get(f"{there.airflow.inner_url}/auth/token", timeout=60).json()["access_token"]
        target = attacks.Target(there.airflow.inner_url, lambda role, token=token: token, SECRET)
        assert requests.get(f"{there.airflow.inner_url}/api/v2/variables", timeout=60).status_code == 200
        assert target.statuses() == {401}
        attacks.a_cookie_does_not_count(target)
        assert target.statuses(token="garbage") == {401}
        assert target.ask("GET", "", token=token).status_code == 200
