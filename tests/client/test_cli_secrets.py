"""No secret that a command was given is in what is told of it; everything else is."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwaa_provider.client.cli_line import read_line
from mwaa_provider.client.cli_secrets import without_secrets

DB = ("--conn-type", "postgres", "--conn-host=db.example.com", "--conn-port", "5432", "--conn-schema", "base")
DB = (*DB, "--conn-login", "someone", "--conn-password", "secret")
secrets = st.text(st.characters(exclude_characters="\0*", exclude_categories=("Cs",)), min_size=3)
names = st.from_regex(r"[a-z_.]{1,8}", fullmatch=True)


@given(value=secrets)
def test_no_value_is_told(value):
    line, _ = read_line(["variables", "set", "--", "key", value])
    assert value not in without_secrets(line, f"before {value} after")


@pytest.mark.parametrize(
    ("arguments", "printed", "told"),
    [
        (["variables", "set", "key", "one\ntwo"], "key: one\nand two and 'one\\ntwo'", "key: ***\nand *** and '***'"),
        (["variables", "set", "key", "value", "--description=words"], "value, words", "***, ***"),
        (
            ["connections", "add", "db", "--conn-json", '{"password": "p\\u00e4ss"}'],
            'of "db": p\\u00e4ss',
            'of "db": ***',
        ),
        (["connections", "add", "db", "--conn-uri=x://me:p%40ss@h/"], "user me, p@ss, p%40ss", "user me, ***, ***"),
        (
            ["connections", "add", "db", "--conn-password", "secret"],
            "invalid choice: 'secret'",
            "invalid choice: '***'",
        ),
        # https://github.com/apache/airflow prints this for a connection that it has added
        (
            ["connections", "add", "aws_default", "--conn-type", "aws"],
            "Successfully added `conn_id`=aws_default : aws://:@:\n",
            "Successfully added `conn_id`=aws_default : aws://:@:\n",
        ),
        (
            [
                "connections",
                "add",
                "db",
                *DB,
                "--conn-extra",
                '{"service": "postgres", "role": "db", "key": "p\\u00e4ss"}',
            ],
            "Successfully added `conn_id`=db : postgres://someone:******@db.example.com:5432/base (päss)",
            "Successfully added `conn_id`=db : postgres://***:******@db.example.com:5432/base (***)",
        ),
        (
            [
                "connections",
                "add",
                "db",
                "--conn-json",
                '{"conn_type": "postgres", "host": "there", "login": "someone"}',
            ],
            "Successfully added `conn_id`=db : postgres://someone:@there:",
            "Successfully added `conn_id`=db : postgres://***:@there:",
        ),
        (
            ["connections", "add", "aws_default", "--conn-uri", "aws://key:word@/?region_name=default"],
            "`conn_id`=aws_default : aws://key:word@/?region_name=default, default, aws_default2",
            "`conn_id`=aws_default : ***, ***, ***_***2",
        ),
        # a webhook's address holds a token; an option that is cut short is not known; a password may be a word of the name
        (["connections", "add", "hook", "--conn-host", "https://x.io/T0K/EN1"], "https://x.io/T0K", "***://***/***"),
        (["connections", "add", "db", "--conn-pass", "secret"], "secret", "***"),
        (["connections", "add", "db", "--conn-passw=secret"], "secret", "***"),
        (["connections", "add", "my_secret", "--conn-password", "secret"], "my_secret", "my_***"),
        (["connections", "add", "--conn-type", "aws", "name"], "name of aws", "*** of aws"),
        (["connections", "add", "db", "--conn-description", "the orders", "--conn-type", "aws"], "the aws", "the aws"),
        (["dags", "trigger", "load", "-c", "{}"], "Dag id load not found {}", "Dag id load not found {}"),
    ],
)
def test_values_become_asterisks(arguments, printed, told):
    line, _ = read_line(arguments)
    assert without_secrets(line, printed) == told


@given(name=names, kind=names, host=names, password=secrets)
def test_no_password_is_told(name, kind, host, password):
    ways = (
        ("--conn-type", kind, "--conn-host", host, f"--conn-password={password}"),
        ("--conn-json", json.dumps({"conn_type": kind, "host": host, "password": password})),
        ("--conn-uri", f"{kind}://me:{quote(password, safe='')}@{host}/"),
    )
    # A word that is shown is shown, though a URI or an object has it as a password, too.
    for way in ways[: 1 if any(password in word for word in (name, kind, host)) else None]:
        line, _ = read_line(["connections", "add", name, *way])
        assert password not in without_secrets(line, f"{name} : {kind}://:{password}@{host} {name}{password}{host}")
