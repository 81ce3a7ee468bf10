"""Errors in the words of the command: where the client names an argument, users of the command know an option."""

from __future__ import annotations

from mwaa_provider.exceptions import InvalidInputError, MwaaError

_NAME_HERE = {
    "airflow": "--airflow",
    "archive_to": "--archive-to",
    "backend": "--backend",
    "batch_size": "--batch-size",
    "before": "--before",
    "body": "--body",
    "command": "COMMAND",
    "conn_type": "TYPE",
    "connections_lookup_pattern": "--connections-lookup-pattern",
    "connections_prefix": "--connections-prefix",
    "constraint": "--constraint",
    "dag_ids": "--dag",
    "dags_folder": "--dags-folder",
    "endpoint_url": "--endpoint-url",
    "environment_name": "ENVIRONMENT",
    "exclude_dag_ids": "--exclude-dag",
    "extra": "--extra",
    "file": "FILE",
    "folder": "FOLDER",
    "host": "--host",
    "include": "--include",
    "lock_timeout": "--lock-timeout",
    "login": "--login",
    "max_age_in_days": "--max-age-in-days",
    "max_duration": "--max-duration",
    "method": "METHOD",
    "min_age_in_days": "--min-age-in-days",
    "only": "--only",
    "overwrite": "--overwrite",
    "parallel": "--parallel",
    "params": "--param",
    "password": "--password",
    "path": "PATH",
    "pause_between_batches": "--pause",
    "plugins": "--plugin",
    "port": "--port",
    "postgres": "--postgres-url",
    "proxies": "--proxy",
    "prune_prefix": "--prune",
    "python": "--airflow-python",
    "python_version": "--python",
    "region_name": "--region",
    "schema": "--schema",
    "statement_timeout": "--statement-timeout",
    "tables": "--table",
    "transport": "--transport",
    "variables_lookup_pattern": "--variables-lookup-pattern",
    "variables_prefix": "--variables-prefix",
    "verify": "--ca",
    "wheels": "--wheels",
    "with_package": "--with-package",
}


def message_of(error: MwaaError) -> str:
    """Return what an error says, to a user of the command.

    :param error: The error.
    """
    message = str(error)
    if isinstance(error, InvalidInputError):
        for problem in error.problems:
            name, colon, rest = problem.partition(": ")
            message = message.replace(problem, f"{_NAME_HERE.get(name, name)}{colon}{rest}")
    return message
