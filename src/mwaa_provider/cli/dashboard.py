"""``mwaa dashboard``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from mwaa_provider.cli.connection import Connection, with_connection
from mwaa_provider.cli.output import print_json
from mwaa_provider.metrics.model import NAMESPACE

if TYPE_CHECKING:
    from mwaa_provider.metrics.alarms import Alarm
    from mwaa_provider.metrics.dashboard import Dashboard


@click.command()
@click.argument("environment")
@click.option("--apply", "is_applied", is_flag=True, help="Put dashboard and alarms into CloudWatch.")
@click.option(
    "--part",
    type=click.Choice(("all", "body", "alarms")),
    default="all",
    metavar="PART",
    help="Only the dashboard's body, or only the alarms: all, body, alarms.  [default: all]",
)
@click.option("--name", metavar="NAME", help="The dashboard's name.  [default: mwaa-ENVIRONMENT]")
@click.option(
    "--namespace", default=NAMESPACE, metavar="NAME", help=f"That of our own metrics.  [default: {NAMESPACE}]"
)
@click.option("--without-own", is_flag=True, help="Leave out the metrics that this package publishes.")
@click.option("--alarm-action", "alarm_actions", multiple=True, metavar="ARN", help="What an alarm does; repeatable.")
@with_connection
def dashboard(
    connection: Connection,
    *,
    environment: str,
    is_applied: bool,
    part: str,
    name: str | None,
    namespace: str,
    without_own: bool,
    alarm_actions: tuple[str, ...],
) -> None:
    """Print a CloudWatch dashboard of ENVIRONMENT, and alarms, as JSON for the API.

    \b
      mwaa dashboard production --apply --alarm-action arn:aws:sns:eu-west-1:123456789012:on-call
      mwaa dashboard production --part body > body.json
      aws cloudwatch put-dashboard --dashboard-name production --dashboard-body file://body.json

    Shows what the environment's Airflow release has: the widgets of the AWS guide, containers, queue and database, and
    the metrics that this package publishes. With --apply both are put; what is there under the same names is replaced.

    IAM: airflow:GetEnvironment; for --apply cloudwatch:PutDashboard and cloudwatch:PutMetricAlarm
    """
    from mwaa_provider.metrics.alarms import alarms
    from mwaa_provider.metrics.dashboard import dashboard as dashboard_of

    client = connection.client()
    airflow_version = client.get_environment(environment).airflow_version
    shown: dict[str, Any] = {"namespace": namespace, "with_own": not without_own, "airflow_version": airflow_version}
    region_name = connection.known_region() or ""
    made = dashboard_of(environment, region_name=region_name, name=name, **shown)
    watching = alarms(environment, alarm_actions=alarm_actions, **shown)
    if is_applied:
        _apply(connection, made if part != "alarms" else None, watching if part != "body" else [])
    else:
        print_json(_printed(made, watching, part))


def _printed(made: Dashboard, watching: list[Alarm], part: str) -> Any:
    if part == "body":
        return made.body
    return (
        watching if part == "alarms" else {"dashboard_name": made.name, "dashboard_body": made.body, "alarms": watching}
    )


def _apply(connection: Connection, made: Dashboard | None, watching: list[Alarm]) -> None:
    from mwaa_provider.metrics.cloudwatch import ask_cloudwatch

    cloudwatch = connection.cloudwatch()
    if made is not None:
        answer = ask_cloudwatch(
            cloudwatch, "put_dashboard", DashboardName=made.name, DashboardBody=json.dumps(made.body)
        )
        for one in answer.get("DashboardValidationMessages", ()):
            click.echo(
                f"CloudWatch says of the dashboard: {one.get('DataPath', '')} {one.get('Message', '')}", err=True
            )
        click.echo(f"dashboard {made.name}")
    for alarm in watching:
        ask_cloudwatch(cloudwatch, "put_metric_alarm", **alarm)
        click.echo(f"alarm {alarm['AlarmName']}")
