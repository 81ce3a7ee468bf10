"""From a request to the function that answers it, with the Airflow role it takes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from mwaa_provider.local.backend import AirflowRole, BackendAnswer, BackendRequest

#: From the least to the most allowed, as in Airflow's FAB auth manager, which MWAA runs.
_ROLES: tuple[AirflowRole, ...] = ("Public", "Viewer", "User", "Op", "Admin")


class Refusal(Exception):  # noqa: N818 - an answer, raised from where it is known
    """An error of the REST API.

    :param answer: The answer.
    """

    def __init__(self, answer: BackendAnswer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass(frozen=True)
class Call:
    """A request, taken apart.

    :param parameters: What the path's placeholders hold, decoded.
    :param query: The query's values by name.
    :param body: The parsed JSON body; None when there is none.
    :param has_body: Whether there was a body.
    :param role: The caller's Airflow role.
    """

    parameters: dict[str, str]
    query: dict[str, list[str]]
    body: Any = field(repr=False)
    has_body: bool
    role: AirflowRole

    def __getitem__(self, name: str) -> str:
        return self.parameters[name]

    def first(self, name: str, default: str = "") -> str:
        """Return a query parameter's first value.

        :param name: The parameter.
        :param default: Its value when it was not given.
        """
        return self.query.get(name, [default])[0]


Handler = Callable[[Call], BackendAnswer]


@dataclass(frozen=True)
class Route:
    """One path and method that is answered.

    :param method: The HTTP method.
    :param pattern: The path as a regular expression with named groups.
    :param handler: What answers.
    :param needs: The least Airflow role it takes.
    """

    method: str
    pattern: re.Pattern[str]
    handler: Handler
    needs: AirflowRole


def route(method: str, template: str, handler: Handler, needs: AirflowRole) -> Route:
    """Return a route for a path template such as ``/dags/{dag_id}``; ``{name:path}`` takes slashes too.

    :param method: The HTTP method.
    :param template: The template.
    :param handler: What answers.
    :param needs: The least Airflow role it takes.
    """
    pattern = re.sub(r"\{(\w+):path\}", r"(?P<\1>.+)", template)
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)
    return Route(method, re.compile(pattern), handler, needs)


def find(routes: list[Route], request: BackendRequest) -> tuple[Route | None, dict[str, str], list[str]]:
    """Return the route for a request, its placeholders' values, and the methods its path knows.

    :param routes: The routes, the first that matches wins.
    :param request: The request.
    """
    methods = []
    # The servers before Airflow decode the path first: a quoted slash parts two steps like any other.
    path = re.sub("%2F", "/", request.path, flags=re.IGNORECASE)
    for candidate in routes:
        found = candidate.pattern.fullmatch(path)
        if found is None:
            continue
        if candidate.method == request.method:
            return candidate, {name: unquote(value) for name, value in found.groupdict().items()}, []
        methods.append(candidate.method)
    return None, {}, methods


def may(role: AirflowRole, needed: AirflowRole) -> bool:
    """Tell whether a role is enough.

    :param role: The caller's.
    :param needed: The least.
    """
    return _ROLES.index(role) >= _ROLES.index(needed)


def call_of(request: BackendRequest, parameters: dict[str, str]) -> Call:
    """Take a request apart.

    :param request: The request.
    :param parameters: The path's placeholders.
    :raises ValueError: When its body is no JSON.
    """
    body = json.loads(request.body) if request.body else None
    return Call(
        parameters, parse_qs(request.query, keep_blank_values=True), body, bool(request.body), request.airflow_role
    )


def answer(status: int, body: Any, content_type: str = "application/json") -> BackendAnswer:
    """Return a JSON answer.

    :param status: The HTTP status.
    :param body: What is sent.
    :param content_type: The body's media type.
    """
    return BackendAnswer(status, json.dumps(body).encode(), content_type)
