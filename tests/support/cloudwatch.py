"""CloudWatch on 127.0.0.1: moto keeps what is published, and a gate before it counts the calls and misbehaves on request."""

from __future__ import annotations

import gzip
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import boto3
from botocore.config import Config

#: ``swallows`` says yes and keeps nothing: moto takes minutes for what CloudWatch takes in a call.
Mood = Literal["well", "slow", "throttled", "denied", "failing", "hangs_up", "swallows"]

_ERRORS = {
    "throttled": (400, "ThrottlingException", "Rate exceeded"),
    "denied": (403, "AccessDenied", "User is not authorized to perform: cloudwatch:PutMetricData"),
    "failing": (500, "InternalServiceFault", "An internal error"),
}
# botocore's three ways to speak to CloudWatch: releases up to 2.10.3 send forms, later ones JSON or CBOR.
_AS_CBOR = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
_AS_JSON = {"Content-Type": "application/x-amz-json-1.0"}
_HEADERS_OF_A_HOP = ("connection", "content-length", "transfer-encoding", "host", "date", "server")


@dataclass(frozen=True)
class Kept:
    """One value as moto keeps it."""

    name: str
    value: float
    unit: str
    at: datetime
    dimensions: dict[str, str]


@dataclass
class CloudWatch:
    """CloudWatch, and how it behaves.

    :param endpoint_url: Its address.
    :param mood: How it behaves from now on.
    :param bodies: What was sent in each call, as it was sent.
    :param encodings: How each of them was encoded.
    """

    endpoint_url: str = ""
    mood: Mood = "well"
    bodies: list[bytes] = field(default_factory=list)
    encodings: list[str] = field(default_factory=list)
    moods: list[Mood] = field(default_factory=list)
    _let_go: threading.Event = field(default_factory=threading.Event)

    @property
    def calls(self) -> int:
        """How many calls came, whatever became of them."""
        return len(self.bodies)

    def client(self, *, region_name: str = "eu-west-1", **config: Any) -> Any:
        """A boto3 client of it; further arguments are botocore's configuration."""
        return boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing").client(
            "cloudwatch",
            region_name=region_name,
            endpoint_url=self.endpoint_url,
            config=Config(**{"retries": {"total_max_attempts": 1, "mode": "standard"}, **config}),
        )

    @property
    def variables(self) -> dict[str, str]:
        """What a process has to have in its environment to publish here."""
        return {
            "AWS_ENDPOINT_URL_CLOUDWATCH": self.endpoint_url,
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DISABLE_REQUEST_COMPRESSION": "true",
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "*",
        }

    def kept(self, namespace: str = "MWAACustom") -> list[Kept]:
        """Every value that was published, in the order in which it came."""
        return [
            Kept(
                one.name,
                one.value,
                one.unit,
                one.timestamp.astimezone(timezone.utc)
                if one.timestamp.tzinfo
                else one.timestamp.replace(tzinfo=timezone.utc),
                {dimension.name: dimension.value for dimension in one.dimensions},
            )
            for one in _backend().metric_data
            if one.namespace == namespace
        ]

    def forget(self) -> None:
        """Begin anew."""
        _backend().reset()
        self.mood = "well"
        self._let_go = threading.Event()
        for seen in (self.bodies, self.encodings, self.moods):
            seen.clear()

    def let_go(self) -> None:
        """End the waiting of calls that came while it was slow."""
        self._let_go.set()


def _backend() -> Any:
    from moto.cloudwatch.models import cloudwatch_backends

    return cloudwatch_backends["123456789012"]["eu-west-1"]


@contextmanager
def cloudwatch() -> Iterator[CloudWatch]:
    """Run it."""
    from moto.server import ThreadedMotoServer

    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    told = CloudWatch()
    target = f"http://127.0.0.1:{moto._server.server_port}"
    gate = ThreadingHTTPServer(("127.0.0.1", 0), _handler(told, target))
    gate.daemon_threads = True
    thread = threading.Thread(target=gate.serve_forever, daemon=True)
    thread.start()
    told.endpoint_url = f"http://127.0.0.1:{gate.server_port}"
    try:
        told.forget()
        yield told
    finally:
        told.let_go()
        gate.shutdown()
        gate.server_close()
        moto.stop()


def _handler(told: CloudWatch, target: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            mood = told.mood
            told.bodies.append(body)
            told.encodings.append(self.headers.get("Content-Encoding", ""))
            told.moods.append(mood)
            if mood == "slow":  # so slow that whoever asked has gone by then
                told._let_go.wait(60)
            if mood in ("slow", "hangs_up"):
                self.close_connection = True
                return
            if mood in _ERRORS:
                self._refuse(*_ERRORS[mood])
            elif mood == "swallows":
                self._say_yes()
            else:
                self._pass_on(body)

        def _pass_on(self, body: bytes) -> None:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _HEADERS_OF_A_HOP}
            if headers.pop("Content-Encoding", "") == "gzip":  # not every release of moto knows it
                body = gzip.decompress(body)
            request = urllib.request.Request(target + self.path, data=body, headers=headers, method="POST")
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            try:
                with opener.open(request, timeout=60) as answer:
                    self._answer(answer.status, dict(answer.headers), answer.read())
            except urllib.error.HTTPError as error:
                self._answer(error.code, dict(error.headers), error.read())

        def _say_yes(self) -> None:
            if "cbor" in self.headers.get("Content-Type", ""):
                self._answer(200, _AS_CBOR, b"\xa0")
            elif "json" in self.headers.get("Content-Type", ""):
                self._answer(200, _AS_JSON, b"{}")
            else:
                text = b"<PutMetricDataResponse><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></PutMetricDataResponse>"
                self._answer(200, {"Content-Type": "text/xml"}, text)

        def _refuse(self, status: int, code: str, message: str) -> None:
            if "cbor" in self.headers.get("Content-Type", ""):
                data = b"\xa2" + b"".join(map(_cbor, ("__type", code, "message", message)))
                self._answer(status, _AS_CBOR, data)
            elif "json" in self.headers.get("Content-Type", ""):
                self._answer(status, _AS_JSON, json.dumps({"__type": code, "message": message}).encode())
            else:
                text = (
                    f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
                    "<RequestId>1</RequestId></ErrorResponse>"
                )
                self._answer(status, {"Content-Type": "text/xml"}, text.encode())

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            try:
                self.send_response(status)
                for name, value in headers.items():
                    if name.lower() not in _HEADERS_OF_A_HOP:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:  # whoever asked has gone
                self.close_connection = True

        def log_message(self, *arguments: Any) -> None:
            pass

    return Handler


def _cbor(text: str) -> bytes:
    data = text.encode()
    return (bytes([0x60 + len(data)]) if len(data) < 24 else bytes([0x78, len(data)])) + data
