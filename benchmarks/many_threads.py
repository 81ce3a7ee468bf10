"""Two hundred threads read and create on one environment while a tenth of all requests is throttled, fails, or finds its session ended."""

from __future__ import annotations

import argparse

from _caller import Cost, Job, carry_out, peer_version
from _service import Service
from _table import ratio, show

_LINES = {2: "2.10.3", 3: "3.3.1"}
_CASES = (("ours", "auto"), ("peer", "iam"), ("ours", "session"), ("peer", "session"))


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=200, help="threads of one process (default: 200)")
    parser.add_argument(
        "--calls", type=int, default=4, help="calls of each thread, every second creates a run (default: 4)"
    )
    options = parser.parse_args()
    calls = options.threads * options.calls
    rows = []
    with Service() as service:
        for major, release in _LINES.items():
            ours = None
            for side, route in _CASES:
                name = f"airflow{major}-{side}-{route}"
                service.ask("environment", name=name, airflow=release)
                service.ask("begin")
                service.ask("faults")
                cost = carry_out(Job(side, route, name, major, calls, options.threads, "mixed"), service.connection)
                ours = ours or cost
                rows.append(
                    (
                        release,
                        side,
                        route,
                        *_row(
                            cost, ours, service.ask("made", name=name), service.ask("requests"), service.ask("struck")
                        ),
                    )
                )
    print(
        f"{options.threads} threads, {calls} calls, a tenth of the requests struck, beside MwaaHook of "
        f"apache-airflow-providers-amazon {peer_version()}\n"
    )
    show(
        (
            "Airflow",
            "side",
            "route",
            "calls",
            "right",
            "runs twice",
            "seconds",
            "time",
            "longest",
            "requests",
            "struck",
            "logins",
            "CPU s",
            "MiB",
            "errors",
        ),
        rows,
    )
    print(
        "\nruns twice: calls that made more than one DAG run. time: in those of ours, auto. struck: requests that met a fault. "
        "MiB: what the peak of memory grew by."
    )


def _row(cost: Cost, ours: Cost, made: dict[str, int], requests: dict[str, int], struck: int) -> tuple[object, ...]:
    return (
        cost.done,
        cost.right,
        sum(number > 1 for number in made.values()),
        f"{cost.wall:.1f}",
        ratio(cost.wall, ours.wall),
        f"{cost.longest:.1f}",
        sum(requests.values()),
        struck,
        requests.get("login", 0),
        f"{cost.cpu:.1f}",
        f"{cost.memory:.0f}",
        cost.errors,
    )


if __name__ == "__main__":
    main()
