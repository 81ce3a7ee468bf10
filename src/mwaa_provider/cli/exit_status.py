"""The exit statuses of the command ``mwaa``."""

from __future__ import annotations

from mwaa_provider.exceptions import (
    InvalidInputError,
    MwaaError,
    RestApiError,
    RestApiLimitError,
    RestApiServerError,
    UnexpectedAnswerError,
    UnknownOutcomeError,
)

CALL_FAILED = 1
WRONG_USAGE = 2
AIRFLOW_SAID_NO = 3
OUTCOME_UNKNOWN = 4
ERRORS_FOUND = 5
WARNINGS_FOUND = 6
INTERRUPTED = 130
#: What a program ends with that dies of SIGPIPE, 128 + 13.
NOBODY_READS = 141

_PERHAPS_DONE = (UnknownOutcomeError, RestApiServerError, RestApiLimitError, UnexpectedAnswerError)


def exit_status_of(error: MwaaError) -> int:
    """Return the exit status that tells a program what kind of failure this was.

    :param error: What failed.
    """
    if isinstance(error, InvalidInputError):
        return WRONG_USAGE
    if isinstance(error, _PERHAPS_DONE) and _changes_something(error):
        return OUTCOME_UNKNOWN
    return AIRFLOW_SAID_NO if isinstance(error, RestApiError) else CALL_FAILED


def _changes_something(error: MwaaError) -> bool:
    method, path = error.facts.get("method") or "GET", error.facts.get("path") or ""
    return method != "GET" and not path.endswith("/list")
