r"""A table of task instances to S3: our export beside psql's \\copy, the AWS guide's sample, and a loop with yield_per and csv.writer."""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from _table import show

from mwaa_provider.local.real.postgres import PostgresServer
from mwaa_provider.local.real.postgres_binaries import find_binaries

HERE = Path(__file__).resolve().parent
CHART = HERE.parent / "docs/images/export-memory.png"
_MIB = 1024 * 1024

# 252 bytes of CSV a row, as a task instance of a real environment has.
_FILL = """
INSERT INTO {table} ({columns}) SELECT {values} FROM generate_series({first}, {last}) g
"""


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="task instances (default: 1,000,000)")
    parser.add_argument(
        "--slow-rows", type=int, default=100_000, help="of them for the guide's sample and the loop (default: 100,000)"
    )
    parser.add_argument(
        "--memory-rows", type=int, nargs="*", default=[100_000, 1_000_000, 5_000_000], help="rows for the memory table"
    )
    parser.add_argument("--rounds", type=int, default=3, help="rounds of which the middle one counts (default: 3)")
    parser.add_argument("--no-chart", action="store_true", help="draw no chart")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _child(json.loads(options.child))
        return
    with tempfile.TemporaryDirectory() as folder:
        server = PostgresServer()
        server.start()
        moto = subprocess.Popen(
            [sys.executable, str(HERE / "_moto.py"), f"{folder}/port"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _measure(options, server, folder, _port(Path(folder) / "port"))
        finally:
            moto.terminate()
            moto.wait()
            server.stop()


def _measure(options: argparse.Namespace, server: PostgresServer, folder: str, port: int) -> None:
    name = server.create_database("airflow")
    environment = {
        **os.environ,
        "AIRFLOW_HOME": folder,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": server.url(name),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "ENDPOINT": f"http://127.0.0.1:{port}",
        "NO_PROXY": "*",
    }
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], env=environment, check=True, capture_output=True)
    _fill(server, name, 1, options.rows)
    rows = []
    cases: list[tuple[str, dict[str, Any], int]] = [
        ("ours, csv + gzip", {"file_format": "csv", "compression": "gzip"}, options.rows),
        (
            "ours, csv + gzip, psycopg 3",
            {"file_format": "csv", "compression": "gzip", "driver": "psycopg"},
            options.rows,
        ),
        ("ours, csv", {"file_format": "csv", "compression": None}, options.rows),
        ("ours, parquet + zstd", {"file_format": "parquet", "compression": "zstd"}, options.rows),
        ("ours, jsonl + gzip", {"file_format": "jsonl", "compression": "gzip"}, options.rows),
        ("yield_per and csv.writer", {"case": "loop"}, options.slow_rows),
        ("the guide's sample", {"case": "guide"}, options.slow_rows),
    ]
    sizes, all_copies = {}, []
    for label, case, count in cases:
        # Each beside a \\copy of its own, for the machine is not the same from one minute to the next.
        pairs = []
        for _ in range(options.rounds if case.get("case") is None else 1):
            copied = _psql(server.url(name), Path(folder) / "copied.csv")
            told = _run({"case": "ours", "rows": count, "all": options.rows, **case}, environment)
            pairs.append((count / told["seconds"] / (options.rows / copied["seconds"]), told))
            all_copies.append(copied)
        share, told = _middle(pairs)
        sizes[label] = told.get("size", 0)
        rows.append((label, count, *_row(told, count, share)))
    _, copied = _middle([(one["seconds"], one) for one in all_copies])
    rows.insert(0, ("psql \\copy to a file", options.rows, *_row(copied, options.rows, 1.0)))
    show(("way", "rows", "seconds", "rows/s", "of \\copy", "CPU s", "MiB in S3", "peak MiB over idle"), rows)
    print(f"\nparquet + zstd is {sizes['ours, parquet + zstd'] / sizes['ours, csv + gzip']:.2f} of csv + gzip in size.")
    _read_by_duckdb(environment["ENDPOINT"], folder)
    print(
        "CPU s: of the process that exports, without those of PostgreSQL and S3.\n"
        "The rates of the last two are of the rows they were given; the guide's sample holds all of them in memory.\n"
    )
    _memory(options, server, name, environment)


def _read_by_duckdb(endpoint: str, folder: str) -> None:
    import boto3
    import duckdb

    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="eu-west-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",  # noqa: S106
    )
    client.download_file("exports", "task_instance.parquet", f"{folder}/read.parquet")
    asked = "SELECT count(*), typeof(min(start_date)), typeof(min(pid)), typeof(min(duration)) FROM read_parquet(?)"
    found = duckdb.execute(asked, [f"{folder}/read.parquet"]).fetchone()
    assert found is not None
    print(f"DuckDB reads it: {found[0]:,} rows; start_date is {found[1]}, pid {found[2]}, duration {found[3]}.")


