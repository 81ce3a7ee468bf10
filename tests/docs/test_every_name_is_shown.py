"""Every public name is shown in an example: classes, functions, calls of the client, plugins, commands.

Public is what ``docs/reference`` explains (``tests/docs/shown.py`` reads it, and says what an example is and what follows from a name that
one imports), every call of ``MwaaClient``, and every command of ``mwaa``. Two kinds are shown elsewhere, since nobody imports them to write
a DAG:

- errors have a row each in ``docs/errors.md``, with what to do (``test_overview_pages.py``);
- a plugin is switched on by its option, so an example that names the option shows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from mwaa_provider.cli.group import mwaa
from mwaa_provider.get_provider_info import METADATA_API_OPTIONS, METRICS_OPTIONS, PLUGIN_OPTIONS
from tests.docs import shown

ROOT = Path(__file__).parents[2]
PLUGINS = {
    "mwaa_provider.plugins.environment_variables.MwaaEnvironmentVariablesPlugin": "environment_variables_file",
    "mwaa_provider.plugins.host_metrics.MwaaHostMetricsPlugin": "host_metrics",
    "mwaa_provider.plugins.log_time_zone.MwaaLogTimeZonePlugin": "log_time_zone",
    "mwaa_provider.plugins.metadata_api.MwaaMetadataApiPlugin": "metadata_api",
    "mwaa_provider.plugins.virtualenv.MwaaVirtualenvPlugin": "virtualenv",
}


def test_every_class_and_function_is_shown() -> None:
    elsewhere = {name for name in shown.public_names() if name.startswith("mwaa_provider.exceptions.")} | set(PLUGINS)
    names = set(shown.public_names()) - elsewhere
    assert len(names) > 100
    assert sorted(names - shown.shown()) == []


def test_a_name_that_no_example_imports_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = shown.imported() - {"mwaa_provider.sensors.task.MwaaTaskSensor"}
    monkeypatch.setattr(shown, "imported", lambda: wanted)
    missing = set(shown.public_names()) - shown.shown()
    assert "mwaa_provider.sensors.task.MwaaTaskSensor" in missing
    assert "mwaa_provider.triggers.task.MwaaTaskTrigger" in missing


def test_every_call_of_the_client_is_shown() -> None:
    calls = shown.methods("mwaa_provider.client.mwaa.MwaaClient")
    assert len(calls) > 50
    assert sorted(calls - shown.attributes_used()) == []


def test_every_plugin_is_shown_by_its_option() -> None:
    assert {name for name in shown.public_names() if ".plugins." in name and name.endswith("Plugin")} == set(PLUGINS)
    options = {**PLUGIN_OPTIONS, **METRICS_OPTIONS, **METADATA_API_OPTIONS}
    examples = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "example_dags").glob("*.py"))
    assert [option for option in PLUGINS.values() if option not in options] == []
    assert [option for option in PLUGINS.values() if not re.search(rf"\bmwaa_provider\.{option}\b", examples)] == []


def commands(command: click.Command, context: click.Context, path: str = "mwaa") -> Iterator[str]:
    if not isinstance(command, click.Group):
        yield path
        return
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        assert below is not None
        yield from commands(below, click.Context(below, parent=context), f"{path} {name}")


def test_every_command_is_shown() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    blocks = [
        block
        for page in pages
        for block in re.findall(r"```.*?\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    ]
    lines = "\n".join(blocks)
    names = list(commands(mwaa, click.Context(mwaa)))
    assert len(names) > 20
    assert [name for name in names if not re.search(rf"(?:^|\$ |\"){name}\b", lines, re.MULTILINE)] == []
