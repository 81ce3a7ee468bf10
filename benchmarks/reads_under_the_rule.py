"""A thousand reads of an environment that admits 10 InvokeRestApi calls a second: who gets through, how fast, and with which errors."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from _caller import Cost, Job, carry_out, peer_version
from _service import Service
from _table import ratio, show


@dataclass(frozen=True)
class _Case:
    """One line of the table."""

    side: str
    route: str
    threads: int


# Both sides in turns. The peer's default is InvokeRestApi; it takes the session only where it is told to, or IAM is denied.
_CASES = [
    _Case(side, route, threads)
    for threads in (1, 32)
    for side, route in (("ours", "auto"), ("peer", "iam"), ("ours", "iam"), ("peer", "session"))
]


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reads", type=int, default=1000, help="reads of each case (default: 1000)")
    parser.add_argument(
        "--iam-reads",
        type=int,
        default=100,
        help="reads where ours is held to IAM: its pace is even, so that fewer tell as much (default: 100; 1000 take 111 s)",
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=20,
        help="the peer begins no read after so many (default: 20; 600 for all reads)",
    )
    parser.add_argument("--rounds", type=int, default=2, help="how often all cases are measured (default: 2)")
    options = parser.parse_args()
    rows = []
    with Service() as service:
        service.ask("environment", name="target", airflow="3.3.1")
        for number in range(1, options.rounds + 1):
            measured = {}
            for case in _CASES:
                ours_by_iam = (case.side, case.route) == ("ours", "iam")
                job = Job(
                    case.side,
                    case.route,
                    "target",
                    3,
                    calls=options.iam_reads if ours_by_iam else options.reads,
                    threads=case.threads,
                    seconds=options.seconds if case.side == "peer" else 600,
                )
                service.ask("begin")
                measured[case] = (carry_out(job, service.connection), sum(service.ask("requests").values()))
            rows += [
                _row(number, case, *measured[case], _rate(measured[_Case("ours", "iam", case.threads)][0]))
                for case in _CASES
            ]
    print(f"Reads under the 10-a-second rule, beside MwaaHook of apache-airflow-providers-amazon {peer_version()}\n")
    show(
        (
            "round",
            "side",
            "route",
            "threads",
            "reads",
            "errors",
            "seconds",
            "right a second",
            "of ours by IAM",
            "requests a read",
            "CPU ms a read",
            "MiB",
        ),
        rows,
    )
    print("\nours, auto: begins by IAM and moves to the web session by itself. MiB: what the peak of memory grew by.")


def _rate(cost: Cost) -> float:
    return cost.right / cost.wall


def _row(number: int, case: _Case, cost: Cost, requests: int, ours_by_iam: float) -> tuple[object, ...]:
    return (
        number,
        case.side,
        case.route,
        case.threads,
        cost.done,
        cost.errors,
        f"{cost.wall:.1f}",
        f"{_rate(cost):.1f}",
        ratio(_rate(cost), ours_by_iam),
        f"{requests / cost.done:.2f}",
        f"{1000 * cost.cpu / cost.done:.2f}",
        f"{cost.memory:.0f}",
    )


if __name__ == "__main__":
    main()
