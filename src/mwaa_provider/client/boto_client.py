"""From arguments to a boto3 client; what they leave open, the process's environment and the AWS profile say."""

from __future__ import annotations

import os
from collections.abc import Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mwaa_provider.client import error_mapping
from mwaa_provider.client.locks import ForkSafeLock
from mwaa_provider.exceptions import InvalidInputError

if TYPE_CHECKING:
    from botocore.config import Config


def botocore_config_that_never_resends(config: Config | None = None) -> Config:
    """Return a botocore configuration under which no call is sent twice behind our back.

    botocore's default resends a POST after a read timeout or a 5xx, and the second InvokeRestApi starts a second DAG run.

    :param config: What to keep otherwise.
    """
    from botocore.config import Config

    return (config or Config()).merge(Config(retries={"total_max_attempts": 1, "mode": "standard"}))


def new_boto_client(
    session: Any,
    *,
    region_name: str | None,
    endpoint_url: str | None,
    verify: bool | str | None,
    proxies: Mapping[str, str] | None,
    config: Config | None,
) -> Any:
    """Return a boto3 ``mwaa`` client.

    :param session: The boto3 session.
    :param region_name: AWS region; ``None`` for boto3's search, and then ``AWS_REGION``.
    :param endpoint_url: Another address of the MWAA API; ``None`` for boto3's search (``AWS_ENDPOINT_URL_MWAA`` and the like).
    :param verify: The CA bundle's path, or ``False``; ``None`` for boto3's search.
    :param proxies: Proxies by scheme.
    :param config: Further settings of botocore.
    :raises InvalidInputError: if there is no region.
    """
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    ours = botocore_config_that_never_resends(config)
    if proxies:
        ours = ours.merge(Config(proxies=dict(proxies)))
    if region_name is None and session.region_name is None and ours.region_name is None:
        region_name = region_of_the_environment()
    try:
        boto_client = session.client(
            "mwaa", region_name=region_name, endpoint_url=endpoint_url, verify=verify, config=ours
        )
    except BotoCoreError as error:
        raise error_mapping.from_botocore(error, environment_name="") from error
    except ValueError as error:  # "Invalid endpoint: ...", whether an argument, the environment or the profile said it
        advice = "give one like https://host or http://127.0.0.1:8080"
        raise InvalidInputError([f"endpoint_url: {error}; {advice}"]) from error
    put_no_prefix_before_an_address(boto_client, config)
    return boto_client


def region_of_the_environment() -> str | None:
    """Return the region that every AWS tool but boto3 reads, and that AWS Lambda sets; ``None`` if there is none."""
    return os.environ.get("AWS_REGION") or None


def ca_bundle(verify: bool | str | None, session: Any = None) -> bool | str | None:
    """Return how certificates of web servers are verified: as botocore verifies those of AWS.

    An argument wins, then comes ``AWS_CA_BUNDLE``, then the profile's ``ca_bundle``. ``None`` is left to requests, which reads
    ``REQUESTS_CA_BUNDLE`` as botocore does.

    :param verify: The argument.
    :param session: The boto3 session, for its profile; ``None`` (default) where it is not known.
    :raises InvalidInputError: if that file is not there.
    """
    if verify is not None:
        return verify
    # Empty is unset: botocore takes it for "trust any certificate", and nobody means that.
    source, bundle = "AWS_CA_BUNDLE", os.environ.get("AWS_CA_BUNDLE") or None
    if bundle is None and session is not None:
        source, bundle = "ca_bundle of the AWS profile", session._session.get_config_variable("ca_bundle") or None
    if bundle is not None and not os.path.exists(bundle):
        raise InvalidInputError([f"{source}: {bundle!r} is not there; give the path of a CA bundle, or leave it out"])
    return bundle


def put_no_prefix_before_an_address(boto_client: Any, config: Config | None) -> None:
    """Let calls of a boto3 client go to its address as it is, if that is an IP address or ``localhost``.

    botocore puts ``api.`` or ``env.`` before the host of the MWAA API, and nothing is called ``api.127.0.0.1``. Only the client tells its
    address: it may come from an argument, the process's environment or the AWS profile.

    :param boto_client: The boto3 client.
    :param config: What the user has said of it; a word about ``inject_host_prefix`` wins.
    """
    # The options' values do not tell: the default of old releases is True, too.
    said = getattr(config, "_user_provided_options", {})
    if "inject_host_prefix" not in said and _is_address(urlsplit(boto_client.meta.endpoint_url).hostname or ""):
        boto_client.meta.config.inject_host_prefix = False


def share_no_connection_with_a_child(boto_client: Any) -> None:
    """Let a process that was forked open connections of its own: on its parent's, both would read each other's answers.

    :param boto_client: The boto3 client.
    """
    lock, owner = ForkSafeLock(), os.getpid()

    def leave_the_parents(**_: Any) -> None:
        nonlocal owner
        with lock:
            if owner != os.getpid():
                owner = os.getpid()
                boto_client.close()  # its copies only; the client goes on with new ones

    # An event of botocore's: it comes before a connection is chosen.
    boto_client.meta.events.register("before-send.mwaa.*", leave_the_parents, unique_id="mwaa_provider-fork")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return host == "localhost"
    return True
