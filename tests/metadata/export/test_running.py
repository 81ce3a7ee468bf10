"""An export as a whole: what lies in S3 afterwards, and what does not."""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import re
import threading
from datetime import timedelta
from typing import Any

import pytest

from mwaa_provider.exceptions import ExportError, InvalidInputError, MetadataDatabaseError, VerificationError
from mwaa_provider.metadata.database import TimeLimits
from mwaa_provider.metadata.export import s3_upload
from mwaa_provider.metadata.export.database_source import open_database
from mwaa_provider.metadata.export.manifest import Manifest
from mwaa_provider.metadata.export.source import Asked
from mwaa_provider.metadata.export.stopping import Stop
from mwaa_provider.metadata.export.verifying import verify
from tests.support.metadata import EPOCH, Rows
from tests.support.s3 import BUCKET


@pytest.fixture
def small_parts(monkeypatch):
    """The least that S3 admits, so that a small table takes several."""
    monkeypatch.setattr(s3_upload, "PART_BYTES", 5 * 1024 * 1024)


def lines(data: bytes) -> list[str]:
    return gzip.decompress(data).decode().splitlines()


def test_the_manifest_tells_what_lies_beside_it(rows, s3, export):
    rows.add_task_instance(EPOCH, task_id="first")
    rows.add_task_instance(EPOCH + timedelta(hours=1, microseconds=5), task_id="last")
    result = export(verify=True, exported_by={"dag_id": "export"})
    assert s3.objects() == ["x/manifest.json", "x/task_instance.csv.gz"]
    assert result.xcom() == {"manifest": f"s3://{BUCKET}/x/manifest.json", "row_counts": {"task_instance": 2}}
    manifest = Manifest.from_json(s3.read("x/manifest.json"), "")
    assert manifest == result.manifest
    (file,) = manifest.files
    data = s3.read(file.key)
    assert (file.table, file.row_count, file.size) == ("task_instance", 2, len(data))
    assert file.sha256 == hashlib.sha256(data).hexdigest()
    assert (file.age_column, file.first_age, file.last_age) == (
        "start_date",
        "2026-01-01T00:00:00.000000Z",
        "2026-01-01T01:00:00.000005Z",
    )
    assert [column.name for column in file.columns] == lines(data)[0].split(",")
    assert {column.name: column.encoding for column in file.columns}["executor_config"] == "base64"
    assert (manifest.road, manifest.environment, manifest.missing) == ("database", None, ())
    assert manifest.road_reason == (
        "The rows come by Airflow's own settings ([database] sql_alchemy_conn) (road 'database'), the first that leads there."
    )
    assert manifest.schema_revision
    assert manifest.exported_by == {"dag_id": "export"}


def test_the_interval_holds_its_beginning_and_not_its_end(rows, s3, export):
    for hours in (-1, 0, 1, 2):
        rows.add_task_instance(EPOCH + timedelta(hours=hours), task_id=f"at_{hours}")
    rows.add_task_instance(None, task_id="never_started")
    export(since=EPOCH, until=EPOCH + timedelta(hours=2), file_format="jsonl", compression=None)
    assert [json.loads(line)["task_id"] for line in s3.read("x/task_instance.jsonl").splitlines()] == ["at_0", "at_1"]


def test_tables_without_an_age_are_whole_and_it_is_said(rows, export):
    rows.add("dag_tag", name="nightly", dag_id="a")
    manifest = export(tables=["dag_tag", "task_instance"], since=EPOCH).manifest
    assert manifest.row_counts == {"dag_tag": 1, "task_instance": 0}
    assert "Exported whole, as their rows have no age: dag_tag." in manifest.notes


