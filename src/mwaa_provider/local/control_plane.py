"""The control plane: what boto3's ``mwaa`` client calls.

Requests must carry an ``AWS4-HMAC-SHA256`` Authorization header whose scope names this local MWAA's region and the service ``airflow``. The
signature itself is not verified: any secret key will do.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

from mwaa_provider.local.answers import AwsError, json_response
from mwaa_provider.local.invoke_rest_api import invoke_rest_api, noted_call
from mwaa_provider.local.journal import parsed_query
from mwaa_provider.local.service import Service, Visit

if TYPE_CHECKING:
    from collections.abc import Callable

    from mwaa_provider.local.environment import LocalEnvironment
    from mwaa_provider.local.faults import Fault
    from mwaa_provider.local.http_server import HttpRequest, HttpResponse
    from mwaa_provider.local.identity import Identity

#: Method, path and operation, from botocore's service-2.json of ``mwaa``.
_ROUTES = [
    (method, re.compile(pattern), operation)
    for method, pattern, operation in [
        ("GET", r"/environments/?", "ListEnvironments"),
        ("GET", r"/environments/(?P<name>[^/]+)", "GetEnvironment"),
        ("PATCH", r"/environments/(?P<name>[^/]+)", "UpdateEnvironment"),
        ("PUT", r"/environments/(?P<name>[^/]+)", "CreateEnvironment"),
        ("DELETE", r"/environments/(?P<name>[^/]+)", "DeleteEnvironment"),
        ("POST", r"/clitoken/(?P<name>[^/]+)", "CreateCliToken"),
        ("POST", r"/webtoken/(?P<name>[^/]+)", "CreateWebLoginToken"),
        ("POST", r"/restapi/(?P<name>[^/]+)", "InvokeRestApi"),
        ("POST", r"/metrics/environments/(?P<name>[^/]+)", "PublishMetrics"),
        ("GET", r"/tags/.+", "ListTagsForResource"),
        ("POST", r"/tags/.+", "TagResource"),
        ("DELETE", r"/tags/.+", "UntagResource"),
    ]
]
_NAME = re.compile(r"[a-zA-Z][0-9a-zA-Z\-_]*")
_CREDENTIAL = re.compile(
    r"AWS4-HMAC-SHA256 .*Credential=(?P<key>[^/,\s]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request"
)
#: Actions whose IAM resource is the Airflow role, not the environment.
_ROLE_ACTIONS = frozenset({"CreateWebLoginToken", "InvokeRestApi"})
_UPDATABLE = frozenset(
    {
        "AirflowConfigurationOptions",
        "DagS3Path",
        "EnvironmentClass",
        "ExecutionRoleArn",
        "LoggingConfiguration",
        "MaxWebservers",
        "MaxWorkers",
        "MinWebservers",
        "MinWorkers",
        "NetworkConfiguration",
        "PluginsS3ObjectVersion",
        "PluginsS3Path",
        "RequirementsS3ObjectVersion",
        "RequirementsS3Path",
        "Schedulers",
        "SourceBucketArn",
        "StartupScriptS3ObjectVersion",
        "StartupScriptS3Path",
        "WebserverAccessMode",
        "WeeklyMaintenanceWindowStart",
    }
)


class ControlPlane:
    """Answers the AWS operations of one local MWAA.

    :param service: The local MWAA.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._operations: dict[str, Callable[[HttpRequest, LocalEnvironment, Identity, Visit], HttpResponse]] = {
            "GetEnvironment": self._get_environment,
            "UpdateEnvironment": self._update_environment,
            "CreateCliToken": self._create_cli_token,
            "CreateWebLoginToken": self._create_web_login_token,
            "InvokeRestApi": self._invoke_rest_api,
        }

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer one request.

        :param request: The request.
        """
        operation, name = _route(request)
        visit = Visit(
            self._service.clock.now(),
            name,
            "control",
            operation,
            request.method,
            request.path,
            parsed_query(request.query),
            _parsed(request.body),
        )
        if operation == "InvokeRestApi":
            noted_call(visit)

        def act() -> HttpResponse:
            return self._answer(request, operation, name, visit)

        def refuse(fault: Fault) -> HttpResponse:
            return self._refused(request, operation, name, fault, visit)

        with self._service.journaled(visit):
            response = self._service.struck(visit, operation, act, fault_answer=refuse)
            # For InvokeRestApi it is there already: what Airflow answered.
            visit.status = visit.status or response.status
            return response

    def _answer(self, request: HttpRequest, operation: str, name: str | None, visit: Visit) -> HttpResponse:
        try:
            return self._carried_out(request, operation, name, visit)
        except AwsError as error:
            visit.error_code = error.code
            visit.status = error.fields.get("RestApiStatusCode", error.status)
            return error.response()

    def _refused(
        self, request: HttpRequest, operation: str, name: str | None, fault: Fault, visit: Visit
    ) -> HttpResponse:
        try:
            identity = self._caller(request)
        except AwsError as error:
            return error.response()
        visit.is_by(identity)
        error = throttled() if fault.kind == "throttle" else self._denied(operation, name, identity)
        visit.error_code, visit.status = error.code, error.status
        return error.response()

    def _carried_out(self, request: HttpRequest, operation: str, name: str | None, visit: Visit) -> HttpResponse:
        if operation == "Unknown":
            raise AwsError(
                "UnknownOperationException", 404, f"No operation of MWAA has {request.method} {request.path}."
            )
        identity = self._caller(request)
        visit.is_by(identity)
        if operation != "ListEnvironments" and operation not in self._operations:
            raise AwsError(
                "UnsupportedByLocalMwaa",
                501,
                f"This local MWAA does not do {operation}; the service does. "
                "Environments are made and deleted with LocalMwaa.create_environment and delete_environment.",
            )
        if name is not None and not (len(name) <= 80 and _NAME.fullmatch(name)):
            raise AwsError(
                "ValidationException",
                400,
                f"1 validation error detected: Value '{name}' at 'name' failed to satisfy constraint: Member must have length "
                "less than or equal to 80 and satisfy regular expression pattern: [a-zA-Z][0-9a-zA-Z-_]*",
            )
        if self._service.identities.is_denied(operation, identity, name):
            raise self._denied(operation, name, identity)
        if name is None:
            return self._list_environments(request)
        environment = self._service.environments.get(name)
        if environment is None:
            raise AwsError("ResourceNotFoundException", 404, f"Environment {name} not found")
        return self._operations[operation](request, environment, identity, visit)

    def _caller(self, request: HttpRequest) -> Identity:
        authorization = request.headers.get("authorization")
        if authorization is None:
            raise AwsError("MissingAuthenticationTokenException", 403, "Missing Authentication Token")
        credential = _CREDENTIAL.match(authorization)
        if credential is None or "Signature=" not in authorization:
            raise AwsError(
                "IncompleteSignatureException",
                403,
                "The Authorization header is no AWS4-HMAC-SHA256 signature with a Credential.",
            )
        if credential["service"] != "airflow":
            raise AwsError(
                "InvalidSignatureException", 403, "Credential should be scoped to correct service: 'airflow'."
            )
        if credential["region"] != self._service.region_name:
            raise AwsError(
                "InvalidSignatureException",
                403,
                f"Credential should be scoped to a valid region, not '{credential['region']}' "
                f"(this local MWAA is in {self._service.region_name}).",
            )
        return self._service.identities.get(credential["key"])

    def _denied(self, operation: str, name: str | None, identity: Identity) -> AwsError:
        prefix = f"arn:aws:airflow:{self._service.region_name}:{self._service.account_id}"
        if name is None:
            resource = f"{prefix}:environment/*"
        elif operation in _ROLE_ACTIONS:
            resource = f"{prefix}:role/{name}/{identity.airflow_role}"
        else:
            resource = f"{prefix}:environment/{name}"
        return AwsError(
            "AccessDeniedException",
            403,
            f"User: arn:aws:iam::{self._service.account_id}:{identity.iam_name} is not authorized to perform: airflow:{operation} "
            f"on resource: {resource} because no identity-based policy allows the airflow:{operation} action",
        )

    def _list_environments(self, request: HttpRequest) -> HttpResponse:
        query = parse_qs(request.query)
        asked = query.get("MaxResults", ["25"])[0]
        if not (asked.isdecimal() and 1 <= int(asked) <= 25):
            raise AwsError("ValidationException", 400, f"MaxResults must be a number from 1 to 25, not '{asked}'.")
        names = sorted(self._service.environments)
        after = _page_start(query["NextToken"][0]) if "NextToken" in query else ""
        left = [name for name in names if name > after]
        page = left[: int(asked)]
        body: dict[str, Any] = {"Environments": page}
        if len(left) > len(page):
            body["NextToken"] = base64.urlsafe_b64encode(page[-1].encode()).decode()
        return json_response(200, body)

    def _get_environment(
        self, request: HttpRequest, environment: LocalEnvironment, identity: Identity, visit: Visit
    ) -> HttpResponse:
        return json_response(200, {"Environment": environment.description()})

    def _update_environment(
        self, request: HttpRequest, environment: LocalEnvironment, identity: Identity, visit: Visit
    ) -> HttpResponse:
        changes = _object(request)
        strategy = changes.pop("WorkerReplacementStrategy", None)
        if strategy not in (None, "FORCED", "GRACEFUL"):
            raise AwsError("ValidationException", 400, "WorkerReplacementStrategy must be FORCED or GRACEFUL.")
        version = changes.pop("AirflowVersion", environment.backend.airflow_version)
        if version != environment.backend.airflow_version:
            raise AwsError(
                "ValidationException",
                400,
                f"This local MWAA cannot change the Airflow version of an environment ({environment.backend.airflow_version} "
                f"to {version}); delete it and create another.",
            )
        if unknown := sorted(set(changes) - _UPDATABLE):
            raise AwsError("ValidationException", 400, f"UpdateEnvironment does not take {', '.join(unknown)}.")
        if environment.status not in ("AVAILABLE", "UPDATE_FAILED"):
            raise AwsError(
                "ValidationException",
                400,
                f"Environment {environment.name} cannot be updated while {environment.status}.",
            )
        environment.update(changes, strategy)
        return json_response(200, {"Arn": environment.arn})

    def _create_cli_token(
        self, request: HttpRequest, environment: LocalEnvironment, identity: Identity, visit: Visit
    ) -> HttpResponse:
        must_be_usable(environment)
        token = self._service.tokens.issue("cli", environment.name, identity)
        return json_response(200, {"CliToken": token, "WebServerHostname": environment.host})

    def _create_web_login_token(
        self, request: HttpRequest, environment: LocalEnvironment, identity: Identity, visit: Visit
    ) -> HttpResponse:
        must_be_usable(environment)
        token = self._service.tokens.issue("web", environment.name, identity)
        return json_response(
            200,
            {
                "AirflowIdentity": identity.iam_name,
                "IamIdentity": identity.iam_name,
                "WebServerHostname": environment.host,
                "WebToken": token,
            },
        )

    def _invoke_rest_api(
        self, request: HttpRequest, environment: LocalEnvironment, identity: Identity, visit: Visit
    ) -> HttpResponse:
        must_be_usable(environment)
        if not environment.admit_rest_call():
            raise throttled()
        return invoke_rest_api(self._service, environment, identity, _object(request), visit)


def throttled() -> AwsError:
    """Return the error for too many calls a second.

    It is not modelled for MWAA. AWS's list of common errors gives it status 400 and API Gateway answers 429; botocore knows it by its
    code and retries either.
    """
    return AwsError("ThrottlingException", 429, "Rate exceeded")


def must_be_usable(environment: LocalEnvironment) -> None:
    """Check that the environment's web server is there.

    :param environment: The environment.
    :raises AwsError: When its status says otherwise. What the service answers then is not published.
    """
    if not environment.is_usable:
        raise AwsError("ValidationException", 400, f"Environment {environment.name} is {environment.status}")


def _route(request: HttpRequest) -> tuple[str, str | None]:
    for method, pattern, operation in _ROUTES:
        found = pattern.fullmatch(request.path)
        if found and method == request.method:
            name = found.groupdict().get("name")
            return operation, None if name is None else unquote(name)
    return "Unknown", None


def _parsed(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")


def _object(request: HttpRequest) -> dict[str, Any]:
    try:
        parsed = json.loads(request.body or b"{}")
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise AwsError("SerializationException", 400, "The body must be a JSON object.")
    return parsed


def _page_start(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, ValueError):
        raise AwsError("ValidationException", 400, "NextToken is not one of this operation.") from None
