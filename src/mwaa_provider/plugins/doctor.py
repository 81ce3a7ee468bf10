"""What ``mwaa plugins doctor`` asks in a process of its own: loads the plugins as Airflow does, and tells what came of it.

``python -m mwaa_provider.plugins.doctor FILE`` writes it to the file, as JSON: what Airflow prints goes elsewhere.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from mwaa_provider.airflow_compat import airflow_version, loaded_plugins, plugins_folder
from mwaa_provider.plugins.report import loads_lazily, reports


def examine() -> dict[str, Any]:
    """Load the plugins and tell what was done."""
    plugins, import_errors = loaded_plugins()
    for report in list(reports.values()):
        for module in report.waiting:
            try:
                import_module(module)
            except Exception as error:
                report.problems.append(f"{module} cannot be imported: {type(error).__name__}: {error}")
    return {
        "airflow": airflow_version(),
        "python": ".".join(map(str, sys.version_info[:3])),
        "plugins_folder": str(plugins_folder()),
        "component": os.environ.get("MWAA_AIRFLOW_COMPONENT"),
        "lazy_load_plugins": loads_lazily(),
        "plugins": [
            {**asdict(report), "lazy": report.lazy, "source": plugins.get(report.plugin, "")}
            for report in reports.values()
        ],
        "not_loaded": [name for name in _OURS if name not in reports],
        "import_errors": import_errors,
    }


_OURS = ("mwaa_provider_virtualenv", "mwaa_provider_log_time_zone", "mwaa_provider_environment_variables")


def main() -> None:
    """Write what was found to the file that the command line names."""
    Path(sys.argv[1]).write_text(json.dumps(examine()), encoding="utf-8")


if __name__ == "__main__":
    main()
