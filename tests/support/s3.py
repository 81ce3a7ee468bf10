"""A bucket of moto's, in a server of its own on 127.0.0.1, spoken to by real boto3."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

BUCKET = "exports"


@dataclass(frozen=True)
class S3:
    """What tests hold of S3.

    :param endpoint_url: Its address.
    :param client: boto3's client for it.
    """

    endpoint_url: str
    client: Any

    def objects(self, bucket: str = BUCKET) -> list[str]:
        """Name all objects."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [one["Key"] for page in pages for one in page.get("Contents", ())]

    def read(self, key: str, bucket: str = BUCKET) -> bytes:
        """Read an object."""
        return self.client.get_object(Bucket=bucket, Key=key)["Body"].read()

    def uploads(self, bucket: str = BUCKET) -> list[str]:
        """Name the keys of all uploads that have not ended."""
        return [one["Key"] for one in self.client.list_multipart_uploads(Bucket=bucket).get("Uploads", ())]

    def empty(self, bucket: str = BUCKET) -> None:
        """Remove everything."""
        for one in self.client.list_multipart_uploads(Bucket=bucket).get("Uploads", ()):
            self.client.abort_multipart_upload(Bucket=bucket, Key=one["Key"], UploadId=one["UploadId"])
        for key in self.objects(bucket):
            self.client.delete_object(Bucket=bucket, Key=key)


@contextmanager
def started_s3() -> Iterator[S3]:
    """Start the server with an empty bucket."""
    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        port = server._server.server_address[1]
        endpoint_url = f"http://127.0.0.1:{port}"
        client = boto3.client("s3", endpoint_url=endpoint_url)
        # Servers of one process share moto's memory: the bucket of an earlier one is there still.
        if BUCKET not in [one["Name"] for one in client.list_buckets()["Buckets"]]:
            client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3 = S3(endpoint_url, client)
        s3.empty()
        yield s3
    finally:
        server.stop()
