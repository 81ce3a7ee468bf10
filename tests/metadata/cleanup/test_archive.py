"""What goes lies in S3 before it goes, is listed exactly, and can be brought back."""

from __future__ import annotations

import csv
import gzip
import io
import os
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from mwaa_provider.exceptions import CleanupError, InvalidInputError
from mwaa_provider.metadata.catalog import Catalog
from mwaa_provider.metadata.cleanup.archive import Archive
from mwaa_provider.metadata.cleanup.archive_settling import settle
from mwaa_provider.metadata.cleanup.archive_target import Target
from mwaa_provider.metadata.cleanup.asking import run_cleanup
from mwaa_provider.metadata.cleanup.cleaning import clean
from mwaa_provider.metadata.cleanup.pace import Settings
from mwaa_provider.metadata.cleanup.plan import Sql
from mwaa_provider.metadata.cleanup.sessions import Limits, written_out
from mwaa_provider.metadata.export.bucket import read_manifest
from mwaa_provider.metadata.export.verifying import verify
from tests.metadata.cleanup.history import CUT
from tests.support.s3 import BUCKET

WHERE = f"s3://{BUCKET}/archive"


def some_history(history: Any, runs: int = 4) -> None:
    for number in range(runs):
        history.run(f"old_{number:02}", 60 + number, task_count=3)
    history.run("active", 90, state="running")
    history.run("newest", 1)
    for days in (90, 31, 29):
        history.aged("log", days, extra='a "text", with\nlines', event="ünïcödé 🎈")
    events = "asset_event" if "asset_event" in history.schema.columns else "dataset_event"
    history.aged(events, 70, id=900)
    for table in ("asset_alias_asset_event", "dataset_alias_dataset_event"):
        if table in history.schema.columns:
            history.rows.add(table, alias_id=1, event_id=900)


def archived(s3: Any, **given: Any) -> dict[str, Any]:
    return run_cleanup({"before": CUT, "archive_to": WHERE, **given}, None, lambda: s3.client).xcom()


def rows_of(history: Any, table: str, columns: list[str], schema: str = "public") -> list[tuple[Any, ...]]:
    names = ", ".join(f't."{name}"::text' for name in columns)
    return sorted(history.rows.execute(f'SELECT {names} FROM {schema}."{table}" t'), key=repr)


def restored(history: Any, s3: Any, manifest: Any) -> dict[str, list[str]]:
    """Bring an archive into an empty schema; return table to its columns."""
    history.rows.execute("DROP SCHEMA IF EXISTS restored CASCADE")
    history.rows.execute("CREATE SCHEMA restored")
    tables: dict[str, list[str]] = {}
    for file in manifest.files:
        columns = [column.name for column in file.columns]
        if file.table not in tables:
            history.rows.execute(f'CREATE TABLE restored."{file.table}" (LIKE public."{file.table}")')
            for name in file.left_out:
                history.rows.execute(f'ALTER TABLE restored."{file.table}" ALTER COLUMN "{name}" DROP NOT NULL')
        tables[file.table] = columns
        header, *_ = csv.reader(io.StringIO(gzip.decompress(s3.read(file.key)).decode(), newline=""))
        assert header == columns
        kinds = ", ".join(f'"{column.name}" {"text" if column.encoding else column.type}' for column in file.columns)
        values = ", ".join(
            f"decode(\"{column.name}\", 'base64')" if column.encoding else f'"{column.name}"' for column in file.columns
        )
        names = ", ".join(f'"{name}"' for name in columns)
        history.rows.execute(f"CREATE TEMP TABLE arriving ({kinds})")
        with history.rows.connection.cursor() as cursor:
            cursor.copy_expert(
                "COPY arriving FROM STDIN WITH (FORMAT csv, HEADER)", io.BytesIO(gzip.decompress(s3.read(file.key)))
            )
        history.rows.execute(f'INSERT INTO restored."{file.table}" ({names}) SELECT {values} FROM arriving')
        history.rows.execute("DROP TABLE arriving")
    return tables


