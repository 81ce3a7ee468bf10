"""The Airflow releases of MWAA: their Python, where their constraint file is, what MWAA installs by itself.

From the user guide's pages on Airflow versions, provider packages and Python dependencies. A later release is taken too, if its Python
is named: the list is not closed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mwaa_provider.exceptions import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

PROVIDER_PREFIX = "apache-airflow-providers-"

#: What MWAA installs over whatever requirements.txt brought, so that logs reach CloudWatch.
WATCHTOWER = "2.0.1"

#: What is there on MWAA in any case, with all that it asks for.
AIRFLOW_ITSELF = ("apache-airflow", "apache-airflow-core", "apache-airflow-task-sdk")

#: Where MWAA unpacks plugins.zip.
PLUGINS_FOLDER = "/usr/local/airflow/plugins"

# Amazon Linux 2023 on x86-64 has glibc 2.34.
_GLIBC = (2, 34)
_ARCHITECTURE = "x86_64"


@dataclass(frozen=True)
class Release:
    """One Airflow release on MWAA.

    :param airflow: The release.
    :param python: Its Python, such as ``3.12``.
    :param providers: What MWAA installs of Airflow's providers: distribution to version; empty where AWS has published no table.
    """

    airflow: str
    python: str
    providers: Mapping[str, str] = field(default_factory=dict)

    @property
    def numbers(self) -> tuple[int, ...]:
        """The release as numbers, to compare."""
        return tuple(map(int, self.airflow.split(".")))

    @property
    def python_numbers(self) -> tuple[int, int]:
        """The Python as numbers."""
        major, minor = self.python.split(".")
        return int(major), int(minor)

    @property
    def constraint_url(self) -> str:
        """Where Airflow publishes the constraint file."""
        return (
            f"https://raw.githubusercontent.com/apache/airflow/constraints-{self.airflow}/constraints-{self.python}.txt"
        )

    @property
    def platforms(self) -> list[str]:
        """The platforms whose wheels run there, the newest first, as wheels' names have them."""
        numbered = [f"manylinux_2_{minor}_{_ARCHITECTURE}" for minor in range(_GLIBC[1], 4, -1)]
        old = [f"manylinux{name}_{_ARCHITECTURE}" for name in ("2014", "2010", "1")]
        return [*numbered, *old, f"linux_{_ARCHITECTURE}"]

    @property
    def markers(self) -> dict[str, str]:
        """The environment that decides over ``; python_version < "3.12"`` and the like."""
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.python}.0",
            "os_name": "posix",
            "platform_machine": _ARCHITECTURE,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": "linux",
            "extra": "",
        }


# AWS's table of provider packages, a column each; AWS has published none for 2.11.2 and 3.3.1.
_NAMES = ("amazon", "postgres", "ftp", "fab", "celery", "http", "imap", "common-sql", "sqlite", "smtp")
_INSTALLED = {
    ("2.7.2", "3.11"): "8.7.1 5.6.1 3.5.2 - 3.3.4 4.5.2 3.3.2 1.7.2 3.4.3 -",
    ("2.8.1", "3.11"): "8.16.0 5.10.0 3.7.0 - 3.5.1 4.8.0 3.5.0 1.10.0 3.7.0 -",
    ("2.9.2", "3.11"): "8.24.0 5.11.1 3.9.1 1.1.1 3.7.2 4.11.1 3.6.1 1.14.0 3.8.1 1.7.1",
    ("2.10.1", "3.11"): "8.28.0 5.12.0 3.11.0 1.3.0 3.8.1 4.13.0 3.7.0 1.16.0 3.9.0 1.8.0",
    ("2.10.3", "3.11"): "9.0.0 5.13.1 3.11.1 1.5.0 3.8.3 4.13.2 3.7.0 1.19.0 3.9.0 1.8.0",
    ("2.11.0", "3.12"): "9.8.0 6.2.0 3.13.0 1.5.3 3.11.0 5.3.0 3.9.0 1.27.1 4.1.0 2.1.0",
    ("2.11.2", "3.12"): "",
    ("3.0.6", "3.12"): "9.9.0 6.2.1 3.13.1 2.3.0 3.12.1 5.3.2 3.9.1 1.27.3 4.1.1 -",
    ("3.2.1", "3.12"): "9.25.0 6.6.3 3.14.3 3.6.1 3.18.0 6.0.2 3.11.2 1.34.0 4.3.2 -",
    ("3.3.1", "3.12"): "",
}

RELEASES = {
    airflow: Release(
        airflow,
        python,
        {
            f"{PROVIDER_PREFIX}{name}": version
            for name, version in zip(_NAMES, versions.split(), strict=False)
            if version != "-"
        },
    )
    for (airflow, python), versions in _INSTALLED.items()
}


def release_of(airflow: str, python: str | None = None) -> Release:
    """Return what is known of a release.

    :param airflow: The release, such as ``3.2.1``.
    :param python: Its Python. Default: the one that MWAA runs it on; must be given for a release that is not in the list.
    :raises InvalidInputError: It is no release, or one whose Python is not known.
    """
    if not re.fullmatch(r"\d+\.\d+\.\d+", airflow):
        raise InvalidInputError([f"airflow: {airflow!r} is no release; give one like {list(RELEASES)[-1]}"])
    if python is not None and not re.fullmatch(r"3\.\d+", python):
        raise InvalidInputError([f"python_version: {python!r} is no version; give one like 3.12"])
    known = RELEASES.get(airflow)
    if python is not None:
        return Release(airflow, python, known.providers if known else {})
    if known is None:
        raise InvalidInputError(
            [
                f"airflow: {airflow} is none of the releases whose Python is known ({', '.join(RELEASES)}); give its Python "
                "with it (--python)"
            ]
        )
    return known
