"""Typed calls on every release line, where releases differ: over a local MWAA with a few hundred rows, and with its limits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import botocore.session
import pytest
from botocore.config import Config

from mwaa_provider.client.models import DagRun, Pool, Variable
from mwaa_provider.client.mwaa import MwaaClient, botocore_config_that_never_resends
from mwaa_provider.exceptions import InvalidInputError, MwaaError, NotFoundError, RestApiLimitError
from mwaa_provider.local import Fault, LocalMwaa, ManualClock, ScriptedAirflow, ServiceRules
from tests.client.conftest import SteppingClock

RELEASES = ("2.7.2", "2.8.1", "2.9.2", "2.10.1", "2.10.3", "2.11.0", "2.11.2", "3.0.6", "3.2.1", "3.3.1")
DAY = datetime(2026, 1, 1, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def one_mwaa() -> Iterator[LocalMwaa]:
    with LocalMwaa() as mwaa:
        yield mwaa


@pytest.fixture
def local_mwaa(one_mwaa: LocalMwaa) -> Iterator[LocalMwaa]:
    """One for all tests, and nothing in it that was there before."""
    yield one_mwaa
    one_mwaa.delete_environment("target")
    one_mwaa.faults.clear()
    one_mwaa.journal.clear()


@pytest.fixture(params=RELEASES)
def airflow(request: pytest.FixtureRequest, local_mwaa: LocalMwaa) -> ScriptedAirflow:
    airflow = ScriptedAirflow(request.param)
    local_mwaa.create_environment("target", airflow)
    return airflow


@pytest.fixture(params=RELEASES)
def clocked(request: pytest.FixtureRequest, local_mwaa: LocalMwaa) -> tuple[ScriptedAirflow, ManualClock]:
    """An Airflow that lives by a clock of its own."""
    clock = ManualClock(DAY)
    airflow = ScriptedAirflow(request.param, clock=clock)
    local_mwaa.create_environment("target", airflow)
    return airflow, clock


@pytest.fixture(scope="module")
def boto_client(one_mwaa: LocalMwaa) -> Any:
    """The costly part of a client, which has no memory."""
    config = botocore_config_that_never_resends(Config(inject_host_prefix=False))
    return one_mwaa.boto3_session().client("mwaa", endpoint_url=one_mwaa.endpoint_url, config=config)


@pytest.fixture
def client(boto_client: Any, local_mwaa: LocalMwaa, clock: SteppingClock) -> MwaaClient:
    return MwaaClient(boto_client=boto_client, verify=str(local_mwaa.ca_file), transport="session", clock=clock)


def release_of(airflow: ScriptedAirflow) -> tuple[int, ...]:
    return tuple(int(part) for part in airflow.airflow_version.split("."))


def add_runs(airflow: ScriptedAirflow, count: int) -> list[str]:
    airflow.add_dag("load", tasks=["extract", "load"], paused=True)
    return [
        airflow.add_run("load", f"run_{number:03}", logical_date=DAY + timedelta(hours=number))
        for number in range(count)
    ]


def pages(mwaa: LocalMwaa) -> list[tuple[int, int]]:
    """Offset and limit of each page that was asked for."""
    asked: list[tuple[int, int]] = []
    for entry in mwaa.journal.entries(is_rest=True):
        body: Any = entry.body or {}
        if "page_limit" in body:
            asked.append((body["page_offset"], body["page_limit"]))
        elif "limit" in entry.query:
            asked.append((int(str(entry.query["offset"])), int(str(entry.query["limit"]))))
    return asked


def test_hundreds_of_runs_come_in_the_order_in_which_they_were_made(
    airflow: ScriptedAirflow, client: MwaaClient, local_mwaa: LocalMwaa
) -> None:
    ids = add_runs(airflow, 350)
    assert [run.run_id for run in client.list_dag_runs("target")] == ids
    assert pages(local_mwaa) == [(0, 100), (99, 201), (299, 401)]
    newest = client.list_dag_runs("target", "load", order_by="-logical_date")
    assert [run.run_id for run in newest] == ids[::-1]
    within = client.list_dag_runs(
        "target",
        ["load", "other"],
        logical_date_gte=DAY + timedelta(hours=100),
        logical_date_lte=DAY + timedelta(hours=249),
    )
    assert [run.run_id for run in within] == ids[100:250]


def test_what_has_ended_since_and_what_is_active_is_told_by_the_page(
    local_mwaa: LocalMwaa, client: MwaaClient, clocked: tuple[ScriptedAirflow, ManualClock]
) -> None:
    """What the triggers' shared poller asks at every interval."""
    airflow, time = clocked
    for dag_id in ("load", "report", "other"):
        airflow.add_dag(dag_id)
    runs = [("load" if at % 3 else "report", f"run_{at:03}") for at in range(250)]
    for at, (dag_id, run_id) in enumerate(runs):
        airflow.add_run(dag_id, run_id, logical_date=DAY + timedelta(hours=at), state="running")
    airflow.add_run("other", "theirs", state="success")
    ended = [runs[at * 7 % 250] for at in range(240)]  # in another order than that of their beginnings
    for at, (dag_id, run_id) in enumerate(ended):
        time.advance(1)
        airflow.set_run_state(dag_id, run_id, "failed" if at % 2 else "success")
    ours = ["load", "report"]
    since = {"states": ["success", "failed"], "order_by": "end_date"}
    listed = list(client.list_dag_runs("target", ours, end_date_gte=DAY + timedelta(seconds=21), **since))
    assert [(run.dag_id, run.run_id) for run in listed] == ended[20:]
    assert listed[0].end_date == DAY + timedelta(seconds=21)
    overlap = 1 if release_of(airflow) >= (3,) else 0
    assert pages(local_mwaa) == [(0, 100), (100 - overlap, 200 + overlap)]
    assert list(client.list_dag_runs("target", ours, end_date_gte=DAY + timedelta(seconds=241), **since)) == []
    local_mwaa.journal.clear()
    active = client.list_dag_runs("target", ours, states=["queued", "running"])
    assert [(run.dag_id, run.run_id) for run in active] == [run for run in runs if run not in ended]
    assert len(pages(local_mwaa)) == 1


