"""A thousand deferred waits on one environment in a real triggerer: what they ask of it, and how soon they end."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from statistics import median
from typing import Any

from _caller import peer_version
from _service import Service
from _table import show
from _triggerer import Ended, Triggerer, Wait

from mwaa_provider.local.real import PostgresServer

_NAME = "target"
_AIRFLOW = "3.3.1"
#: Seconds until the triggerer has taken up what it has to.
_START_SECONDS = 300.0


@dataclass(frozen=True)
class _Case:
    """One line of the table.

    :param side: Whose triggers.
    :param calls_per_second: The rule of InvokeRestApi; None for no rule.
    """

    side: str
    calls_per_second: int | None


@dataclass(frozen=True)
class _Measured:
    """What came of a case; moments in seconds since 1970.

    :param began: From when on runs ended.
    :param until_then: Seconds from the triggerer's start until every wait had been looked at once; None if that was not before.
    :param calls: Every request: when, which path, the error code.
    :param late: Seconds from the end of what was waited for to the end of the wait, of those that ended right.
    :param wrong: How many ended otherwise.
    :param seconds: From the first run's end to the last wait's.
    :param cpu: CPU seconds of the triggerer.
    :param memory: MiB of the triggerer.
    """

    began: float
    until_then: float | None
    calls: list[tuple[float, str, str | None]]
    late: list[float]
    wrong: int
    seconds: float
    cpu: float
    memory: float

    @property
    def calls_since(self) -> int:
        """How many calls there were from the moment on that runs ended."""
        return sum(at >= self.began for at, _, _ in self.calls)

    @property
    def busiest_second(self) -> int:
        """Most calls that arrived within one second."""
        moments = sorted(at for at, _, _ in self.calls)
        most = first = 0
        for last, at in enumerate(moments):
            while at - moments[first] >= 1:
                first += 1
            most = max(most, last - first + 1)
        return most

    @property
    def throttled(self) -> int:
        """How many calls met the rule."""
        return sum(error == "ThrottlingException" for _, _, error in self.calls)


@dataclass(frozen=True)
class _Load:
    """What is waited for.

    :param waits: The waits.
    :param run_ids: The runs, in the order in which they end: those whose tasks are waited for among the others.
    :param task_ids: The tasks of each run.
    """

    waits: list[Wait]
    run_ids: list[str]
    task_ids: list[str]

    @classmethod
    def of(cls, options: argparse.Namespace) -> _Load:
        """Make what the command line asks for."""
        runs = options.waits - options.task_waits
        run_ids = [f"run_{number:04}" for number in range(runs + options.task_runs)]
        task_ids = [f"task_{number}" for number in range(options.task_waits // options.task_runs)]
        waits = [Wait(run_id) for run_id in run_ids[:runs]]
        waits += [Wait(run_id, task_id) for run_id in run_ids[runs:] for task_id in task_ids]
        return cls(waits, sorted(run_ids, key=lambda run_id: int(run_id[4:]) * 7919 % 10007), task_ids)

    def looks(self, polls: int) -> int:
        """How many calls one call for each wait and look would be, if all runs end evenly within so many looks."""
        at_look = {run_id: polls * number // len(self.run_ids) + 1 for number, run_id in enumerate(self.run_ids)}
        return sum(at_look[wait.run_id] for wait in self.waits)


def main() -> None:
    """Measure, and print."""
    options = _options()
    load = _Load.of(options)
    cases = [_Case("ours", 10)]
    if "peer" in options.sides:
        cases += [_Case("peer", 10), _Case("peer", None)]
    measured: dict[_Case, _Measured] = {}
    postgres = PostgresServer()
    try:
        for case in cases:
            measured[case] = _measure(case, options, postgres, load)
            print(f"{case}: {len(measured[case].late)} of {len(load.waits)} ended right", file=sys.stderr, flush=True)
    finally:
        postgres.stop()
    _tell(options, load, measured)


def _tell(options: argparse.Namespace, load: _Load, measured: dict[_Case, _Measured]) -> None:
    ours, looks = measured[_Case("ours", 10)], load.looks(options.polls)
    of_tasks = sum(wait.task_id is not None for wait in load.waits)
    print(
        f"{len(load.waits)} deferred waits in a triggerer, beside the triggers of apache-airflow-providers-amazon {peer_version()}: "
        f"{len(load.waits) - of_tasks} for runs, {of_tasks} for tasks of {options.task_runs} runs; {options.unrelated} other active runs; "
        f"a look every {options.interval} s, all ends within {options.polls} looks\n"
    )
    head = (
        *("side", "rule", "ended right", "otherwise", "not", "first look", "calls", "before", "ours in them"),
        *("busiest second", "throttled", "seconds", "late", "latest", "CPU s", "MiB"),
    )
    show(head, [_row(case, one, ours, len(load.waits)) for case, one in measured.items()])
    print(
        f"""
