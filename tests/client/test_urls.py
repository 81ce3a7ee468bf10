"""Addresses of pages in another environment's user interface."""

from __future__ import annotations

import pytest

from mwaa_provider.client.models import Environment
from mwaa_provider.client.urls import dag_run_url, task_instance_url
from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.local import LocalMwaa, ScriptedAirflow
from tests.client.conftest import MakeClient

RUN = "manual__2026-01-31T12:00:00+00:00"
OLD, NEW = (Environment("e", version, "host.c2.on.aws", "AVAILABLE", "arn") for version in ("2.7.2", "3.0.6"))


def test_a_run_has_a_page() -> None:
    assert dag_run_url(OLD, "löad.it", RUN) == (
        "https://host.c2.on.aws/dags/l%C3%B6ad.it/grid?dag_run_id=manual__2026-01-31T12%3A00%3A00%2B00%3A00"
    )
    assert dag_run_url(NEW, "löad.it", RUN) == (
        "https://host.c2.on.aws/dags/l%C3%B6ad.it/runs/manual__2026-01-31T12%3A00%3A00%2B00%3A00"
    )


def test_a_task_instance_has_a_page() -> None:
    assert task_instance_url(OLD, "load", "a&b", "group.task") == (
        "https://host.c2.on.aws/dags/load/grid?dag_run_id=a%26b&task_id=group.task&tab=logs"
    )
    assert task_instance_url(OLD, "load", "r", "t", map_index=0) == (
        "https://host.c2.on.aws/dags/load/grid?dag_run_id=r&task_id=t&map_index=0&tab=logs"
    )
    assert task_instance_url(NEW, "load", "a?b", "group.task") == (
        "https://host.c2.on.aws/dags/load/runs/a%3Fb/tasks/group.task"
    )
    assert task_instance_url(NEW, "load", "r", "t", map_index=2) == (
        "https://host.c2.on.aws/dags/load/runs/r/tasks/t/mapped/2"
    )


def test_a_client_knows_the_environments_own_host(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client: MakeClient
) -> None:
    (environment,) = local_mwaa.environments
    client, is_new = make_client(), airflow.airflow_version.startswith("3.")
    of_run = f"{environment.base_url}/dags/load/{'runs/r' if is_new else 'grid?dag_run_id=r'}"
    assert client.dag_run_url("target", "load", "r") == of_run
    assert client.task_instance_url("target", "load", "r", "t") == of_run + (
        "/tasks/t" if is_new else "&task_id=t&tab=logs"
    )
    assert local_mwaa.journal.count() == 1  # GetEnvironment, once
    custom = make_client(web_server_hosts={"target": "airflow.example.com"})
    assert custom.dag_run_url("target", "load", "r").startswith("https://airflow.example.com/dags/load/")
    with pytest.raises(InvalidInputError) as caught:
        client.task_instance_url("1", "a/b", "", "", map_index=-2)
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "environment_name",
        "dag_id",
        "run_id",
        "task_id",
        "map_index",
    ]
