"""Real components with this project installed in each of the three ways, into an environment that has nothing of it otherwise."""

from __future__ import annotations

import importlib.metadata
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import airflow
import pytest
from botocore.config import Config

from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.local import LocalMwaa, ScriptedAirflow
from mwaa_provider.local.real import RealAirflow
from mwaa_provider.packaging.plugins_build import Contents, available_plugins, build_plugins
from tests.packaging.environments import PROJECT, Environment, uv

pytestmark = pytest.mark.slow

DAGS = Path(__file__).parent / "dags"
#: All of them, on these releases; the last alone on the others.
EVERY_WAY = ("2.10.3", "3.2.1")
LINKS_PLUGIN = "mwaa_provider_extra_links"


@dataclass(frozen=True)
class Place:
    """An environment, running.

    :param client: Its client.
    :param backend: Its Airflow.
    :param target: The Airflow of another environment, which its DAG calls.
    :param plugins: Its plugins folder.
    :param package: Where the package has to be found.
    :param logs: Its logs.
    """

    client: MwaaClient
    backend: RealAirflow
    target: ScriptedAirflow
    plugins: Path
    package: Path
    logs: Path


@pytest.fixture(
    params=["by pip", "files of plugins.zip, package by pip from its wheel there", "package inside plugins.zip"]
)
def place(request: pytest.FixtureRequest, pinned: Environment, tmp_path: Path) -> Iterator[Place]:
    way = request.param
    if not way.startswith("package") and airflow.__version__ not in EVERY_WAY:
        pytest.skip(f"each way is tried on {' and '.join(EVERY_WAY)}")
    plugins = tmp_path / "home/plugins"
    plugins.mkdir(parents=True)
    if way != "by pip":
        package = "folder" if way.startswith("package") else "wheel"
        contents = Contents(plugins=list(available_plugins()), package=package)
        with zipfile.ZipFile(build_plugins(tmp_path / "plugins.zip", contents).path) as archive:
            archive.extractall(plugins)
    links = pinned.links if way == "by pip" else plugins
    if not way.startswith("package"):
        uv("pip", "install", "--python", str(pinned.python), "--no-index", "--find-links", str(links), PROJECT)
    site = next(pinned.python.parent.parent.glob("lib/python3*/site-packages"))
    try:
        with LocalMwaa() as mwaa:
            target = ScriptedAirflow("3.3.1")
            target.add_dag("load", run_takes=0)
            mwaa.create_environment("target", target)
            backend = RealAirflow(
                python=pinned.python,
                dags_folder=DAGS,
                home=tmp_path / "home",
                unpause=True,
                startup_timeout=600,
                environment={
                    "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "300",
                    "AIRFLOW_CONN_MWAA_LOCAL": json.dumps(mwaa.airflow_connection()),
                    "PYTHONPATH": "",
                },
            )
            mwaa.create_environment("production", backend)
            backend.wait_for_dag("from_where", timeout=300)
            client = MwaaClient(
                session=mwaa.boto3_session(),
                endpoint_url=mwaa.endpoint_url,
                botocore_config=Config(inject_host_prefix=False),
                verify=str(mwaa.ca_file),
            )
            package_place = plugins if way.startswith("package") else site
            yield Place(
                client, backend, target, plugins, package_place / "mwaa_provider/__init__.py", tmp_path / "home/logs"
            )
    finally:
        if not way.startswith("package"):
            uv("pip", "uninstall", "--python", str(pinned.python), PROJECT)


def test_everything_is_found_and_nothing_is_broken(place: Place) -> None:
    client = place.client
    assert list(client.list_import_errors("production")) == []

    run = client.trigger_dag_run("production", "from_where")
    client.wait_for_dag_run("production", "from_where", run.run_id, poke_interval=1, timeout=300)
    package, http = client.get_xcom("production", "from_where", run.run_id, "tell").value.split()
    assert package == str(place.package)
    assert not http.startswith(str(place.plugins))

    # Not by REST: a plugin with operator links makes 2.7.2 answer GET /plugins with a 500.
    said = place.backend.cli(["plugins", "--output", "json"])
    assert said.exit_code == 0, said.stderr
    names = re.findall(r'"name": "(\w+)"', said.stdout)
    # Installed by pip, the provider registers its link by itself.
    expected = {LINKS_PLUGIN} if any(place.plugins.glob("*.py")) else set()
    assert expected <= set(names)
    assert len(names) == len(set(names))
    if tuple(map(int, importlib.metadata.version("apache-airflow").split("."))) >= (3, 1):
        errors = client.invoke_rest_api("production", "GET", "/plugins/importErrors")
        assert errors.body["import_errors"] == []
    broken = [
        file for file in place.logs.rglob("*.log") if "Failed to import plugin" in file.read_text(errors="replace")
    ]
    assert broken == []

    # One of our operators works, and shows its link, which Airflow 2 drops unless somebody registered it.
    run = client.trigger_dag_run("production", "with_our_operator")
    client.wait_for_dag_run("production", "with_our_operator", run.run_id, poke_interval=1, timeout=300)
    path = f"/dags/with_our_operator/dagRuns/{run.run_id}/taskInstances/call/links"
    body = client.invoke_rest_api("production", "GET", path).body
    assert list(body.get("extra_links", body)) == ["Remote DAG run"]
    (called,) = place.target.runs("load")
    assert called.state == "success"
