"""The metadata API of a real Airflow 3: attacked, and compared with the other roads to the same rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from mwaa_provider.local.real import RealAirflow
from mwaa_provider.metadata.catalog import Catalog
from mwaa_provider.metadata.database import MetadataDatabase
from mwaa_provider.metadata.export.api_source import ApiSource
from mwaa_provider.metadata.export.rest_source import RestSource
from mwaa_provider.metadata.export.source import Asked
from mwaa_provider.metadata.selecting import copy_rows
from tests.contract.environments import JWT_SECRET, NAME, Contract
from tests.metadata.api import attacks
from tests.metadata.api.support import AIRFLOW_3_ONLY
from tests.support.clones import clone_run

pytestmark = AIRFLOW_3_ONLY
#: For conftest: nothing here is about an Airflow that is played.
ONLY_REAL = True


@pytest.fixture(scope="module")
def airflow(environment: Contract) -> RealAirflow:
    (there,) = environment.mwaa.environments
    assert isinstance(there.backend, RealAirflow)
    return there.backend


@pytest.fixture(scope="module")
def target(environment: Contract, airflow: RealAirflow) -> attacks.Target:
    environment.client().set_variable(NAME, "planted", attacks.PLANTED)
    return attacks.Target(
        airflow.inner_url, lambda role: airflow.credentials(role)["Authorization"].removeprefix("Bearer "), JWT_SECRET
    )


def rows_of(airflow: RealAirflow, query: str) -> list[Any]:
    connection = airflow.connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())
    finally:
        connection.close()


def test_nobody_but_an_administrator_gets_in(target):
    attacks.nobody_but_an_administrator_gets_in(target)


def test_a_cookie_does_not_count(target):
    attacks.a_cookie_does_not_count(target)


def test_hostile_names_and_ranges_are_refused(target, airflow):
    attacks.hostile_names_and_ranges_are_refused(target, lambda query: rows_of(airflow, query))


def test_secrets_stay_at_home(target):
    attacks.secrets_stay_at_home(target)


def test_a_thousand_at_once_are_two_at_a_time(target):
    attacks.a_thousand_at_once_are_two_at_a_time(target)


SINCE = datetime(2024, 1, 1, tzinfo=timezone.utc)
UNTIL = SINCE + timedelta(days=100)


@pytest.fixture(scope="module")
def history(environment: Contract, airflow: RealAirflow) -> Iterator[None]:
    """Two hundred runs of the past and their tasks, made of a real one."""
    client = environment.client()
    run = client.trigger_dag_run(
        NAME, "contract_quick", conf={"bb": [1, 2.5, None], "a": 'é "quoted", 100%', "c": {"n": 1e16}}
    )
    environment.wait(client, "contract_quick", run.run_id)
    connection = airflow.connect()
    try:
        with connection, connection.cursor() as cursor:
            clone_run(cursor, run.run_id, SINCE, 200)
        yield
    finally:
        connection.close()


def by_source(source: Any, table: str) -> tuple[list[bytes], Any]:
    (selection,) = source.selections(Asked((table,), SINCE, UNTIL))
    with source.open(selection) as rows:
        found = sorted(b"".join(rows.chunks()).splitlines(keepends=True))
    return found, rows


@pytest.mark.parametrize("table", ["dag_run", "task_instance"])
def test_every_road_brings_the_same_rows(environment, airflow, history, table):
    client = environment.client()
    with ApiSource(client, NAME) as source:
        by_api, rows = by_source(source, table)
    assert (rows.row_count, len(by_api)) == (200, 200)
    by_database, columns = copied(airflow, table)
    assert rows.columns == columns
    assert by_api == by_database

    with RestSource(client, NAME) as source:
        by_rest, shown = by_source(source, table)
    names = [column.name for column in shown.columns]
    assert by_rest == copied(airflow, table, names)[0]
    assert (shown.row_count, shown.first_age, shown.last_age) == (rows.row_count, rows.first_age, rows.last_age)
    assert {"dag_id", "run_id", "state", "start_date", "end_date"} <= set(names)
    assert shown.fraction is not None
    assert 0.9 < shown.fraction <= 1


def copied(airflow: RealAirflow, table: str, names: list[str] | None = None) -> tuple[list[bytes], tuple[Any, ...]]:
    """The rows as the database itself writes them, on the road of a task that may use it."""
    from sqlalchemy.engine import make_url

    from mwaa_provider.metadata.copying import Copied

    database = MetadataDatabase("the test", lambda: make_url(airflow.database_url))
    with database.snapshot() as connection:
        found = Catalog.read(connection).tables[table]
        columns = found.columns if names is None else tuple(found.column(name) for name in names)
        statement = copy_rows(
            found, columns, f"start_date >= '{SINCE.isoformat()}' AND start_date < '{UNTIL.isoformat()}'"
        )
        csv = b"".join(Copied(connection, statement).chunks())
    return sorted(csv.splitlines(keepends=True)), columns
