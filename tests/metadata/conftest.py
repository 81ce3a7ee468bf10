"""What the tests of the metadata database share: the release's real schema with rows in it, and a bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.metadata import Rows
from tests.support.s3 import S3, started_s3

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mwaa_provider.metadata.database import MetadataDatabase
    from tests.support.database import AirflowDatabase


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3]:
    with started_s3() as s3:
        yield s3


@pytest.fixture
def s3(s3_server: S3) -> Iterator[S3]:
    yield s3_server
    s3_server.empty()


@pytest.fixture
def rows(airflow_database: AirflowDatabase) -> Iterator[Rows]:
    """Writes rows into the real schema, and removes them at the end."""
    with Rows.opened(airflow_database.home) as rows:
        yield rows


@pytest.fixture
def database(airflow_database: AirflowDatabase) -> MetadataDatabase:
    """The way to the metadata database that Airflow's own settings give."""
    from mwaa_provider.metadata.database import by_airflows_settings

    way = by_airflows_settings()
    assert way is not None
    return way
