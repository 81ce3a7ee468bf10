"""The environment variables that every test runs under: an Airflow home of its own, no AWS account, no proxy.

Set while ``tests/conftest.py`` is imported, because Airflow reads its configuration at ``import airflow``.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

# Proxies and certificate bundles of the machine would be asked for, or trusted, in place of the local servers that
# tests start.
_DROPPED = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "PYTHONPATH")

#: The environment as it was, for what a test has to have installed: proxies and certificates of the way to the package index.
OUTSIDE = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}


@dataclass(frozen=True)
class TestHome:
    """Where this session of tests keeps everything.

    :param folder: Its folder; short, because PostgreSQL's unix socket lies in it and a socket's path may have 107
        bytes only.
    """

    __test__ = False

    folder: Path

    @property
    def airflow_home(self) -> Path:
        """``AIRFLOW_HOME``."""
        return self.folder / "airflow"

    @property
    def dags_folder(self) -> Path:
        """An empty DAG folder, for what is imported in the tests' own process."""
        return self.folder / "dags"

    @property
    def postgres_data(self) -> Path:
        """PostgreSQL's data, and its unix socket."""
        return self.folder / "pg"

    @property
    def database_url(self) -> str:
        """The metadata database, known before it is started: an engine connects when it is first used."""
        return f"postgresql+psycopg2://postgres@/airflow?host={self.postgres_data}"


def set_environment() -> TestHome:
    """Make the folder and set ``os.environ``, which the processes that tests start inherit."""
    # As root PostgreSQL runs as a user of its own, which has to be able to reach the data.
    home = TestHome(Path(tempfile.mkdtemp(prefix="mwaa-tests-", dir="/tmp")))
    for folder in (home.airflow_home, home.dags_folder):
        folder.mkdir()
    for name in list(os.environ):
        foreign = name.startswith(("AIRFLOW_", "AIRFLOW__", "AWS_", "MWAA_")) or name.lower().endswith("_proxy")
        if foreign or name in _DROPPED:
            del os.environ[name]
    os.environ.update(
        {
            "AIRFLOW_HOME": str(home.airflow_home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(home.dags_folder),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": home.database_url,
            # The default connections hold an aws_default of their own.
            "AIRFLOW__DATABASE__LOAD_DEFAULT_CONNECTIONS": "False",
            "AIRFLOW__CORE__FERNET_KEY": "",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": str(home.folder / "no-aws-config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(home.folder / "no-aws-credentials"),
            "NO_PROXY": "*",
            "SCARF_ANALYTICS": "false",
        }
    )
    return home
