"""A clean-up in slices, nothing kept in between: each removes something, comes further, or has a smaller batch before it."""

from __future__ import annotations

import pytest

from mwaa_provider.metadata.cleanup.pace import Settings
from mwaa_provider.metadata.cleanup.rules import RUNS
from mwaa_provider.metadata.cleanup.sessions import Limits
from mwaa_provider.metadata.cleanup.slices import clean_slice, works_of
from mwaa_provider.metadata.cleanup.waiting import Place

IMPATIENT = Settings(limits=Limits(statement=5, lock=0.02))


@pytest.fixture
def sliced(engine, history):
    """Cleans by slices to the end; gives every slice."""

    def do(settings=IMPATIENT, seconds=0.0, work=None, **wanted):
        plan = history.plan(**wanted)
        slices = []
        with engine.connect() as connection:
            for name in works_of(plan) if work is None else (work,):
                place = Place()
                while True:
                    slices.append(clean_slice(connection, plan, settings, name, place, seconds))
                    assert len(slices) < 500, "it comes to no end"
                    if slices[-1].is_end:
                        break
                    place = slices[-1].place
        return slices

    return do


def removed(slices, table):
    return sum(one.report.rows.get(table, 0) for one in slices)


def test_slices_remove_what_a_whole_clean_up_would(history, sliced):
    for number in range(20):
        history.run(f"old_{number:02}", 60 + number, task_count=3)
    history.run("active", 90, state="running")
    history.run("has_active", 95, tasks=(("success", 95), ("deferred", 95)))
    history.run("newest", 1)
    for days in (90, 31, 29):
        history.aged("log", days)
    slices = sliced(Settings(batch_size=7))
    assert history.run_ids() == ["active", "has_active", "newest"]
    assert (history.count("log"), removed(slices, "log")) == (1, 2)
    assert removed(slices, RUNS) == 20
    assert sum(one.report.kept_runs for one in slices) == 1
    assert history.violations() == []


def test_one_slice_works_for_as_long_as_it_may(history, sliced):
    for number in range(20):
        history.run(f"old_{number:02}", 60)
    history.run("newest", 1)
    (one,) = sliced(Settings(batch_size=4), seconds=60, work="runs")
    assert (one.report.rows[RUNS], one.is_end) == (20, True)
    assert one.report.batches >= 10


def test_a_batch_that_was_split_and_not_done_is_begun_again_with_fewer_rows(history, sliced, lock):
    for number in range(40):
        history.run(f"old_{number:02}", 60)
    history.run("newest", 1)
    locked = [history.runs[f"old_{number:02}"] for number in (3, 17, 18, 39)]
    with lock("SELECT FROM xcom WHERE dag_run_id = ANY(%s) FOR UPDATE", (locked,)):
        slices = sliced(work="runs")
        assert history.run_ids() == ["newest", "old_03", "old_17", "old_18", "old_39"]
    left = [left.key for one in slices for left in one.report.left]
    assert sorted(left) == [str(number) for number in locked]
    assert removed(slices, RUNS) == 36
    assert (slices[0].place.after, slices[0].place.rows) == (None, 250)


def test_where_all_is_locked_it_still_comes_to_an_end(history, sliced, lock):
    for number in range(12):
        history.run(f"old_{number:02}", 60)
    history.run("newest", 1)
    for _ in range(30):
        history.aged("log", 60)
    with lock("SELECT FROM xcom FOR UPDATE"), lock("SELECT FROM log FOR UPDATE"):
        slices = sliced()
    assert history.count(RUNS) == 13
    assert history.count("log") == 30
    assert len([left for one in slices for left in one.report.left if left.table == RUNS]) == 12
    assert sliced()[-1].is_end
    assert (history.run_ids(), history.count("log")) == (["newest"], 0)


def test_a_run_with_more_tasks_than_a_slice_has_time_for_goes_piece_by_piece(history, sliced):
    history.run("big", 60, task_count=25)
    history.run("newest", 1)
    slices = sliced(Settings(batch_size=10), work="runs")
    assert history.run_ids() == ["newest"]
    assert removed(slices, "task_instance") == 25
    assert len(slices) > 2
    assert history.violations() == []
