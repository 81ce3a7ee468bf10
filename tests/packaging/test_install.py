"""This project's wheel goes into an environment of this release and changes no version there, with an index and without one."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import airflow
import pytest
from packaging.utils import canonicalize_name

import mwaa_provider
from mwaa_provider.packaging.constraints import versions_in
from mwaa_provider.packaging.package_wheel import package_wheel
from mwaa_provider.packaging.releases import release_of
from tests.packaging.environments import build_wheel, make_environment, uv
from tests.support.processes import ROOT

PINS = ROOT / f"pins/airflow-{airflow.__version__}.txt"
PROJECT = "airflow-provider-mwaa"

USE = """
import importlib, pkgutil, sys
import mwaa_provider
for part in ("client", "packaging", "cli"):
    package = importlib.import_module(f"mwaa_provider.{part}")
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
print(mwaa_provider.__file__.startswith(sys.prefix))
"""


@dataclass(frozen=True)
class Environment:
    """An environment with this release's pinned versions, as MWAA's containers have them, and without this project.

    :param python: Its Python.
    :param links: A folder with the wheel, and nothing else.
    """

    python: Path
    links: Path

    def versions(self) -> dict[str, str]:
        lines = uv("pip", "list", "--format", "freeze", "--python", str(self.python)).splitlines()
        return {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    folder = tmp_path_factory.mktemp("install")
    python = make_environment(folder / "venv")
    uv("pip", "install", "--python", str(python), "--no-deps", "-r", str(PINS))
    (folder / "links").mkdir()
    build_wheel(folder / "links")
    for other in (folder / "links").iterdir():
        if other.suffix != ".whl":
            other.unlink()
    return Environment(python, folder / "links")


@pytest.mark.parametrize("made_by", ["the build", "mwaa plugins build"])
def test_without_an_index(environment: Environment, tmp_path: Path, made_by: str) -> None:
    """As behind a private web server: ``--no-index --find-links /usr/local/airflow/plugins``."""
    links = environment.links
    if made_by != "the build":
        links = tmp_path
        name, content = package_wheel()
        (links / name).write_bytes(content.read())
    before = environment.versions()
    assert PROJECT not in before
    install = ["pip", "install", "--python", str(environment.python), "--no-index", "--find-links", str(links)]
    uv(*install, PROJECT)
    try:
        assert environment.versions() == {**before, PROJECT: mwaa_provider.__version__}
        done = subprocess.run(
            [str(environment.python), "-I", "-c", USE], cwd=tmp_path, capture_output=True, text=True, timeout=300
        )
        assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["True"]), done.stderr[-3000:]
    finally:
        uv("pip", "uninstall", "--python", str(environment.python), PROJECT)


def test_with_the_constraint_file(environment: Environment) -> None:
    """The pins hold what the constraint file and MWAA hold; what the resolver makes of the wheel may not differ from them."""
    held = versions_in(PINS.read_text(), release_of(airflow.__version__).markers)
    wanted = environment.links.parent / "wanted.in"
    wanted.write_text(f"apache-airflow=={airflow.__version__}\n{PROJECT}[cli,local]\n")
    sources = [str(wanted), "--constraints", str(PINS), "--find-links", str(environment.links)]
    resolved = uv(
        "pip", "compile", *sources, "--python", str(environment.python), "--no-annotate", "--no-header", "--quiet"
    )
    versions = versions_in(resolved, release_of(airflow.__version__).markers)
    assert versions.pop(PROJECT) == mwaa_provider.__version__
    assert len(versions) > 100
    assert {name: version for name, version in versions.items() if held.get(name) != version} == {}