# Airflow 2 leaves it to the database how runs that ended at once follow one another, so nothing is known of their places.
@pytest.mark.parametrize("clocked", ["3.0.6", "3.2.1", "3.3.1"], indirect=True)
def test_a_run_that_is_cleared_while_ended_ones_are_read_hides_no_other(
    local_mwaa: LocalMwaa, client: MwaaClient, clocked: tuple[ScriptedAirflow, ManualClock]
) -> None:
    airflow, time = clocked
    airflow.add_dag("load")
    ids = [airflow.add_run("load", f"run_{at:03}", state="running") for at in range(150)]
    for run_id in ids:
        time.advance(1)
        airflow.set_run_state("load", run_id, "success")
    runs = client.list_dag_runs("target", "load", end_date_gte=DAY, order_by="end_date")
    read = [next(runs).run_id for _ in range(100)]
    airflow.set_run_state("load", "run_050", "queued")
    assert read + [run.run_id for run in runs] == ids


def test_runs_that_come_and_go_while_the_list_is_read(airflow: ScriptedAirflow, client: MwaaClient) -> None:
    ids = add_runs(airflow, 350)
    runs = client.list_dag_runs("target")
    read = [next(runs).run_id for _ in range(100)]
    for run_id in ids[10:60]:
        client.invoke_rest_api("target", "DELETE", f"/dags/load/dagRuns/{run_id}")
    airflow.add_run("load", "new")
    read += [run.run_id for run in runs]
    assert read == [*ids, "new"]


