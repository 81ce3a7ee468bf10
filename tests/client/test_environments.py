"""What an environment is and how its last update went, as AWS tells it."""

from __future__ import annotations

import pytest

from mwaa_provider.client.models import Environment
from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.local import LocalMwaa, ScriptedAirflow
from tests.client.conftest import MakeClient


def told(make_client: MakeClient) -> tuple[str, str | None, str | None]:
    environment = make_client().get_environment("target")
    return environment.status, environment.last_update_status, environment.last_update_error


def test_an_environment_is_described(airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client: MakeClient) -> None:
    (environment,) = local_mwaa.environments
    assert make_client().get_environment("target") == Environment(
        name="target",
        airflow_version=airflow.airflow_version,
        web_server_host=environment.host,
        status="AVAILABLE",
        arn="arn:aws:airflow:us-east-1:123456789012:environment/target",
        last_update_status=None,
        last_update_error=None,
    )


def test_how_an_update_went_is_told(airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client: MakeClient) -> None:
    (environment,) = local_mwaa.environments
    for status, last_update in (
        ("CREATING", None),
        ("PENDING", None),
        ("AVAILABLE", None),
        ("UPDATING", "PENDING"),
        ("CREATING_SNAPSHOT", "PENDING"),
        ("AVAILABLE", "SUCCESS"),
        ("MAINTENANCE", "PENDING"),
        ("ROLLING_BACK", "PENDING"),
        ("UPDATE_FAILED", "FAILED"),
        ("DELETING", "FAILED"),
        ("DELETED", "FAILED"),
    ):
        environment.set_status(status)
        assert told(make_client) == (status, last_update, None)


@pytest.mark.parametrize("status", ["CREATE_FAILED", "UPDATE_FAILED", "UNAVAILABLE"])
def test_the_reason_that_aws_gives_is_told(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client: MakeClient, status: str
) -> None:
    (environment,) = local_mwaa.environments
    environment.set_status(status, error="You may need to check the execution role.")
    reason = "INCORRECT_CONFIGURATION: You may need to check the execution role."
    assert told(make_client) == (status, "FAILED", reason)
    environment.set_status("UPDATING")
    assert told(make_client) == ("UPDATING", "PENDING", None)


def test_a_status_that_mwaa_does_not_have_is_named(airflow: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
    (environment,) = local_mwaa.environments
    with pytest.raises(InvalidInputError, match="status: 'READY' is none of MWAA's; give one of CREATING, PENDING"):
        environment.set_status("READY")
