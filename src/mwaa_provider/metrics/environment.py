"""How an environment is: AWS's word, its Airflow's word, and how much is under way in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from itertools import islice
from typing import Any, NamedTuple

from mwaa_provider.client.clock import Clock, SystemClock
from mwaa_provider.client.models import ComponentHealth, Pool
from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.exceptions import MwaaError, NotFoundError, RestApiError, RestApiServerError, UnexpectedAnswerError
from mwaa_provider.metrics.model import Measurement, dimension_value

ACTIVE_RUN_STATES = ("queued", "running")
ENDED_RUN_STATES = ("success", "failed")
ACTIVE_TASK_STATES = ("scheduled", "queued", "running", "deferred", "up_for_retry", "up_for_reschedule")
#: Runs count as ended lately for this time.
LATELY = timedelta(hours=1)
#: The oldest of the queued tasks is looked for among so many. Airflow 3 lists them oldest first, Airflow 2 in any order.
MOST_QUEUED = 1000


class EnvironmentMetric(NamedTuple):
    """What a metric of an environment is.

    :param category: Its dimension ``Category``.
    :param unit: CloudWatch's unit.
    :param further: Its third dimension, empty for none.
    :param about: What it says.
    """

    category: str
    unit: str
    further: str
    about: str


#: Every metric of an environment, by name.
ENVIRONMENT_METRICS: dict[str, EnvironmentMetric] = {
    "environment_check_failed": EnvironmentMetric(
        "environment", "Count", "", "1 if the environment could not be looked at in full, else 0"
    ),
    "environment_available": EnvironmentMetric("environment", "Count", "", "1 if its status is AVAILABLE, else 0"),
    "environment_info": EnvironmentMetric(
        "environment", "Count", "AirflowVersion", "always 1; the dimension tells the version"
    ),
    "component_healthy": EnvironmentMetric(
        "health", "Count", "Component", "1 if the component says that it is healthy, else 0"
    ),
    "heartbeat_age": EnvironmentMetric(
        "health", "Seconds", "Component", "how long ago the component was last heard of"
    ),
    "dags": EnvironmentMetric("dags", "Count", "", "DAGs that the scheduler knows"),
    "dags_paused": EnvironmentMetric("dags", "Count", "", "those of them that are paused"),
    "import_errors": EnvironmentMetric("dags", "Count", "", "DAG files that do not parse"),
    "dag_runs": EnvironmentMetric("runs", "Count", "State", "runs that are queued, running"),
    "dag_runs_ended_last_hour": EnvironmentMetric(
        "runs", "Count", "State", "runs that ended within the last hour, well or failed"
    ),
    "task_instances": EnvironmentMetric(
        "tasks",
        "Count",
        "State",
        "task instances that are scheduled, queued, running, deferred, waiting for a retry or reschedule",
    ),
    "oldest_queued_task_age": EnvironmentMetric(
        "tasks", "Seconds", "", "for how long the oldest queued task has been queued; 0 if there is none"
    ),
    "pool_slots": EnvironmentMetric("pools", "Count", "Pool", "slots of the pool; -1 for no limit"),
    "pool_open_slots": EnvironmentMetric("pools", "Count", "Pool", "those that are free"),
    "pool_running_slots": EnvironmentMetric("pools", "Count", "Pool", "those that running tasks hold"),
    "pool_queued_slots": EnvironmentMetric("pools", "Count", "Pool", "those that queued tasks hold"),
    "pool_scheduled_slots": EnvironmentMetric("pools", "Count", "Pool", "slots that tasks wait for"),
    "database_size": EnvironmentMetric("database", "Bytes", "", "size of the metadata database"),
    "table_size": EnvironmentMetric("database", "Bytes", "Table", "size of a table, indexes included"),
    "table_rows": EnvironmentMetric("database", "Count", "Table", "rows of a table, as PostgreSQL estimates them"),
    "table_dead_rows": EnvironmentMetric(
        "database", "Count", "Table", "rows that are gone, and whose space is not free yet; an estimate"
    ),
    "oldest_run_age": EnvironmentMetric("database", "Seconds", "", "how long ago the oldest run began"),
}


@dataclass(frozen=True)
class Component:
    """How a component of an Airflow is.

    :param status: ``healthy`` or ``unhealthy``; ``None`` if there is none of its own.
    :param heartbeat_age: Seconds since it was last heard of; ``None`` if it has no heartbeat.
    """

    status: str | None = None
    heartbeat_age: float | None = None


@dataclass(frozen=True)
class Health:
    """How an environment is. What could not be found out is ``None``, or missing in what is counted.

    :param environment_name: Its name.
    :param at: When it was looked at.
    :param status: Its status, ``AVAILABLE`` for example.
    :param airflow_version: Its Airflow version.
    :param components: ``metadatabase``, ``scheduler``, ``triggerer``, ``dag_processor`` as they are; those that there are not are missing.
    :param dags: How many DAGs there are.
    :param dags_paused: How many of them are paused.
    :param import_errors: How many DAG files do not parse.
    :param dag_runs: How many runs are queued, running.
    :param dag_runs_ended_last_hour: How many runs ended within the last hour, by state.
    :param task_instances: How many task instances are in each state that is no end.
    :param oldest_queued_seconds: For how long the oldest queued task has been queued; 0 if there is none.
    :param pools: The pools.
    :param errors: What could not be found out, and why.
    """

    environment_name: str
    at: datetime
    status: str | None = None
    airflow_version: str | None = None
    components: dict[str, Component] = field(default_factory=dict)
    dags: int | None = None
    dags_paused: int | None = None
    import_errors: int | None = None
    dag_runs: dict[str, int] = field(default_factory=dict)
    dag_runs_ended_last_hour: dict[str, int] = field(default_factory=dict)
    task_instances: dict[str, int] = field(default_factory=dict)
    oldest_queued_seconds: float | None = None
    pools: tuple[Pool, ...] = ()
    errors: tuple[MwaaError, ...] = ()

    @property
    def is_well(self) -> bool:
        """Whether it is available, could be looked at, and no component is unhealthy."""
        components = [one.status for one in self.components.values()]
        return self.status == "AVAILABLE" and not self.errors and all(status == "healthy" for status in components)


def look_at(client: MwaaClient, environment_name: str, *, clock: Clock | None = None) -> Health:
    """Find out how an environment is. Nothing is raised but for a name that cannot be one: what fails is in ``errors``.

    About seventeen calls of the REST API, each of which counts or lists little.

    IAM actions: ``airflow:GetEnvironment`` on the environment; ``airflow:InvokeRestApi`` or ``airflow:CreateWebLoginToken`` on
    ``arn:aws:airflow:REGION:ACCOUNT:role/ENVIRONMENT/ROLE``.

    :param client: A client of the environment's account and region.
    :param environment_name: The environment's name.
    :param clock: The clock (default: the machine's).
    :raises InvalidInputError: if it cannot be the name of an environment.
    """
    return _Looking(client, environment_name, clock or SystemClock()).look()


def failed_look(environment_name: str, error: Exception, *, clock: Clock | None = None) -> Health:
    """Return what is known of an environment that could not be looked at at all.

    :param environment_name: The environment's name.
    :param error: Why.
    :param clock: The clock (default: the machine's).
    """
    at = datetime.fromtimestamp((clock or SystemClock()).time(), timezone.utc)
    ours = error if isinstance(error, MwaaError) else MwaaError(f"{type(error).__name__}: {error}")
    return Health(environment_name, at, errors=(ours,))


class _Looking:
    """One look, part by part."""

    def __init__(self, client: MwaaClient, environment_name: str, clock: Clock) -> None:
        self._client = client
        self._name = environment_name
        self._at = datetime.fromtimestamp(clock.time(), timezone.utc)
        self._found: dict[str, Any] = {}
        self._errors: list[MwaaError] = []

    def look(self) -> Health:
        for part in (self._environment, self._components, self._dags, self._runs, self._tasks, self._pools):
            try:
                part()
            except MwaaError as error:
                if isinstance(error, ValueError):  # the name cannot be one
                    raise
                self._errors.append(error)
                if not _is_of_this_part(error):
                    break
        return Health(self._name, self._at, **self._found, errors=tuple(self._errors))

    def _environment(self) -> None:
        environment = self._client.get_environment(self._name)
        self._found["status"] = environment.status or None
        self._found["airflow_version"] = environment.airflow_version or None

    def _components(self) -> None:
        health = self._client.get_health(self._name)
        told = {name: getattr(health, name) for name in ("metadatabase", "scheduler", "triggerer", "dag_processor")}
        self._found["components"] = {
            name: self._component(component) for name, component in told.items() if component.status is not None
        }

    def _component(self, component: ComponentHealth) -> Component:
        beat = component.latest_heartbeat
        age = None if beat is None else max(0.0, (self._at - beat).total_seconds())
        return Component(component.status, age)

    def _dags(self) -> None:
        self._found["dags"] = self._client.count_dags(self._name)
        self._found["dags_paused"] = self._client.count_dags(self._name, is_paused=True)
        self._found["import_errors"] = self._client.count_import_errors(self._name)

    def _runs(self) -> None:
        self._found["dag_runs"] = self._each(ACTIVE_RUN_STATES, self._client.count_dag_runs)
        self._found["dag_runs_ended_last_hour"] = {
            state: self._client.count_dag_runs(self._name, states=state, end_date_gte=self._at - LATELY)
            for state in ENDED_RUN_STATES
        }

    def _tasks(self) -> None:
        tasks = self._found["task_instances"] = self._each(ACTIVE_TASK_STATES, self._client.count_task_instances)
        queued = (
            islice(self._client.list_task_instances(self._name, states="queued"), MOST_QUEUED)
            if tasks["queued"]
            else ()
        )
        since = [task.queued_when for task in queued if task.queued_when is not None]
        self._found["oldest_queued_seconds"] = max(0.0, (self._at - min(since)).total_seconds()) if since else 0.0

    def _pools(self) -> None:
        self._found["pools"] = tuple(self._client.list_pools(self._name))

    def _each(self, states: tuple[str, ...], count: Callable[..., int]) -> dict[str, int]:
        return {state: count(self._name, states=state) for state in states}


def _is_of_this_part(error: MwaaError) -> bool:
    """Whether Airflow said no to one question, and may answer the next. Where it cannot be reached, or fails, it is asked no more."""
    is_no_answer = isinstance(error, (RestApiServerError, UnexpectedAnswerError))
    return isinstance(error, NotFoundError) or (isinstance(error, RestApiError) and not is_no_answer)


def environment_measurements(health: Health) -> list[Measurement]:
    """Return the values of one look, for CloudWatch.

    :param health: What was found out.
    """
    return [environment_measurement(health.environment_name, health.at, *value) for value in _values(health)]


def environment_measurement(
    environment_name: str, at: datetime, name: str, value: float, further: str = ""
) -> Measurement:
    """Return one value of an environment.

    :param environment_name: The environment's name.
    :param at: When it was measured.
    :param name: The metric's name, one of :data:`ENVIRONMENT_METRICS`.
    :param value: The value.
    :param further: The value of the metric's third dimension, if it has one.
    """
    metric = ENVIRONMENT_METRICS[name]
    dimensions = {"Environment": environment_name, "Category": metric.category}
    if metric.further:
        dimensions[metric.further] = dimension_value(further)
    return Measurement(name, float(value), metric.unit, at, dimensions)


def _values(health: Health) -> Iterator[tuple[Any, ...]]:
    yield "environment_check_failed", bool(health.errors)
    if health.status is not None:
        yield "environment_available", health.status == "AVAILABLE"
    if health.airflow_version is not None:
        yield "environment_info", 1, health.airflow_version
    for name, component in health.components.items():
        yield "component_healthy", component.status == "healthy", name
        if component.heartbeat_age is not None:
            yield "heartbeat_age", component.heartbeat_age, name
    counts = {"dags": health.dags, "dags_paused": health.dags_paused, "import_errors": health.import_errors}
    yield from ((name, count) for name, count in counts.items() if count is not None)
    for name in ("dag_runs", "dag_runs_ended_last_hour", "task_instances"):
        yield from ((name, count, state) for state, count in getattr(health, name).items())
    if health.oldest_queued_seconds is not None:
        yield "oldest_queued_task_age", health.oldest_queued_seconds
    for pool in health.pools:
        yield "pool_slots", pool.slots, pool.name
        for part in ("open_slots", "running_slots", "queued_slots", "scheduled_slots"):
            yield f"pool_{part}", getattr(pool, part), pool.name
