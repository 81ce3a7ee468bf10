"""Exports that follow one another: where the next begins, and what does not fit."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mwaa_provider.exceptions import InvalidInputError
from tests.support.metadata import EPOCH
from tests.support.s3 import BUCKET

DAY = timedelta(days=1)


def at(days: float) -> str:
    return (EPOCH + days * DAY).isoformat()


@pytest.fixture
def daily(export):
    """Exports a day, under a key of its own."""

    def run(name, **given):
        return export(**{"s3_key_template": f"daily/{name}/{{table}}.csv", "owner": name, "compression": None, **given})

    return run


def test_an_export_goes_on_where_the_last_one_ended(rows, daily):
    for day in (0.5, 1.5, 2.5):
        rows.add_task_instance(EPOCH + day * DAY)
    daily("first", since=at(0), until=at(1))
    second = daily("second", incremental_from="daily/", until=at(2))
    assert second.manifest.row_counts == {"task_instance": 1}
    assert (second.manifest.since, second.manifest.until) == (EPOCH + DAY, EPOCH + 2 * DAY)
    assert second.manifest.notes == (f"Goes on from s3://{BUCKET}/daily/first/manifest.json.",)


def test_a_rerun_begins_where_its_first_try_began(rows, daily):
    daily("first", since=at(0), until=at(1))
    assert daily("second", incremental_from="daily/", until=at(2)).manifest.since == EPOCH + DAY
    assert daily("second", incremental_from="daily/", until=at(3)).manifest.since == EPOCH + DAY


def test_the_first_of_all_says_that_it_is(rows, daily):
    notes = daily("first", incremental_from="daily/").manifest.notes
    assert notes == (f"There is no earlier export under s3://{BUCKET}/daily/: this is the first.",)


def test_gaps_overlaps_and_new_tables_are_reported(rows, daily):
    daily("a", since=at(0), until=at(2))
    daily("b", since=at(1), until=at(3))
    daily("c", since=at(5), until=at(6))
    notes = daily("d", incremental_from="daily/", until=at(7), tables=["task_instance", "log"]).manifest.notes
    assert notes == (
        f"s3://{BUCKET}/daily/b/manifest.json begins at 2026-01-02T00:00:00+00:00 and overlaps s3://{BUCKET}/daily/a/manifest.json, which "
        "reaches to 2026-01-03T00:00:00+00:00: rows of that time are in both.",
        f"Between 2026-01-04T00:00:00+00:00 (s3://{BUCKET}/daily/b/manifest.json) and 2026-01-06T00:00:00+00:00 "
        f"(s3://{BUCKET}/daily/c/manifest.json) nothing was exported: export that interval with since and until.",
        "The last export has no table 'log': its rows from before 2026-01-07T00:00:00+00:00 are in no export. Export them with until.",
        f"Goes on from s3://{BUCKET}/daily/c/manifest.json.",
    )


def test_nothing_is_left_when_the_last_one_reaches_further(rows, daily):
    daily("a", since=at(0), until=at(2))
    with pytest.raises(InvalidInputError, match="nothing is left before 2026-01-02"):
        daily("b", incremental_from="daily/", until=at(1))


def test_what_is_no_manifest_is_passed_over(rows, daily, s3):
    s3.client.put_object(Bucket=BUCKET, Key="daily/manifest.json", Body=b'{"kind": "something else"}')
    s3.client.put_object(Bucket=BUCKET, Key="daily/x/manifest.json", Body=b"no JSON")
    daily("a", since=at(0), until=at(1))
    assert daily("b", incremental_from="daily/", until=at(2)).manifest.since == EPOCH + DAY
