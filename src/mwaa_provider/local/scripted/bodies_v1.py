"""Checks of bodies and parameters as Airflow 2 makes them: connexion by the OpenAPI file first, marshmallow after."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mwaa_provider.local.answers import airflow_problem
from mwaa_provider.local.backend import BackendAnswer
from mwaa_provider.local.scripted import moments
from mwaa_provider.local.scripted.routing import Call, Refusal, answer
from mwaa_provider.local.scripted.shapes_v1 import REAL_PARAMETERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

_TYPES: dict[str, Callable[[Any], bool]] = {
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "string": lambda value: isinstance(value, str),
}

#: The error page of Airflow 2 for what nobody thought of.
_OOPS = (
    b'<!DOCTYPE html>\n<html lang="en"><body><h1> Ooops! </h1><pre>\nSomething bad has happened.</pre></body></html>'
)


class ProblemsV1:
    """Errors of one Airflow 2 release.

    :param airflow_version: The release.
    """

    def __init__(self, airflow_version: str) -> None:
        self._airflow_version = airflow_version

    def refusal(self, status: int, *, title: str | None = None, detail: str | None = None) -> Refusal:
        """Return an error to raise.

        :param status: The HTTP status.
        :param title: The title; that of the status by default.
        :param detail: The detail.
        """
        response = airflow_problem(status, self._airflow_version, title=title, detail=detail)
        return Refusal(BackendAnswer(response.status, response.body, response.content_type))

    @staticmethod
    def oops() -> BackendAnswer:
        """Return the page that Airflow 2 answers with where it fails."""
        return BackendAnswer(500, _OOPS, "text/html; charset=utf-8")

    def body(self, status: int, *, detail: str | None = None) -> dict[str, Any]:
        """Return an error's body.

        :param status: The HTTP status.
        :param detail: The detail.
        """
        body: dict[str, Any] = json.loads(airflow_problem(status, self._airflow_version, detail=detail).body)
        return body

    def checked(self, call: Call, types: Mapping[str, str], *, title: str | None = None) -> dict[str, Any]:
        """Return a copy of the body, an object that has only known fields of the right types.

        :param call: The request.
        :param types: OpenAPI types by field; a ``?`` at the end allows null.
        :param title: The title of the error about unknown fields.
        :raises Refusal: When it is something else.
        """
        if not call.has_body:
            raise self.refusal(400, detail="Request body must not be empty")
        body = call.body
        if not isinstance(body, dict):
            raise self.refusal(400, detail=f"{body!r} is not of type 'object'")
        for name, value in body.items():
            wanted = types.get(name, "")
            if wanted.endswith("?") and value is None:
                continue
            check = _TYPES.get(wanted.rstrip("?"))
            if check is not None and not check(value):
                raise self.refusal(400, detail=f"{value!r} is not of type '{wanted.rstrip('?')}' - '{name}'")
        if unknown := {name: ["Unknown field."] for name in body if name not in types}:
            raise self.refusal(400, title=title, detail=str(unknown))
        return dict(body)

    def required(self, body: Mapping[str, Any], names: Iterable[str], *, title: str | None = None) -> None:
        """Check that fields are there.

        :param body: The body.
        :param names: The fields.
        :param title: The error's title.
        :raises Refusal: When one is missing.
        """
        if missing := {name: ["Missing data for required field."] for name in names if name not in body}:
            raise self.refusal(400, title=title, detail=str(missing))

    def moment(self, value: Any, name: str) -> datetime:
        """Return a body's point in time.

        :param value: The value.
        :param name: The field.
        :raises Refusal: When it is not one.
        """
        moment = moments.parse_aware(value)
        if moment is None:
            raise self.refusal(400, detail=f"{value!r} is not a 'date-time' - '{name}'")
        return moment

    def limit(self, call: Call, *, most: int | None = 100) -> int:
        """Return how many rows a page has; 100 when not said.

        :param call: The request.
        :param most: The most it may be, ``[api] maximum_page_limit``; None for as many as asked for.
        :raises Refusal: When it is no number.
        """
        limit = self._integer(call, "limit", 100)
        if limit < 0:
            raise self.refusal(400, title="Page limit must be a positive integer")
        return limit if most is None else min(limit, most) or 100

    def offset(self, call: Call) -> int:
        """Return how many rows come before a page.

        :param call: The request.
        :raises Refusal: When it is no number.
        """
        return self._integer(call, "offset", 0)

    def _integer(self, call: Call, name: str, default: int) -> int:
        text = call.first(name, str(default))
        try:
            return int(text)
        except ValueError:
            raise self.refusal(400, detail=f"Wrong type, expected 'integer' for query parameter '{name}'") from None

    def boolean(self, call: Call, name: str) -> bool | None:
        """Return a query parameter that is true or false, None when it was not given.

        :param call: The request.
        :param name: The parameter.
        :raises Refusal: When it is neither.
        """
        if name not in call.query:
            return None
        text = call.first(name).lower()
        if text not in ("true", "false"):
            raise self.refusal(400, detail=f"Wrong type, expected 'boolean' for query parameter '{name}'")
        return text == "true"

    def ranges(self, call: Call, names: Iterable[str]) -> dict[str, datetime]:
        """Return the query's range filters.

        :param call: The request.
        :param names: The attributes that can be filtered.
        :raises Refusal: When one is no point in time.
        """
        found = {}
        for name in (f"{attribute}_{suffix}" for attribute in names for suffix in ("gte", "lte")):
            if name not in call.query:
                continue
            text = call.first(name).strip().replace(" ", "+")
            moment = moments.parse_aware(text)
            if moment is None:
                raise self.refusal(
                    400,
                    detail=f"{text!r} is not a 'date-time'\n\nFailed validating 'format' in schema:\n"
                    f"    {{'type': 'string', 'format': 'date-time'}}\n\nOn instance:\n    {text!r}",
                )
            found[name] = moment
        return found

    def only(self, call: Call, *known: str) -> None:
        """Check that the query has no other parameters.

        :param call: The request.
        :param known: The parameters that are scripted.
        :raises Refusal: When it has: one that Airflow does not have either is an error of the caller.
        """
        if unknown := sorted(set(call.query) - set(known)):
            if not set(unknown) <= REAL_PARAMETERS:
                detail = f"Extra query parameter(s) {', '.join(unknown)} not in spec"
                raise Refusal(answer(400, self.body(400, detail=detail) | {"title": None}, "application/problem+json"))
            raise self.refusal(
                501,
                title="Not scripted",
                detail=f"The scripted back end does not know the query parameter(s) {', '.join(unknown)}; "
                "a real Airflow does.",
            )

    def page_of_body(self, body: dict[str, Any]) -> tuple[int, int]:
        """Return offset and limit of a list that is asked for by POST.

        :param body: The body.
        :raises Refusal: When one is too small.
        """
        offset, limit = body.get("page_offset", 0), body.get("page_limit", 100)
        for name, value, least in (("page_offset", offset, 0), ("page_limit", limit, 1)):
            if value < least:
                raise self.refusal(400, detail=f"{value} is less than the minimum of {least} - '{name}'")
        return offset, limit

    def ranges_of_body(self, body: dict[str, Any]) -> dict[str, datetime]:
        """Return the range filters of a list that is asked for by POST.

        :param body: The body.
        :raises Refusal: When one is no point in time.
        """
        return of_runs(
            {name: self.moment(value, name) for name, value in body.items() if name.endswith(("_gte", "_lte"))}
        )

    def order(self, text: str, allowed: Mapping[str, str]) -> list[tuple[str, bool]]:
        """Return the order asked for.

        :param text: A column, with ``-`` before it for descending.
        :param allowed: Attributes by the names that may be asked for.
        :raises Refusal: When it is another column.
        """
        name = text.lstrip("-")
        if name not in allowed:
            raise self.refusal(
                400, detail=f"Ordering with '{name}' is disallowed or the attribute does not exist on the model"
            )
        return [(allowed[name], text.startswith("-"))]


def of_runs(ranges: dict[str, datetime]) -> dict[str, datetime]:
    """Return range filters by the names that the scripted runs have for them.

    :param ranges: Limits by Airflow's names.
    """
    return {name.replace("execution_date", "logical_date"): limit for name, limit in ranges.items()}