def test_a_run_is_for_an_interval_a_time_and_a_partition_where_the_release_has_them(
    airflow: ScriptedAirflow, client: MwaaClient, local_mwaa: LocalMwaa
) -> None:
    airflow.add_dag("load", paused=True, partitioned=True)
    release, end = release_of(airflow), DAY + timedelta(days=1)
    asked: list[tuple[tuple[int, ...], dict[str, Any]]] = [
        ((2, 9, 2), {"logical_date": end, "data_interval_start": DAY, "data_interval_end": end}),
        ((3, 0, 6), {"run_after": DAY + timedelta(days=99999)}),
        ((3, 2, 1), {"partition_key": "eu/1"}),
    ]
    for first, fields in asked:
        if release >= first:
            run = client.trigger_dag_run("target", "load", **fields)
            assert {name: getattr(run, name) for name in fields} == fields
            assert client.get_dag_run("target", "load", run.run_id) == run
        else:
            local_mwaa.journal.clear()
            last = list(fields)[-1]
            with pytest.raises(InvalidInputError, match=rf"{last}: Airflow {airflow.airflow_version} does not take it"):
                client.trigger_dag_run("target", "load", **fields)
            assert local_mwaa.journal.entries(is_rest=True) == ()


def test_hundreds_of_task_instances_come_once(
    airflow: ScriptedAirflow, client: MwaaClient, local_mwaa: LocalMwaa
) -> None:
    ids = add_runs(airflow, 150)
    expected = [(run_id, task_id) for run_id in ids for task_id in ("extract", "load")]
    listed = client.list_task_instances("target", "load")
    assert sorted((task.run_id, task.task_id) for task in listed) == expected
    # Up to 2.9.2 this list ignores limits; from then on pages are as large as asked for.
    ignores = release_of(airflow) <= (2, 9, 2)
    overlap = 1 if release_of(airflow) >= (3,) else 0
    assert pages(local_mwaa) == ([(0, 100)] if ignores else [(0, 100), (100 - overlap, 200 + overlap)])


def test_the_tasks_of_a_group_are_found_on_every_release(
    airflow: ScriptedAirflow, client: MwaaClient, local_mwaa: LocalMwaa
) -> None:
    grouped = ["load.one", "load.inner.two", "load.mapped"]
    airflow.add_dag("etl", tasks=["load", "loads.other", *grouped], mapped={"load.mapped": 120}, paused=True)
    ids = [
        airflow.add_run("etl", run_id, logical_date=DAY) if run_id == "one" else airflow.add_run("etl", run_id)
        for run_id in ("one", "two")
    ]
    airflow.set_task_state("etl", "one", "load.one", "failed")

    def found(*run_ids: str, **how: Any) -> list[tuple[str, str, int]]:
        tasks = client.list_task_instances("target", "etl", run_ids or None, **how)
        return sorted((task.run_id, task.task_id, task.map_index) for task in tasks)

    expected = {
        run_id: [("load.inner.two", -1), *(("load.mapped", at) for at in range(120)), ("load.one", -1)]
        for run_id in ids
    }
    of_one = [("one", *task) for task in expected["one"]]
    of_two = [("two", *task) for task in expected["two"]]
    assert found("one", task_group_id="load") == of_one
    assert found("one", "two", task_group_id="load") == found(task_group_id="load") == [*of_one, *of_two]
    assert found("one", task_group_id="load.inner") == [("one", "load.inner.two", -1)]
    assert found("one", task_group_id="load", states=["failed", "success"]) == [("one", "load.one", -1)]
    assert len(found("one", task_group_id="load", states=[None])) == 121
    assert found("one", task_group_id="load", task_ids=["load.one", "load"]) == [("one", "load.one", -1)]
    for nothing in ({"task_group_id": "loa"}, {"task_group_id": "nowhere"}):
        assert found("one", **nothing) == []
    assert found("no_such_run", "two", task_group_id="load") == of_two
    assert list(client.list_task_instances("target", "no_such_dag", task_group_id="load")) == []
    asks = {entry.query.get("task_group_id") for entry in local_mwaa.journal.entries(is_rest=True)}
    assert asks == ({"load", "load.inner", "loa", "nowhere"} if release_of(airflow) >= (3, 2, 1) else {None})


