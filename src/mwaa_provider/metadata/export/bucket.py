"""The bucket of an export: whether it is there and may be written to, and whose the objects are that lie where ours shall."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from mwaa_provider.metadata.export import s3_errors
from mwaa_provider.metadata.export.manifest import Manifest

#: On every object of an export: who wrote it. A rerun of the same task instance finds its own by it.
OWNER = "mwaa-export-owner"


def check_bucket(client: Any, bucket: str, keys: Iterable[str], owner: str, *, overwrite: bool) -> list[str]:
    """Check that an export can be written, without writing; return the problems.

    IAM actions: ``s3:ListBucket`` on ``arn:aws:s3:::BUCKET`` and ``s3:GetObject`` on ``arn:aws:s3:::BUCKET/*``. Where they are denied,
    what they would tell is found out by writing.

    :param client: boto3's client for S3.
    :param bucket: The bucket.
    :param keys: The keys that will be written.
    :param owner: Who writes.
    :param overwrite: Whether others' objects may be replaced.
    """
    try:
        client.head_bucket(Bucket=bucket)
    except Exception as error:
        code = s3_errors.code_of(error)
        if code in ("404", "NoSuchBucket"):
            return [f"s3_bucket: there is no bucket {bucket!r}; create it, or correct the name"]
        if code in ("301", "400"):
            return [
                f"s3_bucket: {bucket!r} cannot be reached with this region ({error}); set region_name to the bucket's"
            ]
        if code != "403":
            raise s3_errors.from_botocore(error, bucket=bucket) from error
    problems = []
    for key in keys:
        try:
            found = client.head_object(Bucket=bucket, Key=key)
        except Exception as error:
            code = s3_errors.code_of(error)
            if code in ("404", "NoSuchKey", "NotFound"):
                continue
            if code == "403":
                return [
                    f"s3_bucket: S3 does not let this role look into bucket {bucket!r}; give it "
                    f"{s3_errors.statement(bucket)} and s3:ListBucket on arn:aws:s3:::{bucket}"
                ]
            raise s3_errors.from_botocore(error, bucket=bucket, key=key) from error
        if not overwrite and found.get("Metadata", {}).get(OWNER) != owner:
            problems.append(
                f"s3_key_template: {key!r} is there already and is not of this task instance; put {{run_id}} into the template, or set "
                "overwrite=True to replace it"
            )
    return problems


def read_manifest(client: Any, bucket: str, key: str, version_id: str | None = None) -> Manifest | None:
    """Read a manifest; ``None`` if there is no such object.

    :param client: boto3's client for S3.
    :param bucket: The bucket.
    :param key: Its key.
    :param version_id: Its version (default: the newest).
    :raises VerificationError: It is not one of ours.
    """
    try:
        text = client.get_object(Bucket=bucket, Key=key, **({"VersionId": version_id} if version_id else {}))[
            "Body"
        ].read()
    except Exception as error:
        if s3_errors.code_of(error) in ("404", "NoSuchKey"):
            return None
        raise s3_errors.from_botocore(error, bucket=bucket, key=key) from error
    return Manifest.from_json(text, address(bucket, key))


def address(bucket: str, key: str) -> str:
    """Return an object's address.

    :param bucket: The bucket.
    :param key: Its key.
    """
    return f"s3://{bucket}/{key}"


def owner_of(identity: Mapping[str, Any]) -> str:
    """Return the mark that a task instance leaves on its objects: the same for every try of it, and nobody else's.

    :param identity: What tells it from all others.
    """
    text = "\n".join(f"{name}={identity[name]}" for name in sorted(identity))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
