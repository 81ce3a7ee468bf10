r"""Task instances of a real Airflow 3 by its metadata API, and by its public REST API: beside psql's \copy of the same table."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from _history import fill, psql_copy
from _table import show

from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.metadata.export.api_source import ApiSource
from mwaa_provider.metadata.export.rest_source import RestSource
from mwaa_provider.metadata.export.source import Asked

NAME = "benchmark"
FIRST = datetime(2026, 1, 1, tzinfo=timezone.utc)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="task instances (default: 1,000,000)")
    parser.add_argument("--rest-rows", type=int, default=20_000, help="of them by the REST API (default: 20,000)")
    parser.add_argument("--rounds", type=int, default=2, help="how often all is measured (default: 2)")
    options = parser.parse_args()
    rows = []
    with environment() as there:
        fill(there["database"], options.rows)
        client = MwaaClient()
        for number in range(1, options.rounds + 1):
            with TemporaryDirectory() as folder:
                copied = psql_copy(there["database"], "task_instance", Path(folder) / "copied.csv")
            limit = options.rows / copied
            rows.append(
                (number, r"psql \copy to a file", options.rows, f"{copied:.1f}", f"{limit:,.0f}", "1.00", "-", "-")
            )
            for parallel in (1, 2):
                with ApiSource(client, NAME, parallel=parallel) as source:
                    told = pulled(source, options.rows)
                rows.append(line(number, f"metadata API, {parallel} at a time", told, limit))
            with RestSource(client, NAME) as source:
                told = pulled(source, options.rest_rows)
            rows.append(line(number, "public REST API", told, limit))
    import airflow

    print(
        f"Task instances of Airflow {airflow.__version__} through its api-server (one worker), {os.cpu_count()} cores\n"
    )
    show(("round", "way", "rows", "seconds", "rows a second", r"of \copy", "largest answer, MB", "MiB"), rows)
    print(
        "\nMiB: what the peak of memory of the side that asks grew by. The largest answer: as the local MWAA sent it."
    )


def line(number: int, way: str, told: dict[str, float], limit: float) -> tuple[object, ...]:
    """Write a line of the table."""
    rate = told["rows"] / told["seconds"]
    return (
        number,
        way,
        int(told["rows"]),
        f"{told['seconds']:.1f}",
        f"{rate:,.0f}",
        f"{rate / limit:.3f}",
        f"{told['largest'] / 1e6:.2f}",
        f"{told['memory']:.0f}",
    )


def pulled(source: Any, rows: int) -> dict[str, float]:
    """Pull so many rows, and throw them away."""
    before, largest = peak(), Largest()
    began = time.monotonic()
    with largest:
        (selection,) = source.selections(Asked(("task_instance",), FIRST, FIRST + timedelta(seconds=rows + 0.5)))
        with source.open(selection) as found:
            for _ in found.chunks():
                pass
    seconds = time.monotonic() - began
    assert found.row_count == rows, (found.row_count, rows)
    return {"rows": rows, "seconds": seconds, "memory": peak() - before, "largest": largest.bytes}


class Largest:
    """Notes the largest answer while it is watched, by web session (requests) or by IAM (botocore)."""

    def __init__(self) -> None:
        self.bytes = 0

    def __enter__(self) -> Largest:
        import requests
        from botocore.httpsession import URLLib3Session

        self._former = [(kind, kind.send) for kind in (requests.Session, URLLib3Session)]
        for kind, send in self._former:
            kind.send = self._noting(send)
        return self

    def _noting(self, send: Any) -> Any:
        def noted(session: Any, request: Any, **more: Any) -> Any:
            answer = send(session, request, **more)
            self.bytes = max(self.bytes, int(answer.headers.get("Content-Length") or 0))
            return answer

        return noted

    def __exit__(self, *_: object) -> None:
        for kind, send in self._former:
            kind.send = send


def peak() -> float:
    """MiB of this process at most so far, as Linux says."""
    for text in Path("/proc/self/status").read_text().splitlines():
        if text.startswith("VmHWM:"):
            return int(text.split()[1]) / 1024
    return 0.0


@contextmanager
def environment() -> Iterator[dict[str, str]]:
    """Run a real Airflow 3 behind a local MWAA, in a process of its own."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,))
    process.start()
    try:
        there = ours.recv()
        if isinstance(there, str):
            sys.exit(there)
        os.environ.update(there["variables"], NO_PROXY="*")
        yield there
    finally:
        ours.send("stop")
        process.join(60)


def serve(parent: Connection) -> None:
    """Run it until the parent says so."""
    from mwaa_provider.local import LocalMwaa
    from mwaa_provider.local.real import RealAirflow

    airflow = RealAirflow(environment={"AIRFLOW__MWAA_PROVIDER__METADATA_API": "True"})
    with LocalMwaa() as mwaa:
        try:
            mwaa.create_environment(NAME, airflow)
        except Exception as error:
            parent.send(str(error))
            return
        parent.send({"variables": mwaa.environment_variables(), "database": airflow._database.url})
        parent.recv()


if __name__ == "__main__":
    main()