def test_tables_written_at_the_same_time_are_of_one_snapshot(rows, export):
    """A writer adds a run and its task instance in one transaction, all the time: no export may see one without the other."""
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            rows.execute("BEGIN")
            rows.add("dag_run", start_date=EPOCH, run_type="manual", dag_id="a", state="success")
            rows.add_task_instance()
            rows.execute("COMMIT")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        counts = [
            export(tables=["dag_run", "task_instance"], at_once=2, overwrite=True).manifest.row_counts for _ in range(5)
        ]
    finally:
        done.set()
        writer.join()
    assert all(count["dag_run"] == count["task_instance"] for count in counts)
    assert counts[0] != counts[-1]


def test_a_snapshot_that_cannot_be_shared_is_read_by_one_connection_and_it_is_said(rows, export, monkeypatch):
    from mwaa_provider.metadata.export import database_source

    def refuse(self: Any) -> None:
        raise RuntimeError("invalid snapshot identifier")

    monkeypatch.setattr(database_source.DatabaseSource, "_check_that_it_is_imported", refuse)
    rows.add_task_instance()
    manifest = export(tables=["dag_run", "task_instance", "log"]).manifest
    assert manifest.row_counts == {"dag_run": 0, "task_instance": 1, "log": 0}
    assert manifest.notes[0] == (
        "The snapshot cannot be shared between connections (invalid snapshot identifier): tables are read one after another."
    )


def test_a_server_that_exports_no_snapshot_is_read_by_one_connection_too(rows, export, monkeypatch):
    from mwaa_provider.metadata.export import database_source

    ask = database_source._scalar
    monkeypatch.setattr(
        database_source,
        "_scalar",
        lambda connection, query: ask(connection, query.replace("pg_export_snapshot", "pg_no_such")),
    )
    rows.add_task_instance()
    manifest = export(tables=["dag_run", "task_instance"]).manifest
    assert manifest.row_counts == {"dag_run": 0, "task_instance": 1}
    assert "pg_no_such" in manifest.notes[0]


def test_a_rerun_replaces_its_own_objects_and_removes_what_is_no_more(rows, s3, export):
    rows.add_task_instance()
    export(tables=["task_instance", "log"])
    export(tables=["task_instance"], file_format="jsonl")
    assert s3.objects() == ["x/manifest.json", "x/task_instance.jsonl.gz"]


def test_somebody_elses_objects_are_not_replaced(rows, s3, export):
    s3.client.put_object(Bucket=BUCKET, Key="x/task_instance.csv.gz", Body=b"theirs")
    with pytest.raises(InvalidInputError) as raised:
        export()
    assert raised.value.problems == (
        "s3_key_template: 'x/task_instance.csv.gz' is there already and is not of this task instance; put {run_id} into the template, or "
        "set overwrite=True to replace it",
    )
    assert s3.read("x/task_instance.csv.gz") == b"theirs"
    export(overwrite=True)
    assert lines(s3.read("x/task_instance.csv.gz"))


def test_further_arguments_go_to_every_object(rows, s3, export):
    export(
        extra_args={
            "StorageClass": "STANDARD_IA",
            "Tagging": "team=data",
            "ServerSideEncryption": "AES256",
            "Metadata": {"a": "b"},
        }
    )
    for key in s3.objects():
        found = s3.client.head_object(Bucket=BUCKET, Key=key)
        assert (found["StorageClass"], found["ServerSideEncryption"]) == ("STANDARD_IA", "AES256")
        assert found["Metadata"] == {"a": "b", "mwaa-export-owner": "me"}
        assert s3.client.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"] == [{"Key": "team", "Value": "data"}]


def test_all_that_is_wrong_is_named_together_before_anything_is_read(s3, export):
    with pytest.raises(InvalidInputError) as raised:
        export(
            s3_bucket="no-such-bucket",
            tables=["taskinstance"],
            max_age_in_days=-1,
            file_format="xml",
            s3_key_template="a.csv",
            until="2026-01-01T00:00:00",
        )
    problems = tuple(re.sub(r"(did you mean 'task_instance' or ).*", r"\1...", one) for one in raised.value.problems)
    assert problems == (
        "until: datetime.datetime(2026, 1, 1, 0, 0) is not a moment with time zone; give a datetime with tzinfo or text like "
        "'2026-01-31T12:00:00+00:00'",
        "max_age_in_days: -1 is not an age; give a number of days above 0",
        "file_format: 'xml' is not one of csv, jsonl, parquet",
        "tables: there is no table 'taskinstance' in this release; did you mean 'task_instance' or ...",
        "s3_bucket: there is no bucket 'no-such-bucket'; create it, or correct the name",
    )
    assert s3.objects() == []


