"""moto's Secrets Manager, in a server of its own on 127.0.0.1, spoken to by real boto3."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Secrets:
    """What tests hold of it.

    :param endpoint_url: Its address.
    :param client: boto3's client for it.
    :param prefix: Begins the names of this test's secrets: servers of one process share moto's memory.
    """

    endpoint_url: str
    client: Any
    prefix: str

    def put(self, name: str, value: str | bytes) -> str:
        """Keep a secret, and return its name with the prefix."""
        kind = "SecretString" if isinstance(value, str) else "SecretBinary"
        self.client.create_secret(Name=f"{self.prefix}/{name}", **{kind: value})
        return f"{self.prefix}/{name}"


@contextmanager
def started_secrets_manager() -> Iterator[Secrets]:
    """Start the server."""
    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        endpoint_url = f"http://127.0.0.1:{server._server.server_address[1]}"
        client = boto3.client(
            "secretsmanager",
            endpoint_url=endpoint_url,
            region_name="us-east-1",
            aws_access_key_id="TEST",
            aws_secret_access_key="test",
        )
        yield Secrets(endpoint_url, client, f"test-{uuid.uuid4().hex[:8]}")
    finally:
        server.stop()
