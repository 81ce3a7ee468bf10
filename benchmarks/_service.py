"""The local MWAA in a process of its own, so that its time and memory are nobody else's; one JSON line in, one out."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

#: Of each kind of fault, every so-manieth request: together one in ten.
_EVERY = 30


class Service:
    """What a benchmark holds of that process. Use it in a ``with`` statement."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve())], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
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
    from mwaa_provider.local import Fault, LocalMwaa, ScriptedAirflow

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

    known = {function.__name__: function for function in (environment, faults, begin, requests, struck, made)}
    with LocalMwaa() as mwaa:
        print(json.dumps({"connection": mwaa.airflow_connection(), "ca_file": str(mwaa.ca_file)}), flush=True)
        for line in sys.stdin:
            asked = json.loads(line)
            print(json.dumps(known[asked.pop("do")](**asked)), flush=True)


if __name__ == "__main__":
    _serve()
