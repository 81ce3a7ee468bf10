"""Errors in the words of the command: where the client names an argument, users of the command know an option."""

from __future__ import annotations

from mwaa_provider.exceptions import InvalidInputError, MwaaError

_NAME_HERE = {
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
