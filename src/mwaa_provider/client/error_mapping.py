"""Every foreign error becomes one of ours here, once: botocore's, requests', and Airflow's own answers.

The question that matters for a foreign error is whether the call may have been carried out. If the request never left, nothing was done
(:class:`~mwaa_provider.exceptions.ConnectionFailedError`); if it left and no answer came back, nobody knows
(:class:`~mwaa_provider.exceptions.UnknownOutcomeError`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mwaa_provider.exceptions import (
    AccessDeniedError,
    ConflictError,
    ConnectionFailedError,
    EnvironmentNotFoundError,
    InvalidInputError,
    MwaaError,
    NotFoundError,
    RestApiError,
    RestApiLimitError,
    RestApiServerError,
    ServiceError,
    ThrottledError,
    UnexpectedAnswerError,
    UnknownOutcomeError,
)

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError
    from requests import RequestException

_THROTTLING_CODES = frozenset(
    {"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown"}
)
_DENIED_CODES = frozenset({"AccessDeniedException", "AccessDenied", "UnauthorizedOperation"})
_CREDENTIAL_CODES = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignatureException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "UnrecognizedClientException",
    }
)
_OF_CLOUDWATCH = frozenset({"GetMetricData", "PutDashboard", "PutMetricAlarm", "PutMetricData"})
_DETAIL_LENGTH = 500

#: What InvokeRestApi answers for Airflow when it gives up. https://docs.aws.amazon.com/mwaa/latest/userguide/mwaa-quotas.html
LIMITS_OF_IAM = {413: "6 MB", 504: "10 seconds"}


def from_client_error(error: ClientError, *, environment_name: str, method: str = "", path: str = "") -> MwaaError:
    """Map an error answer of AWS to ours.

    :param error: The foreign error.
    :param environment_name: The environment's name.
    :param method: HTTP method of the REST call; empty (default) for another AWS call.
    :param path: The REST call's path, if it is one.
    """
    service = _service_of(error.operation_name)
    facts: dict[str, Any] = {"environment_name": environment_name, "action": f"{service}:{error.operation_name}"}
    if method:
        facts.update(method=method, path=path)
    details = error.response.get("Error", {})
    code = str(details.get("Code", ""))
    detail = str(details.get("Message") or error.response.get("Message") or error.response.get("message") or "")
    metadata = error.response.get("ResponseMetadata", {})
    status = metadata.get("HTTPStatusCode", 0)
    about = f"{facts['action']}{_for(environment_name)}"
    if code in _DENIED_CODES:
        return AccessDeniedError(
            f"{about} is denied: {detail}. {_policy_hint(error.operation_name)}", detail=detail, **facts
        )
    if code in _CREDENTIAL_CODES:
        return AccessDeniedError(
            f"{about}: AWS does not accept the credentials ({code}: {detail}). Check those of the Airflow connection, "
            "the AWS profile or the process.",
            detail=detail,
            **facts,
        )
    if code == "ResourceNotFoundException":
        return EnvironmentNotFoundError(
            f"There is no MWAA environment {environment_name!r} in this account and region ({detail}). Check the name, the "
            "region and whose credentials are used; `mwaa environments` shows the names that are there.",
            **facts,
        )
    if code in _THROTTLING_CODES or status == 429:
        return ThrottledError(
            f"{about} was throttled and not carried out: {detail or code}. Call again more slowly.",
            retry_after=retry_after_of(metadata.get("HTTPHeaders", {})),
            **facts,
        )
    if status >= 500 and method not in ("", "GET"):
        return UnknownOutcomeError(
            f"{about} failed inside AWS ({code}: {detail}); {method} {path} may have been carried out.", **facts
        )
    return ServiceError(
        f"{about} was refused or failed: HTTP {status} {code}: {detail}",
        code=code,
        status=status,
        detail=detail,
        **facts,
    )


def from_botocore(error: BotoCoreError, *, environment_name: str, method: str = "", path: str = "") -> MwaaError:
    """Map an error of botocore itself (no usable answer of AWS) to ours.

    :param error: The foreign error.
    :param environment_name: The environment's name.
    :param method: HTTP method of the REST call; empty (default) for another AWS call.
    :param path: The REST call's path, if it is one.
    """
    from botocore import exceptions

    facts: dict[str, Any] = {"environment_name": environment_name, "method": method, "path": path}
    if isinstance(
        error,
        (
            exceptions.NoCredentialsError,
            exceptions.PartialCredentialsError,
            exceptions.CredentialRetrievalError,
            exceptions.SSOError,
        ),
    ):
        return AccessDeniedError(
            f"No AWS credentials to call MWAA with ({error}). Give some to the Airflow connection, the AWS profile or the process.",
            action="",
            detail=str(error),
            **facts,
        )
    if isinstance(error, exceptions.NoRegionError):
        return InvalidInputError(
            [
                "region_name: it is missing; give it, or set AWS_REGION, or a region in the Airflow connection or the AWS profile"
            ]
        )
    if isinstance(error, exceptions.ParamValidationError):
        return InvalidInputError([str(error)])
    not_sent = (
        exceptions.EndpointConnectionError,
        exceptions.ConnectTimeoutError,
        exceptions.ProxyConnectionError,
        exceptions.EndpointProviderError,
    )
    if isinstance(error, not_sent) or (isinstance(error, exceptions.SSLError) and is_of_certificate(error)):
        return ConnectionFailedError(
            f"AWS cannot be reached{_for(environment_name)}: {error}. Check the region, the address, the CA file, the "
            "proxies and the route (a VPC without internet needs the endpoints airflow.api and airflow.env).",
            host="",
            may_pass=isinstance(error, (exceptions.EndpointConnectionError, exceptions.ConnectTimeoutError)),
            **facts,
        )
    return UnknownOutcomeError(
        f"No answer of AWS{_for(environment_name)} ({type(error).__name__}: {error})"
        + (f"; {method} {path} may have been carried out." if method else "."),
        **facts,
    )


def from_requests(error: RequestException, *, environment_name: str, host: str, method: str, path: str) -> MwaaError:
    """Map an error of requests (no usable answer of the web server) to ours. The original is not chained: it carries the headers.

    :param error: The foreign error.
    :param environment_name: The environment's name.
    :param host: The web server's host.
    :param method: HTTP method.
    :param path: The path that was asked for.
    """
    import requests

    if isinstance(error, requests.exceptions.InvalidSchema) and "SOCKS" in str(error):
        return no_socks()
    facts: dict[str, Any] = {"environment_name": environment_name, "host": host, "method": method, "path": path}
    kind = type(_reason(error) or error).__name__
    if never_left(error):
        lasts = isinstance(error, (requests.exceptions.SSLError, requests.exceptions.ProxyError)) or is_private(host)
        return ConnectionFailedError(
            f"The web server {host} of environment {environment_name!r} cannot be reached ({kind}). {_reach_hint(host, error)}",
            may_pass=not lasts,
            **facts,
        )
    return UnknownOutcomeError(
        f"No answer of the web server {host} of environment {environment_name!r} to {method} {path} ({kind}); "
        "it may have been carried out.",
        **facts,
    )


def never_left(error: RequestException) -> bool:
    """Tell whether a request was not sent, so that nothing can have been done.

    :param error: What requests raised.
    """
    import requests
    from urllib3 import exceptions as urllib3_exceptions

    if isinstance(error, requests.exceptions.SSLError):
        return is_of_certificate(error)
    never = (requests.ConnectTimeout, requests.exceptions.ProxyError)
    reasons = (
        urllib3_exceptions.NewConnectionError,
        urllib3_exceptions.ConnectTimeoutError,
        urllib3_exceptions.ProxyError,
    )
    return isinstance(error, never) or isinstance(_reason(error), reasons)


def is_of_certificate(error: Exception) -> bool:
    """Tell whether a TLS error is one of the handshake; one that came later may have come after the request.

    :param error: The error.
    """
    text = str(error)
    return any(word in text for word in ("CERTIFICATE_VERIFY_FAILED", "WRONG_VERSION_NUMBER", "[X509", "doesn't match"))


def no_socks() -> InvalidInputError:
    """Return the error for a SOCKS proxy without the package that speaks to it."""
    return InvalidInputError(["proxies: a SOCKS proxy needs a further package: pip install 'requests[socks]'"])


def is_private(host: str) -> bool:
    """Tell whether a web server's name says that it is private.

    :param host: Its host.
    """
    return "-vpce." in host


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
    """Return after how many seconds a server wants to be asked again, or ``None`` if it does not say so, or says it as a date.

    :param headers: The answer's headers.
    """
    text = str(headers.get("Retry-After") or headers.get("retry-after") or "")
    return float(text) if text.isdigit() else None


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


def _reason(error: RequestException) -> Any:
    return getattr(error.args[0], "reason", None) if error.args else None


def _validation_problem(problem: Any) -> str:
    if not isinstance(problem, dict):
        return str(problem)
    return f"{'.'.join(str(step) for step in problem.get('loc', ()))}: {problem.get('msg', problem)}"


def _role_hint(status: int) -> str:
    return " The Airflow role of this identity does not allow it." if status == 403 else ""


def _for(environment_name: str) -> str:
    return f" for environment {environment_name!r}" if environment_name else ""


def _service_of(operation: str) -> str:
    if operation.startswith("AssumeRole"):
        return "sts"
    return "cloudwatch" if operation in _OF_CLOUDWATCH else "airflow"


def _policy_hint(operation: str) -> str:
    if operation.startswith("AssumeRole"):
        return "Let the trust policy of that role name the caller."
    if operation in _OF_CLOUDWATCH:
        return f"Allow cloudwatch:{operation} in the policy of the calling role (PutMetricData and GetMetricData know no resource but *)."
    resource = (
        "arn:aws:airflow:REGION:ACCOUNT:role/ENVIRONMENT/ROLE (ROLE: Admin, Op, User, Viewer or Public)"
        if operation in ("InvokeRestApi", "CreateWebLoginToken")
        else "arn:aws:airflow:REGION:ACCOUNT:environment/ENVIRONMENT"
    )
    return f"Allow airflow:{operation} on {resource} in the policy of the calling role."


def _reach_hint(host: str, error: Exception) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "Its certificate is not trusted: give the file of its CA as verify (the command mwaa: --ca), or set AWS_CA_BUNDLE."
    if is_private(host):
        return (
            "'-vpce' in the name says that the web server is private: it can be reached only from inside its VPC (or through a tunnel or "
            "proxy into it)."
        )
    return "Check the route, the proxies and the CA file."
