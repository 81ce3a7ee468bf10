"""What was asked for is read, and everything that cannot be right is named at once."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.metadata.cleanup.pace import Pace, Settings
from mwaa_provider.metadata.cleanup.plan import Wanted
from mwaa_provider.metadata.cleanup.request import CleanupRequest, read_request
from mwaa_provider.metadata.cleanup.sessions import Limits

NOW = datetime(2026, 6, 30, 12, tzinfo=timezone.utc)


def problems_of(**given):
    with pytest.raises(InvalidInputError) as raised:
        read_request(now=NOW, **given)
    return list(raised.value.problems)


def test_nothing_given_is_thirty_days_of_everything():
    assert read_request(now=NOW) == CleanupRequest(Wanted(NOW - timedelta(days=30)))


def test_everything_given():
    assert read_request(
        now=NOW,
        before="2026-06-01T02:00:00+02:00",
        tables="log",
        dag_ids=["a", "b", "a"],
        batch_size=500,
        parallel=2,
        max_duration=60,
        statement_timeout=5,
        lock_timeout=1,
        pause_between_batches=0.1,
        route="database",
        metadata_conn_id="metadata",
        dry_run=True,
        analyze=False,
    ) == CleanupRequest(
        Wanted(datetime(2026, 6, 1, tzinfo=timezone.utc), ("log",), ("a", "b")),
        Settings(500, 0.5, Limits(5.0, 1.0), 0.1, 60.0, 2),
        "database",
        "metadata",
        dry_run=True,
        analyze=False,
    )


def test_everything_that_is_wrong_is_named_at_once():
    assert problems_of(
        max_age_in_days=-1,
        before="2026-01-01T00:00:00Z",
        tables=[],
        dag_ids=["a"],
        exclude_dag_ids=["b"],
        batch_size=0,
        parallel=9,
        max_duration=0,
        statement_timeout="long",
        lock_timeout=-1,
        pause_between_batches=-1,
        route="rest",
    ) == [
        "max_age_in_days, before: both say what is old; give one",
        "max_age_in_days: -1 is not an age; give a number of days above 0",
        "tables: [] is not a list; give names of tables, or None",
        "batch_size: 0 is not one; give a whole number from 1",
        "parallel: 9 connections are too many; give 8 at most",
        "max_duration: 0 is not a duration; give a number of seconds above 0, or None for no limit",
        "statement_timeout: 'long' is not a duration; give a number of seconds above 0",
        "lock_timeout: -1 is not a duration; give a number of seconds above 0",
        "pause_between_batches: -1 is not a duration; give a number of seconds, 0 for none",
        "route: 'rest' is not one of auto, database, metadata_api, cli",
        "dag_ids, exclude_dag_ids: both say which DAGs are meant; give one",
    ]


def test_a_cut_off_in_the_future_or_too_young_is_refused_and_the_floor_can_be_lowered_by_name():
    assert problems_of(before="2026-07-01T00:00:00Z") == [
        "before: 2026-07-01T00:00:00+00:00 lies in the future; nothing is older than now"
    ]
    assert problems_of(max_age_in_days=0.5) == [
        "max_age_in_days: 2026-06-30T00:00:00+00:00 is less than 1 days ago; so young a row takes a smaller min_age_in_days"
    ]
    assert read_request(now=NOW, max_age_in_days=0.5, min_age_in_days=0).wanted.before == NOW - timedelta(hours=12)
    assert problems_of(min_age_in_days="x") == ["min_age_in_days: 'x' is not an age; give a number of days, 0 for none"]


def test_batches_grow_and_shrink_with_the_time_they_take():
    pace = Pace(10_000, 0.5)
    sizes = []
    for seconds in (0.1, 0.25, 0.5, 1.0, 10.0):
        sizes.append(pace.rows)
        pace.learn(pace.rows, seconds)
    assert sizes == [1000, 2000, 4000, 4000, 2000]
    assert pace.rows == 500
    pace.learn(500, 0.01, is_full=False)
    assert pace.rows == 500
    for _ in range(20):
        pace.learn(pace.rows, 0.01)
    assert pace.rows == 10_000
