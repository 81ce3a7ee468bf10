"""Events of assets: once, whatever gets lost; which releases take them; which asset is meant."""

from __future__ import annotations

from typing import Any

import pytest

from mwaa_provider.exceptions import AssetNotFoundError, InvalidInputError, RestApiServerError
from mwaa_provider.local import Fault, LocalMwaa, ScriptedAirflow
from tests.client.conftest import MakeClient

URI = "s3://bucket/orders_%"
LOST = [
    lambda **given: Fault.lose_answer(**given),
    lambda **given: Fault.answer(502, after_acting=True, **given),
    lambda **given: Fault.answer(502, **given),
]


@pytest.fixture(params=["2.9.2", "2.10.3", "3.0.6", "3.3.1"])
def airflow(request: pytest.FixtureRequest, local_mwaa: LocalMwaa) -> ScriptedAirflow:
    airflow = ScriptedAirflow(request.param)
    local_mwaa.create_environment("target", airflow)
    airflow.add_dag("waits", run_takes=0)
    airflow.add_asset("s3://bucket/orders_ab", name="like it, for SQL")
    airflow.add_asset(URI, dag_ids=["waits"])
    return airflow


def test_a_dag_that_waits_for_it_runs(airflow: ScriptedAirflow, make_client: MakeClient) -> None:
    make_client().send_asset_event("target", URI, extra={"rows": 3}, event_key="k")
    assert airflow.asset_events(URI) == [{"rows": 3, "mwaa_event_key": "k", "from_rest_api": True}]
    assert len(airflow.runs("waits")) == 1


@pytest.mark.parametrize("lost", LOST)
def test_a_lost_answer_makes_no_second_event(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client: MakeClient, lost: Any
) -> None:
    local_mwaa.faults.add(lost(operation="rest", method="POST"))
    event = make_client(transport="session").send_asset_event("target", URI)
    assert [extra["mwaa_event_key"] for extra in airflow.asset_events(URI)] == [event.extra["mwaa_event_key"]]


def test_a_key_that_was_sent_long_ago_is_found(airflow: ScriptedAirflow, make_client: MakeClient) -> None:
    client = make_client()
    first = client.send_asset_event("target", URI, event_key="first")
    for _ in range(120):
        client.send_asset_event("target", URI)
    assert client.send_asset_event("target", URI, event_key="first") == first
    assert len(airflow.asset_events(URI)) == 121


def test_what_fails_for_good_is_said(airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client: MakeClient) -> None:
    local_mwaa.faults.add(Fault.answer(500, operation="rest", method="POST", times=None))
    with pytest.raises(RestApiServerError):
        make_client(transport="session").send_asset_event("target", URI)
    assert airflow.asset_events(URI) == []


def test_two_assets_of_one_uri(airflow: ScriptedAirflow, make_client: MakeClient) -> None:
    if airflow.airflow_version.startswith("2"):
        pytest.skip("Airflow 2 has one dataset for each URI")
    airflow.add_asset(URI, name="second")
    client = make_client()
    with pytest.raises(AssetNotFoundError, match=r"has 2 assets with the URI .*: '.*', 'second'\. Give asset_name"):
        client.send_asset_event("target", URI)
    assert client.send_asset_event("target", URI, asset_name="second").asset.name == "second"


@pytest.mark.parametrize("airflow_version", ["2.7.2", "2.8.1"])
def test_releases_before_2_9_take_none(local_mwaa: LocalMwaa, make_client: MakeClient, airflow_version: str) -> None:
    airflow = ScriptedAirflow(airflow_version)
    airflow.add_asset("s3://x")
    local_mwaa.create_environment("old", airflow)
    client = make_client()
    with pytest.raises(
        InvalidInputError, match=r"Airflow 2\.\d\.\d of environment 'old' takes no dataset events .* 2\.9 and later do"
    ):
        client.send_asset_event("old", "s3://x")
    assert [asset.uri for asset in client.list_assets("old")] == ["s3://x"]


def test_all_problems_at_once(local_mwaa: LocalMwaa, make_client: MakeClient) -> None:
    with pytest.raises(InvalidInputError) as caught:
        make_client().send_asset_event(
            "9",
            "",
            asset_name=5,  # type: ignore[arg-type]
            extra={"mwaa_event_key": "x"},
            event_key="",
        )
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        *("environment_name", "asset_uri", "asset_name", "extra", "event_key")
    ]
    assert local_mwaa.journal.count() == 0
