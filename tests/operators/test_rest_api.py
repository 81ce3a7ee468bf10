"""MwaaRestApiOperator: what it asks, how it pages, what it gives back, what it does not do twice."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mwaa_provider.exceptions import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    ResponseCheckFailedError,
    ResultTooLargeError,
    UnexpectedAnswerError,
    UnknownOutcomeError,
)
from mwaa_provider.local import Fault, LocalMwaa, ScriptedAirflow
from mwaa_provider.operators.rest_api import MwaaRestApiOperator
from tests.client.conftest import needs_invoke_rest_api

CONN_ID = "local_mwaa"


@pytest.fixture(params=["2.9.2", "3.3.1"])
def target(request: pytest.FixtureRequest, local_mwaa: LocalMwaa, monkeypatch: pytest.MonkeyPatch) -> ScriptedAirflow:
    airflow = ScriptedAirflow(request.param)
    for number in range(7):
        airflow.add_dag(f"load_{number}", run_takes=None)
    local_mwaa.create_environment("target", airflow)
    monkeypatch.setenv(f"AIRFLOW_CONN_{CONN_ID.upper()}", json.dumps(local_mwaa.airflow_connection()))
    return airflow


class Said:
    """What a task logged; Airflow 3 does not let pytest see it."""

    def __init__(self) -> None:
        self.text = ""

    def info(self, message: str, *arguments: Any) -> None:
        self.text += message % arguments + "\n"

    warning = info


def operator(**arguments: Any) -> MwaaRestApiOperator:
    defaults = {
        "task_id": "over_there",
        "environment_name": "target",
        "path": "/dags/load_1",
        "aws_conn_id": CONN_ID,
    }
    return MwaaRestApiOperator(**{**defaults, **arguments})


def asked(mwaa: LocalMwaa) -> list[Any]:
    return [(entry.method, entry.path, entry.query, entry.body) for entry in mwaa.journal.entries(is_rest=True)]


def test_the_answer_is_given_back(target: ScriptedAirflow) -> None:
    assert operator().execute({})["dag_id"] == "load_1"


def test_an_empty_answer_is_none(target: ScriptedAirflow) -> None:
    operator(method="POST", path="/variables", body={"key": "k", "value": "v"}).execute({})
    assert operator(method="DELETE", path="/variables/k").execute({}) is None
    assert target.variables() == {}


def test_texts_of_json_will_do(target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
    operator(path="/dags", query_params='{"limit": 2}').execute({})
    operator(method="post", path="/variables", body='{"key": "k", "value": "v"}').execute({})
    assert asked(local_mwaa) == [
        ("GET", "/dags", {"limit": "2"}, None),
        ("POST", "/variables", {}, {"key": "k", "value": "v"}),
    ]


def test_what_airflow_says_is_raised(target: ScriptedAirflow) -> None:
    with pytest.raises(NotFoundError):
        operator(path="/dags/nope").execute({})
    operator(method="POST", path="/pools", body={"name": "p", "slots": 1}).execute({})
    with pytest.raises(ConflictError):
        operator(method="POST", path="/pools", body={"name": "p", "slots": 1}).execute({})


class TestPages:
    def test_all_rows_in_one_answer(self, target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
        result = operator(path="/dags", query_params={"limit": 3, "order_by": "dag_id"}, pages=True).execute({})
        assert [row["dag_id"] for row in result["dags"]] == [f"load_{number}" for number in range(7)]
        assert (set(result), result["total_entries"]) == ({"dags", "total_entries"}, 7)
        assert [query["offset"] for _, _, query, _ in asked(local_mwaa)] == ["0", "3", "6"]

    def test_it_goes_on_by_what_came(self, target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
        """Releases clamp the page size without a word."""
        for offset in (0, 2):
            rows = [{"dag_id": f"load_{offset}"}, {"dag_id": f"load_{offset + 1}"}]
            local_mwaa.faults.add(Fault.answer(200, {"dags": rows, "total_entries": 7}))
        result = operator(path="/dags", query_params={"order_by": "dag_id"}, pages=True).execute({})
        assert [row["dag_id"] for row in result["dags"]] == [f"load_{number}" for number in range(7)]
        assert [query["offset"] for _, _, query, _ in asked(local_mwaa)] == ["0", "2", "4"]

    def test_a_list_by_post(self, target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
        for number in range(5):
            target.add_run(f"load_{number}", "r")
        call = {"method": "POST", "path": "/dags/~/dagRuns/list", "body": {"page_limit": 2}}
        result = operator(**call, pages=True).execute({})
        assert sorted(row["dag_id"] for row in result["dag_runs"]) == [f"load_{number}" for number in range(5)]
        assert [body for _, _, _, body in asked(local_mwaa)] == [
            {"page_limit": 2, "page_offset": 0},
            {"page_limit": 2, "page_offset": 2},
            {"page_limit": 2, "page_offset": 4},
        ]

    def test_an_empty_list(self, target: ScriptedAirflow) -> None:
        assert operator(path="/variables", pages=True).execute({}) == {"variables": [], "total_entries": 0}

    def test_rows_that_vanish_end_it_with_a_warning(
        self, target: ScriptedAirflow, local_mwaa: LocalMwaa, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(MwaaRestApiOperator, "log", said := Said())
        local_mwaa.faults.add(
            Fault.answer(200, {"dags": [{"dag_id": "a"}], "total_entries": 2}),
            Fault.answer(200, {"dags": [], "total_entries": 2}),
        )
        result = operator(path="/dags", pages=True).execute({})
        assert result == {"dags": [{"dag_id": "a"}], "total_entries": 2}
        assert "/dags has 2 entries, 1 came: it changed meanwhile" in said.text

    def test_it_stops_at_the_bound(self, target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
        task = operator(path="/dags", query_params={"limit": 1}, pages=True, max_result_bytes=100)
        with pytest.raises(Exception, match="Ask for less") as caught:
            task.execute({})
        assert isinstance(caught.value.__cause__, ResultTooLargeError)
        assert len(asked(local_mwaa)) == 1

    def test_what_has_no_pages(self, target: ScriptedAirflow) -> None:
        with pytest.raises(UnexpectedAnswerError, match="Ask for it as a single answer"):
            operator(path="/version", pages=True).execute({})


class TestResponseCheck:
    def test_it_sees_the_answer(self, target: ScriptedAirflow) -> None:
        seen = []
        operator(
            response_check=lambda response: seen.append((response.status, response.body["dag_id"])) or True
        ).execute({})
        assert seen == [(200, "load_1")]

    def test_it_may_turn_it_down(self, target: ScriptedAirflow) -> None:
        with pytest.raises(ResponseCheckFailedError, match="response_check turned the answer down") as caught:
            operator(response_check=lambda response: response.body["is_paused"]).execute({})
        assert (caught.value.path, caught.value.status) == ("/dags/load_1", 200)


class TestUnknownOutcome:
    @pytest.mark.parametrize(
        "fault",
        [
            Fault.lose_answer(operation="rest", method="POST"),
            Fault.answer(502, operation="rest", method="POST", after_acting=True),
        ],
    )
    def test_a_post_is_sent_once_and_ends_without_a_retry(
        self, target: ScriptedAirflow, local_mwaa: LocalMwaa, fault: Fault
    ) -> None:
        local_mwaa.faults.add(fault)
        task = operator(method="POST", path="/pools", body={"name": "p", "slots": 1}, retries=3)
        with pytest.raises(Exception, match="Nobody knows whether this POST was carried out") as caught:
            task.execute({})
        assert type(caught.value).__name__ == "AirflowFailException"
        assert caught.value.__cause__.environment_name == "target"
        assert (len(asked(local_mwaa)), target.pools()["p"]) == (1, 1)

    @needs_invoke_rest_api
    def test_the_limit_of_iam_leaves_a_post_unknown_too(self, target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
        """InvokeRestApi gives up after ten seconds; Airflow does not."""
        local_mwaa.faults.add(Fault.answer(504, operation="rest", method="POST", after_acting=True))
        task = operator(method="POST", path="/pools", body={"name": "p", "slots": 1}, transport="iam", retries=3)
        with pytest.raises(Exception, match="Nobody knows whether this POST was carried out") as caught:
            task.execute({})
        assert type(caught.value).__name__ == "AirflowFailException"
        assert (len(asked(local_mwaa)), target.pools()["p"]) == (1, 1)

    def test_a_post_that_may_be_sent_twice(self, target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
        local_mwaa.faults.add(Fault.answer(502, operation="rest", method="POST"))
        task = operator(method="POST", path="/pools", body={"name": "p", "slots": 1}, is_idempotent=True)
        assert task.execute({})["slots"] == 1

    def test_a_patch_that_may_not(self, target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
        local_mwaa.faults.add(Fault.lose_answer(operation="rest", method="PATCH"))
        task = operator(method="PATCH", body={"is_paused": True}, is_idempotent=False)
        with pytest.raises(Exception, match="Nobody knows whether this PATCH was carried out") as caught:
            task.execute({})
        assert isinstance(caught.value.__cause__, UnknownOutcomeError)

    def test_a_read_is_repeated(self, target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
        local_mwaa.faults.add(Fault.answer(502, operation="rest"))
        assert operator().execute({})["dag_id"] == "load_1"
        assert len(asked(local_mwaa)) == 2


def test_all_problems_at_once_before_any_call(target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
    task = operator(
        environment_name="9",
        method="FETCH",
        path="dags",
        query_params="{",
        body="[1]",
        max_result_bytes="x",
        pages=True,
    )
    with pytest.raises(InvalidInputError) as caught:
        task.execute({})
    fields = [problem.split(":")[0] for problem in caught.value.problems]
    assert fields == ["environment_name", "method", "path", "query_params", "body", "max_result_bytes", "pages"]
    assert local_mwaa.journal.count() == 0
