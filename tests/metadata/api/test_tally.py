"""Rows are counted, and their ages found, while they pass."""

from __future__ import annotations

import pytest

from mwaa_provider.metadata.api.tally import Tally, iso


def test_the_age_is_taken_off_and_the_rest_is_left_as_it_was():
    tally = Tally(has_age=True)
    first = [b'2026-01-02 00:00:00+00,1,"a,""b\nc"\n', b",2,\n"]
    second = [b'2026-01-02 00:00:00.5+00,3,""\n', b"2025-12-31 23:59:59.999999+00,4,x\n"]
    assert tally.passed(first) + tally.passed(second) == b'1,"a,""b\nc"\n2,\n3,""\n4,x\n'
    assert tally.rows == 4
    assert tally.first_age == "2025-12-31T23:59:59.999999Z"
    assert tally.last_age == "2026-01-02T00:00:00.500000Z"


def test_rows_without_an_age_have_none():
    tally = Tally(has_age=True)
    assert tally.passed([b",1\n"]) == b"1\n"
    assert (tally.rows, tally.first_age, tally.last_age) == (1, None, None)


def test_rows_of_a_table_without_an_age_are_left_alone():
    tally = Tally(has_age=False)
    assert tally.passed([b"2026-01-02 00:00:00+00,1\n"]) == b"2026-01-02 00:00:00+00,1\n"
    assert (tally.rows, tally.first_age) == (1, None)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (b"2026-01-02 03:04:05+00", "2026-01-02T03:04:05.000000Z"),
        (b"2026-01-02 03:04:05.12+00", "2026-01-02T03:04:05.120000Z"),
        (b"2026-01-02 03:04:05.123456", "2026-01-02T03:04:05.123456Z"),
        (b"infinity", "infinity"),
    ],
)
def test_an_age_is_told_in_iso_8601(text, moment):
    assert iso(text) == moment
