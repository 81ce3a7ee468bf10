"""Exports in tasks of a real Airflow, under its own supervisor: every road brings the same rows."""

from __future__ import annotations

import csv
import gzip
import io
import json
from datetime import datetime, timezone

import pytest

from tests.real_tasks.conftest import Source, is_airflow_2, run_to_its_end
from tests.support.clones import clone_run
from tests.support.s3 import S3

pytestmark = pytest.mark.real_airflow

RUNS = 120


def test_every_road_brings_the_same_rows(source: Source) -> None:
    roads = ["database", "rest"] if is_airflow_2(source) else ["database", "metadata_api", "rest"]
    run_id = run_to_its_end(source, "source", "parallel")
    connection = source.airflow.connect()
    try:
        with connection, connection.cursor() as cursor:
            clone_run(cursor, run_id, datetime(2024, 1, 1, tzinfo=timezone.utc), RUNS)
    finally:
        connection.close()
    run_to_its_end(source, "source", "exporting")

    manifests = {route: json.loads(source.s3.read(f"{route}/manifest.json")) for route in [*roads, "auto"]}
    assert {route: manifest["road"] for route, manifest in manifests.items()} == {
        **{road: road for road in roads},
        "auto": "database",
    }
    for table, count in (("dag_run", RUNS), ("task_instance", 4 * RUNS)):
        whole = rows_of(source.s3, f"database/{table}.csv.gz")
        assert len(whole) == count
        assert rows_of(source.s3, f"auto/{table}.csv.gz") == whole
        for road in roads:
            found = rows_of(source.s3, f"{road}/{table}.csv.gz")
            names = list(found[0])
            if road == "rest":
                assert {"dag_id", "run_id", "state", "start_date", "end_date"} <= set(names)
            else:
                assert names == list(whole[0])
            assert in_order(found) == in_order([{name: row[name] for name in names} for row in whole])


def rows_of(s3: S3, key: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(gzip.decompress(s3.read(key)).decode())))


def in_order(rows: list[dict[str, str]]) -> list[list[tuple[str, str]]]:
    return sorted(list(row.items()) for row in rows)
