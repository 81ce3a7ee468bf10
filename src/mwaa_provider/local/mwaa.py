"""The local MWAA itself: one control plane, one web server for each environment."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.local.certificates import Certificates
from mwaa_provider.local.clock import Clock, SystemClock
from mwaa_provider.local.control_plane import ControlPlane
from mwaa_provider.local.environment import LocalEnvironment, is_environment_name
from mwaa_provider.local.http_server import STOP_SECONDS, HttpRequest, HttpResponse, HttpServer
from mwaa_provider.local.identity import DUMMY_SECRET_ACCESS_KEY, Identity, IdentityRegistry
from mwaa_provider.local.rules import ServiceRules
from mwaa_provider.local.service import Service
from mwaa_provider.local.web_server import WebServer

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    import boto3

    from mwaa_provider.local.backend import AirflowBackend
    from mwaa_provider.local.faults import Faults
    from mwaa_provider.local.journal import Journal


class LocalMwaa:
    """A local MWAA on 127.0.0.1, listening from construction until :meth:`stop`. Use it in a ``with`` statement.

    :param rules: The service's limits and life times.
    :param clock: The clock all of them are counted on. It is also given to back ends that live by a clock and have
        none of their own (those with a method ``use_clock``, such as ``ScriptedAirflow``).
    :param region_name: The region it plays; requests signed for another are refused, as AWS does.
    :param account_id: The account it plays, for ARNs.
    :param port: The control plane's port; 0 for any free one.
    :raises InvalidInputError: When the port cannot be had.
    """

    def __init__(
        self,
        *,
        rules: ServiceRules | None = None,
        clock: Clock | None = None,
        region_name: str = "us-east-1",
        account_id: str = "123456789012",
        port: int = 0,
    ) -> None:
        self._service = Service(clock or SystemClock(), rules or ServiceRules(), region_name, account_id)
        self._lock = threading.Lock()
        self._names_taken: set[str] = set()
        self._web_servers: dict[str, HttpServer] = {}
        self._control_plane = HttpServer(ControlPlane(self._service), port=port)
        try:
            self._certificates = Certificates()
        except BaseException:
            self._control_plane.stop()
            raise
        self._control_plane.start()

    @property
    def endpoint_url(self) -> str:
        """What boto3 takes as ``endpoint_url``, beside ``Config(inject_host_prefix=False)``."""
        return f"http://127.0.0.1:{self._control_plane.port}"

    @property
    def ca_file(self) -> Path:
        """The certificate authority's PEM, for ``verify``."""
        return self._certificates.ca_file

    @property
    def journal(self) -> Journal:
        """What it saw and answered."""
        return self._service.journal

    @property
    def faults(self) -> Faults:
        """The misbehaviour that is still to come."""
        return self._service.faults

    @property
    def identities(self) -> IdentityRegistry:
        """Who may do what."""
        return self._service.identities

    @property
    def clock(self) -> Clock:
        """The clock it lives by."""
        return self._service.clock

    @property
    def rules(self) -> ServiceRules:
        """Its limits and life times."""
        return self._service.rules

    @property
    def region_name(self) -> str:
        """The region it plays."""
        return self._service.region_name

    @property
    def environments(self) -> tuple[LocalEnvironment, ...]:
        """The environments there are, those still being created included."""
        return tuple(self._service.environments.values())

    def create_environment(
        self, name: str, backend: AirflowBackend, *, port: int = 0, rest_api_enabled: bool = True
    ) -> LocalEnvironment:
        """Create an environment and wait until its Airflow answers. May be called from several threads at once.

        :param name: Its name.
        :param backend: The Airflow behind it; it belongs to the environment from now on.
        :param port: Its web server's port; 0 for any free one.
        :param rest_api_enabled: Whether InvokeRestApi works. False plays an environment that predates the feature:
            the call says "Update your environment to use InvokeRestApi", and an update is the cure.
        :return: The environment, AVAILABLE.
        :raises InvalidInputError: When the name is taken or none that MWAA takes, or the port cannot be had.
        """
        if not is_environment_name(name):
            raise InvalidInputError(
                [
                    f"environment name '{name}' is none that MWAA takes; begin with a letter, go on with letters, "
                    "digits, - and _, at most 80 characters"
                ]
            )
        with self._lock:
            if name in self._names_taken:
                raise InvalidInputError(
                    [f"environment '{name}' exists already; choose another name or delete it first"]
                )
            self._names_taken.add(name)
        try:
            return self._create(name, backend, port, rest_api_enabled)
        except BaseException:
            self._remove(name, backend)
            raise

    def _create(self, name: str, backend: AirflowBackend, port: int, rest_api_enabled: bool) -> LocalEnvironment:
        service = self._service
        # The socket comes first: Airflow must be told where users will see it.
        web_server = HttpServer(_not_there_yet, port=port, ssl_context=self._certificates.server_context)
        self._web_servers[name] = web_server
        environment = LocalEnvironment(
            name,
            f"arn:aws:airflow:{service.region_name}:{service.account_id}:environment/{name}",
            f"127.0.0.1:{web_server.port}",
            backend,
            service.clock,
            service.rules,
            rest_api_enabled,
        )
        web_server.answer_with(WebServer(service, environment))
        service.environments[name] = environment
        web_server.start()
        use_clock = getattr(backend, "use_clock", None)
        if use_clock is not None:
            use_clock(service.clock)
        backend.start(name, environment.base_url)
        environment.set_status("AVAILABLE")
        return environment

    def delete_environment(self, name: str) -> None:
        """Delete an environment: its web server, its tokens, its Airflow.

        :param name: Its name.
        :raises InvalidInputError: When there is none of that name.
        """
        environment = self._service.environments.get(name)
        if environment is None:
            raise InvalidInputError(
                [f"environment '{name}' does not exist; there are {sorted(self._service.environments)}"]
            )
        environment.set_status("DELETING")
        self._remove(name, environment.backend)

    def _remove(self, name: str, backend: AirflowBackend) -> None:
        try:
            backend.stop()
        finally:
            web_server = self._web_servers.pop(name, None)
            if web_server is not None:
                web_server.stop()
            self._service.environments.pop(name, None)
            self._service.tokens.forget(name)
            with self._lock:
                self._names_taken.discard(name)

    def boto3_session(self, identity: Identity | None = None) -> boto3.Session:
        """Return a boto3 session with an identity's dummy keys and the region.

        :param identity: Who calls; an Admin to whom nothing is denied by default.
        """
        import boto3

        who = self._known(identity)
        return boto3.Session(
            aws_access_key_id=who.access_key_id,
            aws_secret_access_key=DUMMY_SECRET_ACCESS_KEY,
            region_name=self._service.region_name,
        )

    def airflow_connection(self, identity: Identity | None = None) -> dict[str, Any]:
        """Return an Airflow connection in its JSON form (``json.dumps`` it into ``AIRFLOW_CONN_...``).

        :param identity: Who calls; an Admin to whom nothing is denied by default.
        """
        who = self._known(identity)
        return {
            "conn_type": "aws",
            "login": who.access_key_id,
            "password": DUMMY_SECRET_ACCESS_KEY,
            "extra": {
                "region_name": self._service.region_name,
                "endpoint_url": self.endpoint_url,
                "verify": str(self.ca_file),
                "config_kwargs": {"inject_host_prefix": False},
            },
        }

    def environment_variables(self, identity: Identity | None = None) -> dict[str, str]:
        """Return the environment variables with which ``MwaaClient()`` and the command ``mwaa`` reach it, and boto3 from 1.36 on.

        :param identity: Who calls; an Admin to whom nothing is denied by default.
        """
        who = self._known(identity)
        return {
            "AWS_ENDPOINT_URL_MWAA": self.endpoint_url,
            # boto3 reads the one, most other tools read the other, and a shell may hold both already.
            "AWS_REGION": self._service.region_name,
            "AWS_DEFAULT_REGION": self._service.region_name,
            "AWS_ACCESS_KEY_ID": who.access_key_id,
            "AWS_SECRET_ACCESS_KEY": DUMMY_SECRET_ACCESS_KEY,
            "AWS_CA_BUNDLE": str(self.ca_file),
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        }

    def _known(self, identity: Identity | None) -> Identity:
        return self._service.identities.add(identity) if identity is not None else Identity()

    def stop(self) -> None:
        """Delete every environment, close every port and delete the certificates. Safe to call twice."""
        self._service.stopping.set()
        failures = []
        for name in list(self._service.environments):
            try:
                self.delete_environment(name)
            except Exception as error:
                # One Airflow that does not stop must not keep the others, nor the ports, alive.
                failures.append(error)
        self._control_plane.stop()
        self._certificates.remove()
        for thread in self._service.overdue:
            thread.join(STOP_SECONDS)
        if failures:
            raise failures[0]

    def __enter__(self) -> LocalMwaa:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


def _not_there_yet(request: HttpRequest) -> HttpResponse:
    # Stands in between binding the port and knowing the environment; nothing is answered before start().
    return HttpResponse(503)
