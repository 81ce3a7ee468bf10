"""This project's wheel goes into an environment of this release and changes no version there, with an index and without one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import airflow
import pytest

import mwaa_provider
from mwaa_provider.packaging.constraints import versions_in
from mwaa_provider.packaging.package_wheel import package_wheel
from mwaa_provider.packaging.releases import release_of
from tests.packaging.environments import PINS, PROJECT, Environment, uv

USE = """
import importlib, pkgutil, sys
import mwaa_provider
for part in ("client", "packaging", "cli"):
    package = importlib.import_module(f"mwaa_provider.{part}")
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
print(mwaa_provider.__file__.startswith(sys.prefix))
"""


@pytest.mark.parametrize("made_by", ["the build", "mwaa plugins build"])
@pytest.mark.patient
def test_without_an_index(pinned: Environment, tmp_path: Path, made_by: str) -> None:
    """As behind a private web server: ``--no-index --find-links /usr/local/airflow/plugins``."""
    links = pinned.links
    if made_by != "the build":
        links = tmp_path
        name, content = package_wheel()
        (links / name).write_bytes(content.read())
    before = pinned.versions()
    assert PROJECT not in before
    install = ["pip", "install", "--python", str(pinned.python), "--no-index", "--find-links", str(links)]
    uv(*install, PROJECT)
    try:
        assert pinned.versions() == {**before, PROJECT: mwaa_provider.__version__}
        done = subprocess.run(
            [str(pinned.python), "-I", "-c", USE], cwd=tmp_path, capture_output=True, text=True, timeout=300
        )
        assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["True"]), done.stderr[-3000:]
    finally:
        uv("pip", "uninstall", "--python", str(pinned.python), PROJECT)


def test_with_the_constraint_file(pinned: Environment) -> None:
    """The pins hold what the constraint file and MWAA hold; what the resolver makes of the wheel may not differ from them."""
    held = versions_in(PINS.read_text(), release_of(airflow.__version__).markers)
    wanted = pinned.links.parent / "wanted.in"
    wanted.write_text(f"apache-airflow=={airflow.__version__}\n{PROJECT}[cli,local]\n")
    sources = [str(wanted), "--constraints", str(PINS), "--find-links", str(pinned.links)]
    resolved = uv("pip", "compile", *sources, "--python", str(pinned.python), "--no-annotate", "--no-header", "--quiet")
    versions = versions_in(resolved, release_of(airflow.__version__).markers)
    assert versions.pop(PROJECT) == mwaa_provider.__version__
    assert len(versions) > 100
    assert {name: version for name, version in versions.items() if held.get(name) != version} == {}
