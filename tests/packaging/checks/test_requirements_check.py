"""Each kind of finding about a requirements.txt with a file that has it and one that has not; the guide's own examples."""

from __future__ import annotations

from typing import Any

import pytest

from mwaa_provider.packaging.constraints import Constraints
from mwaa_provider.packaging.findings import Finding
from mwaa_provider.packaging.releases import PLUGINS_FOLDER, release_of
from mwaa_provider.packaging.requirements_check import Target, check_requirements
from mwaa_provider.packaging.rules import REQUIREMENTS_RULES, Severity
from mwaa_provider.packaging.wheel_set import WheelSet, read_wheel
from tests.packaging.checks.files import wheel

RELEASE = release_of("3.2.1")
HEAD = f'--constraint "{RELEASE.constraint_url}"\n'
PRIVATE = f"--find-links {PLUGINS_FOLDER}\n--no-index\n"
HELD = Constraints("file", {"boto3": "1.42.84", "apache-airflow-providers-amazon": "9.25.0", "snowflake": "2.0"})
WHEELS = WheelSet((read_wheel(*wheel("alpha", "1.0", "beta>=2")), read_wheel(*wheel("gamma", "1.0"))))
RAW = "https://raw.githubusercontent.com/apache/airflow"

# Kind: what differs from the plain target, a file that has it, one that has not.
CASES: dict[str, tuple[dict[str, Any], str, str]] = {
    "bad-line": ({}, f"{HEAD}alpha 1.0\n", f"{HEAD}alpha==1.0 ; python_version < '4' # note\n"),
    "constraint-missing": ({}, "alpha==1.0\n", f"{HEAD}alpha==1.0\n"),
    "constraint-other-release": (
        {},
        f"-c {RAW}/constraints-3.0.6/constraints-3.12.txt\nalpha==1.0\n",
        f"-c {RAW}/constraints-3.2.1/constraints-3.12.txt\nalpha==1.0\n",
    ),
    "constraint-other-python": (
        {},
        f"-c {RAW}/constraints-3.2.1/constraints-3.11.txt\nalpha==1.0\n",
        "-c /usr/local/airflow/dags/constraints-3.12-updated.txt\nalpha==1.0\n",
    ),
    "constraint-not-a-file": (
        {},
        "-c https://github.com/apache/airflow/blob/constraints-3.2.1/constraints-3.12.txt\nalpha==1.0\n",
        f"{HEAD}alpha==1.0\n",
    ),
    "constraint-conflict": ({"constraints": HELD}, f"{HEAD}boto3>=1.43\n", f"{HEAD}boto3>=1.42\n"),
    "constraint-not-compared": ({}, f"{HEAD}alpha==1.0\n", HEAD),
    "requirements-conflict": ({}, f"{HEAD}alpha==1.0\nAlpha<1\n", f"{HEAD}alpha==1.0\nAlpha<2\n"),
    "duplicate-requirement": ({}, f"{HEAD}alpha==1.0\nalpha\n", f"{HEAD}alpha==1.0\nalpha[extra]\n"),
    "mwaa-overrides": ({}, f"{HEAD}watchtower==3.4.0\n", f"{HEAD}watch-tower==3.4.0\n"),
    "airflow-other-release": ({}, f"{HEAD}apache-airflow[ssh]==2.5.1\n", f"{HEAD}apache-airflow[ssh]==3.2.1\n"),
    "backport-provider": (
        {},
        f"{HEAD}apache-airflow-backport-providers-ssh==1.0\n",
        f"{HEAD}apache-airflow-providers-ssh==4.0\n",
    ),
    "provider-not-mwaas": (
        {},
        f"{HEAD}apache-airflow-providers-amazon==9.0.0\napache-airflow-providers-celery==3.19.0\n",
        f"{HEAD}apache-airflow-providers-amazon==9.26.0\napache-airflow-providers-celery==3.18.0\n",
    ),
    "unpinned": ({"constraints": HELD}, f"{HEAD}alpha>=1.0\n", f"{HEAD}boto3\nsnowflake\nalpha<=2\nbeta~=1.1\n"),
    "credentials-in-url": (
        {},
        f"{HEAD}--index-url https://bob:hunter2@example.com/simple\nalpha==1.0\n",
        f"{HEAD}--index-url https://${{AIRFLOW__FOO__USER}}:${{AIRFLOW__FOO__PASS}}@example.com/simple\nalpha==1.0\n",
    ),
    "private-key": ({}, "# -----BEGIN RSA PRIVATE KEY-----\n", "# a private key\n"),
    "aws-key": ({}, "# AKIAABCDEFGHIJKLMNOP\n", "# AKIAIOSFODNN7EXAMPLE\n"),
    "insecure-index": ({}, f"{HEAD}-i http://example.com/simple\n", f"{HEAD}-i https://example.com/simple\n"),
    "not-in-container": ({}, f"{HEAD}-r other.txt\n./alpha\n", f"{HEAD}{PLUGINS_FOLDER}/alpha-1.0-py3-none-any.whl\n"),
    "wheel-for-other-target": (
        {},
        f"{HEAD}{PLUGINS_FOLDER}/numpy-1.20.1-cp37-cp37m-manylinux1_x86_64.whl\n",
        f"{HEAD}{PLUGINS_FOLDER}/numpy-2.2.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl\n",
    ),
    "needs-internet": ({"private": True}, f"{HEAD}alpha==1.0\n", f"{PRIVATE}alpha==1.0\n"),
    "wheel-missing": (
        {"private": True, "wheels": WHEELS},
        f"{PRIVATE}gamma==2.0\n",
        f"{PRIVATE}gamma==1.0\ndelta==1.0; sys_platform == 'win32'\n",
    ),
    "wheel-dependency-missing": ({"private": True, "wheels": WHEELS}, f"{PRIVATE}alpha\n", f"{PRIVATE}gamma\n"),
    "wheels-not-compared": ({"private": True}, f"{PRIVATE}alpha==1.0\n", f"{PRIVATE}\n"),
}


