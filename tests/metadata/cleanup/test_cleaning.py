"""What is to stay stays, what is to go goes, and foreign keys hold: on the release's real schema with rows in every table."""

from __future__ import annotations

import pytest

from mwaa_provider.metadata.cleanup.pace import Settings, Stop
from mwaa_provider.metadata.cleanup.rules import AGED, RUNS
from tests.metadata.cleanup.history import CUT, days_ago


def in_every_table(history):
    return {table.name: history.run_ids(table.name) for table in history.plan().run_tables}


def test_an_old_run_goes_with_everything_and_others_stay_with_everything(history, cleaned):
    for run_id, days in (("older", 90), ("old", 31), ("young", 29), ("newest", 1)):
        history.run(run_id, days)
    assert history.violations() == []
    before = {table.name: history.count(table.name) for table in history.plan().run_tables}
    report = cleaned()
    assert in_every_table(history) == {key: ["newest", "young"] for key in before}
    assert history.violations() == []
    assert report.is_complete
    assert {name: report.rows[name] for name in before} == {name: count // 2 for name, count in before.items()}


@pytest.mark.parametrize("state", ["queued", "running", None, "of_a_later_release"])
def test_an_active_run_stays_with_everything_however_old(history, cleaned, state):
    history.run("active", 300, state=state)
    history.run("old", 200)
    history.run("newest", 1)
    cleaned()
    assert set(map(tuple, in_every_table(history).values())) == {("active", "newest")}


@pytest.mark.parametrize(
    "state", ["running", "queued", "scheduled", "deferred", "up_for_retry", "up_for_reschedule", "of_a_later_release"]
)
def test_a_run_with_an_active_task_stays_with_everything(history, cleaned, state):
    history.run("has_active", 300, tasks=(("success", 300), (state, 300)))
    history.run("never_begun", 300, tasks=(("success", 300), (None, None)))
    history.run("newest", 1)
    report = cleaned()
    assert set(map(tuple, in_every_table(history).values())) == {("has_active", "newest")}
    assert report.kept_runs == 1


def test_a_run_stays_as_long_as_one_of_its_tasks_is_young(history, cleaned):
    history.run("cleared_lately", 31, tasks=(("success", 31), ("success", 2)))
    history.run("newest", 1)
    cleaned()
    assert set(map(tuple, in_every_table(history).values())) == {("cleared_lately", "newest")}


def test_the_newest_run_that_is_not_manual_stays_of_each_dag(history, cleaned):
    history.run("a_old", 300, dag_id="a")
    history.run("a_newest", 200, dag_id="a")
    history.run("a_manual", 100, dag_id="a", run_type="manual")
    history.run("b_newest", 250, dag_id="b", run_type="backfill")
    history.run("c_manual", 250, dag_id="c", run_type="manual")
    cleaned()
    assert set(map(tuple, in_every_table(history).values())) == {("a_newest", "b_newest")}


def test_a_run_that_never_began_stays(history, cleaned):
    history.run("never", None, state="failed", tasks=(("success", 90),))
    history.run("newest", 1)
    cleaned()
    assert history.run_ids() == ["never", "newest"]


def test_dags_can_be_chosen(history, cleaned):
    for dag_id in ("a", "b", "c"):
        history.run(f"{dag_id}_old", 90, dag_id=dag_id)
        history.run(f"{dag_id}_new", 1, dag_id=dag_id)
        history.aged("log", 90, dag_id=dag_id, run_id="gone")
    cleaned(dag_ids=("a", "b"), exclude_dag_ids=("b",))
    assert history.run_ids() == ["a_new", "b_new", "b_old", "c_new", "c_old"]
    assert [row[0] for row in history.rows.execute("SELECT dag_id FROM log ORDER BY 1")] == ["b", "c"]


def test_every_table_by_age_loses_its_old_rows_and_no_others(history, cleaned):
    tables = [table.name for table in history.plan().aged]
    finished = {"callback": {"state": "success"}, "connection_test_request": {"state": "failed"}}
    for table in tables:
        for days in (90, 31, 29):
            history.aged(table, days, **finished.get(table, {}))
    report = cleaned()
    assert {table: history.count(table) for table in tables} == dict.fromkeys(tables, 1)
    assert {table: report.rows.get(table) for table in tables} == dict.fromkeys(tables, 2)
    assert set(tables) == {name for name, rule in AGED.items() if rule.is_default and name in history.schema.columns}


def test_rows_of_an_active_run_stay_in_tables_by_age_too(history, cleaned):
    history.run("active", 300, state="running")
    known_by = (
        {"run_id": "active"}
        if "run_id" in history.schema.columns["log"]
        else {"execution_date": history.rows.execute("SELECT execution_date FROM dag_run")[0][0]}
    )
    history.aged("log", 200, dag_id="nightly", **known_by)
    history.aged("log", 200, dag_id="nightly", run_id="gone", execution_date=CUT)
    history.aged("log", 200, dag_id=None, run_id=None, execution_date=None)
    cleaned()
    assert history.count("log") == 1


def test_what_something_kept_refers_to_stays(history, cleaned):
    history.run("deferred", 60, state="running")
    history.run("old", 60)
    history.run("newest", 1)
    for number in (71, 72):
        history.aged("trigger", 60, id=number)
    history.rows.execute("UPDATE task_instance SET state = 'deferred', trigger_id = 71 WHERE run_id = 'deferred'")
    events = "asset_event" if "asset_event" in history.schema.columns else "dataset_event"
    cleaned()
    assert history.rows.execute("SELECT id FROM trigger") == [(71,)]
    assert history.run_ids() == ["deferred", "newest"]
    assert history.count(events) == 2  # each of the two has consumed one, 200 days old
    assert history.violations() == []


def test_a_version_of_a_dag_stays_while_something_refers_to_it_and_the_last_one_always(history, cleaned):
    if "dag_version" not in history.schema.columns:
        pytest.skip("this release has no versions of DAGs")
    history.dag("nightly")
    for number, days in ((1, 300), (2, 200), (3, 100)):
        history.rows.add(
            "dag_version",
            id=f"00000000-0000-4000-8000-00000000000{number}",
            dag_id="nightly",
            version_number=number,
            created_at=days_ago(days),
        )
    history.run("newest", 1)
    history.rows.execute("UPDATE task_instance SET dag_version_id = '00000000-0000-4000-8000-000000000001'")
    cleaned()
    assert history.count("dag_version") == 3
    report = cleaned(tables=("dag_version",))
    assert history.rows.execute("SELECT version_number FROM dag_version ORDER BY 1") == [(1,), (3,)]
    assert report.rows == {"dag_version": 1}


def test_one_table_can_be_cleaned_alone(history, cleaned):
    history.run("old", 60)
    history.run("newest", 1)
    report = cleaned(tables=("xcom",))
    assert report.rows == {"xcom": 2}
    assert history.run_ids() == ["newest", "old"]
    assert history.run_ids("xcom") == ["newest"]
    assert history.run_ids("rendered_task_instance_fields") == ["newest", "old"]


def test_batches_stay_as_small_as_was_asked_for(history, cleaned):
    for number in range(20):
        history.run(f"old_{number:02}", 60 + number, task_count=3)
    history.run("newest", 1)
    report = cleaned(Settings(batch_size=7))
    assert history.run_ids() == ["newest"]
    assert report.batches >= 10


@pytest.mark.parametrize("last", [105, 1205])
def test_keys_are_ordered_as_numbers_and_not_as_text(history, cleaned, last):
    history.rows.execute(
        "INSERT INTO log (id, dttm, event) SELECT g, %s, 'x' FROM generate_series(95, %s) g", (days_ago(60), last)
    )
    report = cleaned(Settings(batch_size=100), tables=("log",))
    assert (report.rows, history.count("log")) == ({"log": last - 94}, 0)


def test_a_run_with_more_tasks_than_a_batch_goes_piece_by_piece(history, cleaned):
    history.run("big", 60, task_count=25)
    history.run("newest", 1)
    report = cleaned(Settings(batch_size=10))
    assert in_every_table(history) == {key: ["newest"] for key in in_every_table(history)}
    assert report.rows["task_instance"] == 25
    assert report.batches >= 3
    assert history.violations() == []


def test_several_connections_share_the_work(history, cleaned):
    for number in range(30):
        history.run(f"old_{number:02}", 60 + number)
    history.run("newest", 1)
    report = cleaned(Settings(batch_size=6, parallel=3))
    assert history.run_ids() == ["newest"]
    assert report.rows[RUNS] == 30
    assert report.is_complete
    assert history.violations() == []


def test_it_ends_at_max_duration_and_the_next_run_goes_on(history, cleaned):
    for number in range(10):
        history.run(f"old_{number}", 60)
    history.run("newest", 1)
    report = cleaned(Settings(max_duration=0.0001))
    assert report.stopped == "max_duration (0.0001 s) has passed"
    assert not report.is_complete
    assert history.count(RUNS) == 11
    assert cleaned().is_complete
    assert history.run_ids() == ["newest"]


def test_it_ends_between_two_batches_when_it_is_told_to(history, engine):
    from mwaa_provider.metadata.cleanup.cleaning import clean

    for number in range(10):
        history.run(f"old_{number}", 60)
    history.run("newest", 1)
    stop = Stop()
    report = clean(
        engine,
        history.plan(),
        Settings(batch_size=2),
        stop=stop,
        progress=lambda reached, report: stop.ask("the task was killed"),
    )
    assert report.stopped == "the task was killed"
    assert report.reached.startswith("dag_run, id ")
    assert 1 < history.count(RUNS) < 11
    assert history.violations() == []
