from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mwaa_provider.local import LocalEnvironment, LocalMwaa, ManualClock, ScriptedAirflow
from tests.local.callers import LINES, Signed, Web, boto3_client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def mwaa(clock: ManualClock) -> Iterator[LocalMwaa]:
    with LocalMwaa(clock=clock) as service:
        yield service


@pytest.fixture(params=[2, 3], ids=["airflow2", "airflow3"])
def line(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture
def airflow(line: int) -> ScriptedAirflow:
    scripted = ScriptedAirflow(LINES[line])
    scripted.add_dag("report", run_takes=10)
    return scripted


@pytest.fixture
def env(mwaa: LocalMwaa, airflow: ScriptedAirflow) -> LocalEnvironment:
    return mwaa.create_environment("target", airflow)


@pytest.fixture
def client(mwaa: LocalMwaa) -> Any:
    return boto3_client(mwaa)


@pytest.fixture
def signed(mwaa: LocalMwaa) -> Signed:
    return Signed(mwaa)


@pytest.fixture
def web(mwaa: LocalMwaa, env: LocalEnvironment) -> Web:
    return Web(mwaa, env)


@pytest.fixture
def logged_in(web: Web, client: Any) -> Web:
    assert web.login(client.create_web_login_token(Name="target")["WebToken"]).status_code == 200
    return web


@pytest.fixture
def run_body(line: int) -> Callable[[str], dict[str, Any]]:
    def body(run_id: str) -> dict[str, Any]:
        return {"dag_run_id": run_id} if line == 2 else {"dag_run_id": run_id, "logical_date": None}

    return body
