"""What the tests of the clean-up share."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from mwaa_provider.metadata.cleanup.cleaning import clean
from mwaa_provider.metadata.cleanup.schema import Schema
from tests.metadata.cleanup.history import History

if TYPE_CHECKING:
    pass


@pytest.fixture
def engine(database):
    engine = database.engine()
    yield engine
    engine.dispose()


@pytest.fixture
def schema(engine):
    with engine.connect() as connection:
        return Schema.read(connection)


@pytest.fixture
def history(rows, schema) -> History:
    return History.emptied(rows, schema)


@pytest.fixture
def cleaned(engine, history):
    """Cleans, and tells what was done."""

    def do(settings=None, stop=None, **wanted):
        return clean(engine, history.plan(**wanted), settings, stop=stop)

    return do


@contextmanager
def locked(home, statement: str, values=None):
    """Keep what a statement locks locked, as another transaction would."""
    import psycopg2

    connection = psycopg2.connect(host=str(home.postgres_data), user="postgres", dbname="airflow")
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
        yield
    finally:
        connection.rollback()
        connection.close()


@pytest.fixture
def lock(airflow_database):
    return lambda statement, values=None: locked(airflow_database.home, statement, values)
