"""What the client promises, held against the scripted back end and a real Airflow, by IAM and by web session."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta, timezone

import pytest

from mwaa_provider.client.models import Dag, DagRun
from mwaa_provider.exceptions import (
    ConflictError,
    DagNotFoundError,
    DagRunFailedError,
    InvalidInputError,
    NotFoundError,
    RestApiError,
)
from mwaa_provider.local import Fault
from tests.contract.environments import NAME, Contract


def new_run_id() -> str:
    # every character that Airflow's pattern admits must survive the way through path and quoting
    return f"contract_~a.b:c+d-{uuid.uuid4().hex[:12]}"


def test_the_environment_is_described(contract: Contract) -> None:
    environment = contract.client().get_environment(NAME)
    assert (environment.name, environment.airflow_version, environment.status) == (
        NAME,
        contract.airflow_version,
        "AVAILABLE",
    )
    assert environment.airflow_major == contract.major


def test_a_dag_is_found(contract: Contract) -> None:
    client = contract.client()
    assert client.get_dag(NAME, "contract_quick") == Dag("contract_quick", is_paused=False)
    assert client.get_dag(NAME, "contract_paused") == Dag("contract_paused", is_paused=True)


@pytest.mark.parametrize("dag_id", ["no_such_dag", "kein_Döner.v-1"])
def test_an_unknown_dag_is_named(contract: Contract, dag_id: str) -> None:
    with pytest.raises(DagNotFoundError, match="has no DAG") as caught:
        contract.client().get_dag(NAME, dag_id)
    assert (caught.value.environment_name, caught.value.dag_id) == (NAME, dag_id)
    with pytest.raises(DagNotFoundError, match="no run was started"):
        contract.client().trigger_dag_run(NAME, dag_id)


def test_a_run_is_started_followed_and_ends(contract: Contract) -> None:
    client, run_id = contract.client(), new_run_id()
    started_at = datetime.now(timezone.utc)
    run = client.trigger_dag_run(
        NAME, "contract_quick", run_id=run_id, conf={"a": [1, "zwölf", None]}, note="from a test"
    )
    assert (run.dag_id, run.run_id, run.conf, run.is_active) == (
        "contract_quick",
        run_id,
        {"a": [1, "zwölf", None]},
        True,
    )
    if contract.major >= 3:
        assert run.logical_date is None
    else:
        assert run.logical_date is not None
        assert abs(run.logical_date - started_at) < timedelta(seconds=30)
    ended = contract.wait(client, "contract_quick", run_id)
    assert ended.state == "success"
    assert ended.start_date is not None
    assert ended.end_date is not None
    assert ended == client.get_dag_run(NAME, "contract_quick", run_id)
    journal = contract.mwaa.journal
    assert journal.count(operation="GetEnvironment") == 1
    assert journal.count(is_rest=True, method="POST") == 1
    assert {entry.transport for entry in journal.entries(is_rest=True)} == {contract.transport}
    assert journal.count(operation="login") == (1 if contract.transport == "session" else 0)


def test_a_failing_run_is_an_error_that_tells_which(contract: Contract) -> None:
    client, run_id = contract.client(), new_run_id()
    client.trigger_dag_run(NAME, "contract_fails", run_id=run_id)
    with pytest.raises(DagRunFailedError, match="ended as 'failed'") as caught:
        contract.wait(client, "contract_fails", run_id)
    assert (caught.value.run_id, caught.value.state) == (run_id, "failed")


def test_a_run_id_exists_once(contract: Contract) -> None:
    client, run_id = contract.client(), new_run_id()
    client.trigger_dag_run(NAME, "contract_paused", run_id=run_id)
    with pytest.raises(ConflictError) as caught:
        client.trigger_dag_run(NAME, "contract_paused", run_id=run_id)
    assert caught.value.status == 409


def test_a_logical_date_exists_once(contract: Contract) -> None:
    client = contract.client()
    # microseconds of now: each test run and transport needs a date nobody has used in this environment
    logical_date = datetime.now(timezone.utc) - timedelta(days=400)
    run = client.trigger_dag_run(NAME, "contract_paused", run_id=new_run_id(), logical_date=logical_date)
    assert run.logical_date == logical_date
    other = new_run_id()
    with pytest.raises(ConflictError):
        client.trigger_dag_run(NAME, "contract_paused", run_id=other, logical_date=logical_date)
    assert client.find_dag_run(NAME, "contract_paused", other) is None


def test_a_run_is_for_an_interval(contract: Contract) -> None:
    client, moment = contract.client(), datetime.now(timezone.utc) - timedelta(days=500)
    interval = {"data_interval_start": moment - timedelta(days=1), "data_interval_end": moment}
    if contract.release < (2, 9, 2):
        with pytest.raises(InvalidInputError, match=r"2\.9\.2 and later do"):
            client.trigger_dag_run(NAME, "contract_paused", logical_date=moment, **interval)
        body = {"data_interval_start": moment.isoformat()}
        with pytest.raises(RestApiError, match="Property is read-only - 'data_interval_start'"):
            client.invoke_rest_api(NAME, "POST", "/dags/contract_paused/dagRuns", body=body)
        return
    run = client.trigger_dag_run(NAME, "contract_paused", run_id=new_run_id(), logical_date=moment, **interval)
    assert (run.logical_date, run.data_interval_start, run.data_interval_end) == (moment, *interval.values())
    assert client.get_dag_run(NAME, "contract_paused", run.run_id) == run


def test_a_run_begins_later_and_is_for_a_partition(contract: Contract) -> None:
    client, later = contract.client(), datetime.now(timezone.utc) + timedelta(days=1000)
    if contract.release < (3, 2, 1):
        with pytest.raises(InvalidInputError, match=r"partition_key: .* 3\.2\.1 and later do"):
            client.trigger_dag_run(NAME, "contract_quick", partition_key="eu")
    else:
        dag_id = "contract_quick" if contract.release < (3, 3) else "contract_partitioned"
        run = client.trigger_dag_run(NAME, dag_id, run_id=new_run_id(), partition_key="eu/1 ü", run_after=later)
        assert (run.partition_key, run.run_after, run.state) == ("eu/1 ü", later, "queued")
        assert client.get_dag_run(NAME, dag_id, run.run_id) == run
    if contract.release >= (3, 3):
        with pytest.raises(RestApiError, match="is not a partitioned Dag and does not accept a partition_key"):
            client.trigger_dag_run(NAME, "contract_quick", partition_key="eu")
    if contract.release < (3, 0, 6):
        with pytest.raises(InvalidInputError, match=r"run_after: .* 3\.0\.6 and later do"):
            client.trigger_dag_run(NAME, "contract_quick", run_after=later)
    else:
        run = client.trigger_dag_run(NAME, "contract_quick", run_id=new_run_id(), run_after=later)
        assert (run.run_after, run.state, run.data_interval_start) == (later, "queued", None)
    if contract.release >= (3, 1):
        run = client.trigger_dag_run(NAME, "contract_quick", run_id=new_run_id(), run_after=later, logical_date=later)
        assert (run.run_after, run.logical_date) == (later, later)


def test_a_run_that_is_not_there(contract: Contract) -> None:
    with pytest.raises(NotFoundError) as caught:
        contract.client().get_dag_run(NAME, "contract_quick", "no_such_run")
    assert caught.value.status == 404
    assert contract.client().find_dag_run(NAME, "contract_quick", "no_such_run") is None


def test_a_cleared_run_runs_again(contract: Contract) -> None:
    client, run_id = contract.client(), new_run_id()
    client.trigger_dag_run(NAME, "contract_quick", run_id=run_id, conf={"kept": True})
    first = contract.wait(client, "contract_quick", run_id)
    cleared = client.clear_dag_run(NAME, "contract_quick", run_id)
    assert cleared.is_active
    second = contract.wait(client, "contract_quick", run_id)
    assert (second.run_id, second.state, second.conf) == (run_id, "success", {"kept": True})
    assert first.end_date is not None
    assert second.end_date is not None
    assert second.end_date > first.end_date


def test_a_lost_answer_starts_one_run(contract: Contract) -> None:
    client, run_id = contract.client(), new_run_id()
    contract.mwaa.faults.add(Fault.lose_answer(operation="rest", method="POST", path="/dags/*/dagRuns"))
    run = client.trigger_dag_run(NAME, "contract_quick", run_id=run_id)
    assert run.run_id == run_id
    assert contract.mwaa.journal.count(is_rest=True, method="POST") == 1
    assert contract.mwaa.faults.pending() == ()


def test_a_request_that_never_acted_is_looked_up_and_sent_again(contract: Contract) -> None:
    client, run_id = contract.client(), new_run_id()
    contract.mwaa.faults.add(Fault.answer(502, operation="rest", method="POST", path="/dags/*/dagRuns"))
    assert client.trigger_dag_run(NAME, "contract_quick", run_id=run_id).run_id == run_id
    assert [entry.method for entry in contract.mwaa.journal.entries(is_rest=True)] == ["POST", "GET", "POST"]


def test_what_airflow_refuses_is_told_in_its_words(contract: Contract) -> None:
    with pytest.raises(RestApiError) as caught:
        contract.client().invoke_rest_api(NAME, "POST", "/dags/contract_quick/dagRuns", body={"no_such_field": 1})
    assert caught.value.status in (400, 422)
    assert "no_such_field" in str(caught.value)


def test_the_whole_run_has_one_form(contract: Contract) -> None:
    client, run_id = contract.client(), new_run_id()
    run = client.trigger_dag_run(NAME, "contract_paused", run_id=run_id)
    assert client.get_dag_run(NAME, "contract_paused", run_id) == DagRun(
        dag_id="contract_paused",
        run_id=run_id,
        state="queued",
        logical_date=run.logical_date,
        run_type="manual",
        run_after=run.run_after,
        data_interval_start=run.logical_date,
        data_interval_end=run.logical_date,
    )
    assert (run.run_after is None) is (contract.major == 2)
