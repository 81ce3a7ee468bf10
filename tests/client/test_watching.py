"""What one look tells: which states end a wait and how, for runs, tasks, mapped tasks and groups."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from mwaa_provider.client.models import DagRun, TaskInstance
from mwaa_provider.client.watching import RunWatch, States, TaskWatch, together
from mwaa_provider.client.which_runs import WhichRuns
from mwaa_provider.exceptions import DagRunNotFoundError, TaskNotFoundError

DAY = datetime(2026, 1, 31, tzinfo=timezone.utc)
TASK_STATES = States(("success",), ("failed", "upstream_failed", "removed"), ("skipped",))


def run(run_id: str = "r", state: str = "running", logical_date: datetime | None = None) -> DagRun:
    return DagRun("load", run_id, state, logical_date=logical_date)


def task(state: str | None, task_id: str = "t", map_index: int = -1, run_id: str = "r") -> TaskInstance:
    return TaskInstance("load", run_id, task_id, map_index, state)


@pytest.mark.parametrize(
    ("verdicts", "all_in_all"),
    [
        (["met"], "met"),
        (["met", "wait"], "wait"),
        (["met", "wait", "skipped"], "skipped"),
        (["met", "wait", "skipped", "failed"], "failed"),
    ],
)
def test_several_together(verdicts: list, all_in_all: str) -> None:
    assert together(verdicts) == all_in_all


class TestRuns:
    @pytest.mark.parametrize(
        ("states", "verdict"),
        [
            (["success", "success"], "met"),
            (["success", "running"], "wait"),
            (["running", "failed"], "failed"),
            (["success"], "wait"),  # the second is not there yet
            (["failed"], "failed"),
            ([], "wait"),
        ],
    )
    def test_all_of_several_have_to_be_met(self, states: list[str], verdict: str) -> None:
        watch = RunWatch(WhichRuns("load", run_ids=("r0", "r1")), States(("success",), ("failed",)))
        runs = [run(f"r{number}", state) for number, state in enumerate(states)]
        assert watch.judge(runs, "target").verdict == verdict

    def test_each_date_wants_a_run_of_its_own(self) -> None:
        watch = RunWatch(
            WhichRuns("load", logical_dates=(DAY, DAY + timedelta(days=1))), States(("success",), ("failed",))
        )
        twice = [run("a", "success", DAY), run("b", "success", DAY)]
        assert watch.judge(twice, "target").verdict == "wait"
        assert watch.judge([*twice, run("c", "success", DAY + timedelta(days=1))], "target").verdict == "met"

    def test_a_state_may_skip(self) -> None:
        watch = RunWatch(WhichRuns("load", latest=True), States(("success",), (), ("failed",)))
        assert watch.judge([run("a", "failed")], "target").verdict == "skipped"

    def test_one_that_has_to_be_there(self) -> None:
        watch = RunWatch(WhichRuns("load", logical_dates=(DAY,)), States(("success",)), check_existence=True)
        with pytest.raises(DagRunNotFoundError, match="no run for 2026-01-31T00:00:00") as caught:
            watch.judge([], "target")
        assert (caught.value.environment_name, caught.value.dag_id) == ("target", "load")

    @pytest.mark.parametrize(
        ("runs", "news"),
        [
            ([], "There is no run 'r' of DAG 'load' in environment target yet"),
            ([run("r", "queued")], "Run r of DAG load in environment target is queued"),
            (
                [run("r"), run("s"), run("t", "success")],
                "3 runs of DAG load in environment target: 2 running, 1 success",
            ),
        ],
    )
    def test_what_there_is_to_say(self, runs: list[DagRun], news: str) -> None:
        watch = RunWatch(WhichRuns("load", run_ids=("r",)), States(("success",)))
        assert watch.judge(runs, "target").news == news


class TestTasks:
    def watch(self, *task_ids: str, **how) -> TaskWatch:
        return TaskWatch(WhichRuns("load", run_ids=("r",)), TASK_STATES, task_ids=task_ids, **how)

    @pytest.mark.parametrize(
        ("state", "verdict"),
        [
            (None, "wait"),
            ("scheduled", "wait"),
            ("queued", "wait"),
            ("running", "wait"),
            ("restarting", "wait"),
            ("deferred", "wait"),
            ("up_for_retry", "wait"),
            ("up_for_reschedule", "wait"),
            ("success", "met"),
            ("skipped", "skipped"),
            ("failed", "failed"),
            ("upstream_failed", "failed"),
            ("removed", "failed"),
        ],
    )
    def test_every_state(self, state: str | None, verdict: str) -> None:
        assert self.watch("t").judge([run()], [task(state)], "target").verdict == verdict

    @pytest.mark.parametrize("state", [None, "scheduled", "up_for_retry"])
    def test_no_task_begins_after_its_run_has_ended(self, state: str | None) -> None:
        assert self.watch("t").judge([run(state="failed")], [task(state)], "target").verdict == "failed"

    def test_an_ended_state_that_stands_nowhere_is_a_failure(self) -> None:
        watch = TaskWatch(WhichRuns("load", run_ids=("r",)), States(("success",)), task_ids=("t",))
        assert watch.judge([run()], [task("skipped")], "target").verdict == "failed"

    def test_all_mapped_instances(self) -> None:
        seen = [task("success", map_index=0), task("running", map_index=1)]
        assert self.watch("t").judge([run()], seen, "target").verdict == "wait"
        seen[1] = task("success", map_index=1)
        assert self.watch("t").judge([run()], seen, "target").verdict == "met"

    def test_one_mapped_instance(self) -> None:
        watch = self.watch("t", map_index=1)
        assert watch.judge([run()], [task(None)], "target").verdict == "wait"  # not expanded yet
        seen = [task("failed", map_index=0), task("success", map_index=1)]
        look = watch.judge([run()], seen, "target")
        assert (look.verdict, look.tasks) == ("met", (seen[1],))
        with pytest.raises(TaskNotFoundError, match="no mapped instance 1 of task 't'; it has 1"):
            watch.judge([run()], seen[:1], "target")

    def test_several_tasks_and_a_group(self) -> None:
        seen = [task("success", "g.a"), task("skipped", "g.b")]
        assert self.watch("g.a", "g.b").judge([run()], seen, "target").verdict == "skipped"
        assert self.watch(task_group_id="g").judge([run()], seen, "target").verdict == "skipped"

    def test_a_task_that_there_is_not(self) -> None:
        watch = self.watch("t", "typo")
        assert watch.judge([run(state="queued")], [], "target").verdict == "wait"
        with pytest.raises(TaskNotFoundError, match="has no task 'typo'") as caught:
            watch.judge([run()], [task("success")], "target")
        assert caught.value.task_ids == ["typo"]
        with pytest.raises(TaskNotFoundError, match="has no task in group 'g'"):
            self.watch(task_group_id="g").judge([run()], [], "target")

    def test_a_run_that_is_not_there_yet(self) -> None:
        look = self.watch("t").judge([], [], "target")
        assert (look.verdict, look.news) == ("wait", "There is no run 'r' of DAG 'load' in environment target yet")

    def test_tasks_of_several_runs(self) -> None:
        watch = TaskWatch(WhichRuns("load", window=(DAY, DAY + timedelta(days=2))), TASK_STATES, task_ids=("t",))
        runs = [run("a"), run("b")]
        seen = [task("success", run_id="a"), task(None, run_id="b")]
        look = watch.judge(runs, seen, "target")
        assert (look.verdict, look.news) == (
            "wait",
            "2 task instances of 2 runs of DAG load in environment target: 1 not scheduled yet, 1 success",
        )
        seen[1] = task("success", run_id="b")
        assert watch.judge(runs, seen, "target").verdict == "met"