def test_it_tells_how_far_it_is(rows, export):
    rows.add_many_task_instances(20_000, value="x" * 400)
    rows.execute("ANALYZE task_instance")
    told: list[tuple[str, int, float | None]] = []
    export(progress=lambda *one: told.append(one))
    sizes = [size for _, size, _ in told]
    assert sizes == sorted(sizes)
    assert told[-1] == ("task_instance", sizes[-1], 1.0)
    on_the_way = [(size / sizes[-1], fraction) for _, size, fraction in told[:-1]]
    assert len(on_the_way) > 5
    assert all(abs(fraction - (done if done < 0.99 else 0.99)) < 0.1 for done, fraction in on_the_way), on_the_way


def test_a_failure_while_rows_are_written_leaves_no_upload_and_no_manifest(rows, s3, export, small_parts):
    rows.add_many_task_instances(30_000, value="x" * 400)

    def fail(table: str, size: int, fraction: float | None) -> None:
        if size > 8_000_000:
            assert s3.uploads() == ["x/task_instance.csv"]
            raise RuntimeError("a worker's memory is full")

    with pytest.raises(RuntimeError, match="memory is full"):
        export(compression=None, progress=fail)
    assert s3.uploads() == []
    assert s3.objects() == []
    assert [one.name for one in threading.enumerate() if one.name == "copy" or one.name.startswith("export")] == []


@pytest.mark.patient
def test_a_task_that_is_killed_aborts_its_uploads(rows, s3, export, small_parts):
    rows.add_many_task_instances(30_000, value="x" * 400)
    stop = Stop()

    def kill(table: str, size: int, fraction: float | None) -> None:
        if size > 8_000_000:
            stop.within(4.0)
            assert s3.uploads() == []

    with pytest.raises(ExportError, match="was ended"):
        export(compression=None, progress=kill, stop=stop)
    assert (s3.uploads(), s3.objects()) == ([], [])


def test_a_task_that_is_killed_while_the_database_looks_for_rows_ends_too(rows, s3, export, airflow_database):
    stop = Stop()
    with Rows.opened(airflow_database.home) as other:
        other.execute("BEGIN; LOCK TABLE log IN ACCESS EXCLUSIVE MODE")
        threading.Timer(1.0, stop.now).start()
        with pytest.raises(ExportError, match="was ended"):
            export(tables=["log"], stop=stop)
        other.execute("ROLLBACK")
    assert (s3.uploads(), s3.objects()) == ([], [])


def test_time_limits_hold_and_are_told(rows, database, airflow_database):
    with Rows.opened(airflow_database.home) as other:
        other.execute("BEGIN; LOCK TABLE log IN ACCESS EXCLUSIVE MODE")
        with open_database(database, limits=TimeLimits(lock=0.2)) as source:
            (selection,) = source.selections(Asked(("log",)))
            limited = pytest.raises(
                MetadataDatabaseError, match="could not be read: canceling statement due to lock timeout"
            )
            with limited, source.open(selection) as opened:
                list(opened.chunks())
        other.execute("ROLLBACK")


def test_a_rerun_aborts_what_a_killed_process_left(rows, s3, export, caplog):
    s3.client.create_multipart_upload(Bucket=BUCKET, Key="x/task_instance.csv.gz")
    s3.client.create_multipart_upload(Bucket=BUCKET, Key="x/task_instance.csv.gz.other")
    with caplog.at_level(logging.INFO):
        export()
    assert s3.uploads() == ["x/task_instance.csv.gz.other"]
    assert "Aborted an upload of 'x/task_instance.csv.gz' that a killed process had left" in caplog.text


