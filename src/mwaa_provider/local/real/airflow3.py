"""Airflow 3: api-server, scheduler, DAG processor, triggerer, with the simple auth manager."""

from __future__ import annotations

import json
import os
import secrets
from typing import TYPE_CHECKING

from mwaa_provider.local.real.line import Component
from mwaa_provider.local.real.web import send

if TYPE_CHECKING:
    from mwaa_provider.local.backend import AirflowRole
    from mwaa_provider.local.real.settings import Masker, Settings

_SIMPLE = "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"
# The simple auth manager knows no role without any rights, so Public is refused before it gets there.
_USERS: dict[AirflowRole, str] = {"Admin": "admin", "Op": "op", "User": "user", "Viewer": "viewer"}


class Airflow3:
    """The Airflow 3 line.

    :param settings: What the processes are told.
    :param masker: Is told every secret that is made up here.
    """

    api = "/api/v2"
    health_path = "/api/v2/monitor/health"
    health_of: tuple[str, ...] = ("metadatabase", "scheduler", "triggerer", "dag_processor")
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
        "fastapi",
        "uvicorn",
        "cadwyn",
        "jwt",
    )

    def __init__(self, settings: Settings, masker: Masker) -> None:
        self._settings = settings
        self._passwords = {user: secrets.token_hex(16) for user in _USERS.values()}
        self._passwords_file = settings.home / "simple_auth_manager_passwords.json"
        self._jwt_secret = secrets.token_hex(48)
        self._masker = masker
        self._tokens: dict[AirflowRole, str] = {}
        masker.add(self._jwt_secret, *self._passwords.values())

    def variables(self) -> dict[str, str]:
        """Give the environment variables that only Airflow 3 has."""
        port = str(self._settings.port)
        return {
            "AIRFLOW__API__BASE_URL": self._settings.base_url,
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": port,
            "AIRFLOW__API__SECRET_KEY": self._settings.session_key,
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API_AUTH__JWT_SECRET": self._jwt_secret,
            "AIRFLOW__CORE__AUTH_MANAGER": _SIMPLE,
            # Tasks and DAG processor speak with the api-server itself, not through MWAA's front.
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self._passwords_file),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{user}:{user}" for user in self._passwords),
            # How often new DAG files are looked for, in seconds (default 300).
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
        }

    def components(self) -> list[Component]:
        """Give the processes to run."""
        server = ["api-server", "--host", "127.0.0.1", "--port", str(self._settings.port), "--workers", "1"]
        return [
            Component("api-server", "airflow", server, "webserver"),
            Component("scheduler", "airflow", ["scheduler", "--skip-serve-logs"], "scheduler"),
            Component("dag-processor", "airflow", ["dag-processor"], "scheduler"),
            Component("triggerer", "airflow", ["triggerer", "--skip-serve-logs"], "scheduler"),
        ]

    def prepare_home(self) -> None:
        """Write the users' passwords, so that the api-server neither makes up nor prints any."""
        with open(os.open(self._passwords_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self._passwords, file)

    def admit_roles(self) -> bool:
        """Log in as the administrator; the users themselves come from the settings."""
        return self.rest_headers("Admin") is not None

    def rest_headers(self, role: AirflowRole) -> dict[str, str] | None:
        """Give the bearer header; None for Public."""
        token = self._token(role)
        return None if token is None else {"Authorization": f"Bearer {token}"}

    def page_headers(self, role: AirflowRole) -> dict[str, str] | None:
        """Give bearer header and cookie; None for Public."""
        token = self._token(role)
        return None if token is None else {"Authorization": f"Bearer {token}", "Cookie": f"_token={token}"}

    def forget(self, role: AirflowRole) -> None:
        """Drop the role's token."""
        self._tokens.pop(role, None)

    def is_login_demanded(self, status: int, location: str) -> bool:
        """Tell whether the token was refused."""
        return status == 401 or "/auth/login" in location

    def _token(self, role: AirflowRole) -> str | None:
        if role not in _USERS:
            return None
        if role not in self._tokens:
            user = _USERS[role]
            body = json.dumps({"username": user, "password": self._passwords[user]}).encode()
            answer = send(
                self._settings.port, "POST", "/auth/token", body=body, headers={"Content-Type": "application/json"}
            )
            if answer.status != 201:
                raise ConnectionError(f"the api-server gave no token for the role {role} (HTTP {answer.status})")
            token = str(json.loads(answer.body)["access_token"])
            self._masker.add(token)
            self._tokens[role] = token
        return self._tokens[role]
