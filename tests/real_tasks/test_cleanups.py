"""Clean-ups in tasks of a real Airflow, of its own environment and of another, and beside a scheduler at work."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest

from mwaa_provider.local.real import RealAirflow
from mwaa_provider.metadata.cleanup.database_cleaner import DatabaseCleaner
from mwaa_provider.metadata.cleanup.request import read_request
from mwaa_provider.metadata.database import MetadataDatabase
from mwaa_provider.metadata.export.verifying import verify
from tests.real_tasks.conftest import DAGS, Source, is_airflow_2, run_to_its_end
from tests.support.clones import clone_run

pytestmark = pytest.mark.real_airflow

RUNS = 120
SINCE = datetime(2024, 1, 1, tzinfo=timezone.utc)


@pytest.mark.patient
def test_a_task_cleans_its_own_environment(source: Source) -> None:
    """Airflow 2 by its database; Airflow 3 by its web server, as a task of it has no database. What goes is archived before."""
    run_id = run_to_its_end(source, "source", "parallel")
    add_old_runs(source.airflow, run_id)
    assert old_runs(source.airflow) == RUNS
    run_to_its_end(source, "source", "cleaning_source")
    assert old_runs(source.airflow) == 0
    assert f"(road '{'database' if is_airflow_2(source) else 'metadata_api'}')" in source.logs("cleaning_source")
    assert source.client.get_dag_run("source", "parallel", run_id).state == "success"
    (manifest,) = (key for key in source.s3.objects() if key.startswith("archive/") and key.endswith("/manifest.json"))
    archived = verify(source.s3.client, f"s3://exports/{manifest}")
    assert {table: archived.row_counts[table] for table in ("dag_run", "task_instance")} == {
        "dag_run": RUNS,
        "task_instance": 4 * RUNS,
    }


@pytest.fixture(params=["metadata_api", "cli"])
def other(request: pytest.FixtureRequest, source: Source) -> Iterator[str]:
    """Another environment, with the metadata API switched on or off; gives the road that there is to it."""
    if is_airflow_2(source) and request.param == "metadata_api":
        pytest.skip("an Airflow 2 has no metadata API")
    switch = str(request.param == "metadata_api")
    airflow = RealAirflow(
        dags_folder=DAGS,
        environment={
            **source.variables,
            "AIRFLOW__MWAA_PROVIDER__METADATA_API": switch,
            "AIRFLOW__MWAA_PROVIDER__METADATA_API_CLEANUP": switch,
        },
    )
    source.mwaa.create_environment("other", airflow)
    try:
        run_id = run_to_its_end(source, "other", "parallel", airflow)
        add_old_runs(airflow, run_id)
        yield request.param
        assert old_runs(airflow) == 0
        assert source.client.get_dag_run("other", "parallel", run_id).state == "success"
    finally:
        source.mwaa.delete_environment("other")


@pytest.mark.slow
def test_a_task_cleans_another_environment(source: Source, other: str) -> None:
    run_to_its_end(source, "source", "cleaning_other", patience=600)
    assert f"(road '{other}')" in source.logs("cleaning_other")


@pytest.mark.patient
def test_the_scheduler_goes_on_beside_a_clean_up(source: Source) -> None:
    from sqlalchemy.engine import make_url

    def clean() -> None:
        try:
            while not is_over.is_set():
                add_old_runs(source.airflow, run_id)
                database = MetadataDatabase("the test", lambda: make_url(source.airflow.database_url))
                request = read_request(before="2024-06-01T00:00:00+00:00", tables=["dag_run"], batch_size=50)
                rows.append(DatabaseCleaner(database).clean(request).rows.get("dag_run", 0))
        except Exception as error:
            errors.append(error)

    run_id = run_to_its_end(source, "source", "parallel")
    rows: list[int] = []
    errors: list[Exception] = []
    is_over = threading.Event()
    cleaning = threading.Thread(target=clean)
    cleaning.start()
    try:
        for _ in range(2):
            before = len(rows)
            run_to_its_end(source, "source", "parallel")
            assert len(rows) > before  # clean-ups began and ended while that run went from queued to success
        assert source.airflow.health()["scheduler"] == "healthy"
    finally:
        is_over.set()
        cleaning.join(60)
    assert errors == []
    assert set(rows) == {RUNS}
    assert old_runs(source.airflow) == 0


def add_old_runs(airflow: RealAirflow, run_id: str) -> None:
    connection = airflow.connect()
    try:
        with connection, connection.cursor() as cursor:
            clone_run(cursor, run_id, SINCE, RUNS)
    finally:
        connection.close()


def old_runs(airflow: RealAirflow) -> Any:
    connection = airflow.connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM dag_run WHERE start_date < '2024-06-01Z'")
            return cursor.fetchone()[0]
    finally:
        connection.close()
