"""HostMetricsOperator and EnvironmentMetricsOperator: what stands in CloudWatch after they ran."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import psycopg2
import pytest

from mwaa_provider.exceptions import InvalidInputError, MetricsNotPublishedError
from mwaa_provider.local import Identity, LocalMwaa, ScriptedAirflow
from mwaa_provider.metrics.host import HOST_METRICS
from mwaa_provider.operators.cloudwatch_metrics import EnvironmentMetricsOperator, HostMetricsOperator
from tests.metrics.conftest import cloud as cloud
from tests.metrics.conftest import started_cloudwatch as started_cloudwatch
from tests.support.cloudwatch import CloudWatch
from tests.support.dag_runs import RunDag


@pytest.fixture(autouse=True)
def connections(cloud: CloudWatch, local_mwaa: LocalMwaa, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in cloud.variables.items():
        monkeypatch.setenv(name, value)
    connection = {"conn_type": "aws", "login": "testing", "password": "testing"}
    service = {"service_config": {"cloudwatch": {"endpoint_url": cloud.endpoint_url}}}
    monkeypatch.setenv(
        "AIRFLOW_CONN_CLOUD", json.dumps({**connection, "extra": {"region_name": "eu-west-1", **service}})
    )
    monkeypatch.setenv("AIRFLOW_CONN_MWAA", json.dumps(local_mwaa.airflow_connection()))


def host_operator(**arguments: Any) -> HostMetricsOperator:
    return HostMetricsOperator(**{"task_id": "host", "aws_conn_id": "cloud", "environment_name": "prod", **arguments})


def environments_operator(**arguments: Any) -> EnvironmentMetricsOperator:
    defaults = {"task_id": "environments", "aws_conn_id": "mwaa", "cloudwatch_conn_id": "cloud"}
    return EnvironmentMetricsOperator(**{**defaults, **arguments})


def test_the_hosts_figures_by_one_call(cloud: CloudWatch) -> None:
    told = host_operator().execute({})
    assert cloud.calls == 1
    kept = cloud.kept()
    assert {one.name: one.value for one in kept} == pytest.approx(told["metrics"])
    assert set(told["metrics"]) >= {name for name, metric in HOST_METRICS.items() if metric.category != "container"}
    assert {(one.dimensions["Environment"], one.dimensions["Host"]) for one in kept} == {("prod", told["host"])}
    assert told["metrics"]["cpu_times_percent_idle"] + told["metrics"]["cpu_times_percent_system"] >= 0


def test_namespace_and_categories_are_the_callers(cloud: CloudWatch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MWAA_ENV_NAME", "by-startup-script")
    host_operator(environment_name=None, namespace="Mine", categories=["load"]).execute({})
    assert cloud.kept() == []
    assert [(one.name, one.dimensions["Environment"]) for one in cloud.kept("Mine")] == [
        (f"load_average_{minutes}m", "by-startup-script") for minutes in (1, 5, 15)
    ]


def test_all_problems_of_the_host_operator_at_once(cloud: CloudWatch) -> None:
    with pytest.raises(InvalidInputError) as raised:
        host_operator(namespace="AWS/X", categories=["cpu"], storage_resolution=2).execute({})
    assert [problem.partition(":")[0] for problem in raised.value.problems] == [
        "namespace",
        "storage_resolution",
        "categories",
    ]
    with pytest.raises(InvalidInputError, match="neither AIRFLOW_ENV_NAME nor MWAA_ENV_NAME is set"):
        host_operator(environment_name=None).execute({})
    assert cloud.calls == 0


@pytest.fixture
def fleet(local_mwaa: LocalMwaa) -> dict[str, ScriptedAirflow]:
    airflows = {"old": ScriptedAirflow("2.7.2"), "new": ScriptedAirflow("3.3.1")}
    for name, airflow in airflows.items():
        airflow.add_dag("load", run_takes=None, tasks=("extract",))
        airflow.add_run("load", "r1", state="running")
        local_mwaa.create_environment(name, airflow)
    return airflows


@pytest.mark.parametrize("name", ["old", "new"])
def test_one_environment(fleet: dict[str, ScriptedAirflow], cloud: CloudWatch, name: str) -> None:
    fleet[name].add_import_error("broken.py", "SyntaxError")
    told = environments_operator(environment_name=name).execute({})
    version = fleet[name].airflow_version
    assert told["environments"] == [
        {"environment_name": name, "status": "AVAILABLE", "airflow_version": version, "is_well": True, "errors": []}
    ]
    assert (told["calls"], cloud.calls) == (1, 1)
    kept = {
        (one.name, *(value for key, value in one.dimensions.items() if key not in ("Environment", "Category"))): one
        for one in cloud.kept()
    }
    assert len(kept) == told["metrics"]
    expected = {
        ("environment_check_failed",): 0,
        ("environment_available",): 1,
        ("environment_info", version): 1,
        ("component_healthy", "scheduler"): 1,
        ("component_healthy", "metadatabase"): 1,
        ("dags",): 1,
        ("dags_paused",): 0,
        ("import_errors",): 1,
        ("dag_runs", "running"): 1,
        ("dag_runs", "queued"): 0,
        ("dag_runs_ended_last_hour", "failed"): 0,
        ("task_instances", "running"): 1,
        ("task_instances", "queued"): 0,
        ("oldest_queued_task_age",): 0,
        ("pool_slots", "default_pool"): 128,
    }
    assert {key: kept[key].value for key in expected} == expected
    assert ("heartbeat_age", "scheduler") in kept
    assert (("component_healthy", "dag_processor") in kept) == (name == "new")
    assert {one.dimensions["Environment"] for one in kept.values()} == {name}


def test_the_oldest_queued_task(fleet: dict[str, ScriptedAirflow], cloud: CloudWatch) -> None:
    fleet["new"].set_task_state("load", "r1", "extract", "queued")
    environments_operator(environment_name="new").execute({})
    (age,) = [one.value for one in cloud.kept() if one.name == "oldest_queued_task_age"]
    assert 0 <= age < 120
    (queued,) = [
        one.value for one in cloud.kept() if one.dimensions.get("State") == "queued" and one.name == "task_instances"
    ]
    assert queued == 1


def test_one_environments_failure_is_not_the_end_of_the_rest(
    fleet: dict[str, ScriptedAirflow], local_mwaa: LocalMwaa, cloud: CloudWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Identity("OTHERACCOUNT", denied_actions=frozenset({"InvokeRestApi", "CreateWebLoginToken"}))
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", json.dumps(local_mwaa.airflow_connection(other)))
    told = environments_operator(
        environments=[
            "old",
            {"environment_name": "new", "aws_conn_id": "other"},
            "gone",
            {"environment_name": "lost", "aws_conn_id": "no_such_connection"},
        ]
    ).execute({})
    assert [(one["environment_name"], one["status"], one["is_well"]) for one in told["environments"]] == [
        ("old", "AVAILABLE", True),
        ("new", "AVAILABLE", False),
        ("gone", None, False),
        ("lost", None, False),
    ]
    assert "There is no MWAA environment 'gone'" in told["environments"][2]["errors"][0]
    failed = {
        one.dimensions["Environment"]: one.value for one in cloud.kept() if one.name == "environment_check_failed"
    }
    assert failed == {"old": 0, "new": 1, "gone": 1, "lost": 1}
    series = Counter(one.dimensions["Environment"] for one in cloud.kept())
    assert series["old"] > 20
    assert (series["new"], series["gone"], series["lost"]) == (3, 1, 1)
    assert cloud.calls == 1


def test_a_cloudwatch_that_says_no_fails_the_task(fleet: dict[str, ScriptedAirflow], cloud: CloudWatch) -> None:
    cloud.mood = "denied"
    with pytest.raises(MetricsNotPublishedError, match="Allow cloudwatch:PutMetricData"):
        environments_operator(environment_name="old").execute({})


def test_all_problems_of_the_environments_operator_at_once(local_mwaa: LocalMwaa, cloud: CloudWatch) -> None:
    with pytest.raises(InvalidInputError) as raised:
        environments_operator(
            environments=["1x", {"name": "a"}, 3, {"environment_name": "fine"}], namespace="", with_database="maybe"
        ).execute({})
    assert [problem.partition(" ")[0] for problem in raised.value.problems] == [
        "environments[0]:",
        "environments[1]:",
        "environments[1]:",
        "environments[2]:",
        "namespace:",
        "with_database:",
    ]
    for arguments, problem in (
        ({}, "environment_name: it is missing; give it, or a list of environments"),
        (
            {"environment_name": "a", "environments": ["b"]},
            "environment_name, environments: both are given; give one of them",
        ),
        (
            {"environments": []},
            "environments: [] is not a list of environments; give names, or dicts with environment_name",
        ),
        (
            {"environments": "a"},
            "environments: 'a' is not a list of environments; give names, or dicts with environment_name",
        ),
    ):
        with pytest.raises(InvalidInputError) as raised:
            environments_operator(**arguments).execute({})
        assert raised.value.problems == (problem,)
    assert cloud.calls == 0
    assert local_mwaa.journal.entries() == ()


FLEET = """
    from datetime import datetime, timezone

    from airflow import DAG
    from mwaa_provider.operators.cloudwatch_metrics import EnvironmentMetricsOperator, HostMetricsOperator

    with DAG(dag_id="fleet", start_date=datetime(2024, 1, 1, tzinfo=timezone.utc), schedule=None) as dag:
        EnvironmentMetricsOperator.partial(task_id="look", aws_conn_id="mwaa", cloudwatch_conn_id="cloud").expand(
            environment_name=["old", "new"]
        )
        HostMetricsOperator(task_id="host", aws_conn_id="cloud", environment_name="{{ dag.dag_id }}")
