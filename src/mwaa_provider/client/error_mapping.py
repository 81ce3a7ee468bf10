"""Every foreign error becomes one of ours here, once: botocore's and requests'; Airflow's own answers in ``airflow_answer``.

The question that matters for a foreign error is whether the call may have been carried out. If the request never left, nothing was done
(:class:`~mwaa_provider.exceptions.ConnectionFailedError`); if it left and no answer came back, nobody knows
(:class:`~mwaa_provider.exceptions.UnknownOutcomeError`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mwaa_provider.client.airflow_answer import detail_of as detail_of
from mwaa_provider.client.airflow_answer import from_answer as from_answer
from mwaa_provider.client.airflow_answer import retry_after_of as retry_after_of
from mwaa_provider.exceptions import (
    AccessDeniedError,
    ConnectionFailedError,
    EnvironmentNotFoundError,
    InvalidInputError,
    MwaaError,
    RestApiError,
    RestApiServerError,
    ServiceError,
    ThrottledError,
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
#: Errors of Airflow handed on by InvokeRestApi.
_OF_AIRFLOW = {"RestApiClientException": RestApiError, "RestApiServerException": RestApiServerError}
_OF_CLOUDWATCH = frozenset({"GetMetricData", "PutDashboard", "PutMetricAlarm", "PutMetricData"})


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
            is_about_credentials=True,
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
    if code in _OF_AIRFLOW:  # else it carries Airflow's status and answer, and the transport reads them
        return _OF_AIRFLOW[code](
            f"{method} {path} on environment {environment_name!r} failed in Airflow ({code}): {detail}",
            status=500 if code == "RestApiServerException" else 400,
            detail=detail,
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
            is_about_credentials=True,
            **facts,
        )
    if isinstance(error, exceptions.NoRegionError):
        return InvalidInputError(
            [
                "region_name: it is missing; give it, or set AWS_REGION, or a region in the Airflow connection or the AWS profile"
            ]
        )
    if isinstance(error, exceptions.InvalidRegionError):
        return InvalidInputError([f"region_name: {error}"])
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


def _reason(error: RequestException) -> Any:
    return getattr(error.args[0], "reason", None) if error.args else None


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
