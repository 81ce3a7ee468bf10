"""What a worker's task processes do beside their tasks: publish the host's figures once per interval, and leave what the task has used.

All of it happens in one thread of the task's process. The task itself waits for it at its end only, if values are just on their way, and no
longer than it is allowed to.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mwaa_provider.client import input_checks
from mwaa_provider.exceptions import MwaaError
from mwaa_provider.metrics.cloudwatch import new_cloudwatch_client
from mwaa_provider.metrics.host import CATEGORIES, CPU_INTERVAL, CpuReading, HostSampler
from mwaa_provider.metrics.model import NAMESPACE, check_namespace, check_storage_resolution
from mwaa_provider.metrics.naming import environment_name_of
from mwaa_provider.metrics.publishing import MetricPublisher
from mwaa_provider.metrics.task_figures import TaskFigures, TaskMeter, task_measurements
from mwaa_provider.metrics.turns import HostTurns

log = logging.getLogger(__name__)

#: A reading of the processors over less time than this, in seconds, says nothing.
_LEAST_CPU_INTERVAL = 0.1


@dataclass(frozen=True)
class ListenerSettings:
    """What the section ``[mwaa_provider]`` says of the listener.

    :param host_metrics: Whether figures of the host are published.
    :param task_metrics: Whether figures of each finished task are published.
    :param interval: Seconds between two publications of a host.
    :param timeout: Seconds that publishing may keep a task from its end.
    :param task_series: How many pairs of DAG and task of a host have series of their own.
    :param namespace: The metrics' namespace.
    :param storage_resolution: 60 or 1.
    :param environment_name: The environment's name; empty for what the process's environment says.
    :param region_name: AWS region; empty for the environment's own.
    :param categories: The categories of host figures that are published.
    """

    host_metrics: bool = False
    task_metrics: bool = False
    interval: float = 60.0
    timeout: float = 5.0
    task_series: int = 100
    namespace: str = NAMESPACE
    storage_resolution: int = 60
    environment_name: str = ""
    region_name: str = ""
    categories: tuple[str, ...] = CATEGORIES

    @property
    def is_on(self) -> bool:
        """Whether there is anything to do."""
        return self.host_metrics or self.task_metrics

    def problems(self) -> list[str]:
        """Tell what cannot be right, by the names of the options."""
        unknown = [one for one in self.categories if one not in CATEGORIES]
        return [
            *input_checks.check_seconds("metrics_interval", self.interval),
            *input_checks.check_seconds("metrics_timeout", self.timeout),
            *input_checks.check_count("task_metrics_series", self.task_series),
            *(f"metrics_{problem}" for problem in check_namespace(self.namespace)),
            *(f"metrics_{problem}" for problem in check_storage_resolution(self.storage_resolution)),
            *(f"host_metrics_categories: {one!r} is not one of {', '.join(CATEGORIES)}" for one in unknown),
            *(
                f"metrics_{problem}"
                for problem in self.environment_name and input_checks.check_environment_name(self.environment_name)
            ),
        ]


class TaskWatch:
    """One task in this process: what it uses, and the thread that publishes while it runs.

    :param settings: The settings.
    :param dag_id: The DAG's id.
    :param task_id: The task's id.
    """

    def __init__(self, settings: ListenerSettings, dag_id: str, task_id: str) -> None:
        self._settings = settings
        self._meter = TaskMeter(dag_id, task_id)
        self._publishing = _HostPublishing(settings)
        self._thread = threading.Thread(target=self._publishing.run, name="mwaa-host-metrics", daemon=True)

    def begin(self) -> None:
        """Begin to publish whenever it is this host's time."""
        self._thread.start()

    def finish(self) -> None:
        """Leave what the task has used; where a publication is under way, wait for it as long as the settings allow."""
        figures = self._meter.read(not_ours=_cpu_seconds_of(self._thread))  # while the thread is certainly there
        self._publishing.stop()
        if self._settings.task_metrics:
            self._publishing.leave(figures)
        if self._publishing.is_under_way:
            self._thread.join(self._settings.timeout)


