"""``mwaa secrets move`` on a real Airflow with the options of ``mwaa secrets options``: its tasks read the same before and after."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.local import LocalMwaa
from mwaa_provider.local.real import RealAirflow
from tests.cli.conftest import RunMwaa
from tests.support.secrets_manager import Secrets, started_secrets_manager

PATIENCE = 120.0
TEXT, PASSWORD = 'it\'s "quoted"\nß', "p/@:+ß"
# The REST API of Airflow 2 tells an XCom by Python's text of it, which is the same for a text alone.
DAG = """
import json
from datetime import datetime, timezone

from airflow import DAG
from airflow.decorators import task

try:
    from airflow.sdk import BaseHook, Variable
except ImportError:  # Airflow 2
    from airflow.hooks.base import BaseHook
    from airflow.models import Variable

with DAG("reads", start_date=datetime(2024, 1, 1, tzinfo=timezone.utc), schedule=None):

    @task
    def read():
        found = BaseHook.get_connection("team_a_sales")
        return json.dumps({
            "text": Variable.get("team_a_text"),
            "json": Variable.get("team_a_json", deserialize_json=True),
            "hidden": Variable.get("team_a_api_key"),
            "connection": [found.conn_type, found.host, found.login, found.password, found.extra_dejson],
        })

    read()
"""
READ = {
    "text": TEXT,
    "json": {"rows": [1, None]},
    "hidden": "not shown",
    "connection": ["postgres", "DB/path", "etl", PASSWORD, {"a": [1]}],
}


@pytest.fixture
def secrets() -> Iterator[Secrets]:
    with started_secrets_manager() as secrets:
        yield secrets


def told_to_look_there(run: RunMwaa, secrets: Secrets) -> dict[str, str]:
    """Return the options of the command as MWAA hands them to Airflow; the address of moto goes beside them, on MWAA there is none."""
    prefixes = [
        "--variables-prefix",
        f"{secrets.prefix}/variables",
        "--connections-prefix",
        f"{secrets.prefix}/connections",
    ]
    patterns = ["--connections-lookup-pattern", "^team_a_", "--variables-lookup-pattern", "^team_a_"]
    options = json.loads(run("secrets", "options", *prefixes, *patterns, "--json").stdout)
    keywords = {**json.loads(options["secrets.backend_kwargs"]), "endpoint_url": secrets.endpoint_url}
    return {
        "AIRFLOW__SECRETS__BACKEND": options["secrets.backend"],
        "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps({**keywords, "region_name": "us-east-1"}),
        "AWS_ACCESS_KEY_ID": "TEST",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "NO_PROXY": "*",
    }


@pytest.mark.real_airflow
@pytest.mark.patient
def test_tasks_read_the_same_before_and_after(
    run: RunMwaa, secrets: Secrets, local_mwaa: LocalMwaa, tmp_path: Path
) -> None:
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags/reads.py").write_text(DAG, encoding="utf-8")
    airflow = RealAirflow(dags_folder=tmp_path / "dags", environment=told_to_look_there(run, secrets), unpause=True)
    local_mwaa.create_environment("production", airflow)
    client = MwaaClient(
        session=local_mwaa.boto3_session(),
        endpoint_url=local_mwaa.endpoint_url,
        verify=str(local_mwaa.ca_file),
        transport="session",
    )
    client.set_variable("production", "team_a_text", TEXT)
    client.set_variable("production", "team_a_json", '{"rows": [1, null]}')
    client.set_variable("production", "team_a_api_key", "not shown")
    fields = {"host": "DB/path", "login": "etl", "password": PASSWORD, "extra": {"a": [1]}}
    client.set_connection("production", "team_a_sales", "postgres", **fields)
    airflow.wait_for_dag("reads", timeout=PATIENCE)

    def read() -> Any:
        done = client.trigger_dag_run("production", "reads")
        client.wait_for_dag_run("production", "reads", done.run_id, poke_interval=0.5, timeout=PATIENCE)
        return json.loads(client.get_xcom("production", "reads", done.run_id, "read").value)

    assert read() == READ
    connections, values = tmp_path / "connections.json", tmp_path / "values.json"
    connections.write_text(json.dumps({"team_a_sales": {"conn_type": "postgres", **fields}}), encoding="utf-8")
    values.write_text(json.dumps({"team_a_api_key": "not shown"}), encoding="utf-8")
    moved = run(
        *("secrets", "move", "production", "--variables", "team_a_", "--values", str(values)),
        *("--connections", str(connections), "--delete"),
        *("--variables-prefix", f"{secrets.prefix}/variables", "--connections-prefix", f"{secrets.prefix}/connections"),
        AWS_ENDPOINT_URL_SECRETS_MANAGER=secrets.endpoint_url,
    )
    assert moved.status == 0, moved.stderr
    assert PASSWORD not in moved.stdout + moved.stderr
    assert list(client.list_variables("production")) == []
    assert "team_a_sales" not in list(client.list_connection_ids("production"))
    assert read() == READ
