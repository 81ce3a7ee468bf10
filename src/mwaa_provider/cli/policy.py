"""``mwaa policy``."""

from __future__ import annotations

from dataclasses import replace

import click

from mwaa_provider.cli.connection import Connection, with_connection
from mwaa_provider.cli.output import print_json
from mwaa_provider.client.input_checks import check_environment_name
from mwaa_provider.client.policy import (
    ACTIONS_FOR,
    AIRFLOW_ROLES,
    PARTITIONS,
    EnvironmentArn,
    document,
    is_about_a_role,
    partition_of,
)
from mwaa_provider.exceptions import InvalidInputError

_DEFAULT_ROLE = "User"


@click.command()
@click.argument("environment")
@click.option(
    "--action",
    "purposes",
    required=True,
    multiple=True,
    metavar="WHAT,...",
    help="What is to be allowed, from the list above; repeatable.",
)
@click.option(
    "--role",
    type=click.Choice(AIRFLOW_ROLES, case_sensitive=False),
    metavar="ROLE",
    help=f"The Airflow role to act in: {', '.join(AIRFLOW_ROLES)}.  [default: {_DEFAULT_ROLE}]",
)
@click.option("--account", metavar="DIGITS", help="The environment's account: then AWS is not asked for it.")
@click.option(
    "--partition",
    type=click.Choice(PARTITIONS),
    metavar="NAME",
    help=f"The partition: {', '.join(PARTITIONS)}.  [default: the region's]",
)
@with_connection
def policy(
    connection: Connection,
    *,
    environment: str,
    purposes: tuple[str, ...],
    role: str | None,
    account: str | None,
    partition: str | None,
) -> None:
    """Print the least IAM policy for what you want to do in ENVIRONMENT.

    \b
    --action rest          REST calls by IAM (InvokeRestApi): `mwaa rest`, operators
             session       REST calls by web session: beyond IAM's limits, and for old boto3
             cli           airflow commands: `mwaa cli`, operators
             url           the web server in a browser: `mwaa url`
             environments  `mwaa environments`
             metrics       MWAA's own health metrics, for execution roles

    rest, session and cli would do without GetEnvironment: the version is asked over there then, with a call that is
    denied each time, and links to runs are missing where no web login token is to be had.

    Account and partition are read from the environment (GetEnvironment), unless --account names one. The policy
    is what `aws iam put-role-policy --policy-document` takes.
    """
    actions = [action for purpose in _purposes(purposes) for action in ACTIONS_FOR[purpose]]
    if problems := check_environment_name(environment):
        raise InvalidInputError(problems)
    arn = _arn(connection, environment, account, partition)
    if role is None and any(map(is_about_a_role, actions)):
        role = _DEFAULT_ROLE
        click.echo(f"For the Airflow role {role}; --role names another: {', '.join(AIRFLOW_ROLES)}.", err=True)
    print_json(document(arn, *actions, airflow_role=role or _DEFAULT_ROLE))


def _purposes(given: tuple[str, ...]) -> list[str]:
    purposes = [purpose.strip() for text in given for purpose in text.split(",")]
    if unknown := [purpose for purpose in purposes if purpose not in ACTIONS_FOR]:
        raise click.UsageError(f"--action: {', '.join(map(repr, unknown))} is none of {', '.join(ACTIONS_FOR)}")
    return purposes


def _arn(connection: Connection, environment: str, account: str | None, partition: str | None) -> EnvironmentArn:
    if account is None:
        arn = EnvironmentArn.parse(connection.client().get_environment(environment).arn, environment)
        return replace(arn, partition=partition) if partition else arn
    if not (account.isascii() and account.isdecimal() and len(account) == 12):
        raise click.UsageError(f"--account: {account!r} is no account; it has 12 digits")
    region = connection.known_region()
    if region is None:
        raise click.UsageError("no AWS region: give --region, or set AWS_REGION, or a region in the AWS profile")
    return EnvironmentArn(environment, partition or partition_of(region), region, account)
