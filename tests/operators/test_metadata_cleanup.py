"""MetadataCleanupOperator as Airflow runs it, and what it says where it cannot."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

from mwaa_provider.exceptions import CleanupError, InvalidInputError
from mwaa_provider.metadata.export.verifying import verify
from mwaa_provider.operators.metadata_cleanup import MetadataCleanupOperator
from tests.metadata.cleanup.history import History, days_ago
from tests.support.s3 import BUCKET, started_s3
from tests.support.tasks import context_of


@pytest.fixture
def history(airflow_database):
    with History.of_this_airflow(airflow_database.home) as history:
        yield history


def run(**given):
    operator = MetadataCleanupOperator(task_id="clean", **given)
    return operator.execute(context_of(operator))


def test_it_cleans_and_tells_what_went(history):
    history.run("old", 60)
    history.run("newest", 1)
    history.aged("log", 60)
    told = run(before=str(days_ago(30)), tables='["dag_run", "log"]', max_duration="None", parallel="2")
    assert told.pop("seconds") > 0
    assert told.pop("longest_batch") > 0
    assert told.pop("batches") >= 2
    sizes = told.pop("sizes")
    assert set(sizes) == set(told["rows"])
    assert set(sizes["log"]) == {"bytes_before", "bytes_after", "dead_rows_before", "dead_rows_after"}
    assert sizes["log"]["bytes_before"] > 0
    rows = told.pop("rows")
    assert (rows["dag_run"], rows["task_instance"], rows["xcom"], rows["log"]) == (1, 2, 2, 1)
    assert told == {
        "before": "2026-05-31T12:00:00+00:00",
        "complete": True,
        "stopped": "",
        "reached": "",
        "left": [],
        "left_count": 0,
        "kept_runs": 0,
        "notes": [],
        "dropped": [],
        "archive": "",
    }
    assert history.run_ids() == ["newest"]


def test_a_dry_run_tells_what_a_clean_up_then_does_and_removes_nothing(history):
    history.run("old", 60)
    history.run("older", 70, task_count=3)
    history.run("active", 80, state="running")
    history.run("has_young", 50, tasks=(("success", 2),))
    history.run("b_newest", 90, dag_id="b")
    history.run("newest", 1)
    for days in (40, 50, 10):
        history.aged("log", days)
    before = {table: history.count(table) for table in history.plan().touched}
    told = run(before=str(days_ago(30)), dry_run="True")
    assert {table: history.count(table) for table in before} == before
    assert told["stays"]["dag_run: active"] == 1
    assert told["stays"]["dag_run: the newest of its DAG that is not manual"] == 1
    assert told["stays"]["dag_run: a task instance is active, or younger than the cut-off"] == 1
    assert told["oldest"]["task_instance"] == "2026-04-21T12:00:00+00:00"
    assert told["newest"]["task_instance"] == "2026-05-01T12:00:00+00:00"
    assert (told["oldest"]["log"], told["newest"]["log"]) == (days_ago(50).isoformat(), days_ago(40).isoformat())
    assert told["bytes"]["log"] > 0
    assert told["rows"]["log"] == 2
    done = run(before=str(days_ago(30)))
    # What the events of removed runs held, nothing holds afterwards: a dry run cannot know.
    freed = {"asset_event", "dataset_event", "callback"}
    assert {name: count for name, count in told["rows"].items() if name not in freed} == {
        name: count for name, count in done["rows"].items() if name not in freed
    }


def test_everything_that_cannot_be_right_is_named_before_anything_is_done(history):
    history.run("old", 60)
    history.run("newest", 1)
    with pytest.raises(InvalidInputError) as raised:
        run(max_age_in_days="-3", tables=["dag_rum", "log"], parallel="many")
    assert list(raised.value.problems) == [
        "max_age_in_days: -3.0 is not an age; give a number of days above 0",
        "parallel: 'many' is not one; give a whole number from 1",
        "tables: there is no table 'dag_rum' in this release; did you mean 'dag_run' or 'dag_run_note' or 'dag'?",
    ]
    assert history.run_ids() == ["newest", "old"]


def test_rights_that_are_missing_are_named_before_anything_is_done(history, airflow_database, monkeypatch):
    history.run("old", 60)
    history.run("newest", 1)
    history.rows.execute("CREATE ROLE reader LOGIN")
    history.rows.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    history.rows.execute("GRANT UPDATE, DELETE ON log TO reader")
    try:
        monkeypatch.setenv(
            "AIRFLOW_CONN_METADATA",
            json.dumps(
                {
                    "conn_type": "postgres",
                    "login": "reader",
                    "host": str(airflow_database.home.postgres_data),
                    "schema": "airflow",
                }
            ),
        )
        with pytest.raises(InvalidInputError) as raised:
            run(metadata_conn_id="metadata", tables=["log", "xcom", "job", "xcon"], parallel=0)
        assert list(raised.value.problems) == [
            "parallel: 0 is not one; give a whole number from 1",
            "tables: there is no table 'xcon' in this release; did you mean 'xcom'?",
            "tables: the user of the database lacks UPDATE on 'dag_run'; grant it, or leave the table out",
            "tables: the user of the database lacks UPDATE, DELETE on 'job'; grant it, or leave the table out",
            "tables: the user of the database lacks UPDATE on 'task_instance'; grant it, or leave the table out",
            "tables: the user of the database lacks UPDATE, DELETE on 'xcom'; grant it, or leave the table out",
        ]
        assert run(metadata_conn_id="metadata", dry_run=True)["rows"]["dag_run"] == 1
        history.aged("log", 60)
        told = run(metadata_conn_id="metadata", tables=["log"])
        assert told["rows"] == {"log": 1}
        # PostgreSQL only warns where the user may not: it is said.
        assert len(told["notes"]) == 1
        assert told["notes"][0].startswith("ANALYZE of 'log': ")
    finally:
        history.rows.execute("DROP OWNED BY reader")
        history.rows.execute("DROP ROLE reader")


def test_where_airflow_3_keeps_the_database_from_tasks_it_says_what_to_do(airflow_database, monkeypatch):
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "airflow-db-not-allowed:///")
    with pytest.raises(CleanupError) as raised:
        run()
    message = str(raised.value)
    assert "Airflow 3 keeps its settings from tasks" in message
    assert "Give metadata_conn_id" in message
    assert "`mwaa db clean`" in message


def test_a_kill_ends_it_between_two_batches(history):
    for number in range(5):
        history.run(f"old_{number}", 60)
    history.run("newest", 1)
    operator = MetadataCleanupOperator(
        task_id="clean", max_age_in_days=(datetime.now(timezone.utc) - days_ago(30)) / timedelta(days=1)
    )
    operator.on_kill()
    told = operator.execute(context_of(operator))
    assert (told["stopped"], told["complete"], told["rows"]) == ("the task was killed", False, {})


def test_what_db_clean_has_left_is_told_and_dropped_on_request(history):
    history.run("old", 60)
    history.run("newest", 1)
    history.rows.execute("CREATE TABLE _airflow_deleted__log__20260131000000 AS SELECT * FROM log")
    told = run(before=str(days_ago(30)))
    assert told["notes"] == ["`airflow db clean` has left 1 archive tables; drop_leftovers=True drops them"]
    assert history.rows.has_table("_airflow_deleted__log__20260131000000")
    told = run(before=str(days_ago(30)), drop_leftovers=True)
    assert (told["notes"], told["dropped"]) == ([], ["_airflow_deleted__log__20260131000000"])
    assert not history.rows.has_table("_airflow_deleted__log__20260131000000")


def test_a_vacuum_on_request_frees_what_lost_rows(history):
    history.run("old", 60)
    history.run("newest", 1)
    history.rows.execute(
        "INSERT INTO log (dttm, event) SELECT now() - interval '1 year', 'x' FROM generate_series(1, 5000)"
    )
    told = run(max_age_in_days=100, tables=["log"], vacuum=True)
    assert told["rows"] == {"log": 5000}
    assert told["notes"] == []
    assert history.rows.execute("SELECT vacuum_count > 0 FROM pg_stat_user_tables WHERE relname = 'log'") == [(True,)]


def test_what_goes_is_archived_by_an_airflow_connection(history, monkeypatch):
    history.run("old", 60)
    history.run("newest", 1)
    with started_s3() as s3:
        extra = {"endpoint_url": s3.endpoint_url, "region_name": "eu-west-1"}
        monkeypatch.setenv("AIRFLOW_CONN_AWS_TEST", json.dumps({"conn_type": "aws", "extra": extra}))
        monkeypatch.setenv("AIRFLOW_ENV_NAME", "here")
        told = run(before=str(days_ago(30)), archive_to=f"s3://{BUCKET}/archive", aws_conn_id="aws_test")
        assert told["archive"].startswith(f"s3://{BUCKET}/archive/here/")
        manifest = verify(s3.client, told["archive"])
        assert (manifest.environment, manifest.row_counts["dag_run"]) == ("here", 1)
        s3.empty()
    assert history.run_ids() == ["newest"]
