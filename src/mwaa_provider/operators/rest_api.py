"""MwaaRestApiOperator: call Airflow's REST API in another MWAA environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from mwaa_provider.airflow_compat import BaseOperator, without_retry
from mwaa_provider.client import input_checks
from mwaa_provider.exceptions import (
    InvalidInputError,
    ResponseCheckFailedError,
    RestApiServerError,
    ResultTooLargeError,
    UnexpectedAnswerError,
    UnknownOutcomeError,
)
from mwaa_provider.operators.xcom_size import MAX_RESULT_BYTES, check_max_result_bytes, check_size

if TYPE_CHECKING:
    from mwaa_provider.airflow_compat import Context
    from mwaa_provider.client.transport import RestResponse
    from mwaa_provider.hooks.mwaa import MwaaHook

_PAGE_ROWS = 100

Result = TypeVar("Result")


class MwaaRestApiOperator(BaseOperator):
    """Call Airflow's REST API in another MWAA environment.

    The result (XCom) is the parsed JSON of the answer, ``None`` for an empty one. Calls that may be made twice are repeated when they fail
    for a passing reason. A ``POST`` (other than to ``.../list``) is sent once; if nobody knows whether it was carried out, the error says
    so, and the task fails without a retry.

    IAM actions: ``airflow:GetEnvironment`` on the environment; ``airflow:InvokeRestApi`` or ``airflow:CreateWebLoginToken`` on
    ``arn:aws:airflow:REGION:ACCOUNT:role/ENVIRONMENT/ROLE``.
    https://docs.aws.amazon.com/mwaa/latest/userguide/access-mwaa-apache-airflow-rest-api.html

    :param environment_name: The other environment's name. (templated)
    :param path: The path below ``/api/v1`` or ``/api/v2``, such as ``/dags``; quote what you put into it. (templated)
    :param method: ``GET`` (default), ``POST``, ``PUT``, ``PATCH`` or ``DELETE``. (templated)
    :param query_params: Query parameters: a dict, or text of a JSON object (``params`` is what Airflow calls a DAG's own). (templated)
    :param body: The JSON body: a dict, or text of a JSON object. (templated)
    :param response_check: Is given the answer (``status``, ``body``), with ``pages`` each one; the task fails if it returns ``False``.
    :param pages: Whether to ask for all pages of a list (a ``GET`` with ``limit`` and ``offset``, or a ``POST`` to ``.../list``) and give
        back one answer with all rows (default false). ``limit`` in ``query_params``, ``page_limit`` in ``body`` is the size of a page
        (default 100).
    :param is_idempotent: Whether the call may be sent twice (default: by method and path).
    :param max_result_bytes: How large the result may be, in bytes of its JSON (default 49152). A larger one fails the task, without a
        retry; with ``do_xcom_push=False`` there is no bound.
    :param aws_conn_id: The Airflow connection to AWS (default ``aws_default``); ``None`` for the worker's own role. (templated)
    :param region_name: AWS region of the other environment (default: the connection's). (templated)
    :param verify: The CA bundle's path, or ``False`` to trust any certificate (default: the connection's). (templated)
    :param botocore_config: Settings of botocore as a dict (default: the connection's).
    :raises InvalidInputError: naming every problem of the arguments. Nothing was sent.
    :raises RestApiError: if Airflow answered with an error.
    :raises ResponseCheckFailedError: if ``response_check`` returned ``False``.
    """

    template_fields: Sequence[str] = (
        "environment_name",
        "path",
        "method",
        "query_params",
        "body",
        "aws_conn_id",
        "region_name",
        "verify",
    )
    template_fields_renderers = {"query_params": "json", "body": "json"}
    ui_color = "#e4d9f2"

    def __init__(
        self,
        *,
        environment_name: str,
        path: str,
        method: str = "GET",
        query_params: dict[str, Any] | str | None = None,
        body: dict[str, Any] | str | None = None,
        response_check: Callable[[RestResponse], bool] | None = None,
        pages: bool = False,
        is_idempotent: bool | None = None,
        max_result_bytes: int = MAX_RESULT_BYTES,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        verify: bool | str | None = None,
        botocore_config: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.environment_name = environment_name
        self.path = path
        self.method = method
        self.query_params = query_params
        self.body = body
        self.response_check = response_check
        self.pages = pages
        self.is_idempotent = is_idempotent
        self.max_result_bytes = max_result_bytes
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name
        self.verify = verify
        self.botocore_config = botocore_config

    def execute(self, context: Context) -> Any:
        """Make the call, and give back the answer."""
        call = self._checked_call()
        try:
            return self._all_pages(call) if self.pages else self._bounded(self._ask(call))
        except ResultTooLargeError as error:
            raise without_retry(error) from error

    @cached_property
    def hook(self) -> MwaaHook:
        """The way to MWAA."""
        from mwaa_provider.hooks.mwaa import MwaaHook

        return MwaaHook(
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            botocore_config=self.botocore_config,
        )

    def _checked_call(self) -> _Call:
        query_params, query_problems = input_checks.read_conf("query_params", self.query_params)
        body, body_problems = input_checks.read_conf("body", self.body)
        call = _Call(str(self.method).upper(), self.path, query_params or {}, body)
        problems = [
            *input_checks.check_environment_name(self.environment_name),
            *input_checks.check_rest_call(call.method, self.path),
            *query_problems,
            *body_problems,
            *check_max_result_bytes(self.max_result_bytes),
        ]
        if self.pages and not call.is_list:
            problems.append(
                f"pages: {self.method} {self.path} is no list; only a GET and a POST to '.../list' have pages"
            )
        if self.pages and not call.page_size > 0:
            problems.append(f"pages: a page needs room for at least one row; {call.limit_name} is {call.page_size}")
        if problems:
            raise InvalidInputError(problems)
        return call

    def _ask(self, call: _Call) -> Any:
        try:
            response = self.hook.client.invoke_rest_api(
                self.environment_name,
                call.method,
                call.path,
                params=call.query_params,
                body=call.body,
                is_idempotent=self.is_idempotent,
            )
        except (UnknownOutcomeError, RestApiServerError, UnexpectedAnswerError) as error:
            may_be_sent_twice = (
                call.method != "POST" or call.is_list if self.is_idempotent is None else self.is_idempotent
            )
            if may_be_sent_twice:
                raise
            unknown = UnknownOutcomeError(
                f"{error.message} Nobody knows whether this {call.method} was carried out; it was not sent again. Look first, or set "
                "is_idempotent=True if it may be sent twice.",
                **error.facts,
            )
            unknown.__cause__ = error
            raise without_retry(unknown) from unknown
        if self.response_check is not None and not self.response_check(response):
            raise ResponseCheckFailedError(
                f"{call.method} {call.path} on environment {self.environment_name!r} was answered with HTTP {response.status}, and "
                "response_check turned the answer down.",
                environment_name=self.environment_name,
                method=call.method,
                path=call.path,
                status=response.status,
                detail="response_check",
            )
        self.log.info(
            "%s %s on environment %s: HTTP %s", call.method, call.path, self.environment_name, response.status
        )
        return response.body

    def _bounded(self, result: Result) -> Result:
        if self.do_xcom_push:
            check_size(
                result,
                self.max_result_bytes,
                ask_for_less="Ask for less (limit, filters, fields where the endpoint has them)",
            )
        return result

    def _all_pages(self, call: _Call) -> dict[str, Any]:
        """Ask page after page, going on by as many rows as came: releases give fewer than they were asked for."""
        rows: list[Any] = []
        while True:
            page = self._ask(call.at(len(rows)))
            name, found, total = _rows_of(page, call, self.environment_name)
            rows += found
            result: dict[str, Any] = self._bounded({name: rows, "total_entries": total})
            if not found or len(rows) >= total:
                break
        if len(rows) != total:
            self.log.warning("%s has %d entries, %d came: it changed meanwhile", call.path, total, len(rows))
        return result


@dataclass(frozen=True)
class _Call:
    """What was asked for, converted and checked."""

    method: str
    path: str
    query_params: Mapping[str, Any]
    body: Mapping[str, Any] | None

    @property
    def is_list(self) -> bool:
        return self.method == "GET" or (self.method == "POST" and str(self.path).endswith("/list"))

    @property
    def limit_name(self) -> str:
        return "limit" if self.method == "GET" else "page_limit"

    @property
    def page_size(self) -> int:
        asked = self.query_params if self.method == "GET" else self.body
        given = asked.get(self.limit_name, _PAGE_ROWS) if isinstance(asked, Mapping) else _PAGE_ROWS
        return int(given) if str(given).isdigit() else 0

    def at(self, offset: int) -> _Call:
        if self.method == "GET":
            return _Call(
                self.method, self.path, {**self.query_params, "limit": self.page_size, "offset": offset}, self.body
            )
        body = {**(self.body or {}), "page_limit": self.page_size, "page_offset": offset}
        return _Call(self.method, self.path, self.query_params, body)


def _rows_of(page: Any, call: _Call, environment_name: str) -> tuple[str, list[Any], int]:
    lists = [name for name, value in page.items() if isinstance(value, list)] if isinstance(page, dict) else []
    total = page.get("total_entries") if isinstance(page, dict) else None
    if len(lists) != 1 or not isinstance(total, int):
        raise UnexpectedAnswerError(
            f"{call.method} {call.path} on environment {environment_name!r} was answered with something that has no pages: one list and "
            "total_entries are wanted. Set pages=False.",
            environment_name=environment_name,
            method=call.method,
            path=call.path,
            status=200,
            detail="no pages",
        )
    return lists[0], page[lists[0]], total
