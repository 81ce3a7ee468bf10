"""A file of variables, pools or connections: JSON or YAML, from disk or from S3, read whole and checked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mwaa_provider.client.core import raise_problems
from mwaa_provider.exceptions import AccessDeniedError, InvalidInputError, ServiceError

_YAML = (".yaml", ".yml")
_NOT_THERE = ("NoSuchKey", "NoSuchBucket", "404")
_DENIED = ("AccessDenied", "403", "AllAccessDisabled")


def read_settings_file(location: str, s3_client: Callable[[], Any]) -> dict[str, Any]:
    """Return the object that a file holds, by name.

    A name that ends in ``.yaml`` or ``.yml`` is read as YAML (which takes PyYAML; Airflow brings it), any other as JSON.

    IAM action, for a file in S3: ``s3:GetObject`` on it.

    :param location: A path, or an address such as ``s3://bucket/key.json``.
    :param s3_client: Gives boto3's client for S3; not called for a file on disk.
    :raises InvalidInputError: if it is not there, cannot be read, or does not hold one object whose names are texts, each once. No value
        stands in the message.
    :raises AccessDeniedError: if S3 does not allow this role to read it.
    """
    raise_problems(check_location(location))
    text = _text(location, _read_from_s3(location, s3_client) if location.startswith("s3://") else _read(location))
    content = _yaml(location, text) if location.lower().endswith(_YAML) else _json(location, text)
    if not isinstance(content, dict):
        raise InvalidInputError([f'file: {location} holds no object; it must look like {{"name": ...}}'])
    raise_problems(
        [
            f"file: {location}: the name {name!r} is not a text; put it in quotes"
            for name in content
            if not isinstance(name, str)
        ]
    )
    return content


def check_location(location: Any) -> list[str]:
    """Check where a file is.

    :param location: What the caller gave.
    """
    if not isinstance(location, str) or not location.strip():
        return [f"file: {location!r} is no place of a file; give a path, or s3://bucket/key"]
    if location.startswith("s3://"):
        bucket, _, key = location[len("s3://") :].partition("/")
        if not bucket or not key:
            return [f"file: {location!r} is no address of an object; give s3://bucket/key"]
    return []


def _read(location: str) -> bytes:
    try:
        return Path(location).read_bytes()
    except OSError as error:
        raise InvalidInputError([f"file: {location} cannot be read: {error.strerror}"]) from error


def _read_from_s3(location: str, s3_client: Callable[[], Any]) -> bytes:
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, _, key = location[len("s3://") :].partition("/")
    try:
        content: bytes = s3_client().get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in _NOT_THERE:
            raise InvalidInputError([f"file: {location} is not there ({code})"]) from error
        if code in _DENIED:
            raise AccessDeniedError(
                f"S3 does not allow this role to read {location} ({error}). Give it s3:GetObject on arn:aws:s3:::{bucket}/{key}; "
                "without s3:ListBucket on the bucket, S3 says the same of an object that is not there.",
                environment_name="",
                action="s3:GetObject",
                detail=str(error),
            ) from error
        raise ServiceError(
            f"S3 failed on {location}: {error}", environment_name="", action="s3:GetObject", code=code, status=None
        ) from error
    except BotoCoreError as error:
        raise ServiceError(
            f"{location} cannot be read: {error}", environment_name="", action="s3:GetObject", code="", status=None
        ) from error
    return content


def _text(location: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")  # with the mark that Windows' editors put first
    except UnicodeDecodeError as error:
        raise InvalidInputError([f"file: {location} is not UTF-8, from byte {error.start} on"]) from error


def _json(location: str, text: str) -> Any:
    doubled: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        doubled.extend(_doubled([name for name, _ in pairs]))
        return dict(pairs)

    def no_number(word: str) -> Any:
        raise ValueError(f"{word} is no number of JSON")

    try:
        content = json.loads(text, object_pairs_hook=once, parse_constant=no_number)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidInputError([f"file: {location} is not JSON: {error.msg}, {where}"]) from None
    except (ValueError, RecursionError) as error:
        raise InvalidInputError([f"file: {location} is not JSON: {error}"]) from None
    raise_problems(_told_of_doubled(location, doubled))
    return content


def _yaml(location: str, text: str) -> Any:
    try:
        import yaml
    except ModuleNotFoundError as error:
        raise InvalidInputError(
            [f"file: {location}: PyYAML is not installed: pip install pyyaml, or give a file of JSON"]
        ) from error
    doubled: list[str] = []

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            doubled.extend(_doubled([str(key.value) for key, _ in node.value if key.value != "<<"]))
            return super().construct_mapping(node, deep)

    try:
        content = yaml.load(text, Loader)  # noqa: S506 - a loader that makes plain values alone
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or type(error).__name__
        raise InvalidInputError([f"file: {location} is not YAML: {problem}{where}"]) from None
    raise_problems(_told_of_doubled(location, doubled))
    return content


def _doubled(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []


def _told_of_doubled(location: str, names: list[str]) -> list[str]:
    return [f"file: {location}: {name!r} stands there twice in one object; leave one" for name in names]
