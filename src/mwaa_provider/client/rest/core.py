"""What all calls of :class:`mwaa_provider.client.rest.AirflowRestApi` stand on."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar

from mwaa_provider.client.models import Environment
from mwaa_provider.client.rest.endpoints import Endpoint
from mwaa_provider.client.rest.paging import Listing, Order, Page
from mwaa_provider.client.time_limit import TimeLimit
from mwaa_provider.client.transport import RestRequest, RestResponse, checked
from mwaa_provider.exceptions import InvalidInputError, UnexpectedAnswerError

Model = TypeVar("Model")


class RestCore:
    """The REST API of one environment.

    :param environment: The environment.
    :param send: Sends one request there and brings back Airflow's answer.
    """

    def __init__(self, environment: Environment, send: Callable[[Environment, RestRequest], RestResponse]) -> None:
        self._environment = environment
        self._send = send
        self._release = tuple(int(part) for part in environment.airflow_version.split(".")[:3] if part.isdigit())

    @property
    def _major(self) -> int:
        return self._environment.airflow_major

    def _call(
        self,
        endpoint: Endpoint,
        ids: Mapping[str, str] | None = None,
        *,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        limit: TimeLimit | None = None,
    ) -> RestResponse:
        path = endpoint.at(**(ids or {}))
        request = RestRequest(endpoint.method, path, params or {}, body, endpoint.effect, limit)
        return checked(self._environment, request, self._send(self._environment, request))

    def _read(self, endpoint: Endpoint, read: Callable[[], Model]) -> Model:
        try:
            return read()
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise UnexpectedAnswerError(
                f"{endpoint.method} {endpoint.path} on environment {self._environment.name!r} was answered without a usable "
                f"{error}. Is its Airflow ({self._environment.airflow_version}) newer than this package knows?",
                environment_name=self._environment.name,
                method=endpoint.method,
                path=endpoint.path,
                status=200,
                detail=str(error),
            ) from error

    def _listing(
        self,
        endpoint: Endpoint,
        ids: Mapping[str, str] | None = None,
        *,
        rows: str,
        read: Callable[[Any], Model],
        key: Callable[[Model], Hashable],
        asked: Mapping[str, Any],
        order: Order,
        obeys_limit: bool = True,
    ) -> Listing[Model]:
        """Return a list whose filters (and order) go into the query or, for a POST, into the body; ``rows`` names its rows."""
        path = endpoint.at(**(ids or {}))  # what is wrong with the ids is told now, not when the list is read

        def fetch(offset: int, limit: int) -> Page[Model]:
            if endpoint.method == "POST":
                answer = self._call(endpoint, ids, body={**asked, "page_offset": offset, "page_limit": limit})
            else:
                answer = self._call(endpoint, ids, params={**asked, "offset": offset, "limit": limit})
            body = answer.body
            return self._read(
                endpoint,
                lambda: Page(
                    [read(row) for row in body[rows]], int(body["total_entries"]), answer.size, answer.seconds
                ),
            )

        return Listing(
            fetch,
            key,
            order,
            obeys_limit=obeys_limit,
            environment_name=self._environment.name,
            about=(endpoint.method, path),
        )

    def _in_path(self, field: str, value: str, *, may_have_slash: bool) -> str:
        """Return what goes into a path, if the release finds it there: the web server takes a quoted slash for any other."""
        if "/" in value and not may_have_slash:
            raise InvalidInputError(
                [
                    f"{field}: {value!r} has a '/', and the REST API of Airflow {self._environment.airflow_version} cannot be asked for "
                    "such a one; use another name, or the list"
                ]
            )
        return value
