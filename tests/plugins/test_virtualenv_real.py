"""``PythonVirtualenvOperator`` and ``@task.virtualenv`` in a real task, where MWAA, or its user, leaves them broken."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mwaa_provider.airflow_compat import AIRFLOW_3
from tests.plugins.operators import virtualenv_operator_has
from tests.plugins.virtualenv_situations import PASSWORD, QUOTED, Workplace, files_below, own_python
from tests.plugins.virtualenv_situations import workplace as workplace
from tests.support.packages import wheel
from tests.support.processes import ROOT

needs_airflow_2 = pytest.mark.skipif(AIRFLOW_3, reason="Airflow 3 does not use virtualenv")
needs_airflow_3 = pytest.mark.skipif(not AIRFLOW_3, reason="Airflow 2 does not use uv")
UV = ROOT / ".venvs/uv/bin/uv"
needs_uv = pytest.mark.skipif(not UV.exists(), reason="there is no .venvs/uv, which scripts/test makes")


def returned(outcome, task="operator"):
    assert outcome.tasks[task] == "success", outcome.log
    return outcome.xcoms[task]["return_value"]


@pytest.mark.real_airflow
def test_everything_broken_at_once(workplace: Workplace) -> None:
    """No virtualenv (Airflow 2) or no ``python`` (Airflow 3), pip told to write to the user site, a home that cannot be written, a
    private index with a password."""
    assert importlib.util.find_spec("virtualenv") is None
    (workplace.folder / "no-folder").touch()
    if AIRFLOW_3:  # Airflow's own default, which is early enough there
        workplace.environment["AIRFLOW__CORE__LAZY_LOAD_PLUGINS"] = "True"
    workplace.environment |= {"PIP_USER": "yes", "HOME": str(workplace.folder / "no-folder" / "home")}
    outcome = workplace.run(["probe==1.0"], decorated=True)
    for task in ("operator", "decorator"):
        found = returned(outcome, task)
        assert (found["probe"], found["python"]) == ("1.0", own_python())
        assert found["file"].startswith(str(workplace.folder / "tmp"))
    assert files_below(workplace.folder / "user-site") == []
    assert ("/simple/probe/", 200) in workplace.index.asked_for
    for secret in (PASSWORD, QUOTED):
        assert secret not in outcome.log
    assert files_below(workplace.folder / "tmp") == []


@pytest.mark.slow
@needs_airflow_2
def test_without_the_plugin_a_missing_virtualenv_fails(workplace: Workplace) -> None:
    with pytest.raises(AssertionError, match="PythonVirtualenvOperator requires virtualenv, please install it"):
        workplace.run(["probe==1.0"], plugin=False)


#: Takes virtualenv's place: notes with which arguments it was called, and has the Python that they name make the environment.
STAND_IN = """
import subprocess, sys
options = [word for word in sys.argv[1:] if not word.startswith("--python=")]
python = [word.partition("=")[2] for word in sys.argv[1:] if word.startswith("--python=")] or [sys.executable]
with open({notes!r}, "a") as notes:
    notes.write(" ".join(sys.argv[2:]))
