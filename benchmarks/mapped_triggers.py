"""Five hundred runs started from mapped tasks, one in twenty answers lost: how fast, and how many runs too many."""

from __future__ import annotations

import argparse
import sys

from _caller import peer_version
from _service import Service
from _table import show
from _workers import Job, carry_out

_LINES = {2: "2.10.3", 3: "3.3.1"}
_OPERATORS = ("ours", "peer", "peer, ids given")


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small edition: 10 tasks, every fifth answer lost")
    parser.add_argument("--tasks", type=int, default=500, help="mapped task instances (default: 500)")
    parser.add_argument("--slots", type=int, default=32, help="tries at once (default: 32)")
    parser.add_argument("--retries", type=int, default=2, help="retries of a task (default: 2)")
    parser.add_argument(
        "--retry-delay", type=float, default=5, help="seconds until a retry (default: 5; Airflow's own default is 300)"
    )
    parser.add_argument(
        "--every", type=int, nargs="+", default=[0, 20], help="lose each so-manieth answer; 0: none (default: 0 20)"
    )
    parser.add_argument("--airflow", type=int, nargs="+", default=[2, 3], choices=_LINES, help="lines (default: 2 3)")
    parser.add_argument("--operators", nargs="+", choices=_OPERATORS, default=_OPERATORS)
    options = parser.parse_args()
    if options.quick:
        options.tasks, options.slots, options.retry_delay, options.every = 10, 4, 0.1, [5]
    with Service() as service:
        rows = [
            _row(service, options, major, operator, every)
            for every in options.every
            for major in options.airflow
            for operator in options.operators
        ]
    print(
        f"{options.tasks} mapped tasks, {options.slots} at once, up to {options.retries} retries after {options.retry_delay:g} s, 10 "
        f"InvokeRestApi calls a second, beside apache-airflow-providers-amazon {peer_version()}\n"
    )
    head = (
        *("Airflow", "operator", "answers lost", "succeeded", "failed", "runs", "too many", "tasks without a run"),
        *("seconds", "tasks a second", "tries", "requests", "throttled", "CPU s", "errors of tries"),
    )
    show(head, rows)
    print(
        "\npeer: as documented; with Airflow 3 over there, the logical date is the time of the try. peer, ids given: with a run id and a "
        "logical date made from the map index."
    )


def _row(service: Service, options: argparse.Namespace, major: int, operator: str, every: int) -> tuple[object, ...]:
    name = f"airflow{major}-{_OPERATORS.index(operator)}-{every}"
    service.ask("environment", name=name, airflow=_LINES[major])
    service.ask("begin")
    if every:
        service.ask("lose_answers", every=every)
    job = Job(operator, name, major, options.tasks, options.slots, options.retries, options.retry_delay)
    done = carry_out(job, service.connection)
    print(f"{job}: {len(done.succeeded)} succeeded", file=sys.stderr, flush=True)
    made: dict[str, int] = service.ask("made", name=name)
    errors = [error for _, _, error in service.ask("calls")]
    return (
        _LINES[major],
        operator,
        service.ask("struck"),
        len(done.succeeded),
        options.tasks - len(done.succeeded),
        sum(made.values()),
        sum(number - 1 for number in made.values()),
        options.tasks - len(made),
        f"{done.wall:.0f}",
        f"{len(done.succeeded) / done.wall:.1f}",
        done.tries,
        len(errors),
        errors.count("ThrottlingException"),
        f"{done.cpu:.0f}",
        ", ".join(f"{number} {error}" for error, number in sorted(done.errors.items())) or "none",
    )


if __name__ == "__main__":
    main()
