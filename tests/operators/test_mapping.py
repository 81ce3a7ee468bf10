"""``.partial().expand()`` works on every parameter of the operators and sensors, as the installed Airflow maps them."""

from __future__ import annotations

import inspect
from datetime import datetime, timezone
from typing import Any

import pytest
from airflow import DAG

from mwaa_provider.operators.cli import MwaaCliOperator
from mwaa_provider.operators.cloudwatch_metrics import EnvironmentMetricsOperator, HostMetricsOperator
from mwaa_provider.operators.dag_run import MwaaTriggerDagRunOperator
from mwaa_provider.operators.rest_api import MwaaRestApiOperator
from mwaa_provider.sensors.dag_run import MwaaDagRunSensor
from mwaa_provider.sensors.environment import MwaaEnvironmentSensor
from mwaa_provider.sensors.task import MwaaTaskSensor

#: What each needs besides the parameter that is mapped.
NEEDED: dict[type[Any], dict[str, Any]] = {
    MwaaTriggerDagRunOperator: {"environment_name": "target", "trigger_dag_id": "load"},
    MwaaCliOperator: {"environment_name": "target", "command": ["version"]},
    MwaaRestApiOperator: {"environment_name": "target", "path": "/dags"},
    MwaaDagRunSensor: {"environment_name": "target", "external_dag_id": "load"},
    MwaaTaskSensor: {"environment_name": "target", "external_dag_id": "load", "external_task_id": "extract"},
    MwaaEnvironmentSensor: {"environment_name": "target"},
    HostMetricsOperator: {},
    EnvironmentMetricsOperator: {},
}


def parameters() -> list[tuple[type[Any], str]]:
    found = []
    for kind in NEEDED:
        names = {
            name
            for one in kind.__mro__
            if one.__module__.startswith("mwaa_provider.") and "__init__" in vars(one)
            for name, parameter in inspect.signature(one).parameters.items()
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY
        }
        found += [(kind, name) for name in sorted(names)]
    return found


@pytest.mark.parametrize(("kind", "name"), parameters())
def test_every_parameter_can_be_mapped(kind: type[Any], name: str) -> None:
    values = ["{{ params.one }}", "two"]
    needed = {field: value for field, value in NEEDED[kind].items() if field != name}
    with DAG("maps", start_date=datetime(2024, 1, 1, tzinfo=timezone.utc), schedule=None):
        mapped = kind.partial(task_id="mapped", **needed).expand(**{name: values})
    for value in values:
        made = mapped.unmap({name: value})
        assert getattr(made, name) == value
        assert all(getattr(made, field) == given for field, given in needed.items())
