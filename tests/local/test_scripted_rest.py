"""The scripted REST APIs, where their whole answers matter. The contract tests hold them to a real Airflow's."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest

from mwaa_provider.local import BackendRequest, ManualClock, ScriptedAirflow

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
DOCS = "https://airflow.apache.org/docs/apache-airflow/2.10.3/stable-rest-api-ref.html#section/Errors/"


class Caller:
    def __init__(self, airflow: ScriptedAirflow) -> None:
        self._airflow = airflow

    def __call__(self, method, path, body=None, role="Admin", raw=None):
        path, _, query = path.partition("?")
        sent = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        answer = self._airflow.rest(BackendRequest(method, path, query, sent, "application/json", role))
        try:
            return answer.status, json.loads(answer.body or b"null")
        except ValueError:
            return answer.status, answer.body.decode()


@pytest.fixture
def clock():
    return ManualClock(START)


def scripted(version, clock):
    airflow = ScriptedAirflow(version, clock=clock)
    airflow.add_dag("report", run_takes=10)
    return airflow


@pytest.fixture
def v1(clock):
    return Caller(scripted("2.10.3", clock))


@pytest.fixture
def v2(clock):
    return Caller(scripted("3.3.1", clock))


def problem(status, title, detail, anchor):
    return status, {"detail": detail, "status": status, "title": title, "type": DOCS + anchor}


def test_v1_run(v1, clock):
    created = v1("POST", "/dags/report/dagRuns", {"dag_run_id": "r", "conf": {"a": 1}, "note": "n"})
    v1("GET", "/dags/report/dagRuns/r")
    clock.advance(10)

    queued = {
        "conf": {"a": 1},
        "dag_id": "report",
        "dag_run_id": "r",
        "data_interval_end": "2026-01-01T00:00:00+00:00",
        "data_interval_start": "2026-01-01T00:00:00+00:00",
        "end_date": None,
        "execution_date": "2026-01-01T00:00:00+00:00",
        "external_trigger": True,
        "last_scheduling_decision": None,
        "logical_date": "2026-01-01T00:00:00+00:00",
        "note": "n",
        "run_type": "manual",
        "start_date": None,
        "state": "queued",
    }
    assert created == (200, queued)
    assert v1("GET", "/dags/report/dagRuns/r") == (
        200,
        queued
        | {
            "state": "success",
            "start_date": "2026-01-01T00:00:00+00:00",
            "end_date": "2026-01-01T00:00:10+00:00",
            "last_scheduling_decision": "2026-01-01T00:00:10+00:00",
        },
    )


def test_v2_run(v2, clock):
    created = v2("POST", "/dags/report/dagRuns", {"dag_run_id": "r", "conf": {"a": 1}, "logical_date": None})
    version = {
        "id": created[1]["dag_versions"][0]["id"],
        "version_number": 1,
        "dag_id": "report",
        "bundle_name": "dags-folder",
        "bundle_version": None,
        "created_at": "2026-01-01T00:00:00Z",
        "bundle_url": None,
        "dag_display_name": "report",
    }

    assert created == (
        200,
        {
            "dag_run_id": "r",
            "dag_id": "report",
            "logical_date": None,
            "queued_at": "2026-01-01T00:00:00Z",
            "start_date": None,
            "end_date": None,
            "duration": None,
            "data_interval_start": None,
            "data_interval_end": None,
            "run_after": "2026-01-01T00:00:00Z",
            "last_scheduling_decision": None,
            "run_type": "manual",
            "state": "queued",
            "triggered_by": "rest_api",
            "triggering_user_name": "Anonymous",
            "conf": {"a": 1},
            "note": None,
            "dag_versions": [version],
            "bundle_version": None,
            "dag_display_name": "report",
            "partition_key": None,
            "partition_date": None,
        },
    )


def test_v1_refusals(v1):
    v1("POST", "/dags/report/dagRuns", {"dag_run_id": "r", "logical_date": "2025-01-01T00:00:00Z"})
    post = "/dags/report/dagRuns"

    assert v1("GET", "/dags/nope") == problem(
        404, "DAG not found", "The DAG with dag_id: nope was not found", "NotFound"
    )
    assert v1("POST", "/dags/nope/dagRuns", {}) == problem(
        404, "DAG not found", "DAG with dag_id: 'nope' not found", "NotFound"
    )
    assert v1("POST", post, {"dag_run_id": "r"}) == problem(
        409, "Conflict", "DAGRun with DAG ID: 'report' and DAGRun ID: 'r' already exists", "AlreadyExists"
    )
    assert v1("POST", post, {"dag_run_id": "x", "logical_date": "2025-01-01T00:00:00Z"}) == problem(
        409,
        "Conflict",
        "DAGRun with DAG ID: 'report' and DAGRun logical date: '2025-01-01 00:00:00+00:00' already exists",
        "AlreadyExists",
    )
    assert v1("POST", post, {"foo": 1}) == problem(400, "Bad Request", "{'foo': ['Unknown field.']}", "BadRequest")
    assert v1("POST", post, {"conf": "x"}) == problem(
        400, "Bad Request", "'x' is not of type 'object' - 'conf'", "BadRequest"
    )
    assert v1("POST", post, {"logical_date": "2025-02-01T00:00:00"}) == problem(
        400, "Bad Request", "'2025-02-01T00:00:00' is not a 'date-time' - 'logical_date'", "BadRequest"
    )
    assert v1("POST", post, {"dag_run_id": "scheduled__x"}) == problem(
        400,
        "Bad Request",
        "A manual DAG run cannot use ID 'scheduled__x' since it is reserved for scheduled runs",
        "BadRequest",
    )
    assert v1("POST", post, {"dag_run_id": "x" * 251})[1]["detail"] == (
        "{'dag_run_id': ['Longer than maximum length 250.']}"
    )
    assert v1("POST", post, {"dag_run_id": "with/slash"})[0] == 500
    assert v1("POST", post, raw=b"{") == problem(400, "Bad Request", "Request body is not valid JSON", "BadRequest")
    assert v1("GET", "/dags?limit=x")[1]["detail"] == "Wrong type, expected 'integer' for query parameter 'limit'"
    assert v1("GET", post + "/r/taskInstances?order_by=x")[1]["detail"] == (
        "Extra query parameter(s) order_by not in spec"
    )


def test_v2_refusals(v2):
    date = "2025-01-01T00:00:00Z"
    v2("POST", "/dags/report/dagRuns", {"dag_run_id": "r", "logical_date": date})
    post = "/dags/report/dagRuns"

    def wrong(kind, where, message, value, **more):
        return 422, {"detail": [{"type": kind, "loc": ["body", *where], "msg": message, "input": value, **more}]}

    assert v2("GET", "/dags/nope") == (404, {"detail": "The Dag with ID: `nope` was not found"})
    assert v2("POST", "/dags/nope/dagRuns", {"logical_date": None}) == (
        404,
        {"detail": "Dag with dag_id: 'nope' not found"},
    )
    assert v2("GET", post + "/x") == (
        404,
        {"detail": "The DagRun with dag_id: `report` and run_id: `x` was not found"},
    )
    for body in ({"dag_run_id": "r", "logical_date": None}, {"dag_run_id": "x", "logical_date": date}):
        status, answer = v2("POST", post, body)
        assert (status, answer["detail"]["reason"]) == (409, "Unique constraint violation")
    assert v2("POST", post, {}) == wrong("missing", ["logical_date"], "Field required", {})
    assert v2("POST", post, {"logical_date": None, "foo": 1}) == wrong(
        "extra_forbidden", ["foo"], "Extra inputs are not permitted", 1
    )
    assert v2("POST", post, {"logical_date": "2025-02-01T00:00:00"}) == wrong(
        "timezone_aware", ["logical_date"], "Input should have timezone info", "2025-02-01T00:00:00"
    )
    assert v2("POST", post, {"logical_date": None, "conf": "x"}) == wrong(
        "dict_type", ["conf"], "Input should be a valid dictionary", "x"
    )
    assert v2("POST", post, {"logical_date": None, "dag_run_id": "a..b"}) == (
        400,
        {"detail": "The run_id 'a..b' must not contain '..' to prevent path traversal"},
    )
    assert v2("POST", post, {"logical_date": None, "dag_run_id": "a b"})[0] == 400
    assert v2("POST", post, raw=b"{")[1]["detail"][0]["type"] == "json_invalid"
    assert v2("PATCH", post + "/r", {"state": "running"}) == wrong(
        "enum",
        ["state"],
        "Input should be 'queued', 'success' or 'failed'",
        "running",
        ctx={"expected": "'queued', 'success' or 'failed'"},
    )
    assert v2("GET", post + "?state=wrong") == (
        422,
        {"detail": "Invalid value for state. Valid values are queued, running, success, failed"},
    )


@pytest.mark.parametrize("version", ["2.7.2", "2.9.2", "2.10.3", "3.0.6", "3.2.1", "3.3.1"])
def test_pages_order_and_filters(version, clock):
    airflow = scripted(version, clock)
    call = Caller(airflow)
    for number in range(120):
        clock.advance(1)
        airflow.add_run("report", f"r{number:03}", state="failed" if number % 2 else "success")
    date = "execution_date" if version.startswith("2.") else "run_after"

    def ids(path, body=None):
        status, answer = call("GET" if body is None else "POST", path, body)
        assert status == 200, answer
        return [run["dag_run_id"] for run in answer["dag_runs"]], answer["total_entries"]

    assert ids(f"/dags/report/dagRuns?order_by=-{date}&limit=2&offset=1") == (["r118", "r117"], 120)
    assert ids("/dags/~/dagRuns?state=failed&limit=2") == (["r001", "r003"], 60)
    late = "2026-01-01T00:01:59%2B00:00"
    assert ids(f"/dags/report/dagRuns?{date}_gte={late}") == (["r118", "r119"], 2)
    clamped = version.startswith("2.") or version >= "3.2.1"
    assert len(ids("/dags/report/dagRuns?limit=1000")[0]) == (100 if clamped else 120)
    default = 100 if version.startswith("2.") else 50
    assert len(ids("/dags/report/dagRuns")[0]) == default
    assert len(ids("/dags/~/dagRuns/list", {})[0]) == 100
    assert ids("/dags/~/dagRuns/list", {"page_limit": 2, "page_offset": 3, "states": ["success"]}) == (
        ["r006", "r008"],
        60,
    )
    assert len(ids("/dags/~/dagRuns/list", {"page_limit": 1000})[0]) == 120


def test_task_lists_and_their_limits(clock):
    sizes = {}
    for version in ("2.9.2", "2.10.3", "3.3.1"):
        airflow = ScriptedAirflow(version, clock=clock)
        airflow.add_dag("wide", tasks=[f"t{number}" for number in range(5)])
        airflow.add_run("wide", "r")
        airflow.set_task_state("wide", "r", "t0", "failed")
        call = Caller(airflow)
        body = {"dag_ids": ["wide"], "page_limit": 2}
        sizes[version] = len(call("POST", "/dags/~/dagRuns/~/taskInstances/list", body)[1]["task_instances"])
        failed = call("GET", "/dags/wide/dagRuns/r/taskInstances?state=failed")[1]
        assert [task["task_id"] for task in failed["task_instances"]] == ["t0"]
        assert call("GET", "/dags/wide/dagRuns/r/taskInstances/t0")[1]["state"] == "failed"
        assert call("GET", "/dags/wide/dagRuns/r/taskInstances/nope")[0] == 404

    # Up to 2.9.2 the limit of this list is not looked at.
    assert sizes == {"2.9.2": 5, "2.10.3": 2, "3.3.1": 2}


@pytest.mark.parametrize(("version", "after"), [("2.10.3", "success"), ("3.2.1", "success"), ("3.3.1", "skipped")])
def test_marking_and_clearing(version, after, clock):
    airflow = scripted(version, clock)
    airflow.add_dag("paused", paused=True)
    airflow.add_run("paused", "r")
    call = Caller(airflow)

    def state_of_task():
        return call("GET", "/dags/paused/dagRuns/r/taskInstances/work")[1]["state"]

    assert call("PATCH", "/dags/paused/dagRuns/r", {"state": "success"})[1]["state"] == "success"
    assert state_of_task() == after
    dry = call("POST", "/dags/paused/dagRuns/r/clear", {})
    assert [task["task_id"] for task in dry[1]["task_instances"]] == ["work"]
    assert state_of_task() == after
    cleared = call("POST", "/dags/paused/dagRuns/r/clear", {"dry_run": False})
    assert (cleared[0], cleared[1]["state"], state_of_task()) == (200, "queued", None)
    assert call("PATCH", "/dags/paused/dagRuns/r", {"state": "failed"})[1]["state"] == "failed"
    assert state_of_task() == "skipped"
    assert call("DELETE", "/dags/paused/dagRuns/r") == (204, None)
    assert call("DELETE", "/dags/paused/dagRuns/r")[0] == 404


def test_clearing_runs_again(v2, clock):
    v2("POST", "/dags/report/dagRuns", {"dag_run_id": "r", "logical_date": None})
    v2("GET", "/dags/report/dagRuns/r")
    clock.advance(10)
    assert v2("GET", "/dags/report/dagRuns/r")[1]["state"] == "success"
    v2("POST", "/dags/report/dagRuns/r/clear", {"dry_run": False})
    states = [v2("GET", "/dags/report/dagRuns/r")[1]["state"]]
    clock.advance(10)
    states.append(v2("GET", "/dags/report/dagRuns/r")[1]["state"])

    assert states == ["running", "success"]
    task = v2("GET", "/dags/report/dagRuns/r/taskInstances/work")[1]
    assert (task["try_number"], task["max_tries"], task["state"]) == (2, 1, "success")


def test_pausing(v1, v2):
    for call in (v1, v2):
        assert call("PATCH", "/dags/report", {"is_paused": True})[1]["is_paused"] is True
        assert call("GET", "/dags?paused=true")[1]["total_entries"] == 1
        assert call("GET", "/dags?paused=false")[1]["total_entries"] == 0
    assert v1("PATCH", "/dags/nope", {"is_paused": True}) == problem(
        404, "Dag with id: 'nope' not found", None, "NotFound"
    )
    assert v2("PATCH", "/dags/nope", {"is_paused": True}) == (404, {"detail": "Dag with id: nope was not found"})


def test_variables(v1, v2):
    assert v1("POST", "/variables", {"key": "k", "value": "v"}) == (200, {"key": "k", "value": "v"})
    assert v1("POST", "/variables", {"key": "k", "value": "w"})[0] == 200
    assert v1("GET", "/variables/k") == (200, {"description": None, "key": "k", "value": "w"})
    assert v1("PATCH", "/variables/k", {"key": "k", "value": "x"})[1]["value"] == "x"
    assert v1("DELETE", "/variables/k") == (204, None)
    assert v1("GET", "/variables/k") == problem(404, "Variable not found", "Variable does not exist", "NotFound")

    stored = {"key": "a/b", "value": "v", "description": None, "is_encrypted": True, "team_name": None}
    assert v2("POST", "/variables", {"key": "a/b", "value": "v"}) == (201, stored)
    assert v2("POST", "/variables", {"key": "a/b", "value": "w"}) == (
        409,
        {"detail": "The Variable with key: `a/b` already exists"},
    )
    assert v2("GET", "/variables/a/b") == v2("GET", "/variables/a%2Fb") == (200, stored)
    assert v2("PATCH", "/variables/a/b", {"key": "a/b", "value": 7})[1]["value"] == "7"
    assert v2("GET", "/variables")[1]["total_entries"] == 1
    assert v2("POST", "/variables", {"key": "db_password", "value": "s"})[1]["value"] == "***"
    assert v2("DELETE", "/variables/a/b") == (204, None)
    assert v2("DELETE", "/variables/a/b") == (404, {"detail": "The Variable with key: `a/b` was not found"})


def test_pools(v1, v2):
    assert v1("POST", "/pools", {"name": "p", "slots": 3})[0] == 200
    assert v1("POST", "/pools", {"name": "p", "slots": 3}) == problem(
        409, "Conflict", "Pool: p already exists", "AlreadyExists"
    )
    assert v1("PATCH", "/pools/p?update_mask=slots", {"slots": 6})[1]["slots"] == 6
    assert v1("PATCH", "/pools/p", {"name": "q", "slots": 4})[1]["name"] == "q"
    assert v1("GET", "/pools/p")[0] == 404
    assert v1("DELETE", "/pools/default_pool")[1]["detail"] == "Default Pool can't be deleted"

    assert v2("POST", "/pools", {"name": "p", "slots": 3})[0] == 201
    assert v2("POST", "/pools", {"name": "p", "slots": 3})[0] == 409
    assert v2("PATCH", "/pools/p", {"slots": 5})[0] == 422
    assert v2("PATCH", "/pools/p", {"pool": "p", "slots": 5, "include_deferred": True})[1]["slots"] == 5
    assert v2("PATCH", "/pools/default_pool?update_mask=slots", {"slots": 4})[1]["slots"] == 4
    assert v2("PATCH", "/pools/default_pool", {"slots": 4}) == (
        400,
        {"detail": "Only slots and included_deferred can be modified on Default Pool"},
    )
    assert v2("GET", "/pools")[1]["total_entries"] == 2
    assert v2("DELETE", "/pools/p") == (204, None)


def test_xcoms(clock):
    values = {}
    for version in ("2.9.2", "2.10.3", "3.3.1"):
        airflow = scripted(version, clock)
        airflow.add_run("report", "r")
        airflow.set_xcom("report", "r", "work", "return_value", {"a": [1, None]})
        call = Caller(airflow)
        path = "/dags/report/dagRuns/r/taskInstances/work/xcomEntries"
        values[version] = [call("GET", f"{path}/return_value{query}")[1]["value"] for query in ("", "?stringify=false")]
        entries = call("GET", path)[1]
        assert (entries["total_entries"], "value" in entries["xcom_entries"][0]) == (1, False)
        assert call("GET", path + "/nope")[0] == 404

    text, native = "{'a': [1, None]}", {"a": [1, None]}
    assert values == {"2.9.2": [text, text], "2.10.3": [text, native], "3.3.1": [native, native]}


def test_import_errors_and_dags_with_them(v1, v2, clock):
    for version in ("2.10.3", "3.3.1"):
        airflow = scripted(version, clock)
        airflow.add_import_error("/dags/x.py", "Traceback")
        airflow.add_dag("broken", has_import_errors=True)
        call = Caller(airflow)
        (error,) = call("GET", "/importErrors")[1]["import_errors"]
        assert (error["filename"], error["stack_trace"]) == ("/dags/x.py", "Traceback")
        assert call("GET", f"/importErrors/{error['import_error_id']}") == (200, error)
        assert call("POST", "/dags/broken/dagRuns", {"logical_date": "2025-01-01T00:00:00Z"})[0] == 400


def test_roles(v1, v2):
    body = {"logical_date": "2025-01-01T00:00:00Z"}
    calls = {
        "read": ("GET", "/dags", None),
        "trigger": ("POST", "/dags/report/dagRuns", body),
        "variables": ("GET", "/variables", None),
        "health": ("GET", "/version", None),
    }
    expected = {
        "Public": {"read": 403, "trigger": 403, "variables": 403, "health": 200},
        "Viewer": {"read": 200, "trigger": 403, "variables": 403, "health": 200},
        "User": {"read": 200, "trigger": 200, "variables": 403, "health": 200},
        "Op": {"read": 200, "trigger": 409, "variables": 200, "health": 200},
    }
    for call in (v1, v2):
        found = {
            role: {name: call(method, path, sent, role=role)[0] for name, (method, path, sent) in calls.items()}
            for role in expected
        }
        assert found == expected
    assert v1("GET", "/dags", role="Public") == problem(403, "Forbidden", None, "PermissionDenied")
    assert v2("GET", "/dags", role="Public") == (403, {"detail": "Forbidden"})


def test_what_is_not_scripted_says_so(v1, v2):
    text = "The scripted back end does not answer GET /providers; a real Airflow would."
    assert v1("GET", "/providers") == (
        501,
        {"detail": text, "status": 501, "title": "Not scripted", "type": "about:blank"},
    )
    assert v2("GET", "/providers") == (501, {"detail": text})
    assert v2("GET", "/dags?fields=x")[0] == v1("GET", "/dags?fields=x")[0] == 501


def test_releases_differ(clock):
    keys = {}
    for version in ("2.7.2", "2.10.3", "3.0.6", "3.2.1", "3.3.1"):
        airflow = scripted(version, clock)
        airflow.add_run("report", "r")
        call = Caller(airflow)
        keys[version] = set(call("GET", "/dags/report/dagRuns/r")[1])
    interval = {"data_interval_start": "2025-01-01T00:00:00Z", "data_interval_end": "2025-01-02T00:00:00Z"}
    old, new = (Caller(scripted(version, clock)) for version in ("2.8.1", "2.9.2"))

    assert keys["2.7.2"] == keys["2.10.3"]
    assert keys["3.2.1"] - keys["3.0.6"] == {"duration", "triggering_user_name", "dag_display_name", "partition_key"}
    assert keys["3.3.1"] - keys["3.2.1"] == {"partition_date"}
    assert old("POST", "/dags/report/dagRuns", interval)[0] == 400
    assert new("POST", "/dags/report/dagRuns", interval)[1]["data_interval_end"] == "2025-01-02T00:00:00+00:00"