def found(text: str | bytes, airflow: str = "3.2.1", **further: Any) -> list[Finding]:
    return check_requirements(text, Target(release_of(airflow), **further))


def test_each_kind_has_a_bad_and_a_good_file() -> None:
    assert set(CASES) == set(REQUIREMENTS_RULES)


@pytest.mark.parametrize("kind", CASES)
def test_a_bad_and_a_good_file(kind: str) -> None:
    further, bad, good = CASES[kind]
    assert kind in {finding.id for finding in found(bad, **further)}
    assert kind not in {finding.id for finding in found(good, **further)}


def test_a_right_file_has_nothing() -> None:
    text = f"# ours\n{HEAD}\napache-airflow[snowflake]==3.2.1  # with\nboto3\nalpha == 1.0 --hash=sha256:00\n"
    assert found(text, constraints=HELD) == []


def test_what_a_finding_says() -> None:
    (finding,) = found(f"{HEAD}\n\nboto3==1.17.54\n", constraints=HELD)
    assert finding == Finding(
        "constraint-conflict",
        "boto3==1.17.54 does not admit boto3 1.42.84, which the constraint file holds, so pip installs nothing at all.",
        "Write boto3==1.42.84, or change the line in a copy of the constraint file, put that into the DAG folder, and name it: "
        '--constraint "/usr/local/airflow/dags/constraints-3.12-updated.txt".',
        "requirements.txt",
        4,
    )
    assert str(finding).startswith("requirements.txt:4: error: boto3==1.17.54 does not admit")
    assert finding.as_dict() == {
        "severity": "error",
        "id": "constraint-conflict",
        "message": finding.message,
        "cure": finding.cure,
        "file": "requirements.txt",
        "line": 4,
    }


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://bob:hunter2@example.com/simple",
        "--extra-index-url=https://hunter2@example.com/simple",
        "alpha @ https://bob:hunter2@example.com/alpha-1.0-py3-none-any.whl",
        "git+https://hunter2@example.com/alpha.git#egg=alpha",
        "--no-such-option https://bob:hunter2@example.com",
        "-f https://${USER}:hunter2@example.com/",
        'alpha https://bob:hunter2@example.com"',
        "-r https://bob:hunter2@example.com/more.txt",
        "-c https://bob:hunter2@example.com/constraints-3.0.6/constraints-3.9.txt",
    ],
)
@pytest.mark.parametrize("private", [False, True])
def test_a_password_is_found_and_never_repeated(line: str, private: bool) -> None:
    findings = found(f"{HEAD}{line}\nalpha==1.0\n", private=private)
    assert "credentials-in-url" in {finding.id for finding in findings}
    assert [str(finding) for finding in findings if "hunter2" in repr(finding)] == []


