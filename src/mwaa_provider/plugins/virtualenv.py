"""Lets ``PythonVirtualenvOperator`` and ``@task.virtualenv`` work on MWAA, on every release; option ``mwaa_provider.virtualenv``.

What a release does right is left alone. What is changed, in Airflow 2's ``airflow.utils.python_virtualenv`` and in the standard provider's
module of Airflow 3 (which can be installed on 2.x too), whichever a process imports:

- the command that makes the environment: ``venv`` where ``virtualenv`` is missing, and Airflow's own Python where the release takes the
  first ``python`` on the ``PATH``, or whatever uv finds;
- whether uv is used: not where pip's settings name an index or a constraint, which uv does not read;
- what is run to make it: without pip's ``--user``, with caches that can be written, with the wheels and the constraint of our options.
"""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Mapping
from typing import Any

from airflow.plugins_manager import AirflowPlugin

from mwaa_provider.airflow_compat import AIRFLOW_3
from mwaa_provider.plugins import options, venv_cache, venv_commands, venv_secrets
from mwaa_provider.plugins.patching import load, replace, when_imported
from mwaa_provider.plugins.report import Report
from mwaa_provider.plugins.venv_settings import VenvSettings

log = logging.getLogger("mwaa_provider.plugins")

NAME = "mwaa_provider_virtualenv"

UTILS = "airflow.utils.python_virtualenv"
OPERATOR = "airflow.operators.python"
STANDARD_PROVIDER = "airflow.providers.standard.utils.python_virtualenv"


class MwaaVirtualenvPlugin(AirflowPlugin):
    """Repairs ``PythonVirtualenvOperator`` and ``@task.virtualenv``."""

    name = NAME

    @classmethod
    def on_load(cls, *args: Any, **kwargs: Any) -> None:
        """Repair what is broken, if ``mwaa_provider.virtualenv`` is true.

        :param args: What Airflow may hand over one day.
        :param kwargs: The same.
        """
        load(NAME, "virtualenv", apply)


def apply(report: Report) -> None:
    """Repair what is broken, and say so.

    :param report: What was done.
    """
    if not options.flag("virtualenv", report):
        return
    report.configured = True
    settings = VenvSettings.configured(report)
    when_imported(report, UTILS, lambda module: _repair_making(module, settings, report))
    when_imported(report, STANDARD_PROVIDER, lambda module: _repair_making(module, settings, report))
    when_imported(report, OPERATOR, lambda module: _repair_operator(module, settings, report))
    report.changed.append("virtual environments are repaired where a process makes one")
    if venv_commands.is_installed("virtualenv"):
        report.left_alone.append("virtualenv, which is installed")
    elif venv_commands.has_venv():
        # Airflow 2's operator refuses to be made; Airflow 3's needs nothing before it runs, when plugins are loaded.
        report.too_late = "" if AIRFLOW_3 else "DAG files that are parsed before plugins are loaded"
    else:
        report.problems.append("neither virtualenv nor ensurepip is installed: add virtualenv to requirements.txt")


def _repair_making(module: Any, settings: VenvSettings, report: Report) -> None:
    known = (
        replace(report, module, "_generate_virtualenv_cmd", _with_venv_where_virtualenv_is_missing),
        replace(report, module, "_generate_venv_cmd", _with_own_python),
        replace(report, module, "_generate_uv_cmd", _with_own_python),
        replace(report, module, "_use_uv", lambda original: _unless_pip_is_told_more(original, settings)),
    )
    ran = [
        replace(report, module, name, lambda original: _repaired_run(original, settings))
        for name in ("execute_in_subprocess", "_execute_in_subprocess")
    ]
    if not any(known) or not any(ran):
        report.problems.append(f"{module.__name__} is unlike what this plugin knows, and is left as it is where it is")
        log.warning("%s", report.sentence())


def _repair_operator(module: Any, settings: VenvSettings, report: Report) -> None:
    replace(report, module, "is_venv_installed", lambda original: lambda: bool(original()) or venv_commands.has_venv())
    operator = getattr(module, "PythonVirtualenvOperator", None)
    if settings.cache_folder is None or operator is None:
        return
    if "venv_cache_path" in inspect.signature(operator.__init__).parameters:
        report.left_alone.append("caching: the operator has venv_cache_path in this release")
    else:
        replace(report, module, "prepare_virtualenv", lambda original: venv_cache.cached(original, settings))


def _with_venv_where_virtualenv_is_missing(original: Any) -> Any:
    def command(tmp_dir: str, python_bin: str | None, system_site_packages: bool) -> list[str]:
        if venv_commands.is_installed("virtualenv"):
            # From 2.8 on the release asks for "python", the first one on the PATH.
            python = python_bin and venv_commands.own_python_for(python_bin)
            made: list[str] = original(tmp_dir, python, system_site_packages)
            return made
        return venv_commands.venv_command(tmp_dir, python_bin, system_site_packages)

    return command


def _with_own_python(original: Any) -> Any:
    def command(tmp_dir: str, python_bin: str, system_site_packages: bool) -> list[str]:
        made: list[str] = original(tmp_dir, venv_commands.own_python_for(python_bin), system_site_packages)
        return made

    return command


def _unless_pip_is_told_more(original: Any, settings: VenvSettings) -> Any:
    def use_uv() -> bool:
        if not original():
            return False
        if settings.uv_is_asked_for():
            return True
        told = settings.only_pip_reads(os.environ)
        if told:
            log.info(
                "Making the virtual environment with pip and not with uv, which does not read pip's %s", ", ".join(told)
            )
        return not told

    return use_uv


def _repaired_run(original: Any, settings: VenvSettings) -> Any:
    takes_environment = "env" in inspect.signature(original).parameters

    def run(cmd: list[str], cwd: str | None = None, env: Mapping[str, str] | None = None) -> None:
        if not venv_commands.makes_environment(cmd):
            # The task's own program, on releases where both go through here.
            original(cmd, **({"cwd": cwd} if cwd is not None else {}), **({"env": env} if env is not None else {}))
            return
        given = os.environ if env is None else env
        environment, cmd = settings.environment(given, cmd), settings.command(cmd, given)
        cmd, environment = venv_secrets.moved_to_variables(cmd, environment)
        venv_secrets.mask(cmd, environment)
        if takes_environment:
            original(cmd, cwd=cwd, env=environment)
        else:
            from airflow.utils.process_utils import execute_in_subprocess_with_kwargs

            execute_in_subprocess_with_kwargs(cmd, cwd=cwd, env=environment)

    return run
