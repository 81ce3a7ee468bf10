"""``mwaa variables import``, ``mwaa pools import`` and ``mwaa connections import``."""

from __future__ import annotations

import json
from pathlib import Path

from mwaa_provider.local import Fault, LocalMwaa, ScriptedAirflow
from tests.cli.conftest import RunMwaa
from tests.support.s3 import BUCKET, started_s3
from tests.support.secrets_manager import started_secrets_manager


def written(tmp_path: Path, content: object, name: str = "file.json") -> str:
    (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
    return str(tmp_path / name)


def test_first_dry_then_done(run: RunMwaa, airflow: ScriptedAirflow, tmp_path: Path) -> None:
    airflow.set_variable("differs", "before")
    airflow.set_variable("same", "1")
    airflow.set_variable("team_old", "x")
    file = written(tmp_path, {"differs": "after", "same": 1, "new": {"a": "after"}})
    planned = run("variables", "import", "production", file, "--prune", "team_", "--dry-run")
    table = "{}   NAME      CHANGE\nupdate  differs   *** -> ***\ncreate  new       -> ***\ndelete  team_old\n"  #
    assert (planned.status, planned.stdout) == (0, table.format("WOULD"))
    assert planned.stderr == "3 differ, 1 is as wanted.\n"
    assert airflow.variables() == {"differs": "before", "same": "1", "team_old": "x"}
    done = run("variables", "import", "production", file, "--prune", "team_")
    assert (done.status, done.stdout) == (0, table.format("DONE "))
    assert airflow.variables() == {"differs": "after", "same": "1", "new": '{"a": "after"}'}
    again = run("variables", "import", "production", file, "--prune", "team_")
    assert (again.status, again.stdout, again.stderr) == (0, "", "0 differ, 3 are as wanted.\n")


def test_one_that_fails(run: RunMwaa, airflow: ScriptedAirflow, local_mwaa: LocalMwaa, tmp_path: Path) -> None:
    local_mwaa.faults.add(Fault.answer(400, {"detail": "'tell-nobody' is bad"}, operation="rest", method="POST"))
    file = written(tmp_path, {"a": "tell-nobody", "b": "2"})
    ended = run("variables", "import", "production", file)
    assert (ended.status, airflow.variables()) == (3, {"b": "2"})
    assert ended.stdout == "DONE    NAME  CHANGE\nfailed  a     -> ***\ncreate  b     -> ***\n"
    assert ended.error.startswith(
        "Error: a: POST /variables on environment 'production' was refused: HTTP 400: '***' is"
    )
    assert run("variables", "import", "production", file).status == 0
    assert airflow.variables() == {"a": "tell-nobody", "b": "2"}


def test_for_programs(run: RunMwaa, airflow: ScriptedAirflow, local_mwaa: LocalMwaa, tmp_path: Path) -> None:
    local_mwaa.faults.add(Fault.answer(400, {"detail": "no"}, operation="rest", method="POST"))
    ended = run("variables", "import", "production", written(tmp_path, {"a": "1", "b": "2"}), "--json")
    told = json.loads(ended.stdout)
    assert told.pop("errors")["a"]["kind"] == "RestApiError"
    assert told == {
        "environment_name": "production",
        "dry_run": False,
        "changes": [
            {"name": "a", "action": "create", "outcome": "failed"},
            {"name": "b", "action": "create", "outcome": "done"},
        ],
    }


def test_a_file_in_s3(run: RunMwaa, airflow: ScriptedAirflow) -> None:
    with started_s3() as s3:
        s3.client.put_object(Bucket=BUCKET, Key="variables.yaml", Body=b"lines: |\n  one\n  two\n")
        ended = run(
            "variables", "import", "production", f"s3://{BUCKET}/variables.yaml", AWS_ENDPOINT_URL_S3=s3.endpoint_url
        )
    assert (ended.status, airflow.variables()) == (0, {"lines": "one\ntwo\n"})


def test_wrong_usage(run: RunMwaa, airflow: ScriptedAirflow, local_mwaa: LocalMwaa, tmp_path: Path) -> None:
    ended = run("variables", "import", "production", str(tmp_path / "none.json"))
    assert (ended.status, ended.error) == (
        2,
        f"Error: Invalid input: FILE: {tmp_path}/none.json cannot be read: No such file or directory",
    )
    ended = run("variables", "import", "production", written(tmp_path, {}), "--prune", "")
    assert ended.error == "Error: Invalid input: --prune: '' is no beginning of a key; give one, or leave it out"
    assert local_mwaa.journal.count() == 0


def test_pools(run: RunMwaa, airflow: ScriptedAirflow, tmp_path: Path) -> None:
    file = written(tmp_path, {"etl": {"slots": 4}, "default_pool": {"slots": 64}})
    ended = run("pools", "import", "production", file)
    assert (ended.status, ended.stderr) == (0, "2 differ, 0 are as wanted.\n")
    assert (
        ended.stdout
        == "DONE    NAME          CHANGE\ncreate  etl           slots 4\nupdate  default_pool  slots 128 -> 64\n"
    )
    assert airflow.pools() == {"etl": 4, "default_pool": 64}
    assert run("pools", "import", "production", file).stderr == "0 differ, 2 are as wanted.\n"


def test_connections(run: RunMwaa, airflow: ScriptedAirflow, tmp_path: Path) -> None:
    with started_secrets_manager() as secrets:
        name = secrets.put("sales", '{"password": "tell-nobody"}')
        wanted = {"conn_type": "postgres", "host": "db", "password": f"secretsmanager://{name}#password"}
        lost = {"conn_type": "http", "password": "secretsmanager://none"}
        file = written(tmp_path, {"sales": wanted, "lost": lost})
        address = {"AWS_ENDPOINT_URL_SECRETS_MANAGER": secrets.endpoint_url}
        planned = run("connections", "import", "production", file, "--dry-run")
        done = run("connections", "import", "production", file, **address)
        again = run("connections", "import", "production", written(tmp_path, {"sales": wanted}), **address)
    assert (planned.status, planned.stdout) == (
        0,
        "WOULD   NAME   CHANGE\ncreate  sales  postgres\ncreate  lost   http\n",
    )
    assert (done.status, done.stdout) == (1, "DONE    NAME   CHANGE\ncreate  sales  postgres\nfailed  lost   http\n")
    assert done.error == "Error: lost: secretsmanager://none: there is no such secret in this account and region"
    assert airflow.connections() == {"sales": {"conn_type": "postgres", "host": "db", "password": "tell-nobody"}}
    assert (again.status, again.stdout) == (
        0,
        "DONE       NAME   CHANGE\noverwrite  sales  password (not shown by Airflow)\n",
    )


def test_a_password_in_the_file(run: RunMwaa, airflow: ScriptedAirflow, local_mwaa: LocalMwaa, tmp_path: Path) -> None:
    ended = run(
        *("connections", "import", "production"),
        written(tmp_path, {"a": {"conn_type": "http", "password": "tell-nobody"}}),
    )
    assert ended.status == 2
    assert "'a': password: it stands in the file in clear" in ended.error
    assert "tell-nobody" not in ended.stdout + ended.stderr
    assert local_mwaa.journal.count() == 0
