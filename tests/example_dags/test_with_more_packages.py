"""Examples that need more than Airflow and this package run with it: SSH against a server on 127.0.0.1, dbt on DuckDB."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.example_dags.running import run_example
from tests.packaging.environments import make_environment, uv
from tests.support.dag_runs import DagOutcome, RunDag
from tests.support.processes import ROOT
from tests.support.providers import why_not

FURTHER = Path(__file__).parent / "further"


@dataclass(frozen=True)
class Key:
    """A pair of keys, in OpenSSH's forms."""

    private: str
    public: str

    @classmethod
    def new(cls) -> Key:
        pair = Ed25519PrivateKey.generate()
        private = pair.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
        return cls(private.decode(), pair.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode())


@dataclass(frozen=True)
class SshServer:
    """A server that runs, and what leads to it.

    :param packages: The folder with the SSH provider and paramiko, among others.
    :param port: Where it listens.
    :param host: Its key.
    :param user: The key of the user ``etl``.
    :param commands: The file with the commands that it was asked for.
    """

    packages: Path
    port: int
    host: Key
    user: Key
    commands: Path

    def path(self) -> str:
        return os.pathsep.join(map(str, (self.packages, ROOT, ROOT / "src")))

    def connection(self, host_key: str) -> str:
        extra = {"private_key": self.user.private, "host_key": host_key, "no_host_key_check": False}
        fields = {"conn_type": "ssh", "host": "127.0.0.1", "port": self.port, "login": "etl", "extra": extra}
        return json.dumps(fields)

    def asked(self) -> list[str]:
        return self.commands.read_text().splitlines()


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory, providers: Path | None) -> Iterator[SshServer]:
    if providers is None:
        pytest.skip(why_not())
    folder = tmp_path_factory.mktemp("ssh")
    commands, host_key = folder / "commands", folder / "host_key"
    host, user = Key.new(), Key.new()
    host_key.write_text(host.private)
    commands.write_text("")
    server = [
        sys.executable,
        str(ROOT / "tests/support/ssh_server.py"),
        str(host_key),
        user.public,
        "etl",
        str(commands),
    ]
    environment = {**os.environ, "PYTHONPATH": str(providers)}
    with subprocess.Popen(server, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            yield SshServer(providers, int(process.stdout.readline()), host, user, commands)
        finally:
            process.kill()


def run_ssh(run_dag: RunDag, ssh: SshServer, host_key: str) -> DagOutcome:
    return run_example(
        *(run_dag, "example_ssh"),
        connections={"ssh_new": ssh.connection(host_key)},
        environment={"PYTHONPATH": ssh.path()},
    )


@pytest.mark.patient
def test_ssh_runs_the_command_there(run_dag: RunDag, ssh: SshServer) -> None:
    outcome = run_ssh(run_dag, ssh, ssh.host.public)
    assert outcome.state == "success", outcome.log
    printed = base64.b64decode(outcome.xcoms["say_the_host"]["return_value"])
    assert printed == subprocess.run(["hostname"], capture_output=True, check=True).stdout
    assert ssh.asked() == ["hostname"]
    assert ssh.user.private.splitlines()[2] not in outcome.log


@pytest.mark.patient
def test_ssh_runs_nothing_on_a_machine_that_is_another(run_dag: RunDag, ssh: SshServer) -> None:
    before = ssh.asked()
    outcome = run_ssh(run_dag, ssh, Key.new().public)
    assert outcome.state == "failed", outcome.log
    assert ssh.asked() == before


@pytest.mark.slow
def test_dbt_builds_a_table_in_duckdb(run_dag: RunDag, tmp_path: Path) -> None:
    python = make_environment(tmp_path / "dbt_venv")
    uv("pip", "install", "--python", str(python), "-r", str(FURTHER / "dbt.txt"))
    project = tmp_path / "dbt"
    (project / "models").mkdir(parents=True)
    database = tmp_path / "shop.duckdb"
    (project / "dbt_project.yml").write_text("name: shop\nversion: '1.0'\nprofile: shop\nmodel-paths: [models]\n")
    (project / "profiles.yml").write_text(
        "shop:\n  target: prod\n  outputs:\n    prod:\n      type: duckdb\n      path: \"{{ env_var('SHOP') }}\"\n"
    )
    (project / "models/orders.sql").write_text("{{ config(materialized='table') }} select 42 as amount, 'ß' as text")
    params = {"project": str(project), "dbt": str(python.with_name("dbt")), "command": "build"}
    outcome = run_example(run_dag, "example_dbt", params, environment={"SHOP": str(database)}, timeout=300)
    assert outcome.state == "success", outcome.log
    read = f"import duckdb; print(duckdb.connect({str(database)!r}).sql('select * from orders').fetchall())"
    told = subprocess.run([str(python), "-c", read], capture_output=True, text=True, check=True).stdout
    assert told == "[(42, 'ß')]\n"
    (project / "models/orders.sql").write_text("select no_such_column")
    assert (
        run_example(run_dag, "example_dbt", params, environment={"SHOP": str(database)}, timeout=300).state == "failed"
    )
