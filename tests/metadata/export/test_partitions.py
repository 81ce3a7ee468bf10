"""A shared export: parts of about equal size, and one manifest over them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mwaa_provider.exceptions import ExportError, InvalidInputError, VerificationError
from mwaa_provider.metadata.export.partitions import join_manifests, plan_partitions
from mwaa_provider.metadata.export.verifying import verify
from tests.support.metadata import EPOCH
from tests.support.s3 import BUCKET

DAY = timedelta(days=1)


def test_parts_hold_about_as_many_rows_each_and_nothing_twice(rows, s3, export):
    rows.add_many_task_instances(900)  # one a second: all in the first hundredth of the interval
    rows.add_task_instance(EPOCH + DAY / 2)
    plan = plan_partitions(since=EPOCH, until=EPOCH + DAY, partitions=3, tables=["task_instance"])
    assert [one["part"] for one in plan] == ["000", "001", "002"]
    assert [one["since"] for one in plan[1:]] == [one["until"] for one in plan[:-1]]
    assert (plan[0]["since"], plan[-1]["until"]) == (EPOCH.isoformat(), (EPOCH + DAY).isoformat())
    addresses, counts = [], []
    for one in plan:
        result = export(**one, s3_key_template="big/{table}-{part}.{format}", owner=one["part"])
        addresses.append(result.address)
        counts.append(result.manifest.row_counts["task_instance"])
    assert sum(counts) == 901
    assert max(counts) < 450
    address, joint = join_manifests(s3.client, addresses)
    assert address == f"s3://{BUCKET}/big/manifest.json"
    assert joint.row_counts == {"task_instance": 901}
    assert (joint.since, joint.until, joint.parts) == (EPOCH, EPOCH + DAY, tuple(addresses))
    assert verify(s3.client, address) == joint


def test_a_gap_between_parts_and_a_part_that_is_missing_are_found(rows, s3, export):
    first = export(since=EPOCH, until=EPOCH + DAY, part="0", s3_key_template="{table}-{part}.csv")
    third = export(
        since=EPOCH + 2 * DAY,
        until=EPOCH + 3 * DAY,
        part="2",
        s3_key_template="{table}-{part}.csv",
        file_format="jsonl",
    )
    with pytest.raises(InvalidInputError) as raised:
        join_manifests(s3.client, [first.address, third.address])
    assert raised.value.problems == (
        "manifests: the parts differ in file_format: csv, jsonl",
        "manifests: part '0' ends at 2026-01-02 00:00:00+00:00, part '2' begins at 2026-01-03 00:00:00+00:00: a gap, or an overlap",
    )
    with pytest.raises(VerificationError, match="that part is not complete"):
        join_manifests(s3.client, [first.address, f"s3://{BUCKET}/manifest-1.json"])
    with pytest.raises(ExportError, match="is the manifest of a part already"):
        join_manifests(s3.client, [first.address], key="manifest-0.json")


def test_where_no_database_is_reached_parts_are_equally_long(monkeypatch):
    monkeypatch.setattr("mwaa_provider.metadata.database.ways", lambda conn_id: [])
    plan = plan_partitions(since=EPOCH, until=EPOCH + 4 * DAY, partitions=4)
    assert [one["since"] for one in plan] == [(EPOCH + number * DAY).isoformat() for number in range(4)]


def test_what_cannot_be_cut_is_refused():
    with pytest.raises(InvalidInputError) as raised:
        plan_partitions(since="2026-01-01", until=None, partitions=0)
    assert len(raised.value.problems) == 2
    with pytest.raises(InvalidInputError, match="both ends are needed"):
        plan_partitions(since=EPOCH, until=None)
    with pytest.raises(InvalidInputError, match="is not before"):
        plan_partitions(since=EPOCH, until=EPOCH)
