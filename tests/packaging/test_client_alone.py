"""The client in a virtual environment that has boto3 and requests and nothing else, as an AWS Lambda function has; its example runs there.

The versions are those of this release's environment: its boto3, old or new, must do without Airflow too.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mwaa_provider.local import Identity, LocalMwaa, ScriptedAirflow
from tests.support.environment import OUTSIDE
from tests.support.processes import ROOT

NEEDED = ("boto3", "requests")
PROJECT = "airflow-provider-mwaa"

# Runs in the bare environment; says what the handler gave back, which distributions were loaded for it, and which there are.
DRIVER = """
import importlib.util, json, sys
from importlib import metadata
from types import SimpleNamespace

events, example = json.loads(sys.argv[1])
before = set(sys.modules)
spec = importlib.util.spec_from_file_location("lambda_trigger_dag", example)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)

answers = [module.handler(event, SimpleNamespace(aws_request_id=request_id)) for event, request_id in events]
loaded = {name.partition(".")[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)
of_modules = {}
for distribution in metadata.distributions():
    for file in distribution.files or ():
        of_modules.setdefault(file.parts[0].removesuffix(".py").partition(".")[0], distribution.metadata["Name"])
print(json.dumps({
    "answers": answers,
    "loaded": sorted({of_modules.get(name, name) for name in loaded if not name.startswith(("__", "lambda_"))}),
    "installed": sorted(distribution.metadata["Name"] for distribution in metadata.distributions()),
    "kept": module.client.cache_info().misses,
}))
"""


@dataclass(frozen=True)
class Bare:
    """The environment: its Python, and what is in it beside the project, with everything that boto3 and requests need."""

    python: Path
    libraries: frozenset[str]


def _with_what_they_need(names: tuple[str, ...]) -> dict[str, str]:
    """Name to version of these distributions as they are installed here, with all that they need."""
    versions: dict[str, str] = {}
    left = list(names)
    while left:
        name = canonicalize_name(left.pop())
        if name in versions:
            continue
        distribution = metadata.distribution(name)
        versions[name] = distribution.version
        needed = map(Requirement, distribution.requires or ())
        left += [one.name for one in needed if one.marker is None or one.marker.evaluate({"extra": ""})]
    return versions


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Bare:
    folder = tmp_path_factory.mktemp("bare")
    python = folder / "venv/bin/python"
    libraries = _with_what_they_need(NEEDED)
    _uv("venv", "--python", sys.executable, str(folder / "venv"))
    _uv("build", "--wheel", "--build-constraints", str(ROOT / "pins/build.txt"), "--out-dir", str(folder), str(ROOT))
    (wheel,) = folder.glob("*.whl")
    pins = [f"{name}=={version}" for name, version in libraries.items()]
    _uv("pip", "install", "--python", str(python), "--no-deps", str(wheel), *pins)
    return Bare(python, frozenset(libraries))


def _uv(command: str, *arguments: str) -> None:
    installed = ROOT / ".venvs/uv/bin/uv"
    uv = str(installed) if installed.exists() else shutil.which("uv")
    assert uv is not None, "uv makes the environment of this test, and is not here; scripts/test installs it"
    # What the legs were made of is in uv's cache; the package index is asked only for what is not.
    for further in (["--offline"], []):
        done = subprocess.run(
            [uv, command, *arguments, "--quiet", *further],
            env={**OUTSIDE, "UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode == 0:
            return
    raise AssertionError(f"uv {command} failed:\n{done.stdout}")


def _handled(bare: Bare, mwaa: LocalMwaa, identity: Identity, events: list[Any], folder: Path) -> dict[str, Any]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        **mwaa.environment_variables(identity),
        "MWAA_ENVIRONMENT_NAME": "production",
        "MWAA_DAG_ID": "load_orders",
        "NO_PROXY": "*",
    }
    arguments = json.dumps([events, str(ROOT / "examples/lambda_trigger_dag.py")])
    done = subprocess.run(
        [str(bare.python), "-I", "-c", DRIVER, arguments],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("way", ["iam", "session"])
@pytest.mark.parametrize("airflow_version", ["2.10.3", "3.3.1"])
@pytest.mark.patient
def test_the_lambda_example_runs_on_boto3_and_requests_alone(
    bare: Bare, local_mwaa: LocalMwaa, airflow_version: str, way: str, tmp_path: Path
) -> None:
    if way == "iam" and "InvokeRestApi" not in botocore.session.Session().get_service_model("mwaa").operation_names:
        pytest.skip("this release's boto3 has no invoke_rest_api")
    airflow = ScriptedAirflow(airflow_version)
    airflow.add_dag("load_orders", run_takes=None)
    local_mwaa.create_environment("production", airflow)
    denied = frozenset[str]() if way == "iam" else frozenset({"InvokeRestApi"})
    event = {"day": "2026-01-31"}
    events = [[event, "request-1"], [event, "request-1"], [event, "request-2"], [{"id": "of-eventbridge"}, "request-3"]]

    said = _handled(bare, local_mwaa, Identity("LAMBDA", denied_actions=denied), events, tmp_path)

    run_ids = ["lambda__request-1", "lambda__request-1", "lambda__request-2", "lambda__of-eventbridge"]
    about = {"environment_name": "production", "dag_id": "load_orders"}
    assert said["answers"] == [
        {**about, "run_id": run_id, "state": state}
        for run_id, state in zip(run_ids, ["queued", "running", "queued", "queued"], strict=True)
    ]
    runs = [(run.run_id, run.conf) for run in airflow.runs("load_orders")]
    confs = [{"event": event}, {"event": event}, {"event": {"id": "of-eventbridge"}}]
    assert runs == list(zip(dict.fromkeys(run_ids), confs, strict=True))
    assert {entry.transport for entry in local_mwaa.journal.entries(is_rest=True, backend_call=True)} == {way}
    assert said["kept"] == 1
    assert local_mwaa.journal.count(operation="login") == (0 if way == "iam" else 1)

    assert {canonicalize_name(name) for name in said["installed"]} == bare.libraries | {PROJECT}
    loaded = {canonicalize_name(name) for name in said["loaded"]}
    assert {PROJECT, *NEEDED} <= loaded | ({"requests"} if way == "iam" else set())
    assert loaded <= bare.libraries | {PROJECT}


def test_what_the_example_says_of_a_dag_that_is_not_there(bare: Bare, local_mwaa: LocalMwaa, tmp_path: Path) -> None:
    local_mwaa.create_environment("production", ScriptedAirflow("3.3.1"))
    with pytest.raises(AssertionError, match="DagNotFoundError: Environment 'production' has no DAG 'load_orders'"):
        _handled(bare, local_mwaa, Identity("LAMBDA"), [[{}, "request-1"]], tmp_path)


def test_every_module_of_the_client_loads_there(bare: Bare, tmp_path: Path) -> None:
    code = (
        "import importlib, pkgutil, sys; import mwaa_provider.client as client\n"
        "names = [module.name for module in pkgutil.walk_packages(client.__path__, 'mwaa_provider.client.')]\n"
        "for name in names: importlib.import_module(name)\n"
        "print(len(names), 'airflow' in sys.modules)"
    )
    done = subprocess.run([str(bare.python), "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True)
    modules = len(list((ROOT / "src/mwaa_provider/client").rglob("*.py"))) - 1
    assert (done.stdout, done.stderr) == (f"{modules} False\n", "")
