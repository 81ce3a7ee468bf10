"""The URI of an Airflow connection, from its fields, so that Airflow reads the same fields out of it.

Airflow's rules: https://airflow.apache.org/docs/apache-airflow/stable/howto/connection.html#uri-format-example. Everything but letters,
digits and ``-._~`` is percent-encoded; so are capital letters of the host, because Airflow would read them as small ones.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from mwaa_provider.client.core import raise_problems

#: Under this name Airflow finds an extra that is no plain list of texts.
_EXTRA_KEY = "__extra__"
_CONN_TYPE = re.compile(r"[a-z][a-z0-9_.+]*")
#: What Airflow reads as another: it takes ``postgresql`` for ``postgres``.
_READ_AS = {"postgresql": "postgres"}


def connection_uri(
    conn_type: str,
    *,
    host: str | None = None,
    login: str | None = None,
    password: str | None = None,
    port: int | None = None,
    schema: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> str:
    """Return the URI of a connection; an empty text is as good as none.

    The URI holds the password: keep it out of logs and off command lines.

    :param conn_type: Its type, such as ``postgres`` or ``aws``.
    :param host: Its host.
    :param login: Its login.
    :param password: Its password.
    :param port: Its port.
    :param schema: Its schema (a database, say).
    :param extra: Its extra, what a JSON object can hold.
    :raises InvalidInputError: naming every problem, without password and extra.
    """
    texts = {"host": host, "login": login, "password": password, "schema": schema}
    raise_problems(
        [*_problems_of_type(conn_type), *_problems(texts), *_problems_of_port(port), *_problems_of_extra(extra)]
    )
    netloc = _host(host or "")
    if port is not None:
        netloc += f":{port}"
    if login or password:
        netloc = f"{_quoted(login or '')}{f':{_quoted(password)}' if password else ''}@{netloc}"
    # Airflow reads "-" in a scheme as "_", which a scheme cannot have.
    uri = f"{conn_type.replace('_', '-')}://{netloc}"
    if schema:
        uri += f"/{_quoted(schema)}"
    if extra:
        uri += f"{'' if schema else '/'}?{_query(extra)}"
    return uri


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _host(host: str) -> str:
    return "".join(f"%{ord(letter):02X}" if "A" <= letter <= "Z" else _quoted(letter) for letter in host)


def _query(extra: Mapping[str, Any]) -> str:
    if all(isinstance(value, str) for value in extra.values()) and _EXTRA_KEY not in extra:
        query = urlencode(extra, quote_via=quote, safe="")
        if dict(parse_qsl(query, keep_blank_values=True)) == extra and not any(map(_is_json, extra.values())):
            return query
    return urlencode({_EXTRA_KEY: json.dumps(extra)}, quote_via=quote, safe="")


def _is_json(text: str) -> bool:
    """Whether some releases would read something else than a text out of it: a number, say."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _problems_of_type(conn_type: Any) -> list[str]:
    if not isinstance(conn_type, str) or not _CONN_TYPE.fullmatch(conn_type):
        return [
            f"conn_type: {conn_type!r} is none; give small letters, digits and '_', such as 'postgres', 'aws', 'google_cloud_platform'"
        ]
    if conn_type in _READ_AS:
        return [f"conn_type: Airflow reads {conn_type!r} as {_READ_AS[conn_type]!r}; give that"]
    return []


def _problems(texts: Mapping[str, Any]) -> list[str]:
    problems = []
    for name, text in texts.items():
        if text is None:
            continue
        if not isinstance(text, str):
            problems.append(f"{name}: {type(text).__name__} is not a text; give one, or none")
        elif not _can_be_encoded(text):
            problems.append(f"{name}: it holds half a surrogate pair, which no URI can")
    return problems


def _can_be_encoded(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _problems_of_port(port: Any) -> list[str]:
    if port is None or (isinstance(port, int) and not isinstance(port, bool) and 0 < port < 65536):
        return []
    return [f"port: {port!r} is none; give a whole number from 1 to 65535"]


def _problems_of_extra(extra: Any) -> list[str]:
    if extra is None:
        return []
    if not isinstance(extra, Mapping) or not all(isinstance(name, str) for name in extra):
        return ["extra: it is no JSON object; give one whose names are texts"]
    try:
        json.dumps(dict(extra), allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError):
        return [
            "extra: it holds what JSON has no form for; use objects, lists, texts, finite numbers, booleans and null"
        ]
    return []
