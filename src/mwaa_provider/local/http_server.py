"""A small threaded HTTP/1.1 server on 127.0.0.1.

The standard library's, not werkzeug's: a fault must be able to cut a connection at an exact moment, a client that
never finishes its TLS handshake must not hold up others, and stopping must end every connection and thread.
"""

from __future__ import annotations

import contextlib
import errno
import http.server
import logging
import socket
import socketserver
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from mwaa_provider.exceptions import InvalidInputError

if TYPE_CHECKING:
    import ssl

logger = logging.getLogger(__name__)

#: A client that has not finished its TLS handshake by then is let go, in seconds.
HANDSHAKE_SECONDS = 10
#: An idle kept-alive connection is let go after this time, in seconds: shorter than the minute at which load
#: balancers do it.
IDLE_SECONDS = 55
#: How long stopping waits for requests under way, in seconds.
STOP_SECONDS = 5


@dataclass(frozen=True)
class HttpRequest:
    """A request as it came over the wire.

    :param method: The HTTP method, upper case.
    :param path: The path, percent-encoding untouched.
    :param query: The raw query string, without ``?``.
    :param headers: The headers; names in lower case.
    :param body: The raw body.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def content_type(self) -> str:
        """The body's media type."""
        return self.headers.get("content-type", "")

    def cookie(self, name: str) -> str | None:
        """Return a cookie's value.

        :param name: The cookie's name.
        """
        for part in self.headers.get("cookie", "").split(";"):
            found, _, value = part.strip().partition("=")
            if found == name:
                return value
        return None

    def bearer(self) -> str | None:
        """Return the token of an ``Authorization: Bearer`` header."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else None

    def form(self, name: str) -> str | None:
        """Return a field of a posted form.

        :param name: The field's name.
        """
        return parse_qs(self.body.decode("utf-8", "replace")).get(name, [None])[0]


@dataclass(frozen=True)
class HttpResponse:
    """What goes back over the wire.

    :param status: The HTTP status.
    :param body: The raw body.
    :param content_type: The body's media type.
    :param headers: Further headers.
    :param cut_after: After how many bytes of the body the connection is closed (default: after all of it, and it is kept).
    """

    status: int
    body: bytes = field(default=b"", repr=False)
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    cut_after: int | None = None


class CutConnection(Exception):  # noqa: N818 - a signal, not an error
    """Raised by an application to close the connection without an answer."""


Application = Callable[[HttpRequest], HttpResponse]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "LocalMwaa"
    sys_version = ""
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    # One write per answer: with many small ones, the client's delayed acknowledgement costs 40 ms a request.
    wbufsize = -1
    server: _Server

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if len(self.raw_requestline) > 65536:
            self.requestline, self.request_version, self.command = "", "", ""
            self.send_error(HTTPStatus.REQUEST_URI_TOO_LONG)
            return
        if not self.raw_requestline:
            self.close_connection = True
            return
        if not self.parse_request():
            return
        body = self._read_body()
        path, _, query = self.path.partition("?")
        request = HttpRequest(
            self.command, path, query, {name.lower(): value for name, value in self.headers.items()}, body
        )
        try:
            response = self.server.application(request)
        except CutConnection:
            self.close_connection = True
            return
        except Exception:
            logger.exception("The local MWAA failed on %s %s", request.method, request.path)
            response = HttpResponse(500, b'{"message": "The local MWAA failed; its log has the reason."}')
        self._send(response)

    def _read_body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            chunks = []
            while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return b"".join(chunks)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _send(self, response: HttpResponse) -> None:
        self.send_response(response.status)
        for name, value in response.headers:
            self.send_header(name, value)
        if response.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
            self.send_header("Content-Type", response.content_type)
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD" and response.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
            self.wfile.write(response.body[: response.cut_after])
        self.wfile.flush()
        if response.cut_after is not None:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the journal keeps what was asked, and a request line may hold what should not be logged."""


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, application: Application, port: int, ssl_context: ssl.SSLContext | None) -> None:
        self.application = application
        self._ssl_context = ssl_context
        self._lock = threading.Lock()
        self._connections: dict[threading.Thread, socket.socket] = {}
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give a new connection a thread of its own, known from its first moment, so that stopping misses none."""
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        with self._lock:
            self._connections[thread] = request
        thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection, in its own thread: TLS handshake, then requests until either side ends it."""
        me = threading.current_thread()
        connection: socket.socket = request
        try:
            if self._ssl_context is not None:
                connection.settimeout(HANDSHAKE_SECONDS)
                # Under the lock, since wrapping takes the file descriptor out of the plain socket: stopping must find it
                # in the one or in the other.
                with self._lock:
                    connection = self._ssl_context.wrap_socket(
                        connection, server_side=True, do_handshake_on_connect=False
                    )
                    self._connections[me] = connection
                connection.do_handshake()
            self.finish_request(connection, client_address)
        except OSError:
            # The client went away, did not trust the certificate, or the server is being stopped.
            logger.debug("A connection ended early", exc_info=True)
        finally:
            self.shutdown_request(connection)
            with self._lock:
                self._connections.pop(me, None)

    def end_connections(self) -> list[threading.Thread]:
        with self._lock:
            for connection in self._connections.values():
                # On the plain socket: an orderly TLS goodbye would wait for the other side.
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)
            return list(self._connections)


class HttpServer:
    """A server that listens as soon as it is made and answers once it is started.

    :param application: What answers a request; called in the connection's thread.
    :param port: The port on 127.0.0.1; 0 for any free one.
    :param ssl_context: For TLS.
    :raises InvalidInputError: When the port cannot be had.
    """

    def __init__(self, application: Application, *, port: int = 0, ssl_context: ssl.SSLContext | None = None) -> None:
        try:
            self._server = _Server(application, port, ssl_context)
        except OSError as error:
            reason = {
                errno.EADDRINUSE: "is in use by another process",
                errno.EACCES: "may not be opened by this user",
            }.get(error.errno or 0, f"cannot be opened ({error.strerror})")
            raise InvalidInputError(
                [f"port {port} on 127.0.0.1 {reason}; choose another port, or 0 for any free one"]
            ) from error
        except OverflowError as error:
            raise InvalidInputError(
                [f"port {port} does not exist; choose one up to 65535, or 0 for any free one"]
            ) from error
        self.port: int = self._server.server_address[1]
        self._thread: threading.Thread | None = None

    def answer_with(self, application: Application) -> None:
        """Take another application.

        :param application: What answers from now on.
        """
        self._server.application = application

    def start(self) -> None:
        """Begin to answer."""
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.01},  # seconds that stopping takes
            name=f"local-mwaa-{self.port}",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        """Close the port and every connection, and wait for the threads. Safe to call twice."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.server_close()
        for thread in self._server.end_connections():
            if thread is not threading.current_thread():
                thread.join(STOP_SECONDS)
