"""Checks of how AWS and the web servers are to be reached, and what was given put in one form."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

_PROXY_SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")
#: For which requests a proxy is; what else a dict for requests may hold is left to requests.
_PROXIED = ("http", "https", "all")
#: A host name or an IP address, and a port.
_HOST = re.compile(r"([\w.-]+|\[[0-9a-fA-F:.]+\])(:\d+)?", re.ASCII)


def check_verify(value: Any) -> list[str]:
    """Check how certificates are verified; ``None`` is right (by the public CAs).

    :param value: What the caller gave.
    """
    if value is None or isinstance(value, bool):
        return []
    is_path = isinstance(value, (str, os.PathLike))
    if is_path and os.path.exists(value) and not os.path.isdir(value):
        return []
    what = "is a folder" if is_path and os.path.isdir(value) else "is not there"
    return [
        f"verify: {str(value)!r} {what}; give the path of a CA bundle, False to trust any certificate, or leave it out"
    ]


def check_proxies(value: Any) -> list[str]:
    """Check proxies by scheme; ``None`` is right. What is wrong is not shown: it may hold a password.

    :param value: What the caller gave.
    """
    advice = "give for example {'https': 'http://host:3128'} or {'https': 'socks5h://127.0.0.1:1080'}"
    if value is None:
        return []
    if not isinstance(value, Mapping):
        return [f"proxies: {type(value).__name__} tells no proxy from another; {advice}"]
    return [
        f"proxies: that for {scheme!r} is not the address of a proxy; {advice}"
        for scheme, address in value.items()
        if scheme in _PROXIED and not _is_proxy(address)
    ]


def _is_proxy(address: Any) -> bool:
    if not isinstance(address, str):
        return False
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        parts.port  # noqa: B018 - raises if it is no number
    except ValueError:
        return False
    return parts.scheme in _PROXY_SCHEMES and re.fullmatch(r"[^\s/]+", parts.hostname or "") is not None


def proxies_by_scheme(proxies: Mapping[str, str] | None) -> dict[str, str] | None:
    """Return proxies as both botocore and requests take them: the one for ``all``, which botocore does not know, for each scheme.

    :param proxies: What the caller gave.
    """
    if not proxies or "all" not in proxies:
        return dict(proxies) if proxies else None
    named = {scheme: address for scheme, address in proxies.items() if scheme != "all"}
    return {"http": proxies["all"], "https": proxies["all"], **named}


def check_web_server_hosts(value: Any) -> list[str]:
    """Check hosts by environment name; ``None`` is right.

    :param value: What the caller gave.
    """
    advice = "give for example {'production': 'airflow.example.com'}"
    if value is None:
        return []
    if not isinstance(value, Mapping):
        return [f"web_server_hosts: {value!r} does not say whose host it is; {advice}"]
    return [
        f"web_server_hosts: {host!r} is no host, for environment {name!r}; {advice}"
        for name, host in value.items()
        if not isinstance(host, str) or not _HOST.fullmatch(bare_host(host))
    ]


def bare_host(address: str) -> str:
    """Return the host in an address, which may be one already.

    :param address: With ``https://`` or without.
    """
    return address.removeprefix("https://").rstrip("/")
