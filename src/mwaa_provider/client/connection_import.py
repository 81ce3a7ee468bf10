"""Connections from a file: what is wanted beside what is there, what follows from it, and what is sent."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mwaa_provider.client.importing import Change
from mwaa_provider.client.models import Connection
from mwaa_provider.client.secret_references import check_reference, is_reference

#: MWAA writes task logs through it.
OWN_CONNECTION = "aws_default"
#: What Airflow shows in place of a secret.
_MASK = "***"
#: As the REST API of every release has it.
_ID = re.compile(r"[\w.-]{1,200}")
#: What the lists of every release show.
_SHOWN = ("conn_type", "description", "host", "login", "schema", "port")
_FIELDS = (*_SHOWN, "password", "extra")
_MAY_BE_REFERENCES = ("login", "password")
#: Airflow takes a value for a secret whose name has one of these in it.
#: https://airflow.apache.org/docs/apache-airflow/stable/security/secrets/mask-sensitive-values.html
_SECRET_NAMES = (
    *("access_token", "api_key", "apikey", "authorization", "keyfile_dict", "passphrase", "passwd", "password"),
    *("private_key", "secret", "service_account", "token"),
)
#: Names that sound so, and hold none.
_NO_SECRETS = ("secret_id", "secret_name", "token_url", "token_uri", "token_endpoint", "key_path", "file_path")


@dataclass(frozen=True)
class WantedConnection:
    """A connection as it shall be.

    :param connection_id: Its id.
    :param fields: What the file says of it: ``conn_type``, ``host`` and so on; secrets as references; ``extra`` as an object. What is left
        out stays as it is.
    """

    connection_id: str
    fields: Mapping[str, Any] = field(repr=False)

    @property
    def has_references(self) -> bool:
        """Whether a secret has to be read before it can be sent."""
        return any(map(is_reference, _texts_in(dict(self.fields))))


def wanted_connections(given: Mapping[str, Any]) -> tuple[dict[str, WantedConnection], list[str]]:
    """Return connections as they shall be, and what is wrong with them, without a word of what could be a secret.

    :param given: The content of a file, as ``airflow connections export`` writes it.
    """
    wanted: dict[str, WantedConnection] = {}
    problems: list[str] = []
    for connection_id, fields in given.items():
        problems += check_connection_id("id", connection_id)
        found = [f"{connection_id!r}: {problem}" for problem in _problems(fields)]
        problems += found
        if not found:
            content = dict(fields)
            if isinstance(content.get("extra"), str):
                content["extra"] = json.loads(content["extra"] or "{}")
            wanted[connection_id] = WantedConnection(connection_id, content)
    return wanted, problems


def check_connection_id(field: str, value: Any) -> list[str]:
    """Check the id of a connection that is to be set or deleted.

    :param field: The name the caller knows it by.
    :param value: What the caller gave.
    """
    if not isinstance(value, str) or not _ID.fullmatch(value) or value in (".", ".."):
        return [f"{field}: {value!r} cannot be one; give 1 to 200 letters, digits, '_', '.' and '-'"]
    if value == OWN_CONNECTION:
        return [f"{field}: MWAA writes its logs through {value!r}; give the connection another id"]
    return []


def _problems(fields: Any) -> list[str]:
    if isinstance(fields, str):
        return [
            'a URI holds its password; give an object such as {"conn_type": "postgres", "password": "secretsmanager://NAME"}'
        ]
    if not isinstance(fields, dict):
        return [f'{type(fields).__name__} is not a connection; give an object such as {{"conn_type": "postgres"}}']
    problems = [
        f"{name}: a connection has no such field; give some of {', '.join(_FIELDS)}"
        for name in fields
        if name not in _FIELDS
    ]
    if not fields.get("conn_type"):
        problems.append("conn_type: it is missing; give a text such as 'postgres'")
    for name in ("conn_type", "description", "host", "login", "schema", "password"):
        problems += _problems_of_text(name, fields.get(name))
    return problems + check_port(fields.get("port")) + _problems_of_extra(fields.get("extra"))


def check_port(value: Any) -> list[str]:
    """Check the port of a connection.

    :param value: What the caller gave; ``None`` for none.
    """
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 65536):
        return []
    return [f"port: {value!r} is none; give a whole number up to 65535"]


def _problems_of_text(name: str, value: Any) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, str):
        return [f"{name}: {type(value).__name__} is not a text; give one, or null"]
    if is_reference(value):
        if name not in _MAY_BE_REFERENCES:
            return [f"{name}: secrets may stand in {', '.join(_MAY_BE_REFERENCES)} and in extra"]
        return check_reference(name, value)
    return [_in_clear(name)] if name == "password" and value else []


def _in_clear(name: str) -> str:
    return f"{name}: it stands in the file in clear; keep it in Secrets Manager and write secretsmanager://NAME (or NAME#KEY)"


def _problems_of_extra(extra: Any) -> list[str]:
    if extra is None:
        return []
    if isinstance(extra, str):
        try:
            extra = json.loads(extra or "{}")
        except (ValueError, RecursionError):
            return ["extra: the text is no JSON; give an object"]
    if not isinstance(extra, dict):
        return ["extra: it is no JSON object; give one"]
    try:
        json.dumps(extra, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError):
        return ["extra: it holds what JSON has no form for; a date of YAML, say, must stand in quotes"]
    return [
        problem
        for path, text, secret in _leaves(extra, "extra", False)
        for problem in _problems_of_leaf(path, text, secret)
    ]


def _problems_of_leaf(path: str, text: str, is_secret: bool) -> list[str]:
    if is_reference(text):
        return check_reference(path, text)
    return [_in_clear(path)] if is_secret and text else []


def _leaves(value: Any, path: str, is_secret: bool) -> Iterator[tuple[str, str, bool]]:
    """Give each text of an extra, where it stands, and whether its name, or one above it, is that of a secret."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}", is_secret or sounds_secret(str(name)))
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, path, is_secret)
    elif isinstance(value, str):
        yield path, value, is_secret


