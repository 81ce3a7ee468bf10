"""Our clean-up and Airflow's own on the same rows: what is left is the same, but for what docs/clean-up.md lists."""

from __future__ import annotations

import pytest

from mwaa_provider.metadata.cleanup.rules import TASKS
from tests.metadata.cleanup.history import CUT, days_ago


@pytest.fixture
def by_airflow(airflow_database):
    """Airflow's own clean-up; it leaves no archive tables."""

    def do(tables):
        from airflow.utils.db_cleanup import config_dict, run_cleanup

        run_cleanup(
            clean_before_timestamp=CUT,
            table_names=[table for table in tables if table in config_dict],
            confirm=False,
            skip_archive=True,
        )

    return do


def left(history):
    """Run ids in the tables of runs, and the counts of those others that this release's own clean-up knows."""
    from airflow.utils.db_cleanup import config_dict

    plan = history.plan()
    return {table.name: history.run_ids(table.name) for table in plan.run_tables} | {
        table.name: history.count(table.name) for table in plan.aged if table.name in config_dict
    }


def plain(history):
    """Rows about which both agree."""
    history.run("old", 60)
    history.run("failed", 45, state="failed", dag_id="b")
    history.run("manual", 90, run_type="manual")
    history.run("newest", 2)
    history.run("b_newest", 3, dag_id="b")
    for table in ("log", "job", "import_error", "sla_miss", "celery_taskmeta", "session", "revoked_token", "trigger"):
        if table in history.schema.columns:
            for days in (90, 31, 29):
                history.aged(table, days)


def empty(history):
    for table in history.plan().touched:
        history.rows.execute(f'DELETE FROM "{table}"')


def test_what_is_left_is_the_same(history, cleaned, by_airflow):
    plain(history)
    cleaned()
    ours = left(history)
    empty(history)
    plain(history)
    by_airflow(history.plan().tables)
    theirs = left(history)
    # Events: here a kept run has consumed them. The last two are not cleaned by Airflow.
    differ = {"asset_event", "dataset_event", "dagrun_asset_event", "dagrun_dataset_event", "callback", "deadline"}
    assert {name: value for name, value in ours.items() if name not in differ} == {
        name: value for name, value in theirs.items() if name not in differ
    }
    assert ours["dag_run"] == ["b_newest", "newest"]


def test_where_we_differ_on_purpose(history, cleaned, by_airflow):
    def fill():
        history.run("active", 60, state="running", tasks=(("success", 60), ("running", 1)))
        history.run("newest", 50)
        history.run("has_young", 55, tasks=(("success", 55), ("success", 2)))
        history.run("cleared", 5, dag_id="b", tasks=(("success", 40), ("success", 5)))
        history.run("deferred", 60, dag_id="c", state="running", tasks=(("deferred", 2),))
        history.rows.add("trigger", id=7001, created_date=days_ago(60))
        history.rows.execute("UPDATE task_instance SET trigger_id = 7001 WHERE run_id = 'deferred'")

    def tasks():
        return history.rows.execute(f"SELECT run_id, count(*) FROM {TASKS} GROUP BY 1 ORDER BY 1")

    fill()
    cleaned()
    assert tasks() == [("active", 2), ("cleared", 2), ("deferred", 1), ("has_young", 2), ("newest", 2)]
    assert history.count("trigger") == 1
    empty(history)
    fill()
    history.rows.execute("SET session_replication_role = origin")
    try:
        by_airflow(("task_instance", "dag_run", "trigger"))
    finally:
        history.rows.execute("SET session_replication_role = replica")
    # Airflow takes active runs, what a run that stays has of old task instances, and with a trigger the task that waits for it.
    from airflow.utils.db_cleanup import config_dict

    assert tasks() == [("cleared", 1), *([] if "trigger" in config_dict else [("deferred", 1)])]
