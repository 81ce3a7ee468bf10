"""A year of history, of which 30 days stay: our clean-up beside `airflow db clean --skip-archive` of the same release, each on a copy."""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from _table import show
from _year import fill_year

from mwaa_provider.local.real.postgres import PostgresServer

HERE = Path(__file__).resolve().parent
CHART = HERE.parent / "docs/images/clean-up-latency.png"
_KEPT_DAYS = 30


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, nargs="*", default=[1_000_000], help="task instances (default: 1,000,000)")
    parser.add_argument("--rate", type=int, default=200, help="updates a second beside it (default: 200; 0 for none)")
    parser.add_argument("--no-chart", action="store_true", help="draw no chart")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _child(json.loads(options.child))
        return
    with tempfile.TemporaryDirectory() as folder:
        server = PostgresServer()
        server.start()
        try:
            for tasks in options.tasks:
                times = _measure(server, folder, tasks, options.rate)
            if times and not options.no_chart:
                _chart(times, tasks)
                print(f"\n{CHART.relative_to(HERE.parent)}")
        finally:
            server.stop()


def _measure(server: PostgresServer, folder: str, tasks: int, rate: int) -> dict[str, list[float]]:
    template = server.create_database(f"year_{tasks}")
    environment = {
        **os.environ,
        "AIRFLOW_HOME": folder,
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": server.url(template),
    }
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], env=environment, check=True, capture_output=True)
    fill_year(server.url(template), tasks)
    told = {}
    cases: list[tuple[str, dict[str, Any]]] = [
        ("airflow db clean", {"case": "peer"}),
        ("ours", {"case": "ours", "parallel": 1}),
        ("ours, parallel=2", {"case": "ours", "parallel": 2}),
    ]
    for label, case in cases:
        told[label] = _run(server, template, case, environment, rate=0)
    if rate:
        for label, case in cases[:2]:
            told[f"{label}, {rate} updates/s"] = _run(server, template, case, environment, rate=rate)
    peer = told["airflow db clean"]["seconds"]
    print(f"\n{tasks:,} task instances, all but {_KEPT_DAYS} of 365 days go")
    show(
        (
            "way",
            "seconds",
            "of db clean",
            "longest transaction",
            "peak MiB",
            "p99 ms, idle",
            "p99 ms, beside it",
            "left",
        ),
        [
            (
                label,
                f"{one['seconds']:.1f}",
                f"{one['seconds'] / peer:.2f}",
                f"{one['longest']:.2f} s",
                f"{one['peak']:.0f}",
                f"{one['idle']:.1f}" if "idle" in one else "-",
                f"{one['beside']:.1f}" if "beside" in one else "-",
                f"{one['left']:,}",
            )
            for label, one in told.items()
        ],
    )
    if not rate:
        return {}
    ours, theirs = (told[f"{label}, {rate} updates/s"] for label in ("ours", "airflow db clean"))
    return {
        "nothing beside it": [*ours["idle times"], *theirs["idle times"]],
        "beside our clean-up": ours["times"],
        "beside airflow db clean": theirs["times"],
    }


