"""What S3 says no with, as our errors: each names the statement of IAM that is missing, with ``/*`` where it belongs."""

from __future__ import annotations

import json
from typing import Any

from mwaa_provider.exceptions import AccessDeniedError, ExportError, MwaaError

_DENIED = ("AccessDenied", "403", "AllAccessDisabled")
_NO_BUCKET = ("NoSuchBucket",)


def statement(bucket: str, *actions: str) -> str:
    """Write the statement of IAM that an export needs.

    :param bucket: The bucket.
    :param actions: Actions on its objects (default: all that an export takes).
    """
    # S3's PutObject is about objects: a policy that names the bucket without /* allows nothing.
    return json.dumps(
        {
            "Effect": "Allow",
            "Action": list(actions or ("s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:AbortMultipartUpload")),
            "Resource": f"arn:aws:s3:::{bucket}/*",
        }
    )


def code_of(error: Exception) -> str:
    """Return S3's code for an error, such as ``NoSuchBucket``; empty if it is none of S3.

    :param error: What boto3 raised.
    """
    response: dict[str, Any] = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def from_botocore(error: Exception, *, bucket: str, key: str = "") -> MwaaError:
    """Map an error of boto3's S3 client to ours.

    :param error: The foreign error.
    :param bucket: The bucket.
    :param key: The object's key.
    """
    code = code_of(error)
    if code in _NO_BUCKET:
        return ExportError(f"There is no bucket {bucket!r}. Nothing of the export is there.", bucket=bucket, key=key)
    if code in _DENIED:
        return AccessDeniedError(
            f"S3 does not allow this role to write {key!r} in bucket {bucket!r} ({error}). Give it: {statement(bucket)}"
            ' and, for a bucket with a key of KMS, "kms:GenerateDataKey" and "kms:Decrypt" on that key.',
            environment_name="",
            action=f"s3:{getattr(error, 'operation_name', 'PutObject')}",
            detail=str(error),
        )
    return ExportError(f"S3 failed on {key!r} in bucket {bucket!r}: {error}", bucket=bucket, key=key)
