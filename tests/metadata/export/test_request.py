"""What an export may be asked for."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.metadata.export import formats
from mwaa_provider.metadata.export.request import read_request

NOW = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)


def problems(**given):
    with pytest.raises(InvalidInputError) as raised:
        read_request(**{"s3_bucket": "exports", "now": NOW, **given})
    return list(raised.value.problems)


def bounds(**given):
    asked = read_request(s3_bucket="exports", now=NOW, **given).asked
    return asked.since, asked.until


def test_thirty_days_are_the_default():
    assert bounds() == (NOW - timedelta(days=30), None)
    assert bounds(max_age_in_days=0.5) == (NOW - timedelta(hours=12), None)
    assert bounds(max_age_in_days=1, until="2026-01-10T00:00:00Z")[0] == datetime(2026, 1, 9, tzinfo=timezone.utc)
    assert bounds(until=NOW) == (None, NOW)
    assert bounds(since=NOW) == (NOW, None)


def test_a_first_incremental_export_takes_thirty_days_and_leaves_the_last_minute_to_the_next():
    assert bounds(incremental_from="metadata/") == (NOW - timedelta(days=30), NOW - timedelta(minutes=1))


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (
            {"s3_bucket": "s3://exports"},
            "s3_bucket: 's3://exports' is not the name of a bucket; give it without 's3://' and without a path",
        ),
        ({"max_age_in_days": -1}, "max_age_in_days: -1 is not an age; give a number of days above 0"),
        ({"max_age_in_days": True}, "max_age_in_days: True is not an age; give a number of days above 0"),
        (
            {"since": NOW, "until": NOW},
            "since, until: 2026-01-31T12:00:00+00:00 is not before 2026-01-31T12:00:00+00:00; the interval holds its beginning and not "
            "its end",
        ),
        ({"since": NOW, "max_age_in_days": 1}, "max_age_in_days, since: both say where to begin; give one"),
        ({"incremental_from": "x", "since": NOW}, "incremental_from, since: both say where to begin; give one"),
        ({"file_format": "xml"}, "file_format: 'xml' is not one of csv, jsonl, parquet"),
        ({"compression": "zip"}, "compression: 'zip' is not one of gzip, zstd, None"),
        ({"route": "road"}, "route: 'road' is not one of auto, database, metadata_api, rest"),
        (
            {"tables": []},
            "tables: [] is not a list of tables; give names, 'history', or None for the three of the AWS guide",
        ),
        ({"extra_args": {"Key": "x"}}, None),
        ({"at_once": 0}, "at_once: 0 is not one; give a whole number from 1"),
        (
            {"metadata_conn_id": "db", "route": "rest"},
            "metadata_conn_id, route: a connection to the database is of no use on the road 'rest'; leave one of them out",
        ),
    ],
)
def test_what_cannot_be_is_refused(given, problem):
    (found,) = problems(**given)
    assert problem is None or found == problem


def test_naive_datetimes_are_refused():
    (found,) = problems(since=datetime(2026, 1, 1))
    assert found.startswith("since: datetime.datetime(2026, 1, 1, 0, 0) is not a moment with time zone; ")


def test_everything_is_named_at_once():
    assert (
        len(problems(s3_bucket="", s3_key_template="x", tables=[1], max_age_in_days=-1, file_format="x", route="x"))
        == 6
    )


def test_parquet_without_pyarrow_says_what_to_install(monkeypatch):
    monkeypatch.setattr(formats, "find_spec", lambda name: None)
    assert problems(file_format="parquet") == [
        "file_format 'parquet' needs pyarrow: put airflow-provider-mwaa[parquet] into requirements.txt, or take 'csv' with 'gzip'"
    ]
    assert problems(compression="zstd")[0].startswith("compression 'zstd' needs pyarrow")
    assert read_request(s3_bucket="exports").file_format == "csv"
