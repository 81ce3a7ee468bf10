"""Errors in the words of the command: where the client names an argument, users of the command know an option."""

from __future__ import annotations

from mwaa_provider.exceptions import InvalidInputError, MwaaError

_NAME_HERE = {
    "backend": "--backend",
    "conn_type": "TYPE",
    "connections_lookup_pattern": "--connections-lookup-pattern",
    "connections_prefix": "--connections-prefix",
    "extra": "--extra",
    "host": "--host",
    "login": "--login",
    "only": "--only",
    "password": "--password",
    "port": "--port",
    "schema": "--schema",
    "variables_lookup_pattern": "--variables-lookup-pattern",
    "variables_prefix": "--variables-prefix",
    "body": "--body",
    "airflow": "--airflow",
    "command": "COMMAND",
    "constraint": "--constraint",
    "dags_folder": "--dags-folder",
    "endpoint_url": "--endpoint-url",
    "environment_name": "ENVIRONMENT",
    "file": "FILE",
    "folder": "FOLDER",
    "include": "--include",
    "method": "METHOD",
    "params": "--param",
    "path": "PATH",
    "plugins": "--plugin",
    "postgres": "--postgres-url",
    "proxies": "--proxy",
    "prune_prefix": "--prune",
    "python": "--airflow-python",
    "python_version": "--python",
    "region_name": "--region",
    "transport": "--transport",
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
