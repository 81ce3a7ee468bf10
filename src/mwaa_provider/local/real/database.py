"""One environment's metadata database: a copy of a migrated one on a server of ours, or one that the user gives."""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.local.real.errors import StartFailedError
from mwaa_provider.local.real.line import sqlalchemy_url
from mwaa_provider.local.real.postgres import PostgresServer, connect

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg2.extensions  # type: ignore[import-untyped,unused-ignore]


class MetadataDatabase:
    """Where an environment keeps its metadata.

    :param postgres: A server to share, the URL of an empty database, or None for a server of its own.
    """

    def __init__(self, postgres: PostgresServer | str | None) -> None:
        self._server: PostgresServer | None = None if isinstance(postgres, str) else postgres or PostgresServer()
        self._is_own_server = postgres is None
        self._url = plain_url(postgres) if isinstance(postgres, str) else ""
        self._name = ""

    def open(self) -> None:
        """See to a server, from which on the URL is known; the database comes with :meth:`create`."""
        if self._server is None:
            self._check_empty()
            return
        self._server.start()
        self._name = f"airflow_{secrets.token_hex(6)}"
        self._url = self._server.url(self._name)

    def create(self, key: str, migrate: Callable[[str], None]) -> None:
        """Make the database ready for Airflow.

        :param key: What tells one Airflow's tables from another's.
        :param migrate: Makes Airflow's tables in the empty database with the given URL.
        """
        if self._server is None:
            migrate(self._url)
            return
        server = self._server
        template = server.prepared_database(key, lambda name: migrate(server.url(name)))
        server.create_database(self._name, template)

    def drop(self) -> None:
        """Remove it, unless it is the user's. Safe to call twice."""
        if self._server is None:
            return
        name, self._name, self._url = self._name, "", ""
        if self._is_own_server:
            self._server.stop()
        elif name:
            # A shared server may be gone already, and the database with it.
            with suppress(Exception):
                self._server.drop_database(name)

    @property
    def url(self) -> str:
        """Its URL, which holds a password; empty before :meth:`open`."""
        return self._url

    def connect(self) -> psycopg2.extensions.connection:
        """Connect to it."""
        return connect(self._url)

    def _check_empty(self) -> None:
        import psycopg2  # type: ignore[import-untyped,unused-ignore]

        try:
            connection = connect(self._url)
        except psycopg2.OperationalError as error:
            raise StartFailedError(
                "The given PostgreSQL database cannot be reached. Check its URL: host, port, user, password, name.",
                component="postgres",
                log="",
            ) from error
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema()")
                tables = (cursor.fetchone() or (0,))[0]
        finally:
            connection.close()
        if tables:
            raise InvalidInputError(
                [f"postgres: the given database holds {tables} tables. Give an empty one; nothing was changed in it."]
            )


def plain_url(url: str) -> str:
    """Bring a URL of PostgreSQL into the form that libpq reads, without SQLAlchemy's driver name.

    :raises InvalidInputError: It is a URL of something else.
    """
    if not url.startswith(("postgresql://", "postgres://", "postgresql+")):
        raise InvalidInputError(["postgres: not the URL of a PostgreSQL database, which begins with postgresql://."])
    return sqlalchemy_url(url, "").replace("postgresql+://", "postgresql://", 1)
