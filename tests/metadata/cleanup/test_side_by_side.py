"""Others work on the same rows: a lock on one child, on a parent, a second clean-up, a clean-up killed at any point."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack

import pytest

from mwaa_provider.metadata.cleanup.cleaning import clean
from mwaa_provider.metadata.cleanup.pace import Settings
from mwaa_provider.metadata.cleanup.rules import RUNS
from mwaa_provider.metadata.cleanup.sessions import Limits
from tests.metadata.cleanup.history import CUT

IMPATIENT = Settings(limits=Limits(statement=5, lock=0.05))


def old_runs(history, count):
    for number in range(count):
        history.run(f"old_{number:03}", 60)
    history.run("newest", 1)


@pytest.mark.parametrize("table", ["xcom", "rendered_task_instance_fields", "task_instance", "dag_run", "dag_run_note"])
def test_a_lock_on_one_row_keeps_one_run_and_no_other(history, cleaned, lock, table):
    old_runs(history, 40)
    which = f"dag_run_id = {history.runs['old_017']}" if table == "dag_run_note" else "run_id = 'old_017'"
    with lock(f"SELECT FROM {table} WHERE {which} FOR UPDATE"):
        report = cleaned(IMPATIENT)
    assert history.run_ids() == ["newest", "old_017"]
    assert {tuple(history.run_ids(one.name)) for one in history.plan().run_tables} == {("newest", "old_017")}
    assert [str(left) for left in report.left] == [f"dag_run {history.runs['old_017']}: locked by another transaction"]
    assert cleaned().is_complete
    assert history.run_ids() == ["newest"]


def test_what_was_locked_and_is_free_again_goes_in_the_same_clean_up(history, engine, lock):
    old_runs(history, 10)
    with ExitStack() as held:
        held.enter_context(lock("SELECT FROM xcom WHERE run_id = 'old_003' FOR UPDATE"))

        def let_go_when_only_that_run_is_left(reached, report):
            if report.rows.get(RUNS) == 9:
                held.close()

        report = clean(engine, history.plan(), IMPATIENT, progress=let_go_when_only_that_run_is_left)
    assert report.is_complete
    assert history.run_ids() == ["newest"]


def test_locked_rows_of_a_table_by_age_are_passed_over_and_listed(history, cleaned, lock):
    for _ in range(50):
        history.aged("log", 60)
    (first,) = history.rows.execute("SELECT min(id) FROM log")[0]
    with lock(f"SELECT FROM log WHERE id = {first + 20} FOR UPDATE"):
        report = cleaned(IMPATIENT, tables=("log",))
    assert history.rows.execute("SELECT id FROM log") == [(first + 20,)]
    assert [left.why for left in report.left] == ["1 rows up to this key are locked by another transaction"]
    assert cleaned(tables=("log",)).rows == {"log": 1}


def test_two_clean_ups_at_once_do_no_harm(history, engine):
    old_runs(history, 60)
    for _ in range(100):
        history.aged("log", 60)
    reports = []
    threads = [
        threading.Thread(target=lambda: reports.append(clean(engine, history.plan(), Settings(batch_size=8))))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert history.run_ids() == ["newest"]
    assert history.count("log") == 0
    assert sum(report.rows.get(RUNS, 0) for report in reports) == 60
    assert sum(report.rows.get("log", 0) for report in reports) == 100
    assert history.violations() == []


def test_a_run_that_is_cleared_meanwhile_stays(history, engine):
    """A person clears a run between the moment it was found and the moment its batch begins."""
    from mwaa_provider.metadata.cleanup import run_batches
    from mwaa_provider.metadata.cleanup.sessions import batch

    old_runs(history, 2)
    plan = history.plan()
    with engine.connect() as connection:
        with batch(connection, Limits(), by_index=True):
            newest = run_batches.newest_runs(connection, plan)
            found = run_batches.next_runs(connection, plan, newest, -1, 100, 1.0)
        assert found.ids == (history.runs["old_000"], history.runs["old_001"])
        history.rows.execute("UPDATE dag_run SET state = 'queued' WHERE run_id = 'old_000'")
        history.rows.execute("UPDATE task_instance SET state = 'scheduled' WHERE run_id = 'old_001'")
        with batch(connection, Limits(), by_index=True):
            done = run_batches.clean_runs(connection, plan, newest, found.ids, 100)
    assert done.rows == {}
    assert (done.put_back, done.kept) == ((), 1)
    assert history.run_ids("xcom") == ["newest", "old_000", "old_001"]


def test_a_run_that_goes_gets_no_further_task_instance(history, engine, lock):
    """It would go with its run, whatever its state: the run's own foreign key has to keep it out while the batch is at work."""
    from mwaa_provider.metadata.cleanup import run_batches
    from mwaa_provider.metadata.cleanup.sessions import batch

    old_runs(history, 1)
    plan = history.plan()
    other_id = ", id = gen_random_uuid()" if history.schema.columns["task_instance"].get("id") == "uuid" else ""
    one_more = (
        "SET LOCAL lock_timeout = 100; CREATE TEMPORARY TABLE late AS SELECT * FROM task_instance WHERE task_id = 'task_0' "
        f"AND run_id = 'old_000'; UPDATE late SET task_id = 'late', state = 'running'{other_id}; "
        "INSERT INTO task_instance SELECT * FROM late"
    )
    with lock(one_more):
        with engine.connect() as connection, batch(connection, Limits(), by_index=True):
            done = run_batches.clean_runs(connection, plan, [], [history.runs["old_000"]], 100)
        assert (done.rows, done.put_back) == ({}, (history.runs["old_000"],))
    with engine.connect() as connection, batch(connection, Limits(), by_index=True):
        done = run_batches.clean_runs(connection, plan, [], [history.runs["old_000"]], 100)
        assert done.rows[RUNS] == 1
        with pytest.raises(Exception, match="lock timeout"), lock(one_more):
            pass
    assert history.run_ids() == ["newest"]
    assert history.violations() == []


_CHILD = """
import sys
from datetime import datetime
from sqlalchemy import create_engine
from mwaa_provider.metadata.cleanup.cleaning import clean
from mwaa_provider.metadata.cleanup.pace import Settings
from mwaa_provider.metadata.cleanup.plan import Wanted, make_plan
from mwaa_provider.metadata.cleanup.schema import Schema
engine = create_engine(sys.argv[1])
with engine.connect() as connection:
    schema = Schema.read(connection)
print("ready", flush=True)
sys.stdin.readline()
clean(engine, make_plan(schema, Wanted(datetime.fromisoformat(sys.argv[2]))), Settings(batch_size=3))
"""


@pytest.mark.patient
def test_a_clean_up_that_is_killed_leaves_a_consistent_database_and_the_next_one_finishes(
    history, cleaned, airflow_database
):
    old_runs(history, 40)
    moments = random.Random(6)
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", _CHILD, airflow_database.url, CUT.isoformat()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ,
        )
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stdout.readline() == "ready\n"
        child.stdin.write("\n")
        child.stdin.flush()
        time.sleep(moments.uniform(0.01, 0.3))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        child.stdin.close()
        assert history.violations() == []
        whole = history.run_ids()
        for table in history.plan().run_tables:
            assert history.run_ids(table.name) == whole, table.name
    assert cleaned().is_complete
    assert history.run_ids() == ["newest"]
