"""A clean-up over the metadata API that archives: what goes lies in S3 before it goes, whatever is lost on the way."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwaa_provider.exceptions import CleanupError
from mwaa_provider.local import Fault
from mwaa_provider.metadata.api.client import MetadataApi
from mwaa_provider.metadata.api.taking import Counted
from mwaa_provider.metadata.catalog import Table
from mwaa_provider.metadata.cleanup.api_archive import ApiArchive
from mwaa_provider.metadata.cleanup.api_cleaner import ApiCleaner
from mwaa_provider.metadata.cleanup.archive_target import Target
from mwaa_provider.metadata.cleanup.request import read_request
from mwaa_provider.metadata.export.bucket import read_manifest
from mwaa_provider.metadata.export.verifying import verify
from tests.metadata.api.support import AIRFLOW_3_ONLY, URL
from tests.metadata.api.test_api_source import HurryingClock
from tests.metadata.api.test_cleanup import cleaning, history  # noqa: F401 - fixtures
from tests.metadata.cleanup.history import CUT
from tests.metadata.cleanup.test_archive import restored, rows_of, some_history
from tests.support.s3 import BUCKET

pytestmark = AIRFLOW_3_ONLY

REMOVE = f"/mwaa_provider{URL}/cleanup/remove"


def cleaned(local: Any, s3: Any, **asked: Any) -> Any:
    target = Target(s3.client, BUCKET, "archive/there")
    request = read_request(before=CUT, **{"batch_size": 5, **asked})
    return ApiCleaner(local.client(), "there", target, clock=HurryingClock()).clean(request)


def counts_listed(s3: Any) -> dict[str, int]:
    counts: dict[str, int] = {}
    for key in s3.objects():
        if key.endswith("/manifest.json"):
            for table, count in read_manifest(s3.client, BUCKET, key).row_counts.items():
                counts[table] = counts.get(table, 0) + count
    return counts


def test_an_archive_brought_back_into_an_empty_schema_is_what_went(history, cleaning, s3):  # noqa: F811
    some_history(history)
    tables = {table: list(history.schema.columns[table]) for table in history.plan().touched}
    before = {table: rows_of(history, table, columns) for table, columns in tables.items()}
    report = cleaned(cleaning, s3)
    assert (report.is_complete, report.left) == (True, [])
    assert all(note.startswith("Not cleaned: ") and "log" not in note for note in report.notes)
    manifest = verify(s3.client, report.archive)
    assert (manifest.road, manifest.environment) == ("metadata_api", "there")
    try:
        found = restored(history, s3, manifest)
        for table, columns in tables.items():
            gone = list(before[table])
            for row in rows_of(history, table, columns):
                gone.remove(row)
            assert (table in found) is bool(gone), table
            if gone:
                at = [columns.index(name) for name in found[table]]
                expected = sorted((tuple(row[place] for place in at) for row in gone), key=repr)
                assert rows_of(history, table, found[table], "restored") == expected, table
    finally:
        history.rows.execute("DROP SCHEMA IF EXISTS restored CASCADE")
    assert history.run_ids() == ["active", "newest"]
    assert report.rows.items() <= manifest.row_counts.items()
    assert not [key for key in s3.objects() if "/pending/" in key]


@pytest.mark.parametrize(
    "fault",
    [
        Fault.lose_answer(operation="plugin", path=REMOVE),
        pytest.param(Fault.cut_answer(20, operation="plugin", path=REMOVE, times=2), marks=pytest.mark.slow),
        pytest.param(Fault.answer(502, operation="plugin", path=REMOVE), marks=pytest.mark.slow),
        pytest.param(Fault.answer(502, operation="plugin", path=REMOVE, after_acting=True), marks=pytest.mark.patient),
        Fault.cut_answer(20, operation="plugin", path=REMOVE.replace("remove", "take")),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.path.rpartition('/')[2]}-{fault.after_acting}",
)
def test_a_lost_answer_costs_no_row_and_the_manifest_is_exact(history, cleaning, s3, fault):  # noqa: F811
    some_history(history)
    before = {table: history.count(table) for table in history.plan().touched}
    cleaning.mwaa.faults.add(fault)
    report = cleaned(cleaning, s3)
    assert cleaning.mwaa.faults.pending() == ()
    assert report.is_complete
    gone = {table: count - history.count(table) for table, count in before.items() if count > history.count(table)}
    assert dict(verify(s3.client, report.archive).row_counts) == gone
    assert gone["dag_run"] == 4


@given(
    rows=st.lists(st.binary(max_size=8), max_size=6), other=st.lists(st.binary(max_size=8), max_size=6), at=st.randoms()
)
def test_a_digest_is_of_the_rows_and_not_of_their_order(
    rows: list[bytes], other: list[bytes], at: random.Random
) -> None:
    def digest(of: list[bytes]) -> str:
        counted = Counted(Table("", "log", (), (), ()), 1000)
        for row in of:
            counted.take(row)
        counted.row_count = len(of)
        counted.close()
        return counted.digest

    shuffled = at.sample(rows, len(rows))
    assert digest(rows) == digest(shuffled)
    assert (digest(rows) == digest(other)) is (sorted(rows) == sorted(other))


def test_what_cannot_be_written_stays(history, cleaning, s3):  # noqa: F811
    some_history(history)
    before = {table: history.count(table) for table in history.plan().touched}

    def fail(**sent: Any) -> None:
        if "/pending/" not in sent["params"]["url_path"]:
            raise RuntimeError("S3 is not there")

    s3.client.meta.events.register("before-call.s3.PutObject", fail, unique_id="fail")
    try:
        with pytest.raises(CleanupError, match="S3 is not there"):
            cleaned(cleaning, s3)
    finally:
        s3.client.meta.events.unregister("before-call.s3.PutObject", fail, unique_id="fail")
    assert {table: history.count(table) for table in before} == before


@pytest.mark.patient
def test_rows_that_change_in_between_are_taken_anew(history, cleaning, s3, monkeypatch):  # noqa: F811
    some_history(history)
    write, times = ApiArchive.write, []

    def and_somebody_changes_one(self: Any, *batch: Any) -> Any:
        files = write(self, *batch)
        times.append(files)
        if len(times) <= 2:
            history.rows.execute(f"UPDATE log SET extra = 'changed {len(times)}'")
        return files

    monkeypatch.setattr(ApiArchive, "write", and_somebody_changes_one)
    report = cleaned(cleaning, s3, tables=["log"])
    assert report.rows == {"log": 2}
    (file,) = verify(s3.client, report.archive).files
    assert len(times) == 3
    assert [key for key in s3.objects() if key.endswith(".gz")] == [file.key]


@pytest.mark.slow
def test_rows_that_change_all_the_time_stay_and_are_listed(history, cleaning, s3, monkeypatch):  # noqa: F811
    some_history(history)
    write = ApiArchive.write

    def and_somebody_changes_one(self: Any, number: str, *batch: Any) -> Any:
        files = write(self, number, *batch)
        history.rows.execute(f"UPDATE log SET extra = 'changed {number}'")
        return files

    monkeypatch.setattr(ApiArchive, "write", and_somebody_changes_one)
    report = cleaned(cleaning, s3, tables=["log"])
    assert (report.rows, report.archive, history.count("log")) == ({}, "", 3)
    # Once, and once more when all else is done.
    assert [(one.table, one.why) for one in report.left] == [
        ("log", "changed by others while it was archived, 5 times")
    ]
    assert s3.objects() == []


@pytest.mark.patient
@pytest.mark.parametrize("was_removed", [True, False])
def test_a_clean_up_that_was_killed_is_settled_by_the_next(history, cleaning, s3, monkeypatch, was_removed):  # noqa: F811
    from mwaa_provider.metadata.api import taking

    monkeypatch.setattr(taking, "VALID_SECONDS", 1)
    some_history(history)
    ask = MetadataApi.ask

    def killed(self: Any, path: str, question: Any) -> Any:
        if path == "/cleanup/remove":
            if was_removed:
                ask(self, path, question)
            raise KeyboardInterrupt
        return ask(self, path, question)

    with monkeypatch.context() as patched:
        patched.setattr(MetadataApi, "ask", killed)
        with pytest.raises(KeyboardInterrupt):
            cleaned(cleaning, s3, tables=["log"])
    assert history.count("log") == (1 if was_removed else 3)
    assert len([key for key in s3.objects() if "/pending/" in key]) == 1
    history.rows.execute("SELECT pg_sleep(1.1)")
    report = cleaned(cleaning, s3, tables=["log"])
    assert counts_listed(s3) == {"log": 2}
    assert report.rows == ({} if was_removed else {"log": 2})
    assert len([key for key in s3.objects() if key.endswith(".gz")]) == 1
    assert not [key for key in s3.objects() if "/pending/" in key]


def test_as_long_as_a_removal_may_begin_nobody_says_that_rows_stay(history, cleaning, token_of):  # noqa: F811
    def asked(path: str, question: dict[str, Any]) -> Any:
        headers = {"Authorization": f"Bearer {token_of('ADMIN')}"}
        return cleaning.backend.client.post(f"{URL}/cleanup/{path}", json=question, headers=headers)

    some_history(history)
    question = {"before": CUT.isoformat(), "work": "log"}
    told = asked("take", question).json()
    keys = [[str(history.rows.execute("SELECT min(id) FROM log")[0][0])]]
    look = {"table": "log", "keys": keys, "until": told["until"]}
    assert asked("gone", look).json()["code"] == "pending"
    late = {**question, "until": CUT.isoformat(), "digests": {one["table"]: one["digest"] for one in told["taken"]}}
    assert asked("remove", late).json()["code"] == "changed_batch"
    assert asked("gone", {**look, "until": CUT.isoformat()}).json() == {"gone": False}
    assert history.count("log") == 3


@pytest.mark.slow
def test_a_batch_with_too_many_bytes_is_taken_in_smaller_ones(history, cleaning, s3, monkeypatch):  # noqa: F811
    from mwaa_provider.metadata.api import cleaning as web_server

    some_history(history, runs=6)
    monkeypatch.setattr(web_server, "MOST_BYTES", 100)
    report = cleaned(cleaning, s3, batch_size=None)
    assert report.is_complete
    assert verify(s3.client, report.archive).row_counts["dag_run"] == 6
    assert history.run_ids() == ["active", "newest"]
