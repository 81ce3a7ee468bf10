"""How a process may reach the metadata database: an Airflow connection, Airflow's own settings, or what MWAA's container says.

No URL, password or raw connection is kept: MWAA swaps in a 15-minute token when an engine connects, and passwords are rotated.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from mwaa_provider import airflow_compat
from mwaa_provider.exceptions import MetadataDatabaseError
from mwaa_provider.metadata.selecting import SETTINGS

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Connection, Engine

#: What Airflow 3 puts in place of the URL in a task's process.
_NOT_ALLOWED = "airflow-db-not-allowed"
_CONNECT_SECONDS = 10


@dataclass(frozen=True)
class TimeLimits:
    """How long the database may take; set by ``SET LOCAL``, because proxies refuse connection options.

    :param statement: Seconds for one statement, a whole ``COPY`` being one (default an hour); 0 for no limit.
    :param idle: Seconds that the transaction may lie idle between two (default ten minutes): a snapshot that nobody reads holds up vacuum.
    :param lock: Seconds to wait for a lock (default ten).
    """

    statement: float = 3600.0
    idle: float = 600.0
    lock: float = 10.0

    def statements(self) -> tuple[str, ...]:
        """Write them as SQL."""
        return (
            f"SET LOCAL statement_timeout = {int(self.statement * 1000)}",
            f"SET LOCAL idle_in_transaction_session_timeout = {int(self.idle * 1000)}",
            f"SET LOCAL lock_timeout = {int(self.lock * 1000)}",
        )


@dataclass(frozen=True)
class MetadataDatabase:
    """One way to the metadata database. It holds no URL and no password, only where they are read from when they are needed.

    :param origin: Where the address comes from, for messages.
    :param read_url: Reads the address.
    :param schema: The schema of Airflow's tables (default: the first that the connection finds).
    """

    origin: str
    read_url: Callable[[], URL] = field(repr=False)
    schema: str | None = None

    def engine(self) -> Engine:
        """Make an engine that opens a connection for every use and keeps none.

        :raises MetadataDatabaseError: The address cannot be read, or is not one of PostgreSQL.
        """
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool

        url = _with_a_driver_that_is_here(self._url())
        # connect_timeout is libpq's own; nothing that a proxy would have to understand.
        return create_engine(
            url, poolclass=NullPool, connect_args={"connect_timeout": _CONNECT_SECONDS}, hide_parameters=True
        )

    @contextmanager
    def snapshot(self, limits: TimeLimits | None = None, exported: str | None = None) -> Iterator[Connection]:
        """Open one read-only transaction whose every statement sees the same moment, and end it.

        :param limits: How long the database may take.
        :param exported: The id of another transaction's snapshot to see (default: one of its own).
        :raises MetadataDatabaseError: The database cannot be reached.
        """
        engine = self.engine()
        try:
            connection = engine.connect()
        except Exception as error:
            raise self._unreachable(error) from None
        try:
            # Ended by closing, which rolls back: there is nothing to commit, and a copy that was left early has broken the connection.
            begin_snapshot(connection, limits, exported)
            yield connection
        finally:
            connection.close()
            engine.dispose()

    def _url(self) -> URL:
        from sqlalchemy.exc import ArgumentError

        try:
            url = self.read_url()
        except ArgumentError:
            # SQLAlchemy's message would show it.
            raise MetadataDatabaseError(
                f"What {self.origin} gives is not the URL of a database.", origin=self.origin
            ) from None
        if url.password:
            airflow_compat.mask_secret(str(url.password))
        if url.get_backend_name() != "postgresql":
            raise MetadataDatabaseError(
                f"{self.origin} leads to a database of kind {url.get_backend_name()!r}; only PostgreSQL, which MWAA has, will do.",
                origin=self.origin,
            )
        return url

    def _unreachable(self, error: Exception) -> MetadataDatabaseError:
        detail = " ".join(str(getattr(error, "orig", None) or error).split())
        url = self.read_url()
        for secret in (str(url.password or ""), str(url)):
            if secret:
                detail = detail.replace(secret, "***")
        return MetadataDatabaseError(
            f"The metadata database cannot be reached by {self.origin}: {detail}", origin=self.origin
        )


def begin_snapshot(connection: Connection, limits: TimeLimits | None = None, exported: str | None = None) -> None:
    """Begin a read-only transaction whose every statement sees the same moment, instead of the one that may be under way.

    :param connection: The connection.
    :param limits: How long the database may take.
    :param exported: The id of another transaction's snapshot to see (default: one of its own).
    """
    under_way = connection.get_transaction()
    if under_way is not None:
        under_way.rollback()
    connection.begin()
    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    if exported is not None:
        connection.exec_driver_sql("SET TRANSACTION SNAPSHOT %s", (exported,))
    for statement in (*SETTINGS, *(limits or TimeLimits()).statements()):
        connection.exec_driver_sql(statement)


def by_connection(conn_id: str) -> MetadataDatabase:
    """Reach it by an Airflow connection of type ``postgres``.

    :param conn_id: The connection's id.
    """
    return MetadataDatabase(f"the connection {conn_id!r}", lambda: _url_of_connection(conn_id))


def by_airflows_settings() -> MetadataDatabase | None:
    """Reach it as this process's own Airflow does; ``None`` where Airflow 3 keeps it from a task's process."""
    if _NOT_ALLOWED in (airflow_compat.configured("database", "sql_alchemy_conn") or _NOT_ALLOWED):
        return None
    return MetadataDatabase(
        "Airflow's own settings ([database] sql_alchemy_conn)",
        lambda: _made(airflow_compat.configured("database", "sql_alchemy_conn") or ""),
        schema=airflow_compat.configured("database", "sql_alchemy_schema") or None,
    )


def by_mwaas_variables(environment: Mapping[str, str] | None = None) -> MetadataDatabase | None:
    """Reach it by the variables ``MWAA__DB__*`` of MWAA's container; ``None`` where they are not shown.

    https://github.com/aws/amazon-mwaa-docker-images

    :param environment: The variables (default: this process's).
    """
    variables = os.environ if environment is None else environment
    if not variables.get("MWAA__DB__POSTGRES_HOST"):
        return None
    return MetadataDatabase("MWAA's variables MWAA__DB__*", lambda: _url_of_variables(variables))


def ways(metadata_conn_id: str | None = None) -> list[MetadataDatabase]:
    """Name the ways of this process, the best first; that one is among them does not say that it leads there.

    :param metadata_conn_id: An Airflow connection, which then is the only way.
    """
    if metadata_conn_id is not None:
        return [by_connection(metadata_conn_id)]
    return [way for way in (by_airflows_settings(), by_mwaas_variables()) if way is not None]


def ways_to(environment_name: str | None, metadata_conn_id: str | None = None) -> tuple[list[MetadataDatabase], str]:
    """Name the ways to an environment's metadata database, the best first; without any, a sentence says why.

    :param environment_name: The environment (default: the one that this process belongs to).
    :param metadata_conn_id: An Airflow connection, which then is the only way.
    """
    here = os.environ.get("AIRFLOW_ENV_NAME")  # set in every MWAA container, see aws/amazon-mwaa-docker-images
    if environment_name is not None and environment_name != here and metadata_conn_id is None:
        this = f"this is {here!r}" if here else "this is no MWAA environment"
        return [], f"environment {environment_name!r} was asked for, and {this}."
    found = ways(metadata_conn_id)
    why = "Airflow 3 keeps its settings from tasks, and no variables MWAA__DB__* are shown in this container."
    return found, "" if found else why


def _made(text: str) -> URL:
    from sqlalchemy.engine import make_url

    # SQLAlchemy 1.4 does not know Heroku's spelling, which Airflow admits.
    return make_url(text.replace("postgres://", "postgresql://", 1) if text.startswith("postgres://") else text)


def _url_of_connection(conn_id: str) -> URL:
    from sqlalchemy.engine import URL

    connection = airflow_compat.connection(conn_id)
    if connection.conn_type not in ("postgres", "postgresql"):
        raise MetadataDatabaseError(
            f"The connection {conn_id!r} is of type {connection.conn_type!r}; make one of type 'postgres'.",
            origin=f"the connection {conn_id!r}",
        )
    extra = connection.extra_dejson
    query = {name: str(extra[name]) for name in extra if name.startswith("ssl")}
    host = connection.host
    if host and host.startswith("/"):  # a unix socket's folder
        query["host"], host = host, None
    return URL.create(
        "postgresql",
        username=connection.login,
        password=connection.password,
        host=host,
        port=connection.port,
        database=connection.schema,
        query=query,
    )


def _url_of_variables(variables: Mapping[str, str]) -> URL:
    from sqlalchemy.engine import URL

    try:
        credentials: Any = json.loads(variables.get("MWAA__DB__CREDENTIALS") or "{}")
    except ValueError:
        credentials = {}
    if not isinstance(credentials, dict):
        credentials = {}
    mode = variables.get("MWAA__DB__POSTGRES_SSLMODE")
    host: str | None = variables["MWAA__DB__POSTGRES_HOST"]
    query = {"sslmode": mode} if mode else {}
    if host and host.startswith("/"):
        query["host"], host = host, None
    return URL.create(
        "postgresql",
        username=credentials.get("username") or variables.get("MWAA__DB__POSTGRES_USER"),
        password=credentials.get("password") or variables.get("MWAA__DB__POSTGRES_PASSWORD"),
        host=host,
        port=int(variables.get("MWAA__DB__POSTGRES_PORT") or 5432),
        database=variables.get("MWAA__DB__POSTGRES_DB") or "AirflowMetadata",
        query=query,
    )


def _with_a_driver_that_is_here(url: URL) -> URL:
    """Keep the driver that the URL names if it can be imported and is synchronous; else take the other one."""
    from sqlalchemy import __version__ as sqlalchemy_version

    drivers = {"psycopg2": "psycopg2", "psycopg": "psycopg"}
    if sqlalchemy_version.startswith("1."):
        del drivers["psycopg"]  # SQLAlchemy 2 speaks it first
    named = url.drivername.partition("+")[2]
    order = [named, *drivers] if named in drivers else list(drivers)
    for driver in order:
        if find_spec(drivers[driver]):
            return url.set(drivername=f"postgresql+{driver}")
    raise MetadataDatabaseError(
        "Neither psycopg2 nor psycopg is installed, so PostgreSQL cannot be spoken to: pip install psycopg2-binary",
        origin="this process",
    )
