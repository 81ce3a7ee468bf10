"""Commands through the CLI endpoint, against the scripted back end and a real Airflow."""

from __future__ import annotations

import json
import uuid

import pytest

from mwaa_provider.exceptions import CliCommandError
from tests.contract.environments import NAME, Contract

#: Everything a shell, JSON or a transport could trip over.
AWKWARD = "one\ntwo 'quoted' \"ü\" $HOME `x` \\ 雪 -x"


@pytest.fixture
def client(environment: Contract):
    environment.mwaa.journal.clear()
    return environment.client()


def test_a_command_gives_what_it_printed(client, environment: Contract) -> None:
    result = client.run_cli(NAME, "airflow version")
    assert (result.command, result.stdout.split(), result.has_failed) == (
        ("version",),
        [environment.airflow_version],
        False,
    )


def test_values_arrive_as_they_were_given(client) -> None:
    key = f"contract_{uuid.uuid4().hex}"
    client.run_cli(NAME, ["variables", "set", "--", key, AWKWARD])
    assert client.get_variable(NAME, key).value == AWKWARD
    run_id = f"contract-{uuid.uuid4().hex}"
    conf = json.dumps({"awkward": AWKWARD})
    client.run_cli(NAME, ["dags", "trigger", f"--conf={conf}", f"--run-id={run_id}", "--", "contract_paused"])
    assert client.get_dag_run(NAME, "contract_paused", run_id).conf == {"awkward": AWKWARD}


def test_a_command_that_fails_is_an_error_with_its_words(client) -> None:
    with pytest.raises(CliCommandError, match="no_such_dag") as caught:
        client.run_cli(NAME, ["dags", "trigger", "no_such_dag"])
    assert (caught.value.command, caught.value.environment_name) == (("dags", "trigger"), NAME)


def test_json_is_read_behind_what_is_printed_before_it(client) -> None:
    rows = client.run_cli(NAME, ["dags", "list", "-o", "json"]).json
    assert {"contract_quick", "contract_paused"} <= {row["dag_id"] for row in rows}