def _memory(options: argparse.Namespace, server: PostgresServer, name: str, environment: dict[str, str]) -> None:
    if not options.memory_rows:
        return
    most = max(options.memory_rows)
    if most > options.rows:
        _fill(server, name, options.rows + 1, most)
    peaks: dict[str, list[float]] = {}
    for label, case in (
        ("csv + gzip", {"file_format": "csv", "compression": "gzip"}),
        ("parquet + zstd", {"file_format": "parquet", "compression": "zstd"}),
    ):
        for count in options.memory_rows:
            told = _run({"case": "ours", "rows": count, "all": most, **case}, environment)
            peaks.setdefault(label, []).append(told["peak"])
    show(
        ("peak MiB over idle", *(f"{count:,} rows" for count in options.memory_rows)),
        [(label, *(f"{peak:.0f}" for peak in values)) for label, values in peaks.items()],
    )
    if not options.no_chart:
        _chart(options.memory_rows, peaks)
        print(f"\n{CHART.relative_to(HERE.parent)}")


def _chart(counts: list[int], peaks: dict[str, list[float]]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6.4, 3.6))
    for label, values in peaks.items():
        axes.plot(counts, values, marker="o", label=label)
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("task instances exported")
    axes.set_ylabel("peak memory over idle (MiB)")
    axes.set_title("Memory of an export, by the rows of its table")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(CHART, dpi=110)


def _row(told: dict[str, Any], count: int, share: float) -> tuple[str, ...]:
    return (
        f"{told['seconds']:.1f}",
        f"{count / told['seconds']:,.0f}",
        f"{share:.2f}" if share > 0.1 else f"{share:.3f}",
        f"{told['cpu']:.1f}",
        f"{told.get('size', 0) / _MIB:.0f}",
        f"{told['peak']:.0f}" if "peak" in told else "-",
    )


