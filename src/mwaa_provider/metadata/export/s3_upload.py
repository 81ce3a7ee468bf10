"""One object of S3, written as a stream: part by part, with its sum, and without a trace if it does not come to its end."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any

from mwaa_provider.exceptions import ExportError
from mwaa_provider.metadata.export import s3_errors

log = logging.getLogger(__name__)

#: S3 admits 10,000 parts of 5 MiB to 5 GiB. Parts grow, so that a small export needs little memory and a huge one has room:
#: 1,000 parts of 8 MiB, then 1,000 of 16 and so on: 4 TiB before the parts run out.
PART_BYTES = 8 * 1024 * 1024
_PARTS_OF_ONE_SIZE = 1000
_MOST_PARTS = 10_000


@dataclass(frozen=True)
class Stored:
    """What lies in S3 now.

    :param key: The object's key.
    :param size: Its size in bytes.
    :param sha256: The sum of its bytes, in hexadecimal digits.
    :param version_id: Its version, in a bucket that keeps versions.
    """

    key: str
    size: int
    sha256: str
    version_id: str | None


class S3Upload:
    """A sink for the bytes of one object, used in a ``with`` block: left by an error, the upload is aborted; else it is completed.

    IAM actions: ``s3:PutObject`` and ``s3:AbortMultipartUpload`` on ``arn:aws:s3:::BUCKET/*``; with ``extra_args`` also
    ``s3:PutObjectTagging``, ``s3:PutObjectAcl`` or those of the KMS key (``kms:GenerateDataKey``, ``kms:Decrypt``).
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html

    :param client: boto3's client for S3.
    :param bucket: The bucket.
    :param key: The object's key.
    :param extra_args: Further arguments for S3, such as ``ServerSideEncryption``, ``SSEKMSKeyId``, ``ACL``, ``StorageClass``, ``Tagging``.
    :param metadata: What is written on the object.
    :param part_bytes: The size of the first parts, in bytes (default 8 MiB).
    """

    def __init__(
        self,
        client: Any,
        bucket: str,
        key: str,
        *,
        extra_args: Mapping[str, Any] | None = None,
        metadata: Mapping[str, str] | None = None,
        part_bytes: int | None = None,
    ) -> None:
        self._client = client
        self._where = {"Bucket": bucket, "Key": key}
        self._arguments = {
            **(extra_args or {}),
            "Metadata": {**(extra_args or {}).get("Metadata", {}), **(metadata or {})},
        }
        self._part_bytes = part_bytes or PART_BYTES
        self._sum = hashlib.sha256()
        self._size = 0
        self._held = bytearray()
        self._parts: list[dict[str, Any]] = []
        self._sending: Future[dict[str, Any]] | None = None
        self._sender = ThreadPoolExecutor(1, thread_name_prefix="s3-upload")
        self._lock = threading.Lock()
        self._upload_id: str | None = None
        self._is_aborted = False
        #: What came of it; known when the block has been left.
        self.stored: Stored | None = None

    def __enter__(self) -> S3Upload:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._complete()
        except BaseException:
            self._leave_no_trace()
            raise
        else:
            if error is not None:
                self._leave_no_trace()
        finally:
            self._sender.shutdown(wait=False)

    def write(self, data: bytes) -> int:
        """Take some bytes; whole parts go to S3 while the next ones come."""
        self._sum.update(data)
        self._size += len(data)
        self._held += data
        while len(self._held) >= self._next_part_bytes():
            size = self._next_part_bytes()
            part = bytes(memoryview(self._held)[:size])
            del self._held[:size]
            self._send(part)
        return len(data)

    def abort(self) -> None:
        """Give up: what was sent goes, and what is written from now on is refused. Safe to call twice, and from another thread."""
        with self._lock:
            self._is_aborted = True
            upload_id = self._upload_id
        if upload_id is None:
            return
        try:
            self._client.abort_multipart_upload(**self._where, UploadId=upload_id)
        except Exception as error:
            if s3_errors.code_of(error) != "NoSuchUpload":
                raise

    def _leave_no_trace(self) -> None:
        # A part that is on its way could arrive after the abort, and would stay.
        if self._sending is not None:
            with suppress(Exception):
                self._sending.result(timeout=60)
        try:
            self.abort()
        except Exception as error:
            log.warning(
                "The upload of %r in bucket %r could not be aborted (%s). The next run of this task aborts it; or a rule of the bucket's "
                "life cycle, AbortIncompleteMultipartUpload, does.",
                self._where["Key"],
                self._where["Bucket"],
                error,
            )

    def _next_part_bytes(self) -> int:
        number = len(self._parts) + (self._sending is not None)
        return int(self._part_bytes * 2 ** (number // _PARTS_OF_ONE_SIZE))

    def _send(self, part: bytes) -> None:
        self._wait_for_the_part_on_its_way()
        if self._upload_id is None:
            self._begin()
        number = len(self._parts) + 1
        if number > _MOST_PARTS:
            raise ExportError(
                f"{self._where['Key']!r} is larger than S3 admits", bucket=self._where["Bucket"], key=self._where["Key"]
            )
        self._sending = self._sender.submit(self._send_part, number, part)

    def _begin(self) -> None:
        upload_id = self._call(self._client.create_multipart_upload, **self._where, **self._arguments)["UploadId"]
        with self._lock:
            self._upload_id = upload_id
            is_aborted = self._is_aborted
        if is_aborted:
            self.abort()
            self._check_not_aborted()

    def _send_part(self, number: int, part: bytes) -> dict[str, Any]:
        answer = self._call(
            self._client.upload_part, **self._where, UploadId=self._upload_id or "-", PartNumber=number, Body=part
        )
        return {"PartNumber": number, "ETag": answer["ETag"]}

    def _wait_for_the_part_on_its_way(self) -> None:
        if self._sending is not None:
            self._parts.append(self._sending.result())
            self._sending = None
        self._check_not_aborted()

    def _complete(self) -> None:
        if self._upload_id is None and self._sending is None:
            self._check_not_aborted()
            answer = self._call(self._client.put_object, **self._where, **self._arguments, Body=bytes(self._held))
        else:
            if self._held:
                self._send(bytes(self._held))
            self._wait_for_the_part_on_its_way()
            answer = self._call(
                self._client.complete_multipart_upload,
                **self._where,
                UploadId=self._upload_id,
                MultipartUpload={"Parts": self._parts},
            )
        self._held.clear()
        self.stored = Stored(self._where["Key"], self._size, self._sum.hexdigest(), answer.get("VersionId"))

    def _check_not_aborted(self) -> None:
        if self._is_aborted:
            raise ExportError(
                "The export was ended; its uploads are aborted.", bucket=self._where["Bucket"], key=self._where["Key"]
            )

    def _call(self, call: Callable[..., Any], **arguments: Any) -> Any:
        try:
            return call(**arguments)
        except Exception as error:
            self._check_not_aborted()
            raise s3_errors.from_botocore(error, bucket=self._where["Bucket"], key=self._where["Key"]) from error


def abort_leftovers(client: Any, bucket: str, keys: set[str], before: datetime) -> list[str]:
    """Abort uploads of these very keys that a killed process has left; return their keys.

    IAM actions: ``s3:ListBucketMultipartUploads`` on ``arn:aws:s3:::BUCKET``, ``s3:AbortMultipartUpload`` on ``arn:aws:s3:::BUCKET/*``.

    :param client: boto3's client for S3.
    :param bucket: The bucket.
    :param keys: The keys.
    :param before: Uploads that began earlier than this.
    """
    aborted = []
    for key in sorted(keys):
        pages = client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=key)
        for upload in (one for page in pages for one in page.get("Uploads", ())):
            if upload["Key"] == key and upload["Initiated"] < before:
                client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload["UploadId"])
                aborted.append(key)
    return aborted