def test_a_group_without_its_id_in_its_tasks_ids(local_mwaa: LocalMwaa, client: MwaaClient) -> None:
    airflow = ScriptedAirflow("3.3.1")
    airflow.add_dag("etl", tasks=["one", "two"], task_groups={"load": ["two"]}, paused=True)
    airflow.add_run("etl", "run")
    local_mwaa.create_environment("target", airflow)
    (task,) = client.list_task_instances("target", "etl", "run", task_group_id="load")
    assert task.task_id == "two"


def test_one_run_is_read_in_pages_on_every_release(
    airflow: ScriptedAirflow, client: MwaaClient, local_mwaa: LocalMwaa
) -> None:
    airflow.add_dag("wide", tasks=["mapped"], mapped={"mapped": 250}, paused=True)
    airflow.add_run("wide", "run")
    listed = list(client.list_task_instances("target", "wide", "run"))
    assert [task.map_index for task in listed] == list(range(250))
    assert len(pages(local_mwaa)) == 2


def test_lists_that_are_clamped_are_read_to_the_end(
    airflow: ScriptedAirflow, client: MwaaClient, local_mwaa: LocalMwaa
) -> None:
    keys = [f"key_{number:03}" for number in range(250)]
    for key in keys:
        airflow.set_variable(key, "1")
    assert [variable.key for variable in client.list_variables("target")] == keys
    clamps = release_of(airflow) < (3,) or release_of(airflow) >= (3, 2)
    clamped = [(0, 100), (99, 201), (198, 201)]
    assert pages(local_mwaa) == (clamped if clamps else clamped[:2])
    for number in range(120):
        airflow.set_connection(f"connection_{number:03}")
        airflow.add_import_error(f"file_{number:03}.py", "SyntaxError")
        airflow.set_pool(f"pool_{number:03}", number)
    assert list(client.list_connection_ids("target")) == [f"connection_{number:03}" for number in range(120)]
    assert [error.file_name for error in client.list_import_errors("target")] == [
        f"file_{number:03}.py" for number in range(120)
    ]
    assert [pool.slots for pool in client.list_pools("target")] == [128, *range(120)]


def test_xcoms_come_as_the_release_tells_them(airflow: ScriptedAirflow, client: MwaaClient) -> None:
    add_runs(airflow, 1)
    value = {"a": [1, None]}
    airflow.set_xcom("load", "run_000", "load", "return_value", value)
    airflow.set_xcom("load", "run_000", "load", "with/slash", 1)
    told = client.get_xcom("target", "load", "run_000", "load")
    is_text = release_of(airflow) < (2, 10)
    assert (told.value, told.is_text) == (str(value) if is_text else value, is_text)
    assert "None" not in repr(told)
    assert [entry.key for entry in client.list_xcoms("target", "load", "run_000")] == ["return_value", "with/slash"]
    if (2, 11) <= release_of(airflow) < (3,) or release_of(airflow) >= (3, 2):
        assert client.get_xcom("target", "load", "run_000", "load", "with/slash").value in (1, "1")
    else:
        with pytest.raises(InvalidInputError, match="key: 'with/slash' has a '/'"):
            client.get_xcom("target", "load", "run_000", "load", "with/slash")


def test_variables_and_pools_are_set_on_every_release(
    airflow: ScriptedAirflow, client: MwaaClient, local_mwaa: LocalMwaa
) -> None:
    for value in ("1", "2"):
        assert client.set_variable("target", "a/b c", value) == Variable("a/b c", value)
    assert airflow.variables() == {"a/b c": "2"}
    client.delete_variable("target", "a/b c")
    client.set_pool("target", "p q", 3, description="a text")
    assert client.set_pool("target", "p q", 5, include_deferred=True) == Pool(
        "p q", 5, "a text", include_deferred=True, open_slots=5
    )
    assert client.set_pool("target", "default_pool", 64).slots == 64
    assert airflow.pools() == {"default_pool": 64, "p q": 5}
    client.delete_pool("target", "p q")
    assert local_mwaa.journal.count(is_rest=True, method="POST") == 2


