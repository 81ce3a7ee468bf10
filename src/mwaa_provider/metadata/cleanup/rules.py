"""What a clean-up takes and what it leaves, table by table; columns, keys and what hangs on what are read from the database.

The ages are those of ``airflow db clean`` of the same release. What differs on purpose stands in docs/clean-up.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

#: Runs go by this table: a run goes with everything that hangs on it, or it stays with everything.
RUNS, TASKS = "dag_run", "task_instance"
#: The states of runs and of task instances that are over. Any other, of a later release too, is an active one; a task instance without a
#: state was never begun and is not active in a run that is over.
FINISHED_RUNS = ("success", "failed")
FINISHED_TASKS = ("success", "failed", "skipped", "upstream_failed", "removed")


@dataclass(frozen=True)
class AgedRule:
    """A table whose rows go by an age of their own.

    :param ages: The columns that may tell a row's age; the first that the release has is it.
    :param dag_columns: The columns that may tell a row's DAG; none if it has none.
    :param parts: Tables whose rows are part of a row of this one and go with it (by ``ON DELETE CASCADE``). A row that any other table
        refers to stays.
    :param only: A further condition in SQL on the row, which is called ``t``.
    :param needs: The columns that the condition needs; where the release lacks one, the condition is left out.
    :param needs_tables: The tables that the condition needs, likewise.
    :param is_default: Whether it is cleaned without being named.
    :param keeps_last_by: Of the rows that share this column's value, the newest one stays.
    """

    ages: tuple[str, ...]
    dag_columns: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    only: str = ""
    needs: tuple[str, ...] = ()
    needs_tables: tuple[str, ...] = ()
    is_default: bool = True
    keeps_last_by: str | None = None


_NO_QUEUED_EVENT = (
    "NOT EXISTS (SELECT FROM partitioned_asset_key_log p WHERE p.asset_event_id = t.id AND EXISTS "
    "(SELECT FROM asset_partition_dag_run d WHERE d.id = p.asset_partition_dag_run_id AND d.created_dag_run_id IS NULL))"
)

#: The tables that go by an age of their own. Runs and all that hangs on them are none of these: see :data:`RUNS`.
AGED: Mapping[str, AgedRule] = {
    "log": AgedRule(("dttm",), ("dag_id",)),
    "job": AgedRule(("latest_heartbeat",), ("dag_id",)),
    "import_error": AgedRule(("timestamp",)),
    "sla_miss": AgedRule(("timestamp",), ("dag_id",)),
    "dataset_event": AgedRule(("timestamp",), ("source_dag_id",), parts=("dataset_alias_dataset_event",)),
    "asset_event": AgedRule(
        ("timestamp",),
        ("source_dag_id",),
        parts=("asset_alias_asset_event",),
        only=_NO_QUEUED_EVENT,
        needs_tables=("partitioned_asset_key_log", "asset_partition_dag_run"),
    ),
    "partitioned_asset_key_log": AgedRule(
        ("created_at",),
        ("target_dag_id",),
        only="NOT EXISTS (SELECT FROM asset_partition_dag_run d WHERE d.id = t.asset_partition_dag_run_id)",
        needs_tables=("asset_partition_dag_run",),
    ),
    "backfill": AgedRule(("completed_at",), ("dag_id",), parts=("backfill_dag_run",)),
    # Deadlines and stored states of runs go with them; these are the rest: without a run, and past their own date.
    "deadline": AgedRule(("deadline_time", "deadline"), ("dag_id",), only="t.dagrun_id IS NULL", needs=("dagrun_id",)),
    "task_state_store": AgedRule(("expires_at",), ("dag_id",)),
    "_xcom_archive": AgedRule(("timestamp",), ("dag_id",)),
    "callback": AgedRule(("created_at",), only="t.state IN ('success', 'failed')", needs=("state",)),
    "callback_request": AgedRule(("created_at",)),
    "trigger": AgedRule(("created_date",)),
    "celery_taskmeta": AgedRule(("date_done",)),
    "celery_tasksetmeta": AgedRule(("date_done",)),
    "session": AgedRule(("expiry",)),
    "revoked_token": AgedRule(("exp",)),
    "connection_test_request": AgedRule(("updated_at",), only="t.state IN ('success', 'failed')", needs=("state",)),
    "dag_version": AgedRule(
        ("created_at",),
        ("dag_id",),
        parts=("dag_code", "serialized_dag"),
        is_default=False,
        keeps_last_by="dag_id",
    ),
    "dag": AgedRule(
        ("last_parsed_time",),
        ("dag_id",),
        parts=(
            "asset_dag_run_queue",
            "dag_favorite",
            "dag_owner_attributes",
            "dag_schedule_asset_alias_reference",
            "dag_schedule_asset_name_reference",
            "dag_schedule_asset_reference",
            "dag_schedule_asset_uri_reference",
            "dag_schedule_dataset_alias_reference",
            "dag_schedule_dataset_reference",
            "dag_tag",
            "dag_version",
            "dag_warning",
            "dataset_dag_run_queue",
            "task_inlet_asset_reference",
            "task_outlet_asset_reference",
            "task_outlet_dataset_reference",
        ),
        only="NOT EXISTS (SELECT FROM dag_run r WHERE r.dag_id = t.dag_id)",
        needs_tables=("dag_run",),
        is_default=False,
    ),
}

_SETTINGS = "what users have set, no history"
_DAGS = "what the DAG files say now; it is written anew when they are parsed"
_ACCESS = "users and what they may"
_WAITING = "what still waits to start a run; starting it removes it"

#: The tables that are never cleaned by themselves, and why. Some go with a row that they are part of.
KEPT: Mapping[str, str] = {
    "connection": _SETTINGS,
    "variable": _SETTINGS,
    "slot_pool": _SETTINGS,
    "team": _SETTINGS,
    "dag_bundle_team": _SETTINGS,
    "dag_favorite": _SETTINGS,
    "dag_bundle": _DAGS,
    "dag_code": "the source of a DAG's version; it goes with the version",
    "serialized_dag": "a DAG's version as the scheduler reads it; it goes with the version",
    "dag_pickle": _DAGS,
    "dag_owner_attributes": _DAGS,
    "dag_priority_parsing_request": "what still waits to be parsed",
    "dag_schedule_asset_alias_reference": _DAGS,
    "dag_schedule_asset_name_reference": _DAGS,
    "dag_schedule_asset_reference": _DAGS,
    "dag_schedule_asset_uri_reference": _DAGS,
    "dag_schedule_dataset_alias_reference": _DAGS,
    "dag_schedule_dataset_reference": _DAGS,
    "dag_tag": _DAGS,
    "dag_warning": _DAGS,
    "deadline_alert": _DAGS,
    "task_inlet_asset_reference": _DAGS,
    "task_outlet_asset_reference": _DAGS,
    "task_outlet_dataset_reference": _DAGS,
    "asset": _DAGS,
    "asset_active": _DAGS,
    "asset_alias": _DAGS,
    "asset_alias_asset": _DAGS,
    "asset_trigger": _DAGS,
    "asset_watcher": _DAGS,
    "dataset": _DAGS,
    "dataset_alias": _DAGS,
    "dataset_alias_dataset": _DAGS,
    "asset_state_store": "the state that assets keep from run to run",
    "asset_dag_run_queue": _WAITING,
    "dataset_dag_run_queue": _WAITING,
    "asset_alias_asset_event": "part of an asset event; it goes with the event",
    "dataset_alias_dataset_event": "part of a dataset event; it goes with the event",
    "backfill_dag_run": "part of a backfill; it goes with the backfill",
    "log_template": "where the logs of kept runs lie",
}

_KEPT_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"ab_.*"), _ACCESS),
    (re.compile(r"alembic_version.*"), "the schema's own revision"),
    (re.compile(r"_airflow_deleted__.*"), "what `airflow db clean` has left; drop_leftovers drops it"),
    (re.compile(r"_airflow_moved__.*"), "what a migration of Airflow has set aside for you to look at"),
)


def why_kept(table: str) -> str | None:
    """Tell why a table is not cleaned by itself; ``None`` if no rule says so.

    :param table: The table.
    """
    if table in KEPT:
        return KEPT[table]
    return next((why for pattern, why in _KEPT_PATTERNS if pattern.fullmatch(table)), None)
