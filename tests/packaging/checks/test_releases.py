"""What is known of the releases agrees with what the project is tested with, and with the constraint files."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from packaging.tags import Tag

from mwaa_provider.exceptions import ConnectionFailedError, InvalidInputError
from mwaa_provider.packaging.constraints import ConstraintAddress, address_of, read_constraints, versions_in
from mwaa_provider.packaging.releases import RELEASES, release_of
from mwaa_provider.packaging.wheel_set import tags_of
from tests.support.processes import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

from _legs import LEGS


def test_they_are_the_legs() -> None:
    assert {airflow: release.python for airflow, release in RELEASES.items()} == {
        airflow: f"{leg.base_python[0]}.{leg.base_python[1]}" for airflow, leg in LEGS.items()
    }


@pytest.mark.parametrize("airflow", LEGS)
def test_mwaas_versions_are_those_that_the_legs_install(airflow: str) -> None:
    pinned = versions_in((ROOT / f"pins/airflow-{airflow}.txt").read_text(), release_of(airflow).markers)
    installed = {name: version for name, version in release_of(airflow).providers.items() if name in pinned}
    assert installed == {name: pinned[name] for name in installed}
    assert bool(installed) == (airflow not in ("2.11.2", "3.3.1"))


def test_a_release_to_come() -> None:
    with pytest.raises(
        InvalidInputError,
        match=r"airflow: 3\.4\.0 is none of the releases whose Python is known .* give its Python with it",
    ):
        release_of("3.4.0")
    assert release_of("3.4.0", "3.13").constraint_url.endswith("/constraints-3.4.0/constraints-3.13.txt")


@pytest.mark.parametrize(
    ("airflow", "python"), [("3", None), ("latest", None), ("3.2.1", "3.12.1"), ("3.2.1", "py312")]
)
def test_no_release(airflow: str, python: str | None) -> None:
    with pytest.raises(InvalidInputError):
        release_of(airflow, python)


def test_tags_are_those_of_linux_on_the_releases_python() -> None:
    tags = tags_of(release_of("3.2.1"))
    fit = [
        "cp312-cp312-manylinux_2_34_x86_64",
        "cp38-abi3-manylinux2014_x86_64",
        "py3-none-any",
        "cp312-none-manylinux_2_17_x86_64",
    ]
    not_fit = [
        "cp312-cp312-manylinux_2_35_x86_64",
        "cp311-cp311-manylinux2014_x86_64",
        "cp312-cp312-win_amd64",
        "py2-none-any",
    ]
    not_fit += [
        "cp312-cp312-musllinux_1_2_x86_64",
        "cp312-cp312-manylinux2014_aarch64",
        "cp312-cp312-macosx_11_0_arm64",
    ]
    assert [name for name in fit if Tag(*name.split("-")) not in tags] == []
    assert [name for name in not_fit if Tag(*name.split("-")) in tags] == []


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (
            "https://raw.githubusercontent.com/apache/airflow/constraints-3.2.1/constraints-3.12.txt",
            ("3.2.1", "3.12", False),
        ),
        (
            "https://raw.githubusercontent.com/apache/airflow/constraints-2.9.2/constraints-no-providers-3.11.txt",
            ("2.9.2", "3.11", False),
        ),
        ("https://github.com/apache/airflow/blob/constraints-3.2.1/constraints-3.12.txt", ("3.2.1", "3.12", True)),
        (
            "https://raw.githubusercontent.com/apache/airflow/constraints-main/constraints-3.12.txt",
            ("main", "3.12", False),
        ),
        ("/usr/local/airflow/dags/constraints-3.11-updated.txt", (None, "3.11", False)),
        ("/usr/local/airflow/dags/mine.txt", (None, None, False)),
    ],
)
def test_addresses_of_constraint_files(address: str, expected: tuple[str | None, str | None, bool]) -> None:
    assert address_of(address) == ConstraintAddress(*expected)


def test_a_constraint_file(tmp_path: Path) -> None:
    file = tmp_path / "constraints.txt"
    file.write_text(
        "# made\nRequests==2.32.3\nrpds-py==1 ; python_version < '3.12'\nrpds-py==2 ; python_version >= '3.12'\n"
    )
    assert read_constraints(str(file), release_of("3.2.1")).versions == {"requests": "2.32.3", "rpds-py": "2"}
    assert read_constraints(str(file), release_of("2.10.3")).versions == {"requests": "2.32.3", "rpds-py": "1"}


def test_no_constraint_file(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<html>\n")
    for source in (tmp_path / "page.html", tmp_path / "missing.txt"):
        with pytest.raises(InvalidInputError, match=r"constraint: "):
            read_constraints(str(source), release_of("3.2.1"))


def test_a_constraint_file_that_cannot_be_downloaded() -> None:
    with pytest.raises(ConnectionFailedError, match=r"could not be downloaded from 127\.0\.0\.1"):
        read_constraints("http://127.0.0.1:1/constraints-3.12.txt", release_of("3.2.1"))
