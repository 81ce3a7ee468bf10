"""Waiting: by the client's clock, one look per interval, over when the watch says so, patient with what passes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mwaa_provider.client.looks import Look
from mwaa_provider.client.models import DagRun
from mwaa_provider.client.waiting import PATIENCE_SECONDS, wait
from mwaa_provider.client.watching import RunWatch, States, ended_well
from mwaa_provider.client.which_runs import WhichRuns
from mwaa_provider.exceptions import (
    AccessDeniedError,
    DagRunFailedError,
    DagRunNotFoundError,
    DagRunTimeoutError,
    InvalidInputError,
    MwaaError,
    RestApiServerError,
)

WHICH = WhichRuns("load", run_ids=("run",))


def server_error() -> MwaaError:
    return RestApiServerError("502", environment_name="target", method="GET", path="/", status=502, detail="")


class Looks:
    """A run seen in one state after the other, the last for ever; an error is raised instead."""

    def __init__(self, *states: str | MwaaError | None, watch: RunWatch | None = None) -> None:
        self.states = states
        self.watch = watch or RunWatch(WHICH, States(("success",), ("failed",)))
        self.count = 0

    def __call__(self) -> Look:
        self.count += 1
        state = self.states[min(self.count, len(self.states)) - 1]
        if isinstance(state, MwaaError):
            raise state
        return self.watch.judge([] if state is None else [DagRun("load", "run", state)], "target")


def test_it_looks_once_per_interval(clock) -> None:
    began, looks = clock.monotonic(), Looks("queued", "running", "running", "success")
    seen = wait(looks, poke_interval=30, timeout=None, clock=clock)
    assert (seen.verdict, seen.runs, looks.count) == ("met", (DagRun("load", "run", "success"),), 4)
    assert clock.monotonic() - began == 90


def test_the_last_look_is_at_the_deadline(clock) -> None:
    began, looks = clock.monotonic(), Looks("running")
    seen = wait(looks, poke_interval=30, timeout=40, clock=clock)
    assert (seen.verdict, looks.count, clock.monotonic() - began) == ("wait", 3, 40)
    with pytest.raises(DagRunTimeoutError, match="still 'running' after 40 seconds") as caught:
        ended_well(seen, "target", allowed_states=["success"], timeout=40)
    assert (caught.value.run_id, caught.value.state, caught.value.timeout) == ("run", "running", 40)


def test_it_is_called_off_within_a_second(clock) -> None:
    began, looks = clock.monotonic(), Looks("running")
    seen = wait(
        looks, poke_interval=300, timeout=None, clock=clock, is_called_off=lambda: clock.monotonic() - began >= 7.5
    )
    assert (seen.verdict, looks.count, clock.monotonic() - began) == ("wait", 2, 8)


class TestErrors:
    def test_passing_ones_are_waited_out_with_growing_pauses(self, clock) -> None:
        began = clock.monotonic()
        looks = Looks("running", *[server_error()] * 4, "running", server_error(), "success")
        assert wait(looks, poke_interval=10, timeout=None, clock=clock).verdict == "met"
        # 10 to the first error, then 10, 20, 40, 80; a good look makes the next pause short again
        assert clock.monotonic() - began == 10 + (10 + 20 + 40 + 80) + 10 + 10

    def test_nothing_else_for_an_hour_is_the_end(self, clock) -> None:
        began = clock.monotonic()
        with pytest.raises(RestApiServerError):
            wait(Looks("running", server_error()), poke_interval=60, timeout=None, clock=clock)
        assert PATIENCE_SECONDS < clock.monotonic() - began < PATIENCE_SECONDS + 400

    def test_they_are_put_up_with_until_the_timeout(self, clock) -> None:
        began, looks = clock.monotonic(), Looks("running", *[server_error()] * 60, "success")
        assert wait(looks, poke_interval=300, timeout=6 * PATIENCE_SECONDS, clock=clock).verdict == "met"
        assert clock.monotonic() - began == 61 * 300

    def test_the_wait_ends_in_time_all_the_same(self, clock) -> None:
        began = clock.monotonic()
        seen = wait(Looks("running", server_error()), poke_interval=60, timeout=600, clock=clock)
        assert (seen.verdict, clock.monotonic() - began) == ("wait", 600)

    def test_a_wait_that_never_saw_anything_says_why(self, clock) -> None:
        with pytest.raises(RestApiServerError):
            wait(Looks(server_error()), poke_interval=60, timeout=600, clock=clock)

    def test_a_wait_that_never_saw_anything_can_be_called_off(self, clock) -> None:
        began, looks = clock.monotonic(), Looks(server_error())
        with pytest.raises(RestApiServerError):
            wait(looks, poke_interval=30, timeout=None, clock=clock, is_called_off=lambda: looks.count == 2)
        assert (looks.count, clock.monotonic() - began) == (2, 30)

    def test_those_that_do_not_pass_end_it_at_once(self, clock) -> None:
        looks = Looks("running", AccessDeniedError("no", environment_name="target", action="x", detail=""))
        with pytest.raises(AccessDeniedError):
            wait(looks, poke_interval=60, timeout=None, clock=clock)
        assert looks.count == 2


@pytest.mark.parametrize(
    ("state", "allowed", "failed"),
    [("failed", ("success",), ("failed",)), ("failed", ("success",), ()), ("success", ("failed",), ())],
)
def test_an_end_that_is_not_wanted_is_a_failure(
    clock, state: str, allowed: tuple[str, ...], failed: tuple[str, ...]
) -> None:
    seen = wait(
        Looks(state, watch=RunWatch(WHICH, States(allowed, failed))), poke_interval=30, timeout=None, clock=clock
    )
    with pytest.raises(DagRunFailedError, match=f"ended as '{state}'"):
        ended_well(seen, "target", allowed_states=allowed, timeout=None)


def test_a_state_on_the_way_may_be_what_is_wanted(clock) -> None:
    watch = RunWatch(WHICH, States(("running", "success")))
    assert wait(Looks("queued", "running", watch=watch), poke_interval=30, timeout=None, clock=clock).verdict == "met"


@pytest.mark.parametrize("check_existence", [True, False])
def test_a_run_that_is_not_there(clock, check_existence: bool) -> None:
    watch = RunWatch(WHICH, States(("success",)), check_existence=check_existence)
    look: Callable[[], Look] = Looks(None, None, "success", watch=watch)
    if check_existence:
        with pytest.raises(DagRunNotFoundError, match="has no run 'run' of DAG 'load'"):
            wait(look, poke_interval=30, timeout=None, clock=clock)
    else:
        assert wait(look, poke_interval=30, timeout=None, clock=clock).verdict == "met"


def test_a_wait_that_cannot_be_right_is_refused(make_client) -> None:
    with pytest.raises(InvalidInputError) as caught:
        make_client().wait_for_dag_run(
            "target", "load", "run", poke_interval=-1, timeout=0, allowed_states=[], failed_states=["no"]
        )
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "poke_interval",
        "timeout",
        "allowed_states",
        "failed_states",
    ]
