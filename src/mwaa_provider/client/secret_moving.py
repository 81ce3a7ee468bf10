"""Variables and connections of an environment moved to Secrets Manager: planned, written, read back, and then, if wanted, deleted."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mwaa_provider.client.connection_import import check_connection_id
from mwaa_provider.client.connection_uri import connection_uri
from mwaa_provider.client.core import raise_problems
from mwaa_provider.client.importing import Change, ImportReport, carry_out
from mwaa_provider.client.secret_store import SecretStore
from mwaa_provider.client.variable_import import wanted_variables, without_value
from mwaa_provider.exceptions import InvalidInputError, MwaaError, NotFoundError

#: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
_NAME = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")
_MOST_BYTES = 65_536
#: What a URI says of a connection.
_FIELDS = ("host", "login", "password", "port", "schema", "extra")


@dataclass(frozen=True)
class Moved:
    """One variable or connection on its way.

    :param noun: ``variable`` or ``connection``.
    :param key: Its key or id.
    :param name: The name of its secret.
    :param value: The secret.
    """

    noun: str
    key: str
    name: str
    value: str = field(repr=False)


def variables_to_move(variables: Mapping[str, Any], prefix: str) -> tuple[list[Moved], list[str]]:
    """Return variables as secrets, and what is wrong with them, without a value.

    :param variables: By key: a text, or anything else for its JSON.
    :param prefix: Before the key stands this and a ``/``.
    """
    wanted, problems = wanted_variables(variables)
    return _checked([Moved("variable", key, f"{prefix}/{key}", one.value) for key, one in wanted.items()], problems)


def connections_to_move(connections: Mapping[str, Any], prefix: str) -> tuple[list[Moved], list[str]]:
    """Return connections as secrets, their URIs, and what is wrong with them, without a secret.

    :param connections: By id, what ``airflow connections export`` writes: an object of fields, or a URI. A description is lost: a URI has
        none.
    :param prefix: Before the id stands this and a ``/``.
    """
    moved, problems = [], []
    for connection_id, fields in connections.items():
        found = check_connection_id("id", connection_id)
        uri = ""
        try:
            uri = fields if isinstance(fields, str) else _uri(fields)
        except InvalidInputError as error:
            found += [f"{connection_id!r}: {problem}" for problem in error.problems]
        if isinstance(fields, str) and "://" not in fields:
            found.append(f"{connection_id!r}: the text is no URI of a connection")
        problems += found
        if not found:
            moved.append(Moved("connection", connection_id, f"{prefix}/{connection_id}", uri))
    return _checked(moved, problems)


def _uri(fields: Any) -> str:
    if not isinstance(fields, dict):
        raise InvalidInputError([f"{type(fields).__name__} is no connection; give an object, or a URI"])
    unknown = sorted(set(map(str, fields)) - {"conn_type", "description", *_FIELDS})
    raise_problems([f"{name}: a connection has no such field" for name in unknown])
    given = {name: fields.get(name) for name in _FIELDS}
    if isinstance(given["extra"], str):
        import json

        try:
            given["extra"] = json.loads(given["extra"] or "{}")
        except ValueError:
            raise InvalidInputError(["extra: the text is no JSON"]) from None
    return connection_uri(fields.get("conn_type", ""), **given)


def _checked(moved: list[Moved], problems: list[str]) -> tuple[list[Moved], list[str]]:
    for one in moved:
        about = f"{one.noun} {one.key!r}"
        if not _NAME.fullmatch(one.name):
            problems.append(
                f"{about}: {one.name!r} cannot be the name of a secret; give it letters, digits and /_+=.@-"
            )
        if not one.value:
            problems.append(f"{about}: its value is empty, which no secret can be; leave it where it is")
        elif len(one.value.encode(errors="surrogatepass")) > _MOST_BYTES:
            problems.append(f"{about}: its value has more than {_MOST_BYTES} bytes, which no secret has")
    return moved, problems


def move(
    moved: list[Moved],
    store: SecretStore,
    environment_name: str,
    *,
    delete: Callable[[Moved], None] | None,
    overwrite: bool,
    dry_run: bool,
) -> ImportReport:
    """Write secrets, read each back, and delete what they come from; one that fails does not stop the rest.

    The report's names are those of secrets and, of what is deleted, ``variable KEY`` and ``connection ID``. It holds no values.

    :param moved: What is to be moved.
    :param store: Where to.
    :param environment_name: The environment's name.
    :param delete: Deletes one over there, after its secret has been read back once more; ``None`` leaves all.
    :param overwrite: Whether a secret of another value may be replaced.
    :param dry_run: Whether to tell only what would be done.
    :raises InvalidInputError: if secrets of these names hold other values, and may not be replaced; nothing was done.
    """
    plan, conflicts = [], []
    for one in moved:
        there = store.read(one.name)
        if there is not None and there != one.value and not overwrite:
            conflicts.append(f"overwrite: the secret {one.name} holds another value; allow it, or leave this one out")
        plan.append(Change(one.name, "create" if there is None else "keep" if there == one.value else "update"))
    raise_problems(conflicts)
    if delete is not None:
        plan += [Change(f"{one.noun} {one.key}", "delete", "from the environment") for one in moved]
    by_name = {one.name: one for one in moved} | {f"{one.noun} {one.key}": one for one in moved}

    def act(change: Change) -> None:
        one = by_name[change.name]
        if change.action == "create":
            store.create(one.name, one.value)
        elif change.action == "update":
            store.replace(one.name, one.value)
        store.verify(one.name, one.value)
        if change.action == "delete" and delete is not None:
            try:
                delete(one)
            except NotFoundError:
                return  # gone already: what was wanted

    def clean(name: str, error: MwaaError) -> MwaaError:
        return without_value(error, by_name[name].value)

    return carry_out(environment_name, plan, act, dry_run=dry_run, clean=clean)
