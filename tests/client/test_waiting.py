"""Waiting for a run: by the client's clock, one look per interval, ended by any state that will not change."""

from __future__ import annotations

import pytest

from mwaa_provider.client.models import DagRun
from mwaa_provider.client.waiting import wait_for_dag_run
from mwaa_provider.exceptions import DagRunFailedError, DagRunTimeoutError, InvalidInputError


def wait(clock, states: list[str], **how) -> tuple[DagRun, int]:
    looks = 0

    def look() -> DagRun:
        nonlocal looks
        looks += 1
        return DagRun("load", "run", states[min(looks, len(states)) - 1])

    arguments = {"poke_interval": 30, "timeout": None, "allowed_states": ("success",), "failed_states": ("failed",)}
    run = wait_for_dag_run(look, environment_name="target", clock=clock, **{**arguments, **how})
    return run, looks


def test_it_looks_once_per_interval(clock) -> None:
    began = clock.monotonic()
    assert wait(clock, ["queued", "running", "running", "success"]) == (DagRun("load", "run", "success"), 4)
    assert clock.monotonic() - began == 90


def test_the_last_look_is_at_the_deadline(clock) -> None:
    began = clock.monotonic()
    with pytest.raises(DagRunTimeoutError, match="still 'running' after 40 seconds") as caught:
        wait(clock, ["running"], timeout=40)
    assert clock.monotonic() - began == 40
    assert (caught.value.run_id, caught.value.state, caught.value.timeout) == ("run", "running", 40)


@pytest.mark.parametrize(
    ("state", "allowed", "failed"),
    [("failed", ("success",), ("failed",)), ("failed", ("success",), ()), ("success", ("failed",), ())],
)
def test_an_end_that_is_not_wanted_is_a_failure(
    clock, state: str, allowed: tuple[str, ...], failed: tuple[str, ...]
) -> None:
    with pytest.raises(DagRunFailedError, match=f"ended as '{state}'"):
        wait(clock, [state], allowed_states=allowed, failed_states=failed)


def test_a_state_on_the_way_may_be_what_is_wanted(clock) -> None:
    assert wait(clock, ["queued", "running"], allowed_states=("running", "success"))[0].state == "running"


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
