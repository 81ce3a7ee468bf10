"""What differs between the lines of Airflow, as :class:`RealAirflow` sees it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import psycopg2.extensions  # type: ignore[import-untyped,unused-ignore]

    from mwaa_provider.local.backend import AirflowRole

Connect = Callable[[], "psycopg2.extensions.connection"]


@dataclass(frozen=True)
class Component:
    """One of the processes that make up an Airflow.

    :param name: What users call it.
    :param module: What to run with ``python -m``.
    :param arguments: Its arguments.
    :param mwaa_name: What MWAA's containers say in ``MWAA_AIRFLOW_COMPONENT``.
    """

    name: str
    module: str
    arguments: list[str]
    mwaa_name: str


class Line(Protocol):
    """Airflow 2 or Airflow 3."""

    api: str
    """The REST API's prefix."""
    health_path: str
    """Where the web server tells how the components are, to anybody."""
    health_of: tuple[str, ...]
    """The components that must be healthy."""

    modules: tuple[str, ...]
    """What the processes of this line have in common and is slow to import."""

    def variables(self) -> dict[str, str]:
        """Give the environment variables that only this line has."""

    def components(self) -> list[Component]:
        """Give the processes to run, the slowest to come up first."""

    def prepare_home(self) -> None:
        """Write the files that must be there before the first process starts."""

    def admit_roles(self) -> bool:
        """Make one user for each Airflow role; False while Airflow is not ready for it."""

    def rest_headers(self, role: AirflowRole) -> dict[str, str] | None:
        """Give the credentials for the REST API; None means that this role has none."""

    def page_headers(self, role: AirflowRole) -> dict[str, str] | None:
        """Give the credentials for the user interface; None means that this role has none."""

    def forget(self, role: AirflowRole) -> None:
        """Drop the credentials kept for a role, since the web server took them no longer."""

    def is_login_demanded(self, status: int, location: str) -> bool:
        """Tell whether an answer means that the credentials have expired."""


def sqlalchemy_url(url: str, driver: str) -> str:
    """Name the driver in a ``postgresql://`` URL, as SQLAlchemy wants it."""
    return re.sub(r"^postgres(ql)?(\+\w+)?://", f"postgresql+{driver}://", url)
