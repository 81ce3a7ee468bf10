"""The JSON objects of Airflow 2's REST API, key by key as its marshmallow schemas dump them."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from mwaa_provider.local.scripted import moments

if TYPE_CHECKING:
    from datetime import datetime

    from mwaa_provider.local.scripted.records import (
        ScriptedConnection,
        ScriptedDag,
        ScriptedImportError,
        ScriptedPool,
        ScriptedRun,
        ScriptedTaskInstance,
        ScriptedVariable,
        ScriptedXCom,
    )

Release = tuple[int, ...]

#: Query parameters that Airflow knows somewhere and the scripted back end does not: for these it says so.
REAL_PARAMETERS = frozenset(
    {
        "deserialize",
        "duration_gte",
        "duration_lte",
        "executor",
        "fields",
        "map_index",
        "pool",
        "queue",
        "updated_at_gte",
        "updated_at_lte",
        "xcom_key",
        *(f"{name}_{end}" for name in ("execution_date", "start_date", "end_date") for end in ("gte", "lte")),
    }
)


def health(now: datetime, release: Release) -> dict[str, Any]:
    """Return the health of an Airflow in which all is well.

    :param now: The time of the last heartbeats.
    :param release: The release.
    """
    beat = moments.v1(now)
    return {
        "dag_processor": {"latest_dag_processor_heartbeat": None, "status": None},
        "metadatabase": {"status": "healthy"},
        "scheduler": {"latest_scheduler_heartbeat": beat, "status": "healthy"},
        "triggerer": {"latest_triggerer_heartbeat": beat, "status": "healthy"},
    }


def dag(row: ScriptedDag, release: Release) -> dict[str, Any]:
    """Return a DAG.

    :param row: The DAG.
    :param release: The release.
    """
    shaped: dict[str, Any] = {
        "dag_id": row.dag_id,
        "default_view": "grid",
        "description": None,
        "file_token": "",
        "fileloc": f"/usr/local/airflow/dags/{row.dag_id}.py",
        "has_import_errors": row.has_import_errors,
        "has_task_concurrency_limits": False,
        "is_active": True,
        "is_paused": row.is_paused,
        "is_subdag": False,
        "last_expired": None,
        "last_parsed_time": moments.v1(row.added_at),
        "last_pickled": None,
        "max_active_runs": 16,
        "max_active_tasks": 16,
        "next_dagrun": None,
        "next_dagrun_create_after": None,
        "next_dagrun_data_interval_end": None,
        "next_dagrun_data_interval_start": None,
        "owners": ["airflow"],
        "pickle_id": None,
        "root_dag_id": None,
        "schedule_interval": None,
        "scheduler_lock": None,
        "tags": [{"name": tag} for tag in row.tags],
        "timetable_description": "Never, external triggers only",
    }
    if release >= (2, 9):
        shaped |= {"dag_display_name": row.dag_id, "max_consecutive_failed_dag_runs": 0}
    return shaped


def dag_details(row: ScriptedDag, release: Release) -> dict[str, Any]:
    """Return a DAG with its details.

    :param row: The DAG.
    :param release: The release.
    """
    shaped = dag(row, release) | {
        "catchup": False,
        "concurrency": 16,
        "dag_run_timeout": None,
        "doc_md": None,
        "end_date": None,
        "is_paused_upon_creation": None,
        "last_parsed": moments.v1(row.added_at),
        "orientation": "LR",
        "owners": [],
        "params": {},
        "render_template_as_native_obj": False,
        "start_date": "2024-01-01T00:00:00+00:00",
        "template_searchpath" if release >= (2, 8) else "template_search_path": None,
        "timezone": "UTC",
    }
    if release >= (2, 9):
        shaped["dataset_expression"] = None
    return shaped


def run(row: ScriptedRun) -> dict[str, Any]:
    """Return a run.

    :param row: The run.
    """
    start, end = row.data_interval or (None, None)
    return {
        "conf": row.conf,
        "dag_id": row.dag_id,
        "dag_run_id": row.run_id,
        "data_interval_end": moments.v1(end),
        "data_interval_start": moments.v1(start),
        "end_date": moments.v1(row.end_date),
        "execution_date": moments.v1(row.logical_date),
        "external_trigger": row.run_type == "manual",
        "last_scheduling_decision": moments.v1(row.last_scheduling_decision),
        "logical_date": moments.v1(row.logical_date),
        "note": row.note,
        "run_type": row.run_type,
        "start_date": moments.v1(row.start_date),
        "state": row.state,
    }


def task(row: ScriptedTaskInstance, of_run: ScriptedRun, release: Release) -> dict[str, Any]:
    """Return a task instance.

    :param row: The task instance.
    :param of_run: Its run.
    :param release: The release.
    """
    duration = (row.end_date - row.start_date).total_seconds() if row.start_date and row.end_date else None
    shaped: dict[str, Any] = {
        "dag_id": row.dag_id,
        "dag_run_id": row.run_id,
        "duration": duration,
        "end_date": moments.v1(row.end_date),
        "execution_date": moments.v1(of_run.logical_date),
        "executor_config": "{}",
        "hostname": "",
        "map_index": row.map_index,
        "max_tries": row.max_tries,
        "note": row.note,
        "operator": row.operator,
        "pid": row.pid,
        "pool": "default_pool",
        "pool_slots": 1,
        "priority_weight": 1,
        "queue": "default",
        "queued_when": moments.v1(of_run.queued_at if row.has_run else None),
        "rendered_fields": {},
        "sla_miss": None,
        "start_date": moments.v1(row.start_date),
        "state": row.state,
        "task_id": row.task_id,
        "trigger": None,
        "triggerer_job": None,
        "try_number": row.try_number,
        "unixname": "airflow",
    }
    if release >= (2, 9):
        shaped |= {"rendered_map_index": None, "task_display_name": row.task_id}
    if release >= (2, 10):
        shaped["executor"] = None
    return shaped


def task_reference(row: ScriptedTaskInstance, of_run: ScriptedRun) -> dict[str, Any]:
    """Return what a dry run of clearing says of a task instance.

    :param row: The task instance.
    :param of_run: Its run.
    """
    return {
        "dag_id": row.dag_id,
        "dag_run_id": row.run_id,
        "execution_date": moments.v1(of_run.logical_date),
        "task_id": row.task_id,
    }


def log(text: str) -> dict[str, Any]:
    """Return what a task said, and the signed word that this was all.

    :param text: What it said.
    """
    end = base64.urlsafe_b64encode(json.dumps({"end_of_log": True, "log_pos": len(text)}).encode()).decode()
    return {"content": str([("scripted", text)]), "continuation_token": f"{end.rstrip('=')}.scripted"}


def variable(row: ScriptedVariable) -> dict[str, Any]:
    """Return a variable.

    :param row: The variable.
    """
    return {"description": row.description, "key": row.key, "value": row.value}


def pool(row: ScriptedPool) -> dict[str, Any]:
    """Return a pool.

    :param row: The pool.
    """
    return {
        "deferred_slots": 0,
        "description": row.description,
        "include_deferred": row.include_deferred,
        "name": row.name,
        "occupied_slots": row.running + row.queued,
        "open_slots": row.slots - row.running - row.queued,
        "queued_slots": row.queued,
        "running_slots": row.running,
        "scheduled_slots": row.scheduled,
        "slots": row.slots,
    }


def xcom(row: ScriptedXCom, of_run: ScriptedRun) -> dict[str, Any]:
    """Return an XCom without its value.

    :param row: The XCom.
    :param of_run: Its run.
    """
    return {
        "dag_id": of_run.dag_id,
        "execution_date": moments.v1(of_run.logical_date),
        "key": row.key,
        "map_index": row.map_index,
        "task_id": row.task_id,
        "timestamp": moments.v1(row.timestamp),
    }


def connection(row: ScriptedConnection) -> dict[str, Any]:
    """Return a connection as lists have it.

    :param row: The connection.
    """
    return {
        "conn_type": row.conn_type,
        "connection_id": row.connection_id,
        **{name: row.fields.get(name) for name in ("description", "host", "login", "port", "schema")},
    }


def import_error(row: ScriptedImportError) -> dict[str, Any]:
    """Return an import error.

    :param row: The import error.
    """
    return {
        "filename": row.filename,
        "import_error_id": row.number,
        "stack_trace": row.stack_trace,
        "timestamp": moments.v1(row.timestamp),
    }
