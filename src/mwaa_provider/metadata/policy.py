"""What is written down about the metadata database's tables, because no reflection can tell it: age, history, secrets.

Columns and types are never listed here: they are read from the database, so that every release works.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

#: The tables that the AWS guide's sample exports, in today's names; a release has those of them that it has.
GUIDE_TABLES = ("dag_run", "task_instance", "task_fail")

#: Table to the columns that may tell a row's age; the first one that the release has is it. They are those of ``airflow db clean``, so that
#: "exported until T" and "cleaned before T" are the same rows. A table that is not here is no history and is exported whole.
AGE_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "dag_run": ("start_date",),
    "task_instance": ("start_date",),
    "task_instance_history": ("start_date",),
    "task_fail": ("start_date",),
    "task_reschedule": ("start_date",),
    "xcom": ("timestamp",),
    "_xcom_archive": ("timestamp",),
    "log": ("dttm",),
    "job": ("latest_heartbeat",),
    "sla_miss": ("timestamp",),
    "import_error": ("timestamp",),
    "dag_warning": ("timestamp",),
    "dag_run_note": ("created_at",),
    "task_instance_note": ("created_at",),
    "dataset_event": ("timestamp",),
    "asset_event": ("timestamp",),
    "dataset_dag_run_queue": ("created_at",),
    "asset_dag_run_queue": ("created_at",),
    "asset_partition_dag_run": ("created_at",),
    "partitioned_asset_key_log": ("created_at",),
    "backfill": ("created_at",),
    "hitl_detail": ("created_at",),
    "hitl_detail_history": ("created_at",),
    "deadline": ("created_at", "deadline_time", "deadline"),
    "dag_version": ("created_at",),
    "callback": ("created_at",),
    "callback_request": ("created_at",),
    "trigger": ("created_date",),
    "celery_taskmeta": ("date_done",),
    "celery_tasksetmeta": ("date_done",),
    "session": ("expiry",),
    "revoked_token": ("exp",),
    "connection_test_request": ("created_at",),
    "task_state_store": ("updated_at",),
}

#: What ``tables="history"`` stands for: everything that tells what ran, when, and how it went. Some of it has no age column of its own
#: and is exported whole.
HISTORY = (
    "dag_run",
    "dag_run_note",
    "dagrun_asset_event",
    "dagrun_dataset_event",
    "task_instance",
    "task_instance_history",
    "task_instance_note",
    "task_fail",
    "task_map",
    "task_reschedule",
    "rendered_task_instance_fields",
    "xcom",
    "log",
    "job",
    "sla_miss",
    "asset_event",
    "asset_alias_asset_event",
    "dataset_event",
    "dataset_alias_dataset_event",
    "backfill",
    "backfill_dag_run",
    "deadline",
    "hitl_detail",
    "hitl_detail_history",
    "dag_version",
)

#: Tables that hold credentials, and the columns of theirs that may be seen. Whatever a later release adds to them is kept secret too.
VISIBLE_COLUMNS: Mapping[str, frozenset[str]] = {
    "connection": frozenset(
        ("id", "conn_id", "conn_type", "description", "is_encrypted", "is_extra_encrypted", "team_name")
    ),
    "variable": frozenset(("id", "key", "description", "is_encrypted", "team_name")),
    "connection_test_request": frozenset(
        ("id", "connection_id", "conn_type", "state", "created_at", "updated_at", "executor", "queue", "team_name")
    ),
    "session": frozenset(("id", "expiry")),
    "revoked_token": frozenset(("exp",)),
    "ab_user": frozenset(
        ("id", "username", "active", "last_login", "login_count", "fail_login_count", "created_on", "changed_on")
    ),
    "ab_register_user": frozenset(("id", "username", "registration_date")),
}

#: Columns that may hold credentials in tables that are otherwise open: arguments of triggers, callbacks and Celery tasks, addresses of
#: bundles.
SECRET_COLUMNS: Mapping[str, frozenset[str]] = {
    "trigger": frozenset(("kwargs",)),
    "callback": frozenset(("data", "output")),
    "callback_request": frozenset(("callback_data",)),
    "deadline": frozenset(("callback_kwargs", "callback")),
    "deadline_alert": frozenset(("callback_def",)),
    "celery_taskmeta": frozenset(("args", "kwargs", "result", "traceback")),
    "dag_bundle": frozenset(("signed_url_template", "template_params")),
}

#: A column of any table, of a plugin's too, whose name says what it holds.
_SECRET_NAME = re.compile(
    r"password|passwd|passphrase|secret|credential|private_key|api_key|access_key|(^|_)token($|_value$)", re.I
)

#: ``airflow db clean`` leaves its archive tables so named: ``_airflow_deleted__trigger__20260131``.
_ARCHIVE = re.compile(r"_airflow_deleted__(?P<table>.+)__\d+")


def age_columns_of(table: str) -> tuple[str, ...]:
    """Give the columns that may tell a row's age, the first choice first; none for a table that is exported whole.

    :param table: The table's name.
    """
    return AGE_COLUMNS.get(_base(table), ())


def holds_credentials(table: str) -> bool:
    """Tell whether a table is one of those that are there to hold credentials.

    :param table: The table's name.
    """
    return _base(table) in VISIBLE_COLUMNS


def is_secret(table: str, column: str) -> bool:
    """Tell whether a column's values stay in the database.

    :param table: The table's name.
    :param column: The column's name.
    """
    base = _base(table)
    if base in VISIBLE_COLUMNS:
        return column not in VISIBLE_COLUMNS[base]
    return column in SECRET_COLUMNS.get(base, ()) or _SECRET_NAME.search(column) is not None


def _base(table: str) -> str:
    archive = _ARCHIVE.fullmatch(table)
    return archive["table"] if archive else table