def sounds_secret(name: str) -> bool:
    """Tell whether a value of this name is a secret, as Airflow judges it, but for a few names of places.

    :param name: The name.
    """
    lower = name.lower()
    return any(part in lower for part in _SECRET_NAMES) and not lower.endswith(_NO_SECRETS)


def _texts_in(value: Any) -> Iterator[str]:
    return (text for _, text, _ in _leaves(value, "", False))


def plan_connections(
    wanted: Mapping[str, WantedConnection], there: Iterable[Connection], *, prune_prefix: str | None
) -> list[Change]:
    """Return what is to be done to make what is there what is wanted.

    :param wanted: The connections as they shall be.
    :param there: The connections as Airflow shows them.
    :param prune_prefix: Delete what begins so and is not wanted, but never ``aws_default``; ``None`` for nothing.
    """
    known = {connection.connection_id: connection for connection in there}
    changes = [_change(one, known.get(connection_id)) for connection_id, one in wanted.items()]
    if prune_prefix is not None:
        gone = [one for one in known if one.startswith(prune_prefix) and one not in wanted and one != OWN_CONNECTION]
        changes += [Change(connection_id, "delete") for connection_id in gone]
    return changes


def _change(wanted: WantedConnection, there: Connection | None) -> Change:
    if there is None:
        return Change(wanted.connection_id, "create", str(wanted.fields["conn_type"]))
    told = {name: _told(name, wanted.fields[name], there) for name in _FIELDS if name in wanted.fields}
    differ = [name for name, what in told.items() if what == "differs"]
    hidden = [name for name, what in told.items() if what == "hidden"]
    not_shown = f"{', '.join(hidden)} (not shown by Airflow)" if hidden else ""
    if differ:
        return Change(wanted.connection_id, "update", ", ".join([*differ, *([not_shown] if hidden else [])]))
    return Change(wanted.connection_id, "overwrite" if hidden else "keep", not_shown)


def _told(name: str, value: Any, there: Connection) -> str:
    """Return whether a field is the ``same``, ``differs``, or is ``hidden``, so that nobody can tell."""
    if name == "password" or is_reference(value):
        return "hidden"
    if name != "extra":
        return "same" if (value or None) == (getattr(there, name) or None) else "differs"
    shown = there.extra
    if shown is None or _MASK in shown or any(map(is_reference, _texts_in(value))):
        return "hidden"
    try:
        content = json.loads(shown or "{}")
    except ValueError:
        return "differs"
    # Compared as texts: to Python, true is 1.
    same = json.dumps(content, sort_keys=True) == json.dumps(value or {}, sort_keys=True)
    return "same" if same else "differs"


def with_secrets(wanted: WantedConnection, resolve: Callable[[str], str]) -> tuple[dict[str, Any], list[str]]:
    """Return the fields to send, and the texts among them that nobody is to read in an error.

    :param wanted: The connection as it shall be.
    :param resolve: Gives the secret that a reference stands for.
    """
    secrets: list[str] = []

    def resolved(value: Any) -> Any:
        if is_reference(value):
            secrets.append(resolve(value))
            return secrets[-1]
        if isinstance(value, dict):
            return {name: resolved(inner) for name, inner in value.items()}
        return [resolved(inner) for inner in value] if isinstance(value, list) else value

    fields = {name: resolved(value) for name, value in wanted.fields.items()}
    if fields.get("extra") is not None:
        fields["extra"] = json.dumps(fields["extra"], ensure_ascii=False)
        if secrets:
            secrets.append(fields["extra"])
    return fields, secrets
