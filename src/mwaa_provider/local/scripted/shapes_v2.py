"""The JSON objects of Airflow 3's REST API, key by key as its pydantic models write them."""

from __future__ import annotations

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

#: The default of Airflow's secrets masker.
_SENSITIVE = (
    "access_token",
    "api_key",
    "apikey",
    "authorization",
    "keyfile_dict",
    "passphrase",
    "passwd",
    "password",
    "private_key",
    "secret",
    "service_account",
    "token",
)


def health(now: datetime) -> dict[str, Any]:
    """Return the health of an Airflow in which all is well.

    :param now: The time of the last heartbeats.
    """
    beat = moments.v1(now)
    return {
        "metadatabase": {"status": "healthy"},
        "scheduler": {"status": "healthy", "latest_scheduler_heartbeat": beat},
        "triggerer": {"status": "healthy", "latest_triggerer_heartbeat": beat},
        "dag_processor": {"status": "healthy", "latest_dag_processor_heartbeat": beat},
    }


def dag(row: ScriptedDag, release: Release) -> dict[str, Any]:
    """Return a DAG.

    :param row: The DAG.
    :param release: The release.
    """
    shaped: dict[str, Any] = {
        "dag_id": row.dag_id,
        "dag_display_name": row.dag_id,
        "is_paused": row.is_paused,
        "is_stale": False,
        "last_parsed_time": moments.v2(row.added_at),
        "last_expired": None,
        "bundle_name": "dags-folder",
        "bundle_version": None,
        "relative_fileloc": f"{row.dag_id}.py",
        "fileloc": f"/usr/local/airflow/dags/{row.dag_id}.py",
        "description": None,
        "timetable_summary": None,
        "timetable_description": "Never, external triggers only",
        "tags": [_tag(row, tag, release) for tag in row.tags],
        "max_active_tasks": 16,
        "max_active_runs": 16,
        "max_consecutive_failed_dag_runs": 0,
        "has_task_concurrency_limits": False,
        "has_import_errors": row.has_import_errors,
        "next_dagrun_logical_date": None,
        "next_dagrun_data_interval_start": None,
        "next_dagrun_data_interval_end": None,
        "next_dagrun_run_after": None,
        "owners": ["airflow"],
        "file_token": "",
    }
    if release >= (3, 1):
        shaped["last_parse_duration"] = 0.1
    if release >= (3, 2):
        shaped |= {"timetable_partitioned": row.is_partitioned, "allowed_run_types": None}
    if release >= (3, 3):
        shaped |= {"timetable_periodic": False, "is_backfillable": False}
    return shaped


def _tag(of_dag: ScriptedDag, name: str, release: Release) -> dict[str, Any]:
    shaped = {"name": name, "dag_id": of_dag.dag_id}
    return shaped if release < (3, 1) else {**shaped, "dag_display_name": of_dag.dag_id}


def dag_details(row: ScriptedDag, release: Release, *, active_runs: int) -> dict[str, Any]:
    """Return a DAG with its details.

    :param row: The DAG.
    :param release: The release.
    :param active_runs: How many of its runs are running.
    """
    shaped = dag(row, release) | {
        "catchup": False,
        "dag_run_timeout": None,
        "asset_expression": None,
        "doc_md": None,
        "start_date": "2024-01-01T00:00:00Z",
        "end_date": None,
        "is_paused_upon_creation": None,
        "params": {},
        "render_template_as_native_obj": False,
        "template_search_path": None,
        "timezone": "UTC",
        "last_parsed": moments.v2(row.added_at),
        "owner_links": {},
        "concurrency": 16,
        "latest_dag_version": dag_version(row, release),
    }
    if release >= (3, 1):
        shaped |= {"default_args": {}, "is_favorite": False}
    if release >= (3, 2):
        shaped["active_runs_count"] = active_runs
    if release >= (3, 3):
        shaped["rerun_with_latest_version"] = None
    return shaped


def dag_version(row: ScriptedDag, release: Release) -> dict[str, Any]:
    """Return a DAG's only version.

    :param row: The DAG.
    :param release: The release.
    """
    shaped = {
        "id": row.version_id,
        "version_number": 1,
        "dag_id": row.dag_id,
        "bundle_name": "dags-folder",
        "bundle_version": None,
        "created_at": moments.v2(row.added_at),
        "bundle_url": None,
    }
    return shaped if release < (3, 1) else {**shaped, "dag_display_name": row.dag_id}


