"""Sets and extends environment variables as a file beside the plugins says: what the guide's Hive and Oracle plugins do, as data."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from airflow.plugins_manager import AirflowPlugin

from mwaa_provider.airflow_compat import airflow_version, plugins_folder
from mwaa_provider.plugins import options
from mwaa_provider.plugins.patching import load
from mwaa_provider.plugins.report import Report
from mwaa_provider.plugins.variables_file import UnreadableFileError, read
from mwaa_provider.plugins.variables_plan import plan

NAME = "mwaa_provider_environment_variables"

#: What is looked for in the plugins folder where no option names a file.
DEFAULT_FILES = ("environment_variables.toml", "environment_variables.json")


class MwaaEnvironmentVariablesPlugin(AirflowPlugin):
    """Sets and extends environment variables."""

    name = NAME

    @classmethod
    def on_load(cls, *args: Any, **kwargs: Any) -> None:
        """Set what the file says, if there is one.

        :param args: What Airflow may hand over one day.
        :param kwargs: The same.
        """
        load(NAME, "environment_variables_file", apply)


def apply(report: Report) -> None:
    """Set and extend variables, and say so: their names, never their values.

    :param report: What was done.
    """
    file = _file()
    if file is None:
        return
    report.configured = True
    report.too_late = "what runs before plugins are loaded, such as the top of a DAG file"
    try:
        wishes = read(file)
    except UnreadableFileError as error:
        report.problems.append(str(error))
        return
    planned = plan(
        wishes,
        plugins=str(plugins_folder()),
        environment=dict(os.environ),
        component=os.environ.get("MWAA_AIRFLOW_COMPONENT"),
        airflow_version=airflow_version(),
    )
    report.problems += planned.problems
    changed = {name: value for name, value in planned.variables.items() if os.environ.get(name) != value}
    os.environ.update(changed)
    if "TZ" in changed:
        time.tzset()
    if changed:
        report.changed.append(f"{', '.join(sorted(changed))} set from {file}")
    there = sorted(planned.variables.keys() - changed.keys())
    if there:
        report.left_alone.append(f"{', '.join(there)}, which had that value already")
    if "LD_LIBRARY_PATH" in changed:
        report.left_alone.append(
            "LD_LIBRARY_PATH of this process itself, which the system read when it began: programs that it starts see the new one"
        )


def _file() -> Path | None:
    named = options.place("environment_variables_file")
    if named is not None:
        return plugins_folder() / named  # an absolute path stays as it is
    return next((plugins_folder() / name for name in DEFAULT_FILES if (plugins_folder() / name).is_file()), None)
