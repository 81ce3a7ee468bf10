"""The calls whose answers are recorded from real Airflows, in their order: some build on earlier ones.

Every run, variable and pool is the table's own, and lists are narrowed to them, so that other tests of the same environment do not show.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Call:
    """One call of the REST API.

    :param name: What it is about; the key of its answer in the recorded file.
    :param method: The HTTP method.
    :param path: The path below ``/api/vN``. ``{name}`` stands for what an earlier call kept.
    :param query: The query.
    :param body: The JSON body; a text is sent as it is.
    :param major: The line of Airflow it is for; both by default.
    :param role: The Airflow role of the caller.
    :param until: It is asked again until the answer's field of this name has this value.
    :param keep: Keeps, under this name, what this path of keys leads to in the answer.
    """

    name: str
    method: str
    path: str
    query: dict[str, Any] = field(default_factory=dict)
    body: Any = None
    major: int | None = None
    role: str = "Admin"
    until: tuple[str, Any] | None = None
    keep: tuple[str, tuple[str | int, ...]] | None = None


DAG = "/dags/contract_paused"
RUNS = f"{DAG}/dagRuns"
RUN = f"{RUNS}/answers_1"
DONE = "/dags/contract_quick/dagRuns/answers_done"
ODD = "/dags/contract_odd/dagRuns/answers_odd/taskInstances"
GROUPS = "/dags/contract_groups/dagRuns"
SLASH = "answers%2Fa%20%C3%BC%3F%23%25"
NO_RUN = f"{RUNS}/no_such_run"
ALL_RUNS, ALL_TASKS = "/dags/~/dagRuns/list", "/dags/~/dagRuns/~/taskInstances/list"
FIRST, SECOND, THIRD, FOURTH = (f"2024-03-0{day}T12:00:00Z" for day in (1, 2, 3, 4))
OWN_2 = {"execution_date_gte": FIRST, "execution_date_lte": SECOND}
OWN_3 = {"logical_date_gte": FIRST, "logical_date_lte": SECOND}

CALLS = (
    Call("version", "GET", "/version"),
    Call("health", "GET", "/health", major=2),
    Call("health", "GET", "/monitor/health", major=3),
    Call("no such path", "GET", "/no/such/path"),
    # DAGs
    Call("a DAG", "GET", DAG),
    Call("a DAG that is not there", "GET", "/dags/no_such_dag"),
    Call("a DAG's details", "GET", f"{DAG}/details"),
    Call("the details of a DAG that is not there", "GET", "/dags/no_such_dag/details"),
    Call("DAGs", "GET", "/dags", {"limit": 2, "offset": 1, "order_by": "-dag_id", "dag_id_pattern": "contract_"}),
    Call("DAGs that are paused", "GET", "/dags", {"paused": "true", "dag_id_pattern": "contract_"}),
    Call("DAGs by a tag that none has", "GET", "/dags", {"tags": "no_such_tag"}),
    Call("DAGs by tag", "GET", "/dags", {"tags": "odd"}),
    Call("DAGs in no such order", "GET", "/dags", {"order_by": "no_such_column"}),
    Call(
        "DAGs, a query that is not known",
        "GET",
        "/dags",
        {"no_such_parameter": "1", "dag_id_pattern": "contract_paused"},
    ),
    Call("pause a DAG", "PATCH", DAG, {"update_mask": "is_paused"}, {"is_paused": True}),
    Call("pause a DAG, no mask", "PATCH", DAG, body={"is_paused": True}),
    Call("pause a DAG that is not there", "PATCH", "/dags/no_such_dag", body={"is_paused": True}),
    Call("pause a DAG, neither yes nor no", "PATCH", DAG, body={"is_paused": "perhaps"}),
    Call("patch a DAG's unknown field", "PATCH", DAG, body={"no_such_field": 1}),
    Call("patch a DAG's other field", "PATCH", DAG, {"update_mask": "description"}, {"is_paused": True}),
    # Runs are started; those of a paused DAG stay queued
    Call("trigger with nothing", "POST", RUNS, body={}, major=2),
    Call("trigger with nothing", "POST", RUNS, body={"logical_date": None}, major=3),
    Call("trigger without a logical date", "POST", RUNS, body={}, major=3),
    Call(
        "trigger with conf and note",
        "POST",
        RUNS,
        body={"dag_run_id": "answers_1", "logical_date": FIRST, "conf": {"a": [1, "zwölf", None]}, "note": "a note"},
    ),
    Call("trigger with a logical date", "POST", RUNS, body={"dag_run_id": "answers_2", "logical_date": SECOND}),
    Call("trigger, run id taken", "POST", RUNS, body={"dag_run_id": "answers_1", "logical_date": THIRD}),
    Call("trigger, logical date taken", "POST", RUNS, body={"dag_run_id": "answers_3", "logical_date": FIRST}),
    Call("trigger, bad run id", "POST", RUNS, body={"dag_run_id": "not a run id!", "logical_date": THIRD}),
    Call("trigger, reserved run id", "POST", RUNS, body={"dag_run_id": "scheduled__1", "logical_date": THIRD}),
    Call("trigger, run id null", "POST", RUNS, body={"dag_run_id": None, "logical_date": THIRD}, major=2),
    Call("trigger, unknown field", "POST", RUNS, body={"no_such_field": 1, "logical_date": THIRD}),
    Call("trigger, read-only field", "POST", RUNS, body={"state": "success", "logical_date": THIRD}),
    Call("trigger, conf is a list", "POST", RUNS, body={"conf": [1], "logical_date": THIRD}),
    Call("trigger, logical date is none", "POST", RUNS, body={"logical_date": "tomorrow"}),
    Call("trigger, logical date without a zone", "POST", RUNS, body={"logical_date": "2024-03-03T12:00:00"}),
    Call("trigger, half an interval", "POST", RUNS, body={"logical_date": THIRD, "data_interval_start": THIRD}),
    Call("trigger, no body", "POST", RUNS),
    Call("trigger, body is no JSON", "POST", RUNS, body="{not json"),
    Call("trigger, body is a list", "POST", RUNS, body=[1]),
    Call("trigger a DAG that is not there", "POST", "/dags/no_such_dag/dagRuns", body={"logical_date": THIRD}),
    # Runs are read
    Call("a run", "GET", RUN),
    Call("a run that is not there", "GET", NO_RUN),
    Call("a run of a DAG that is not there", "GET", "/dags/no_such_dag/dagRuns/answers_1"),
    Call("runs", "GET", RUNS, {**OWN_2, "limit": 1, "offset": 1, "order_by": "-execution_date"}, major=2),
    Call("runs", "GET", RUNS, {**OWN_3, "limit": 1, "offset": 1, "order_by": "-logical_date"}, major=3),
    Call("runs by state", "GET", RUNS, {**OWN_2, "state": ["queued", "failed"]}, major=2),
    Call("runs by state", "GET", RUNS, {**OWN_3, "state": ["queued", "failed"]}, major=3),
    Call("runs by a state that none has", "GET", RUNS, {**OWN_2, "state": "running"}, major=2),
    Call("runs by a state that none has", "GET", RUNS, {**OWN_3, "state": "running"}, major=3),
    Call("runs by no such state", "GET", RUNS, {"state": "no_such_state"}),
    Call("runs in no such order", "GET", RUNS, {"order_by": "no_such_column"}),
    Call("runs, limit is no number", "GET", RUNS, {"limit": "many"}),
    Call("runs, negative limit", "GET", RUNS, {"limit": -1}),
    Call("runs after no such date", "GET", RUNS, {"start_date_gte": "yesterday"}),
    Call("runs of a DAG that is not there", "GET", "/dags/no_such_dag/dagRuns"),
    Call("runs of all DAGs", "GET", "/dags/~/dagRuns", OWN_2, major=2),
    Call("runs of all DAGs", "GET", "/dags/~/dagRuns", OWN_3, major=3),
    Call(
        "runs by POST",
        "POST",
        ALL_RUNS,
        body={**OWN_2, "dag_ids": ["contract_paused"], "states": ["queued"], "page_limit": 1, "order_by": "-end_date"},
        major=2,
    ),
    Call(
        "runs by POST",
        "POST",
        ALL_RUNS,
        body={**OWN_3, "dag_ids": ["contract_paused"], "states": ["queued"], "page_limit": 1, "order_by": "-end_date"},
        major=3,
    ),
    Call("runs by POST, unknown field", "POST", ALL_RUNS, body={"no_such_field": 1}),
    Call("runs by POST, not a list", "POST", ALL_RUNS, body={"dag_ids": "contract_paused"}),
    Call("runs by POST, no such state", "POST", ALL_RUNS, body={"states": ["no_such_state"], "dag_ids": ["none"]}),
    Call("runs by POST, negative limit", "POST", ALL_RUNS, body={"page_limit": -1}),
    Call("runs by POST, in no such order", "POST", ALL_RUNS, body={"order_by": "no_such_column"}),
    # Task instances that never ran
    Call("task instances", "GET", f"{RUN}/taskInstances", {"limit": 1}),
    Call("task instances of a run that is not there", "GET", f"{NO_RUN}/taskInstances"),
    Call("a task instance", "GET", f"{RUN}/taskInstances/work"),
    Call("a task instance that is not there", "GET", f"{RUN}/taskInstances/no_such_task"),
    Call("a mapped task instance that is not there", "GET", f"{RUN}/taskInstances/work/0"),
    Call(
        "task instances by POST", "POST", ALL_TASKS, body={"dag_ids": ["contract_paused"], "dag_run_ids": ["answers_1"]}
    ),
    Call("task instances by POST, unknown field", "POST", ALL_TASKS, body={"no_such_field": 1}),
    # A run that ends
    Call(
        "trigger a DAG that runs",
        "POST",
        "/dags/contract_quick/dagRuns",
        body={"dag_run_id": "answers_done", "logical_date": FOURTH},
    ),
    Call("a finished run", "GET", DONE, until=("state", "success")),
    Call("task instances of a finished run", "GET", f"{DONE}/taskInstances"),
    Call("a finished task instance", "GET", f"{DONE}/taskInstances/work"),
    Call("what a task said", "GET", f"{DONE}/taskInstances/work/logs/1", major=2),
    Call("what a task said that is not there", "GET", f"{DONE}/taskInstances/no_such_task/logs/1"),
    Call("what a task said in a try that is not there", "GET", f"{DONE}/taskInstances/work/logs/7"),
    Call("what a mapped task said, without its index", "GET", f"{DONE}/taskInstances/work/logs/1", {"map_index": 0}),
    Call("XComs", "GET", f"{DONE}/taskInstances/work/xcomEntries", until=("total_entries", 1)),
    Call("an XCom", "GET", f"{DONE}/taskInstances/work/xcomEntries/return_value"),
    Call("an XCom, not as text", "GET", f"{DONE}/taskInstances/work/xcomEntries/return_value", {"stringify": "false"}),
    Call("an XCom that is not there", "GET", f"{DONE}/taskInstances/work/xcomEntries/no_such_key"),
    Call("clear a run, dry", "POST", f"{DONE}/clear", body={"dry_run": True}),
    Call("clear a run", "POST", f"{DONE}/clear", body={"dry_run": False}),
    Call("a run that ran again", "GET", DONE, until=("state", "success")),
    Call("clear a run that is not there", "POST", f"{NO_RUN}/clear", body={"dry_run": False}),
    Call("clear a run, unknown field", "POST", f"{DONE}/clear", body={"no_such_field": 1}),
    # A run with mapped tasks, and with XComs whose keys are odd
    Call(
        "trigger a DAG with mapped tasks",
        "POST",
        "/dags/contract_odd/dagRuns",
        body={"dag_run_id": "answers_odd", "logical_date": FIRST},
    ),
    Call(
        "trigger a DAG with groups", "POST", f"{GROUPS}", body={"dag_run_id": "answers_groups", "logical_date": FIRST}
    ),
    Call(
        "task instances of a group",
        "GET",
        f"{GROUPS}/answers_groups/taskInstances",
        {"task_group_id": "outer"},
        major=3,
    ),
    Call(
        "task instances of no such group",
        "GET",
        f"{GROUPS}/answers_groups/taskInstances",
        {"task_group_id": "no"},
        major=3,
    ),
    Call(
        "task instances of no such group of no such run",
        "GET",
        f"{GROUPS}/no/taskInstances",
        {"task_group_id": "no"},
        major=3,
    ),
    Call("a run with mapped tasks", "GET", "/dags/contract_odd/dagRuns/answers_odd", until=("state", "success")),
    Call("a mapped task instance", "GET", f"{ODD}/mapped/1"),
    Call("a mapped task instance without its index", "GET", f"{ODD}/mapped"),
    Call("a task instance that is not mapped, with an index", "GET", f"{ODD}/pushes/0"),
    Call(
        "task instances by POST, states",
        "POST",
        ALL_TASKS,
        body={"dag_run_ids": ["answers_odd"], "state": ["success", "failed"], "task_ids": ["pushes"], "page_limit": 2},
    ),
    Call("XComs of a task", "GET", f"{ODD}/pushes/xcomEntries"),
    Call("XComs of all tasks", "GET", f"{ODD}/~/xcomEntries"),
    Call("XComs of a mapped task instance", "GET", f"{ODD}/~/xcomEntries", {"map_index": 1}),
    Call(
        "an XCom that is an object, not as text",
        "GET",
        f"{ODD}/pushes/xcomEntries/return_value",
        {"stringify": "false"},
    ),
    Call("an XCom of a mapped task instance", "GET", f"{ODD}/mapped/xcomEntries/return_value", {"map_index": 2}),
    Call("an XCom with an odd key", "GET", f"{ODD}/pushes/xcomEntries/with%20space%20and%20%C3%BC"),
    Call("an XCom with a slash", "GET", f"{ODD}/pushes/xcomEntries/with%2Fslash"),
    # Runs are changed
    Call("a run's note", "PATCH", f"{RUN}/setNote", body={"note": "another note"}, major=2),
    Call("a run's note", "PATCH", RUN, body={"note": "another note"}, major=3),
    Call("a run's state", "PATCH", RUN, body={"state": "failed"}),
    Call("task instances of a failed run", "GET", f"{RUN}/taskInstances"),
    Call("a run's state, one that no person sets", "PATCH", RUN, body={"state": "running"}),
    Call("a run's state, nothing", "PATCH", RUN, body={}),
    Call("the state of a run that is not there", "PATCH", NO_RUN, body={"state": "failed"}),
    Call("delete a run", "DELETE", f"{RUNS}/answers_2"),
    Call("delete a run that is not there", "DELETE", f"{RUNS}/answers_2"),
    # Variables
    Call("make a variable", "POST", "/variables", body={"key": "answers", "value": "1", "description": "a text"}),
    Call("make a variable again", "POST", "/variables", body={"key": "answers", "value": "2"}),
    Call("make a variable without a value", "POST", "/variables", body={"key": "answers_2"}),
    Call("make a variable, unknown field", "POST", "/variables", body={"key": "a", "value": "b", "no_such_field": 1}),
    Call("variables", "GET", "/variables", {"limit": 1, "order_by": "key"}),
    Call("variables in no such order", "GET", "/variables", {"order_by": "no_such_column"}),
    Call("a variable", "GET", "/variables/answers"),
    Call("a variable that is not there", "GET", "/variables/no_such_variable"),
    Call("change a variable", "PATCH", "/variables/answers", body={"key": "answers", "value": "3"}),
    Call(
        "change a variable's description",
        "PATCH",
        "/variables/answers",
        {"update_mask": "description"},
        {"key": "answers", "value": "4", "description": "another text"},
    ),
    Call("change a variable's key", "PATCH", "/variables/answers", body={"key": "other", "value": "3"}),
    Call("change a variable that is not there", "PATCH", "/variables/none", body={"key": "none", "value": "3"}),
    Call("delete a variable", "DELETE", "/variables/answers"),
    Call("delete a variable that is not there", "DELETE", "/variables/answers"),
    Call("make a variable with a slash", "POST", "/variables", body={"key": "answers/a ü?#%", "value": "1"}),
    Call("a variable with a slash", "GET", f"/variables/{SLASH}"),
    Call(
        "change a variable with a slash", "PATCH", f"/variables/{SLASH}", body={"key": "answers/a ü?#%", "value": "2"}
    ),
    Call("delete a variable with a slash", "DELETE", f"/variables/{SLASH}"),
    # Connections
    Call("make a connection", "POST", "/connections", body={"connection_id": "answers", "conn_type": "http"}),
    Call("make a connection again", "POST", "/connections", body={"connection_id": "answers", "conn_type": "http"}),
    Call("connections", "GET", "/connections", {"limit": 1, "order_by": "connection_id"}),
    Call("connections in no such order", "GET", "/connections", {"order_by": "no_such_column"}),
    Call(
        "change a connection",
        "PATCH",
        "/connections/answers",
        body={
            "connection_id": "answers",
            "conn_type": "http",
            "host": "h",
            "port": 80,
            "password": "x",
            "extra": '{"token": "x", "n": 1}',
        },
    ),
    Call("connections, one with all", "GET", "/connections", {"limit": 1, "order_by": "connection_id"}),
    Call("rename a connection", "PATCH", "/connections/answers", body={"connection_id": "b", "conn_type": "http"}),
    Call(
        *("change a connection that is not there", "PATCH", "/connections/none"),
        body={"connection_id": "none", "conn_type": "http"},
    ),
    Call("delete a connection", "DELETE", "/connections/answers"),
    Call("delete a connection that is not there", "DELETE", "/connections/answers"),
    # Pools
    Call("make a pool", "POST", "/pools", body={"name": "answers", "slots": 2, "description": "a text"}),
    Call("make a pool again", "POST", "/pools", body={"name": "answers", "slots": 2}),
    Call("make a pool without slots", "POST", "/pools", body={"name": "answers_2"}),
    Call("make a pool, unknown field", "POST", "/pools", body={"name": "a", "slots": 1, "no_such_field": 1}),
    Call("pools", "GET", "/pools", {"limit": 1, "order_by": "name"}),
    Call("a pool", "GET", "/pools/answers"),
    Call("a pool with a slash that is not there", "GET", "/pools/answers%2F2"),
    Call("a pool that is not there", "GET", "/pools/no_such_pool"),
    Call("change a pool", "PATCH", "/pools/answers", body={"name": "answers", "slots": 3, "include_deferred": True}),
    Call("change a pool's slots", "PATCH", "/pools/answers", {"update_mask": "slots"}, {"slots": 4}),
    Call("change a pool that is not there", "PATCH", "/pools/none", body={"name": "none", "slots": 3}),
    Call("delete the default pool", "DELETE", "/pools/default_pool"),
    Call("delete a pool", "DELETE", "/pools/answers"),
    Call("delete a pool that is not there", "DELETE", "/pools/answers"),
    # Import errors
    Call(
        "import errors",
        "GET",
        "/importErrors",
        until=("total_entries", 1),
        keep=("import_error", ("import_errors", 0, "import_error_id")),
    ),
    Call("an import error", "GET", "/importErrors/{import_error}"),
    Call("an import error that is not there", "GET", "/importErrors/999999"),
    # What a Viewer may not
    Call("a Viewer reads a DAG", "GET", DAG, role="Viewer"),
    Call("a Viewer pauses a DAG", "PATCH", DAG, body={"is_paused": True}, role="Viewer"),
    Call("a Viewer triggers", "POST", RUNS, body={"logical_date": THIRD}, role="Viewer"),
    Call("a Viewer deletes a run", "DELETE", RUN, role="Viewer"),
    Call("a Viewer makes a pool", "POST", "/pools", body={"name": "viewers", "slots": 1}, role="Viewer"),
    Call("a Viewer lists connections", "GET", "/connections", role="Viewer"),
    Call("a Viewer makes a variable", "POST", "/variables", body={"key": "viewers", "value": "1"}, role="Viewer"),
)