One call for each wait and look would be {looks} calls; ours are {100 * len(ours.calls) / looks:.1f} % of that.
first look: seconds from the triggerer's start until each wait was looked at; -: not when runs began to end ({options.begin:g} s later).
calls: all requests from the moment on that runs began to end; before: until then, while the triggerer took up its triggers.
ours in them: all calls of ours, those before too, in the calls of this line. throttled: calls that met the rule.
seconds: from then on to the end of the last wait, or of patience ({options.patience:g} s after the last end over there).
late: seconds from an end over there to the end of the wait, the median; latest: the longest. MiB: memory that is the triggerer's alone."""
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a small edition: 20 waits, 100 other runs, 5 looks of 1 s"
    )
    parser.add_argument("--waits", type=int, default=1000, help="waits (default: 1000)")
    parser.add_argument("--task-waits", type=int, default=200, help="so many of them for tasks (default: 200)")
    parser.add_argument("--task-runs", type=int, default=20, help="of so many runs (default: 20)")
    parser.add_argument("--unrelated", type=int, default=5000, help="active runs of other DAGs (default: 5000)")
    parser.add_argument("--interval", type=int, default=3, help="seconds between two looks (default: 3)")
    parser.add_argument("--polls", type=int, default=10, help="all runs end within so many looks (default: 10)")
    parser.add_argument(
        "--begin", type=float, default=300, help="runs end after so many seconds at the latest (default: 300)"
    )
    parser.add_argument(
        "--patience", type=float, default=60, help="seconds for waits that have not ended by then (default: 60)"
    )
    parser.add_argument("--sides", nargs="+", choices=("ours", "peer"), default=["ours", "peer"])
    options = parser.parse_args()
    if options.quick:
        options.waits, options.task_waits, options.task_runs, options.unrelated = 20, 4, 2, 100
        options.interval, options.polls = 1, 5
    if "peer" in options.sides and find_spec("aiobotocore") is None:
        parser.error("the peer's triggers need aiobotocore, which is not installed here: --sides ours")
    return options


def _measure(
    case: _Case,
    options: argparse.Namespace,
    postgres: PostgresServer,
    load: _Load,
) -> _Measured:
    waits = load.waits
    with Service(case.calls_per_second) as service:
        service.ask(
            "busy_environment",
            name=_NAME,
            airflow=_AIRFLOW,
            run_ids=load.run_ids,
            task_ids=load.task_ids or ["work"],
            unrelated=options.unrelated,
        )
        with Triggerer(postgres, service.connection["connection"], len(waits)) as triggerer:
            triggerer.defer(case.side, _NAME, options.interval, waits)
            started = time.time()
            triggerer.start()
            _until(lambda: triggerer.taken_up() == len(waits), triggerer)
            seen_all = _has_looked_at_all(case.side, len(waits), service, options.begin)
            began = time.time()
            seconds = float(options.polls * options.interval)
            service.ask("end_evenly", name=_NAME, run_ids=load.run_ids, seconds=seconds)
            give_up = time.monotonic() + seconds + options.patience
            while len(ended := triggerer.ended()) < len(waits) and time.monotonic() < give_up:
                time.sleep(1)
            stopped = time.time()
            cpu, memory = triggerer.cost()
        ends, calls = service.ask("ends", name=_NAME), service.ask("calls")
    right = [one for one in ended if _is_right(one, case.side, waits, ends)]
    last = max((one.at for one in ended), default=stopped) if len(ended) == len(waits) else stopped
    return _Measured(
        began,
        began - started if seen_all else None,
        [call for call in calls if call[0] <= stopped],
        [one.at - ends[waits[one.number].run_id] for one in right],
        len(ended) - len(right),
        last - began,
        cpu,
        memory,
    )


def _has_looked_at_all(side: str, waits: int, service: Service, seconds: float) -> bool:
    """Wait until everything has been looked at: of the peer every path was asked for, of ours the tasks, which come last."""
    end = time.monotonic() + seconds
    while service.ask("paths", ends_with="" if side == "peer" else "/taskInstances/list") < (
        waits if side == "peer" else 1
    ):
        if time.monotonic() > end:
            return False
        time.sleep(1)
    return True


def _until(condition: Callable[[], bool], triggerer: Triggerer) -> None:
    end = time.monotonic() + _START_SECONDS
    while not condition():
        if triggerer.ended() or time.monotonic() > end:  # nothing was to end yet
            raise SystemExit(f"the triggerer does not wait as it should; it says\n{triggerer.log()}")
        time.sleep(1)


def _is_right(one: Ended, side: str, waits: list[Wait], ends: dict[str, float]) -> bool:
    """Tell whether a wait ended well, and not before what it waited for."""
    if one.event is None or one.at < ends.get(waits[one.number].run_id, float("inf")):
        return False
    told: Any = one.event.get("look", {}).get("verdict") if side == "ours" else one.event.get("status")
    return bool(told == ("met" if side == "ours" else "success"))


def _row(case: _Case, measured: _Measured, ours: _Measured, waits: int) -> tuple[object, ...]:
    late = measured.late or [0.0]
    return (
        case.side,
        "10 a second" if case.calls_per_second else "none",
        len(measured.late),
        measured.wrong,
        waits - len(measured.late) - measured.wrong,
        "-" if measured.until_then is None else f"{measured.until_then:.0f}",
        measured.calls_since,
        len(measured.calls) - measured.calls_since,
        "-" if measured is ours else f"{100 * len(ours.calls) / measured.calls_since:.1f} %",
        measured.busiest_second,
        measured.throttled,
        f"{measured.seconds:.0f}",
        f"{median(late):.1f}",
        f"{max(late):.1f}",
        f"{measured.cpu:.0f}",
        f"{measured.memory:.0f}",
    )


if __name__ == "__main__":
    main()
