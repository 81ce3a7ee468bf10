"""``mwaa plugins``, ``mwaa requirements`` and ``mwaa startup`` as commands: what they print, and how they end."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from mwaa_provider.packaging.releases import release_of
from tests.packaging.checks.files import PLUGIN, write_zip
from tests.support.command import Ended, run_mwaa

HEAD = f'--constraint "{release_of("3.2.1").constraint_url}"\n'


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def mwaa(*arguments: str) -> Ended:
    return run_mwaa(arguments, {"AWS_REGION": None, "AWS_DEFAULT_REGION": None})


def requirements(text: str, *options: str) -> Ended:
    Path("requirements.txt").write_text(text)
    return mwaa("requirements", "check", "requirements.txt", "--airflow", "3.2.1", *options)


@pytest.mark.parametrize(
    ("text", "options", "status", "summary"),
    [
        (f"{HEAD}alpha==1.0\n", [], 0, "0 errors, 0 warnings, 1 note."),
        ("alpha==1.0\n", [], 0, "0 errors, 1 warning, 1 note."),
        ("alpha==1.0\n", ["--strict"], 6, "0 errors, 1 warning, 1 note."),
        (f"{HEAD}watchtower\n", [], 5, "1 error, 0 warnings, 1 note."),
        (f"{HEAD}watchtower\nalpha\n", ["--strict"], 5, "1 error, 1 warning, 1 note."),
        (
            f"{HEAD}watchtower\n",
            ["--ignore", "mwaa-overrides", "--ignore", "constraint-not-compared"],
            0,
            "0 errors, 0 warnings, 0 notes.",
        ),
    ],
)
def test_the_status_tells_the_worst(text: str, options: list[str], status: int, summary: str) -> None:
    ended = requirements(text, *options)
    assert (ended.status, ended.stderr) == (status, f"{summary}\n")


def test_a_finding_is_a_line() -> None:
    assert requirements(f"{HEAD}watchtower==3.0.0\n", "--ignore", "constraint-not-compared").stdout == (
        "requirements.txt:2: error: MWAA installs watchtower==2.0.1 over everything, so that logs reach CloudWatch; "
        "watchtower==3.0.0 does not last. Take the line out. [mwaa-overrides]\n"
    )


def test_findings_as_json() -> None:
    ended = requirements("alpha==1.0\n", "--json")
    said = json.loads(ended.stdout)
    assert [(one["id"], one["severity"], one["line"]) for one in said["findings"]] == [
        ("constraint-missing", "warning", None),
        ("constraint-not-compared", "note", None),
    ]
    assert {key: value for key, value in said.items() if key != "findings"} == {"errors": 0, "warnings": 1, "notes": 1}


def test_a_constraint_file_to_compare_with() -> None:
    Path("constraints.txt").write_text("alpha==2.0\n")
    ended = requirements(f"{HEAD}alpha==1.0\n", "--constraint", "constraints.txt", "--json")
    assert [one["id"] for one in json.loads(ended.stdout)["findings"]] == ["constraint-conflict"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["requirements", "check", "missing.txt", "--airflow", "3.2.1"], "File 'missing.txt' does not exist"),
        (["requirements", "check", "good.txt"], "Missing option '--airflow'"),
        (["requirements", "check", "good.txt", "--airflow", "9.9.9"], "give its Python with it (--python)"),
        (["requirements", "check", "good.txt", "--airflow", "3.2.1", "--python", "3"], "--python: '3' is no version"),
        (
            ["requirements", "check", "good.txt", "--airflow", "3.2.1", "--ignore", "nothing"],
            "there is no kind of finding 'nothing'",
        ),
        (
            ["requirements", "check", "good.txt", "--airflow", "3.2.1", "--wheels", "good.txt"],
            "--wheels goes with --private",
        ),
        (
            ["requirements", "check", "good.txt", "--airflow", "3.2.1", "--constraint", "no.txt"],
            "--constraint: no.txt cannot be read",
        ),
        (["plugins", "build"], "nothing to build from"),
        (["plugins", "build", "--plugin", "nothing"], "--plugin: there is no plugin 'nothing'; there are "),
        (["plugins", "build", "--wheels", "good.txt"], "--wheels goes with --airflow"),
        (["plugins", "check", "missing.zip"], "File 'missing.zip' does not exist"),
        (["startup", "check", "good.txt", "--python", "3.12"], "--python goes with --airflow"),
        (
            ["--region", "eu-west-1", "plugins", "build"],
            "`mwaa plugins` takes none of these options; `mwaa plugins build --help` shows",
        ),
    ],
)
def test_wrong_usage(arguments: list[str], message: str) -> None:
    Path("good.txt").write_text("")
    ended = mwaa(*arguments)
    assert (ended.status, ended.stdout) == (2, "")
    assert message in ended.stderr


def test_build_and_check_plugins() -> None:
    Path("plugins").mkdir()
    Path("plugins/own.py").write_bytes(PLUGIN)
    ended = mwaa("plugins", "build", "plugins", "--plugin", "extra_links", "--with-package", "-o", "out/plugins.zip")
    assert ended.status == 0, ended.stderr
    assert ended.stdout == f"{hashlib.sha256(Path('out/plugins.zip').read_bytes()).hexdigest()}\n"
    with zipfile.ZipFile("out/plugins.zip") as archive:
        count = len(archive.namelist())
    assert ended.stderr.startswith(f"out/plugins.zip: {count} files, ")
    assert ended.error.endswith("Upload it and set its S3 object version on the environment.")
    check = ["plugins", "check", "out/plugins.zip", "--airflow", "3.2.1", "--airflow-python", "/no/such/python"]
    ended = mwaa(*check)
    assert (ended.status, ended.stderr) == (0, "0 errors, 0 warnings, 1 note.\n")
    assert ended.stdout.startswith(
        "plugins.zip: note: The plugins were not imported: Airflow 3.2.1 is not installed beside /no/such/python."
    )


def test_the_package_as_a_wheel() -> None:
    assert mwaa("plugins", "build", "--with-package=wheel").status == 0
    with zipfile.ZipFile("plugins.zip") as archive:
        assert [name.partition("-")[0] for name in archive.namelist()] == [".airflowignore", "airflow_provider_mwaa"]


def test_a_bad_plugins_zip() -> None:
    write_zip(Path("plugins.zip"), {"../own.py": PLUGIN})
    ended = mwaa("plugins", "check", "plugins.zip")
    assert (ended.status, ended.stderr) == (5, "1 error, 0 warnings, 0 notes.\n")


def test_a_startup_script() -> None:
    Path("startup.sh").write_text("#!/bin/bash\nexport AIRFLOW_HOME=/tmp\ncurl https://example.com\n")
    ended = mwaa("startup", "check", "startup.sh", "--airflow", "3.2.1", "--private", "--json")
    assert ended.status == 5
    found = [(one["id"], one["line"]) for one in json.loads(ended.stdout)["findings"]]
    assert ("reserved-variable", 2) in found
    assert ("download-on-private-web-server", 3) in found


@pytest.mark.parametrize("group", ["plugins", "requirements", "startup"])
def test_help_says_what_there_is(group: str) -> None:
    ended = mwaa(group, "--help")
    assert ended.status == 0
    assert "  check  " in ended.stdout
