"""MetadataToS3Operator as Airflow runs it: with a connection, from templates and once more."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from types import SimpleNamespace

import pytest

from mwaa_provider.transfers.metadata_to_s3 import MetadataToS3Operator
from tests.support.metadata import EPOCH, Rows
from tests.support.s3 import BUCKET, started_s3
from tests.support.tasks import context_of


@pytest.fixture(scope="module")
def s3_server():
    with started_s3() as s3:
        yield s3


@pytest.fixture
def s3(s3_server, monkeypatch):
    monkeypatch.setenv(
        "AIRFLOW_CONN_AWS_TEST",
        json.dumps({"conn_type": "aws", "extra": {"endpoint_url": s3_server.endpoint_url, "region_name": "eu-west-1"}}),
    )
    yield s3_server
    s3_server.empty()


@pytest.fixture
def rows(airflow_database):
    with Rows.opened(airflow_database.home) as rows:
        yield rows


def task(**given):
    return MetadataToS3Operator(task_id="export", s3_bucket=BUCKET, aws_conn_id="aws_test", **given)


def test_it_exports_by_an_airflow_connection(rows, s3):
    rows.add_task_instance(EPOCH)
    operator = task(
        tables="['task_instance', 'log']",
        since="2026-01-01T00:00:00+00:00",
        until="2026-03-01T00:00:00+00:00",  # what other tests leave is younger
        max_age_in_days="",
        verify_files=True,
    )
    context = context_of(operator) | {"logical_date": datetime(2026, 1, 31, 1, tzinfo=timezone.utc)}
    folder = "metadata/airflow/2026-01-31/manual__2026-01-31"
    assert operator.execute(context) == {
        "manifest": f"s3://{BUCKET}/{folder}/manifest.json",
        "row_counts": {"task_instance": 1, "log": 0},
    }
    assert s3.objects() == [f"{folder}/log.csv.gz", f"{folder}/manifest.json", f"{folder}/task_instance.csv.gz"]
    assert json.loads(s3.read(f"{folder}/manifest.json"))["exported_by"] == {
        "environment": "",
        "dag_id": "calling_dag",
        "run_id": "manual__2026-01-31",
        "task_id": "export",
        "map_index": -1,
    }


def test_the_next_try_of_the_same_task_instance_replaces_its_own(rows, s3):
    operator = task(s3_key_template="{table}.{format}")
    context = context_of(operator) | {"dag_run": SimpleNamespace(run_after=EPOCH)}
    first = operator.execute(context)
    assert task(s3_key_template="{table}.{format}").execute(context) == first
    with pytest.raises(ValueError, match="is not of this task instance"):
        task(s3_key_template="{table}.{format}").execute(context_of(operator, run_id="manual__other"))
