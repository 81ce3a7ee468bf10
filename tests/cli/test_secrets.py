"""``mwaa secrets options`` and ``mwaa connection uri``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from airflow.models.connection import Connection

from tests.support.command import run_mwaa

BACKEND = "airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend"


def test_the_options() -> None:
    ended = run_mwaa(["secrets", "options", "--connections-lookup-pattern", "^prod_"], {})
    assert (ended.status, ended.stderr) == (0, "")
    kwargs = {
        "connections_prefix": "airflow/connections",
        "connections_lookup_pattern": "^prod_",
        "variables_prefix": "airflow/variables",
    }
    assert ended.stdout == f"secrets.backend : {BACKEND}\nsecrets.backend_kwargs : {json.dumps(kwargs)}\n"


def test_the_options_for_a_program_and_a_warning() -> None:
    ended = run_mwaa(["secrets", "options", "--json"], {})
    assert json.loads(ended.stdout)["secrets.backend"] == BACKEND
    assert "will ask the store for aws_default too" in ended.stderr


def test_options_that_cannot_be() -> None:
    ended = run_mwaa(["secrets", "options", "--variables-prefix", "a b", "--only", "x"], {})
    assert (ended.status, ended.stdout) == (2, "")
    assert "--variables-prefix: 'a b' cannot begin" in ended.stderr
    assert "--only: 'x' is not one of connections, variables" in ended.stderr


@pytest.mark.parametrize("way", ["file", "stdin"])
def test_a_uri(tmp_path: Path, way: str) -> None:
    (tmp_path / "password").write_text("p/@:ü\n", encoding="utf-8")
    (tmp_path / "extra").write_text('{"sslmode": "require", "n": 1}')
    given = f"@{tmp_path}/password" if way == "file" else "-"
    fields = ["--host", "DB.example.com", "--login", "etl", "--port", "5432", "--schema", "sales"]
    ended = run_mwaa(
        ["connection", "uri", "postgres", *fields, "--password", given, "--extra", f"@{tmp_path}/extra"],
        {},
        "p/@:ü\n" if way == "stdin" else None,
    )
    assert (ended.status, ended.stderr) == (0, "")
    read = Connection(conn_id="c", uri=ended.stdout.strip())
    assert (read.conn_type, read.host, read.login, read.password) == ("postgres", "DB.example.com", "etl", "p/@:ü")
    assert (read.port, read.schema, read.extra_dejson) == (5432, "sales", {"sslmode": "require", "n": 1})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["aws", "--password", "SECRET"],
            "Error: --password: everybody on this machine can read what stands on a command",
        ),
        (
            ["aws", "--password", "-", "--extra", "-"],
            "Error: --password, --extra: only one of them can be standard input",
        ),
        (["aws", "--extra", '{"SECRET"'], "Error: --extra: this is not JSON: Expecting ':' delimiter, line 1"),
        (["aws", "--extra", '["SECRET"]'], "Error: --extra: it must be a JSON object, {...}"),
        (["aws", "--password", "@/no/such"], "Error: --password: /no/such cannot be read"),
        (["AWS"], "Error: Invalid input: TYPE: 'AWS' is none"),
        (["aws", "--port", "0"], "Error: Invalid input: --port: 0 is none; give a whole number from 1 to 65535"),
    ],
)
def test_wrong_usage(arguments: list[str], said: str) -> None:
    ended = run_mwaa(["connection", "uri", *arguments], {}, "x")
    assert (ended.status, ended.stdout) == (2, "")
    assert ended.error.startswith(said)
    assert "SECRET" not in ended.stderr
