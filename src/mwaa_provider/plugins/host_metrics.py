"""Lets every worker that runs tasks publish its host's figures to CloudWatch; off by default.

The options are in the section ``[mwaa_provider]``, on MWAA set as configuration options (``mwaa_provider.host_metrics``): see
docs/metrics.md. Installed by pip, an entry point of this package has Airflow load it; in ``plugins.zip`` a thin file does.
"""

from __future__ import annotations

import logging
import os
from typing import Any

from airflow.configuration import conf
from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

log = logging.getLogger(__name__)

SECTION = "mwaa_provider"


class HostMetricsListener:
    """Is told by Airflow when a task begins and ends, in the task's own process, and by others where a person or the scheduler ends it.

    Its hooks take no further arguments: one that names ``error`` cannot be registered on Airflow 2.7.2, one that names ``session`` on 3.0.6
    and 3.2.1.

    :param settings: A :class:`mwaa_provider.metrics.listening.ListenerSettings`.
    """

    def __init__(self, settings: Any) -> None:
        self._settings = settings
        self._watch: Any = None
        self._key: tuple[object, ...] = ()

    @hookimpl
    def on_task_instance_running(self, previous_state: Any, task_instance: Any) -> None:
        """Begin, as the task does."""
        try:
            from mwaa_provider.metrics.listening import TaskWatch

            self._key = _key_of(task_instance)
            self._watch = TaskWatch(self._settings, task_instance.dag_id, task_instance.task_id)
            self._watch.begin()
        except Exception as error:
            _tell(error)

    @hookimpl
    def on_task_instance_success(self, previous_state: Any, task_instance: Any) -> None:
        """End with the task."""
        self._end(task_instance)

    @hookimpl
    def on_task_instance_failed(self, previous_state: Any, task_instance: Any) -> None:
        """End with the task."""
        self._end(task_instance)

    @hookimpl
    def on_task_instance_skipped(self, previous_state: Any, task_instance: Any) -> None:
        """End with the task; Airflow 3.2 and later tell."""
        self._end(task_instance)

    def _end(self, task_instance: Any) -> None:
        try:
            # The scheduler and the API server tell of tasks that ran elsewhere.
            if self._watch is not None and self._key == _key_of(task_instance):
                watch, self._watch = self._watch, None
                watch.finish()
        except Exception as error:
            _tell(error)


def _key_of(task_instance: Any) -> tuple[object, ...]:
    return (os.getpid(), *(getattr(task_instance, name, None) for name in ("dag_id", "task_id", "run_id", "map_index")))


def _tell(error: Exception) -> None:
    log.warning("mwaa_provider: the host's figures are not published: %s: %s", type(error).__name__, error)


def wanted_listeners() -> list[object]:
    """Return the listener, if the configuration asks for it; what is wrong with that is a line in the log, and leaves Airflow as it was."""
    try:
        if not any(conf.getboolean(SECTION, option, fallback=False) for option in ("host_metrics", "task_metrics")):
            return []
        settings = read_settings()
        if problems := settings.problems():
            log.error("mwaa_provider: the host's figures are not published: [%s] %s", SECTION, "; ".join(problems))
            return []
        return [HostMetricsListener(settings)]
    except Exception as error:
        _tell(error)
        return []


def read_settings() -> Any:
    """Read the section ``[mwaa_provider]``.

    :raises ValueError: if an option is no number, or neither true nor false.
    """
    from mwaa_provider.metrics.host import CATEGORIES
    from mwaa_provider.metrics.listening import ListenerSettings

    default = ListenerSettings()
    categories = conf.get(SECTION, "host_metrics_categories", fallback="") or ""
    return ListenerSettings(
        host_metrics=conf.getboolean(SECTION, "host_metrics", fallback=False),
        task_metrics=conf.getboolean(SECTION, "task_metrics", fallback=False),
        interval=conf.getfloat(SECTION, "metrics_interval", fallback=default.interval),
        timeout=conf.getfloat(SECTION, "metrics_timeout", fallback=default.timeout),
        task_series=conf.getint(SECTION, "task_metrics_series", fallback=default.task_series),
        namespace=conf.get(SECTION, "metrics_namespace", fallback=default.namespace),
        storage_resolution=conf.getint(SECTION, "metrics_storage_resolution", fallback=default.storage_resolution),
        environment_name=conf.get(SECTION, "metrics_environment_name", fallback="") or "",
        region_name=conf.get(SECTION, "metrics_region", fallback="") or "",
        categories=tuple(one.strip() for one in categories.split(",") if one.strip()) or CATEGORIES,
    )


class MwaaHostMetricsPlugin(AirflowPlugin):
    """Brings the listener, where it is switched on."""

    name = "mwaa_provider_host_metrics"
    listeners = wanted_listeners()