def test_how_full_a_pool_is(airflow: ScriptedAirflow, client: MwaaClient) -> None:
    airflow.set_pool("narrow", 4, running=3, queued=1, scheduled=7)
    assert client.get_pool("target", "narrow") == Pool(
        "narrow", 4, occupied_slots=4, running_slots=3, queued_slots=1, scheduled_slots=7, open_slots=0
    )


def test_health_and_version_on_every_release(airflow: ScriptedAirflow, client: MwaaClient) -> None:
    assert client.get_health("target").is_healthy
    assert client.get_version("target") == airflow.airflow_version


# What is the same on all releases of a line


@pytest.fixture(params=["2.10.3", "3.3.1"])
def either(request: pytest.FixtureRequest, local_mwaa: LocalMwaa) -> ScriptedAirflow:
    airflow = ScriptedAirflow(request.param)
    local_mwaa.create_environment("target", airflow)
    return airflow


def test_what_was_made_in_between_is_changed(
    either: ScriptedAirflow, client: MwaaClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the PATCH that finds nothing and the POST, somebody else makes the pool."""
    from mwaa_provider.client.rest import AirflowRestApi

    create = AirflowRestApi.create_pool

    def late(self: AirflowRestApi, name: str, *more: Any) -> Pool:
        either.set_pool(name, 1, "theirs")
        return create(self, name, *more)

    monkeypatch.setattr(AirflowRestApi, "create_pool", late)
    assert client.set_pool("target", "p", 3) == Pool("p", 3, "theirs", open_slots=3)


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_delete_that_was_carried_out_is_no_error_the_second_time(
    either: ScriptedAirflow, client: MwaaClient, local_mwaa: LocalMwaa, status: int
) -> None:
    either.set_variable("key", "1")
    local_mwaa.faults.add(Fault.answer(status, operation="rest", method="DELETE", after_acting=True))
    client.delete_variable("target", "key")
    assert either.variables() == {}
    assert local_mwaa.journal.count(is_rest=True, method="DELETE") == 2
    local_mwaa.faults.add(Fault.throttle("rest", method="DELETE"))
    with pytest.raises(NotFoundError):  # throttled is not carried out
        client.delete_variable("target", "key")


def test_a_run_is_queued_once(either: ScriptedAirflow, client: MwaaClient, local_mwaa: LocalMwaa) -> None:
    add_runs(either, 1)
    for state, sendings in (("failed", 2), ("success", 2), ("queued", 1)):
        local_mwaa.journal.clear()
        local_mwaa.faults.add(Fault.answer(502, operation="rest", method="PATCH", after_acting=True))
        try:
            run: DagRun | None = client.set_dag_run_state("target", "load", "run_000", state)
        except MwaaError:
            run = None
        assert (run is not None) is (state != "queued")
        assert either.runs("load")[0].state == state
        assert local_mwaa.journal.count(is_rest=True, method="PATCH") == sendings


def test_every_problem_of_a_list_is_told_at_once_before_any_call(
    either: ScriptedAirflow, client: MwaaClient, local_mwaa: LocalMwaa
) -> None:
    local_mwaa.journal.clear()
    with pytest.raises(InvalidInputError) as caught:
        client.list_dag_runs("1", [], states=["no_such"], logical_date_gte=datetime(2026, 1, 1), order_by="no_such")
    fields = [problem.split(":")[0] for problem in caught.value.problems]
    assert fields == ["environment_name", "dag_ids", "states", "logical_date_gte", "order_by"]
    with pytest.raises(InvalidInputError) as caught:
        client.list_task_instances("1", ["a/b"], ["~"], task_ids="..", states=[1])  # type: ignore[list-item]
    fields = [problem.split(":")[0] for problem in caught.value.problems]
    assert fields == ["environment_name", "dag_ids", "run_ids", "task_ids", "states"]
    with pytest.raises(InvalidInputError) as caught:
        client.list_task_instances("target", ["a", "b"], task_group_id="a/b")
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["task_group_id", "task_group_id"]
    for call in (
        lambda: client.get_task_instance("1", "..", "..", "..", map_index=-2),
        lambda: client.get_xcom("1", "~", "~", "~", "..", map_index=True),
        lambda: client.list_xcoms("1", ".", "", task_id="", map_index=-2),
    ):
        with pytest.raises(InvalidInputError) as caught:
            call()
        assert len(caught.value.problems) >= 5
    with pytest.raises(InvalidInputError) as caught:
        client.trigger_dag_run(
            "target", "load", data_interval_end=DAY, run_after=datetime(2026, 1, 1), partition_key="  "
        )
    fields = [problem.split(":")[0] for problem in caught.value.problems]
    assert fields == ["data_interval_start", "run_after", "partition_key"]
    with pytest.raises(InvalidInputError, match="give the earlier one first"):
        client.trigger_dag_run("target", "load", data_interval_start=DAY, data_interval_end=DAY - timedelta(days=1))
    with pytest.raises(InvalidInputError) as caught:
        client.set_variable("target", "a//b", {"a": 1}, description=1)  # type: ignore[arg-type]
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["key", "value", "description"]
    with pytest.raises(InvalidInputError) as caught:
        client.set_pool("target", "..", -2, include_deferred="yes")  # type: ignore[arg-type]
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["name", "slots", "include_deferred"]
    with pytest.raises(InvalidInputError, match="tag: 'a,b' has a comma"):
        client.list_dags("target", tag="a,b")
    assert local_mwaa.journal.entries() == ()


# The limits of IAM


@pytest.fixture(scope="module", params=["2.11.0", "3.3.1"])
def narrow(request: pytest.FixtureRequest) -> Iterator[LocalMwaa]:
    """A local MWAA that passes on no more than 20 kB by IAM, and 60 runs of about 1.5 kB each."""
    with LocalMwaa(rules=ServiceRules(rest_payload_bytes=20_000, rest_calls_per_second=None)) as mwaa:
        airflow = ScriptedAirflow(request.param)
        airflow.add_dag("load", paused=True)
        for at in range(60):
            airflow.add_run("load", f"run_{at:02}", logical_date=DAY + timedelta(days=at), conf={"x": "y" * 900})
        airflow.add_dag("huge", paused=True)
        airflow.add_run("huge", "huge", conf={"x": "y" * 30_000})
        mwaa.create_environment("target", airflow)
        yield mwaa


def client_by(transport: str, mwaa: LocalMwaa) -> MwaaClient:
    mwaa.journal.clear()
    return MwaaClient(
        session=mwaa.boto3_session(),
        endpoint_url=mwaa.endpoint_url,
        botocore_config=Config(inject_host_prefix=False),
        verify=str(mwaa.ca_file),
        transport=transport,  # type: ignore[arg-type]
    )


def test_pages_too_large_for_iam_are_asked_for_in_halves(narrow: LocalMwaa) -> None:
    if "InvokeRestApi" not in botocore.session.Session().get_service_model("mwaa").operation_names:
        pytest.skip("this release's boto3 has no invoke_rest_api")
    client = client_by("iam", narrow)
    assert [run.run_id for run in client.list_dag_runs("target", "load")] == [f"run_{at:02}" for at in range(60)]
    assert pages(narrow)[:4] == [(0, 100), (0, 50), (0, 25), (0, 12)]
    with pytest.raises(RestApiLimitError, match="6 MB"):
        list(client.list_dag_runs("target", "huge"))


def test_in_auto_such_a_page_takes_the_web_session(narrow: LocalMwaa) -> None:
    client = client_by("auto", narrow)
    assert [run.run_id for run in client.list_dag_runs("target")][:60] == [f"run_{at:02}" for at in range(60)]
    assert set(pages(narrow)) == {(0, 100)}
