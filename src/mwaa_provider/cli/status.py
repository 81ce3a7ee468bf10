"""``mwaa status``."""

from __future__ import annotations

from dataclasses import asdict
from time import sleep
from typing import TYPE_CHECKING, Any

import click

from mwaa_provider.cli.connection import Connection, with_connection
from mwaa_provider.cli.exit_status import CALL_FAILED
from mwaa_provider.cli.output import print_json, print_table
from mwaa_provider.client import input_checks
from mwaa_provider.exceptions import InvalidInputError

if TYPE_CHECKING:
    from mwaa_provider.client.mwaa import MwaaClient
    from mwaa_provider.metrics.environment import Component, Health

HEADINGS = (
    *("NAME", "AIRFLOW", "STATUS", "SCHEDULER", "TRIGGERER", "DAG PROCESSOR", "DAGS", "IMPORT ERRORS"),
    *("RUNS", "FAILED IN 1 H", "TASKS RUNNING", "QUEUED", "OLDEST", "OPEN SLOTS"),
)


@click.command()
@click.argument("environments", nargs=-1, metavar="[ENVIRONMENT...]")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list with one object for each environment.")
@click.option("--watch", is_flag=True, help="Look again and again, until Ctrl-C.")
@click.option(
    "--every", type=click.FloatRange(min=1), default=10.0, metavar="SECONDS", help="With --watch.  [default: 10]"
)
@with_connection
@click.pass_context
def status(
    context: click.Context,
    connection: Connection,
    *,
    environments: tuple[str, ...],
    as_json: bool,
    watch: bool,
    every: float,
) -> None:
    """Show how environments are; all of the account and region, if none is named.

    Status, Airflow release, how long ago each component was heard of, DAGs and import errors, active runs and those that
    failed within the last hour, running and queued tasks, for how long the oldest has been queued, free slots of all
    pools. The exit status is 1 if one of them could not be looked at in full; why is said on standard error.

    \b
    --json gives for each environment an object with these keys, always all of them:
      environment_name, at, status, airflow_version, is_well
      components                     by name: status, heartbeat_age (seconds, or null)
      dags, dags_paused, import_errors
      dag_runs, dag_runs_ended_last_hour, task_instances        numbers by state
      oldest_queued_seconds, pools, errors
    What could not be found out is null, or missing where it is counted by state.

    IAM: `mwaa policy ENVIRONMENT --action rest,environments`
    """
    if problems := [problem for name in environments for problem in input_checks.check_environment_name(name)]:
        raise InvalidInputError(problems)
    client = connection.client()
    while True:
        found = look_at_all(client, environments)
        if watch and not as_json:
            click.clear()
        show(found, as_json=as_json)
        if not watch:
            break
        sleep(every)
    if any(health.errors for health in found):
        context.exit(CALL_FAILED)


def look_at_all(client: MwaaClient, environments: tuple[str, ...]) -> list[Health]:
    """Return how environments are; all that there are, if none is named.

    :param client: A client of their account and region.
    :param environments: Their names.
    """
    from mwaa_provider.metrics.environment import look_at
    from mwaa_provider.metrics.fleet import side_by_side

    names = environments or tuple(client.list_environments())
    return side_by_side(lambda name: look_at(client, name), names)


def show(found: list[Health], *, as_json: bool) -> None:
    """Print how environments are, and on standard error what could not be found out.

    :param found: How they are.
    :param as_json: For programs.
    """
    if as_json:
        print_json([_for_programs(health) for health in found])
    elif found:
        print_table(HEADINGS, [row(health) for health in found])
    else:
        click.echo("There is no environment in this account and region.", err=True)
    for health in found:
        for error in health.errors:
            click.echo(f"Error: {health.environment_name}: {error}", err=True)


def row(health: Health) -> tuple[str, ...]:
    """Return an environment's line of the table.

    :param health: How it is.
    """
    components = [_component(health, name) for name in ("scheduler", "triggerer", "dag_processor")]
    runs = sum(health.dag_runs.values()) if health.dag_runs else None
    slots = [pool.open_slots for pool in health.pools]
    paused = f" ({health.dags_paused} paused)" if health.dags_paused else ""
    return (
        health.environment_name,
        health.airflow_version or "-",
        health.status or (type(health.errors[0]).__name__ if health.errors else "-"),
        *components,
        f"{_number(health.dags)}{paused}",
        _number(health.import_errors),
        _number(runs),
        _number(health.dag_runs_ended_last_hour.get("failed")),
        _number(health.task_instances.get("running")),
        _number(health.task_instances.get("queued")),
        "-" if health.oldest_queued_seconds is None else _age(health.oldest_queued_seconds),
        "-" if not slots else "no limit" if min(slots) < 0 else str(sum(slots)),
    )


def _component(health: Health, name: str) -> str:
    component: Component | None = health.components.get(name)
    if component is None:
        return "-"
    if component.status != "healthy":
        return component.status or "-"
    return "healthy" if component.heartbeat_age is None else f"{_age(component.heartbeat_age)} ago"


def _number(count: int | None) -> str:
    return "-" if count is None else str(count)


def _age(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def _for_programs(health: Health) -> dict[str, Any]:
    return {
        "environment_name": health.environment_name,
        "at": health.at.isoformat(),
        "status": health.status,
        "airflow_version": health.airflow_version,
        "is_well": health.is_well,
        "components": {name: asdict(component) for name, component in health.components.items()},
        "dags": health.dags,
        "dags_paused": health.dags_paused,
        "import_errors": health.import_errors,
        "dag_runs": health.dag_runs,
        "dag_runs_ended_last_hour": health.dag_runs_ended_last_hour,
        "task_instances": health.task_instances,
        "oldest_queued_seconds": health.oldest_queued_seconds,
        "pools": [asdict(pool) for pool in health.pools],
        "errors": [{"kind": type(error).__name__, "message": str(error)} for error in health.errors],
    }
