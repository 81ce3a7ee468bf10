"""One run of ``mwaa local start``: bring up, tell how to use it, wait, take down."""

from __future__ import annotations

import json
import shlex
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from mwaa_provider import __version__
from mwaa_provider.local.real import PostgresServer, RealAirflow
from mwaa_provider.local.real.interpreter import NEWEST_TESTED, is_newer_than_tested

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

    from mwaa_provider.local import LocalEnvironment, LocalMwaa

_LOOK_EVERY = 1.0
_CONNECTION_VARIABLE = "AIRFLOW_CONN_MWAA_LOCAL"


class Stopped(BaseException):
    """Somebody wants the command to stop. Not an Exception, so that nobody takes it for a failure."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.signal_number = signal_number


@dataclass
class LocalSession:
    """What the options of ``mwaa local start`` say; see there.

    :param names: The environments.
    :param python: The interpreter with Airflow.
    :param dags_folder: The DAG files.
    :param port: The AWS endpoint's port.
    :param region_name: The region it plays.
    :param postgres_binaries: A system PostgreSQL's programs.
    :param postgres_url: An empty database.
    :param unpause: Whether new DAGs run at once.
    :param show_login_link: Whether to print a link that logs in.
    """

    names: Sequence[str]
    python: str | None
    dags_folder: str | None
    port: int
    region_name: str
    postgres_binaries: str | None
    postgres_url: str | None = field(repr=False)
    unpause: bool
    show_login_link: bool

    def run(self) -> int:
        """Run until asked to stop, and give the exit status."""
        started = time.monotonic()
        is_up = False
        with _signals_raise() as hold_signals, ExitStack() as stack:
            # Entered first, left last: once things are being taken down, a second Ctrl-C must not cut that short.
            try:
                mwaa, backends = self._begin(stack)
                environments = self._create(mwaa, backends, started)
                is_up = True
                self._tell(mwaa, environments)
                status = self._watch(backends)
            except Stopped as stopped:
                status = 0 if is_up else 128 + stopped.signal_number
            finally:
                hold_signals()
            click.echo("Stopping ...", err=True)  # not after a start that failed: its error says so
            return status

    def _begin(self, stack: ExitStack) -> tuple[LocalMwaa, list[RealAirflow]]:
        from mwaa_provider.local import LocalMwaa

        server = None if self.postgres_url else PostgresServer(self.postgres_binaries)
        if server is not None:
            stack.callback(server.stop)
        mwaa = stack.enter_context(LocalMwaa(region_name=self.region_name, port=self.port))
        connection = json.dumps(mwaa.airflow_connection())
        backends = [
            RealAirflow(
                self.python,
                self.dags_folder,
                postgres=self.postgres_url or server,
                # With the connection, DAGs in there reach every environment of this local MWAA, their own too.
                environment={"AWS_REGION": self.region_name, _CONNECTION_VARIABLE: connection},
                unpause=self.unpause,
                on_progress=self._report(time.monotonic()),
            )
            for _ in self.names
        ]
        if is_newer_than_tested(version := backends[0].airflow_version):
            click.echo(
                f"Warning: Airflow {version} is newer than {NEWEST_TESTED}, the newest release that airflow-provider-mwaa {__version__} "
                "was tested with.",
                err=True,
            )
        # Taken down side by side, before the local MWAA takes them down one after the other.
        stack.callback(_stop_all, backends)
        return mwaa, backends

    def _create(self, mwaa: LocalMwaa, backends: list[RealAirflow], started: float) -> list[LocalEnvironment]:
        pool = ThreadPoolExecutor(len(backends))
        try:
            futures = [pool.submit(mwaa.create_environment, *pair) for pair in zip(self.names, backends, strict=True)]
            environments = [future.result() for future in futures]
        except BaseException:
            _stop_all(backends)
            raise
        finally:
            pool.shutdown()
        click.echo(f"Ready after {time.monotonic() - started:.0f} s.", err=True)
        return environments

    def _tell(self, mwaa: LocalMwaa, environments: list[LocalEnvironment]) -> None:
        connection = json.dumps(mwaa.airflow_connection())
        click.echo(f"\nAWS endpoint: {mwaa.endpoint_url} (region {self.region_name}; any dummy keys do)")
        click.echo(
            f"\nThe command mwaa, MwaaClient() and boto3, in another shell:\n\n{_exports(mwaa)}\n  mwaa environments"
        )
        click.echo("\nAirflow connection, for another Airflow (DAGs in here have it already, as mwaa_local):")
        click.echo(f"\n  export {_CONNECTION_VARIABLE}='{connection}'")
        click.echo(f"\nboto3 without these variables:\n\n{_snippet(mwaa, environments[0].name)}")
        click.echo(f"\nCertificate authority of the web servers: {mwaa.ca_file}")
        for environment in environments:
            click.echo(f"\n{environment.name}: {environment.base_url}")
            if self.show_login_link:
                click.echo(f"  log in within 60 s: {_login_link(mwaa, environment)}")
            else:
                click.echo(f"  to log in: mwaa url {environment.name}, and open the link within 30 s")
        click.echo("\nPress Ctrl-C to stop.")

    def _watch(self, backends: list[RealAirflow]) -> int:
        forever = threading.Event()
        while not forever.wait(_LOOK_EVERY):
            for name, backend in zip(self.names, backends, strict=True):
                if ended := backend.ended_components():
                    click.echo(f"Error: {name}: {', '.join(ended)} ended unexpectedly.", err=True)
                    return 1
        raise AssertionError("the event is never set")

    @staticmethod
    def _report(started: float) -> Callable[[str], None]:
        def report(sentence: str) -> None:
            click.echo(f"{time.monotonic() - started:4.0f} s  {sentence}", err=True)

        return report


def _exports(mwaa: LocalMwaa) -> str:
    return "\n".join(f"  export {name}={shlex.quote(value)}" for name, value in mwaa.environment_variables().items())


def _snippet(mwaa: LocalMwaa, name: str) -> str:
    keys = mwaa.airflow_connection()
    return (
        "  import boto3, botocore.config\n"
        f'  mwaa = boto3.client("mwaa", endpoint_url="{mwaa.endpoint_url}", region_name="{mwaa.region_name}",\n'
        f'      aws_access_key_id="{keys["login"]}", aws_secret_access_key="{keys["password"]}",\n'
        "      config=botocore.config.Config(inject_host_prefix=False))\n"
        f'  mwaa.get_environment(Name="{name}")'
    )


def _login_link(mwaa: LocalMwaa, environment: LocalEnvironment) -> str:
    from botocore.config import Config

    client = mwaa.boto3_session().client(
        "mwaa", endpoint_url=mwaa.endpoint_url, config=Config(inject_host_prefix=False)
    )
    token = client.create_web_login_token(Name=environment.name)["WebToken"]
    return f"{environment.base_url}/aws_mwaa/aws-console-sso?login=true#{token}"


def _stop_all(backends: list[RealAirflow]) -> None:
    with ThreadPoolExecutor(len(backends)) as pool:
        list(pool.map(RealAirflow.stop, backends))


@contextmanager
def _signals_raise() -> Iterator[Callable[[], None]]:
    """Turn the signals that ask a process to stop into :class:`Stopped`; the value given silences them from then on."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def stop(number: int, _: FrameType | None) -> None:
        hold()
        raise Stopped(number)

    def hold() -> None:
        for number in numbers:
            # Not SIG_IGN, which processes that are just being started would inherit.
            signal.signal(number, lambda *_: None)

    former = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield hold
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