def collection(name: str, rows: list[dict[str, Any]], total: int, release: Release) -> dict[str, Any]:
    """Return a page of runs or of task instances.

    :param name: What its rows are called.
    :param rows: The rows of the page.
    :param total: How many there are on all pages.
    :param release: The release.
    """
    shaped: dict[str, Any] = {name: rows, "total_entries": total}
    if release >= (3, 3):
        shaped |= {"next_cursor": None, "previous_cursor": None}
    return shaped


def run(row: ScriptedRun, of_dag: ScriptedDag, release: Release) -> dict[str, Any]:
    """Return a run.

    :param row: The run.
    :param of_dag: Its DAG.
    :param release: The release.
    """
    start, end = row.data_interval or (None, None)
    shaped: dict[str, Any] = {
        "dag_run_id": row.run_id,
        "dag_id": row.dag_id,
        "logical_date": moments.v2(row.logical_date),
        "queued_at": moments.v2(row.queued_at),
        "start_date": moments.v2(row.start_date),
        "end_date": moments.v2(row.end_date),
        "data_interval_start": moments.v2(start),
        "data_interval_end": moments.v2(end),
        "run_after": moments.v2(row.run_after),
        "last_scheduling_decision": moments.v2(row.last_scheduling_decision),
        "run_type": row.run_type,
        "state": row.state,
        "triggered_by": row.triggered_by,
        "conf": row.conf,
        "note": row.note,
        "dag_versions": [dag_version(of_dag, release)],
        "bundle_version": None,
    }
    if release >= (3, 1):
        shaped |= {
            "duration": _duration(row.start_date, row.end_date),
            "triggering_user_name": "Anonymous",
            "dag_display_name": row.dag_id,
        }
    if release >= (3, 2):
        shaped |= {"partition_key": row.partition_key}
    if release >= (3, 3):
        shaped |= {"partition_date": None}
    return shaped


def task(row: ScriptedTaskInstance, of_run: ScriptedRun, of_dag: ScriptedDag, release: Release) -> dict[str, Any]:
    """Return a task instance.

    :param row: The task instance.
    :param of_run: Its run.
    :param of_dag: Its DAG.
    :param release: The release.
    """
    shaped: dict[str, Any] = {
        "id": row.id,
        "task_id": row.task_id,
        "dag_id": row.dag_id,
        "dag_run_id": row.run_id,
        "map_index": row.map_index,
        "logical_date": moments.v2(of_run.logical_date),
        "run_after": moments.v2(of_run.run_after),
        "start_date": moments.v2(row.start_date),
        "end_date": moments.v2(row.end_date),
        "duration": _duration(row.start_date, row.end_date),
        "state": row.state,
        "try_number": row.try_number,
        "max_tries": row.max_tries,
        "task_display_name": row.task_id,
        "hostname": "",
        "unixname": "airflow",
        "pool": "default_pool",
        "pool_slots": 1,
        "queue": "default",
        "priority_weight": 1,
        "operator": row.operator,
        "queued_when": moments.v2(of_run.queued_at if row.has_run else None),
        "scheduled_when": moments.v2(of_run.queued_at if row.has_run else None),
        "pid": row.pid,
        "executor": None,
        "executor_config": "{}",
        "note": row.note,
        "rendered_map_index": str(row.map_index) if row.map_index >= 0 else None,
        "rendered_fields": {},
        "trigger": None,
        "triggerer_job": None,
        "dag_version": dag_version(of_dag, release),
    }
    if release >= (3, 1):
        shaped |= {"dag_display_name": row.dag_id, "operator_name": row.operator}
    return shaped


def log(row: ScriptedTaskInstance, text: str) -> dict[str, Any]:
    """Return what a task said, a message for each line.

    :param row: The task instance.
    :param text: What it said.
    """
    details = ("::group::Log message source details", "scripted", "::endgroup::")
    said = [
        {"timestamp": moments.v2(row.start_date), "event": line, "level": "info", "logger": "task"}
        for line in text.splitlines()
    ]
    return {"content": [*({"event": line} for line in details), *said], "continuation_token": None}


