"""What may be asked of the metadata API: everything else is refused before anything is read."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.metadata.api.questions import PlanQuestion, RangeQuestion, plan_question, range_question

GOOD = {
    "table": "log",
    "columns": ["id", "dttm"],
    "age_column": "dttm",
    "since": "2026-01-01T00:00:00Z",
    "until": "2026-02-01T01:00:00+01:00",
    "undated": False,
    "after": ["1"],
    "up_to": None,
    "revision": "abc",
}


def problems(read, body) -> list[str]:
    with pytest.raises(InvalidInputError) as refused:
        read(body if isinstance(body, bytes) else json.dumps(body).encode())
    return list(refused.value.problems)


def test_a_range():
    assert range_question(json.dumps(GOOD).encode()) == RangeQuestion(
        table="log",
        columns=("id", "dttm"),
        age_column="dttm",
        since=datetime(2026, 1, 1, tzinfo=timezone.utc),
        until=datetime(2026, 2, 1, tzinfo=timezone.utc),
        after=("1",),
        up_to=None,
        undated=False,
        revision="abc",
    )


def test_a_plan_of_everything_usual():
    assert plan_question(b"") == plan_question(b"{}") == PlanQuestion(None, None, None, {})


def test_all_that_is_wrong_is_told_at_once():
    wrong = {
        "table": "log\x00",
        "columns": ["id", "id"],
        "age_column": 7,
        "since": "2026-01-01",
        "until": "tomorrow",
        "after": "1",
        "up_to": [1],
        "undated": "yes",
        "sql": "DROP TABLE log",
    }
    assert problems(range_question, wrong) == [
        "sql: there is no such field; give table, columns, age_column, since, until, after, up_to, undated, revision",
        "table: 'log\\x00' is no name; give a text of 1 to 63 characters",
        "columns: a name stands in it twice",
        "age_column: 7 is no name; give a text of 1 to 63 characters",
        "since: '2026-01-01' is no moment; give ISO 8601 with a time zone, such as 2026-01-31T00:00:00+00:00",
        "until: 'tomorrow' is no moment; give ISO 8601 with a time zone, such as 2026-01-31T00:00:00+00:00",
        "after: '1' is no key; give a list of texts, one for each column of the primary key",
        "up_to: [1] is no key; give a list of texts, one for each column of the primary key",
        "undated: 'yes' is neither true nor false",
        "revision: None is no name; give a text of 1 to 63 characters",
    ]


@pytest.mark.parametrize("body", [b"[]", b"1", b"{", b"\xff", b"[" * 100_000, b'{"a": NaN'])
def test_what_is_no_object_is_refused(body):
    assert problems(plan_question, body) == ["the body is no JSON object"]


def test_half_a_character_is_no_text():
    assert "after" in problems(range_question, {**GOOD, "after": ["\ud800"]})[0]


def test_bounds_of_age_need_the_column():
    (problem,) = problems(range_question, {**GOOD, "age_column": None})
    assert problem == "age_column: it is missing, and 'since' and 'until' have no meaning without it"


TEXT = st.text(alphabet="a0-:TZ+ \x00'\"é\ud800", max_size=8)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), ANYTHING))
def test_nothing_but_a_refusal_comes_of_a_wrong_question(changes):
    for read, body in ((range_question, {**GOOD, **changes}), (plan_question, changes)):
        try:
            read(json.dumps(body).encode())
        except InvalidInputError:
            continue
