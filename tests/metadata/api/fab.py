"""An api-server of Airflow 3 with FAB for its auth manager, as MWAA has it, in an environment of its own; the plugin lies in a folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg2
import requests

from mwaa_provider.local.real.line import sqlalchemy_url
from mwaa_provider.local.real.postgres import PostgresServer
from mwaa_provider.local.real.web import free_port
from tests.metadata.api.attacks import Target
from tests.metadata.api.heartbeats import until
from tests.packaging.test_client_alone import _uv
from tests.support.processes import ROOT

ROLES = ("Admin", "Op", "User", "Viewer")
#: A newer one of the second wants a newer PyJWT than the pins of 3.0.6 have.
FAB = ("apache-airflow-providers-fab", "flask-jwt-extended<=4.7.1")
PASSWORD = "a password of these tests"

USERS = """
import sys
from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

with get_application_builder() as builder:
    manager = builder.sm
    auditor = manager.add_role("Auditor")
    manager.add_permission_to_role(auditor, manager.create_permission("can_read", "Roles"))
    roles = {name: manager.find_role(name) for name in ("Admin", "Op", "User", "Viewer", "Auditor")}
    for name, role in {**roles, "Retired": roles["Admin"]}.items():
        user = manager.add_user(name, name, name, name + "@example.com", role, password=sys.argv[1])
        assert user, name
"""


class Fab:
    """The api-server.

    :param url: Its address.
    :param database_url: The metadata database.
    """

    def __init__(self, url: str, database_url: str, secret: str) -> None:
        self.url = url
        self._database_url = database_url
        self._tokens: dict[str, str] = {}
        self.target = Target(url, self.token, secret)

    def token(self, user: str) -> str:
        if user not in self._tokens:
            body = {"username": user, "password": PASSWORD}
            answer = requests.post(f"{self.url}/auth/token", json=body, timeout=60)
            assert answer.status_code == 201, answer.text
            self._tokens[user] = answer.json()["access_token"]
        return self._tokens[user]

    def rows(self, statement: str) -> list[Any]:
        connection = psycopg2.connect(self._database_url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement)
                return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()


@contextmanager
def fab(folder: Path, secret: str) -> Iterator[Fab]:
    """Make the environment, the database and the users; run the api-server.

    :param folder: An empty folder.
    :param secret: What it signs its tokens with.
    """
    python = folder / "venv/bin/python"
    release = version("apache-airflow")
    _uv("venv", "--python", sys.executable, str(folder / "venv"))
    pins = str(ROOT / f"pins/airflow-{release}.txt")
    _uv("pip", "install", "--python", str(python), "-r", pins, *FAB)
    (folder / "plugins").mkdir()
    # As plugins.zip has it. Without .airflowignore, Airflow would take each module of the package for a plugin, under its short name.
    for name in ("mwaa_provider_metadata_api.py", ".airflowignore"):
        shutil.copy(ROOT / "plugins" / name, folder / "plugins")
    (folder / "plugins/mwaa_provider").symlink_to(ROOT / "src/mwaa_provider")
    server, port = PostgresServer(), free_port()
    server.start()
    try:
        url = server.url(server.create_database("airflow"))
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
            "PATH": f"{python.parent}:{os.environ['PATH']}",
            "AIRFLOW_HOME": str(folder),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": sqlalchemy_url(url, "psycopg2"),
            "AIRFLOW__CORE__AUTH_MANAGER": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(folder / "plugins"),
            "AIRFLOW__API__SECRET_KEY": secret,
            "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
            "AIRFLOW__API_AUTH__JWT_SECRET": secret,
            "AIRFLOW__MWAA_PROVIDER__METADATA_API": "True",
            "AIRFLOW__MWAA_PROVIDER__METADATA_API_CLEANUP": "True",
            "NO_PROXY": "*",
        }

        def run(*arguments: str) -> None:
            done = subprocess.run(
                [str(python), *arguments], env=environment, cwd=folder, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]

        run("-m", "airflow", "db", "migrate")
        run("-c", USERS, PASSWORD)
        log = folder / "api-server.log"
        command = [
            str(python),
            "-m",
            "airflow",
            "api-server",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--workers",
            "1",
        ]
        with log.open("wb") as output:
            process = subprocess.Popen(command, env=environment, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
        try:
            address = f"http://127.0.0.1:{port}"
            until(lambda: _is_up(address), lambda: log.read_text()[-6000:])
            yield Fab(address, url, secret)
        finally:
            process.terminate()
            process.wait(60)
    finally:
        server.stop()


def _is_up(address: str) -> bool:
    try:
        return requests.get(f"{address}/api/v2/version", timeout=10).status_code == 200
    except requests.RequestException:
        return False
