"""The metadata API in this process: its application on the installed Airflow's real schema, behind the local MWAA's web server."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest
from botocore.config import Config

from mwaa_provider.airflow_compat import AIRFLOW_3
from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.local import Identity, LocalMwaa, ScriptedAirflow
from mwaa_provider.local.backend import AirflowRole, BackendAnswer, BackendRequest

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

    from tests.support.database import AirflowDatabase

AIRFLOW_3_ONLY = pytest.mark.skipif(not AIRFLOW_3, reason="the metadata API is for Airflow 3's web server alone")
SECRET = "0123456789abcdef" * 8
URL = "/metadata/v1"


@dataclass
class Database:
    """The metadata database, seen past the metadata API.

    :param connection: A connection that commits by itself.
    """

    connection: Any

    def run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall()) if cursor.description else []

    def copied(self, query: str) -> list[bytes]:
        """The rows of a query as PostgreSQL's own COPY writes them, sorted."""
        with self.connection.cursor() as cursor:
            cursor.execute("SET TimeZone = 'UTC'")
            sink = io.BytesIO()
            cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT csv)", sink)
        return sorted(sink.getvalue().splitlines(keepends=True))


@pytest.fixture(scope="session")
def database(airflow_database: AirflowDatabase) -> Iterator[Database]:
    connection = psycopg2.connect(airflow_database.url.replace("+psycopg2", ""))
    connection.autocommit = True
    try:
        yield Database(connection)
    finally:
        connection.close()


@pytest.fixture(scope="session")
def token_of(airflow_database: AirflowDatabase) -> Iterator[Callable[..., str]]:
    """Makes a token of Airflow's own simple auth manager, which this process's configuration names."""
    from airflow.api_fastapi.app import create_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    os.environ["AIRFLOW__API_AUTH__JWT_SECRET"] = SECRET
    manager = create_auth_manager()

    def token(role: str, seconds: int = 600) -> str:
        user = SimpleAuthManagerUser(username=role.lower(), role=role)
        return manager.generate_jwt(user, expiration_time_in_seconds=seconds)

    try:
        yield token
    finally:
        del os.environ["AIRFLOW__API_AUTH__JWT_SECRET"]


def client_of(app: Any) -> TestClient:
    from fastapi.testclient import TestClient

    return TestClient(app, raise_server_exceptions=False)


class WithMetadataApi(ScriptedAirflow):
    """An Airflow played in memory whose plugins' part is the real application.

    :param client: Asks the application.
    :param token_of: Makes tokens.
    """

    def __init__(self, client: TestClient, token_of: Callable[..., str]) -> None:
        super().__init__("3.3.1")
        self.client = client
        self._token_of = token_of

    def plugin(self, request: BackendRequest) -> BackendAnswer:
        role: AirflowRole = request.airflow_role
        headers = dict(request.headers)
        if request.shown == "bearer":
            headers["Authorization"] = f"Bearer {self._token_of(role.upper())}"
        answer = self.client.request(
            request.method, request.path.removeprefix("/mwaa_provider"), content=request.body, headers=headers
        )
        kept = tuple((name, answer.headers[name]) for name in ("retry-after",) if name in answer.headers)
        return BackendAnswer(answer.status_code, answer.content, answer.headers["content-type"], kept)


@dataclass
class Local:
    """A local MWAA with one environment, whose web server has the metadata API.

    :param mwaa: The local MWAA.
    :param backend: What stands behind the environment.
    """

    mwaa: LocalMwaa
    backend: WithMetadataApi

    def client(self, identity: Identity | None = None) -> MwaaClient:
        return MwaaClient(
            session=self.mwaa.boto3_session(identity),
            endpoint_url=self.mwaa.endpoint_url,
            botocore_config=Config(inject_host_prefix=False),
            verify=str(self.mwaa.ca_file),
        )

    def times_asked(self, what: str) -> int:
        return self.mwaa.journal.count(path=f"/mwaa_provider{URL}/{what}")


@pytest.fixture
def local(token_of: Callable[..., str]) -> Iterator[Local]:
    from mwaa_provider.metadata.api.app import create_app

    with LocalMwaa() as mwaa:
        backend = WithMetadataApi(client_of(create_app()), token_of)
        mwaa.create_environment("there", backend)
        yield Local(mwaa, backend)


@contextmanager
def table(database: Database, name: str, columns: str, rows: str = "") -> Iterator[str]:
    """A further table in the metadata database, as a plugin may bring one.

    :param database: The database.
    :param name: Its name.
    :param columns: Its columns, as SQL.
    :param rows: A query that gives its rows (default: none).
    """
    quoted = '"' + name.replace('"', '""') + '"'
    database.run(f"DROP TABLE IF EXISTS {quoted}")
    database.run(f"CREATE TABLE {quoted} ({columns})")
    try:
        if rows:
            database.run(f"INSERT INTO {quoted} {rows}")
        database.run(f"ANALYZE {quoted}")
        yield name
    finally:
        database.run(f"DROP TABLE {quoted}")
