"""No test reaches further than this machine: everything but loopback and unix sockets is refused, loudly.

Import this before anything that might connect. It stands alone, so that the processes that tests start can use it as
well.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

_connect = socket.socket.connect
_connect_ex = socket.socket.connect_ex
_sendto = socket.socket.sendto
_getaddrinfo = socket.getaddrinfo


class NetworkBlockedError(RuntimeError):
    """A test tried to leave this machine. Not an OSError: no retry loop, of ours or of a library, may swallow it."""


def block_network() -> None:
    """Refuse connections and name look-ups beyond loopback and unix sockets, in this process, for good."""

    def connect(self: socket.socket, address: Any) -> None:
        _check(self, address)
        return _connect(self, address)

    def connect_ex(self: socket.socket, address: Any) -> int:
        _check(self, address)
        return _connect_ex(self, address)

    def sendto(self: socket.socket, data: Any, *arguments: Any) -> int:
        _check(self, arguments[-1])
        return _sendto(self, data, *arguments)

    def getaddrinfo(host: Any, *arguments: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name and not _is_local(name):
            raise NetworkBlockedError(f"a test looked up {name!r}: only 127.0.0.1 is allowed")
        return _getaddrinfo(host, *arguments, **named)

    socket.socket.connect = connect  # type: ignore[method-assign, assignment]
    socket.socket.connect_ex = connect_ex  # type: ignore[method-assign, assignment]
    socket.socket.sendto = sendto  # type: ignore[method-assign, assignment]
    socket.getaddrinfo = getaddrinfo


def _check(connection: socket.socket, address: Any) -> None:
    if connection.family in (socket.AF_INET, socket.AF_INET6) and not _is_local(address[0]):
        raise NetworkBlockedError(f"a test connected to {address!r}: only 127.0.0.1 is allowed")


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        # The machine's own name: Airflow asks for it to know where it runs. Nothing is sent there.
        return host == socket.gethostname()