def _duration(start: datetime | None, end: datetime | None) -> float | None:
    return (end - start).total_seconds() if start and end else None


def variable(row: ScriptedVariable, release: Release) -> dict[str, Any]:
    """Return a variable.

    :param row: The variable.
    :param release: The release.
    """
    shaped = {
        "key": row.key,
        "value": _masked(row.key, row.value, release),
        "description": row.description,
        "is_encrypted": True,
    }
    return shaped if release < (3, 2) else {**shaped, "team_name": None}


def _masked(key: str, value: str, release: Release) -> str:
    # Airflow 3 answers with the mask in place of what looks like a secret, also right after it was set; JSON it writes anew.
    try:
        parsed = json.loads(value)
    except ValueError:
        return "***" if _is_sensitive(key) else value
    # Before 3.3 the key of a variable whose value is JSON is not looked at.
    return json.dumps(_masked_in(parsed, all_of_it=release >= (3, 3) and _is_sensitive(key)))


def _masked_in(value: Any, *, all_of_it: bool) -> Any:
    if isinstance(value, dict):
        return {name: _masked_in(inner, all_of_it=all_of_it or _is_sensitive(name)) for name, inner in value.items()}
    if isinstance(value, list):
        return [_masked_in(inner, all_of_it=all_of_it) for inner in value]
    # Numbers are never masked.
    return "***" if all_of_it and isinstance(value, str) else value


def _is_sensitive(name: str) -> bool:
    return any(word in name.lower() for word in _SENSITIVE)


def pool(row: ScriptedPool, release: Release) -> dict[str, Any]:
    """Return a pool.

    :param row: The pool.
    :param release: The release.
    """
    shaped = {
        "name": row.name,
        "slots": row.slots,
        "description": row.description,
        "include_deferred": row.include_deferred,
        "occupied_slots": row.running + row.queued,
        "running_slots": row.running,
        "queued_slots": row.queued,
        "scheduled_slots": row.scheduled,
        "open_slots": row.slots - row.running - row.queued,
        "deferred_slots": 0,
    }
    return shaped if release < (3, 2) else {**shaped, "team_name": None}


def xcom(row: ScriptedXCom, of_run: ScriptedRun, release: Release) -> dict[str, Any]:
    """Return an XCom without its value.

    :param row: The XCom.
    :param of_run: Its run.
    :param release: The release.
    """
    shaped = {
        "key": row.key,
        "timestamp": moments.v2(row.timestamp),
        "logical_date": moments.v2(of_run.logical_date),
        "map_index": row.map_index,
        "task_id": row.task_id,
        "dag_id": of_run.dag_id,
        "run_id": of_run.run_id,
    }
    if release >= (3, 1):
        shaped |= {
            "dag_display_name": of_run.dag_id,
            "task_display_name": row.task_id,
            "run_after": moments.v2(of_run.run_after),
        }
    return shaped


def connection(row: ScriptedConnection, release: Release) -> dict[str, Any]:
    """Return a connection.

    :param row: The connection.
    :param release: The release.
    """
    shaped = {
        "connection_id": row.connection_id,
        "conn_type": row.conn_type,
        **{name: row.fields.get(name) for name in ("description", "host", "login", "schema", "port")},
        "password": "***" if row.fields.get("password") else row.fields.get("password"),
        "extra": masked_extra(row.fields.get("extra")),
    }
    return shaped if release < (3, 2) else {**shaped, "team_name": None}


def masked_extra(extra: str | None) -> str | None:
    """Return a connection's extra as both lines show it, with a mask in place of what sounds like a secret.

    :param extra: The extra.
    """
    return json.dumps(_masked_in(json.loads(extra), all_of_it=False)) if extra else extra


def import_error(row: ScriptedImportError, release: Release) -> dict[str, Any]:
    """Return an import error.

    :param row: The import error.
    :param release: The release.
    """
    return {
        "import_error_id": row.number,
        "timestamp": moments.v2(row.timestamp),
        "filename": row.filename,
        "bundle_name": "dags-folder",
        "stack_trace": row.stack_trace,
    }
