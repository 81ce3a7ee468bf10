"""CloudWatch Logs, played by moto in a server of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import requests
from moto.server import ThreadedMotoServer

from mwaa_provider.local.real.web import free_port

REGION = "us-east-1"


@dataclass(frozen=True)
class LogsService:
    """The service, with one log group.

    :param url: Its address.
    :param log_group: The group.
    """

    url: str
    log_group: str

    @property
    def arn(self) -> str:
        return f"arn:aws:logs:{REGION}:123456789012:log-group:{self.log_group}"

    @property
    def client(self) -> Any:
        return boto3.client("logs", endpoint_url=self.url, region_name=REGION)

    @property
    def connection(self) -> str:
        """An Airflow connection to it."""
        extra = {"endpoint_url": self.url, "region_name": REGION}
        return json.dumps({"conn_type": "aws", "login": "testing", "password": "testing", "extra": extra})

    def events(self, stream_contains: str) -> list[dict[str, Any]]:
        """The events of the one stream whose name contains this."""
        streams = self.client.describe_log_streams(logGroupName=self.log_group)["logStreams"]
        (name,) = [stream["logStreamName"] for stream in streams if stream_contains in stream["logStreamName"]]
        events: list[dict[str, Any]] = self.client.get_log_events(
            logGroupName=self.log_group, logStreamName=name, startFromHead=True
        )["events"]
        return events


@contextmanager
def logs_service(log_group: str) -> Iterator[LogsService]:
    """Start it, and end it.

    :param log_group: A group to make.
    """
    port = free_port()
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    try:
        service = LogsService(f"http://127.0.0.1:{port}", log_group)
        # What it keeps, it keeps for all servers of a process.
        requests.post(f"{service.url}/moto-api/reset", timeout=30).raise_for_status()
        service.client.create_log_group(logGroupName=log_group)
        yield service
    finally:
        server.stop()