def test_an_archive_brought_back_into_an_empty_schema_is_what_went(history, s3):
    some_history(history)
    catalog_columns = {}
    tables = history.plan().touched
    for table in tables:
        catalog_columns[table] = list(history.schema.columns[table])
    before = {table: rows_of(history, table, catalog_columns[table]) for table in tables}
    try:
        told = archived(s3, batch_size=5)
        assert told["complete"]
        assert told["archive"].startswith(f"s3://{BUCKET}/archive/")
        manifest = verify(s3.client, told["archive"])
        found = restored(history, s3, manifest)
        for table in tables:
            gone = list(before[table])
            for row in rows_of(history, table, catalog_columns[table]):
                gone.remove(row)
            assert (table in found) is bool(gone), table
            if not gone:
                continue
            columns = found[table]
            at = [catalog_columns[table].index(name) for name in columns]
            expected = sorted((tuple(row[place] for place in at) for row in gone), key=repr)
            assert rows_of(history, table, columns, "restored") == expected, table
        assert {table: len(rows_of(history, table, columns, "restored")) for table, columns in found.items()} == dict(
            manifest.row_counts
        )
        # Parts that go along by themselves are in the manifest, and are not counted in the report.
        assert told["rows"].items() <= manifest.row_counts.items()
    finally:
        history.rows.execute("DROP SCHEMA IF EXISTS restored CASCADE")
    assert history.run_ids() == ["active", "newest"]
    assert not [key for key in s3.objects() if "/pending/" in key]


@pytest.mark.parametrize("nth", [1, 4, 25])
def test_what_cannot_be_written_stays(history, s3, nth):
    some_history(history)
    counted = {"puts": 0}

    def fail(**given: Any) -> None:
        counted["puts"] += 1
        if counted["puts"] >= nth + 1:  # the first one asks for the permission
            raise RuntimeError("S3 is not there")

    s3.client.meta.events.register("before-call.s3.PutObject", fail, unique_id="fail")
    before = {table: history.count(table) for table in history.plan().touched}
    broken = set(history.violations())
    try:
        with pytest.raises(CleanupError, match="S3 is not there"):
            archived(s3, batch_size=5)
    finally:
        s3.client.meta.events.unregister("before-call.s3.PutObject", fail, unique_id="fail")
    lost = {table: count - history.count(table) for table, count in before.items() if count > history.count(table)}
    # The manifest of what went before that could not be written either: the next clean-up does it.
    told = archived(s3, tables=["xcom"])
    manifests = [read_manifest(s3.client, BUCKET, key) for key in s3.objects() if key.endswith("/manifest.json")]
    counts: dict[str, int] = {}
    for manifest in manifests:
        for table, count in manifest.row_counts.items():
            counts[table] = counts.get(table, 0) + count
    for table, count in told["rows"].items():
        lost[table] = lost.get(table, 0) + count
    assert counts == lost
    assert not [key for key in s3.objects() if "/pending/" in key]
    assert set(history.violations()) <= broken


def test_what_is_read_back_otherwise_than_it_was_written_stays(history, s3):
    some_history(history)

    def cut(params: dict[str, Any], **given: Any) -> None:
        if params["Key"].endswith(".csv.gz"):
            params["Body"] = params["Body"][:-3]

    s3.client.meta.events.register("before-parameter-build.s3.PutObject", cut, unique_id="cut")
    try:
        with pytest.raises(CleanupError, match="What was read back is not what was written"):
            archived(s3)
    finally:
        s3.client.meta.events.unregister("before-parameter-build.s3.PutObject", cut, unique_id="cut")
    assert history.count("dag_run") == 6
    assert history.count("log") == 3
    assert not [key for key in s3.objects() if key.endswith(".json")]


@pytest.fixture
def archive(engine, history, s3):
    def make(**wanted):
        with engine.connect() as connection:
            catalog = Catalog.read(connection)
        return Archive(Target(s3.client, BUCKET, "archive"), history.plan(**wanted), catalog, None)

    return make


def test_a_clean_up_that_was_killed_is_settled_by_the_next(history, engine, archive, s3):
    some_history(history)
    killed = archive()
    clean(engine, history.plan(), Settings(batch_size=5), removals=killed)  # and is never closed
    target = killed.target
    assert not [key for key in s3.objects() if key.endswith("manifest.json")]
    with engine.connect() as connection:
        (note,) = settle(target, connection)
        assert settle(target, connection) == []
    address = f"s3://{BUCKET}/archive/{killed.stamp}/manifest.json"
    assert address in note
    assert verify(s3.client, address).row_counts["dag_run"] == 4


def test_of_what_was_rolled_back_nothing_is_listed_and_nothing_stays(history, engine, archive, s3):
    some_history(history)

    def roll_back() -> None:
        statement = Sql("DELETE FROM log AS t WHERE t.dttm < %s::timestamptz", (CUT,))
        with archive().begin() as removal, engine.connect() as connection, connection.begin():
            assert removal.remove(connection, "log", "t", statement) == 2
            removal.finish(connection)
            with engine.connect() as other:
                assert settle(Target(s3.client, BUCKET, "archive"), other) == []  # it is under way
            assert len(s3.objects()) == 2
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        roll_back()
    with engine.connect() as connection:
        assert settle(Target(s3.client, BUCKET, "archive"), connection) == []
    assert s3.objects() == []
    assert history.count("log") == 3


