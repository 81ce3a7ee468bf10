"""AWS through a SOCKS proxy, which botocore does not speak: requests sends what botocore has signed.

A private web server is often reached with ``ssh -D`` and the proxy ``socks5h://``; the AWS endpoints then go the same way.
https://docs.aws.amazon.com/mwaa/latest/userguide/tutorials-private-network-bastion.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from mwaa_provider.client import error_mapping
from mwaa_provider.client.http import WebServerHttp


def send_over_socks_if_asked(boto_client: Any, http: WebServerHttp, proxies: Mapping[str, str] | None) -> None:
    """Let a boto3 client send through requests, if its endpoint is to be reached by a SOCKS proxy.

    :param boto_client: The boto3 client.
    :param http: What sends, with the same proxies and ``verify``.
    :param proxies: The proxies by scheme; ``None`` for those of the process's environment.
    """
    endpoint = boto_client.meta.endpoint_url
    proxy = (proxies or getproxies()).get(urlsplit(endpoint).scheme) or ""
    if not proxy.startswith("socks"):
        return
    config = boto_client.meta.config

    def send(request: Any, **_: Any) -> Any:
        return _send(request, http, (config.connect_timeout, config.read_timeout))

    # An event of botocore's, meant for this: what a handler returns is taken for the answer.
    boto_client.meta.events.register("before-send.mwaa.*", send)


def _send(request: Any, http: WebServerHttp, timeout: tuple[float, float]) -> Any:
    import requests
    from botocore import exceptions
    from botocore.awsrequest import AWSResponse, HeadersDict

    headers = {
        name: value.decode() if isinstance(value, bytes) else str(value) for name, value in request.headers.items()
    }
    try:
        answer = http.send(request.method, request.url, headers=headers, data=request.body, timeout=timeout)
    except requests.exceptions.InvalidSchema as error:
        raise error_mapping.no_socks() from error
    except requests.ConnectionError as error:
        if isinstance(error, requests.exceptions.ProxyError):
            raise exceptions.ProxyConnectionError(proxy_url="(SOCKS)", error=error) from None
        if isinstance(error, requests.exceptions.SSLError):
            raise exceptions.SSLError(endpoint_url=request.url, error=error) from None
        if error_mapping.never_left(error):
            raise exceptions.EndpointConnectionError(endpoint_url=request.url, error=error) from None
        raise exceptions.ConnectionClosedError(endpoint_url=request.url) from None
    except requests.RequestException as error:
        raise exceptions.ReadTimeoutError(endpoint_url=request.url, error=error) from None
    return AWSResponse(request.url, answer.status_code, HeadersDict(answer.headers), _Raw(answer.content))


class _Raw:
    """A body that has been read, in the form botocore reads one."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, amt: int | None = None, decode_content: bool | None = None) -> Iterator[bytes]:
        yield self._content
