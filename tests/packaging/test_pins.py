"""The committed pins hold what the project asks for and what MWAA installs, and nothing about who made them."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mwaa_provider.local.real.interpreter import NEWEST_TESTED
from tests.support.providers import asked_for_by

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from _legs import DEFAULT_LEGS, LEGS  # noqa: E402

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
FILES = sorted((ROOT / "pins").glob("*.txt"))
LINE = re.compile(r"[a-z0-9][a-z0-9-]*==[A-Za-z0-9.+!]+( ; [^#@]+)?")


def _asked_for() -> list[Requirement]:
    project = PROJECT["project"]
    lines = [
        *project["dependencies"],
        *project["optional-dependencies"]["local"],
        *PROJECT["dependency-groups"]["test"],
    ]
    return [Requirement(line) for line in lines]


def _pinned(file: Path) -> dict[str, list[str]]:
    versions: dict[str, list[str]] = {}
    for line in file.read_text().splitlines():
        if not line.startswith("#"):
            name, _, rest = line.partition("==")
            versions.setdefault(canonicalize_name(name), []).append(rest.split(" ;")[0])
    return versions


def test_every_leg_has_its_pins_and_there_are_no_others():
    names = {f"{kind}-{airflow}.txt" for kind in ("airflow", "providers") for airflow in LEGS}
    names |= {"lint.txt", "docs.txt", "uv.txt", "build.txt"}
    assert {file.name for file in FILES} == names
    assert set(DEFAULT_LEGS) <= set(LEGS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_holds_pins_and_no_addresses(file):
    first, *lines = file.read_text().splitlines()
    assert first == "# Written by scripts/pins; do not edit."
    assert [line for line in lines if not LINE.fullmatch(line)] == []


@pytest.mark.parametrize("airflow", LEGS)
def test_what_the_project_asks_for_is_pinned_to_what_it_admits(airflow):
    pinned = _pinned(ROOT / "pins" / f"airflow-{airflow}.txt")
    unmet = [
        f"{requirement}: {pinned.get(canonicalize_name(requirement.name), 'not pinned')}"
        for requirement in _asked_for()
        if not pinned.get(canonicalize_name(requirement.name))
        or not all(requirement.specifier.contains(version) for version in pinned[canonicalize_name(requirement.name)])
    ]
    assert unmet == []
    assert pinned["apache-airflow"] == [airflow]


@pytest.mark.parametrize("airflow", LEGS)
def test_mwaas_own_versions_win(airflow):
    pinned = _pinned(ROOT / "pins" / f"airflow-{airflow}.txt")
    mwaa = LEGS[airflow].mwaa_versions
    assert {name: pinned[name] for name in mwaa if name in pinned} == {
        name: [mwaa[name]] for name in mwaa if name in pinned
    }


@pytest.mark.parametrize("airflow", LEGS)
def test_the_examples_providers_come_on_top(airflow):
    """What the lock holds keeps its version; without a constraint file, the day's Snowflake connector wants others of these two."""
    providers = _pinned(ROOT / f"pins/providers-{airflow}.txt")
    texts = [file.read_text(encoding="utf-8") for file in (ROOT / "example_dags").glob("*.py")]
    assert {name for name in providers if name.startswith("apache-airflow")} == {
        name for text in texts for name in asked_for_by(text)
    }
    changed = set(providers) & set(_pinned(ROOT / f"pins/airflow-{airflow}.txt"))
    assert changed == ({"cryptography", "urllib3"} if LEGS[airflow].resolved_at else set())


def test_the_oldest_promise_is_tested():
    minimum = {canonicalize_name(requirement.name): str(requirement.specifier) for requirement in _asked_for()}
    oldest = _pinned(ROOT / "pins" / f"airflow-{next(iter(LEGS))}.txt")
    for name in ("apache-airflow", "apache-airflow-providers-amazon"):
        assert minimum[name] == f">={oldest[name][0]}"


def test_the_newest_leg_is_the_newest_that_users_are_told_of():
    assert next(reversed(LEGS)) == NEWEST_TESTED


def test_no_requirement_of_ours_names_watchtower():
    assert [
        str(requirement) for requirement in _asked_for() if canonicalize_name(requirement.name) == "watchtower"
    ] == []
