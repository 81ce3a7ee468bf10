"""Airflow's own parsers read out of the URI what was put in, whatever it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from airflow.models.connection import Connection
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mwaa_provider.client.connection_uri import connection_uri
from mwaa_provider.exceptions import InvalidInputError

try:
    from airflow.sdk import Connection as SdkConnection
except ImportError:  # Airflow 2
    SdkConnection = None

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
TYPES = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True).filter(lambda text: text != "postgresql")


def read_by_each(uri: str) -> list[Any]:
    read = [Connection(conn_id="c", uri=uri)]
    if SdkConnection is not None and hasattr(SdkConnection, "from_uri"):
        read.append(SdkConnection.from_uri(uri, conn_id="c"))
    return read


@settings(max_examples=400)
@given(
    conn_type=TYPES,
    host=st.none() | TEXTS,
    login=st.none() | TEXTS,
    password=st.none() | TEXTS,
    port=st.none() | st.integers(1, 65535),
    schema=st.none() | TEXTS,
    extra=st.none() | st.dictionaries(TEXTS, TEXTS, max_size=3) | st.dictionaries(TEXTS, VALUES, max_size=3),
)
@example(
    "aws", "https://Example.COM/Path", "a/b@c:d", "p:/@?#[]%41+ &=", 443, "a/b c", {"role_arn": "arn:aws:iam::1:role/x"}
)
@example("aws", None, None, "only a password", None, None, {"port": "123", "flag": "true", "nothing": "null"})
@example("google_cloud_platform", "[2001:db8::1]", "", "", 1, "", {"__extra__": "x"})
@example("http", "a://b://c", "x", "y", 80, "http://x", {"": ""})
@example("snowflake", "ÄÖ.example", "ü", "🦉", None, "İ", {"a": {"b": [None, 1.5, True]}})
def test_what_was_put_in_comes_out(
    conn_type: str,
    host: str | None,
    login: str | None,
    password: str | None,
    port: int | None,
    schema: str | None,
    extra: dict[str, Any] | None,
) -> None:
    uri = connection_uri(conn_type, host=host, login=login, password=password, port=port, schema=schema, extra=extra)
    for read in read_by_each(uri):
        assert read.conn_type == conn_type
        assert [read.host or "", read.login or "", read.password or "", read.port, read.schema or ""] == [
            *(host or "", login or "", password or "", port, schema or "")
        ]
        assert json.loads(read.extra or "{}") == (extra or {})
        assert read.extra_dejson == (extra or {})


@pytest.mark.parametrize(
    ("fields", "uri"),
    [
        ({"conn_type": "aws"}, "aws://"),
        (
            {
                "conn_type": "postgres",
                "host": "db.example.com",
                "login": "etl",
                "password": "p/@:+",
                "port": 5432,
                "schema": "sales",
            },
            "postgres://etl:p%2F%40%3A%2B@db.example.com:5432/sales",
        ),
        (
            {
                "conn_type": "aws",
                "extra": {"role_arn": "arn:aws:iam::123456789012:role/etl", "region_name": "eu-west-1"},
            },
            "aws:///?role_arn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fetl&region_name=eu-west-1",
        ),
        ({"conn_type": "aws", "extra": {"retries": 3}}, "aws:///?__extra__=%7B%22retries%22%3A%203%7D"),
        ({"conn_type": "google_cloud_platform", "schema": "x", "extra": {"a": "b"}}, "google-cloud-platform:///x?a=b"),
    ],
)
def test_what_it_looks_like(fields: dict[str, Any], uri: str) -> None:
    assert connection_uri(**fields) == uri


def test_all_problems_at_once_without_a_secret() -> None:
    with pytest.raises(InvalidInputError) as caught:
        connection_uri(
            "Postgres!",
            host="\ud800",
            login=5,  # type: ignore[arg-type]
            password="SECRET\ud800",
            port=0,
            extra={"SECRET": float("nan")},
        )
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        *("conn_type", "host", "login", "password", "port", "extra")
    ]
    assert "SECRET" not in str(caught.value)


def test_a_type_that_airflow_reads_as_another() -> None:
    with pytest.raises(InvalidInputError, match="Airflow reads 'postgresql' as 'postgres'; give that"):
        connection_uri("postgresql")
