"""pip downloads wheels for MWAA from another Python, with no Airflow beside it: what a laptop does. The index is a folder."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.packaging.releases import release_of
from mwaa_provider.packaging.requirements_file import read_requirements
from mwaa_provider.packaging.wheels import download_wheels
from tests.packaging.checks.files import wheel
from tests.packaging.environments import build_wheel, make_environment, uv
from tests.support.environment import OUTSIDE

# No index and no configuration of this machine.
PIP = {"PIP_CONFIG_FILE": "/dev/null", "PIP_NO_INDEX": "1", "PIP_RETRIES": "0"}


@dataclass(frozen=True)
class Laptop:
    """A virtual environment with this package, pip and what the command needs, without Airflow, boto3 and requests.

    :param python: Its Python.
    :param links: A folder of wheels, which stands for the index.
    """

    python: Path
    links: Path

    @property
    def sources(self) -> list[str]:
        """Where the command gets everything."""
        return ["--find-links", str(self.links), "--constraint", str(self.links / "constraints.txt")]

    def mwaa(self, folder: Path, *arguments: str, **variables: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [str(self.python), "-m", "mwaa_provider.cli.main", *arguments],
            cwd=folder,
            env={"PATH": OUTSIDE["PATH"], "HOME": str(folder), **PIP, **variables},
            capture_output=True,
            text=True,
            timeout=120,
        )
        return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Laptop:
    folder = tmp_path_factory.mktemp("laptop")
    python = make_environment(folder / "venv", "--seed")
    uv("pip", "install", "--python", str(python), "click", "packaging", "pathspec")
    uv("pip", "install", "--python", str(python), "--no-deps", str(build_wheel(folder)))
    links = folder / "links"
    links.mkdir()
    for name, content in (
        wheel("alpha", "1.0", "beta>=1", "tomli; python_version < '3.11'", "backport; python_version >= '3.13'"),
        wheel("alpha", "2.0"),
        wheel(
            "beta",
            "1.0",
            "apache-airflow>=2",
            "windows; sys_platform == 'win32'",
            tag="cp313-cp313-manylinux_2_17_x86_64",
        ),
        wheel("beta", "1.0", "apache-airflow>=2", tag="cp312-cp312-manylinux_2_17_x86_64"),
        wheel("beta", "1.0", tag="cp313-cp313-macosx_11_0_arm64"),
        wheel("apache_airflow", "3.2.1", "only_a_source_package", "provider; extra == 'snowflake'"),
        wheel("apache_airflow", "3.9.0"),
        wheel("provider", "1.0", "apache-airflow>=3", "beta"),
        wheel("backport", "1.0"),
        wheel("tomli", "2.0"),
        wheel("windows", "1.0"),
        wheel("foreign", "1.0", tag="cp37-cp37m-manylinux1_x86_64"),
    ):
        (links / name).write_bytes(content)
    (links / "constraints.txt").write_text("alpha==1.0\n")
    return Laptop(python, links)


def test_wheels_for_another_python_than_the_running_one(laptop: Laptop, tmp_path: Path) -> None:
    """3.4.0 on Python 3.13: markers are decided for that, whatever Python pip runs on."""
    (tmp_path / "requirements.txt").write_text("alpha\n")
    command = ["requirements", "wheels", "requirements.txt", "--airflow", "3.4.0", "--python", "3.13"]
    command += [*laptop.sources, "--requirements", "private.txt"]
    status, out, err = laptop.mwaa(tmp_path, *command)
    assert (status, out.splitlines()) == (
        0,
        [
            "alpha-1.0-py3-none-any.whl",
            "backport-1.0-py3-none-any.whl",
            "beta-1.0-cp313-cp313-manylinux_2_17_x86_64.whl",
        ],
    ), err
    assert err.splitlines()[0] == "3 wheels."
    with zipfile.ZipFile(tmp_path / "wheels.zip") as archive:
        assert archive.namelist() == out.splitlines()
    private = (tmp_path / "private.txt").read_text()
    assert private == "--find-links /usr/local/airflow/plugins\n--no-index\nalpha\n"
    assert not read_requirements(private).problems


def test_airflow_is_taken_for_installed_and_its_extras_are_not(laptop: Laptop, tmp_path: Path) -> None:
    """What Airflow itself asks for need not be there; what its extras ask for does."""
    (tmp_path / "requirements.txt").write_text("apache-airflow[snowflake]==3.2.1\n")
    command = ["requirements", "wheels", "requirements.txt", "--airflow", "3.2.1", *laptop.sources]
    status, out, err = laptop.mwaa(tmp_path, *command)
    assert (status, out.splitlines()) == (
        0,
        ["beta-1.0-cp312-cp312-manylinux_2_17_x86_64.whl", "provider-1.0-py3-none-any.whl"],
    ), err
    status, _, err = laptop.mwaa(tmp_path, *command, "--with-airflow")
    assert status == 1
    assert "only_a_source_package" in err.replace("-", "_")


def test_what_is_downloaded_satisfies_the_check(laptop: Laptop, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("alpha==1.0\n")
    further = ["--airflow", "3.2.1"]
    build = ["plugins", "build", "--plugin", "extra_links", "--with-package", "--wheels", "requirements.txt"]
    status, _, err = laptop.mwaa(tmp_path, *build, *further, *laptop.sources)
    assert status == 0, err
    (tmp_path / "private.txt").write_text("--find-links /usr/local/airflow/plugins\n--no-index\nalpha==1.0\n")
    check = ["requirements", "check", "private.txt", *further, "--private", "--wheels", "plugins.zip", "--json"]
    status, out, err = laptop.mwaa(tmp_path, *check)
    # beta asks for Airflow, which MWAA has.
    assert [(one["id"], one["message"]) for one in json.loads(out)["findings"]] == [
        ("constraint-not-compared", "Versions were not compared with a constraint file, because none was given."),
    ]
    assert status == 0, err
    status, out, err = laptop.mwaa(tmp_path, "plugins", "check", "plugins.zip", *further, "--json")
    assert [one["id"] for one in json.loads(out)["findings"]] == ["import-not-tried"]


def test_a_package_without_a_wheel_for_mwaa(laptop: Laptop, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("foreign==1.0\n")
    command = ["requirements", "wheels", "requirements.txt", "--airflow", "3.2.1", *laptop.sources]
    status, out, err = laptop.mwaa(tmp_path, *command)
    assert (status, out) == (1, "")
    assert err.startswith("Error: pip did not find wheels for all of it:\n  ERROR: ")
    assert "No matching distribution found for foreign==1.0" in err
    assert "`pip wheel --no-deps PACKAGE` on Linux" in err
    assert not (tmp_path / "wheels.zip").exists()


def test_a_file_that_pip_could_not_read(laptop: Laptop, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("-r more.txt\n./own\nalpha beta\n")
    status, _, err = laptop.mwaa(tmp_path, "requirements", "wheels", "requirements.txt", "--airflow", "3.2.1")
    assert status == 2
    assert [line.split(": ")[1] for line in err.splitlines()[1:]] == ["line 3", "line 1", "line 2"]


def test_a_password_of_the_index_is_not_repeated(laptop: Laptop, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("--index-url http://me:hunter2@127.0.0.1:1/simple\nnowhere\n")
    command = ["requirements", "wheels", "requirements.txt", "--airflow", "3.2.1", *laptop.sources]
    status, out, err = laptop.mwaa(tmp_path, *command, PIP_NO_INDEX="0")
    assert status == 1
    assert "hunter2" not in out + err


def test_without_pip(tmp_path: Path) -> None:
    if importlib.util.find_spec("pip"):
        pytest.skip("pip is installed beside the tests' own Python")
    (tmp_path / "requirements.txt").write_text("alpha\n")
    with pytest.raises(InvalidInputError, match="pip: it is not installed beside"):
        download_wheels(tmp_path / "requirements.txt", release_of("3.2.1"))