class _HostPublishing:
    """Publishes this host's figures, turn by turn."""

    def __init__(self, settings: ListenerSettings) -> None:
        self._settings = settings
        self._ended = threading.Event()
        #: From before the first look, so that a task that ends at once waits for it.
        self.is_under_way = True

    @cached_property
    def _environment_name(self) -> str:
        return environment_name_of(self._settings.environment_name)

    @cached_property
    def _turns(self) -> HostTurns:
        return HostTurns(self._environment_name)

    def run(self) -> None:
        """Look once per interval whether it is this host's time, until the task has ended."""
        while True:
            self.is_under_way = True
            _say_what_fails(self._publish_if_due)
            self.is_under_way = False
            # Not all at the same moment, or always the same process; never more often than there is something to do.
            if self._ended.wait(self._settings.interval * random.uniform(0.9, 1.1)):  # noqa: S311 - not for cryptography
                return

    def stop(self) -> None:
        """Begin no further publication."""
        self._ended.set()

    def leave(self, figures: TaskFigures) -> None:
        """Leave a task's figures to whoever publishes next."""
        _say_what_fails(lambda: self._turns.leave(figures.to_json()))

    def _publish_if_due(self) -> None:
        if not self._turns.is_due(time.monotonic(), self._settings.interval):
            return
        sampler = HostSampler(
            self._environment_name,
            categories=self._settings.categories if self._settings.host_metrics else (),
            clock=_ShortSleep(self._ended),
        )
        turn = self._turns.take(sampler.read_cpu(), self._settings.interval)
        if turn is not None:
            self._publish(sampler, turn.since)

    def _publish(self, sampler: HostSampler, since: CpuReading | None) -> None:
        measurements = sampler.sample(since) if self._settings.host_metrics else []
        left: list[dict[str, Any]] = []
        if self._settings.task_metrics:
            left = self._turns.fetch()
            figures = [one for one in map(TaskFigures.from_json, left) if one is not None]
            known = self._turns.admit([one.key for one in figures], self._settings.task_series)
            measurements += task_measurements(self._environment_name, figures, known)
        if not measurements:
            return
        try:
            self._publisher.publish(measurements)
        except MwaaError:
            self._turns.put_back(left)
            raise

    @cached_property
    def _publisher(self) -> MetricPublisher:
        from botocore.config import Config

        # The worker's own role, not an Airflow connection: on Airflow 3 a task's thread must not ask its supervisor for one.
        seconds = self._settings.timeout
        client = new_cloudwatch_client(
            region_name=self._settings.region_name or None,
            config=Config(connect_timeout=seconds, read_timeout=seconds, max_pool_connections=1),
        )
        return MetricPublisher(
            client,
            namespace=self._settings.namespace,
            storage_resolution=self._settings.storage_resolution,
            repeat=lambda call: call(),  # what fails is tried again an interval later, by whoever has the turn then
        )


class _ShortSleep:
    """The machine's clock, whose sleep ends when the task does."""

    def __init__(self, ended: threading.Event) -> None:
        self._ended = ended

    def monotonic(self) -> float:
        return time.monotonic()

    def time(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        began = time.monotonic()
        self._ended.wait(min(seconds, CPU_INTERVAL))
        time.sleep(max(0.0, _LEAST_CPU_INTERVAL - (time.monotonic() - began)))


def _cpu_seconds_of(thread: threading.Thread) -> float:
    """Return what our thread has used, which is not the task's; 0 where the system does not tell."""
    if thread.ident is None or not thread.is_alive() or not hasattr(time, "pthread_getcpuclockid"):
        return 0.0
    return time.clock_gettime(time.pthread_getcpuclockid(thread.ident))


def _say_what_fails(do: Callable[[], Any]) -> None:
    """Do it; what fails is a line in the log, never the task's failure. The turn is taken once per interval, and so is this said."""
    try:
        do()
    except MwaaError as error:
        log.warning("The figures of this host were not published: %s", error)
    except Exception as error:
        log.warning("The figures of this host were not published: %s: %s", type(error).__name__, error)