def _middle(found: list[tuple[float, dict[str, Any]]]) -> tuple[float, dict[str, Any]]:
    return sorted(found, key=lambda one: one[0])[len(found) // 2]


def _run(case: dict[str, Any], environment: dict[str, str]) -> dict[str, Any]:
    """Run one case in a process of its own, and read what it tells."""
    given = dict(environment)
    if driver := case.get("driver"):
        given["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = given["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].replace(
            "postgresql://", f"postgresql+{driver}://", 1
        )
    time.sleep(1)
    done = subprocess.run(
        [sys.executable, __file__, "--child", json.dumps(case)], env=given, check=True, capture_output=True, text=True
    )
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


def _child(case: dict[str, Any]) -> None:
    import boto3

    from mwaa_provider.metadata.export.asking import run_export
    from mwaa_provider.transfers.metadata_to_s3 import MetadataToS3Operator

    assert MetadataToS3Operator
    client = boto3.client("s3", endpoint_url=os.environ["ENDPOINT"])
    client.list_buckets()
    from airflow.models import DagRun, TaskInstance

    assert DagRun
    idle = _resident()
    told: dict[str, Any] = {}
    began, cpu = time.monotonic(), time.process_time()
    if case["case"] == "ours":
        result = run_export(
            {
                "s3_bucket": "exports",
                "s3_key_template": "{table}.{format}",
                "tables": ["task_instance"],
                "until": _moment(case["rows"]),
                "file_format": case["file_format"],
                "compression": case["compression"],
                "overwrite": True,
            },
            client,
        )
        assert result.manifest.row_counts == {"task_instance": case["rows"]}, result.manifest.row_counts
        told["size"] = result.manifest.files[0].size
    else:
        told["size"] = {"loop": _loop, "guide": _guide}[case["case"]](client, TaskInstance, _moment(case["rows"]))
    told["seconds"] = time.monotonic() - began
    told["cpu"] = time.process_time() - cpu
    told["peak"] = (_peak() - idle) / 1024
    print(json.dumps(told))


def _moment(number: int) -> str:
    """Return the moment after the start of so many task instances, one a second."""
    from datetime import datetime, timedelta, timezone

    return (datetime(2026, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=number, milliseconds=500)).isoformat()


def _guide(client: Any, model: Any, until: str) -> int:
    """Do what the AWS guide's sample does: all rows, as objects, into one text, into one object."""
    import csv
    from datetime import datetime
    from io import StringIO

    from airflow.utils.session import create_session

    with create_session() as session:
        found = session.query(model).filter(model.start_date < datetime.fromisoformat(until)).all()
        rows = [{key: value for key, value in vars(one).items() if key != "_sa_instance_state"} for one in found]
        target = StringIO()
        writer = csv.DictWriter(target, rows[0].keys(), extrasaction="ignore")
        writer.writeheader()
        for row in rows:
            writer.writerow(row)
        body = target.getvalue()
    client.put_object(Bucket="exports", Key="guide.csv", Body=body)
    return len(body)


def _loop(client: Any, model: Any, until: str) -> int:
    """Do what one would write instead: a cursor on the server, csv.writer, a file, an upload."""
    import csv

    from airflow import settings
    from sqlalchemy import text

    with tempfile.NamedTemporaryFile("w", newline="") as target, settings.engine.connect() as connection:
        result = connection.execution_options(stream_results=True, yield_per=1000).execute(
            text("SELECT * FROM task_instance WHERE start_date < :until"), {"until": until}
        )
        writer = csv.writer(target)
        writer.writerow(result.keys())
        writer.writerows(result)
        target.flush()
        client.upload_file(target.name, "exports", "loop.csv")
        return os.path.getsize(target.name)


def _psql(url: str, target: Path) -> dict[str, Any]:
    from sqlalchemy.engine import make_url

    psql = find_binaries(None).folder / "psql"
    read = make_url(url)
    environment = {
        **os.environ,
        "PGHOST": str(read.query["host"]),
        "PGUSER": read.username or "",
        "PGPASSWORD": str(read.password),
        "PGDATABASE": read.database or "",
    }
    command = f"\\copy (SELECT * FROM task_instance) TO '{target}' WITH (FORMAT csv, HEADER)"  # noqa: S608 - the file is ours
    target.unlink(missing_ok=True)  # emptying a file takes time of its own
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    subprocess.run([str(psql), "-X", "-q", "-c", command], env=environment, check=True)
    seconds = time.monotonic() - began
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = spent.ru_utime + spent.ru_stime - before.ru_utime - before.ru_stime
    return {"seconds": seconds, "cpu": cpu, "size": target.stat().st_size}


def _fill(server: PostgresServer, name: str, first: int, last: int) -> None:
    connection = server.connect(name)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        per_run = 100
        _insert(cursor, "dag_run", (first - 1) // per_run, (last - 1) // per_run, _RUN)
        _insert(cursor, "task_instance", first, last, _TASK)
        cursor.execute("VACUUM ANALYZE task_instance")
    connection.close()


_RUN = {
    "dag_id": "'nightly_' || g % 50",
    "run_id": "'scheduled__2026-01-01T00:00:00+00:00_' || g",
    "start_date": "TIMESTAMPTZ '2026-01-01' + g * interval '100 seconds'",
    "run_type": "'scheduled'",
    "state": "'success'",
    "logical_date": "TIMESTAMPTZ '2026-01-01' + g * interval '100 seconds'",
    "run_after": "TIMESTAMPTZ '2026-01-01' + g * interval '100 seconds'",
}
_TASK = {
    "id": "gen_random_uuid()",
    "task_id": "'load_table_' || g % 100",
    "dag_id": "'nightly_' || (g - 1) / 100 % 50",
    "run_id": "'scheduled__2026-01-01T00:00:00+00:00_' || (g - 1) / 100",
    "map_index": "-1",
    "start_date": "TIMESTAMPTZ '2026-01-01' + g * interval '1 second'",
    "end_date": "TIMESTAMPTZ '2026-01-01' + g * interval '1 second' + random() * interval '1 hour'",
    "duration": "random() * 3600",
    "state": "CASE WHEN random() < 0.97 THEN 'success' ELSE 'failed' END",
    "hostname": "'ip-10-192-' || g % 16 || '-' || g % 250 || '.eu-west-1.compute.internal'",
    "unixname": "'airflow'",
    "pool": "'default_pool'",
    "queue": "'default'",
    "operator": "'PythonOperator'",
    "queued_dttm": "TIMESTAMPTZ '2026-01-01' + g * interval '1 second' - random() * interval '1 minute'",
    "pid": "(random() * 30000)::int",
    "executor_config": "'\\x80047d942e'::bytea",
    "updated_at": "TIMESTAMPTZ '2026-01-01' + g * interval '1 second' + interval '2 hours'",
    "external_executor_id": "gen_random_uuid()::text",
    "task_display_name": "'load_table_' || g % 100",
}


def _insert(cursor: Any, table: str, first: int, last: int, wanted: dict[str, str]) -> None:
    cursor.execute(
        "SELECT attname, format_type(atttypid, atttypmod), attnotnull AND NOT atthasdef FROM pg_attribute "
        "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        (table,),
    )
    columns, values = [], []
    for column, kind, is_needed in cursor.fetchall():
        value = wanted.get(column)
        if value is None and is_needed:
            value = {"uuid": "gen_random_uuid()", "integer": "1"}.get(kind, "now()" if "time" in kind else "'x'")
        if value is not None:
            columns.append(f'"{column}"')
            values.append(value)
    cursor.execute(
        _FILL.format(table=table, columns=", ".join(columns), values=", ".join(values), first=first, last=last)
    )


def _resident() -> int:
    return _status("VmRSS")


def _peak() -> int:
    return _status("VmHWM")


def _status(name: str) -> int:
    """KiB, as Linux says."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0


def _port(file: Path) -> int:
    end = time.monotonic() + 60
    while not file.exists() or not file.read_text():
        if time.monotonic() > end:
            raise SystemExit("moto does not start")
        time.sleep(0.05)
    return int(file.read_text())


if __name__ == "__main__":
    main()