def test_a_failed_rerun_leaves_no_manifest_of_the_run_before(rows, s3, export):
    export()
    assert "x/manifest.json" in s3.objects()
    rows.add_task_instance()

    def fail(table: str, size: int, fraction: float | None) -> None:
        raise RuntimeError("in the second run")

    with pytest.raises(RuntimeError, match="in the second run"):
        export(progress=fail)
    assert "x/manifest.json" not in s3.objects()


def test_what_was_changed_in_s3_is_found(rows, s3, export):
    rows.add_task_instance()
    address = export(tables=["task_instance", "log", "dag_run"], file_format="csv", compression=None).address
    assert verify(s3.client, address).row_counts == {"task_instance": 1, "log": 0, "dag_run": 0}
    s3.client.put_object(Bucket=BUCKET, Key="x/task_instance.csv", Body=s3.read("x/task_instance.csv")[:-1] + b"!")
    s3.client.delete_object(Bucket=BUCKET, Key="x/log.csv")
    with pytest.raises(VerificationError) as raised:
        verify(s3.client, address)
    first, second = raised.value.differences
    assert first.startswith(f"s3://{BUCKET}/x/task_instance.csv has the sum (sha256) ")
    assert second == f"s3://{BUCKET}/x/log.csv is not there"


@pytest.mark.parametrize(
    ("kind", "packed"), [("csv", "gzip"), ("csv", "zstd"), ("jsonl", "zstd"), ("parquet", "zstd"), ("jsonl", None)]
)
def test_rows_are_counted_when_they_are_read_back(rows, s3, export, kind, packed):
    rows.add_task_instance(hostname='two\nlines, "quoted"')
    rows.add_task_instance(hostname='"')
    result = export(file_format=kind, compression=packed, verify=True)
    text = s3.read("x/manifest.json").decode().replace('"row_count": 2', '"row_count": 3')
    s3.client.put_object(Bucket=BUCKET, Key="x/manifest.json", Body=text.encode())
    with pytest.raises(VerificationError, match="holds 2 rows, not 3"):
        verify(s3.client, result.address)


def test_an_object_is_verified_in_the_version_that_was_written(rows, s3, export):
    s3.client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    try:
        address = export().address
        s3.client.put_object(Bucket=BUCKET, Key="x/task_instance.csv.gz", Body=b"newer")
        assert verify(s3.client, address).files[0].version_id
    finally:
        s3.client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})


def test_a_planted_secret_is_in_no_object_and_no_log(rows, s3, export, caplog):
    planted = "hunter2-planted-secret"
    rows.add(
        "connection",
        conn_id="db",
        conn_type="postgres",
        password=planted,
        extra=f'{{"token": "{planted}"}}',
        host=planted,
        login=planted,
    )
    rows.add("variable", key="key", val=planted)
    rows.add("trigger", classpath="a.B", kwargs=f'"{planted}"', created_date=EPOCH)
    if rows.has_table("session"):
        rows.add("session", session_id=planted, data=planted.encode(), expiry=EPOCH)
    for table in ("callback_request", "callback", "connection_test_request"):
        if rows.has_table(table):
            rows.add(table, callback_data=f'"{planted}"', data=f'"{planted}"', token=planted, password=planted)
    tables = [
        name
        for name in (
            "connection",
            "variable",
            "trigger",
            "session",
            "callback_request",
            "callback",
            "connection_test_request",
        )
        if rows.has_table(name)
    ]
    with caplog.at_level(logging.DEBUG):
        counts = export(tables=["history", *tables], compression=None).manifest.row_counts
    assert {name: counts[name] for name in tables} == dict.fromkeys(tables, 1)
    for key in s3.objects():
        assert planted.encode() not in s3.read(key)
    assert planted not in caplog.text
