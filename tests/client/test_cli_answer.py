"""What a command printed: how it comes, and its JSON behind log lines."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwaa_provider.client.cli_answer import decoded, trailing_json

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