def test_rows_that_are_locked_stay_and_are_not_listed(history, engine, archive, lock, s3):
    for _ in range(20):
        history.aged("log", 60)
    (first,) = history.rows.execute("SELECT min(id) FROM log")[0]
    made = archive(tables=("log",))
    with lock(f"SELECT FROM log WHERE id = {first + 7} FOR UPDATE"):
        report = clean(engine, history.plan(tables=("log",)), Settings(limits=Limits(5, 0.05)), removals=made)
    made.close()
    assert report.rows == {"log": 19}
    assert verify(s3.client, made.address).row_counts == {"log": 19}
    assert history.rows.execute("SELECT id FROM log") == [(first + 7,)]


def test_nothing_that_went_leaves_nothing(history, s3):
    history.run("newest", 1)
    told = archived(s3)
    assert (told["archive"], told["rows"], s3.objects()) == ("", {}, [])


def test_a_bucket_that_cannot_be_written_to_is_named_with_all_else(history, s3):
    some_history(history)
    with pytest.raises(InvalidInputError) as refused:
        archived(s3, archive_to="s3://no-such-bucket/archive", tables=["logg"], parallel=0)
    problems = list(refused.value.problems)
    assert [problem.partition(":")[0] for problem in problems] == ["parallel", "tables", "archive_to"]
    assert "There is no bucket 'no-such-bucket'" in problems[2]
    with pytest.raises(InvalidInputError, match="is not an address in S3"):
        archived(s3, archive_to="my-bucket/archive")
    with pytest.raises(CleanupError, match="it cannot archive what goes"):
        archived(s3, route="cli", environment_name="there")
    assert history.count("log") == 3


def test_values_are_written_into_a_statement_as_they_are():
    hard = ['a"b', "c\\d", "e'f", "g,h", "{i}", "", "NULL", "ü"]
    assert written_out("x = ANY(%s::text[]) AND y LIKE 'a%%' AND z = %s::bigint[]", (hard, [1, 2])) == (
        """x = ANY('{"a\\"b","c\\\\d","e''f","g,h","{i}","","NULL","ü"}'::text[]) AND y LIKE 'a%' AND z = '{"1","2"}'::bigint[]"""
    )


def test_hard_values_come_to_the_database_as_they_are(engine):
    hard = ['a"b', "c\\d", "e'f", "g,h", "{i}", "", "NULL", "ü 🎈", "\n"]
    with engine.connect() as connection:
        statement = written_out("SELECT unnest(%s::text[]), %s::timestamptz = %s::timestamptz", (hard, CUT, CUT))
        assert [tuple(row) for row in connection.exec_driver_sql(statement.replace("%", "%%"))] == [
            (value, True) for value in hard
        ]


KILLED = """
import sys
import boto3
from datetime import datetime
from mwaa_provider.metadata.cleanup.asking import run_cleanup
client = boto3.client("s3", endpoint_url=sys.argv[1])
run_cleanup({"before": sys.argv[2], "archive_to": sys.argv[3], "batch_size": 4}, None, lambda: client)
"""


@pytest.mark.patient
def test_killed_at_any_moment_what_is_gone_is_listed_by_the_next_one(history, s3):
    for number in range(60):
        history.run(f"old_{number:02}", 60)
    history.run("newest", 1)
    before = {table: history.count(table) for table in history.plan().touched}
    arguments = [sys.executable, "-c", KILLED, s3.endpoint_url, CUT.isoformat(), WHERE]
    for _ in range(3):
        process = subprocess.Popen(arguments, env=os.environ, stderr=subprocess.DEVNULL)
        runs, deadline = history.count("dag_run"), time.monotonic() + 60
        while history.count("dag_run") > runs - 8 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
    time.sleep(1)  # PostgreSQL notices that they are gone
    archived(s3)
    assert history.run_ids() == ["newest"]
    lost = {table: count - history.count(table) for table, count in before.items() if count > history.count(table)}
    counts: dict[str, int] = {}
    for key in s3.objects():
        if key.endswith("/manifest.json"):
            for table, count in verify(s3.client, f"s3://{BUCKET}/{key}").row_counts.items():
                counts[table] = counts.get(table, 0) + count
    assert counts == lost
    assert not [key for key in s3.objects() if "/pending/" in key]
