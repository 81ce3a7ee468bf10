"""A clean-up over the metadata API: the application on the real schema behind the local MWAA, through whatever goes wrong on the way."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from mwaa_provider.exceptions import CleanupError, InvalidInputError, MetadataApiOffError
from mwaa_provider.local import Fault, Identity
from mwaa_provider.metadata.cleanup.api_cleaner import ApiCleaner
from mwaa_provider.metadata.cleanup.asking import run_cleanup
from mwaa_provider.metadata.cleanup.pace import Stop
from mwaa_provider.metadata.cleanup.request import read_request
from tests.metadata.api.support import AIRFLOW_3_ONLY, URL, Local, client_of
from tests.metadata.api.test_api_source import HurryingClock
from tests.metadata.cleanup.conftest import locked
from tests.metadata.cleanup.history import CUT, History
from tests.support.tasks import context_of

pytestmark = AIRFLOW_3_ONLY

BATCH = f"/mwaa_provider{URL}/cleanup/batch"
PATHS = ("plan", "count", "batch", "take", "remove", "gone", "analyze", "drop")


@pytest.fixture
def history(airflow_database) -> Iterator[History]:
    with History.of_this_airflow(airflow_database.home) as history:
        yield history


@pytest.fixture
def cleaning(local: Local) -> Local:
    """A local MWAA whose web server's metadata API may clean."""
    from mwaa_provider.metadata.api.app import create_app
    from mwaa_provider.metadata.api.cleaning import WebServerCleaner

    local.backend.client = client_of(create_app(cleaner=WebServerCleaner()))
    return local


def clean(local: Local, *, stop: Stop | None = None, progress: Any = None, **given: Any) -> dict[str, Any]:
    arguments = {"before": CUT, "environment_name": "there", **given}
    return run_cleanup(arguments, local.client, stop=stop, progress=progress).xcom()


def some_history(history: History, runs: int = 6) -> None:
    for number in range(runs):
        history.run(f"old_{number:02}", 60 + number)
    history.run("active", 90, state="running")
    history.run("newest", 1)
    for days in (90, 31, 29):
        history.aged("log", days)


def test_another_environment_is_cleaned(history, cleaning, caplog):
    some_history(history)
    with caplog.at_level(logging.INFO, "mwaa_provider"):
        told = clean(cleaning)
    assert history.run_ids() == ["active", "newest"]
    assert history.count("log") == 1
    assert history.violations() == []
    rows = told["rows"]
    assert (rows["dag_run"], rows["task_instance"], rows["xcom"], rows["log"]) == (6, 12, 12, 2)
    assert (told["complete"], told["stopped"], told["left"], told["notes"]) == (True, "", [], [])
    assert set(told["sizes"]) == set(rows)
    assert (
        "Cleaning by the metadata API of environment there (road 'metadata_api'), the first that leads there."
        in caplog.text
    )
    assert (
        "Not by this process's database: environment 'there' was asked for, and this is no MWAA environment."
        in caplog.text
    )
    assert "The metadata API removed for admin: " in caplog.text


def test_a_task_of_airflow_3_cleans_its_own_environment(history, local, monkeypatch):
    from mwaa_provider.metadata.api.app import create_app
    from mwaa_provider.metadata.api.cleaning import WebServerCleaner
    from mwaa_provider.metadata.api.reading import Reader
    from mwaa_provider.metadata.database import MetadataDatabase, by_airflows_settings
    from mwaa_provider.operators.metadata_cleanup import MetadataCleanupOperator

    some_history(history)
    way = by_airflows_settings()
    assert way is not None
    url = way.read_url()
    web_servers = MetadataDatabase("the web server's settings", lambda: url)
    local.backend.client = client_of(create_app(Reader(web_servers), cleaner=WebServerCleaner(web_servers)))
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "airflow-db-not-allowed:///")
    monkeypatch.setenv("AIRFLOW_ENV_NAME", "there")
    monkeypatch.setenv("AIRFLOW_CONN_THERE", json.dumps(local.mwaa.airflow_connection()))
    operator = MetadataCleanupOperator(task_id="clean", before=CUT.isoformat(), tables=["log"], aws_conn_id="there")
    assert operator.execute(context_of(operator))["rows"] == {"log": 2}
    assert local.times_asked("cleanup/batch") == 1


