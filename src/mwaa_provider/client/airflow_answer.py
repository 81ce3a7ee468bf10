"""What Airflow's own answer means, by either way: done, or one of our errors with Airflow's own words in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from mwaa_provider.exceptions import (
    ConflictError,
    NotFoundError,
    RestApiError,
    RestApiLimitError,
    RestApiServerError,
    ThrottledError,
    UnexpectedAnswerError,
)

_DETAIL_LENGTH = 500

#: What InvokeRestApi answers for Airflow when it gives up. https://docs.aws.amazon.com/mwaa/latest/userguide/mwaa-quotas.html
LIMITS_OF_IAM = {413: "6 MB", 504: "10 seconds"}


def from_answer(
    *,
    environment_name: str,
    method: str,
    path: str,
    status: int,
    body: Any,
    is_json: bool,
    by_iam: bool = False,
    retry_after: float | None = None,
) -> RestApiError | ThrottledError | None:
    """Map Airflow's own answer to an error, or to ``None`` if it did what was asked.

    :param environment_name: The environment's name.
    :param method: HTTP method.
    :param path: Path below ``/api/vN``.
    :param status: HTTP status of Airflow's answer.
    :param body: The parsed JSON, or text.
    :param is_json: Whether it was JSON (or empty).
    :param by_iam: Whether it came through InvokeRestApi (default false).
    :param retry_after: After how many seconds the server wants to be asked again, if it said so.
    """
    facts: dict[str, Any] = {"environment_name": environment_name, "method": method, "path": path, "status": status}
    about = f"{method} {path} on environment {environment_name!r}"
    detail = detail_of(body)
    facts["detail"] = detail
    if status == 429:
        return ThrottledError(
            f"{about} was throttled by Airflow's web server and not carried out: {detail}. Call again more slowly.",
            retry_after=retry_after,
            **facts,
        )
    if by_iam and status in LIMITS_OF_IAM:
        return RestApiLimitError(
            f"{about} hit the limit of InvokeRestApi of {LIMITS_OF_IAM[status]} (HTTP {status}: {detail}). Ask for less at once, or "
            "by web session (transport 'auto' or 'session'), which has no such limit.",
            limit=LIMITS_OF_IAM[status],
            may_pass=status == 504,  # also what a busy web server's load balancer answers
            **facts,
        )
    facts["retry_after"] = retry_after
    if status >= 500:
        return RestApiServerError(f"{about} failed in Airflow's web server: HTTP {status}: {detail}", **facts)
    if status == 404:
        return NotFoundError(f"{about}: not found: {detail}", **facts)
    if status == 409:
        return ConflictError(f"{about}: it is in conflict with what is there: {detail}", **facts)
    if status >= 300:
        return RestApiError(f"{about} was refused: HTTP {status}: {detail}{_role_hint(status)}", **facts)
    if not is_json:
        return UnexpectedAnswerError(
            f"{about} was answered with something that is not JSON (HTTP {status}): {detail}", **facts
        )
    return None


def retry_after_of(headers: Mapping[str, str]) -> float | None:
    """Return after how many seconds a server wants to be asked again, or ``None`` if it does not say so.

    It may say a number or a date. A date counts from the answer's own ``Date``: the server's clock need not be ours.

    :param headers: The answer's headers.
    """
    text = _header(headers, "Retry-After")
    if text.isascii() and text.isdecimal():
        return float(text)
    then, now = _date(text), _date(_header(headers, "Date")) or datetime.now(timezone.utc)
    return None if then is None else max(0.0, (then - now).total_seconds())


def detail_of(body: Any) -> str:
    """Return what Airflow said was wrong, from any of the forms its REST APIs use.

    :param body: The parsed JSON, or text.
    """
    if not isinstance(body, dict):
        return str(body or "no further word")[:_DETAIL_LENGTH]
    # "error" is how Airflow 3 answers a path that it does not have.
    detail = body.get("detail") or body.get("title") or body.get("error") or body.get("message") or body
    if isinstance(detail, dict):  # v2: {"detail": {"reason": ..., "statement": ...}}
        detail = detail.get("message") or detail.get("reason") or detail
    if isinstance(detail, list):  # v2's 422: a list of what is wrong, where
        detail = "; ".join(_validation_problem(problem) for problem in detail)
    if isinstance(detail, dict):
        detail = json.dumps(detail, ensure_ascii=False) if detail else "no further word"
    return str(detail)[:_DETAIL_LENGTH]


def _validation_problem(problem: Any) -> str:
    if not isinstance(problem, dict):
        return str(problem)
    return f"{'.'.join(str(step) for step in problem.get('loc', ()))}: {problem.get('msg', problem)}"


def _role_hint(status: int) -> str:
    return " The Airflow role of this identity does not allow it." if status == 403 else ""


def _header(headers: Mapping[str, str], name: str) -> str:
    return str(headers.get(name) or headers.get(name.lower()) or "").strip()


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (TypeError, ValueError):  # Python 3.10 and later: ValueError
        return None
    return date.replace(tzinfo=timezone.utc) if date.tzinfo is None else date
