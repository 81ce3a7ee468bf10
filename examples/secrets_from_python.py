"""Keep a connection and variables in Secrets Manager: what ``mwaa connection uri``, ``mwaa secrets options`` and ``move`` do, from Python.

    python secrets_from_python.py ENVIRONMENT VARIABLES_FILE

What it needs: the IAM actions that ``docs/secrets.md`` names, for whoever runs it.
"""

from __future__ import annotations

import functools
import json
import sys

import boto3

from mwaa_provider.client.connection_uri import connection_uri
from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.client.secret_moving import connections_to_move, move, variables_to_move
from mwaa_provider.client.secret_references import SecretReader
from mwaa_provider.client.secret_store import SecretStore
from mwaa_provider.client.secrets_options import secrets_options
from mwaa_provider.client.settings_file import read_settings_file


def main(environment_name: str, variables_file: str) -> None:
    """Print the options, move what a file holds, and make a connection whose password stays a secret."""
    secrets_manager = functools.partial(boto3.client, "secretsmanager")
    options = secrets_options(connections_lookup_pattern="^prod_", variables_lookup_pattern="^prod_")
    print(json.dumps(options, indent=2))

    variables = read_settings_file(variables_file, functools.partial(boto3.client, "s3"))
    moved, problems = variables_to_move(variables, "airflow/variables")
    uri = connection_uri("postgres", host="db.example.com", login="etl", password="p/@:+")  # noqa: S106 - an example's
    further, more = connections_to_move({"prod_sales": uri}, "airflow/connections")
    if problems or more:
        raise SystemExit("\n".join([*problems, *more]))
    store = SecretStore(secrets_manager)
    report = move([*moved, *further], store, environment_name, delete=None, overwrite=False, dry_run=False)
    print([(change.name, change.action) for change in report.changes], report.errors)

    # For an environment without these options: a connection in its database, whose password is read from the secret.
    connection = {"conn_type": "postgres", "host": "db.example.com", "password": "secretsmanager://prod/sales#password"}
    reader = SecretReader(secrets_manager)
    MwaaClient().import_connections(environment_name, {"prod_sales": connection}, resolve=reader)


if __name__ == "__main__":
    main(*sys.argv[1:])
