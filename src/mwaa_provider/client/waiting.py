"""When waiting for a DAG run ends, and how. Waiting here and (later) deferring ask the same classifier."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection

from mwaa_provider.client.clock import Clock
from mwaa_provider.client.models import DagRun
from mwaa_provider.exceptions import DagRunFailedError, DagRunTimeoutError

log = logging.getLogger(__name__)


def has_succeeded(
    run: DagRun, *, environment_name: str, allowed_states: Collection[str], failed_states: Collection[str]
) -> bool:
    """Tell whether a run is where the caller wants it; ``False`` means: not yet.

    A run that has ended in a state that is in neither list will not move any more, so it counts as failed.

    :param run: The run.
    :param environment_name: The environment's name.
    :param allowed_states: States that end the wait well.
    :param failed_states: States that end it with an error.
    :raises DagRunFailedError: if the run has failed.
    """
    if run.state in allowed_states:
        return True
    if run.state in failed_states or not run.is_active:
        raise DagRunFailedError(
            f"Run {run.run_id!r} of DAG {run.dag_id!r} in environment {environment_name!r} ended as {run.state!r} "
            f"(wanted: {', '.join(sorted(allowed_states))}). Look at its tasks there; a retry or a clear of this task runs it again.",
            environment_name=environment_name,
            dag_id=run.dag_id,
            run_id=run.run_id,
            state=run.state,
        )
    return False


def wait_for_dag_run(
    look: Callable[[], DagRun],
    *,
    environment_name: str,
    poke_interval: float,
    timeout: float | None,
    allowed_states: Collection[str],
    failed_states: Collection[str],
    clock: Clock,
) -> DagRun:
    """Look at a run until it is where the caller wants it, and return it.

    :param look: Fetches the run.
    :param environment_name: For messages.
    :param poke_interval: Seconds between two looks.
    :param timeout: Seconds to wait at most; ``None`` for no limit.
    :param allowed_states: States that end the wait well.
    :param failed_states: States that end it with an error.
    :param clock: The clock.
    :raises DagRunFailedError: if the run failed.
    :raises DagRunTimeoutError: if time was up; the run goes on.
    """
    deadline = None if timeout is None else clock.monotonic() + timeout
    last_state = None
    while True:
        run = look()
        if run.state != last_state:
            log.info("Run %s of DAG %s in environment %s is %s", run.run_id, run.dag_id, environment_name, run.state)
            last_state = run.state
        if has_succeeded(
            run, environment_name=environment_name, allowed_states=allowed_states, failed_states=failed_states
        ):
            return run
        pause = poke_interval
        if deadline is not None:
            left = deadline - clock.monotonic()
            if left <= 0:
                raise DagRunTimeoutError(
                    f"Run {run.run_id!r} of DAG {run.dag_id!r} in environment {environment_name!r} is still {run.state!r} after {timeout} "
                    "seconds. It goes on there; a retry of this task waits for the same run.",
                    environment_name=environment_name,
                    dag_id=run.dag_id,
                    run_id=run.run_id,
                    state=run.state,
                    timeout=timeout,
                )
            pause = min(pause, left)
        clock.sleep(pause)
