"""Real components with the plugins, installed in each of the three ways; logs read back around changes of the clocks."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from botocore.config import Config

from mwaa_provider.airflow_compat import AIRFLOW_3, airflow_version
from mwaa_provider.client.models import XCom
from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.local import LocalMwaa
from mwaa_provider.local.real import RealAirflow
from tests.plugins.virtualenv_situations import PASSWORD, QUOTED
from tests.support.changing_zone import write_changing_zone
from tests.support.cloudwatch_logs import LogsService, logs_service
from tests.support.environment import OUTSIDE
from tests.support.packages import package_index, wheel
from tests.support.processes import ROOT

pytestmark = pytest.mark.slow

DAGS = Path(__file__).with_name("dags")
UV = ROOT / ".venvs/uv/bin/uv"
LOG_GROUP = "airflow-test-Task"
PLUGINS = ["mwaa_provider_environment_variables", "mwaa_provider_log_time_zone", "mwaa_provider_virtualenv"]
#: All of them, on these releases; by pip alone on the others.
EVERY_WAY = ("2.10.3", "3.2.1")
#: A stamp at the beginning of a line, or of its first bracket, or in JSON.
STAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,]\d+(?:Z|[+-]\d\d:?\d\d)")


@dataclass
class Place:
    """One environment, and what its plugins are to do with."""

    airflow: RealAirflow
    client: MwaaClient
    home: Path
    zone: ZoneInfo
    logs: LogsService


@pytest.fixture(params=["pip", "files", "package"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    way = request.param
    if way != "pip" and airflow_version() not in EVERY_WAY:
        pytest.skip(f"each way is tried on {' and '.join(EVERY_WAY)}")
    home = tmp_path / "home"
    plugins = home / "plugins"
    plugins.mkdir(parents=True)
    python = sys.executable if way == "pip" else python_without_us(tmp_path)
    extra_path = []
    if way == "package":  # in plugins.zip: the folder, the thin files, and an ignore file
        (plugins / "mwaa_provider").symlink_to(ROOT / "src/mwaa_provider")
        (plugins / ".airflowignore").write_text("mwaa_provider/\n")
    elif way == "files":
        extra_path = [str(ROOT / "src")]
    if way != "pip":
        for name in ("virtualenv", "log_time_zone", "environment_variables"):
            (plugins / f"mwaa_provider_{name}.py").write_bytes((ROOT / f"plugins/mwaa_provider_{name}.py").read_bytes())
    (plugins / "tools").mkdir()
    # The local MWAA imports Airflow, and with it the plugins, once, as the web server; the other components are forked from there.
    (plugins / "environment_variables.json").write_text(
        '{"prepend": {"PATH": "{plugins}/tools"}, "component": {"webserver": {"set": {"STAGE": "{plugins}"}}}}'
    )
    zones = tmp_path / "zones"
    write_changing_zone(zones, "Test/Changing", int(time.time()), 3600)
    wheels = tmp_path / "wheels"
    wheel(wheels, "probe", "1.0")
    with package_index(wheels, "aws", PASSWORD) as index, logs_service(LOG_GROUP) as logs, LocalMwaa() as mwaa:
        variables = {
            "AIRFLOW__CORE__LAZY_LOAD_PLUGINS": "False",
            "AIRFLOW__MWAA_PROVIDER__VIRTUALENV": "True",
            "AIRFLOW__MWAA_PROVIDER__LOG_TIME_ZONE": "Test/Changing",
            # The provider's handler of Airflow 2 writes no file, and no stamps to CloudWatch; MWAA's own writes the formatter's lines.
            "AIRFLOW__LOGGING__REMOTE_LOGGING": str(AIRFLOW_3),
            "AIRFLOW__LOGGING__REMOTE_LOG_CONN_ID": "moto",
            "AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER": f"cloudwatch://{logs.arn}",
            "AIRFLOW_CONN_MOTO": logs.connection,
            "PYTHONTZPATH": os.pathsep.join([str(zones), "/usr/share/zoneinfo"]),
            "PYTHONPATH": os.pathsep.join(extra_path),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": f"http://aws:{QUOTED}@{index.host}/simple",
            "PIP_USER": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }
        airflow = RealAirflow(python=python, dags_folder=DAGS, home=home, environment=variables, unpause=True)
        mwaa.create_environment("test", airflow)
        client = MwaaClient(
            session=mwaa.boto3_session(),
            endpoint_url=mwaa.endpoint_url,
            botocore_config=Config(inject_host_prefix=False),
            verify=str(mwaa.ca_file),
        )
        with monkeypatch.context() as context:
            context.setenv("PYTHONTZPATH", variables["PYTHONTZPATH"])
            import zoneinfo

            zoneinfo.reset_tzpath([str(zones)])
            zone = ZoneInfo.no_cache("Test/Changing")
            zoneinfo.reset_tzpath()
        yield Place(airflow, client, home, zone, logs)


def python_without_us(folder: Path) -> Path:
    """An environment of the same packages, but not ours."""
    if not UV.exists():
        pytest.skip("there is no .venvs/uv, which scripts/test makes")
    python = folder / "venv/bin/python"
    for command in (
        ["venv", "--python", sys.executable, str(folder / "venv")],
        [
            "pip",
            "install",
            "--python",
            str(python),
            "--no-deps",
            "-r",
            str(ROOT / f"pins/airflow-{airflow_version()}.txt"),
        ],
    ):
        subprocess.run([str(UV), *command], check=True, env=OUTSIDE, capture_output=True, timeout=300)
    missing = subprocess.run([str(python), "-c", "import mwaa_provider"], capture_output=True)
    assert missing.returncode == 1
    return python


def stamps(text: str) -> list[datetime]:
    return [datetime.fromisoformat(_python_reads(stamp)) for stamp in STAMP.findall(text)]


def _python_reads(stamp: str) -> str:
    return re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", stamp.replace(",", ".").replace("Z", "+00:00"))


def check(found: list[datetime], zone: ZoneInfo) -> set[timedelta | None]:
    """Each stamp has the offset that the zone had at that moment; return the offsets."""
    assert found
    wrong = [
        moment for moment in found if moment.utcoffset() != moment.astimezone(timezone.utc).astimezone(zone).utcoffset()
    ]
    assert wrong == []
    return {moment.utcoffset() for moment in found}


def value_of(xcom: XCom) -> Any:
    """Before 2.10 the REST API gives Python's text of a value."""
    return ast.literal_eval(xcom.value) if xcom.is_text else xcom.value