def test_a_dry_run_tells_the_same_as_by_the_database(history, cleaning):
    some_history(history)
    history.run("b_newest", 90, dag_id="b")
    before = {table: history.count(table) for table in history.plan().touched}
    told = clean(cleaning, dry_run=True)
    assert {table: history.count(table) for table in before} == before
    assert told == clean(cleaning, dry_run=True, environment_name=None, route="database")
    assert told["stays"]["dag_run: active"] == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault.cut_answer(0, operation="plugin", path=BATCH),
        Fault.cut_answer(20, operation="plugin", path=BATCH, times=2),
        Fault.lose_answer(operation="plugin", path=BATCH),
        Fault.refuse(operation="plugin", path=BATCH, times=3),
        Fault.answer(502, operation="plugin", path=BATCH, times=2, after_acting=True),
        Fault.answer(503, {"detail": "starting"}, operation="plugin", path=BATCH),
        Fault.throttle("plugin", path=BATCH, times=4),
        Fault.expire_sessions(operation="plugin", path=BATCH),
        Fault.cut_answer(10, operation="plugin", path=f"/mwaa_provider{URL}/cleanup/plan"),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}-{fault.after_bytes}-{fault.path.rpartition('/')[2]}",
)
@pytest.mark.patient
def test_what_goes_wrong_on_the_way_costs_time_and_no_row(history, cleaning, fault):
    some_history(history)
    cleaning.mwaa.faults.add(fault)
    request = read_request(before=CUT, tables=["dag_run", "log"], batch_size=2, pause_between_batches=0.001)
    report = ApiCleaner(cleaning.client(), "there", clock=HurryingClock()).clean(request)
    assert cleaning.mwaa.faults.pending() == ()
    assert (history.run_ids(), history.count("log")) == (["active", "newest"], 1)
    assert report.is_complete
    was_done = fault.kind in ("cut_answer", "lose_answer") or fault.after_acting
    counted = report.rows["dag_run"] == 6
    assert counted is not (was_done and fault.path == BATCH)
    # What is not counted is said to be.
    assert counted or "answers of the web server were lost" in report.notes[0]


def test_a_web_server_that_stays_away_ends_it_and_the_next_one_goes_on(history, cleaning):
    some_history(history)
    cleaner = ApiCleaner(cleaning.client(), "there", clock=HurryingClock())

    def then_it_goes(reached: str, report: Any) -> None:
        cleaning.mwaa.faults.add(Fault.answer(502, operation="plugin", times=None))

    request = read_request(before=CUT, tables=["dag_run", "log"], batch_size=2, pause_between_batches=0.001)
    with pytest.raises(CleanupError, match=r"failed at dag_run, id \d+: .* run it again to go on") as failed:
        cleaner.clean(request, progress=then_it_goes)
    assert 0 < failed.value.rows["dag_run"] < 6
    cleaning.mwaa.faults.clear()
    assert clean(cleaning)["complete"]
    assert history.run_ids() == ["active", "newest"]


def test_requests_are_short_and_each_does_one_batch_where_pauses_are_asked_for(history, cleaning):
    some_history(history)
    told = clean(cleaning, batch_size=2, pause_between_batches=0.001, tables=["dag_run"])
    assert told["rows"]["dag_run"] == 6
    assert cleaning.times_asked("cleanup/batch") >= 6
    cleaning.mwaa.journal.clear()
    clean(cleaning, tables=["dag_run"])
    assert cleaning.times_asked("cleanup/batch") == 1


def test_what_is_locked_is_tried_again_at_the_end_and_listed(history, cleaning, airflow_database):
    some_history(history)
    with locked(airflow_database.home, "SELECT FROM xcom WHERE run_id = 'old_03' FOR UPDATE"):
        told = clean(cleaning, tables=["dag_run"], lock_timeout=0.05)
    assert history.run_ids() == ["active", "newest", "old_03"]
    assert (told["complete"], told["left"]) == (
        False,
        [f"dag_run {history.runs['old_03']}: locked by another transaction"],
    )
    assert clean(cleaning)["complete"]
    assert history.run_ids() == ["active", "newest"]


