from __future__ import annotations

import pytest

from mwaa_provider import exceptions
from mwaa_provider.cli.exit_status import exit_status_of

GET = {"method": "GET", "path": "/dags"}
POST = {"method": "POST", "path": "/dags/a/dagRuns"}
LIST = {"method": "POST", "path": "/dags/~/dagRuns/list"}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (exceptions.InvalidInputError(["path: no"]), 2),
        (exceptions.ConnectionFailedError("", **POST), 1),
        (exceptions.AccessDeniedError(""), 1),
        (exceptions.EnvironmentNotFoundError(""), 1),
        (exceptions.ThrottledError("", **POST), 1),
        (exceptions.ServiceError(""), 1),
        (exceptions.LoginFailedError(""), 1),
        (exceptions.NoWayInError(""), 1),
        (exceptions.NotFoundError("", **POST), 3),
        (exceptions.ConflictError("", **POST), 3),
        (exceptions.RestApiError("", **POST), 3),
        (exceptions.RestApiServerError("", **GET), 3),
        (exceptions.RestApiServerError("", **LIST), 3),
        (exceptions.RestApiServerError("", **POST), 4),
        (exceptions.RestApiLimitError("", **POST), 4),
        (exceptions.UnexpectedAnswerError("", **POST), 4),
        (exceptions.UnknownOutcomeError(""), 1),
        (exceptions.UnknownOutcomeError("", **GET), 1),
        (exceptions.UnknownOutcomeError("", **POST), 4),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_the_kind_of_failure_can_be_told(error: exceptions.MwaaError, status: int) -> None:
    assert exit_status_of(error) == status
