"""The environment variables of Airflow's processes: Airflow's own options, and what MWAA sets in its containers."""

from __future__ import annotations

import base64
import os
import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# A local environment is not to act with the developer's AWS identity, nor to inherit settings of an Airflow around it.
_NOT_INHERITED = re.compile(
    r"^(AIRFLOW_|AIRFLOW__|AWS_|MWAA_|PG[A-Z]+$|SQLALCHEMY_|GUNICORN_|FORWARDED_ALLOW_IPS$|VIRTUAL_ENV$|PYTHONHOME$)"
)
_SECRET_NAME = re.compile(r"CONN|PASSWORD|SECRET|TOKEN|KEY|CREDENTIAL|VAR_")
_SHORTEST_MASKED = 6
_MASK = "***"
# A longer temporary folder would leave no room for the unix sockets that multiprocessing makes in it.
_LONGEST_TEMPORARY = 60


@dataclass(frozen=True)
class Settings:
    """Everything one environment's processes are told.

    :param environment_name: The MWAA environment's name.
    :param base_url: Where users see the web server.
    :param airflow_version: Airflow's version.
    :param python: The interpreter.
    :param home: ``AIRFLOW_HOME``.
    :param dags_folder: Where the DAG files are.
    :param port: Where the web server listens on 127.0.0.1.
    :param paused_at_creation: Whether new DAGs are paused.
    :param extra: Further environment variables, which win.
    """

    environment_name: str
    base_url: str
    airflow_version: str
    python: str
    home: Path
    dags_folder: Path
    port: int
    paused_at_creation: bool
    extra: Mapping[str, str] = field(repr=False)
    fernet_key: str = field(default_factory=lambda: base64.urlsafe_b64encode(os.urandom(32)).decode(), repr=False)
    session_key: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)

    @property
    def temporary(self) -> Path:
        """Where Airflow's own temporary files go; its web server leaves some behind."""
        return self.home / "tmp"

    def variables(self, database_url: str, component: str) -> dict[str, str]:
        """Give the environment variables of a process, without what only one Airflow line has.

        :param database_url: For SQLAlchemy.
        :param component: What MWAA would call the container: ``webserver``, ``scheduler`` ...
        """
        inherited = {name: value for name, value in os.environ.items() if not _NOT_INHERITED.match(name)}
        return {
            **inherited,
            # Airflow's processes talk to each other on 127.0.0.1, which no proxy may come between.
            **{name: _with_loopback(inherited.get(name, "")) for name in ("NO_PROXY", "no_proxy")},
            **self._airflow(database_url),
            **self._mwaa(component),
            **self.extra,
        }

    def _airflow(self, database_url: str) -> dict[str, str]:
        return {
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW_CONFIG": str(self.home / "airflow.cfg"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags_folder),
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": str(self.paused_at_creation),
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__FERNET_KEY": self.fernet_key,
            # The host's full name is looked up in the DNS otherwise.
            "AIRFLOW__CORE__HOSTNAME_CALLABLE": "socket.gethostname",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            # On Airflow 2 each slot is a process from the start.
            "AIRFLOW__CORE__PARALLELISM": "8",
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(self.home / "plugins"),
            "AIRFLOW__DATABASE__LOAD_DEFAULT_CONNECTIONS": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database_url,
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self.home / "logs"),
            # Airflow's usage statistics go to somebody else's server.
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "SCARF_ANALYTICS": "false",
            "PATH": os.pathsep.join([os.path.dirname(self.python), os.environ.get("PATH", os.defpath)]),
            "PYTHONUNBUFFERED": "1",
            **({"TMPDIR": str(self.temporary)} if len(str(self.temporary)) <= _LONGEST_TEMPORARY else {}),
        }

    def _mwaa(self, component: str) -> dict[str, str]:
        return {
            "AIRFLOW_CONN_AWS_DEFAULT": "aws://",
            "AIRFLOW_ENV_ID": self.environment_name,
            "AIRFLOW_ENV_NAME": self.environment_name,
            "AIRFLOW_VERSION": self.airflow_version,
            "AWS_DEFAULT_REGION": self.extra.get("AWS_REGION", "us-east-1"),
            "AWS_EXECUTION_ENV": f"Amazon_MWAA_{self.airflow_version.replace('.', '')}",
            "AWS_REGION": "us-east-1",
            "CUSTOMER_ACCOUNT_ID": "123456789012",
            "MWAA_AIRFLOW_COMPONENT": component,
            "MWAA_COMMAND": component,
        }


class Masker:
    """Takes secrets out of text."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()

    def add(self, *values: str) -> None:
        """Remember secrets; a URL's password is one by itself."""
        for value in values:
            parts = {value}
            if "://" in value:
                password = urlsplit(value).password or ""
                parts |= {password, unquote(password)}
            self._secrets |= {part for part in parts if len(part) >= _SHORTEST_MASKED}

    def add_variables(self, variables: Mapping[str, str]) -> None:
        """Remember the values of environment variables whose names sound secret."""
        self.add(*(value for name, value in variables.items() if _SECRET_NAME.search(name) and value != "aws://"))

    def __call__(self, text: str) -> str:
        """Give the text with every secret that has been added replaced."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, _MASK)
        return text


def _with_loopback(hosts: str) -> str:
    return ",".join([*filter(None, hosts.split(",")), "127.0.0.1", "localhost"])