def test_it_ends_at_max_duration_and_when_it_is_told_to(history, cleaning):
    some_history(history)
    told = clean(cleaning, max_duration=0.000001)
    assert (told["stopped"], told["rows"]) == ("max_duration (1e-06 s) has passed", {})
    stop = Stop()
    told = clean(
        cleaning,
        batch_size=2,
        pause_between_batches=0.001,
        stop=stop,
        progress=lambda reached, report: stop.ask("the task was killed"),
    )
    assert (told["stopped"], told["complete"], told["rows"]["dag_run"]) == ("the task was killed", False, 1)
    assert told["reached"].startswith("dag_run, id ")
    assert history.count("dag_run") == 7


def test_what_is_left_out_is_said(history, cleaning):
    some_history(history)
    history.rows.execute("CREATE TABLE _airflow_deleted__log__20260131000000 AS SELECT * FROM log")
    told = clean(cleaning, vacuum=True, parallel=2)
    assert [note.partition(":")[0].partition(";")[0] for note in told["notes"]] == [
        "parallel was left out",
        "VACUUM was left out",
        "`airflow db clean` has left 1 archive tables",
    ]
    told = clean(cleaning, drop_leftovers=True)
    assert (told["dropped"], told["notes"]) == (["_airflow_deleted__log__20260131000000"], [])
    assert not history.rows.has_table("_airflow_deleted__log__20260131000000")


def test_everything_that_cannot_be_right_is_named_before_anything_is_done(history, cleaning):
    some_history(history)
    with pytest.raises(InvalidInputError) as refused:
        clean(cleaning, tables=["dag_rum", "log"], batch_size=0)
    assert list(refused.value.problems) == [
        "batch_size: 0 is not one; give a whole number from 1",
        "tables: there is no table 'dag_rum' in this release; did you mean 'dag_run' or 'dag_run_note' or 'dag'?",
    ]
    assert history.count("log") == 3


def test_where_it_only_reads_the_error_says_how_to_switch_it_on(history, local):
    with pytest.raises(MetadataApiOffError) as off:
        ApiCleaner(local.client(), "there")
    assert off.value.message == (
        "The metadata API of environment 'there' only reads. Set the Airflow configuration option mwaa_provider.metadata_api_cleanup to "
        "True there, beside mwaa_provider.metadata_api: see docs/clean-up.md."
    )
    with pytest.raises(CleanupError, match="only reads"):
        clean(local, route="metadata_api")
    for path in PATHS:
        assert local.backend.client.post(f"{URL}/cleanup/{path}", content=b"{}").status_code == 404


@pytest.mark.parametrize(("setting", "is_on"), [("True", True), ("False", False), ("maybe", False), (None, False)])
def test_only_a_clear_yes_switches_it_on(monkeypatch, caplog, setting, is_on):
    from mwaa_provider.metadata.api import mounting

    if setting is not None:
        monkeypatch.setenv("AIRFLOW__MWAA_PROVIDER__METADATA_API_CLEANUP", setting)
    assert mounting._is_cleaning() is is_on
    assert ("only reads" in caplog.text) is (setting == "maybe")


