"""One side of a benchmark in a process of its own: it gets ready, waits for the word, makes its calls, and says what they cost."""

from __future__ import annotations

import json
import logging
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

CONNECTION = "benchmark"


@dataclass(frozen=True)
class Job:
    """What a side has to do.

    :param side: ``ours``, or ``peer`` for the Amazon provider's MwaaHook.
    :param route: ``iam``, ``session``, or ``auto``, which is each side's own default.
    :param environment_name: The environment.
    :param airflow_major: 2 or 3.
    :param calls: How many calls, all threads together.
    :param threads: In how many threads.
    :param work: ``reads``, or ``mixed`` for reads and calls that create a DAG run in turns.
    :param seconds: After so many seconds no new call is begun.
    """

    side: str
    route: str
    environment_name: str
    airflow_major: int
    calls: int
    threads: int = 1
    work: str = "reads"
    seconds: float = 600.0


@dataclass
class Cost:
    """What it came to.

    :param wall: Seconds from the first call to the end of the last.
    :param cpu: Seconds of the processor, in this process.
    :param memory: MiB that the peak grew by over what the imports had taken.
    :param outcomes: ``right``, ``wrong``, or the name of the error, and how often.
    :param longest: Seconds of the longest call.
    """

    wall: float
    cpu: float
    memory: float
    outcomes: dict[str, int] = field(default_factory=dict)
    longest: float = 0.0

    @property
    def done(self) -> int:
        """How many calls ended."""
        return sum(self.outcomes.values())

    @property
    def right(self) -> int:
        """How many ended in their right answers."""
        return self.outcomes.get("right", 0)

    @property
    def errors(self) -> str:
        """What did not."""
        return (
            ", ".join(f"{number} {name}" for name, number in sorted(self.outcomes.items()) if name != "right") or "none"
        )


def carry_out(job: Job, service: dict[str, Any]) -> Cost:
    """Do a job in a new process, and return what it cost.

    :param job: The job.
    :param service: What :class:`_service.Service` says of itself.
    """
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "AIRFLOW_"))},
            f"AIRFLOW_CONN_{CONNECTION.upper()}": json.dumps(service["connection"]),
            "AIRFLOW_HOME": home,
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "CRITICAL",
            # The peer's web session has no other way to be told of a certificate authority.
            "REQUESTS_CA_BUNDLE": service["ca_file"],
            "NO_PROXY": "*",
        }
        log = Path(home) / "log"
        with log.open("w") as said_beside:
            process = subprocess.Popen(
                [sys.executable, str(Path(__file__).resolve()), json.dumps(asdict(job))],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said_beside,
                text=True,
            )
        assert process.stdin is not None
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            process.wait()
            raise SystemExit(f"the process for {job} has ended:\n{log.read_text()[-4000:]}")
        # A second without calls: what was asked before counts against nobody's ten a second.
        time.sleep(1.1)
        said, _ = process.communicate("go\n", timeout=1800)
        if process.returncode:
            raise SystemExit(f"the process for {job} has ended:\n{log.read_text()[-4000:]}")
    return Cost(**json.loads(said))


def peer_version() -> str:
    """Return the version of the Amazon provider that is installed."""
    from importlib.metadata import version

    return version("apache-airflow-providers-amazon")


def _ours(job: Job) -> tuple[Callable[[], Any], Callable[[str], Any]]:
    from mwaa_provider.hooks.mwaa import MwaaHook

    client = MwaaHook(CONNECTION, transport=job.route).client  # type: ignore[arg-type]
    name = job.environment_name

    def read() -> Any:
        return client.invoke_rest_api(name, "GET", "/dags/load").body["dag_id"]

    def create(call: str) -> Any:
        return client.trigger_dag_run(name, "load", conf={"call": call}).conf["call"]

    return read, create


def _peer(job: Job) -> tuple[Callable[[], Any], Callable[[str], Any]]:
    from datetime import datetime, timedelta, timezone

    from airflow.providers.amazon.aws.hooks.mwaa import MwaaHook

    hook = MwaaHook(aws_conn_id=CONNECTION)
    _ = hook.conn
    by_session = {"generate_local_token": job.route == "session", "airflow_version": job.airflow_major}
    first = datetime(2024, 1, 1, tzinfo=timezone.utc)
    numbers = count()

    def read() -> Any:
        answer = hook.invoke_rest_api(job.environment_name, "/dags/load", "GET", **by_session)
        return answer["RestApiResponse"]["dag_id"]

    def create(call: str) -> Any:
        body: dict[str, Any] = {"conf": {"call": call}}
        if job.airflow_major == 3:  # which wants the key; the hook takes out a null
            body["logical_date"] = (first + timedelta(seconds=next(numbers))).isoformat()
        answer = hook.invoke_rest_api(job.environment_name, "/dags/load/dagRuns", "POST", body=body, **by_session)
        return answer["RestApiResponse"]["conf"]["call"]

    return read, create


def _main() -> None:
    job = Job(**json.loads(sys.argv[1]))
    answers, sys.stdout = sys.stdout, sys.stderr  # Airflow prints while it is imported
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    read, create = {"ours": _ours, "peer": _peer}[job.side](job)
    numbers, outcomes, lock = count(), Counter[str](), threading.Lock()
    longest = 0.0

    def work(end: float) -> None:
        nonlocal longest
        while (number := next(numbers)) < job.calls and time.monotonic() < end:
            began = time.monotonic()
            try:
                if job.work == "mixed" and number % 2:
                    name = f"call {number}"
                    outcome = "right" if create(name) == name else "wrong"
                else:
                    outcome = "right" if read() == "load" else "wrong"
            except Exception as error:
                outcome = type(error).__name__
            with lock:
                outcomes[outcome] += 1
                longest = max(longest, time.monotonic() - began)

    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print("ready", file=answers, flush=True)
    sys.stdin.readline()
    wall, cpu = time.monotonic(), time.process_time()
    threads = [threading.Thread(target=work, args=(wall + job.seconds,)) for _ in range(job.threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    unit = 2**20 if sys.platform == "darwin" else 2**10
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / unit
    print(json.dumps(asdict(Cost(wall, cpu, memory, dict(outcomes), longest))), file=answers, flush=True)


if __name__ == "__main__":
    _main()
