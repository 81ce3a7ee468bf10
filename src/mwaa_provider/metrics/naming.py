"""Whose figures they are: the environment's name, and the host's."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

from mwaa_provider.client import input_checks
from mwaa_provider.exceptions import InvalidInputError

#: MWAA's own containers set the first; the AWS guide's sample reads the second, which a startup script has to set.
ENVIRONMENT_NAME_VARIABLES = ("AIRFLOW_ENV_NAME", "MWAA_ENV_NAME")


def environment_name_of(given: str | None, variables: Mapping[str, str] | None = None) -> str:
    """Return the name of the environment that this process belongs to.

    :param given: The name, if somebody has said it; nothing or an empty text to look for it.
    :param variables: Environment variables to look in (default: the process's).
    :raises InvalidInputError: if nobody has said it and no variable tells, or if it cannot be a name.
    """
    variables = os.environ if variables is None else variables
    name = given or next((variables[one] for one in ENVIRONMENT_NAME_VARIABLES if variables.get(one)), None)
    if not name:
        raise InvalidInputError(
            [
                f"environment_name: it is missing, and neither {' nor '.join(ENVIRONMENT_NAME_VARIABLES)} is set in this process; "
                "give it, or export MWAA_ENV_NAME in the startup script"
            ]
        )
    if problems := input_checks.check_environment_name(name):
        raise InvalidInputError(problems)
    return name


def host_name() -> str:
    """Return the address of this host, as the AWS guide's sample has it; where the name has no address, the name."""
    name = socket.gethostname()
    try:
        return socket.gethostbyname(name)
    except OSError:
        return name or "unknown"