class TestAttacks:
    """What the application itself answers to those who may not, or who ask for what cannot be."""

    @pytest.fixture
    def client(self, cleaning: Local) -> Any:
        return cleaning.backend.client

    def test_nobody_but_an_administrator_gets_in(self, history, client, token_of):
        some_history(history)
        admin = token_of("ADMIN")
        body = json.dumps({"before": CUT.isoformat(), "work": "log", "table": "log"}).encode()
        for path in PATHS:
            for headers, status in (
                ({}, 401),
                ({"Cookie": f"_token={admin}"}, 401),
                ({"Authorization": "Bearer garbage"}, 401),
                ({"Authorization": f"Bearer {token_of('ADMIN', -60)}"}, 401),
                *(({"Authorization": f"Bearer {token_of(role)}"}, 403) for role in ("VIEWER", "USER", "OP")),
            ):
                answer = client.post(f"{URL}/cleanup/{path}", content=body, headers=headers)
                assert answer.status_code == status, (path, headers)
            assert client.get(f"{URL}/cleanup/{path}", headers={"Authorization": f"Bearer {admin}"}).status_code == 405
        assert history.count("log") == 3

    @pytest.mark.parametrize("role", ["Viewer", "User", "Op"])
    def test_who_is_no_administrator_is_told_so(self, cleaning, role):
        identity = Identity(access_key_id=f"LOCALMWAA{role.upper()}", airflow_role=role)
        with pytest.raises(CleanupError, match="Only an administrator of this Airflow may ask the metadata API"):
            run_cleanup({"environment_name": "there", "route": "metadata_api"}, lambda: cleaning.client(identity))

    @pytest.mark.parametrize(
        ("path", "changes", "problem"),
        [
            ("batch", {"before": "2999-01-01T00:00:00Z"}, "lies in the future"),
            ("batch", {"before": None}, "before: it is missing"),
            ("batch", {"before": "yesterday"}, "before: 'yesterday' is no moment"),
            ("batch", {"work": "log; DROP TABLE log"}, "is none of runs, "),
            ("batch", {"work": "variable"}, "is none of runs, "),
            ("batch", {"after": ["1", "2"]}, "has 1 columns, not 2"),
            ("batch", {"after": ["1); DROP TABLE log; --"]}, "not of its column's type"),
            ("batch", {"work": "runs", "after": ["1 OR 1=1"]}, "is no id of a run"),
            ("batch", {"rows": 0}, "rows: 0 is no whole number"),
            ("batch", {"rows": True}, "rows: True is no whole number"),
            ("batch", {"seconds": "long"}, "seconds: 'long' is no number"),
            ("batch", {"more": 1}, "more: there is no such field"),
            ("plan", {"tables": ["variable"]}, "'variable' is not cleaned"),
            ("plan", {"tables": ["pg_authid"]}, "there is no table 'pg_authid'"),
            ("count", {"table": "variable"}, "is none of those that would be cleaned"),
            ("analyze", {"table": "pg_class"}, "there is no table 'pg_class'"),
        ],
    )
    def test_what_cannot_be_is_refused(self, history, client, token_of, path, changes, problem):
        history.aged("log", 60)
        good: dict[str, Any] = {"before": CUT.isoformat()}
        good |= {"batch": {"work": "log"}, "count": {"table": "log"}}.get(path, {})
        body = changes if path == "analyze" else {**good, **changes}
        answer = client.post(
            f"{URL}/cleanup/{path}", content=json.dumps(body), headers={"Authorization": f"Bearer {token_of('ADMIN')}"}
        )
        assert answer.status_code == 422
        assert problem in answer.json()["detail"]
        assert history.count("log") == 1

    def test_nothing_is_dropped_but_what_db_clean_has_left(self, history, client, token_of):
        history.aged("log", 60)
        headers = {"Authorization": f"Bearer {token_of('ADMIN')}"}
        for table in ("log", "variable", "_airflow_deleted__nothing"):
            answer = client.post(f"{URL}/cleanup/drop", content=json.dumps({"table": table}), headers=headers)
            assert answer.json() == {"dropped": [], "notes": []}
        assert history.count("log") == 1

    def test_two_are_at_work_and_the_others_are_told_to_come_again(self, history, cleaning, token_of):
        from mwaa_provider.metadata.api.app import create_app
        from mwaa_provider.metadata.api.cleaning import WebServerCleaner
        from mwaa_provider.metadata.api.work import Places

        history.aged("log", 60)
        places = Places()
        taken = [places.take(), places.take()]
        client = client_of(create_app(places=places, cleaner=WebServerCleaner()))
        body = json.dumps({"before": CUT.isoformat(), "work": "log"})

        def ask() -> Any:
            return client.post(
                f"{URL}/cleanup/batch", content=body, headers={"Authorization": f"Bearer {token_of('ADMIN')}"}
            )

        busy = ask()
        assert (busy.status_code, busy.headers["retry-after"], history.count("log")) == (429, "1", 1)
        taken[0].let_go()
        assert ask().json()["rows"] == {"log": 1}


def test_the_answers_hold_nothing_but_counts_and_keys(history, cleaning, token_of):
    """Of the rows that go, none of their values leaves the database."""
    history.run("old", 60)
    history.run("newest", 1)
    history.rows.execute("UPDATE dag_run SET conf = %s", (json.dumps({"password": "hunter2"}),))
    headers = {"Authorization": f"Bearer {token_of('ADMIN')}"}
    said = []
    for path, body in (("plan", {}), ("count", {"table": "dag_run"}), ("batch", {"work": "runs"})):
        answer = cleaning.backend.client.post(
            f"{URL}/cleanup/{path}", content=json.dumps({"before": CUT.isoformat(), **body}), headers=headers
        )
        assert answer.status_code == 200
        said.append(answer.text)
    assert history.run_ids() == ["newest"]
    assert "hunter2" not in "".join(said)
