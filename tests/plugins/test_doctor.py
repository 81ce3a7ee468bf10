"""``mwaa plugins doctor``: the whole of what it prints, about a process of its own with this release."""

from __future__ import annotations

import re
import sys

from mwaa_provider import __version__
from mwaa_provider.airflow_compat import AIRFLOW_3, airflow_version
from tests.support.command import run_mwaa

PATCHED = (
    """\
  patched: airflow.providers.standard.utils.python_virtualenv._generate_venv_cmd
  patched: airflow.providers.standard.utils.python_virtualenv._generate_uv_cmd
  patched: airflow.providers.standard.utils.python_virtualenv._use_uv
  patched: airflow.providers.standard.utils.python_virtualenv.RUN
"""
    if AIRFLOW_3
    else """\
  patched: airflow.utils.python_virtualenv._generate_virtualenv_cmd
  patched: airflow.utils.python_virtualenv.execute_in_subprocess
  patched: airflow.operators.python.is_venv_installed
  core.lazy_load_plugins is True: set it to False, or this comes too late for DAG files that are parsed before plugins are loaded
"""
)


def test_what_it_prints(tmp_path):
    (tmp_path / "broken.py").write_text("import there_is_no_such_module\n")
    ended = run_mwaa(
        ["plugins", "doctor"],
        {
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(tmp_path),
            "AIRFLOW__MWAA_PROVIDER__VIRTUALENV": "True",
            "AIRFLOW__MWAA_PROVIDER__LOG_TIME_ZONE": "Berlin",
            "MWAA_AIRFLOW_COMPONENT": "worker",
        },
    )
    source = f"airflow-provider-mwaa=={__version__}"
    printed = (
        re.sub(r"\._?execute_in_subprocess$", ".RUN", ended.stdout, flags=re.MULTILINE) if AIRFLOW_3 else ended.stdout
    )
    # Other plugins of ours may be listed as well.
    assert printed.startswith(
        f"Airflow {airflow_version()}, Python {'.'.join(map(str, sys.version_info[:3]))}, component worker\n"
        f"Plugins folder: {tmp_path}\n"
        "core.lazy_load_plugins: True\n\n"
    )
    rows = re.findall(r"^(virtualenv|log_time_zone|environment_variables) +(\S+) +(\S+)$", printed, re.MULTILINE)
    assert sorted(rows) == [
        ("environment_variables", "off", source),
        ("log_time_zone", "PROBLEM", source),
        ("virtualenv", "on" if AIRFLOW_3 else "late", source),
    ]
    paragraphs = printed.split("\n\n")
    assert "environment_variables: off; mwaa_provider.environment_variables_file is not set" in paragraphs
    assert (
        "log_time_zone:\n"
        "  PROBLEM: mwaa_provider.log_time_zone is 'Berlin', which is no time zone, so logs are stamped as before. "
        "Did you mean Europe/Berlin?\n"
        "  core.lazy_load_plugins is True: set it to False, or this comes too late for the lines that are logged before plugins are loaded"
    ) in paragraphs
    assert (
        f"virtualenv:\n  virtual environments are repaired where a process makes one\n{PATCHED}".rstrip("\n")
        in paragraphs
    )
    assert paragraphs[-1] == f"Import error of {tmp_path}/broken.py: No module named 'there_is_no_such_module'\n"
    assert ended.status == 5
