"""``mwaa`` in this process, against a local MWAA."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mwaa_provider.local import LocalMwaa, ScriptedAirflow
from tests.support.command import Ended, run_mwaa

RunMwaa = Callable[..., Ended]


@pytest.fixture
def variables(local_mwaa: LocalMwaa) -> dict[str, str]:
    return local_mwaa.environment_variables()


@pytest.fixture
def run(variables: dict[str, str]) -> RunMwaa:
    """Run the command with these arguments; named ones are further environment variables, None takes one away."""

    def run(*arguments: str, stdin: str | None = None, **changed: str | None) -> Ended:
        return run_mwaa(arguments, {**variables, **changed}, stdin)

    return run


@pytest.fixture(params=["2.10.3", "3.3.1"])
def airflow(request: pytest.FixtureRequest, local_mwaa: LocalMwaa) -> ScriptedAirflow:
    """The Airflow behind the environment ``production``."""
    airflow = ScriptedAirflow(request.param)
    local_mwaa.create_environment("production", airflow)
    return airflow
