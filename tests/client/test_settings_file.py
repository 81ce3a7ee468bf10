"""Files of variables and pools: JSON and YAML, from disk and S3; what cannot be read is said without a value."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from mwaa_provider.client.settings_file import read_settings_file
from mwaa_provider.exceptions import AccessDeniedError, InvalidInputError, ServiceError
from tests.support.s3 import BUCKET, started_s3


def no_s3() -> Any:
    raise AssertionError("a file on disk needs no S3")


@pytest.mark.parametrize(
    ("name", "text", "content"),
    [
        ("v.json", '{"a": "x", "b": [1, null, {"c": true}]}', {"a": "x", "b": [1, None, {"c": True}]}),
        ("v.json", '\ufeff{"a": "ü\\n\\"\'"}', {"a": "ü\n\"'"}),
        ("v.txt", "{}", {}),
        ("v.yaml", "a: |\n  two\n  lines\nb: [1, null]\n", {"a": "two\nlines\n", "b": [1, None]}),
        ("v.YML", "base: &b {x: 1}\nc: {<<: *b, y: 2}\n", {"base": {"x": 1}, "c": {"x": 1, "y": 2}}),
    ],
)
def test_what_is_read(tmp_path: Path, name: str, text: str, content: Any) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert read_settings_file(str(tmp_path / name), no_s3) == content


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("v.json", b'{"a": "SECRET",\n "b" "SECRET"}', "is not JSON: Expecting ':' delimiter, line 2, column 6"),
        ("v.json", b'{"a": NaN}', "is not JSON: NaN is no number of JSON"),
        ("v.json", b'{"a": "SECRET", "a": 2}', "'a' stands there twice in one object; leave one"),
        ("v.json", b'["SECRET"]', 'holds no object; it must look like {"name": ...}'),
        ("v.json", b'{"a": "SECRET\xff"}', "is not UTF-8, from byte 13 on"),
        ("v.json", b"[" * 100_000, "is not JSON: "),
        ("v.yaml", b"a: SECRET\na: 2\n", "'a' stands there twice in one object; leave one"),
        ("v.yaml", b"a: [SECRET\n", "is not YAML: "),
        ("v.yaml", b"a: !!python/object:os.system SECRET\n", "is not YAML: "),
        ("v.yaml", b"1: SECRET\n", "the name 1 is not a text; put it in quotes"),
    ],
)
def test_what_cannot_be_read_is_said_without_a_value(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidInputError) as caught:
        read_settings_file(str(tmp_path / name), no_s3)
    assert said in str(caught.value)
    assert "SECRET" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"file: .*none.json cannot be read: No such file or directory"):
        read_settings_file(str(tmp_path / "none.json"), no_s3)


def test_yaml_without_pyyaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "v.yaml").write_text("a: 1")
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(InvalidInputError, match="PyYAML is not installed: pip install pyyaml"):
        read_settings_file(str(tmp_path / "v.yaml"), no_s3)


@pytest.mark.parametrize("location", ["", "s3://", "s3://bucket", "s3://bucket/", None, 3])
def test_what_is_no_place(location: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"file: .* is no "):
        read_settings_file(location, no_s3)


def test_from_s3() -> None:
    with started_s3() as s3:
        s3.client.put_object(Bucket=BUCKET, Key="a/v.yaml", Body=b"a: 1\n")
        assert read_settings_file(f"s3://{BUCKET}/a/v.yaml", lambda: s3.client) == {"a": 1}
        for address in (f"s3://{BUCKET}/none.json", "s3://no-such-bucket-here/none.json"):
            with pytest.raises(InvalidInputError, match=r"is not there \(NoSuch"):
                read_settings_file(address, lambda: s3.client)


@pytest.mark.parametrize(
    ("code", "status", "kind"), [("AccessDenied", 403, AccessDeniedError), ("Odd", 400, ServiceError)]
)
def test_what_s3_refuses(code: str, status: int, kind: type[Exception]) -> None:
    import boto3
    from botocore.stub import Stubber

    client = boto3.client("s3", region_name="eu-west-1")
    with Stubber(client) as stubber:
        stubber.add_client_error("get_object", code, http_status_code=status)
        with pytest.raises(kind, match="s3://b/k"):
            read_settings_file("s3://b/k", lambda: client)
        stubber.assert_no_pending_responses()
