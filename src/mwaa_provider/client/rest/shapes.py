"""Airflow's answers, of v1 and of v2, become the models of :mod:`mwaa_provider.client.models`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from mwaa_provider.client.models import (
    ComponentHealth,
    Connection,
    Dag,
    DagImportError,
    DagRun,
    Health,
    Pool,
    TaskInstance,
    Variable,
    XCom,
    XComEntry,
)

Body = Mapping[str, Any]


def moment(text: str | None) -> datetime | None:
    """Read a point in time.

    :param text: As Airflow writes it.
    """
    # Python 3.10's fromisoformat does not know the Z that Airflow 3 writes
    return None if text is None else datetime.fromisoformat(text.replace("Z", "+00:00"))


def utc(value: datetime) -> str:
    """Write a point in time.

    :param value: With time zone.
    """
    return value.astimezone(timezone.utc).isoformat()


def dag(body: Body) -> Dag:
    """Read a DAG.

    :param body: The answer.
    """
    return Dag(
        dag_id=body["dag_id"],
        is_paused=bool(body["is_paused"]),
        tags=tuple(sorted(tag["name"] for tag in body.get("tags") or ())),
        has_import_errors=bool(body.get("has_import_errors")),
    )


def dag_run(body: Body) -> DagRun:
    """Read a run.

    :param body: The answer.
    """
    return DagRun(
        dag_id=body["dag_id"],
        run_id=body["dag_run_id"],
        state=body["state"],
        logical_date=moment(body["logical_date"]),
        start_date=moment(body["start_date"]),
        end_date=moment(body["end_date"]),
        conf=body.get("conf") or {},
        run_type=body.get("run_type") or "",
        run_after=moment(body.get("run_after")),
        note=body.get("note"),
        data_interval_start=moment(body.get("data_interval_start")),
        data_interval_end=moment(body.get("data_interval_end")),
        partition_key=body.get("partition_key"),
    )


def task_instance(body: Body) -> TaskInstance:
    """Read a task instance.

    :param body: The answer.
    """
    return TaskInstance(
        dag_id=body["dag_id"],
        run_id=body["dag_run_id"],
        task_id=body["task_id"],
        map_index=body["map_index"],
        state=body["state"],
        try_number=body["try_number"],
        max_tries=body["max_tries"],
        start_date=moment(body["start_date"]),
        end_date=moment(body["end_date"]),
        operator=body.get("operator"),
        pool=body.get("pool") or "",
        queue=body.get("queue") or "",
        note=body.get("note"),
        queued_when=moment(body.get("queued_when")),
    )


def xcom_entry(body: Body, run_id: str) -> XComEntry:
    """Read an entry of a list of XComs.

    :param body: The entry.
    :param run_id: The run's id, which v1 does not tell.
    """
    return XComEntry(**_about_xcom(body, run_id))


def xcom(body: Body, run_id: str, *, is_text: bool) -> XCom:
    """Read an XCom.

    :param body: The answer.
    :param run_id: The run's id, which v1 does not tell.
    :param is_text: Whether the release writes every value as Python's text of it.
    """
    return XCom(**_about_xcom(body, run_id), value=body["value"], is_text=is_text)


def _about_xcom(body: Body, run_id: str) -> dict[str, Any]:
    return {
        "dag_id": body["dag_id"],
        "run_id": run_id,
        "task_id": body["task_id"],
        "map_index": body["map_index"],
        "key": body["key"],
        "timestamp": moment(body["timestamp"]),
    }


def variable(body: Body) -> Variable:
    """Read a variable.

    :param body: The answer.
    """
    return Variable(key=body["key"], value=body["value"], description=body.get("description"))


def connection(body: Body, *, has_extra: bool) -> Connection:
    """Read a connection; its password, masked or not, is left where it is.

    :param body: The answer.
    :param has_extra: Whether the release shows the extra.
    """
    return Connection(
        connection_id=body["connection_id"],
        conn_type=body["conn_type"],
        description=body.get("description"),
        host=body.get("host"),
        login=body.get("login"),
        schema=body.get("schema"),
        port=body.get("port"),
        extra=(body.get("extra") or "") if has_extra else None,
    )


def pool(body: Body) -> Pool:
    """Read a pool.

    :param body: The answer.
    """
    return Pool(
        name=body["name"],
        slots=body["slots"],
        description=body.get("description"),
        include_deferred=bool(body.get("include_deferred")),
        occupied_slots=body["occupied_slots"],
        running_slots=body["running_slots"],
        queued_slots=body["queued_slots"],
        scheduled_slots=body["scheduled_slots"],
        open_slots=body["open_slots"],
    )


def import_error(body: Body) -> DagImportError:
    """Read an import error.

    :param body: The answer.
    """
    return DagImportError(
        import_error_id=body["import_error_id"],
        file_name=body["filename"],
        stack_trace=body["stack_trace"],
        timestamp=moment(body["timestamp"]),
        bundle_name=body.get("bundle_name"),
    )


def health(body: Body) -> Health:
    """Read the health.

    :param body: The answer.
    """
    return Health(
        metadatabase=ComponentHealth(body["metadatabase"]["status"]),
        scheduler=_component(body, "scheduler"),
        triggerer=_component(body, "triggerer"),
        dag_processor=_component(body, "dag_processor"),
    )


def _component(body: Body, name: str) -> ComponentHealth:
    told = body.get(name) or {}
    return ComponentHealth(told.get("status"), moment(told.get(f"latest_{name}_heartbeat")))
