"""The two configuration options that make an environment read connections and variables from AWS's stores of secrets.

https://docs.aws.amazon.com/mwaa/latest/userguide/connections-secrets-manager.html
https://airflow.apache.org/docs/apache-airflow-providers-amazon/stable/secrets-backends/aws-secrets-manager.html
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from mwaa_provider.client import input_checks
from mwaa_provider.client.core import raise_problems


@dataclass(frozen=True)
class Backend:
    """A secrets backend of Airflow's amazon provider.

    :param class_path: Its class.
    :param connections_prefix: Where it looks for connections, if not told otherwise.
    :param variables_prefix: Where it looks for variables, if not told otherwise.
    :param prefix: What a prefix may look like.
    """

    class_path: str
    connections_prefix: str
    variables_prefix: str
    prefix: re.Pattern[str]


BACKENDS = {
    "secretsmanager": Backend(
        "airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend",
        "airflow/connections",
        "airflow/variables",
        # https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
        re.compile(r"[A-Za-z0-9/_+=.@-]+"),
    ),
    "ssm": Backend(
        "airflow.providers.amazon.aws.secrets.systems_manager.SystemsManagerParameterStoreBackend",
        "/airflow/connections",
        "/airflow/variables",
        # https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
        re.compile(r"/[A-Za-z0-9/_.-]+"),
    ),
}
#: MWAA's own connection, which task logs hang on; where the backend is asked for it, it is asked all the time.
_OWN_CONNECTION = "aws_default"


def secrets_options(
    backend: str = "secretsmanager",
    *,
    connections_prefix: str | None = None,
    variables_prefix: str | None = None,
    connections_lookup_pattern: str | None = None,
    variables_lookup_pattern: str | None = None,
    only: str | None = None,
) -> dict[str, str]:
    """Return the configuration options ``secrets.backend`` and ``secrets.backend_kwargs`` of an environment.

    IAM actions of the environment's execution role: ``secretsmanager:GetSecretValue`` on
    ``arn:aws:secretsmanager:REGION:ACCOUNT:secret:PREFIX/*``, or ``ssm:GetParameter`` on ``arn:aws:ssm:REGION:ACCOUNT:parameterPREFIX/*``.

    :param backend: ``secretsmanager`` (default) or ``ssm`` (Systems Manager's parameter store).
    :param connections_prefix: Before the id of a connection stands this and a ``/`` (default ``airflow/connections``, for ``ssm``
        with a ``/`` before it).
    :param variables_prefix: The same before the key of a variable (default ``airflow/variables``).
    :param connections_lookup_pattern: A regular expression: only connections whose id begins so are asked for (default: all).
    :param variables_lookup_pattern: The same for keys of variables.
    :param only: ``connections`` or ``variables``, and the others are never asked for (default: both).
    :raises InvalidInputError: naming every problem.
    """
    raise_problems(input_checks.check_one_of("backend", backend, tuple(BACKENDS)))
    known = BACKENDS[backend]
    given = {
        "connections": (connections_prefix, connections_lookup_pattern),
        "variables": (variables_prefix, variables_lookup_pattern),
    }
    problems = [] if only is None else input_checks.check_one_of("only", only, tuple(given))
    kwargs: dict[str, Any] = {}
    for noun, (prefix, pattern) in given.items():
        if only in given and only != noun:
            problems += [
                f"{noun}_{name}: {value!r} means nothing where only {only} are asked for; leave it out"
                for name, value in (("prefix", prefix), ("lookup_pattern", pattern))
                if value is not None
            ]
            kwargs[f"{noun}_prefix"] = None
            continue
        prefix = getattr(known, f"{noun}_prefix") if prefix is None else prefix
        problems += _problems_of_prefix(f"{noun}_prefix", prefix, known)
        kwargs[f"{noun}_prefix"] = prefix
        if pattern is not None:
            problems += _problems_of_pattern(f"{noun}_lookup_pattern", pattern)
            kwargs[f"{noun}_lookup_pattern"] = pattern
    if (
        not problems
        and kwargs["connections_prefix"] is not None
        and kwargs["connections_prefix"] == kwargs["variables_prefix"]
    ):
        problems.append(
            f"connections_prefix, variables_prefix: {kwargs['variables_prefix']!r} stands in both, so that a variable could be read as a "
            "connection; give two"
        )
    raise_problems(problems)
    return {"secrets.backend": known.class_path, "secrets.backend_kwargs": json.dumps(kwargs)}


def asks_for_own_connection(options: dict[str, str]) -> bool:
    """Tell whether Airflow would ask the backend for ``aws_default``, at every log and every call of AWS.

    :param options: What :func:`secrets_options` returned.
    """
    kwargs = json.loads(options["secrets.backend_kwargs"])
    pattern = kwargs.get("connections_lookup_pattern")
    if kwargs["connections_prefix"] is None:
        return False
    return not pattern or re.match(pattern, _OWN_CONNECTION, re.IGNORECASE) is not None


def _problems_of_prefix(field: str, prefix: Any, backend: Backend) -> list[str]:
    if not isinstance(prefix, str) or not backend.prefix.fullmatch(prefix):
        example = getattr(backend, field)
        return [f"{field}: {prefix!r} cannot begin the names of secrets there; give one like {example!r}"]
    if prefix.endswith("/") or "//" in prefix:
        return [f"{field}: {prefix!r} has a '/' too many: one is put between it and the id; leave it out"]
    return []


def _problems_of_pattern(field: str, pattern: Any) -> list[str]:
    if not isinstance(pattern, str) or not pattern:
        return [f"{field}: {pattern!r} is no regular expression; give one like '^prod_', or leave it out"]
    try:
        re.compile(pattern)
    except re.error as error:
        return [f"{field}: {pattern!r} is no regular expression: {error}"]
    return []
