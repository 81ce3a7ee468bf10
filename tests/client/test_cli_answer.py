"""What a command printed: its JSON behind log lines, and no values in it."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwaa_provider.client.cli_answer import decoded, trailing_json, without_values
from mwaa_provider.client.cli_line import read_line

LOGS = (
    "[2026-01-31T12:00:00.000+0000] {__init__.py:43} INFO - Loaded API auth backend: session\n"
    "[1, 2]\n"
    "2026-01-31T12:00:00.000000Z [info     ] creating dag run run_id=x conf={'a': [1]}\n"
    '{"a": 1} is what somebody logged\n'
    "[\n"
)
json_values = st.one_of(st.none(), st.integers(), st.text(), st.lists(st.text()), st.dictionaries(st.text(), st.text()))


@given(rows=st.lists(st.dictionaries(st.text(), json_values)), indent=st.sampled_from([None, 2]))
def test_json_is_found_behind_log_lines(rows, indent):
    text = json.dumps(rows, indent=indent)
    assert trailing_json(LOGS + text + "\n\n") == rows
    assert trailing_json(text) == rows


@pytest.mark.parametrize("text", ["", "No data found\n", LOGS, "[1, 2] and more\n", '{"a": \n'])
def test_no_json_is_none(text):
    assert trailing_json(text) is None


def test_an_object_will_do():
    assert trailing_json(LOGS + '{"a": {"b": [1]}}\n') == {"a": {"b": [1]}}


@given(st.text(), st.text())
def test_what_the_endpoint_sends_is_decoded(stdout, stderr):
    body = {
        name: base64.b64encode(text.encode("utf-8", "replace")).decode()
        for name, text in (("stdout", stdout), ("stderr", stderr))
    }
    assert decoded(body) == tuple(text.encode("utf-8", "replace").decode() for text in (stdout, stderr))


@pytest.mark.parametrize(
    "body", [None, [], "text", {}, {"stdout": ""}, {"stdout": "%", "stderr": ""}, {"stdout": 1, "stderr": ""}]
)
def test_what_is_no_answer(body):
    assert decoded(body) is None


def test_bytes_that_are_no_utf_8_are_replaced():
    assert decoded({"stdout": base64.b64encode(b"\xff!").decode(), "stderr": None}) == ("\ufffd!", "")


@given(value=st.text(st.characters(exclude_characters="\0*", exclude_categories=("Cs",)), min_size=3))
def test_no_value_is_told(value):
    line, _ = read_line(["variables", "set", "--", "key", value])
    assert value not in without_values(line, f"before {value} after")


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
        (["dags", "trigger", "load", "-c", "{}"], "Dag id load not found {}", "Dag id load not found {}"),
    ],
)
def test_values_become_asterisks(arguments, printed, told):
    line, _ = read_line(arguments)
    assert without_values(line, printed) == told
