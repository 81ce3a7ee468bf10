"""MwaaCliOperator: what it runs, what it gives back, what it does not do twice."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from mwaa_provider.exceptions import CliCommandError, InvalidInputError, UnknownOutcomeError
from mwaa_provider.local import CliAnswer, Fault, LocalMwaa, ScriptedAirflow
from mwaa_provider.operators.cli import MwaaCliOperator

if TYPE_CHECKING:
    from tests.support.dag_runs import RunDag

CONN_ID = "local_mwaa"


@pytest.fixture(params=["2.7.2", "3.3.1"])
def target(request: pytest.FixtureRequest, local_mwaa: LocalMwaa, monkeypatch: pytest.MonkeyPatch) -> ScriptedAirflow:
    airflow = ScriptedAirflow(request.param)
    airflow.add_dag("load", run_takes=None)
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


def operator(**arguments: Any) -> MwaaCliOperator:
    defaults = {
        "task_id": "over_there",
        "environment_name": "target",
        "command": ["version"],
        "aws_conn_id": CONN_ID,
    }
    return MwaaCliOperator(**{**defaults, **arguments})


def commands_sent(mwaa: LocalMwaa) -> int:
    return mwaa.journal.count(operation="cli")


def test_text_is_given_back_as_it_was_printed(target: ScriptedAirflow) -> None:
    assert operator().execute({}) == f"{target.airflow_version}\n"


def test_json_is_given_back_parsed(target: ScriptedAirflow) -> None:
    task = operator(command="dags trigger load -r 'mine' -c '{\"a\": 1}' -o json")
    [run] = task.execute({})
    assert (run["dag_run_id"], run["conf"]) == ("mine", {"a": "1"})


def test_warnings_are_logged_and_no_failure(target: ScriptedAirflow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MwaaCliOperator, "log", said := Said())
    target.script_cli(["dags", "list"], CliAnswer("[]\n", "/x.py:1: UserWarning: old\n", 0))
    assert operator(command="dags list -o json").execute({}) == []
    assert said.text.endswith(
        "Ran `airflow dags list` in environment target\nIt said on standard error:\n/x.py:1: UserWarning: old\n\n"
    )


def test_a_failure_over_there_fails_the_task(target: ScriptedAirflow) -> None:
    with pytest.raises(CliCommandError, match="Dag id nope not found"):
        operator(command=["dags", "trigger", "nope"]).execute({})


def test_values_reach_no_log(target: ScriptedAirflow, caplog: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MwaaCliOperator, "log", said := Said())
    target.script_cli(["connections", "add"], CliAnswer("Added : x://a-secret-value\n", "x://a-secret-value?\n", 0))
    with caplog.at_level("DEBUG"):
        operator(command=["variables", "set", "key", "a-secret-value"]).execute({})
        task = operator(command=["connections", "add", "db", "--conn-uri", "x://a-secret-value"])
        assert task.execute({}) == "Added : ***\n"
    assert target.variables() == {"key": "a-secret-value"}
    assert "It said on standard error:\n***?" in said.text
    assert "a-secret-value" not in said.text + caplog.text


class TestUnknownOutcome:
    def test_what_creates_ends_without_a_retry(self, target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
        local_mwaa.faults.add(Fault.lose_answer(operation="cli"))
        with pytest.raises(Exception, match="look first, at `dags list-runs`") as caught:
            operator(command=["dags", "trigger", "load", "-r", "mine"], retries=3).execute({})
        assert type(caught.value).__name__ == "AirflowFailException"
        assert isinstance(caught.value.__cause__, UnknownOutcomeError)
        assert (commands_sent(local_mwaa), len(target.runs("load"))) == (1, 1)

    def test_what_the_caller_says_counts(self, target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
        local_mwaa.faults.add(Fault.lose_answer(operation="cli"))
        with pytest.raises(Exception, match="To run it again does no harm") as caught:
            operator(command=["dags", "list"], is_idempotent=False).execute({})
        assert type(caught.value).__name__ == "AirflowFailException"
        assert commands_sent(local_mwaa) == 1


class TestSize:
    def test_a_large_result_is_explained(self, target: ScriptedAirflow) -> None:
        target.script_cli(["dags", "list"], CliAnswer("x" * 49_151 + "\n", "", 0))
        with pytest.raises(Exception, match="has 49,155 bytes, of which an XCom is to hold 49,152 at most") as caught:
            operator(command=["dags", "list"], retries=3).execute({})
        assert type(caught.value).__name__ == "AirflowFailException"
        assert (caught.value.__cause__.size, caught.value.__cause__.max_result_bytes) == (49_155, 49_152)
        assert "Ask for less (--limit, --columns, a narrower command)" in str(caught.value)

    def test_the_bound_can_be_moved_and_does_not_count_without_xcom(self, target: ScriptedAirflow) -> None:
        target.script_cli(["dags", "list"], CliAnswer("x" * 49_151 + "\n", "", 0))
        for arguments in ({"max_result_bytes": 49_155}, {"do_xcom_push": False}):
            assert len(operator(command=["dags", "list"], **arguments).execute({})) == 49_152


class TestRefused:
    def test_all_problems_at_once_before_any_call(self, target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
        task = operator(environment_name="9", command=["variables", "set", "k", 5], timeout=-1, max_result_bytes=0)
        with pytest.raises(InvalidInputError) as caught:
            task.execute({})
        fields = [problem.split(":")[0] for problem in caught.value.problems]
        assert fields == ["environment_name", "command", "timeout", "max_result_bytes"]
        assert local_mwaa.journal.count() == 0

    def test_what_mwaa_does_not_take(self, target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
        with pytest.raises(InvalidInputError, match="instead: GET /pools"):
            operator(command=["pools", "list"]).execute({})
        assert local_mwaa.journal.count(surface="web") == 0


@pytest.mark.parametrize("target", ["3.3.1"], indirect=True)
@pytest.mark.patient
def test_the_installed_airflow_runs_both_operators(
    target: ScriptedAirflow, local_mwaa: LocalMwaa, run_dag: RunDag
) -> None:
    """Templates, `.partial().expand()`, XCom and a task that fails for good, in one real DAG run, for the REST operator too."""
    local_mwaa.faults.add(Fault.lose_answer(operation="rest", method="POST", path="/pools"))
    outcome = run_dag(
        """
        from datetime import datetime, timezone

        from airflow import DAG
        from mwaa_provider.operators.cli import MwaaCliOperator
        from mwaa_provider.operators.rest_api import MwaaRestApiOperator

        COMMON = {"environment_name": "{{ 'tar' ~ 'get' }}", "aws_conn_id": "local_mwaa"}

        with DAG(dag_id="calls", start_date=datetime(2024, 1, 1, tzinfo=timezone.utc), schedule=None) as dag:
            set_them = MwaaCliOperator.partial(task_id="set_them", **COMMON).expand(
                command=[["variables", "set", "--", "one", "-1 it's {{ dag.dag_id }}"], "variables set two '2'"]
            )
            listed = MwaaCliOperator(task_id="listed", command=["variables", "list", "-o", "{{ 'json' }}"], **COMMON)
            dags = MwaaRestApiOperator(
                task_id="dags", path="/dags", pages=True, query_params='{"limit": {{ 2 }}}', **COMMON
            )
            # last, because dag.test() of Airflow 3 ends with the first task that fails
            set_them >> [listed, dags] >> MwaaRestApiOperator(
                task_id="bad", method="POST", path="/pools", body={"name": "p", "slots": 1}, retries=2, **COMMON
            )
        """,
        connections={CONN_ID: json.dumps(local_mwaa.airflow_connection())},
    )
    ended = {"set_them[0]", "set_them[1]", "listed", "dags"}
    assert outcome.tasks == {**dict.fromkeys(ended, "success"), "bad": "failed"}, outcome.log
    told = re.sub(r"[\s│]+", " ", outcome.log)  # Airflow 3.0 draws tracebacks in boxes and breaks their lines
    assert "Nobody knows whether this POST was carried out" in told, outcome.log[-5000:]
    assert local_mwaa.journal.count(is_rest=True, method="POST") == 1
    assert target.variables() == {"one": "-1 it's calls", "two": "2"}
    results = {name: xcoms["return_value"] for name, xcoms in outcome.xcoms.items() if xcoms}
    assert results["set_them[0]"] == "Variable one created\n"
    # mapped tasks may run in either order
    assert sorted(row["key"] for row in results["listed"]) == ["one", "two"]
    assert ([row["dag_id"] for row in results["dags"]["dags"]], results["dags"]["total_entries"]) == (["load"], 1)
