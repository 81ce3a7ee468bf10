"""Each typed call of the client, held against the scripted back end and a real Airflow, by IAM and by web session."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from mwaa_provider.client.models import Dag, DagRun, Pool, Variable, XCom, XComEntry
from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.exceptions import ConflictError, DagNotFoundError, InvalidInputError, NotFoundError
from mwaa_provider.local import Fault
from mwaa_provider.operators.cleared import has_run_since, is_noted, note_to_run_again
from tests.contract.environments import NAME, Contract, by

ODD, PUSHED = (
    "typed_odd",
    ("return_value", "with space and ü", "with/slash"),
)  # a task of 3.0 pushes no key with a slash


def new_name(what: str) -> str:
    return f"typed_{what}_{uuid.uuid4().hex[:12]}"


@pytest.fixture(params=[pytest.param("iam", marks=pytest.mark.patient), "session"])
def contract(environment: Contract, request: pytest.FixtureRequest) -> Contract:
    """By each way; by one in the default tier, since all of them take a minute with a real Airflow."""
    return by(environment, request.param)


@pytest.fixture
def client(contract: Contract) -> MwaaClient:
    return contract.client()


@pytest.fixture
def odd_run(contract: Contract, client: MwaaClient) -> DagRun:
    """A finished run with mapped tasks and XComs, the same for all tests of an environment."""
    with suppress(ConflictError):
        client.trigger_dag_run(NAME, "contract_odd", run_id=ODD)
    run: DagRun = contract.wait(client, "contract_odd", ODD)
    return run


def test_dags_are_listed_in_the_order_of_their_ids(contract: Contract, client: MwaaClient) -> None:
    paused = [Dag("contract_groups", is_paused=True), Dag("contract_paused", is_paused=True)]
    ids = ["contract_fails", "contract_groups", "contract_odd", "contract_paused", "contract_quick", "contract_slow"]
    ids = sorted([*ids, *(["contract_partitioned"] if contract.release >= (3, 3) else [])])
    assert [dag.dag_id for dag in client.list_dags(NAME)] == ids
    assert list(client.list_dags(NAME, tag="odd")) == [Dag("contract_odd", is_paused=False, tags=("contract", "odd"))]
    assert list(client.list_dags(NAME, is_paused=True)) == paused
    running = {*ids} - {dag.dag_id for dag in paused}
    assert [dag.dag_id for dag in client.list_dags(NAME, is_paused=False)] == sorted(running)
    assert [dag.dag_id for dag in client.list_dags(NAME, dag_id_pattern="UICK")] == ["contract_quick"]
    assert list(client.list_dags(NAME, tag="no such tag")) == []


def test_a_dag_is_paused_and_goes_on(client: MwaaClient) -> None:
    for is_paused in (True, True, False):
        paused = client.set_dag_paused(NAME, "contract_fails", is_paused)
        assert paused == client.get_dag(NAME, "contract_fails") == Dag("contract_fails", is_paused=is_paused)
    with pytest.raises(DagNotFoundError, match="has no DAG 'no_such_dag'"):
        client.set_dag_paused(NAME, "no_such_dag", True)


def test_runs_are_listed_by_dag_state_and_date(contract: Contract, client: MwaaClient) -> None:
    # a day for each test run and transport that nobody else has used
    day = datetime(2000, 1, 1, tzinfo=timezone.utc) + timedelta(
        days=uuid.uuid4().int % 8000, seconds=uuid.uuid4().int % 80000
    )
    dates = [day + timedelta(seconds=second) for second in range(5)]
    runs = [
        client.trigger_dag_run(NAME, "contract_paused", run_id=new_name("run"), logical_date=date, note="listed")
        for date in dates
    ]
    failed = client.set_dag_run_state(NAME, "contract_paused", runs[1].run_id, "failed")
    assert (failed.run_id, failed.state, failed.note) == (runs[1].run_id, "failed", "listed")
    of_the_day = {"logical_date_gte": day, "logical_date_lte": dates[-1]}
    listed = list(client.list_dag_runs(NAME, "contract_paused", **of_the_day))
    assert listed == [client.get_dag_run(NAME, "contract_paused", run.run_id) for run in runs]
    assert list(client.list_dag_runs(NAME, ["contract_paused", "contract_odd"], **of_the_day)) == listed
    assert list(client.list_dag_runs(NAME, **of_the_day)) == listed
    assert list(client.list_dag_runs(NAME, "contract_odd", **of_the_day)) == []
    assert list(client.list_dag_runs(NAME, "no_such_dag")) == []
    queued = list(client.list_dag_runs(NAME, states=["queued", "running"], order_by="-logical_date", **of_the_day))
    assert queued == [listed[at] for at in (4, 3, 2, 0)]
    assert list(client.list_dag_runs(NAME, states="failed", **of_the_day)) == [listed[1]]
    middle = {"logical_date_gte": dates[1], "logical_date_lte": dates[3].astimezone(timezone(timedelta(hours=5)))}
    assert list(client.list_dag_runs(NAME, **middle)) == listed[1:4]
    assert listed[1].end_date is not None
    ended = {"end_date_gte": listed[1].end_date, "end_date_lte": listed[1].end_date}
    assert list(client.list_dag_runs(NAME, "contract_paused", **ended, **of_the_day)) == [listed[1]]
    since = {"end_date_gte": listed[1].end_date, "states": ["success", "failed"], "order_by": "end_date"}
    last = client.set_dag_run_state(NAME, "contract_paused", runs[0].run_id, "success")
    assert list(client.list_dag_runs(NAME, ["contract_paused"], **since, **of_the_day)) == [listed[1], last]
    listed[0] = last
    by_id = sorted(listed, key=lambda run: run.run_id, reverse=True)
    assert list(client.list_dag_runs(NAME, order_by="-run_id", **of_the_day)) == by_id
    assert {entry.method for entry in contract.mwaa.journal.entries(is_rest=True)} == {"GET", "POST", "PATCH"}


def test_a_run_is_cancelled_with_its_tasks(contract: Contract, client: MwaaClient) -> None:
    run_id = new_name("cancelled")
    client.trigger_dag_run(NAME, "contract_slow", run_id=run_id)
    deadline = time.monotonic() + 120
    while (task := client.get_task_instance(NAME, "contract_slow", run_id, "work")).state != "running":
        assert time.monotonic() < deadline, task
        time.sleep(contract.poke_interval)
    cancelled = client.cancel_dag_run(NAME, "contract_slow", run_id, timeout=30)
    assert (cancelled.run_id, cancelled.state) == (run_id, "failed")
    assert client.get_dag_run(NAME, "contract_slow", run_id) == cancelled
    (task,) = client.list_task_instances(NAME, "contract_slow", run_id)
    assert (task.task_id, task.state) == ("work", "failed")
    with pytest.raises(NotFoundError):
        client.cancel_dag_run(NAME, "contract_slow", "no_such_run", timeout=30)


def test_a_note_tells_whether_a_run_has_run_since(contract: Contract, client: MwaaClient) -> None:
    run_id = new_name("noted")
    client.trigger_dag_run(NAME, "contract_paused", run_id=run_id, note="for the audit")
    before = client.set_dag_run_state(NAME, "contract_paused", run_id, "success")
    noted = client.set_dag_run_note(NAME, "contract_paused", run_id, note_to_run_again(before, 7))
    assert noted == client.get_dag_run(NAME, "contract_paused", run_id)
    assert (noted.note or "").startswith("for the audit\n")
    assert (is_noted(noted, 7), has_run_since(noted, 7)) == (True, False)
    client.clear_dag_run(NAME, "contract_paused", run_id)
    assert has_run_since(client.get_dag_run(NAME, "contract_paused", run_id), 7)
    with pytest.raises(NotFoundError):
        client.set_dag_run_note(NAME, "contract_paused", "no_such_run", "noted")


def test_what_one_line_lacks_is_told_before_any_call_of_the_rest_api(contract: Contract, client: MwaaClient) -> None:
    moment = datetime(2026, 1, 1, tzinfo=timezone.utc)
    if contract.major >= 3:
        after = list(client.list_dag_runs(NAME, "contract_paused", run_after_gte=moment, order_by="-run_after"))
        assert after == sorted(after, key=lambda run: run.run_after or moment, reverse=True)
        assert list(client.list_dag_runs(NAME, run_after_lte=moment - timedelta(days=10_000))) == []
        return
    for ask in (client.list_dag_runs, client.list_task_instances):
        with pytest.raises(InvalidInputError, match="run_after_gte: Airflow 2 has no run_after"):
            ask(NAME, run_after_gte=moment)
    with pytest.raises(InvalidInputError, match="order_by: Airflow 2 has no run_after"):
        client.list_dag_runs(NAME, order_by="-run_after")
    with pytest.raises(InvalidInputError, match="name: 'a/b' has a '/'"):
        client.get_pool(NAME, "a/b")
    assert contract.mwaa.journal.entries(is_rest=True) == ()


def test_task_instances_of_a_run_and_of_many(client: MwaaClient, odd_run: DagRun) -> None:
    of_run = list(client.list_task_instances(NAME, "contract_odd", ODD))
    expected = [("mapped", 0), ("mapped", 1), ("mapped", 2), ("pushes", -1)]
    assert sorted((task.task_id, task.map_index) for task in of_run) == expected
    assert {(task.dag_id, task.run_id, task.state, task.try_number) for task in of_run} == {
        ("contract_odd", ODD, "success", 1)
    }
    assert all(task.start_date is not None and task.end_date is not None for task in of_run)
    by_map_index = {(task.task_id, task.map_index): task for task in of_run}
    assert client.get_task_instance(NAME, "contract_odd", ODD, "pushes") == by_map_index["pushes", -1]
    assert client.get_task_instance(NAME, "contract_odd", ODD, "mapped", map_index=2) == by_map_index["mapped", 2]
    listed = client.list_task_instances(
        NAME, ["contract_odd", "contract_quick"], [ODD, "no_such"], states=["success", None]
    )
    assert {(task.task_id, task.map_index): task for task in listed} == by_map_index
    mapped = client.list_task_instances(NAME, run_ids=ODD, task_ids="mapped", start_date_gte=odd_run.start_date)
    assert sorted(task.map_index for task in mapped) == [0, 1, 2]
    assert list(client.list_task_instances(NAME, run_ids=ODD, states=["failed", "skipped"])) == []
    assert list(client.list_task_instances(NAME, "contract_odd", "no_such_run")) == []


def test_task_instances_of_a_group(contract: Contract, client: MwaaClient) -> None:
    first, second = (
        client.trigger_dag_run(NAME, "contract_groups", run_id=new_name("grouped")).run_id for _ in range(2)
    )
    of = {"outer": ["outer.inner.two", "outer.one"], "outer.inner": ["outer.inner.two"], "oute": [], "inner": []}
    for group, expected in of.items():
        tasks = client.list_task_instances(NAME, "contract_groups", first, task_group_id=group, states=[None])
        assert sorted(task.task_id for task in tasks) == expected
    tasks = client.list_task_instances(NAME, "contract_groups", [first, "no_such_run", second], task_group_id="outer")
    found = sorted((task.run_id, task.task_id) for task in tasks)
    assert found == sorted((run_id, task_id) for run_id in (first, second) for task_id in of["outer"])
    tasks = client.list_task_instances(NAME, "contract_groups", task_group_id="outer", states=["success"])
    assert list(tasks) == []
    assert list(client.list_task_instances(NAME, "no_such_dag", task_group_id="outer")) == []


def test_what_a_task_said(contract: Contract, client: MwaaClient, odd_run: DagRun) -> None:
    run_id = new_name("failed")
    client.trigger_dag_run(NAME, "contract_fails", run_id=run_id)
    contract.wait(client, "contract_fails", run_id, allowed_states=["failed"], failed_states=[])
    said = client.get_task_log(NAME, "contract_fails", run_id, "work", try_number=1, tail=100_000)
    assert "Task failed with exception" in said
    if contract.is_real:
        assert "Traceback (most recent call last):" in said
        assert "RuntimeError: this DAG always fails" in said
    end = client.get_task_log(NAME, "contract_fails", run_id, "work", try_number=1, tail=40)
    assert len(end) <= 40
    assert said.endswith(end)
    assert (
        "ttempt 1 of 1"
        in client.get_task_log(NAME, "contract_odd", ODD, "mapped", try_number=1, map_index=1, tail=100_000)
        or contract.major == 3
    )
    for ids in (("contract_odd", ODD, "mapped"), ("contract_odd", ODD, "no_such"), ("contract_odd", "no", "pushes")):
        with pytest.raises(NotFoundError, match="TaskInstance not found"):
            client.get_task_log(NAME, *ids, try_number=1)
    if contract.major == 2:
        assert "*** " in client.get_task_log(
            NAME, "contract_odd", ODD, "pushes", try_number=7
        )  # the log's reader says why
    else:
        with pytest.raises(NotFoundError, match="TaskInstance not found"):
            client.get_task_log(NAME, "contract_odd", ODD, "pushes", try_number=7)


def test_task_instances_without_a_state_are_found(client: MwaaClient) -> None:
    run_id = new_name("run")
    client.trigger_dag_run(NAME, "contract_paused", run_id=run_id)
    (task,) = client.list_task_instances(NAME, "contract_paused", run_id, states=[None])
    assert (task.task_id, task.state, task.try_number, task.start_date) == ("work", None, 0, None)
    client.set_dag_run_state(NAME, "contract_paused", run_id, "success")
    assert list(client.list_task_instances(NAME, "contract_paused", run_id, states=[None])) == []


def test_task_instances_that_are_not_there(client: MwaaClient, odd_run: DagRun) -> None:
    for ids in (("contract_odd", ODD, "no_such_task"), ("contract_odd", "no_such_run", "pushes")):
        with pytest.raises(NotFoundError):
            client.get_task_instance(NAME, *ids)
    with pytest.raises(NotFoundError, match="Task instance is mapped, add the map_index value"):
        client.get_task_instance(NAME, "contract_odd", ODD, "mapped")
    with pytest.raises(NotFoundError):
        client.get_task_instance(NAME, "contract_odd", ODD, "mapped", map_index=3)


def test_xcoms_are_listed_and_read(contract: Contract, client: MwaaClient, odd_run: DagRun) -> None:
    has_no_slash = (3, 0) <= contract.release < (3, 1)
    entries = sorted(
        client.list_xcoms(NAME, "contract_odd", ODD), key=lambda entry: (entry.task_id, entry.map_index, entry.key)
    )
    assert [replace(entry, timestamp=None) for entry in entries] == [
        *(XComEntry("contract_odd", ODD, "mapped", at, "return_value") for at in range(3)),
        *(XComEntry("contract_odd", ODD, "pushes", -1, key) for key in PUSHED[: 2 if has_no_slash else 3]),
    ]
    assert all(entry.timestamp is not None for entry in entries)
    of_task = client.list_xcoms(NAME, "contract_odd", ODD, task_id="pushes")
    assert sorted(of_task, key=lambda entry: entry.key) == entries[3:]
    assert list(client.list_xcoms(NAME, "contract_odd", ODD, map_index=1)) == [entries[1]]
    release = contract.release
    # before 2.10 a value comes as Python's text of it
    is_text = release < (2, 10)

    def told(value: object) -> object:
        return str(value) if is_text else value

    returned = client.get_xcom(NAME, "contract_odd", ODD, "pushes")
    assert returned == XCom(**vars(entries[3]), value=told({"a": 1, "b": [True, None]}), is_text=is_text)
    assert client.get_xcom(NAME, "contract_odd", ODD, "mapped", map_index=2).value == told(30)
    assert client.get_xcom(NAME, "contract_odd", ODD, "pushes", PUSHED[1]).value == told([1, "zwölf", None])
    with pytest.raises(NotFoundError):
        client.get_xcom(NAME, "contract_odd", ODD, "pushes", "no such key")
    if (2, 11) <= release < (3,) or release >= (3, 1):
        assert client.get_xcom(NAME, "contract_odd", ODD, "pushes", "with/slash").value == "found"
    else:
        with pytest.raises(InvalidInputError, match=r"key: 'with/slash' has a '/', and the REST API of Airflow"):
            client.get_xcom(NAME, "contract_odd", ODD, "pushes", "with/slash")


@pytest.mark.parametrize("kind", ["plain", "with space", "with/slash", "ü?#%&=+"])
def test_a_variable_lives(contract: Contract, client: MwaaClient, kind: str) -> None:
    key = f"{new_name('variable')} {kind}"
    with pytest.raises(NotFoundError):
        client.get_variable(NAME, key)
    assert client.set_variable(NAME, key, "1", description="a text") == Variable(key, "1", "a text")
    assert client.get_variable(NAME, key) == Variable(key, "1", "a text")
    client.set_variable(NAME, key, '{"a": 2}')
    assert client.get_variable(NAME, key) == Variable(key, '{"a": 2}', "a text")
    assert [variable for variable in client.list_variables(NAME) if variable.key == key] == [
        Variable(key, '{"a": 2}', "a text")
    ]
    client.delete_variable(NAME, key)
    with pytest.raises(NotFoundError):
        client.delete_variable(NAME, key)
    made = contract.mwaa.journal.count(is_rest=True, method="POST", path="/variables")
    assert made == 1


def test_airflow_3_masks_what_looks_like_a_secret(contract: Contract, client: MwaaClient) -> None:
    key = f"{new_name('variable')}_password"
    client.set_variable(NAME, key, "opensesame")
    assert client.get_variable(NAME, key).value == ("***" if contract.major >= 3 else "opensesame")
    assert "opensesame" not in repr(client.get_variable(NAME, key))
    client.set_variable(NAME, key.removesuffix("_password"), '{"password":"opensesame","n":1}')
    told = client.get_variable(NAME, key.removesuffix("_password")).value
    masked = '{"password": "***", "n": 1}'
    assert told == (masked if contract.major >= 3 else '{"password":"opensesame","n":1}')
    client.delete_variable(NAME, key.removesuffix("_password"))
    client.delete_variable(NAME, key)


def test_a_pool_lives(contract: Contract, client: MwaaClient) -> None:
    # a slash in a pool's name works on Airflow 3 only
    name = new_name("pool with space and ü") + ("/a" if contract.major >= 3 else "")
    made = client.set_pool(NAME, name, 3, description="a text", include_deferred=True)
    assert made == Pool(name, 3, "a text", include_deferred=True, open_slots=3)
    assert client.get_pool(NAME, name) == made
    changed = client.set_pool(NAME, name, 4)
    assert changed == client.get_pool(NAME, name) == Pool(name, 4, "a text", include_deferred=True, open_slots=4)
    client.set_pool(NAME, name, 4, description="another", include_deferred=False)
    assert client.get_pool(NAME, name) == Pool(name, 4, "another", include_deferred=False, open_slots=4)
    names = [pool.name for pool in client.list_pools(NAME)]
    assert {"default_pool", name} <= set(names)
    client.delete_pool(NAME, name)
    for call in (client.get_pool, client.delete_pool):
        with pytest.raises(NotFoundError):
            call(NAME, name)
    assert contract.mwaa.journal.count(is_rest=True, method="POST", path="/pools") == 1


def test_the_default_pool_changes_its_slots_alone(client: MwaaClient) -> None:
    before = client.get_pool(NAME, "default_pool")
    changed = client.set_pool(NAME, "default_pool", before.slots + 1, include_deferred=True)
    assert (changed.slots, changed.include_deferred, changed.description) == (
        before.slots + 1,
        True,
        before.description,
    )
    restored = client.set_pool(NAME, "default_pool", before.slots, include_deferred=before.include_deferred)
    assert (restored.slots, restored.include_deferred) == (before.slots, before.include_deferred)
    with pytest.raises(InvalidInputError, match="description: that of 'default_pool' cannot be changed"):
        client.set_pool(NAME, "default_pool", 1, description="mine")
    with pytest.raises(InvalidInputError, match="name: 'default_pool' cannot be deleted"):
        client.delete_pool(NAME, "default_pool")


def test_connections_are_told_by_their_ids_alone(client: MwaaClient) -> None:
    ids = sorted(new_name("connection") for _ in range(2))
    for connection_id in ids:
        body = {"connection_id": connection_id, "conn_type": "http"}
        client.invoke_rest_api(NAME, "POST", "/connections", body=body)
    assert [known for known in client.list_connection_ids(NAME) if known in ids] == ids
    for connection_id in ids:
        client.invoke_rest_api(NAME, "DELETE", f"/connections/{connection_id}")


def test_import_errors_are_listed(client: MwaaClient) -> None:
    (error,) = client.list_import_errors(NAME)
    assert error.file_name.endswith("contract_broken.py")
    assert "this DAG file does not parse" in error.stack_trace
    assert error.timestamp is not None


def test_counts_agree_with_the_lists(client: MwaaClient, odd_run: DagRun) -> None:
    assert client.count_dags(NAME) == len(list(client.list_dags(NAME)))
    assert client.count_dags(NAME, is_paused=True) == 2
    assert client.count_import_errors(NAME) >= 1  # Airflow 3.2 counts a file once for each DAG that it had
    succeeded = list(client.list_dag_runs(NAME, states="success"))
    assert client.count_dag_runs(NAME, states="success") == len(succeeded) > 0
    now = datetime.now(timezone.utc)
    assert client.count_dag_runs(NAME, states=["success", "failed"], end_date_gte=now + timedelta(days=1)) == 0
    assert client.count_task_instances(NAME, states="success") == len(
        list(client.list_task_instances(NAME, states="success"))
    )
    (task, *_) = client.list_task_instances(NAME, "contract_odd", odd_run.run_id, states="success")
    assert task.queued_when is None or task.queued_when.tzinfo is not None
    with pytest.raises(InvalidInputError) as raised:
        client.count_dag_runs("1x", states="done", end_date_gte=datetime(2026, 1, 1))
    assert [problem.partition(":")[0] for problem in raised.value.problems] == [
        "environment_name",
        "states",
        "end_date_gte",
    ]


def test_health_and_version_are_told(contract: Contract, client: MwaaClient) -> None:
    health = client.get_health(NAME)
    assert health.is_healthy
    assert (health.metadatabase.status, health.scheduler.status) == ("healthy", "healthy")
    assert health.scheduler.latest_heartbeat is not None
    assert abs(datetime.now(timezone.utc) - health.scheduler.latest_heartbeat) < timedelta(minutes=2)
    assert health.dag_processor.status == ("healthy" if contract.major >= 3 else None)
    assert client.get_version(NAME) == contract.airflow_version


def test_lost_answers_change_nothing_twice(contract: Contract, client: MwaaClient) -> None:
    key, faults = new_name("lost"), contract.mwaa.faults
    faults.add(Fault.lose_answer(operation="rest", method="POST", path="/variables"))
    assert client.set_variable(NAME, key, "1") == Variable(key, "1")
    faults.add(Fault.lose_answer(operation="rest", method="PATCH", path=f"/variables/{key}"))
    client.set_variable(NAME, key, "2")
    faults.add(Fault.lose_answer(operation="rest", method="DELETE", path=f"/variables/{key}"))
    client.delete_variable(NAME, key)
    faults.add(Fault.lose_answer(operation="rest", method="POST", path="/pools"))
    assert client.set_pool(NAME, key, 3).slots == 3
    faults.add(Fault.lose_answer(operation="rest", method="DELETE", path=f"/pools/{key}"))
    client.delete_pool(NAME, key)
    assert faults.pending() == ()
    for call in (client.delete_variable, client.delete_pool):
        with pytest.raises(NotFoundError):
            call(NAME, key)
    journal = contract.mwaa.journal
    assert journal.count(is_rest=True, method="POST", path="/variables") == 1
    assert journal.count(is_rest=True, method="POST", path="/pools") == 1


@pytest.fixture
def many_keys(environment: Contract) -> Iterator[list[str]]:
    """More variables than a page has; made by web session, which has no limit on calls a second."""
    prefix = new_name("page")
    keys = [f"{prefix}_{number:03}" for number in range(110)]
    client = replace(environment, transport="session").client()
    for key in keys:
        client.invoke_rest_api(NAME, "POST", "/variables", body={"key": key, "value": "1"})
    yield keys
    for key in keys:
        client.invoke_rest_api(NAME, "DELETE", f"/variables/{key}")


def test_a_list_of_several_pages_comes_whole_and_in_order(environment: Contract, many_keys: list[str]) -> None:
    client = environment.client(transport="auto")
    environment.mwaa.journal.clear()
    listed = [variable.key for variable in client.list_variables(NAME)]
    assert [key for key in listed if key in set(many_keys)] == many_keys
    assert len(listed) == len(set(listed))
    assert environment.mwaa.journal.count(is_rest=True, path="/variables") >= 2
