"""``mwaa plugins doctor``."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from mwaa_provider.cli.exit_status import ERRORS_FOUND
from mwaa_provider.cli.output import print_json, print_table

#: Seconds. Loading Airflow and its plugins takes a tenth of that.
_PATIENCE = 180


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> None:
    """Say what our plugins do in this Airflow, and what not and why.

    Loads plugins as Airflow does, in a process of its own, with the configuration of this one: the environment variables
    (AIRFLOW__MWAA_PROVIDER__...), airflow.cfg and the plugins folder. On MWAA, run it in a task: a BashOperator with
    bash_command="mwaa plugins doctor" tells about the worker.

    Ends with 5 if something that is configured could not be done, or a plugin could not be imported.
    """
    found = _examined()
    if as_json:
        print_json(found)
    else:
        _print(found)
    if found["import_errors"] or any(plugin["problems"] for plugin in found["plugins"]):
        context.exit(ERRORS_FOUND)


def _examined() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "answer.json")
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "mwaa_provider.plugins.doctor", str(answer)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_PATIENCE,
        )
        if not answer.exists():
            last = done.stdout.strip().splitlines()[-1:] or ["it said nothing"]
            raise click.ClickException(f"Airflow could not be asked with {sys.executable}: {last[0]}")
        found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
        return found


def _print(found: dict[str, Any]) -> None:
    click.echo(
        f"Airflow {found['airflow']}, Python {found['python']}, component {found['component'] or 'not told (not on MWAA)'}\n"
        f"Plugins folder: {found['plugins_folder']}\n"
        f"core.lazy_load_plugins: {found['lazy_load_plugins']}\n"
    )
    rows = [
        (_short(plugin["plugin"]), _state(plugin), plugin["source"].partition(": ")[0] or "-")
        for plugin in found["plugins"]
    ]
    rows += [(_short(name), "not here", "-") for name in found["not_loaded"]]
    print_table(("plugin", "state", "loaded from"), rows)
    for plugin in found["plugins"]:
        for line in _lines(plugin):
            click.echo(line)
    for source, error in found["import_errors"].items():
        click.echo(f"\nImport error of {source}: {error}")


def _short(name: str) -> str:
    return name.removeprefix("mwaa_provider_")


def _state(plugin: dict[str, Any]) -> str:
    if plugin["problems"]:
        return "PROBLEM"
    return ("late" if plugin["lazy"] else "on") if plugin["configured"] else "off"


def _lines(plugin: dict[str, Any]) -> list[str]:
    if not plugin["configured"] and not plugin["problems"]:
        return [f"\n{_short(plugin['plugin'])}: off; mwaa_provider.{plugin['option']} is not set"]
    lines = [f"\n{_short(plugin['plugin'])}:"]
    for title, key in (
        ("", "changed"),
        ("patched: ", "patched"),
        ("left alone: ", "left_alone"),
        ("PROBLEM: ", "problems"),
    ):
        lines += [f"  {title}{text}" for text in plugin[key]]
    return [*lines, *([f"  {plugin['lazy']}"] if plugin["lazy"] else [])]
