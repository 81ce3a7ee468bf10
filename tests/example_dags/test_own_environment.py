"""The examples that work within an environment run, as they stand: fleet, options, secrets, S3, dbt, a nested package."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import boto3
import botocore
import pytest

from mwaa_provider.client.connection_uri import connection_uri
from mwaa_provider.client.secrets_options import secrets_options
from mwaa_provider.local import LocalMwaa, ScriptedAirflow
from mwaa_provider.packaging.plugins_build import Contents, build_plugins
from tests.example_dags.running import run_example, text_of
from tests.support.dag_runs import RunDag
from tests.support.processes import ROOT
from tests.support.s3 import BUCKET, S3, started_s3

CONN_ID = "local_mwaa"
pytestmark = pytest.mark.patient


@pytest.fixture
def connections(local_mwaa: LocalMwaa) -> dict[str, str]:
    return {CONN_ID: json.dumps(local_mwaa.airflow_connection())}


@pytest.fixture(scope="module")
def aws() -> Iterator[S3]:
    with started_s3() as moto:
        yield moto


def without_colours(text: str) -> str:
    return re.sub(r"[\s│]+", " ", text)


def test_fleet_status(run_dag: RunDag, local_mwaa: LocalMwaa, connections: dict[str, str]) -> None:
    for name, version in (("north", "3.3.1"), ("south", "2.10.3")):
        local_mwaa.create_environment(name, ScriptedAirflow(version))
    outcome = run_example(run_dag, "example_fleet_status", {"aws_conn_id": CONN_ID}, connections=connections)
    assert outcome.state == "success", outcome.log
    assert outcome.xcoms["look"]["return_value"] == {"north": True, "south": True}
    params = {"aws_conn_id": CONN_ID, "environments": ["north", "nowhere"]}
    outcome = run_example(run_dag, "example_fleet_status", params, connections=connections)
    assert outcome.tasks == {"look": "success", "fail_if_one_is_not_well": "failed"}, outcome.log
    assert "not well: nowhere" in without_colours(outcome.log)


def test_fan_out(run_dag: RunDag, local_mwaa: LocalMwaa, connections: dict[str, str]) -> None:
    for name, version in (("north", "3.3.1"), ("south", "2.10.3")):
        airflow = ScriptedAirflow(version)
        airflow.add_dag("example_target", tasks=["greet"], run_takes=0, task_returns={"greet": f"greeted by {name}"})
        local_mwaa.create_environment(name, airflow)
    params = {"aws_conn_id": CONN_ID, "environments": ["north", "south"]}
    outcome = run_example(run_dag, "example_trigger_fan_out", params, connections=connections)
    assert outcome.state == "success", outcome.log
    assert sorted(outcome.xcoms["collect"]["return_value"]) == ["greeted by north", "greeted by south"]


def test_configuration_value(run_dag: RunDag) -> None:
    environment = {"AIRFLOW__CORE__DEFAULT_TIMEZONE": "Europe/Berlin"}
    outcome = run_example(run_dag, "example_configuration_value", environment=environment)
    assert outcome.xcoms["print_option"]["return_value"] == "Europe/Berlin", outcome.log
    told = "core.default_timezone = 'Europe/Berlin' (AIRFLOW__CORE__DEFAULT_TIMEZONE)"
    assert told in without_colours(outcome.log)
    outcome = run_example(run_dag, "example_configuration_value", {"option": "core.fernet_key"})
    assert outcome.state == "failed"
    assert "core.fernet_key is a secret" in without_colours(outcome.log)


def test_bash_command(run_dag: RunDag) -> None:
    outcome = run_example(run_dag, "example_bash_command")
    assert outcome.state == "success", outcome.log
    assert outcome.xcoms["run"]["return_value"].startswith("Python 3.")
    refused = run_example(run_dag, "example_bash_command", {"command": "id"})
    assert "Invalid input for param command: 'id' is not one of" in refused.log
    assert "uid=" not in refused.log
    assert (refused.run_id, refused.xcoms) == (outcome.run_id, outcome.xcoms)  # the last run is the one before


def test_secrets_manager(run_dag: RunDag, aws: S3) -> None:
    client = boto3.client("secretsmanager", endpoint_url=aws.endpoint_url, region_name="eu-west-1")
    uri = connection_uri("postgres", host="db", login="etl", password="tell/nobody@all")
    client.create_secret(Name="airflow/variables/test_variable", SecretString="tell-nobody")
    client.create_secret(Name="airflow/connections/myconn", SecretString=uri)
    options = secrets_options(connections_lookup_pattern="^my", variables_lookup_pattern="^test_")
    # The address of moto goes beside what the command prints; on MWAA there is none.
    kwargs = {
        **json.loads(options["secrets.backend_kwargs"]),
        "endpoint_url": aws.endpoint_url,
        "region_name": "eu-west-1",
    }
    environment = {
        "AIRFLOW__SECRETS__BACKEND": options["secrets.backend"],
        "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps(kwargs),
    }
    outcome = run_example(run_dag, "example_secrets_manager", environment=environment)
    assert outcome.state == "success", outcome.log
    assert outcome.xcoms["use_a_variable"]["return_value"] == {"variable": "test_variable", "characters": 11}
    assert outcome.xcoms["use_a_connection"]["return_value"] == {"type": "postgres", "host": "db", "has_password": True}
    for secret in ("tell-nobody", "tell/nobody", "tell%2Fnobody"):
        assert secret not in outcome.log


@pytest.mark.skipif(
    tuple(map(int, botocore.__version__.split(".")[:3])) < (1, 31, 57),
    reason="this release's boto3 does not know AWS_ENDPOINT_URL_S3",
)
def test_s3_file_transform(run_dag: RunDag, aws: S3) -> None:
    aws.client.put_object(Bucket=BUCKET, Key="in.txt", Body="eins\nzwei ü\n".encode())
    script = "/usr/local/airflow/plugins/upper_case.py"
    text = text_of("example_s3_file_transform")
    assert script in text
    params = {"source": f"s3://{BUCKET}/in.txt", "destination": f"s3://{BUCKET}/out.txt"}
    environment = {"AWS_ENDPOINT_URL_S3": aws.endpoint_url, "AWS_DEFAULT_REGION": "eu-west-1"}
    for _ in range(2):
        outcome = run_dag(
            text.replace(script, str(ROOT / "examples/upper_case.py")),
            conf=params,
            environment={**environment, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"},
        )
        assert outcome.state == "success", outcome.log
    assert aws.read("out.txt") == "EINS\nZWEI Ü\n".encode()


def test_dbt_with_a_stand_in_that_writes_down_what_it_is_given(run_dag: RunDag, tmp_path: Path) -> None:
    """dbt itself is not installed here; what the DAG does around it is what is tried."""
    project = tmp_path / "project with space"
    (project / "models").mkdir(parents=True)
    (project / "dbt_project.yml").write_text("name: shop")
    told = tmp_path / "told"
    stand_in = tmp_path / "dbt"
    stand_in.write_text(
        f'#!/bin/bash\nprintf "%s\\n" "$@" "$(cat dbt_project.yml)" "$PWD" > "{told}"\necho "3 of 3 OK"\n'
    )
    stand_in.chmod(0o755)
    params = {"project": str(project), "dbt": str(stand_in), "command": "run; touch /tmp/injected"}
    outcome = run_example(run_dag, "example_dbt", params)
    assert outcome.state == "success", outcome.log
    *words, content, folder = told.read_text().splitlines()
    assert words == ["run; touch /tmp/injected", "--project-dir", ".", "--profiles-dir", "."]
    assert content == "name: shop"
    assert not Path(folder).exists()
    assert sorted(path.name for path in project.iterdir()) == ["dbt_project.yml", "models"]
    stand_in.write_text("#!/bin/bash\necho '1 of 3 ERROR'\nexit 1\n")
    outcome = run_example(run_dag, "example_dbt", params)
    assert (outcome.state, "1 of 3 ERROR" in outcome.log) == ("failed", True), outcome.log


def test_a_nested_plugin_package_out_of_a_plugins_zip(run_dag: RunDag, tmp_path: Path) -> None:
    import zipfile

    built = build_plugins(tmp_path / "plugins.zip", Contents(folder=ROOT / "examples/nested_plugin"))
    with zipfile.ZipFile(built.path) as archive:
        archive.extractall(tmp_path / "plugins")
    # A DAG processor has the plugins folder on its path (tests/rules parses with one); this process imports the file by itself.
    path = os.pathsep.join(map(str, (ROOT, ROOT / "src", tmp_path / "plugins")))
    environment = {"AIRFLOW__CORE__PLUGINS_FOLDER": str(tmp_path / "plugins"), "PYTHONPATH": path}
    outcome = run_example(run_dag, "example_nested_plugin", {"name": "Zürich"}, environment=environment)
    assert outcome.state == "success", outcome.log
    assert outcome.xcoms["hello"]["return_value"] == "Hello, Zürich"
    assert (tmp_path / "plugins/acme/__init__.py").is_file()
