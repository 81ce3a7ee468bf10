"""Workers that try the instances of a mapped task: each try in a fork of its own, as Airflow makes them. JSON in, JSON out."""

from __future__ import annotations

import heapq
import json
import logging
import os
import resource
import select
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

CONNECTION = "benchmark"
_FIRST_DATE = datetime(2024, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Job:
    """What the workers have to do.

    :param operator: ``ours``; ``peer`` for the Amazon provider's; ``peer, ids given`` for that one with a run id (and a logical date) made
        from the map index.
    :param environment_name: The environment.
    :param airflow_major: 2 or 3.
    :param tasks: How many mapped instances.
    :param slots: How many tries at once.
    :param retries: How often a failed try is repeated.
    :param retry_delay: After how many seconds.
    """

    operator: str
    environment_name: str
    airflow_major: int
    tasks: int
    slots: int
    retries: int
    retry_delay: float


@dataclass
class Done:
    """What came of it.

    :param wall: Seconds from the first try's begin to the last one's end.
    :param cpu: CPU seconds of the workers.
    :param tries: How many tries there were.
    :param succeeded: The map indices that succeeded.
    :param errors: The errors of all tries by name, and how often.
    """

    wall: float = 0.0
    cpu: float = 0.0
    tries: int = 0
    succeeded: list[int] = field(default_factory=list)
    errors: dict[str, int] = field(default_factory=dict)


def carry_out(job: Job, service: dict[str, Any]) -> Done:
    """Have it done by new workers.

    :param job: The job.
    :param service: What :class:`_service.Service` says of itself.
    """
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "AIRFLOW_"))},
            f"AIRFLOW_CONN_{CONNECTION.upper()}": json.dumps(service["connection"]),
            "AIRFLOW_HOME": home,
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "CRITICAL",
            "NO_PROXY": "*",
        }
        log = Path(home) / "log"
        with log.open("w") as said_beside:
            done = subprocess.run(
                [sys.executable, str(Path(__file__).resolve())],
                input=json.dumps(asdict(job)),
                env=environment,
                stdout=subprocess.PIPE,
                stderr=said_beside,
                text=True,
                timeout=3600,
            )
        if done.returncode:
            raise SystemExit(f"the workers for {job} have ended:\n{log.read_text()[-4000:]}")
    return Done(**json.loads(done.stdout))


def _mapped(job: Job) -> Any:
    """Return the mapped operator, as a DAG file has it."""
    numbers = range(job.tasks)
    conf = [{"call": number} for number in numbers]
    common = {"task_id": "trigger", "trigger_dag_id": "load", "aws_conn_id": CONNECTION, "retries": job.retries}
    if job.operator == "ours":
        from mwaa_provider.operators.dag_run import MwaaTriggerDagRunOperator

        return MwaaTriggerDagRunOperator.partial(**common, environment_name=job.environment_name).expand(conf=conf)
    from airflow.providers.amazon.aws.operators.mwaa import MwaaTriggerDagRunOperator as PeersOperator

    partial = PeersOperator.partial(**common, env_name=job.environment_name)
    if job.operator == "peer":
        return partial.expand(conf=conf)
    dates = [(_FIRST_DATE + timedelta(seconds=number)).isoformat() for number in numbers]
    return partial.expand_kwargs(
        [
            {"conf": conf[number], "trigger_run_id": f"mapped_{number}", "logical_date": dates[number]}
            for number in numbers
        ]
    )


def _arguments(job: Job, number: int) -> dict[str, Any]:
    """Return what Airflow finds for one mapped instance."""
    found: dict[str, Any] = {"conf": {"call": number}}
    if job.operator == "peer, ids given":
        date = _FIRST_DATE + timedelta(seconds=number)
        found |= {"trigger_run_id": f"mapped_{number}", "logical_date": date.isoformat()}
    return found


def _try(job: Job, mapped: Any, number: int, try_number: int) -> str:
    """Try one instance as a worker does, and return the name of the error; nothing if it succeeded."""
    task = mapped.unmap(_arguments(job, number))
    if job.operator == "peer" and job.airflow_major == 3:
        # Airflow 3 over there wants one; a template that tells the time gives another for each instance and try.
        task.logical_date = datetime.now(timezone.utc).isoformat()
    task_instance = SimpleNamespace(
        dag_id="calls",
        task_id="trigger",
        run_id="manual__2026-01-31",
        map_index=number,
        try_number=try_number,
        max_tries=job.retries,
        xcom_push=lambda key, value: None,
    )
    try:
        task.execute({"ti": task_instance, "task": task})
    except Exception as error:
        traceback.print_exc()
        response = getattr(error, "response", None)
        code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
        return code or type(error).__name__
    return ""


def _load(job: Job) -> None:
    """Import in advance, on both sides alike, what every try needs: so the rule of the service is the bottle-neck, and not this machine.

    It makes a client, and no call: nothing is known of the environment, no session is open, when a try begins.
    """
    if job.operator == "ours":
        from mwaa_provider.hooks.mwaa import MwaaHook

        _ = MwaaHook(CONNECTION).client
    else:
        from airflow.providers.amazon.aws.hooks.mwaa import MwaaHook as PeersHook

        _ = PeersHook(aws_conn_id=CONNECTION).conn


def _work(job: Job) -> Done:
    mapped = _mapped(job)
    _load(job)
    done, errors = Done(), Counter[str]()
    due = [(0.0, number, 1) for number in range(job.tasks)]  # when, which instance, which try
    running: dict[int, tuple[int, int, int]] = {}  # by pipe: process, instance, try
    began = time.monotonic()
    while due or running:
        now = time.monotonic()
        while due and due[0][0] <= now and len(running) < job.slots:
            _, number, try_number = heapq.heappop(due)
            readable, writable = os.pipe()
            if (process := os.fork()) == 0:
                os.write(writable, _try(job, mapped, number, try_number).encode() or b"-")
                os._exit(0)
            os.close(writable)
            running[readable] = (process, number, try_number)
            done.tries += 1
        for readable in select.select(list(running), [], [], 0.05)[0]:
            told = os.read(readable, 1000).decode() or "died"
            os.close(readable)
            process, number, try_number = running.pop(readable)
            os.waitpid(process, 0)
            if told == "-":
                done.succeeded.append(number)
                continue
            errors[told] += 1
            if try_number <= job.retries:
                heapq.heappush(due, (time.monotonic() + job.retry_delay, number, try_number + 1))
    done.wall, done.errors = time.monotonic() - began, dict(errors)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    done.cpu = used.ru_utime + used.ru_stime
    return done


def _main() -> None:
    answers, sys.stdout = sys.stdout, sys.stderr  # Airflow prints while it is imported
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    job = Job(**json.load(sys.stdin))
    print(json.dumps(asdict(_work(job))), file=answers, flush=True)


if __name__ == "__main__":
    _main()
