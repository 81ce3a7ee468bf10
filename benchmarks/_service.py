"""The local MWAA in a process of its own, so that its time and memory are nobody else's; one JSON line in, one out."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: Of each kind of fault, every so-manieth request: together one in ten.
_EVERY = 30
#: The runs that nobody waits for are of so many DAGs.
_OTHER_DAGS = 10


class Service:
    """What a benchmark holds of that process. Use it in a ``with`` statement.

    :param calls_per_second: How many InvokeRestApi calls an environment takes in any second; None for no limit.
    """

    def __init__(self, calls_per_second: int | None = 10) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve()), json.dumps(calls_per_second)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.connection: dict[str, Any] = self._read()

    def ask(self, do: str, **arguments: Any) -> Any:
        """Have it do one of the functions below."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("the local MWAA has ended; its error is above")
        return json.loads(line)

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()  # it ends with its input
        self._process.wait(30)


def _serve() -> None:
    from mwaa_provider.local import Fault, LocalMwaa, ScriptedAirflow, ServiceRules

    backends: dict[str, Any] = {}

    def environment(name: str, airflow: str) -> None:
        backends[name] = ScriptedAirflow(airflow)
        backends[name].add_dag("load", run_takes=None)
        mwaa.create_environment(name, backends[name])

    def faults() -> None:
        """Throttling, expired sessions and 5xx (of Airflow and of AWS, before and after acting), at a tenth of all requests."""
        mwaa.faults.clear()
        mwaa.faults.add(
            Fault.expire_sessions(times=None, every=_EVERY),
            Fault.throttle("*", times=None, every=_EVERY),
            Fault.answer(503, times=None, every=2 * _EVERY),
            Fault.answer(502, times=None, every=4 * _EVERY, after_acting=True),
            Fault.answer(500, times=None, every=4 * _EVERY, after_acting=True, operation="InvokeRestApi"),
        )

    def begin() -> None:
        mwaa.faults.clear()
        mwaa.journal.clear()

    def requests() -> dict[str, int]:
        return dict(Counter(entry.operation for entry in mwaa.journal.entries()))

    def struck() -> int:
        return sum(entry.fault is not None for entry in mwaa.journal.entries())

    def made(name: str) -> dict[str, int]:
        """How many runs each call has made."""
        return dict(Counter(run.conf["call"] for run in backends[name].runs("load")))

    def lose_answers(every: int) -> None:
        """Carry out each so-manieth call that makes a run, and cut the connection instead of an answer."""
        mwaa.faults.add(Fault.lose_answer(method="POST", path="/dags/load/dagRuns", times=None, every=every))

    def busy_environment(name: str, airflow: str, run_ids: list[str], task_ids: list[str], unrelated: int) -> None:
        """Make an environment with active runs to wait for, and others that nobody waits for."""
        backends[name] = backend = ScriptedAirflow(airflow)
        backend.add_dag("load", tasks=task_ids)
        for run_id in run_ids:
            backend.add_run("load", run_id, state="running")
        for number in range(unrelated):
            if number < _OTHER_DAGS:
                backend.add_dag(f"other_{number}")
            backend.add_run(f"other_{number % _OTHER_DAGS}", f"run_{number}", state="running")
        mwaa.create_environment(name, backend)

    def end_evenly(name: str, run_ids: list[str], seconds: float) -> None:
        """From now on, end the runs one after the other, the last after so many seconds."""

        def end() -> None:
            began = time.monotonic()
            for number, run_id in enumerate(run_ids, start=1):
                time.sleep(max(0.0, began + seconds * number / len(run_ids) - time.monotonic()))
                backends[name].set_run_state("load", run_id, "success")

        threading.Thread(target=end, daemon=True).start()

    def ends(name: str) -> dict[str, float]:
        """When each run that is waited for has ended."""
        return {run.run_id: run.end_date.timestamp() for run in backends[name].runs("load") if run.end_date is not None}

    def calls() -> list[tuple[float, str, str | None]]:
        """Every request: when, which path, and the error code."""
        return [(entry.at.timestamp(), entry.path, entry.error_code) for entry in mwaa.journal.entries()]

    def paths(ends_with: str) -> int:
        """How many different paths with this end were asked for."""
        entries = mwaa.journal.entries()
        return len({entry.path for entry in entries if entry.transport is not None and entry.path.endswith(ends_with)})

    def busiest_second_by_iam() -> int:
        """How many InvokeRestApi calls one environment had in any second, at the most."""
        times: dict[str, list[float]] = {}
        for entry in mwaa.journal.entries():
            if entry.transport == "iam":
                times.setdefault(entry.environment or "", []).append(entry.at.timestamp())
        return max(sum(at <= one < at + 1 for one in all_of_it) for all_of_it in times.values() for at in all_of_it)

    functions = (
        *(environment, faults, begin, requests, struck, made, lose_answers),
        *(busy_environment, end_evenly, ends, calls, paths, busiest_second_by_iam),
    )
    known: dict[str, Callable[..., Any]] = {function.__name__: function for function in functions}
    with LocalMwaa(rules=ServiceRules(rest_calls_per_second=json.loads(sys.argv[1]))) as mwaa:
        print(json.dumps({"connection": mwaa.airflow_connection(), "ca_file": str(mwaa.ca_file)}), flush=True)
        for line in sys.stdin:
            asked = json.loads(line)
            print(json.dumps(known[asked.pop("do")](**asked)), flush=True)


if __name__ == "__main__":
    _serve()
