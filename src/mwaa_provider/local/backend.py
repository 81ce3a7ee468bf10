"""What stands behind a local environment's web server: one small seam with two sides.

:mod:`mwaa_provider.local.scripted` plays Airflow in memory, :mod:`mwaa_provider.local.real` runs a real one. The service in front of
them (tokens, limits, faults, journal) is the same for both, so a test that passes on one side means something on the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

AirflowRole = Literal["Admin", "Op", "User", "Viewer", "Public"]
#: Where a caller showed who they are.
Shown = Literal["bearer", "cookie", "nothing"]


@dataclass(frozen=True)
class BackendRequest:
    """A request that has passed the service's own checks, on its way to Airflow.

    :param method: HTTP method, upper case.
    :param path: For the REST API the part below ``/api/v1`` or ``/api/v2``, otherwise the whole path; percent-encoding untouched.
    :param query: The raw query string, without ``?``.
    :param body: The raw body; empty when there is none.
    :param content_type: The body's media type; empty when there is none.
    :param airflow_role: The Airflow role of whoever asks.
    :param headers: Further request headers that matter (``X-CSRFToken`` of a page).
    :param shown: For what a plugin answers: where the caller showed who they are.
    """

    method: str
    path: str
    query: str = ""
    body: bytes = field(default=b"", repr=False)
    content_type: str = ""
    airflow_role: AirflowRole = "Admin"
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    shown: Shown = "bearer"


@dataclass(frozen=True)
class BackendAnswer:
    """What Airflow's web server said.

    :param status: HTTP status.
    :param body: The raw body.
    :param content_type: The body's media type.
    :param headers: Further response headers that matter (``Location``, ``Set-Cookie`` of a page).
    """

    status: int
    body: bytes = field(default=b"", repr=False)
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class CliAnswer:
    """What a run of the ``airflow`` command left behind.

    :param stdout: Standard output.
    :param stderr: Standard error.
    :param exit_code: The exit code. MWAA's answer does not carry it; tests judge by it.
    """

    stdout: str = field(repr=False)
    stderr: str = field(repr=False)
    exit_code: int


class AirflowBackend(Protocol):
    """An Airflow of one version, behind a local environment's web server."""

    airflow_version: str

    def start(self, environment_name: str, base_url: str) -> None:
        """Make it ready to answer; leave nothing behind if that fails.

        :param environment_name: The environment's name, for ``AIRFLOW_ENV_NAME``.
        :param base_url: Where users will see the web server, for links and redirects.
        """

    def stop(self) -> None:
        """End everything that ``start`` began. Safe to call twice, and after a failed start."""

    def rest(self, request: BackendRequest) -> BackendAnswer:
        """Answer one call of the REST API (``request.path`` is below ``/api/vN``)."""

    def page(self, request: BackendRequest) -> BackendAnswer:
        """Answer anything else that a browser may ask (``request.path`` is whole)."""

    def plugin(self, request: BackendRequest) -> BackendAnswer:
        """Answer what Airflow 3 mounts of a plugin (``request.path`` is whole)."""

    def cli(self, arguments: list[str]) -> CliAnswer:
        """Run one ``airflow`` command, given without the leading ``airflow``."""
