"""How a subcommand reaches AWS: the options for it, the environment variables behind them, the client they make."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import click

if TYPE_CHECKING:
    import boto3

    from mwaa_provider.client.mwaa import MwaaClient
    from mwaa_provider.client.routing import TransportChoice

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


@dataclass(frozen=True)
class Connection:
    """What the options say; what they leave open, the environment says, and after it boto3's configuration files.

    :param region: AWS region; then ``AWS_REGION``, as for other AWS tools, and what boto3 takes.
    :param profile: Profile of the AWS configuration; then what boto3 takes (``AWS_PROFILE``).
    :param endpoint_url: Another address of the MWAA API; then ``AWS_ENDPOINT_URL_MWAA`` and ``AWS_ENDPOINT_URL``, also where boto3 is
        too old to know them.
    :param ca: File of certificate authorities, for AWS and web servers; then ``AWS_CA_BUNDLE``.
    :param proxy: Proxy for AWS and web servers; then ``HTTPS_PROXY`` and the like.
    """

    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    ca: str | None = None
    proxy: str | None = None

    def __bool__(self) -> bool:
        return any(getattr(self, one.name) is not None for one in fields(self))

    def or_else(self, other: Connection) -> Connection:
        """Return this, with what it leaves open taken from another.

        :param other: The other.
        """
        return Connection(
            *(
                getattr(other, one.name) if getattr(self, one.name) is None else getattr(self, one.name)
                for one in fields(self)
            )
        )

    def client(self, transport: TransportChoice = "auto") -> MwaaClient:
        """Return a client for these options.

        :param transport: The way to the REST API.
        :raises click.ClickException: if there is no region, no such profile or file, or boto3 cannot read the credentials.
        """
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError

        from mwaa_provider.client.mwaa import MwaaClient

        endpoint_url = self.endpoint_url or _endpoint_url_of_the_environment()
        session = self._session()
        if session.region_name is None:
            raise click.UsageError("no AWS region: give --region, or set AWS_REGION, or a region in the AWS profile")
        try:
            return MwaaClient(
                session=session,
                endpoint_url=endpoint_url,
                verify=self._ca(),
                proxies={"http": self.proxy, "https": self.proxy} if self.proxy else None,
                # An address that was given is taken as it is: "api." before 127.0.0.1 leads nowhere.
                botocore_config=Config(inject_host_prefix=False) if endpoint_url else None,
                transport=transport,
            )
        except (BotoCoreError, ClientError) as error:  # nothing was asked of MWAA yet: it is about the credentials
            raise click.ClickException(f"AWS credentials cannot be had: {error}") from error

    def cloudwatch(self) -> Any:
        """Return a boto3 client of CloudWatch for these options; another address of it is what ``AWS_ENDPOINT_URL_CLOUDWATCH`` says.

        :raises click.ClickException: if there is no such profile or file.
        """
        from botocore.config import Config

        from mwaa_provider.metrics.cloudwatch import new_cloudwatch_client

        return new_cloudwatch_client(
            self._session(),
            endpoint_url=os.environ.get("AWS_ENDPOINT_URL_CLOUDWATCH")
            or None,  # also where boto3 is too old to know it
            verify=self._ca(),
            config=Config(proxies={"http": self.proxy, "https": self.proxy}) if self.proxy else None,
        )

    def s3_client(self) -> Any:
        """Return boto3's client for S3 for these options; ``--endpoint-url`` is that of MWAA and says nothing about S3.

        :raises click.ClickException: if there is no such profile or file, or boto3 cannot read the credentials.
        """
        return self._client_of("s3", "AWS_ENDPOINT_URL_S3")

    def secretsmanager_client(self) -> Any:
        """Return boto3's client for Secrets Manager for these options, as :meth:`s3_client` does for S3.

        :raises click.ClickException: if there is no such profile or file, or boto3 cannot read the credentials.
        """
        return self._client_of("secretsmanager", "AWS_ENDPOINT_URL_SECRETS_MANAGER")

    def _client_of(self, service: str, name_of_url: str) -> Any:
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError

        # boto3 knows these from 1.28.57 on, or not, as its configuration says.
        names = (name_of_url, "AWS_ENDPOINT_URL")
        url = next((os.environ[name] for name in names if os.environ.get(name)), None)
        try:
            return self._session().client(
                service,
                endpoint_url=url,
                verify=self._ca(),
                config=Config(proxies={"http": self.proxy, "https": self.proxy}) if self.proxy else None,
            )
        except (BotoCoreError, ClientError) as error:
            raise click.ClickException(f"AWS credentials cannot be had: {error}") from error

    def known_region(self) -> str | None:
        """Return the region without asking AWS, or ``None`` if nobody says one."""
        if region := self.region or os.environ.get("AWS_REGION"):
            return region
        region = self._session().region_name
        return None if region is None else str(region)

    def _session(self) -> boto3.Session:
        import boto3
        from botocore.exceptions import BotoCoreError

        try:
            return boto3.Session(
                profile_name=self.profile, region_name=self.region or os.environ.get("AWS_REGION") or None
            )
        except BotoCoreError as error:  # no such profile, a file that cannot be read
            raise click.UsageError(str(error)) from error

    def _ca(self) -> str | None:
        if self.ca and not Path(self.ca).exists():
            raise click.UsageError(f"--ca: there is no file {self.ca!r}")
        return self.ca or None  # then AWS_CA_BUNDLE, as for every MwaaClient


def _endpoint_url_of_the_environment() -> str | None:
    if os.environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return None
    for name in ("AWS_ENDPOINT_URL_MWAA", "AWS_ENDPOINT_URL"):
        if url := os.environ.get(name):
            return _checked_endpoint_url(url, name)
    return None


def _checked_endpoint_url(url: str, source: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise click.UsageError(f"{source}: {url!r} is no address; give one like https://host or http://127.0.0.1:8080")
    return url


def _endpoint_url(context: click.Context, parameter: click.Parameter, url: str | None) -> str | None:
    return None if url is None else _checked_endpoint_url(url, "--endpoint-url")


def _proxy(context: click.Context, parameter: click.Parameter, url: str | None) -> str | None:
    if url is None:
        return None
    parts = urlsplit(url)
    if parts.password:
        raise click.UsageError(
            "--proxy holds a password, which everybody on this machine could read; put the address into the "
            "environment variable HTTPS_PROXY"
        )
    if parts.scheme not in ("http", "https", "socks4", "socks4a", "socks5", "socks5h") or not parts.hostname:
        raise click.UsageError(f"--proxy: {url!r} is no address; give one like http://host:3128 or socks5h://host:1080")
    return url


_OPTIONS: tuple[tuple[str, str, str, Any], ...] = (
    ("--region", "NAME", "AWS region.  [default: AWS_REGION, AWS_DEFAULT_REGION, the profile's]", None),
    ("--profile", "NAME", "Profile of the AWS configuration.  [default: AWS_PROFILE]", None),
    (
        "--endpoint-url",
        "URL",
        "Another address of the MWAA API.  [default: AWS_ENDPOINT_URL_MWAA, AWS_ENDPOINT_URL]",
        _endpoint_url,
    ),
    ("--ca", "FILE", "Certificate authorities, for AWS and web servers.  [default: AWS_CA_BUNDLE]", None),
    ("--proxy", "URL", "http:// or socks5h:// proxy, for AWS and web servers.  [default: HTTPS_PROXY]", _proxy),
)


def connection_options(command: Decorated, *, hidden: bool = False) -> Decorated:
    """Give a command the options that say how to reach AWS.

    :param command: The command's function.
    :param hidden: Whether its help leaves them out (default false).
    """
    for name, metavar, about, callback in reversed(_OPTIONS):
        command = click.option(name, metavar=metavar, help=about, callback=callback, hidden=hidden)(command)
    return command


def with_connection(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a subcommand the same options again, and their result as its first argument.

    What is given after the subcommand goes before what is given to ``mwaa`` itself.

    :param function: The subcommand's function.
    """

    @click.pass_context
    def command(context: click.Context, /, **given: Any) -> Any:
        own = Connection(**{one.name: given.pop(one.name) for one in fields(Connection)})
        return function(own.or_else(context.find_object(Connection) or Connection()), **given)

    # Shown once, in the help of `mwaa`: five times five lines would bury what each subcommand is about.
    return connection_options(functools.update_wrapper(command, function), hidden=True)