sys.exit(subprocess.call([*python, "-m", "venv", *options]))
"""


def with_virtualenv(workplace: Workplace) -> Path:
    """Install it; return where it notes how it was called."""
    site = workplace.folder / "site"
    site.mkdir()
    notes = workplace.folder / "notes"
    (site / "virtualenv.py").write_text(STAND_IN.format(notes=str(notes)))
    workplace.environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "src"), str(site)])
    return notes


@pytest.mark.slow
@needs_airflow_2
def test_an_installed_virtualenv_is_used(workplace: Workplace) -> None:
    notes = with_virtualenv(workplace)
    workplace.environment["PATH"] = f"{workplace.only_bin(python=another_python())}:/usr/bin:/bin"
    found = returned(workplace.run(["probe==1.0"]))
    assert (found["probe"], found["python"]) == ("1.0", own_python())
    # 2.7 leaves the choice to virtualenv, which takes the Python that runs it; later releases ask for the first on the PATH
    asked = [f"--python={sys.executable}"] if virtualenv_operator_has("venv_cache_path") else []
    assert notes.read_text().split() == ["--system-site-packages", *asked]


def another_python() -> Path:
    for version in ("3.13", "3.11", "3.10", "3.12"):
        found = shutil.which(f"python{version}")
        if found and version != ".".join(map(str, own_python())):
            done = subprocess.run([found, "-c", "import sys; print(sys.executable)"], capture_output=True, text=True)
            if done.returncode == 0:
                return Path(done.stdout.strip())
    pytest.skip("there is no other Python here")


@pytest.mark.slow
@needs_airflow_3
@needs_uv
def test_without_the_plugin_uv_takes_the_other_python(workplace: Workplace) -> None:
    wheel_of_pip(workplace)
    workplace.environment |= {
        "PATH": f"{workplace.only_bin(python=another_python(), uv=UV)}:/usr/bin:/bin",
        "UV_DEFAULT_INDEX": workplace.index_url,
    }
    outcome = workplace.run(["probe==1.0"], plugin=False, further="system_site_packages=False, expect_airflow=False")
    assert returned(outcome)["python"] != own_python()


def wheel_of_pip(workplace: Workplace) -> None:
    """What ``uv venv --seed`` fetches from the index."""
    import ensurepip

    (bundled,) = (Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl")
    shutil.copy(bundled, workplace.folder / "wheels")
    for name in ("setuptools", "wheel"):  # which it seeds up to Python 3.11
        wheel(workplace.folder / "wheels", name, "99.0")


@pytest.mark.slow
@needs_airflow_3
@needs_uv
def test_uv_where_pip_alone_knows_the_index(workplace: Workplace) -> None:
    """By itself the release takes uv, which does not read ``PIP_INDEX_URL`` and would ask the public index, and another Python."""
    workplace.environment["PATH"] = f"{workplace.only_bin(python=another_python(), uv=UV)}:/usr/bin:/bin"
    outcome = workplace.run(["probe==1.0"], further="system_site_packages=False, expect_airflow=False")
    found = returned(outcome)
    assert (found["probe"], found["python"]) == ("1.0", own_python())
    assert re.search("with pip and not with uv, which does not read pip's .*index-url", outcome.log)


@pytest.mark.slow
@needs_airflow_3
@needs_uv
def test_uv_asked_for_by_name_learns_what_pip_knows(workplace: Workplace) -> None:
    """With another Python first on the path, and a home that cannot be written."""
    wheel_of_pip(workplace)
    (workplace.folder / "no-folder").touch()
    workplace.environment |= {
        "PATH": f"{workplace.only_bin(python=another_python(), uv=UV)}:/usr/bin:/bin",
        "AIRFLOW__STANDARD__VENV_INSTALL_METHOD": "uv",
        "HOME": str(workplace.folder / "no-folder" / "home"),
    }
    outcome = workplace.run(["probe==1.0"], further="system_site_packages=False, expect_airflow=False")
    found = returned(outcome)
    assert (found["probe"], found["python"]) == ("1.0", own_python())
    assert "Executing cmd: uv pip install" in outcome.log
    assert PASSWORD not in outcome.log
    assert QUOTED not in outcome.log


@pytest.mark.slow
def test_without_the_plugin_pip_writes_to_the_user_site(workplace: Workplace) -> None:
    """The control of the test of everything at once."""
    _with_what_the_release_needs(workplace)
    workplace.environment["PIP_USER"] = "yes"
    workplace.run(["probe==1.0"], plugin=False)
    assert any(name.endswith("/probe.py") for name in files_below(workplace.folder / "user-site"))


def _with_what_the_release_needs(workplace: Workplace) -> None:
    """An environment in which the release works by itself."""
    if not AIRFLOW_3:
        with_virtualenv(workplace)
    workplace.environment["PATH"] = f"{workplace.only_bin(python=sys.executable)}:/usr/bin:/bin"


@pytest.mark.slow
def test_the_operators_own_options(workplace: Workplace) -> None:
    """``--user`` is left out, an address with a password is not shown, in options or in requirements, and nothing else is changed."""
    del workplace.environment["PIP_INDEX_URL"]
    address = f"--index-url {workplace.index_url}\n"
    outcome = workplace.run_several(
        option=(["probe==1.0"], f"pip_install_options=['--user', '--index-url', {workplace.index_url!r}]"),
        requirement=([f"{address}probe"], ""),
        missing=([f"{address}probe==3.0"], ""),  # there is none: the command fails, and is told
    )
    assert outcome.tasks == {"option": "success", "requirement": "success", "missing": "failed"}
    assert returned(outcome, "option")["probe"] == "1.0"
    assert returned(outcome, "option")["file"].startswith(str(workplace.folder / "tmp"))
    assert returned(outcome, "requirement")["probe"] == "2.0"  # no constraint without an option
    assert files_below(workplace.folder / "user-site") == []
    assert "No matching distribution found for probe==3.0" in outcome.log
    assert "Executing cmd:" in outcome.log
    # Before it runs the operator, dag.test() of 3.0 prints what the DAG file holds, which here is the password in clear.
    log = "\n".join(line for line in outcome.log.splitlines() if "msg=SetRenderedFields(" not in line)
    assert QUOTED not in log
    assert PASSWORD not in log


@pytest.mark.slow
def test_offline_from_wheels_in_the_plugins_folder(workplace: Workplace) -> None:
    shutil.copytree(workplace.folder / "wheels", workplace.folder / "plugins" / "wheels")
    workplace.environment["PIP_INDEX_URL"] = "http://127.0.0.1:9/simple"
    workplace.options(virtualenv_find_links="{plugins}/wheels", virtualenv_no_index="True")
    assert returned(workplace.run(["probe"]))["probe"] == "2.0"
    assert workplace.index.asked_for == []


@pytest.mark.slow
@needs_airflow_3
@needs_uv
def test_offline_with_uv(workplace: Workplace) -> None:
    shutil.copytree(workplace.folder / "wheels", workplace.folder / "plugins" / "wheels")
    workplace.environment |= {
        "PATH": f"{workplace.only_bin(uv=UV)}:/usr/bin:/bin",
        "AIRFLOW__STANDARD__VENV_INSTALL_METHOD": "uv",
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    }
    workplace.options(virtualenv_find_links="{plugins}/wheels", virtualenv_no_index="True")
    assert returned(workplace.run(["probe"]))["probe"] == "2.0"


@pytest.mark.slow
def test_a_constraint_on_request(workplace: Workplace) -> None:
    constraint = workplace.folder / "constraints.txt"
    constraint.write_text("probe==1.0\n")
    workplace.options(virtualenv_constraint=str(constraint))
    assert returned(workplace.run(["probe"]))["probe"] == "1.0"


@pytest.mark.slow
def test_environments_are_kept(workplace: Workplace) -> None:
    """Airflow 2.7 has no cache; on later releases the operator's own is used, and works with what we repair."""
    cache = workplace.folder / "cache"
    further = ""
    if virtualenv_operator_has("venv_cache_path"):
        further = f"venv_cache_path={str(cache)!r}"
    else:
        workplace.options(virtualenv_cache_folder=str(cache))
    outcome = workplace.run_several(
        first=(["probe==1.0"], further), again=(["probe==1.0"], further), other=(["probe==2.0"], further)
    )
    assert [returned(outcome, task)["probe"] for task in ("first", "again", "other")] == ["1.0", "1.0", "2.0"]
    fetched = [path for path, status in workplace.index.asked_for if status == 200 and path.endswith(".whl")]
    assert fetched == ["/files/probe-1.0-py3-none-any.whl", "/files/probe-2.0-py3-none-any.whl"]
    assert len([path for path in cache.iterdir() if path.is_dir()]) == 2
