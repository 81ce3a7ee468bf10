"""Variables and pools of a file: only what differs is written, whatever fails the rest is done, and no value is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mwaa_provider.client.importing import Change
from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.client.variable_import import without_value
from mwaa_provider.exceptions import InvalidInputError, RestApiError, SettingsNotImportedError
from mwaa_provider.local import Fault, LocalMwaa, ScriptedAirflow
from tests.client.conftest import MakeClient

AWKWARD = {
    "quotes": 'it\'s "quoted" \\ and {{ braces }}',
    "lines": "-----BEGIN-----\nline\r\n\ttab\n",
    "ümläut/with/slash": "Grüße 🦉",
    "-begins with a dash?&#%": "--force",
    "long": "x" * 100_000,
    "empty": "",
    "true": True,
    "null": None,
    "number": 1.5,
    "list": [1, "zwei", None],
    "object": {"ü": {"deep": [True]}},
    "text that is JSON": '{"a":1}',
    "text that is a number": "007",
    "described": {"value": {"a": 1}, "description": "what it is for"},
    "only value": {"value": 1},
}


def kept(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@pytest.fixture(params=["2.7.2", "2.10.3", "3.0.6", "3.3.1"])
def airflow(request: pytest.FixtureRequest, local_mwaa: LocalMwaa) -> ScriptedAirflow:
    airflow = ScriptedAirflow(request.param)
    local_mwaa.create_environment("target", airflow)
    return airflow


@pytest.fixture
def client(airflow: ScriptedAirflow, make_client: MakeClient) -> MwaaClient:
    return make_client(transport="session")


def writes(mwaa: LocalMwaa) -> list[str]:
    return [f"{one.method} {one.path}" for one in mwaa.journal.entries(is_rest=True) if one.method != "GET"]


def test_awkward_keys_and_values_arrive_whole_and_are_left_alone_the_second_time(
    client: MwaaClient, airflow: ScriptedAirflow, local_mwaa: LocalMwaa
) -> None:
    report = client.import_variables("target", AWKWARD)
    report.raise_for_errors()
    assert report.names("create") == list(AWKWARD)
    expected = {key: kept(value) for key, value in AWKWARD.items()} | {"described": '{"a": 1}'}
    assert airflow.variables() == expected
    assert client.get_variable("target", "described").description == "what it is for"
    before = len(writes(local_mwaa))
    again = client.import_variables("target", AWKWARD)
    # Airflow 3 writes JSON anew, so of a text that is JSON nobody can tell how it is spaced there.
    hidden = ["text that is JSON"] if airflow.airflow_version.startswith("3") else []
    assert (again.names("overwrite"), again.names("update"), again.names("create")) == (hidden, [], [])
    assert len(again.names("keep")) == len(AWKWARD) - len(hidden)
    assert len(writes(local_mwaa)) - before == len(hidden)
    assert airflow.variables() == expected


def test_only_what_differs_is_written(client: MwaaClient, airflow: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
    airflow.set_variable("same", "1")
    airflow.set_variable("same_json", '{\n  "b": 2,\n  "a": true\n}')
    airflow.set_variable("differs", "true")
    airflow.set_variable("old_1", "x")
    airflow.set_variable("old_2", "x")
    airflow.set_variable("other", "x")
    told: list[Change] = []
    report = client.import_variables(
        "target",
        {"same": "1", "same_json": {"a": True, "b": 2}, "differs": 1, "new": "n", "old_1": "x"},
        prune_prefix="old_",
        on_change=lambda change, error: told.append(change),
    )
    assert [(change.name, change.action) for change in told] == [
        ("same", "keep"),
        ("same_json", "keep"),
        ("differs", "update"),
        ("new", "create"),
        ("old_1", "keep"),
        ("old_2", "delete"),
    ]
    assert report.counts() == {
        "create": 1,
        "update": 1,
        "overwrite": 0,
        "keep": 3,
        "delete": 1,
        "failed": 0,
        "not_tried": 0,
    }
    assert airflow.variables() == {
        "same": "1",
        "same_json": '{\n  "b": 2,\n  "a": true\n}',
        "differs": "1",
        "old_1": "x",
        "other": "x",
        "new": "n",
    }
    assert writes(local_mwaa)[-1] == "DELETE /variables/old_2"


def test_what_airflow_does_not_show_is_written_each_time(client: MwaaClient, airflow: ScriptedAirflow) -> None:
    wanted = {"api_password": "hunter22", "service": {"password": "hunter22", "port": 1}}
    client.import_variables("target", wanted).raise_for_errors()
    again = client.import_variables("target", wanted)
    shown = airflow.airflow_version.startswith("2")
    assert again.names("keep" if shown else "overwrite") == list(wanted)
    assert airflow.variables()["api_password"] == "hunter22"


def test_a_dry_run_writes_nothing_and_tells_no_value(
    client: MwaaClient, airflow: ScriptedAirflow, local_mwaa: LocalMwaa
) -> None:
    airflow.set_variable("a", "before")
    airflow.set_variable("zzz", "before")
    report = client.import_variables("target", {"a": "after", "b": "after"}, prune_prefix="z", dry_run=True)
    assert [(one.name, one.action) for one in report.changes] == [("a", "update"), ("b", "create"), ("zzz", "delete")]
    assert "after" not in repr(report)
    assert "before" not in repr(report)
    assert writes(local_mwaa) == []


def test_one_that_fails_does_not_stop_the_rest(
    client: MwaaClient, airflow: ScriptedAirflow, local_mwaa: LocalMwaa
) -> None:
    secret = {"token": "tell-nobody\nétc"}
    told = {
        "detail": f"value {json.dumps(secret)} is bad, tell-nobody\nétc too",
        "title": "Bad",
        "status": 400,
        "type": "x",
    }
    local_mwaa.faults.add(Fault.answer(400, operation="rest", method="POST", body=told))
    report = client.import_variables("target", {"a": secret, "b": "2", "c": "3"})
    assert (list(report.errors), report.names("create")) == (["a"], ["b", "c"])
    assert airflow.variables() == {"b": "2", "c": "3"}
    with pytest.raises(SettingsNotImportedError, match="Of 3 in the import, 1 failed") as caught:
        report.raise_for_errors()
    assert list(caught.value.failed) == ["a"]
    assert "is bad" in str(caught.value)
    assert "tell-nobody" not in f"{caught.value} {caught.value.facts} {report!r} {report.errors['a'].facts}"
    client.import_variables("target", {"a": secret, "b": "2", "c": "3"}).raise_for_errors()
    assert sorted(airflow.variables()) == ["a", "b", "c"]


@pytest.mark.parametrize("fault", [Fault.lose_answer, lambda **given: Fault.answer(502, after_acting=True, **given)])
def test_a_lost_answer_is_looked_up(
    client: MwaaClient, airflow: ScriptedAirflow, local_mwaa: LocalMwaa, fault: Any
) -> None:
    local_mwaa.faults.add(fault(operation="rest", method="POST"))
    client.import_variables("target", {"a": "1"}).raise_for_errors()
    assert airflow.variables() == {"a": "1"}
    assert writes(local_mwaa).count("POST /variables") == 1


def test_when_nothing_gets_there_any_more_the_rest_is_not_tried(
    client: MwaaClient, airflow: ScriptedAirflow, local_mwaa: LocalMwaa
) -> None:
    told: list[str] = []

    def stop(change: Change, error: Any) -> None:
        told.append(change.name)
        if change.name == "a":
            local_mwaa.delete_environment("target")

    report = client.import_variables("target", {"a": "1", "b": "2", "c": "3", "d": "4"}, on_change=stop)
    if not report.not_tried:
        pytest.fail(f"{report.errors}")
    assert (list(report.errors), report.not_tried, told) == (["b"], ("c", "d"), ["a", "b"])


def test_all_problems_at_once_before_anything_is_asked(client: MwaaClient, local_mwaa: LocalMwaa) -> None:
    import datetime

    with pytest.raises(InvalidInputError) as caught:
        client.import_variables(
            "9",
            {
                "": "x",
                "k" * 251: "x",
                "day": datetime.date(2026, 1, 31),
                "nul": "SECRET\0",
                "half": ["SECRET\ud800"],
                "nan": float("nan"),
            },
            prune_prefix="",
        )
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        *("environment_name", "prune_prefix", "key", "key"),
        *("'day'", "'nul'", "'half'", "'nan'"),
    ]
    assert "(date); a date of YAML, say, must stand in quotes" in str(caught.value)
    assert "SECRET" not in str(caught.value)
    assert local_mwaa.journal.count() == 0


class TestPools:
    def test_only_what_differs_is_written(
        self, client: MwaaClient, airflow: ScriptedAirflow, local_mwaa: LocalMwaa
    ) -> None:
        client.set_pool("target", "same", 3, description="as it is", include_deferred=True)
        client.set_pool("target", "differs", 3)
        client.set_pool("target", "default_too", 1)
        before = len(writes(local_mwaa))
        default = client.get_pool("target", "default_pool")
        wanted = {
            "same": {"slots": 3, "include_deferred": True},
            "differs": {"slots": 4, "description": "now"},
            "new": {"slots": 2, "description": "", "include_deferred": True},
            "default_pool": {"slots": 99, "description": default.description},
        }
        report = client.import_pools("target", wanted, prune_prefix="default")
        report.raise_for_errors()
        assert [(one.name, one.action) for one in report.changes] == [
            *(("same", "keep"), ("differs", "update"), ("new", "create")),
            *(("default_pool", "update"), ("default_too", "delete")),
        ]
        assert report.changes[1].detail.startswith("slots 3 -> 4, description ")
        found = {pool.name: pool for pool in client.list_pools("target")}
        assert sorted(found) == ["default_pool", "differs", "new", "same"]
        assert (found["differs"].slots, found["differs"].description) == (4, "now")
        assert (found["new"].slots, found["new"].include_deferred) == (2, True)
        assert (found["default_pool"].slots, found["default_pool"].description) == (99, default.description)
        assert len(writes(local_mwaa)) > before
        again = len(writes(local_mwaa))
        assert client.import_pools("target", wanted).names("keep") == list(wanted)
        assert len(writes(local_mwaa)) == again

    def test_no_limit_is_for_releases_that_can_show_it(self, client: MwaaClient, airflow: ScriptedAirflow) -> None:
        if airflow.airflow_version.startswith(("2.", "3.0.")):
            problem = f"slots: -1, no limit, is what the REST API of Airflow {airflow.airflow_version} cannot show"
            with pytest.raises(InvalidInputError, match=f"'a': {problem}"):
                client.import_pools("target", {"a": {"slots": -1}})
            with pytest.raises(InvalidInputError, match=problem):
                client.set_pool("target", "a", -1)
            assert "a" not in airflow.pools()
        else:
            client.import_pools("target", {"a": {"slots": -1}}).raise_for_errors()
            assert client.set_pool("target", "b", -1).slots == -1
            assert (airflow.pools()["a"], airflow.pools()["b"]) == (-1, -1)

    def test_one_that_fails_does_not_stop_the_rest(self, client: MwaaClient, local_mwaa: LocalMwaa) -> None:
        local_mwaa.faults.add(Fault.answer(403, operation="rest", method="POST", body={"detail": "no"}))
        report = client.import_pools("target", {"a": {"slots": 1}, "b": {"slots": 1}})
        assert (list(report.errors), report.names("create")) == (["a"], ["b"])

    def test_all_problems_at_once(self, client: MwaaClient, local_mwaa: LocalMwaa) -> None:
        wanted = {
            "a": {"slots": "3", "slot": 1},
            "b": 5,
            "c": {"slots": 1, "include_deferred": "yes", "description": 1},
        }
        with pytest.raises(InvalidInputError) as caught:
            client.import_pools("target", wanted)
        assert [":".join(problem.split(":")[:2]) for problem in caught.value.problems] == [
            *("'a': slot", "'a': slots", "'b': int is not a pool; give an object such as {\"slots\""),
            *("'c': description", "'c': include_deferred"),
        ]
        assert local_mwaa.journal.count() == 0


def test_a_value_is_taken_out_of_an_error_in_every_spelling() -> None:
    value = 'pass"wörd\n' + "z" * 600
    told = f"{value[:500]} | {json.dumps(value)} | {value!r} | kept"
    clean = without_value(RestApiError(told, environment_name="e", detail=told, status=400), value)
    assert type(clean) is RestApiError
    assert (str(clean), clean.detail) == ("*** | \"***\" | '***' | kept",) * 2
    assert clean.status == 400


def test_an_error_without_the_value_stays_as_it_is() -> None:
    error = RestApiError("short 1", environment_name="e", status=400)
    assert without_value(error, "1") is error
