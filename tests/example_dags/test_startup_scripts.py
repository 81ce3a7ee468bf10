"""The startup scripts of examples/ have no findings, and do what they say, with stand-ins for what they call."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from mwaa_provider.packaging.startup_check import check_startup
from tests.support.processes import ROOT

SCRIPTS = sorted((ROOT / "examples").glob("startup_*.sh"))


def run(script: str, stand_ins: Path, then: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script as MWAA does, in a shell whose variables live on, and then a command."""
    return subprocess.run(
        ["bash", "-c", f'source "{ROOT}/examples/{script}"; {then}'],
        env={"PATH": f"{stand_ins}{os.pathsep}{os.environ['PATH']}", **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )


def stand_in(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/bash\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
@pytest.mark.parametrize("private", [False, True])
def test_nothing_is_found_in_them_but_what_they_say_themselves(script: Path, private: bool) -> None:
    found = check_startup(script.read_bytes(), private=private, ignored=("shellcheck-not-run",))
    told = []
    if script.stem == "startup_codeartifact":
        told = ["expires", *(["download-on-private-web-server"] if private else [])]
    assert sorted(one.id for one in found) == sorted(told)


def test_codeartifact_gives_pip_an_index_and_prints_no_token(tmp_path: Path) -> None:
    stand_in(tmp_path, "aws", 'echo "$*" >> "$CALLS"; echo t0ken')
    calls = tmp_path / "calls"
    ended = run(
        "startup_codeartifact.sh", tmp_path, 'test -z "$CODEARTIFACT_TOKEN" && env | grep PIP_', CALLS=str(calls)
    )
    host = "my-domain-123456789012.d.codeartifact.eu-west-1.amazonaws.com"
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == f"PIP_INDEX_URL=https://aws:t0ken@{host}/pypi/my-repository/simple/\n"
    assert calls.read_text() == (
        "codeartifact get-authorization-token --domain my-domain --domain-owner 123456789012 --region eu-west-1 "
        "--query authorizationToken --output text\n"
    )


def test_codeartifact_without_a_token_leaves_pip_alone(tmp_path: Path) -> None:
    stand_in(tmp_path, "aws", "exit 254")
    ended = run("startup_codeartifact.sh", tmp_path, "env | grep -c PIP_ || true")
    assert (ended.returncode, ended.stdout) == (0, "0\n")
    assert ended.stderr == "no token of CodeArtifact; pip keeps its index\n"


@pytest.mark.parametrize(("component", "makes"), [("worker", True), ("webserver", False), ("scheduler", False)])
def test_dbt_is_installed_on_workers_alone(tmp_path: Path, component: str, makes: bool) -> None:
    venv = tmp_path / "venv"
    stand_in(
        tmp_path,
        "python3",
        'mkdir -p "$3/bin"; printf "#!/bin/bash\\necho \\"\\$*\\" > $3/asked" > "$3/bin/pip"; chmod +x "$3/bin/pip"',
    )
    ended = run("startup_dbt.sh", tmp_path, "true", MWAA_AIRFLOW_COMPONENT=component, DBT_VENV=str(venv))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert venv.exists() is makes
    if makes:
        assert (venv / "asked").read_text() == "install --quiet dbt-core==1.8.9 dbt-redshift==1.8.1\n"


def test_dbt_that_cannot_be_installed_does_not_keep_the_container_from_starting(tmp_path: Path) -> None:
    stand_in(tmp_path, "python3", "exit 1")
    ended = run("startup_dbt.sh", tmp_path, "true", MWAA_AIRFLOW_COMPONENT="worker", DBT_VENV=str(tmp_path / "venv"))
    assert (ended.returncode, ended.stderr) == (0, "dbt could not be installed\n")
