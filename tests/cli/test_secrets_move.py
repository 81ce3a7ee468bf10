"""``mwaa secrets move``: what arrives in moto's Secrets Manager is what Airflow's own backend reads, and nothing is shown or lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.amazon.aws.secrets.secrets_manager import SecretsManagerBackend
from botocore.exceptions import ClientError

from mwaa_provider.client.importing import Change
from mwaa_provider.client.secret_moving import connections_to_move, move, variables_to_move
from mwaa_provider.client.secret_store import SecretStore
from mwaa_provider.exceptions import AccessDeniedError, SecretDiffersError, ServiceError
from mwaa_provider.local import Fault, LocalMwaa, ScriptedAirflow
from tests.cli.conftest import RunMwaa
from tests.support.command import Ended
from tests.support.secrets_manager import Secrets, started_secrets_manager

VARIABLES = {"team_a_text": 'it\'s "quoted"\nß', "team_a_json": '{"rows": [1, null]}', "other": "tell-nobody"}
CONNECTIONS = {
    "sales": {"conn_type": "postgres", "host": "DB/path", "login": "etl", "password": "p/@:+ß", "extra": '{"a": [1]}'},
    "api": "http://etl:tell-nobody@example.com:8080",
}


@pytest.fixture
def secrets() -> Iterator[Secrets]:
    with started_secrets_manager() as secrets:
        yield secrets


@pytest.fixture
def filled(airflow: ScriptedAirflow) -> ScriptedAirflow:
    for key, value in VARIABLES.items():
        airflow.set_variable(key, value)
    for connection_id in (*CONNECTIONS, "stays"):
        airflow.set_connection(connection_id)
    return airflow


@pytest.fixture
def run_move(run: RunMwaa, secrets: Secrets) -> Callable[..., Ended]:
    def run_move(*arguments: str) -> Ended:
        return run(
            *("secrets", "move", "production", *arguments),
            *(
                "--variables-prefix",
                f"{secrets.prefix}/variables",
                "--connections-prefix",
                f"{secrets.prefix}/connections",
            ),
            AWS_ENDPOINT_URL_SECRETS_MANAGER=secrets.endpoint_url,
        )

    return run_move


def written(tmp_path: Path, content: object, name: str = "file.json") -> str:
    (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
    return str(tmp_path / name)


def names(secrets: Secrets) -> list[str]:
    found = secrets.client.list_secrets(Filters=[{"Key": "name", "Values": [secrets.prefix]}])["SecretList"]
    return sorted(one["Name"].removeprefix(f"{secrets.prefix}/") for one in found)


def backend(secrets: Secrets) -> SecretsManagerBackend:
    found = SecretsManagerBackend(
        connections_prefix=f"{secrets.prefix}/connections", variables_prefix=f"{secrets.prefix}/variables"
    )
    found.__dict__["client"] = secrets.client
    return found


def test_planned_moved_found_by_airflow_and_then_deleted(
    run_move: Callable[..., Ended], filled: ScriptedAirflow, secrets: Secrets, tmp_path: Path
) -> None:
    file = written(tmp_path, CONNECTIONS)
    asked = ("--variables", "team_a_", "--connections", file)
    there = ["variables/team_a_json", "variables/team_a_text", "connections/sales", "connections/api"]

    def table(head: str, action: str) -> str:
        width = max(map(len, (f"{secrets.prefix}/{name}" for name in there)))
        lines = [f"{head:<6}  {'NAME':<{width}}  CHANGE"]
        lines += [f"{action}  {secrets.prefix}/{name}" for name in there]
        return "\n".join(line.rstrip() for line in lines) + "\n"

    planned = run_move(*asked, "--dry-run")
    assert (planned.status, planned.stdout, names(secrets)) == (0, table("WOULD", "create"), [])

    done = run_move(*asked)
    assert (done.status, done.stdout) == (0, table("DONE", "create"))
    assert names(secrets) == sorted(there)
    shown = planned.stdout + planned.stderr + done.stdout + done.stderr
    assert not [text for text in ("p/@:+ß", "quoted", "tell-nobody", "etl") if text in shown]

    found = backend(secrets)
    assert found.get_variable("team_a_text") == VARIABLES["team_a_text"]
    assert json.loads(str(found.get_variable("team_a_json"))) == {"rows": [1, None]}
    sales, api = found.get_connection("sales"), found.get_connection("api")
    assert sales is not None
    assert (sales.conn_type, sales.host, sales.login, sales.password) == ("postgres", "DB/path", "etl", "p/@:+ß")
    assert sales.extra_dejson == {"a": [1]}
    assert api is not None
    assert (api.host, api.password, api.port) == ("example.com", "tell-nobody", 8080)

    assert sorted(filled.variables()) == sorted(VARIABLES)
    deleted = run_move(*asked, "--delete")
    assert (deleted.status, deleted.stderr) == (0, "4 differ, 4 are as wanted.\n")
    assert [line.split() for line in deleted.stdout.splitlines()[1:]] == [
        ["delete", *name, "from", "the", "environment"]
        for name in (
            *(("variable", "team_a_json"), ("variable", "team_a_text")),
            *(("connection", "sales"), ("connection", "api")),
        )
    ]
    assert (list(filled.variables()), list(filled.connections())) == (["other"], ["stays"])


def test_what_airflow_does_not_show_comes_from_a_file(
    run_move: Callable[..., Ended], airflow: ScriptedAirflow, secrets: Secrets, tmp_path: Path
) -> None:
    airflow.set_variable("api_password", "tell-nobody")
    airflow.set_variable("plain", "1")
    ended = run_move("--variables", "api_", "--variables", "plain")
    if airflow.airflow_version.startswith("3"):
        told = "Error: Invalid input: variable 'api_password': Airflow does not show its value; give it in a file by --values"
        assert (ended.status, ended.error, names(secrets)) == (2, told, [])
        values = written(tmp_path, {"api_password": {"value": "tell-nobody", "description": "d"}, "not meant": "x"})
        ended = run_move("--variables", "api_", "--variables", "plain", "--values", values)
    assert (ended.status, names(secrets)) == (0, ["variables/api_password", "variables/plain"])
    assert backend(secrets).get_variable("api_password") == "tell-nobody"


def test_a_secret_of_another_value_is_replaced_only_if_asked(
    run_move: Callable[..., Ended], filled: ScriptedAirflow, secrets: Secrets
) -> None:
    secrets.put("variables/team_a_text", "somebody else's")
    ended = run_move("--variables", "team_a_", "--delete")
    assert (ended.status, names(secrets), len(filled.variables())) == (2, ["variables/team_a_text"], 3)
    assert ended.error == (
        f"Error: Invalid input: --overwrite: the secret {secrets.prefix}/variables/team_a_text holds another value; allow it, or leave "
        "this one out"
    )
    ended = run_move("--variables", "team_a_", "--overwrite")
    assert [line.split()[0] for line in ended.stdout.splitlines()] == ["DONE", "create", "update"]
    assert backend(secrets).get_variable("team_a_text") == VARIABLES["team_a_text"]


def test_one_that_fails_does_not_stop_the_rest(
    run_move: Callable[..., Ended], filled: ScriptedAirflow, secrets: Secrets, local_mwaa: LocalMwaa
) -> None:
    local_mwaa.faults.add(Fault.answer(403, {"detail": "no"}, operation="rest", method="DELETE"))
    ended = run_move("--variables", "team_a_", "--delete")
    assert (ended.status, sorted(filled.variables())) == (3, ["other", "team_a_json"])
    assert ended.error.startswith(
        "Error: variable team_a_json: DELETE /variables/team_a_json on environment 'production' was refused"
    )
    ended = run_move("--variables", "team_a_", "--delete")
    assert (ended.status, sorted(filled.variables())) == (0, ["other"])


def test_wrong_usage(
    run: RunMwaa, run_move: Callable[..., Ended], airflow: ScriptedAirflow, local_mwaa: LocalMwaa, tmp_path: Path
) -> None:
    assert run("secrets", "move", "production").error == (
        "Error: nothing to move: give --variables, --connections, or both"
    )
    assert "--values goes with --variables" in run_move("--values", "x", "--connections", "y").error
    assert (
        "--variables-prefix: 'a b' cannot begin"
        in run(
            *("secrets", "move", "production", "--variables", "a", "--variables-prefix", "a b"),
        ).stderr
    )
    given = {
        "aws_default": {"conn_type": "aws"},
        "none": 5,
        "fields": {"conn_type": "postgresql", "port": "tell-nobody", "kind": 1},
        "extra": {"conn_type": "http", "extra": "tell-nobody"},
        "text": "tell-nobody",
    }
    ended = run_move("--connections", written(tmp_path, given))
    assert ended.status == 2
    assert [line.strip(" -").partition(": ")[0] for line in ended.stderr.splitlines()[1:]] == [
        *("id", "'none'", "'fields'", "'extra'", "'text'"),
    ]
    assert "tell-nobody" not in ended.stderr
    assert local_mwaa.journal.count() == 0


def test_what_no_secret_can_be() -> None:
    _, problems = variables_to_move({"empty": "", "ü": "1", "long": "x" * 65_537}, "p")
    assert problems == [
        "variable 'empty': its value is empty, which no secret can be; leave it where it is",
        "variable 'ü': 'p/ü' cannot be the name of a secret; give it letters, digits and /_+=.@-",
        "variable 'long': its value has more than 65536 bytes, which no secret has",
    ]


class Scripted:
    """A Secrets Manager that does one thing wrong."""

    def __init__(self, real: Any, wrong: str, code: str = "") -> None:
        self._real, self._wrong, self._code = real, wrong, code

    def __getattr__(self, name: str) -> Any:
        if name != self._wrong:
            return getattr(self._real, name)
        if self._code:
            raise_it = ClientError({"Error": {"Code": self._code, "Message": "tell-nobody is bad"}}, name)

            def fail(**_: Any) -> Any:
                raise raise_it

            return fail
        return lambda **_: {}


def moved(secrets: Secrets, client: Any, deleted: list[str]) -> Any:
    ours, problems = variables_to_move({"a": "tell-nobody"}, secrets.prefix)
    assert problems == []
    return move(
        ours,
        SecretStore(lambda: client),
        "production",
        delete=lambda one: deleted.append(one.key),
        overwrite=False,
        dry_run=False,
    )


def test_what_was_not_written_is_not_deleted(secrets: Secrets) -> None:
    deleted: list[str] = []
    report = moved(secrets, Scripted(secrets.client, "create_secret"), deleted)
    assert report.changes == (
        Change(f"{secrets.prefix}/a", "create"),
        Change("variable a", "delete", "from the environment"),
    )
    assert {type(error) for error in report.errors.values()} == {SecretDiffersError}
    assert (len(report.errors), deleted) == (2, [])


@pytest.mark.parametrize(
    ("code", "kind"), [("AccessDeniedException", AccessDeniedError), ("LimitExceededException", ServiceError)]
)
def test_what_aws_says_holds_no_value(secrets: Secrets, code: str, kind: type[Exception]) -> None:
    deleted: list[str] = []
    report = moved(secrets, Scripted(secrets.client, "create_secret", code), deleted)
    error = report.errors[f"{secrets.prefix}/a"]
    assert (type(error), error.action) == (kind, "secretsmanager:CreateSecret")
    assert "tell-nobody" not in f"{error} {error.facts} {report!r}"
    assert deleted == []


def test_a_moved_one_shows_no_value() -> None:
    ours, _ = connections_to_move({"a": "http://u:tell-nobody@h"}, "p")
    assert "tell-nobody" not in repr(ours)
