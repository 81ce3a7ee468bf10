"""How many requests one REST call costs by web session: ours keeps the session, the Amazon provider logs in for every call."""

from __future__ import annotations

import argparse

from _caller import Job, carry_out, peer_version
from _service import Service
from _table import ratio, show

LINES = {2: "2.10.3", 3: "3.3.1"}


def main() -> None:
    """Count, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, nargs="+", default=[100, 1000], help="calls in a row (default: 100 1000)")
    parser.add_argument("--airflow", type=int, nargs="+", default=[2, 3], choices=LINES, help="lines (default: 2 3)")
    options = parser.parse_args()
    rows = []
    with Service() as service:
        for major in options.airflow:
            service.ask("environment", name=f"airflow{major}", airflow=LINES[major])
            for calls in options.calls:
                rows += _pair(service, major, LINES[major], calls)
    print(f"Requests by web session, beside MwaaHook of apache-airflow-providers-amazon {peer_version()}\n")
    show(
        (
            "Airflow",
            "side",
            "calls",
            "errors",
            "requests",
            "per call",
            "logins",
            "ms per call",
            "time",
            "CPU",
        ),
        rows,
    )
    print("\ntime, CPU: of the peer for one call, in those of ours. A session lives 12 hours: 'per call' tends to 1.")


def _pair(service: Service, major: int, release: str, calls: int) -> list[tuple[object, ...]]:
    rows, costs = [], {}
    for side in ("ours", "peer"):
        service.ask("begin")
        cost = costs[side] = carry_out(Job(side, "session", f"airflow{major}", major, calls), service.connection)
        asked = service.ask("requests")
        number = sum(asked.values())
        ours = costs["ours"]
        rows.append(
            (
                release,
                side,
                cost.done,
                cost.errors,
                number,
                f"{number / cost.done:.3f}",
                asked["login"],
                f"{1000 * cost.wall / cost.done:.1f}",
                ratio(cost.wall, ours.wall),
                ratio(cost.cpu, ours.cpu),
            )
        )
    return rows


if __name__ == "__main__":
    main()
