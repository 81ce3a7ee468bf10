"""The metadata API from the other side: its client over the web session, through whatever goes wrong on the way."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import datetime, timezone

import pytest

from mwaa_provider.exceptions import (
    InvalidInputError,
    MetadataApiError,
    MetadataApiOffError,
    RestApiError,
)
from mwaa_provider.local import Fault, Identity, LocalMwaa, ScriptedAirflow
from mwaa_provider.metadata.api.client import MetadataApi
from mwaa_provider.metadata.export.api_source import ApiSource
from mwaa_provider.metadata.export.source import Asked
from tests.metadata.api.support import AIRFLOW_3_ONLY, URL, Database, Local, client_of, table
from tests.support.processes import ROOT

pytestmark = AIRFLOW_3_ONLY

ROWS = f"/mwaa_provider{URL}/rows"


class HurryingClock:
    """Counts its own time: what is waited for has passed at once."""

    def __init__(self) -> None:
        self.waited = 0.0

    def monotonic(self) -> float:
        return self.waited

    def time(self) -> float:
        return self.waited

    def sleep(self, seconds: float) -> None:
        self.waited += seconds


@pytest.fixture(scope="module")
def numbers(database: Database) -> Iterator[str]:
    columns = "id bigint PRIMARY KEY, at timestamptz, note text"
    rows = """SELECT n, '2026-01-01Z'::timestamptz + n * interval '1 minute', 'é "' || n FROM generate_series(1, 150000) n"""
    with table(database, "mwaa client", columns, rows) as name:
        yield name


def export(
    local: Local, name: str, clock: HurryingClock | None = None, **bounds: datetime
) -> tuple[list[bytes], object]:
    with ApiSource(local.client(), "there", clock=clock or HurryingClock()) as source:
        (selection,) = source.selections(Asked((name,), **bounds, age_columns={name: "at"}))
        with source.open(selection) as rows:
            csv = b"".join(rows.chunks())
        assert rows.columns == selection.columns
        return sorted(csv.splitlines(keepends=True)), rows


def test_a_whole_table(local, database, numbers):
    found, rows = export(local, numbers)
    assert found == database.copied(f'SELECT * FROM "{numbers}" WHERE at < now()')
    assert rows.row_count == len(found) > 100_000
    assert rows.first_age == "2026-01-01T00:01:00.000000Z"
    assert local.times_asked("rows") >= 3


def test_the_example_of_the_page(local, tmp_path, monkeypatch, capsys):
    """As it stands in docs/metadata-api.md, with a client and an environment of this test."""
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/metadata-api.md").read_text(encoding="utf-8"), re.DOTALL)
    (text,) = (block for block in blocks if "ApiSource(" in block)
    text, changed = re.subn(r'MwaaClient\(.*?\), "production"', 'local.client(), "there"', text)
    assert changed == 1
    exec(compile(text, "metadata-api.md", "exec"), {"local": local})
    # Airflow 3.0 logs to standard output, too.
    printed = [line.split() for line in capsys.readouterr().out.splitlines() if not line.startswith("[")]
    assert [line[0] for line in printed] == ["dag_run", "log"]
    for name, count, *_ in printed:
        assert len((tmp_path / f"{name}.csv").read_bytes().splitlines()) == int(count)


def test_it_tells_how_far_it_is(local, numbers):
    with ApiSource(local.client(), "there", clock=HurryingClock()) as source:
        (selection,) = source.selections(Asked((numbers,), age_columns={numbers: "at"}))
        with source.open(selection) as rows:
            assert rows.fraction == 0
            told = [rows.fraction for _ in rows.chunks()]
    assert told == sorted(told)
    assert len(set(told)) >= 3
    assert rows.fraction == 1


def test_what_it_says_of_itself(local, database, numbers):
    with ApiSource(local.client(), "there") as source:
        assert source.road == "metadata_api"
        until = datetime(2026, 1, 2, tzinfo=timezone.utc)
        (selection,) = source.selections(Asked((numbers,), until=until, age_columns={numbers: "at"}))
        assert (selection.table, selection.age_column, selection.until) == (numbers, "at", until)
        facts = source.facts
        assert facts.notes == ()
        assert [sentence.split(":")[0] for sentence in facts.missing] == ["one snapshot"]
        assert database.run("SELECT version_num FROM alembic_version") == [(facts.schema_revision,)]
        source.selections(Asked((numbers,), age_columns={numbers: "at"}))
        (note,) = source.facts.notes
        assert "left to the next export" in note


@pytest.mark.parametrize(
    "fault",
    [
        Fault.cut_answer(0, operation="plugin", path=ROWS),
        Fault.cut_answer(7, operation="plugin", path=ROWS),
        Fault.cut_answer(20_000, operation="plugin", path=ROWS, times=2),
        Fault.lose_answer(operation="plugin", path=ROWS),
        Fault.refuse(operation="plugin", path=ROWS, times=3),
        Fault.answer(502, operation="plugin", path=ROWS, times=2),
        Fault.answer(503, {"detail": "starting"}, operation="plugin", path=ROWS),
        Fault.throttle("plugin", path=ROWS, times=4),
        Fault.refuse(operation="plugin", path=f"/mwaa_provider{URL}/plan"),
        Fault.cut_answer(10, operation="plugin", path=f"/mwaa_provider{URL}/plan"),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}-{fault.after_bytes}-{fault.path.rpartition('/')[2]}",
)
def test_what_goes_wrong_on_the_way_costs_one_range_and_no_row(local, database, numbers, fault):
    bounds = {"since": datetime(2026, 1, 3, tzinfo=timezone.utc), "until": datetime(2026, 1, 9, tzinfo=timezone.utc)}
    expected, _ = export(local, numbers, **bounds)
    without = local.times_asked("rows") + local.times_asked("plan")
    local.mwaa.journal.clear()
    local.mwaa.faults.add(fault)
    found, _ = export(local, numbers, **bounds)
    assert found == expected
    assert len(found) == 6 * 24 * 60
    assert local.times_asked("rows") + local.times_asked("plan") == without + fault.times


def test_a_session_that_ends_is_renewed(local, numbers):
    client = local.client()
    with ApiSource(client, "there", clock=HurryingClock()) as source:
        (selection,) = source.selections(Asked((numbers,), age_columns={numbers: "at"}))
        local.mwaa.faults.add(Fault.expire_sessions(operation="plugin", path=ROWS))
        with source.open(selection) as rows:
            assert sum(chunk.count(b"\n") for chunk in rows.chunks()) == rows.row_count
    assert local.mwaa.journal.count(operation="login") == 2


def test_a_range_that_is_too_large_is_cut(local, database, numbers):
    too_large = Fault.answer(413, {"code": "too_large", "detail": "too long"}, operation="plugin", path=ROWS, times=2)
    local.mwaa.faults.add(too_large)
    found, _ = export(local, numbers)
    assert found == database.copied(f'SELECT * FROM "{numbers}" WHERE at < now()')
    assert local.times_asked("cuts") == 2


def test_a_range_that_cannot_be_cut_says_so(local, database):
    columns = "note text"
    with table(database, "mwaa no key", columns, "SELECT 'x'") as name:
        local.mwaa.faults.add(
            Fault.answer(413, {"code": "too_large", "detail": "Too long."}, operation="plugin", path=ROWS)
        )
        with ApiSource(local.client(), "there", clock=HurryingClock()) as source:
            (selection,) = source.selections(Asked((name,)))
            with source.open(selection) as rows, pytest.raises(MetadataApiError) as failed:
                list(rows.chunks())
    assert failed.value.message == (
        "A range of mwaa no key cannot be read within the web server's time, and cannot be cut: Too long. "
        "Export this table by another road."
    )


def test_patience_has_an_end(local, numbers):
    clock = HurryingClock()
    local.mwaa.faults.add(Fault.answer(502, operation="plugin", path=ROWS, times=None))
    with pytest.raises(RestApiError):
        export(local, numbers, clock)
    assert clock.waited > 800


def test_an_update_in_the_middle_asks_to_export_again(local, numbers):
    changed = {"code": "changed", "detail": "The database's schema is b, not a. Ask for a new plan."}
    local.mwaa.faults.add(Fault.answer(409, changed, operation="plugin", path=ROWS))
    with pytest.raises(MetadataApiError, match=r"Most likely the environment was updated\. Export again\."):
        export(local, numbers)


def test_an_unknown_table_names_the_nearest(local, numbers):
    with ApiSource(local.client(), "there") as source, pytest.raises(InvalidInputError) as refused:
        source.selections(Asked(("task_instanc",)))
    assert "did you mean 'task_instance'" in refused.value.message


def test_credentials_are_not_asked_for_in_vain(local, numbers):
    with (
        ApiSource(local.client(), "there") as source,
        pytest.raises(InvalidInputError, match="never serves connection"),
    ):
        source.selections(Asked(("connection", "dag_run")))


@pytest.mark.parametrize("role", ["Viewer", "User", "Op"])
def test_who_is_no_administrator_is_told_so(local, role):
    identity = Identity(access_key_id=f"LOCALMWAA{role.upper()}", airflow_role=role)
    with pytest.raises(RestApiError) as refused:
        ApiSource(local.client(identity), "there")
    assert refused.value.status == 403
    assert "Only an administrator of this Airflow may ask the metadata API." in refused.value.message


def test_where_it_is_off_the_error_says_how_to_switch_it_on():
    with LocalMwaa() as mwaa:
        mwaa.create_environment("there", ScriptedAirflow("3.3.1"))
        with pytest.raises(MetadataApiOffError) as off:
            ApiSource(Local(mwaa, None).client(), "there")
    assert off.value.message == (
        "The web server of environment 'there' has nothing at /mwaa_provider/metadata/v1 (HTTP 404). Its metadata API is off, or this "
        "package is not installed there. Install it (requirements.txt or plugins.zip) and set the Airflow configuration option "
        "mwaa_provider.metadata_api to True: see docs/metadata-api.md."
    )


def test_what_is_left_early_is_forgotten_and_nothing_is_asked_for_again(local, numbers):
    source = ApiSource(local.client(), "there", clock=HurryingClock())
    (selection,) = source.selections(Asked((numbers,), age_columns={numbers: "at"}))
    with source.open(selection) as rows:
        next(rows.chunks())
    source.close()
    # A place that the test before this one has left may be free a moment later; what was busy then was asked again.
    asked = local.times_asked("rows") - local.mwaa.journal.count(path=ROWS, status=429)
    assert asked <= 3
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("metadata-api")]


def test_two_tables_at_once(local, database, numbers):
    with table(database, "mwaa other", "id int PRIMARY KEY", "SELECT n FROM generate_series(1, 1000) n") as other:
        with ApiSource(local.client(), "there") as source:
            selections = source.selections(Asked((numbers, other), age_columns={numbers: "at"}))
            counts = {}

            def read(selection) -> None:
                with source.open(selection) as rows:
                    counts[selection.table] = sum(chunk.count(b"\n") for chunk in rows.chunks())

            threads = [threading.Thread(target=read, args=(one,)) for one in selections]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
        assert counts[other] == 1000
        assert counts[numbers] > 100_000


def test_the_client_asks_more_slowly_while_the_web_server_is_busy(local, token_of, numbers):
    from mwaa_provider.metadata.api.app import create_app
    from mwaa_provider.metadata.api.work import Places

    places = Places(most=1)
    local.backend.client = client_of(create_app(places=places))
    place = places.take()

    class Clock(HurryingClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if self.waited > 5:
                place.let_go()

    clock = Clock()
    api = MetadataApi(local.client(), "there", clock=clock, jitter=lambda most: most / 2)
    assert api.facts()["protocol"] == 1
    assert (api.times_busy, clock.waited) == (6, 6.0)