def test_a_constraint_file_may_be_moved_on_by_hand() -> None:
    """The guide's way to a newer provider: an edited copy in the DAG folder."""
    text = (
        '--constraint "/usr/local/airflow/dags/constraints-3.12-updated.txt"\napache-airflow-providers-amazon==9.30.0\n'
    )
    edited = Constraints("edited", {"apache-airflow-providers-amazon": "9.30.0"})
    assert found(text, constraints=edited) == []


def test_another_providers_than_the_constraints() -> None:
    """MWAA's 3.0.6 is older than the constraint file of 3.0.6: what agrees with the file still replaces what MWAA was tested with."""
    held = Constraints("file", {"apache-airflow-providers-fab": "2.4.1"})
    text = f'-c "{release_of("3.0.6").constraint_url}"\napache-airflow-providers-fab\napache-airflow-providers-fab==2.4.1\n'
    kinds = [(finding.id, finding.line) for finding in found(text, "3.0.6", constraints=held)]
    assert kinds == [("duplicate-requirement", 3), ("provider-not-mwaas", 3)]


GUIDE = {
    "S18 Oracle": (
        f'--constraint "{RAW}/constraints-2.0.2/constraints-3.7.txt"\ncx_Oracle\napache-airflow-providers-oracle\n',
        [("constraint-other-python", 1), ("constraint-other-release", 1), ("unpinned", 2), ("unpinned", 3)],
    ),
    "S22 virtualenv": (
        "virtualenv\nboto3>=1.17.43\n",
        [("constraint-missing", None), ("unpinned", 1), ("unpinned", 2)],
    ),
    "S21 Hive": (
        f'-c "{RAW}/constraints-2.0.2/constraints-3.7.txt"\napache-airflow-providers-amazon[apache.hive]\n',
        [("constraint-other-python", 1), ("constraint-other-release", 1), ("unpinned", 2)],
    ),
    "pins that are illustrations": (
        f"{HEAD}boto3==1.17.54\npsycopg2-binary==2.8.6\napache-airflow[ssh]==2.5.1\n",
        [("airflow-other-release", 4)],
    ),
    "1.2 the constraint line": (HEAD, []),
    "9.3 wheels in plugins.zip": (f"{PRIVATE}numpy==2.2.0\n", []),
    "9.3 private index": (
        f"{HEAD}--index-url https://${{AIRFLOW__FOO__USER}}:${{AIRFLOW__FOO__PASS}}@my.privatepypi.com\nprivate-package==1.2.3\n",
        [],
    ),
}


@pytest.mark.parametrize("name", GUIDE)
def test_the_guides_examples(name: str) -> None:
    text, expected = GUIDE[name]
    findings = found(text)
    assert [(one.id, one.line) for one in findings if one.severity is not Severity.NOTE] == expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_editors_of_windows(encoding: str) -> None:
    assert [
        one.id for one in found(f"{HEAD}alpha==1.0\r\n".replace("\n", "\r\n").encode(encoding), constraints=HELD)
    ] == []


def test_private_finds_every_way_out() -> None:
    text = f"{HEAD}--find-links /usr/local/airflow/dags\nalpha @ https://example.com/alpha-1.0-py3-none-any.whl\n"
    findings = [one for one in found(text, private=True) if one.id == "needs-internet"]
    assert [one.line for one in findings] == [None, 1, 2, 3]


def test_kinds_can_be_left_out() -> None:
    target = Target(RELEASE)
    assert (
        check_requirements("alpha\n", target, ignored=["unpinned", "constraint-missing", "constraint-not-compared"])
        == []
    )
