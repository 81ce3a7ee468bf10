"""Each kind of finding about a startup script with a script that has it and one that has not; the guide's own examples."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwaa_provider.packaging.findings import Finding
from mwaa_provider.packaging.releases import release_of
from mwaa_provider.packaging.rules import STARTUP_RULES, Severity
from mwaa_provider.packaging.shell import commands_of
from mwaa_provider.packaging.startup_check import check_startup

BASH = "#!/bin/bash\n"
EXCEPT_WEB_SERVER = 'if [[ "${MWAA_AIRFLOW_COMPONENT}" != "webserver" ]]; then\n  %s\nfi\n'

CASES = {
    "reserved-variable": ("export AIRFLOW_HOME=/tmp\n", "export ENVIRONMENT_STAGE=development\n"),
    "download-on-private-web-server": ("curl https://example.com\n", EXCEPT_WEB_SERVER % "curl https://example.com"),
    "python-updated": ("sudo yum update -y\n", "sudo yum update -y --exclude=python*\n"),
    "script-syntax": ("if true; then\n", "if true; then :; fi\n"),
    "windows-line-ends": ("export A=1\r\n", "export A=1\n"),
    "private-key": ("cat > k <<E\n-----BEGIN PRIVATE KEY-----\nE\n", "cat > k <<E\n-----BEGIN CERTIFICATE-----\nE\n"),
    "aws-key": ("export AWS_SECRET_ACCESS_KEY=" + "a/B" * 13 + "c\n", 'export AWS_SECRET_ACCESS_KEY="$SECRET"\n'),
    "credentials-in-url": (
        "export PIP_EXTRA_INDEX_URL=https://me:hunter2@example.com/simple\n",
        'export PIP_EXTRA_INDEX_URL="https://aws:$TOKEN@example.com/simple"\n',
    ),
    "asks-a-person": ("sudo yum install libaio\n", "sudo yum -y install libaio\n"),
    "pip-unconstrained": (
        "pip3 install dbt-core==1.6.1\n",
        "/usr/local/airflow/venv/bin/pip3 install dbt-core==1.6.1\n",
    ),
    "stops-at-failure": ("set -eu\n", "set -u\n"),
    "expires": ("TOKEN=$(aws codeartifact get-authorization-token)\n", "TOKEN=$(cat token)\n"),
    "bash-under-sh": ("#!/bin/sh\n[[ a == b ]]\n", "#!/bin/bash\n[[ a == b ]]\n"),
}
OF_SHELLCHECK = {"shellcheck-error", "shellcheck-warning", "shellcheck-note", "shellcheck-not-run"}


def found(script: str, airflow: str | None = "3.2.1", *, private: bool = True) -> list[Finding]:
    return check_startup(script.encode(), release_of(airflow) if airflow else None, private=private, shellcheck=False)


def test_each_kind_has_a_bad_and_a_good_script() -> None:
    assert set(CASES) | OF_SHELLCHECK == set(STARTUP_RULES)


@pytest.mark.parametrize("kind", CASES)
def test_a_bad_and_a_good_script(kind: str) -> None:
    bad, good = (text if text.startswith("#!") else BASH + text for text in CASES[kind])
    assert kind in {finding.id for finding in found(bad)}
    assert kind not in {finding.id for finding in found(good)}


@pytest.mark.parametrize(
    ("line", "airflow", "reserved"),
    [
        ("export PYTHONPATH=/x", "2.8.1", []),
        ("export PYTHONPATH=/x", "2.9.2", ["PYTHONPATH"]),
        ("export PYTHONPATH=/x", "3.3.1", ["PYTHONPATH"]),
        ("export PYTHONPATH=/x", None, ["PYTHONPATH"]),
        ("export PATH=$PATH:/x LD_LIBRARY_PATH=/y CLASSPATH=/z", "3.2.1", []),
        ("AWS_REGION=x", "3.2.1", ["AWS_REGION"]),
        ("AWS_REGION=x aws s3 ls", "3.2.1", []),
        ("declare -x AIRFLOW__CORE__PARALLELISM=3", "3.2.1", ["AIRFLOW__CORE__PARALLELISM"]),
        ("A=1 B=2 AIRFLOW_HOME=/x", "3.2.1", ["AIRFLOW_HOME"]),
        ("# export AIRFLOW_HOME=/x", "3.2.1", []),
        ("echo 'export AIRFLOW_HOME=/x'", "3.2.1", []),
        ("if true; then export SQL_ALCHEMY_CONN=x; fi", "3.2.1", ["SQL_ALCHEMY_CONN"]),
    ],
)
def test_reserved_variables(line: str, airflow: str | None, reserved: list[str]) -> None:
    findings = [one for one in found(f"{BASH}{line}\n", airflow) if one.id == "reserved-variable"]
    assert [one.message.split()[2].rstrip(",") for one in findings] == reserved


def test_what_to_do_instead() -> None:
    (finding,) = found(f"{BASH}export AIRFLOW__CELERY__WORKER_AUTOSCALE=5,5\n")
    assert finding == Finding(
        "reserved-variable",
        "It sets AIRFLOW__CELERY__WORKER_AUTOSCALE, which MWAA sets itself: your value is lost, or does harm.",
        "Set celery.worker_autoscale as a configuration option of the environment, as far as MWAA takes it.",
        "startup.sh",
        2,
    )


C = "$MWAA_AIRFLOW_COMPONENT"


@pytest.mark.parametrize(
    ("script", "runs"),
    [
        ("curl a", "a"),
        (f"if [[ {C} != webserver ]]; then curl a; else curl b; fi; curl c", "bc"),
        (f'if [ "{C}" = "webserver" ]\nthen\n curl a\nelse\n curl b\nfi', "a"),
        (f"if [[ {C} == worker || {C} == scheduler ]]; then curl a; fi", ""),
        (f"if [ {C} = worker ] || [ {C} = webserver ]; then curl a; fi", "a"),
        (f"if [[ {C} != webserver && -f x ]]; then curl a; elif [ -f y ]; then curl b; else curl c; fi", "bc"),
        (f"if ! [[ {C} == webserver ]]; then curl a; fi", ""),
        (f"if [[ ! {C} == webserver ]]; then curl a; fi", ""),
        (f"if test {C} = worker; then curl a; fi", ""),
        (f"if [[ {C} =~ ^(worker|scheduler)$ ]]; then curl a; fi", ""),
        (f"if [[ {C} == web* ]]; then curl a; fi", "a"),
        (f"[[ {C} == webserver ]] || curl a", ""),
        (f"[[ {C} != webserver ]] && curl a && curl b; curl c", "c"),
        (f"[[ {C} == webserver ]] && exit 0\ncurl a", ""),
        (f"if [[ {C} == webserver ]]; then exit 0; fi\ncurl a", ""),
        (f"if [[ {C} == webserver ]]; then if [ -f x ]; then exit 0; fi; fi\ncurl a", "a"),
        (f"if [[ {C} != webserver ]]; then :; else exit; fi\ncurl a", ""),
        ("[ -f x ] && exit 0\ncurl a", "a"),
        (f"case {C} in\n worker|scheduler) curl a ;;\n *) curl b ;;\nesac\ncurl c", "bc"),
        (f"case {C} in\n (web*) curl a;;\n (*) curl b\nesac", "a"),
        ("case $OTHER in x) curl a ;; y) curl b ;; esac", "ab"),
        (f"for i in 1 2; do if [[ {C} != webserver ]]; then curl a; fi; curl b; done", "b"),
        (f"while [[ {C} != webserver ]]; do curl a; done", "a"),  # a loop's condition is not looked at
        (f"x=$(curl a)\nif [[ {C} != webserver ]]; then y=$(curl b | jq .); fi", "a"),
        (f"if [[ {C} != webserver ]]; then\ncat <<EOF\nfi\nEOF\ncurl a\nfi\ncurl b", "b"),
        ("# curl a\necho 'curl b' \"curl c\"\n", ""),
        ("sudo -E /usr/bin/curl a", "a"),
        (f"if [[ {C} != webserver ]] # not there\nthen # now\n  curl \\\n a\nfi", ""),
        (f"if [[ $OTHER != webserver ]]; then curl a; fi; if [[ x{C}y == z ]]; then curl b; fi", "ab"),
    ],
)
def test_what_runs_on_the_web_server(script: str, runs: str) -> None:
    curls = [command for command in commands_of(script) if command.is_call("curl")]
    assert "".join(command.words[-1] for command in curls if command.on_web_server) == runs


def test_lines_are_those_of_the_file() -> None:
    script = 'echo a \\\n  b\n\ncat <<-"X"\n\tcurl\n\tX\nif true\nthen\n  curl c\nfi\nTOKEN=$(\n  curl d\n)\n'
    assert [(command.line, command.words[0]) for command in commands_of(script)] == [
        (1, "echo"),
        (4, "cat"),
        (7, "true"),
        (9, "curl"),
        (11, "TOKEN=$(\n  curl d\n)"),
        (12, "curl"),
    ]


@given(st.text(alphabet="if then else fi case esac ;|&()[]$\"'\\\n<E=#", max_size=120))
def test_nothing_makes_it_fail(script: str) -> None:
    commands_of(script)


GUIDE = {
    "S20 CodeArtifact": (
        "#!/bin/sh\nset -eu\nTOKEN=$(aws codeartifact get-authorization-token --domain d | jq -r '.authorizationToken')\n"
        'export PIP_EXTRA_INDEX_URL="https://aws:$TOKEN@d-1.d.codeartifact.eu-west-1.amazonaws.com/pypi/r/simple/"\n',
        [("stops-at-failure", 2), ("download-on-private-web-server", 3), ("expires", 3)],
    ),
    "S35 print the component": ('#!/bin/sh\necho "Printing component"\necho $MWAA_AIRFLOW_COMPONENT\n', []),
    "S35 update": ("#!/bin/sh\nsudo yum update -y --exclude=python*\n", [("download-on-private-web-server", 2)]),
    "S35 libaio": (
        '#!/bin/sh\nif [[ "${MWAA_AIRFLOW_COMPONENT}" != "webserver" ]]\nthen\n  sudo yum -y install libaio\nfi\n',
        [("bash-under-sh", 2)],
    ),
    "S35 stage": ("#!/bin/sh\nexport ENVIRONMENT_STAGE='development'\n", []),
    "S35 library path": ("#!/bin/sh\nexport LD_LIBRARY_PATH=/usr/local/airflow/plugins/your-custom-library\n", []),
    "S28 dbt": (
        '#!/bin/bash\nif [[ "${MWAA_AIRFLOW_COMPONENT}" != "worker" ]]\nthen\n  exit 0\nfi\n'
        "export DBT_VENV_PATH=/usr/local/airflow/dbt_venv\npython3 -m venv $DBT_VENV_PATH\n"
        "$DBT_VENV_PATH/bin/pip install dbt-redshift==1.6.1\n",
        [],
    ),
}


@pytest.mark.parametrize("name", GUIDE)
def test_the_guides_examples(name: str) -> None:
    script, expected = GUIDE[name]
    assert [(one.id, one.line) for one in found(script)] == expected


def test_not_private_may_download() -> None:
    assert found(f"{BASH}curl https://example.com\n", private=False) == []


def test_shellcheck_is_asked() -> None:
    findings = check_startup(b'#!/bin/bash\ncd "$1"\nfor f in $(ls); do echo $f; done\n[[ 2 -lt 1.5 ]]\n')
    assert {(one.id, one.line) for one in findings} >= {
        ("shellcheck-warning", 2),
        ("shellcheck-error", 4),
        ("shellcheck-note", 3),
    }
    assert {one.severity for one in findings} == set(Severity)
    (first,) = (one for one in findings if one.line == 2)
    assert first.message.startswith("SC2164: Use 'cd ... || exit'")
    assert first.cure == "See https://www.shellcheck.net/wiki/SC2164"


def test_without_shellcheck(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    assert [one.id for one in check_startup(BASH.encode())] == ["shellcheck-not-run"]


def test_findings_are_json() -> None:
    text = json.dumps([one.as_dict() for one in found(f"{BASH}curl https://example.com\n")])
    assert json.loads(text)[0]["id"] == "download-on-private-web-server"