"""


@pytest.mark.patient
def test_it_maps_over_environments_in_airflow(
    fleet: dict[str, ScriptedAirflow], cloud: CloudWatch, run_dag: RunDag
) -> None:
    outcome = run_dag(FLEET)
    assert outcome.state == "success", outcome.log
    assert outcome.tasks == {"look[0]": "success", "look[1]": "success", "host": "success"}
    assert {one.dimensions["Environment"] for one in cloud.kept()} == {"old", "new", "fleet"}
    assert outcome.xcoms["look[0]"]["return_value"]["environments"][0]["status"] == "AVAILABLE"


def test_figures_of_the_own_database(
    fleet: dict[str, ScriptedAirflow], cloud: CloudWatch, airflow_database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real schema of the installed release; ``old`` is told to be where this runs."""
    monkeypatch.setenv("AIRFLOW_ENV_NAME", "old")
    environments_operator(environments=["old", "new"], with_database=True).execute({})
    kept = [one for one in cloud.kept() if one.dimensions["Category"] == "database"]
    assert {one.dimensions["Environment"] for one in kept} == {"old"}
    sizes = {one.dimensions["Table"]: one.value for one in kept if one.name == "table_size"}
    assert {"dag_run", "task_instance", "xcom", "log", "job"} <= set(sizes)
    with psycopg2.connect(airflow_database.url.replace("+psycopg2", "")) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size('dag_run'), pg_database_size(current_database())")
        table, whole = cursor.fetchone()
    connection.close()
    assert sizes["dag_run"] == table
    (size,) = [one.value for one in kept if one.name == "database_size"]
    assert size == pytest.approx(whole, rel=0.05)
    assert {one.name for one in kept} >= {"table_size", "table_rows", "table_dead_rows", "database_size"}


def test_a_database_that_cannot_be_read(
    fleet: dict[str, ScriptedAirflow], cloud: CloudWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Airflow 3 on MWAA: it is left out, or, where it was asked for, one of the environment's errors."""
    monkeypatch.setenv("AIRFLOW_ENV_NAME", "old")
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "airflow-db-not-allowed:///")
    told = environments_operator(environment_name="old").execute({})
    assert told["environments"][0]["errors"] == []
    told = environments_operator(environment_name="old", with_database=True).execute({})
    assert told["environments"][0]["errors"] == [
        "Nothing here tells a task the metadata database's address (as usual on Airflow 3)."
    ]
    assert [one for one in cloud.kept() if one.dimensions["Category"] == "database"] == []