def _chart(times: dict[str, list[float]], tasks: int) -> None:
    """Draw how long the updates took, from the median to the slowest."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    shares = (50, 75, 90, 95, 99, 99.9, 100)
    figure, axes = pyplot.subplots(figsize=(6.4, 3.6))
    for label, values in times.items():
        ordered = sorted(values)
        at = [ordered[min(len(ordered) - 1, int(len(ordered) * share / 100))] * 1000 for share in shares]
        axes.plot(range(len(shares)), at, marker="o", label=label)
    axes.set_xticks(range(len(shares)), [f"{share:g} %" if share < 100 else "slowest" for share in shares])
    axes.set_yscale("log")
    axes.set_ylabel("milliseconds")
    axes.set_title(f"Updates of task instances, {tasks:,} of them being cleaned")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(CHART, dpi=110)


def _run(
    server: PostgresServer, template: str, case: dict[str, Any], environment: dict[str, str], *, rate: int
) -> dict[str, Any]:
    """Run one case on a copy, in a process of its own, and watch its transactions from outside."""
    name = server.create_database("copy", template)
    try:
        watch = _Watch(server, name)
        load = _Load(server, name, rate)
        idle = load.measure(20.0) if rate else []
        given = {**environment, "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": server.url(name)}
        with watch, load:
            done = subprocess.run(
                [sys.executable, __file__, "--child", json.dumps(case)],
                env=given,
                check=True,
                capture_output=True,
                text=True,
            )
        told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        told["longest"] = watch.longest
        if idle:
            told |= {"idle": _p99(idle), "idle times": idle, "beside": _p99(load.times), "times": load.times}
        connection = server.connect(name)
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM task_instance")
            told["left"] = cursor.fetchone()[0]
        connection.close()
        return told
    finally:
        server.drop_database(name)


def _p99(times: list[float]) -> float:
    return statistics.quantiles(times, n=100)[-1] * 1000


class _Watch(threading.Thread):
    """Looks every 20 ms how old the oldest transaction that has written is; a snapshot alone holds up nobody."""

    def __init__(self, server: PostgresServer, name: str) -> None:
        super().__init__(daemon=True)
        self._connection = server.connect(name)
        self._connection.autocommit = True
        self._ended = threading.Event()
        self.longest = 0.0

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()
        self._connection.close()

    def run(self) -> None:
        with self._connection.cursor() as cursor:
            while not self._ended.wait(0.02):
                cursor.execute(
                    "SELECT extract(epoch FROM max(clock_timestamp() - xact_start))::float8 FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_xid IS NOT NULL "
                    "AND application_name <> 'load'"
                )
                self.longest = max(self.longest, cursor.fetchone()[0] or 0.0)


class _Load(threading.Thread):
    """Updates young task instances as a scheduler does, so many a second, and remembers how long each took."""

    def __init__(self, server: PostgresServer, name: str, rate: int) -> None:
        super().__init__(daemon=True)
        self._rate = rate
        self._ended = threading.Event()
        self.times: list[float] = []
        if rate:
            self._connection = server.connect(name)
            self._connection.autocommit = True
            with self._connection.cursor() as cursor:
                cursor.execute("SET application_name = 'load'")
                cursor.execute(
                    "SELECT dag_id, run_id, task_id FROM task_instance WHERE start_date > now() - interval '10 days' LIMIT 2000"
                )
                self._rows = cursor.fetchall()

    def __enter__(self) -> None:
        if self._rate:
            self.times = []
            self.start()

    def __exit__(self, *_: object) -> None:
        if self._rate:
            self._ended.set()
            self.join()
            self._connection.close()

    def run(self) -> None:
        self._update_until(self._ended.is_set)

    def measure(self, seconds: float) -> list[float]:
        end = time.monotonic() + seconds
        self._update_until(lambda: time.monotonic() > end)
        return self.times

    def _update_until(self, is_over: Any) -> None:
        begin = time.monotonic()
        with self._connection.cursor() as cursor:
            for number in range(10_000_000):
                if is_over():
                    return
                time.sleep(max(0.0, begin + number / self._rate - time.monotonic()))
                began = time.monotonic()
                cursor.execute(
                    "UPDATE task_instance SET updated_at = now() WHERE dag_id = %s AND run_id = %s AND task_id = %s",
                    self._rows[number % len(self._rows)],
                )
                self.times.append(time.monotonic() - began)


def _child(case: dict[str, Any]) -> None:
    before = datetime.now(timezone.utc) - timedelta(days=_KEPT_DAYS)
    if case["case"] == "ours":
        from mwaa_provider.metadata.cleanup.asking import run_cleanup

        began = time.monotonic()
        run_cleanup({"before": before, "parallel": case["parallel"], "analyze": False})
    else:
        from airflow.utils import db_cleanup

        began = time.monotonic()
        db_cleanup.run_cleanup(clean_before_timestamp=before, confirm=False, skip_archive=True)
    seconds = time.monotonic() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak": peak}))


if __name__ == "__main__":
    main()