def test_what_is_repaired(place: Place) -> None:
    began = datetime.now(timezone.utc)
    place.airflow.wait_for_dag("repaired")
    run_id = place.client.trigger_dag_run("test", "repaired").run_id
    end = time.monotonic() + 240
    while (state := place.client.get_dag_run("test", "repaired", run_id).state) not in ("success", "failed"):
        assert time.monotonic() < end, state
        time.sleep(1)
    ended = datetime.now(timezone.utc)
    texts = {file: file.read_text(errors="replace") for file in sorted(place.home.rglob("*run_id=*/**/*.log"))}
    everything = "\n".join(texts.values())
    assert state == "success", everything[-6000:]

    # the three plugins did what they are for, in tasks
    xcoms = {
        task: value_of(place.client.get_xcom("test", "repaired", run_id, task, "return_value"))
        for task in ("variables", "in_virtualenv")
    }
    plugins = str(place.home / "plugins")
    assert xcoms["variables"] == {"stage": plugins, "path": f"{plugins}/tools", "zone": time.strftime("%z")}
    assert xcoms["in_virtualenv"] == ["1.0", *sys.version_info[:2]]
    assert PASSWORD not in everything
    assert QUOTED not in everything

    # the file of the task's log: every line, across changes of the clocks
    (talk,) = [text for file, text in texts.items() if "task_id=talk" in str(file)]
    lines = [line for line in talk.splitlines() if re.search(r"line \d+", line)]
    assert len(lines) == 16
    assert check(stamps("\n".join(lines)), place.zone) == {timedelta(hours=1), timedelta(hours=2)}
    check([moment for line in talk.splitlines() for moment in stamps(line[:50])], place.zone)
    assert all(began <= moment <= ended for moment in stamps("\n".join(lines)))

    if AIRFLOW_3:
        check_cloudwatch(place, began, ended)

    # components
    for component in ("scheduler", "dag-processor" if AIRFLOW_3 else "scheduler"):
        (log,) = place.home.glob(f"{component}.log")
        text = re.sub(r"\x1b\[[0-9;]*m", "", log.read_text(errors="replace"))
        check([moment for line in text.splitlines() for moment in stamps(line[:50])], place.zone)

    # and nothing is wrong with the plugins
    listed = place.airflow.cli(["plugins", "-o", "json"])
    names = [one["name"] for one in json.loads(listed.stdout[listed.stdout.index("[{") :])]
    assert [name for name in PLUGINS if name not in names] == []  # pip brings two more
    if AIRFLOW_3 and not airflow_version().startswith("3.0"):  # which has no such list
        body = place.client.invoke_rest_api("test", "GET", "/plugins/importErrors").body
        assert body == {"import_errors": [], "total_entries": 0}
    assert list(place.client.list_import_errors("test")) == []
    assert "Failed to import plugin" not in "".join(
        file.read_text(errors="replace") for file in place.home.glob("*.log")
    )


def check_cloudwatch(place: Place, began: datetime, ended: datetime) -> None:
    """The moments are right; the text has no stamps."""
    said = [event for event in place.logs.events("task_id=talk") if re.search(r"line \d+", event["message"])]
    assert len(said) == 16
    for event in said:
        moment = datetime.fromtimestamp(event["timestamp"] / 1000, timezone.utc)
        assert began <= moment + timedelta(milliseconds=1) <= ended
    text = "\n".join(event["message"] for event in said)
    assert stamps(text) == []
    assert all("timestamp" not in json.loads(event["message"]) for event in said)
