"""Connections of a file: secrets are named there, read when they are sent, and stand nowhere else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mwaa_provider.client.models import Connection
from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.exceptions import (
    InvalidInputError,
    NotFoundError,
    RestApiError,
    SecretNotReadError,
    SettingsNotImportedError,
)
from mwaa_provider.local import Fault, LocalMwaa, ScriptedAirflow
from tests.client.conftest import MakeClient

SECRETS = {"secretsmanager://db#password": "tell-nobody", "secretsmanager://key": "tell-nobody-either"}
SALES = {
    "conn_type": "postgres",
    "description": "orders",
    "host": "db.example.com",
    "login": "etl",
    "password": "secretsmanager://db#password",
    "schema": "sales",
    "port": 5432,
    "extra": {"sslmode": "require", "account": {"private_key": "secretsmanager://key"}},
}
PLAIN = {"conn_type": "http", "host": "example.com", "extra": '{"timeout": 5}'}
KEPT = {
    **SALES,
    "password": "tell-nobody",
    "extra": '{"sslmode": "require", "account": {"private_key": "tell-nobody-either"}}',
}


@pytest.fixture(params=["2.7.2", "2.10.3", "3.0.6", "3.3.1"])
def airflow(request: pytest.FixtureRequest, local_mwaa: LocalMwaa) -> ScriptedAirflow:
    airflow = ScriptedAirflow(request.param)
    local_mwaa.create_environment("target", airflow)
    return airflow


@pytest.fixture
def client(airflow: ScriptedAirflow, make_client: MakeClient) -> MwaaClient:
    return make_client(transport="session")


@pytest.fixture
def shows_extra(airflow: ScriptedAirflow) -> bool:
    return airflow.airflow_version.startswith("3")


def resolve(reference: str) -> str:
    if reference not in SECRETS:
        raise SecretNotReadError(f"{reference}: there is no such secret", reference=reference)
    return SECRETS[reference]


def writes(mwaa: LocalMwaa) -> list[str]:
    return [f"{one.method} {one.path}" for one in mwaa.journal.entries(is_rest=True) if one.method != "GET"]


def test_they_arrive_whole_and_what_is_shown_is_left_alone_the_second_time(
    client: MwaaClient, airflow: ScriptedAirflow, local_mwaa: LocalMwaa, shows_extra: bool
) -> None:
    wanted = {"sales": SALES, "plain": PLAIN, "least": {"conn_type": "fs", "host": None}}
    report = client.import_connections("target", wanted, resolve=resolve)
    report.raise_for_errors()
    assert report.names("create") == ["sales", "plain", "least"]
    expected = {"sales": KEPT, "plain": PLAIN, "least": {"conn_type": "fs", "host": None}}
    assert airflow.connections() == expected
    before = len(writes(local_mwaa))
    again = client.import_connections("target", wanted, resolve=resolve)
    hidden = ["sales"] if shows_extra else ["sales", "plain"]
    assert [(one.name, one.detail) for one in again.changes if one.action == "overwrite"] == [
        (name, "extra (not shown by Airflow)" if name == "plain" else "password, extra (not shown by Airflow)")
        for name in hidden
    ]
    assert [one.name for one in again.changes if one.action == "keep"] == [
        name for name in wanted if name not in hidden
    ]
    assert writes(local_mwaa)[before:] == [f"PATCH /connections/{name}" for name in hidden]
    assert airflow.connections() == expected


def test_only_what_differs_is_written_and_what_is_left_out_stays(
    client: MwaaClient, airflow: ScriptedAirflow, local_mwaa: LocalMwaa
) -> None:
    airflow.set_connection("sales", "postgres", host="old", port=1, password="kept", extra="{}")
    for name in ("team_a", "team_b", "aws_default"):
        airflow.set_connection(name)
    given = {"sales": {"conn_type": "postgres", "host": "new", "port": 5432}, "team_a": {"conn_type": "generic"}}
    report = client.import_connections("target", given, prune_prefix="team_")
    assert [(one.name, one.action, one.detail) for one in report.changes] == [
        ("sales", "update", "host, port"),
        ("team_a", "keep", ""),
        ("team_b", "delete", ""),
    ]
    assert airflow.connections()["sales"] == {
        "conn_type": "postgres",
        "host": "new",
        "port": 5432,
        "password": "kept",
        "extra": "{}",
    }
    assert client.import_connections("target", {}, prune_prefix="a").changes == ()
    assert sorted(airflow.connections()) == ["aws_default", "sales", "team_a"]


def test_a_dry_run_writes_nothing_and_reads_no_secret(
    client: MwaaClient, airflow: ScriptedAirflow, local_mwaa: LocalMwaa
) -> None:
    airflow.set_connection("sales", "mysql", password="before")
    report = client.import_connections("target", {"sales": SALES}, resolve=pytest.fail, dry_run=True)
    assert [(one.action, one.detail) for one in report.changes] == [
        ("update", "conn_type, description, host, login, schema, port, password, extra (not shown by Airflow)")
        if report.changes[0].detail.endswith("(not shown by Airflow)")
        else ("never", "")
    ]
    assert writes(local_mwaa) == []


@pytest.mark.parametrize("transport", ["session"])
def test_one_that_fails_does_not_stop_the_rest_and_tells_no_secret(
    client: MwaaClient, airflow: ScriptedAirflow, local_mwaa: LocalMwaa, transport: str
) -> None:
    told = {"detail": f"{json.dumps(KEPT)} is bad", "title": "Bad", "status": 400, "type": "x"}
    local_mwaa.faults.add(Fault.answer(400, operation="rest", method="POST", body=told))
    lost = {"conn_type": "http", "password": "secretsmanager://none"}
    report = client.import_connections("target", {"sales": SALES, "lost": lost, "plain": PLAIN}, resolve=resolve)
    assert {name: type(error) for name, error in report.errors.items()} == {
        "sales": RestApiError,
        "lost": SecretNotReadError,
    }
    assert report.names("create") == ["plain"]
    with pytest.raises(SettingsNotImportedError) as caught:
        report.raise_for_errors()
    texts = f"{caught.value} {caught.value.facts} {report!r} {[error.facts for error in report.errors.values()]}"
    assert "tell-nobody" not in texts
    assert "is bad" in texts
    again = client.import_connections("target", {"sales": SALES, "plain": PLAIN}, resolve=resolve)
    assert again.names("create") == ["sales"]
    assert airflow.connections()["sales"] == KEPT


@pytest.mark.parametrize("fault", [Fault.lose_answer, lambda **given: Fault.answer(502, after_acting=True, **given)])
def test_a_lost_answer_is_looked_up(
    client: MwaaClient, airflow: ScriptedAirflow, local_mwaa: LocalMwaa, fault: Any
) -> None:
    local_mwaa.faults.add(fault(operation="rest", method="POST"))
    client.import_connections("target", {"plain": PLAIN}).raise_for_errors()
    assert airflow.connections() == {"plain": PLAIN}
    assert writes(local_mwaa).count("POST /connections") == 1


def test_all_problems_at_once_before_anything_is_asked_and_no_secret_among_them(
    client: MwaaClient, local_mwaa: LocalMwaa
) -> None:
    wanted: dict[str, Any] = {
        "aws_default": {"conn_type": "aws"},
        "with/slash": {"conn_type": "http"},
        "uri": "postgres://etl:tell-nobody@db/sales",
        "number": 5,
        "fields": {"type": "http", "port": "80", "host": 1, "login": "secretsmanager://"},
        "clear": {"conn_type": "http", "password": "tell-nobody"},
        "extra": {
            "conn_type": "aws",
            "extra": {
                "aws_secret_access_key": "tell-nobody",
                "keyfile_dict": {"inner": ["tell-nobody"]},
                "token_url": "https://example.com",
                "secret_id": "a-name",
                "retries": 3,
            },
        },
        "text": {"conn_type": "http", "extra": "tell-nobody"},
        "date": {"conn_type": "http", "extra": {"day": object()}},
        "host": {"conn_type": "http", "host": "secretsmanager://db"},
    }
    with pytest.raises(InvalidInputError) as caught:
        client.import_connections("9", wanted, prune_prefix="")
    in_clear = (
        "it stands in the file in clear; keep it in Secrets Manager and write secretsmanager://NAME (or NAME#KEY)"
    )
    assert list(caught.value.problems)[1:] == [
        "prune_prefix: '' is no beginning of a connection's id; give one, or leave it out",
        "id: MWAA writes its logs through 'aws_default'; give the connection another id",
        "id: 'with/slash' cannot be one; give 1 to 200 letters, digits, '_', '.' and '-'",
        '\'uri\': a URI holds its password; give an object such as {"conn_type": "postgres", "password": "secretsmanager://NAME"}',
        '\'number\': int is not a connection; give an object such as {"conn_type": "postgres"}',
        "'fields': type: a connection has no such field; give some of conn_type, description, host, login, schema, port, password, extra",
        "'fields': conn_type: it is missing; give a text such as 'postgres'",
        "'fields': host: int is not a text; give one, or null",
        "'fields': login: 'secretsmanager://' names no secret; write secretsmanager://NAME, or secretsmanager://NAME#KEY for a key of a "
        "JSON object",
        "'fields': port: '80' is none; give a whole number up to 65535",
        f"'clear': password: {in_clear}",
        f"'extra': extra.aws_secret_access_key: {in_clear}",
        f"'extra': extra.keyfile_dict.inner: {in_clear}",
        "'text': extra: the text is no JSON; give an object",
        "'date': extra: it holds what JSON has no form for; a date of YAML, say, must stand in quotes",
        "'host': host: secrets may stand in login, password and in extra",
    ]
    assert local_mwaa.journal.count() == 0


def test_references_need_somebody_who_reads_them(client: MwaaClient, local_mwaa: LocalMwaa) -> None:
    with pytest.raises(InvalidInputError, match="resolve: there are references to secrets; give a SecretReader"):
        client.import_connections("target", {"sales": SALES})
    assert local_mwaa.journal.count() == 0


class TestOne:
    def test_it_is_set_changed_listed_and_deleted(
        self, client: MwaaClient, airflow: ScriptedAirflow, shows_extra: bool
    ) -> None:
        client.set_connection(
            "target", "a", "postgres", host="db", password="tell-nobody", extra={"token": "x", "n": 1}
        )
        client.set_connection("target", "a", "postgres", port=5432)
        assert airflow.connections()["a"] == {
            "conn_type": "postgres",
            "host": "db",
            "password": "tell-nobody",
            "extra": '{"token": "x", "n": 1}',
            "port": 5432,
        }
        shown = '{"token": "***", "n": 1}' if shows_extra else None
        assert list(client.list_connections("target")) == [
            Connection("a", "postgres", host="db", port=5432, extra=shown)
        ]
        client.delete_connection("target", "a")
        with pytest.raises(NotFoundError):
            client.delete_connection("target", "a")

    def test_an_error_tells_no_secret(self, client: MwaaClient, local_mwaa: LocalMwaa) -> None:
        local_mwaa.faults.add(Fault.answer(400, {"detail": "tell-nobody is bad"}, operation="rest", method="POST"))
        with pytest.raises(RestApiError, match=r"\*\*\* is bad") as caught:
            client.set_connection("target", "a", "http", password="tell-nobody")
        assert "tell-nobody" not in f"{caught.value.facts} {caught.value.__cause__}"

    def test_all_problems_at_once(self, client: MwaaClient, local_mwaa: LocalMwaa) -> None:
        with pytest.raises(InvalidInputError) as caught:
            client.set_connection("9", "aws_default", "", host=1, port=-1, extra={"a": object()})  # type: ignore[arg-type]
        assert [problem.split(":")[0] for problem in caught.value.problems] == [
            *("environment_name", "connection_id", "host", "conn_type", "port", "extra"),
        ]
        with pytest.raises(InvalidInputError):
            client.delete_connection("target", "aws_default")
        assert local_mwaa.journal.count() == 0
