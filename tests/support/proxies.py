"""An HTTP proxy and a SOCKS 5 proxy on 127.0.0.1, which note where they were asked to go."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

#: What the tests' "far away" hosts stand for.
LOCALHOST = "127.0.0.1"


class Proxy(socketserver.ThreadingTCPServer):
    """A proxy.

    :param handler: What it speaks.
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, handler: type[socketserver.BaseRequestHandler]) -> None:
        super().__init__((LOCALHOST, 0), handler)
        self.port: int = self.server_address[1]
        #: Hosts and ports it was asked to go to; a SOCKS client that lets the proxy look names up gives the name.
        self.asked_for: list[tuple[str, int]] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: whoever asked sees the connection end."""

    def connect(self, host: str, port: int) -> socket.socket:
        self.asked_for.append((host, port))
        return socket.create_connection((LOCALHOST, port))


class _HttpProxy(socketserver.StreamRequestHandler):
    server: Proxy

    def handle(self) -> None:
        method, target, _ = self.rfile.readline().decode().split(" ", 2)
        headers = []
        while (line := self.rfile.readline()) not in (b"\r\n", b""):
            headers.append(line)
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
            try:
                far = self.server.connect(host, int(port))
            except OSError:
                self.wfile.write(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
                return
            with far:
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                _pump(self.connection, far)
            return
        address = urlsplit(target)
        path = target.split(address.netloc, 1)[1]
        with self.server.connect(address.hostname or "", address.port or 80) as far:
            head = f"{method} {path} HTTP/1.1\r\n".encode()
            kept = [header for header in headers if not header.lower().startswith((b"proxy-", b"connection:"))]
            far.sendall(head + b"".join([*kept, b"Connection: close\r\n", b"\r\n"]))
            length = next((int(h.split(b":")[1]) for h in headers if h.lower().startswith(b"content-length:")), 0)
            far.sendall(self.rfile.read(length))
            answer = b""
            while piece := far.recv(65536):
                answer += piece
            head, _, body = answer.partition(b"\r\n\r\n")
            self.wfile.write(head + b"\r\nConnection: close\r\n\r\n" + body)


class _SocksProxy(socketserver.StreamRequestHandler):
    """RFC 1928, without authentication."""

    server: Proxy

    def handle(self) -> None:
        _, methods = self.rfile.read(2)
        self.rfile.read(methods)
        self.wfile.write(b"\x05\x00")
        _, _, _, kind = self.rfile.read(4)
        host = self.rfile.read(self.rfile.read(1)[0]).decode() if kind == 3 else socket.inet_ntoa(self.rfile.read(4))
        (port,) = struct.unpack("!H", self.rfile.read(2))
        with self.server.connect(host, port) as far:
            self.wfile.write(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
            _pump(self.connection, far)


def _pump(near: socket.socket, far: socket.socket) -> None:
    def carry(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)

    back = threading.Thread(target=carry, args=(far, near), daemon=True)
    back.start()
    carry(near, far)
    back.join()


@contextlib.contextmanager
def _running(proxy: Proxy) -> Iterator[Proxy]:
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join()


def http_proxy() -> contextlib.AbstractContextManager[Proxy]:
    """Run an HTTP proxy."""
    return _running(Proxy(_HttpProxy))


def socks_proxy() -> contextlib.AbstractContextManager[Proxy]:
    """Run a SOCKS 5 proxy."""
    return _running(Proxy(_SocksProxy))
