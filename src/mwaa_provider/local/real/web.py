"""Speaking HTTP with Airflow's own web server, which listens on 127.0.0.1 behind the local MWAA."""

from __future__ import annotations

import http.client
import random
import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Below the range that the kernel takes ports for outgoing connections from: a port chosen now is bound seconds later.
_PORTS = range(20000, 30000)
_given: set[int] = set()
_lock = threading.Lock()


@dataclass(frozen=True)
class HttpAnswer:
    """What a web server answered.

    :param status: HTTP status.
    :param headers: Pairs of lower-case name and value.
    :param body: The raw body.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)

    def header(self, name: str) -> str:
        """Give a header's value, empty when there is none."""
        return next((value for key, value in self.headers if key == name), "")


def send(
    port: int, method: str, target: str, *, body: bytes = b"", headers: Mapping[str, str], timeout: float = 60.0
) -> HttpAnswer:
    """Send one request to 127.0.0.1: no proxy, no redirect followed, the path's percent-encoding untouched.

    :param port: The port.
    :param method: HTTP method.
    :param target: Path and query.
    :param body: The raw body.
    :param headers: Request headers.
    :param timeout: Seconds.
    :raises OSError: No connection, or none any more.
    :raises http.client.HTTPException: No HTTP answer.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, target, body=body or None, headers={"Accept-Encoding": "identity", **headers})
        answer = connection.getresponse()
        return HttpAnswer(
            answer.status, tuple((name.lower(), value) for name, value in answer.getheaders()), answer.read()
        )
    finally:
        connection.close()


def free_port() -> int:
    """Choose a port of 127.0.0.1 that nobody listens on and that was not given before."""
    with _lock:
        for port in random.sample(_PORTS, len(_PORTS)):
            if port in _given:
                continue
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    continue
            _given.add(port)
            return port
    raise OSError("no free port between 20000 and 30000 on 127.0.0.1")
