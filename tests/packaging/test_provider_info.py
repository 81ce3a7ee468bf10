"""Airflow discovers the provider, and the connection type ``aws`` stays the amazon provider's."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import airflow
import jsonschema
import pytest
from packaging.requirements import Requirement

import mwaa_provider
from mwaa_provider.get_provider_info import get_provider_info
from tests.support.processes import in_fresh_interpreter

DISCOVER = """
from airflow.providers_manager import ProvidersManager

manager = ProvidersManager()
hook = manager.hooks["aws"]
widgets = [name for name in manager.connection_form_widgets if name.startswith("extra__aws__")]
provider = manager.providers.get("airflow-provider-mwaa")
answer = {
    "version": provider and provider.version,
    "aws": [hook.hook_class_name, hook.package_name],
    "widgets_of_others": [name for name in widgets if "mwaa" in manager.connection_form_widgets[name].hook_class_name],
}
"""


@pytest.fixture
def installed():
    """Skip where only the source is on the path: discovery goes by what is installed."""
    try:
        return metadata.distribution("airflow-provider-mwaa")
    except metadata.PackageNotFoundError:
        pytest.skip("airflow-provider-mwaa is not installed here (scripts/test installs it)")


def test_it_is_valid_against_the_schema_that_airflow_ships():
    schema = json.loads((Path(airflow.__file__).parent / "provider_info.schema.json").read_text())
    jsonschema.validate(get_provider_info(), schema)


def test_the_modules_it_names_exist():
    info = get_provider_info()
    source = Path(mwaa_provider.__file__).parent.parent
    named = [
        module
        for kind in ("hooks", "operators", "sensors")
        for entry in info.get(kind, [])
        for module in entry["python-modules"]
    ]
    assert [name for name in named if not source.joinpath(*name.split(".")).with_suffix(".py").exists()] == []


def test_airflow_finds_it_and_the_aws_connection_is_untouched(installed, tmp_path):
    assert in_fresh_interpreter(DISCOVER, None, tmp_path) == {
        "version": mwaa_provider.__version__,
        "aws": ["airflow.providers.amazon.aws.hooks.base_aws.AwsGenericHook", "apache-airflow-providers-amazon"],
        "widgets_of_others": [],
    }


def test_the_entry_point_leads_to_the_function(installed):
    (entry_point,) = (point for point in installed.entry_points if point.group == "apache_airflow_provider")
    assert entry_point.load() is get_provider_info


def test_nothing_that_we_bring_asks_for_watchtower(installed):
    # MWAA installs its own watchtower over everything. The amazon provider asks for one; nobody else may.
    who = {
        distribution.metadata["Name"]
        for distribution in metadata.distributions()
        if any(_is_for_watchtower(Requirement(line)) for line in distribution.requires or () if "watchtower" in line)
    }
    assert who - {"apache-airflow-providers-amazon"} == set()


def _is_for_watchtower(requirement: Requirement) -> bool:
    """Whether it asks for watchtower as it is installed here, that is, not only with an extra."""
    return requirement.name == "watchtower" and (
        requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    )


@pytest.mark.patient
def test_airflows_own_command_tells_of_it(installed, tmp_path):
    told = json.loads(airflow_command(tmp_path, "providers", "get", "airflow-provider-mwaa", "-o", "json"))
    assert [(one["Provider"], one["Version"]) for one in told] == [("airflow-provider-mwaa", mwaa_provider.__version__)]


@pytest.mark.patient
def test_airflows_own_command_lists_the_options(installed, tmp_path):
    listed = airflow_command(tmp_path, "config", "list", "--section", "mwaa_provider", "--include-descriptions")
    options = get_provider_info()["config"]["mwaa_provider"]["options"]
    # 3.3 shows the defaults of no provider's options here, but has them.
    assert re.findall(r"^(?:# )?(\w+) = ", listed, re.MULTILINE) == list(options)
    assert [name for name, option in options.items() if option["description"].split(";")[0] not in listed] == []
    default = options["metrics_interval"]["default"]
    assert airflow_command(tmp_path, "config", "get-value", "mwaa_provider", "metrics_interval").split() == [default]


def airflow_command(home, *arguments):
    """What ``airflow`` prints to standard output, in a home of its own, without the lines of its log that 3.0 writes there, too."""
    done = subprocess.run(
        [sys.executable, "-m", "airflow", *arguments],
        env={**os.environ, "AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return "".join(line for line in done.stdout.splitlines(keepends=True) if not re.match(r"\[\d{4}-\d\d-\d\dT", line))
