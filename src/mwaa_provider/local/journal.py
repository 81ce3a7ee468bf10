"""What a local MWAA saw and answered, for assertions."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, unquote

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mwaa_provider.local.backend import AirflowRole

Surface = Literal["control", "web"]
Transport = Literal["iam", "session"]


@dataclass(frozen=True)
class JournalEntry:
    """One request. Tokens never enter it: neither the Authorization header nor the login form is kept.

    :param at: When it arrived, by the local MWAA's clock.
    :param environment: The environment's name; None where a request is about none.
    :param surface: ``control`` for what boto3 calls, ``web`` for an environment's web server.
    :param operation: On the control plane the AWS operation (``GetEnvironment``); on the web server ``login``,
        ``sso``, ``rest``, ``cli``, ``page``, ``plugin`` (what Airflow 3 mounts under ``/mwaa_provider``).
    :param method: The HTTP method; for a REST call (InvokeRestApi too) that of the REST call.
    :param path: The path as it was sent; for a REST call the part below ``/api/vN``.
    :param query: The query's parameters; a list where one was given more than once.
    :param body: The body, parsed from JSON, or as text. It may hold secrets of a test (a variable's value), so it is
        not in the repr.
    :param status: The HTTP status: for a REST call what Airflow (or a limit in front of it) answered, else that of
        the request. None when the connection was cut without an answer.
    :param error_code: The AWS error code of the answer, such as ``ThrottlingException``; None when there was no error.
    :param identity: The access key id of whoever asked; None where nobody was recognised.
    :param airflow_role: Their Airflow role.
    :param transport: For REST calls, ``iam`` (InvokeRestApi) or ``session``; None for everything else.
    :param backend_call: Whether the request reached the Airflow behind the environment.
    :param fault: The name of the fault that struck, if one did.
    :param seconds: How long it took, by the local MWAA's clock.
    """

    at: datetime
    environment: str | None
    surface: Surface
    operation: str
    method: str
    path: str
    query: Mapping[str, str | list[str]] = field(default_factory=dict)
    body: Any = field(default=None, repr=False)
    status: int | None = None
    error_code: str | None = None
    identity: str | None = None
    airflow_role: AirflowRole | None = None
    transport: Transport | None = None
    backend_call: bool = False
    fault: str | None = None
    seconds: float = 0.0


class Journal:
    """All requests since the start or the last :meth:`clear`, oldest first.

    An entry is there before its answer is sent.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[JournalEntry] = []

    def record(self, entry: JournalEntry) -> None:
        """Add an entry.

        :param entry: The entry.
        """
        with self._lock:
            self._entries.append(entry)

    def entries(self, **wanted: Any) -> tuple[JournalEntry, ...]:
        """Return the entries that have these values.

        :param wanted: Fields of :class:`JournalEntry` and the value wanted. ``path`` is a glob and is compared with
            the path as it was sent and with the decoded one. ``is_rest=True`` picks the REST calls of both transports.
        :raises TypeError: When a name is no field of :class:`JournalEntry`.
        """
        unknown = set(wanted) - set(JournalEntry.__dataclass_fields__) - {"is_rest"}
        if unknown:
            raise TypeError(
                f"JournalEntry has no {sorted(unknown)}; it has {sorted(JournalEntry.__dataclass_fields__)}"
            )
        with self._lock:
            entries = tuple(self._entries)
        return tuple(entry for entry in entries if all(_has(entry, name, value) for name, value in wanted.items()))

    def count(self, **wanted: Any) -> int:
        """Count the entries that :meth:`entries` would return.

        :param wanted: As for :meth:`entries`.
        """
        return len(self.entries(**wanted))

    def clear(self) -> None:
        """Forget everything so far."""
        with self._lock:
            self._entries.clear()


def _has(entry: JournalEntry, name: str, value: Any) -> bool:
    if name == "is_rest":
        return (entry.transport is not None) is bool(value)
    if name == "path":
        return path_matches(entry.path, str(value))
    same: bool = getattr(entry, name) == value
    return same


def path_matches(path: str, pattern: str) -> bool:
    """Tell whether a path matches a glob, as it was sent or decoded.

    :param path: The path.
    :param pattern: The glob; ``*`` matches slashes too.
    """
    return fnmatchcase(path, pattern) or fnmatchcase(unquote(path), pattern)


def parsed_query(query: str) -> dict[str, str | list[str]]:
    """Parse a raw query string as the journal shows it.

    :param query: The query string, without ``?``.
    """
    parsed: dict[str, str | list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in parsed:
            parsed[name] = value
            continue
        before = parsed[name]
        parsed[name] = [*before, value] if isinstance(before, list) else [before, value]
    return parsed
