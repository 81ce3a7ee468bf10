"""The metrics that MWAA itself publishes: one table, with unit, dimensions and the releases that have them.

Namespace ``AmazonMWAA``: Airflow's own, https://docs.aws.amazon.com/mwaa/latest/userguide/access-metrics-cw-202.html
Namespace ``AWS/MWAA``: containers, queue, database, load balancer,
https://docs.aws.amazon.com/mwaa/latest/userguide/accessing-metrics-cw-container-queue-db.html
All of them carry the dimension ``Environment`` too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from mwaa_provider.exceptions import InvalidInputError

AIRFLOW, SERVICE = "AmazonMWAA", "AWS/MWAA"
Release = tuple[int, ...]

#: What a statistic of a metric of that kind usually is.
_USUAL_STATISTIC = {"counter": "Sum", "gauge": "Average", "timer": "Average"}
#: Above every number that a release has.
_ANY = 999
#: Airflow 2 at its end; what is "not 3" ends here.
_LAST_OF_2: Release = (2, _ANY)


@dataclass(frozen=True)
class AwsMetric:
    """A metric that MWAA publishes.

    :param name: Its name in CloudWatch.
    :param kind: Whether it counts, tells a state, or times.
    :param unit: Its unit.
    :param namespace: ``AmazonMWAA`` or ``AWS/MWAA``.
    :param airflow_name: Airflow's name of it; empty for those of the service.
    :param fixed: Dimensions that always have this value; ``All`` is a value like any other.
    :param open: Dimensions whose values tell its series apart.
    :param since: The first release that has it; all by default.
    :param until: The last release that has it; no end by default.
    """

    name: str
    kind: Literal["counter", "gauge", "timer"]
    unit: str
    namespace: str = AIRFLOW
    airflow_name: str = ""
    fixed: Mapping[str, str] = field(default_factory=dict)
    open: tuple[str, ...] = ()
    since: Release | None = None
    until: Release | None = None

    @property
    def usual_statistic(self) -> str:
        """The statistic that is asked for if none is named."""
        return _USUAL_STATISTIC[self.kind]

    def exists_in(self, airflow_version: str) -> bool:
        """Tell whether an Airflow release has it.

        :param airflow_version: The release, ``2.10.3`` for example.
        """
        release = release_of(airflow_version)
        return (self.since is None or release >= self.since) and (self.until is None or release <= self.until)

    @property
    def releases(self) -> str:
        """The releases that have it, in words."""
        since = "" if self.since is None else _written(self.since)
        if self.until is None:
            return f"{since} and later" if since else "all"
        until = "2.x" if self.until == _LAST_OF_2 else _written(self.until)
        return f"{since} to {until}" if since else f"up to {until}"


def release_of(airflow_version: str) -> Release:
    """Return a release as numbers that can be compared.

    :param airflow_version: The release, ``2.10.3`` for example.
    """
    return tuple(int(part) for part in airflow_version.split(".")[:3] if part.isdigit())


def _written(release: Release) -> str:
    return ".".join(str(part) for part in release if part != _ANY)


def _table(kind: Literal["counter", "gauge", "timer"], unit: str, text: str) -> tuple[AwsMetric, ...]:
    """Read lines of ``CloudWatch name | Airflow name | dimensions | releases | unit, if another``."""
    metrics = []
    for line in text.strip().splitlines():
        name, airflow_name, dimensions, releases, own_unit = (cell.strip() for cell in line.split("|"))
        pairs = [one.strip().partition("=") for one in dimensions.split(",")]
        since, _, until = releases.partition("-")
        metrics.append(
            AwsMetric(
                name,
                kind,
                own_unit or unit,
                AIRFLOW,
                airflow_name,
                fixed={dimension: value for dimension, equals, value in pairs if equals},
                open=tuple(dimension for dimension, equals, _ in pairs if not equals),
                since=release_of(since) if since else None,
                until=_LAST_OF_2 if until == "2.x" else release_of(until) if until else None,
            )
        )
    return tuple(metrics)


_COUNTERS = _table(
    "counter",
    "Count",
    """
    SLAMissed | sla_missed | Function=Scheduler | 2.4.3-2.10.3 |
    FailedSLACallback | sla_callback_notification_failure | Function=Scheduler | 2.4.3-2.10.3 |
    Updates | dataset.updates | Function=Scheduler | 2.6.3 |
    Orphaned | dataset.orphaned | Function=Scheduler | 2.6.3 |
    FailedCeleryTaskExecution | celery.execute_command.failure | Function=Celery | 2.4.3 |
    FilePathQueueUpdateCount | dag_processing.file_path_queue_update_count | Function=Scheduler | 2.6.3 |
    CriticalSectionBusy | scheduler.critical_section_busy | Function=Scheduler |  |
    DagBagSize | dagbag_size | Function=DAG Processing |  |
    DagCallbackExceptions | dag.callback_exceptions | DAG=All |  |
    FailedSLAEmailAttempts | sla_email_notification_failure | Function=Scheduler | -2.x |
    TaskInstanceFinished | ti.finish.{dag_id}.{task_id}.{state} | DAG, Task, State |  |
    JobEnd | {job_name}_end | Job |  |
    JobHeartbeatFailure | {job_name}_heartbeat_failure | Job |  |
    JobStart | {job_name}_start | Job |  |
    ManagerStalls | dag_processing.manager_stalls | Function=DAG Processing |  |
    OperatorFailures | operator_failures_{operator_name} | Operator |  |
    OperatorSuccesses | operator_successes_{operator_name} | Operator |  |
    OtherCallbackCount | dag_processing.other_callback_count | Function=Scheduler | 2.6.3 |
    Processes | dag_processing.processes | Function=DAG Processing |  |
    SchedulerHeartbeat | scheduler_heartbeat | Function=Scheduler |  |
    StartedTaskInstances | ti.start.{dag_id}.{task_id} | DAG=All, Task=All |  |
    SlaCallbackCount | dag_processing.sla_callback_count | Function=Scheduler | 2.6.3 |
    TasksKilledExternally | scheduler.tasks.killed_externally | Function=Scheduler |  |
    TaskTimeoutError | celery.task_timeout_error | Function=Celery |  |
    TaskInstanceCreatedUsingOperator | task_instance_created-{operator_name} | Operator |  |
    TaskInstancePreviouslySucceeded | previously_succeeded | DAG=All, Task=All |  |
    TaskInstanceFailures | ti_failures | DAG=All, Task=All |  |
    TaskInstanceSuccesses | ti_successes | DAG=All, Task=All |  |
    TaskRemovedFromDAG | task_removed_from_dag.{dag_id} | DAG |  |
    TaskRestoredToDAG | task_restored_to_dag.{dag_id} | DAG |  |
    TriggersSucceeded | triggers.succeeded | Function=Trigger | 2.7.2 |
    TriggersFailed | triggers.failed | Function=Trigger | 2.7.2 |
    TriggersBlockedMainThread | triggers.blocked_main_thread | Function=Trigger | 2.7.2 |
    TriggerHeartbeat | triggerer_heartbeat | Function=Triggerer | 2.8.1 |
    ZombiesKilled | zombies_killed | DAG=All, Task=All |  |
    """,
)

_GAUGES = _table(
    "gauge",
    "Count",
    """
    DAGFileRefreshError | dag_file_refresh_error | Function=DAG Processing |  |
    ImportErrors | dag_processing.import_errors | Function=DAG Processing |  |
    ExceptionFailures | smart_sensor_operator.exception_failures | Function=Smart Sensor Operator |  |
    ExecutedTasks | smart_sensor_operator.executed_tasks | Function=Smart Sensor Operator |  |
    InfraFailures | smart_sensor_operator.infra_failures | Function=Smart Sensor Operator |  |
    LoadedTasks | smart_sensor_operator.loaded_tasks | Function=Smart Sensor Operator |  |
    PokedExceptions | smart_sensor_operator.poked_exception | Function=Smart Sensor Operator |  |
    PokedSuccess | smart_sensor_operator.poked_success | Function=Smart Sensor Operator |  |
    PokedTasks | smart_sensor_operator.poked_tasks | Function=Smart Sensor Operator |  |
    TotalParseTime | dag_processing.total_parse_time | Function=DAG Processing |  | Seconds
    TriggeredDagRuns | dataset.triggered_dagruns | Function=Scheduler | 2.6.3 |
    TriggersRunning | triggers.running.{hostname} | Function=Trigger, HostName | 2.7.2 |
    PoolDeferredSlots | pool.deferred_slots.{pool_name} | Pool | 2.7.2 |
    DAGFileProcessingLastRunSecondsAgo | dag_processing.last_run.seconds_ago.{dag_filename} | DAG Filename |  | Seconds
    OpenSlots | executor.open_slots | Function=Executor |  |
    OrphanedTasksAdopted | scheduler.orphaned_tasks.adopted | Function=Scheduler |  |
    OrphanedTasksCleared | scheduler.orphaned_tasks.cleared | Function=Scheduler |  |
    PoolFailures | pool.open_slots.{pool_name} | Pool |  |
    PoolStarvingTasks | pool.starving_tasks.{pool_name} | Pool |  |
    PoolOpenSlots | pool.open_slots.{pool_name} | Pool |  |
    PoolQueuedSlots | pool.queued_slots.{pool_name} | Pool |  |
    PoolRunningSlots | pool.running_slots.{pool_name} | Pool |  |
    PoolScheduledSlots | pool.scheduled_slots.{pool_name} | Pool | 2.10.1 |
    ProcessorTimeouts | dag_processing.processor_timeouts | Function=DAG Processing |  |
    QueuedTasks | executor.queued_tasks | Function=Executor |  |
    RunningTasks | executor.running_tasks | Function=Executor |  |
    TasksExecutable | scheduler.tasks.executable | Function=Scheduler |  |
    TasksPending | scheduler.tasks.pending | Function=Scheduler | -2.1.999 |
    TasksRunning | scheduler.tasks.running | Function=Scheduler |  |
    TasksStarving | scheduler.tasks.starving | Function=Scheduler |  |
    TasksWithoutDagRun | scheduler.tasks.without_dagrun | Function=Scheduler |  |
    DAGFileProcessingLastNumOfDbQueries | dag_processing.last_num_of_db_queries.{dag_filename} | DAG Filename | 2.10.1 |
    TaskCpuUsage | cpu.usage.{dag_id}.{task_id} | DAG, Task | 2.10.1 | Percent
    TaskMemoryUsage | mem.usage.{dag_id}.{task_id} | DAG, Task | 2.10.1 | Percent
    """,
)

_TIMERS = _table(
    "timer",
    "Milliseconds",
    """
    CollectDBDags | collect_db_dags | Function=DAG Processing |  |
    CriticalSectionDuration | scheduler.critical_section_duration | Function=Scheduler |  |
    CriticalSectionQueryDuration | scheduler.critical_section_query_duration | Function=Scheduler | 2.5.1 |
    DAGDependencyCheck | dagrun.dependency-check.{dag_id} | DAG |  |
    DAGDurationFailed | dagrun.duration.failed.{dag_id} | DAG |  |
    DAGDurationSuccess | dagrun.duration.success.{dag_id} | DAG |  |
    DAGFileProcessingLastDuration | dag_processing.last_duration.{dag_filename} | DAG Filename |  | Seconds
    DAGScheduleDelay | dagrun.schedule_delay.{dag_id} | DAG |  |
    FirstTaskSchedulingDelay | dagrun.{dag_id}.first_task_scheduling_delay | DAG |  |
    SchedulerLoopDuration | scheduler.scheduler_loop_duration | Function=Scheduler | 2.5.1 |
    TaskInstanceDuration | dag.{dag_id}.{task_id}.duration | DAG, Task |  |
    TaskInstanceQueuedDuration | dag.{dag_id}.{task_id}.queued_duration | DAG, Task | 2.7.2 |
    TaskInstanceScheduledDuration | dag.{dag_id}.{task_id}.scheduled_duration | DAG, Task | 2.7.2 |
    """,
)

#: The components of the dimension ``Cluster``, and the roles of ``DatabaseRole``.
CLUSTERS = ("Scheduler", "BaseWorker", "AdditionalWorker", "WebServer", "AdditionalWebservers")
DATABASE_ROLES = ("WRITER", "READER")

# The guide says that these are by component and by database instance, and does not name the dimensions; the names are those that dashboards
# in use have. CloudWatch has no unit for "per five minutes".
_OF_THE_SERVICE = (
    AwsMetric("CPUUtilization", "gauge", "Percent", SERVICE, open=("Cluster",)),
    AwsMetric("MemoryUtilization", "gauge", "Percent", SERVICE, open=("Cluster",)),
    AwsMetric("CPUUtilization", "gauge", "Percent", SERVICE, open=("DatabaseRole",)),
    AwsMetric("DatabaseConnections", "gauge", "Count", SERVICE, open=("DatabaseRole",)),
    AwsMetric("DiskQueueDepth", "gauge", "Count", SERVICE, open=("DatabaseRole",)),
    AwsMetric("FreeableMemory", "gauge", "Bytes", SERVICE, open=("DatabaseRole",)),
    AwsMetric("VolumeWriteIOPS", "gauge", "Count", SERVICE, open=("DatabaseRole",)),
    AwsMetric("WriteIOPS", "gauge", "Count/Second", SERVICE, open=("DatabaseRole",)),
    AwsMetric("WriteLatency", "gauge", "Seconds", SERVICE, open=("DatabaseRole",)),
    AwsMetric("WriteThroughput", "gauge", "Bytes/Second", SERVICE, open=("DatabaseRole",)),
    AwsMetric("ApproximateAgeOfOldestTask", "gauge", "Seconds", SERVICE),
    AwsMetric("RunningTasks", "gauge", "Count", SERVICE),
    AwsMetric("QueuedTasks", "gauge", "Count", SERVICE),
    AwsMetric("ActiveConnectionCount", "counter", "Count", SERVICE),
)

AWS_METRICS: tuple[AwsMetric, ...] = (*_COUNTERS, *_GAUGES, *_TIMERS, *_OF_THE_SERVICE)


def find_metric(name: str, *, namespace: str | None = None, dimensions: Mapping[str, str] | None = None) -> AwsMetric:
    """Return a metric of the table.

    :param name: Its name in CloudWatch.
    :param namespace: ``AmazonMWAA`` or ``AWS/MWAA`` (default: whichever has it, Airflow's before the service's).
    :param dimensions: The dimensions that are asked for; all that the metric leaves open, and no others.
    :raises InvalidInputError: if there is none of that name, or it has other dimensions.
    """
    given = set(dimensions or ())
    named = [one for one in AWS_METRICS if one.name == name and namespace in (None, one.namespace)]
    if not named:
        where = f"{AIRFLOW} or {SERVICE}" if namespace is None else namespace
        raise InvalidInputError(
            [f"metric: {name!r} is none that MWAA publishes in {where}; mwaa_provider.metrics.aws_metrics lists them"]
        )
    found = next((one for one in named if set(one.open) == given), None)
    if found is None:
        wanted = " or ".join(dict.fromkeys(", ".join(one.open) or "no dimension" for one in named))
        raise InvalidInputError(
            [f"dimensions: {name} ({named[0].namespace}) takes {wanted}, not {', '.join(sorted(given)) or 'none'}"]
        )
    return found
