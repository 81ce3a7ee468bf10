"""Where an archive lies: whether it may be written to, and its manifests."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import Any

from mwaa_provider.metadata.export import s3_errors
from mwaa_provider.metadata.export.manifest import Manifest
from mwaa_provider.metadata.export.s3_upload import S3Upload


@dataclass(frozen=True)
class Target:
    """Where an archive lies.

    :param client: boto3's client for S3.
    :param bucket: The bucket.
    :param prefix: What keys begin with, without ``/`` at its end; may be empty.
    """

    client: Any = field(repr=False)
    bucket: str
    prefix: str

    def key(self, *parts: str) -> str:
        """Write a key.

        :param parts: What follows the prefix.
        """
        return "/".join(part for part in (self.prefix, *parts) if part)

    def check(self) -> list[str]:
        """Find out whether it can be written to, by writing and removing a small object; return what is wrong, as sentences."""
        key = self.key("pending", f"permission-{os.getpid()}-{time.time_ns()}")
        try:
            self.client.put_object(Bucket=self.bucket, Key=key, Body=b"")
            self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
            self.client.delete_object(Bucket=self.bucket, Key=key)
        except Exception as error:
            return [f"archive_to: {s3_errors.from_botocore(error, bucket=self.bucket, key=key)}"]
        return []


def put(target: Target, key: str, manifest: Manifest) -> None:
    """Write a manifest.

    :param target: Where.
    :param key: Its key.
    :param manifest: The manifest.
    """
    with S3Upload(target.client, target.bucket, key) as upload:
        upload.write(manifest.to_json().encode())
