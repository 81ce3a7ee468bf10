"""A CloudWatch that counts calls and values, and keeps nothing."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# botocore's three ways to speak to CloudWatch.
_YES = {
    "cbor": ({"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}, b"\xa0"),
    "json": ({"Content-Type": "application/x-amz-json-1.0"}, b"{}"),
    "form": (
        {"Content-Type": "text/xml"},
        b"<PutMetricDataResponse><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></PutMetricDataResponse>",
    ),
}


class Counting:
    """The server. Use it in a ``with`` statement."""

    def __init__(self) -> None:
        self.calls = 0
        self.bytes = 0
        counting = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                counting.calls += 1
                counting.bytes += len(self.rfile.read(int(self.headers.get("Content-Length", 0))))
                kind = self.headers.get("Content-Type", "")
                headers, body = next((yes for name, yes in _YES.items() if name in kind), _YES["form"])
                self.send_response(200)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def endpoint_url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def forget(self) -> None:
        """Count anew."""
        self.calls = self.bytes = 0

    def __enter__(self) -> Counting:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
