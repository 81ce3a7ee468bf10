"""MwaaRestApiOperator: call Airflow's REST API in another MWAA environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from mwaa_provider.airflow_compat import without_retry
from mwaa_provider.client import input_checks
from mwaa_provider.client.retry import UNKNOWN_OUTCOME
from mwaa_provider.exceptions import (
    InvalidInputError,
    ResponseCheckFailedError,
    ResultTooLargeError,
    UnknownOutcomeError,
)
from mwaa_provider.operators.base import MwaaBaseOperator
from mwaa_provider.operators.xcom_size import MAX_RESULT_BYTES, check_max_result_bytes, check_size

if TYPE_CHECKING:
    from mwaa_provider.airflow_compat import Context
    from mwaa_provider.client.transport import RestResponse

Result = TypeVar("Result")


class MwaaRestApiOperator(MwaaBaseOperator):
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
    :param transport: The way to the REST API: ``auto`` (default), ``iam`` (InvokeRestApi) or ``session`` (a web session).
    :raises InvalidInputError: naming every problem of the arguments. Nothing was sent.
    :raises RestApiError: if Airflow answered with an error.
    :raises ResponseCheckFailedError: if ``response_check`` returned ``False``.
    """

    template_fields: Sequence[str] = (
        *MwaaBaseOperator.template_fields,
        "path",
        "method",
        "query_params",
        "body",
    )
    template_fields_renderers = {"query_params": "json", "body": "json"}

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
        **kwargs: Any,
    ) -> None:
        super().__init__(environment_name=environment_name, **kwargs)
        self.path = path
        self.method = method
        self.query_params = query_params
        self.body = body
        self.response_check = response_check
        self.pages = pages
        self.is_idempotent = is_idempotent
        self.max_result_bytes = max_result_bytes

    def execute(self, context: Context) -> Any:
        """Make the call, and give back the answer."""
        call = self._checked_call()
        try:
            return self._all_pages(call) if self.pages else self._bounded(self._one_answer(call))
        except ResultTooLargeError as error:
            raise without_retry(error) from error

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
        if self.pages:
            # Imported where it is used: the whole REST client hangs on it, which a DAG file need not pay for.
            from mwaa_provider.client.rest.raw_pages import check_pages

            readable = (None if query_problems else call.query_params, None if body_problems else call.body)
            problems += [f"pages: {problem}" for problem in check_pages(call.method, self.path, *readable)]
        if problems:
            raise InvalidInputError(problems)
        return call

    def _one_answer(self, call: _Call) -> Any:
        try:
            response = self.hook.client.invoke_rest_api(
                self.environment_name,
                call.method,
                call.path,
                params=call.query_params,
                body=call.body,
                is_idempotent=self.is_idempotent,
            )
        except UNKNOWN_OUTCOME as error:
            from mwaa_provider.client.transport import may_be_sent_twice

            if self.is_idempotent or (self.is_idempotent is None and may_be_sent_twice(call.method, call.path)):
                raise
            unknown = UnknownOutcomeError(
                f"{error.message} Nobody knows whether this {call.method} was carried out; it was not sent again. Look first, or set "
                "is_idempotent=True if it may be sent twice.",
                **error.facts,
            )
            unknown.__cause__ = error
            raise without_retry(unknown) from unknown
        self._check(response, call)
        return response.body

    def _all_pages(self, call: _Call) -> dict[str, Any]:
        from mwaa_provider.client.rest.raw_pages import WholeList

        whole = WholeList()
        for response in self.hook.client.invoke_rest_api_pages(
            self.environment_name, call.method, call.path, params=call.query_params, body=call.body
        ):
            self._check(response, call)
            whole.add(response)
            self._bounded(whole.answer)
        if whole.missing:
            self.log.warning(
                "%s has %d entries, %d came: it changed meanwhile", call.path, whole.total, whole.total - whole.missing
            )
        return whole.answer

    def _check(self, response: RestResponse, call: _Call) -> None:
        self.log.info(
            "%s %s on environment %s: HTTP %s", call.method, call.path, self.environment_name, response.status
        )
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

    def _bounded(self, result: Result) -> Result:
        if self.do_xcom_push:
            check_size(
                result,
                self.max_result_bytes,
                ask_for_less="Ask for less (limit, filters, fields where the endpoint has them)",
            )
        return result


class _Call(NamedTuple):
    """What was asked for, converted and checked."""

    method: str
    path: str
    query_params: Mapping[str, Any]
    body: Mapping[str, Any] | None
