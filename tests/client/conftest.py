from __future__ import annotations

from collections.abc import Callable
from typing import Any

import botocore.session
import pytest
from botocore.config import Config

from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.local import Identity, LocalMwaa, ScriptedAirflow

needs_invoke_rest_api = pytest.mark.skipif(
    "InvokeRestApi" not in botocore.session.Session().get_service_model("mwaa").operation_names,
    reason="this release's boto3 has no invoke_rest_api",
)

MakeClient = Callable[..., MwaaClient]


class SteppingClock:
    """A clock for the client that moves only when somebody sleeps, or by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        #: What the wall clock is ahead of the monotonic one.
        self.wall = 1_700_000_000.0

    def monotonic(self) -> float:
        return self.seconds

    def time(self) -> float:
        return self.wall + self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


@pytest.fixture(params=["2.10.3", "3.3.1"])
def airflow(request: pytest.FixtureRequest, local_mwaa: LocalMwaa) -> ScriptedAirflow:
    airflow = ScriptedAirflow(request.param)
    airflow.add_dag("load", run_takes=None)
    local_mwaa.create_environment("target", airflow)
    return airflow


@pytest.fixture
def make_client(local_mwaa: LocalMwaa, clock: SteppingClock) -> MakeClient:
    def make(*, identity: Identity | None = None, **changes: Any) -> MwaaClient:
        arguments: dict[str, Any] = {
            "session": local_mwaa.boto3_session(identity),
            "endpoint_url": local_mwaa.endpoint_url,
            "botocore_config": Config(inject_host_prefix=False),
            "verify": str(local_mwaa.ca_file),
            "clock": clock,
        }
        return MwaaClient(**{**arguments, **changes})

    return make
