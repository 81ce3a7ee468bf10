"""Airflow 2: web server, scheduler, triggerer, with one user per role in the metadata database."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from mwaa_provider.local.real.line import Component, Connect
from mwaa_provider.local.real.web import HttpAnswer, send

if TYPE_CHECKING:
    from mwaa_provider.local.backend import AirflowRole
    from mwaa_provider.local.real.settings import Masker, Settings

_ROLES: tuple[AirflowRole, ...] = ("Admin", "Op", "User", "Viewer", "Public")
# Few rounds: the passwords are random, and basic authentication checks them at every call.
_ROUNDS = 1000

_WEBSERVER_CONFIG = """
from flask_appbuilder.const import AUTH_DB

AUTH_TYPE = AUTH_DB
WTF_CSRF_ENABLED = True
RATELIMIT_ENABLED = False
"""


class Airflow2:
    """The Airflow 2 line.

    :param settings: What the processes are told.
    :param connect: Connects to the metadata database.
    :param masker: Is told every secret that is made up here.
    """

    api = "/api/v1"
    health_path = "/health"
    health_of: tuple[str, ...] = ("metadatabase", "scheduler", "triggerer")
    modules: tuple[str, ...] = (
        "airflow",
        "airflow.models",
        "airflow.cli.cli_parser",
        "airflow.serialization.serialized_objects",
        "airflow.providers_manager",
        "airflow.jobs.scheduler_job_runner",
        "airflow.jobs.triggerer_job_runner",
        "airflow.dag_processing.manager",
        "airflow.executors.local_executor",
        "connexion",
        "flask_appbuilder",
        "gunicorn.app.wsgiapp",
    )

    def __init__(self, settings: Settings, connect: Connect, masker: Masker) -> None:
        self._settings = settings
        self._connect = connect
        self._passwords: dict[AirflowRole, str] = {role: secrets.token_hex(16) for role in _ROLES}
        self._cookies: dict[AirflowRole, str] = {}
        self._logging_in = threading.Lock()
        self._masker = masker
        self._admitted = False
        masker.add(*self._passwords.values(), *map(_basic, self._passwords, self._passwords.values()))

    def variables(self) -> dict[str, str]:
        """Give the environment variables that only Airflow 2 has."""
        return {
            "AIRFLOW__API__AUTH_BACKENDS": "airflow.api.auth.backend.basic_auth",
            # How often new DAG files are looked for, in seconds (default 300).
            "AIRFLOW__SCHEDULER__DAG_DIR_LIST_INTERVAL": "5",
            "AIRFLOW__WEBSERVER__BASE_URL": self._settings.base_url,
            "AIRFLOW__WEBSERVER__CONFIG_FILE": str(self._settings.home / "webserver_config.py"),
            "AIRFLOW__WEBSERVER__SECRET_KEY": self._settings.session_key,
            "AIRFLOW__WEBSERVER__WARN_DEPLOYMENT_EXPOSURE": "False",
            "AIRFLOW__WEBSERVER__WEB_SERVER_PORT": str(self._settings.port),
            "AIRFLOW__WEBSERVER__WORKERS": "1",
        }

    def components(self) -> list[Component]:
        """Give the processes to run."""
        # What `airflow webserver` runs in the end, without the process that watches it (seconds, and 100 MB).
        server = [
            *("--workers", "1", "--threads", "4", "--timeout", "120"),
            *("--bind", f"127.0.0.1:{self._settings.port}", "--name", "airflow-webserver"),
            *("--config", "python:airflow.www.gunicorn_config", "--preload", "airflow.www.app:cached_app()"),
        ]
        return [
            Component("web server", "gunicorn", server, "webserver"),
            Component("scheduler", "airflow", ["scheduler", "--skip-serve-logs"], "scheduler"),
            Component("triggerer", "airflow", ["triggerer", "--skip-serve-logs"], "scheduler"),
        ]

    def prepare_home(self) -> None:
        """Write the web server's configuration, without the limit on log-ins."""
        (self._settings.home / "webserver_config.py").write_text(_WEBSERVER_CONFIG)

    def admit_roles(self) -> bool:
        """Make the users once the web server has made the roles; `airflow users create` costs seconds for each."""
        if self._admitted:
            return True
        connection = self._connect()
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute("SELECT name, id FROM ab_role")
                roles = dict(cursor.fetchall())
                if not set(_ROLES) <= set(roles):
                    return False
                for role, password in self._passwords.items():
                    user = _user(role)
                    cursor.execute(
                        "INSERT INTO ab_user"
                        " (id, first_name, last_name, username, password, active, email, created_on, changed_on)"
                        " VALUES (nextval('ab_user_id_seq'), %s, %s, %s, %s, true, %s, now(), now()) RETURNING id",
                        (role, "of the local MWAA", user, _hashed(password), f"{user}@example.com"),
                    )
                    cursor.execute(
                        "INSERT INTO ab_user_role (id, user_id, role_id)"
                        " VALUES (nextval('ab_user_role_id_seq'), %s, %s)",
                        (cursor.fetchone()[0], roles[role]),
                    )
        finally:
            connection.close()
        self._admitted = True
        return True

    def rest_headers(self, role: AirflowRole) -> dict[str, str] | None:
        """Give basic authentication."""
        return {"Authorization": f"Basic {_basic(role, self._passwords[role])}"}

    def page_headers(self, role: AirflowRole) -> dict[str, str] | None:
        """Give the cookie of a session, after logging in at the web server's own form."""
        # A page and its scripts ask at once: with two sessions, the token in the page would not fit the later one.
        with self._logging_in:
            if role not in self._cookies:
                form = send(self._settings.port, "GET", "/login/", headers={})
                csrf = re.search(rb'name="csrf_token"[^>]*value="([^"]+)"', form.body)
                fields = {
                    "csrf_token": csrf[1].decode() if csrf else "",
                    "username": _user(role),
                    "password": self._passwords[role],
                }
                answer = send(
                    self._settings.port,
                    "POST",
                    "/login/",
                    body=urlencode(fields).encode(),
                    headers={
                        "Content-Type": "application/x-www-form-urlencoded",
                        "Cookie": f"session={_session(form)}",
                    },
                )
                if answer.status != 302 or "/login" in answer.header("location") or not _session(answer):
                    raise ConnectionError(f"the web server gave no session for the role {role} (HTTP {answer.status})")
                self._masker.add(_session(answer))
                self._cookies[role] = _session(answer)
            return {"Cookie": f"session={self._cookies[role]}"}

    def forget(self, role: AirflowRole) -> None:
        """Drop the role's session."""
        self._cookies.pop(role, None)

    def is_login_demanded(self, status: int, location: str) -> bool:
        """Tell whether the session was refused."""
        return status == 302 and "/login/" in location


def _user(role: AirflowRole) -> str:
    return role.lower()


def _basic(role: AirflowRole, password: str) -> str:
    return base64.b64encode(f"{_user(role)}:{password}".encode()).decode()


def _hashed(password: str) -> str:
    salt = secrets.token_hex(8)
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), _ROUNDS).hex()
    return f"pbkdf2:sha256:{_ROUNDS}${salt}${digest}"


def _session(answer: HttpAnswer) -> str:
    for name, value in answer.headers:
        if name == "set-cookie" and (cookie := re.match(r"session=([^;]+)", value)):
            return cookie[1]
    return ""
