"""Callers of a local MWAA, as boto3 and requests make them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config

if TYPE_CHECKING:
    from mwaa_provider.local import Identity, LocalEnvironment, LocalMwaa

LINES = {2: "2.10.3", 3: "3.3.1"}
API = {2: "/api/v1", 3: "/api/v2"}
LOGIN = {2: "/aws_mwaa/login", 3: "/pluginsv2/aws_mwaa/login"}
COOKIE = {2: "session", 3: "_token"}


class Signed:
    """A caller of the control plane without boto3's client: older boto3 has no invoke_rest_api."""

    def __init__(self, mwaa: LocalMwaa, identity: Identity | None = None, *, service: str = "airflow") -> None:
        self._mwaa = mwaa
        self._session = mwaa.boto3_session(identity)
        self._service = service

    def __call__(
        self, method: str, path: str, body: bytes | None = None, *, region: str | None = None
    ) -> requests.Response:
        url = self._mwaa.endpoint_url + path
        request = AWSRequest(method, url, data=body, headers={"Content-Type": "application/json"})
        SigV4Auth(
            self._session.get_credentials().get_frozen_credentials(), self._service, region or self._mwaa.region_name
        ).add_auth(request)
        return requests.request(method, url, data=body, headers=dict(request.headers), timeout=30)

    def rest(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: dict[str, Any] | None = None,
        environment: str = "target",
    ) -> requests.Response:
        call = {"Path": path, "Method": method}
        if body is not None:
            call["Body"] = body
        if query is not None:
            call["QueryParameters"] = query
        return self("POST", f"/restapi/{environment}", json.dumps(call).encode())


class Web:
    """A client of an environment's web server, with a session when it has logged in."""

    def __init__(self, mwaa: LocalMwaa, env: LocalEnvironment) -> None:
        self._mwaa, self._env = mwaa, env
        self._session = requests.Session()
        # requests prefers REQUESTS_CA_BUNDLE of the machine to what a session says.
        self._session.trust_env = False
        self._session.verify = str(mwaa.ca_file)
        self.headers: dict[str, str] = {}
        self.token = ""

    def __call__(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {**self.headers, **more.pop("headers", {})}
        return self._session.request(
            method, self._env.base_url + path, headers=headers, timeout=30, allow_redirects=False, **more
        )

    def login(self, token: str) -> requests.Response:
        answer = self("POST", LOGIN[self._env.airflow_line], data={"token": token})
        self._session.cookies.clear()
        if answer.status_code == 200:
            self.token = answer.cookies[COOKIE[self._env.airflow_line]]
            if self._env.airflow_line == 2:
                self.headers = {"Cookie": f"session={self.token}"}
            else:
                self.headers = {"Authorization": f"Bearer {self.token}"}
        return answer

    def rest(self, method: str, path: str, **more: Any) -> requests.Response:
        return self(method, API[self._env.airflow_line] + path, **more)

    def cli(self, token: str, command: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "text/plain"}
        return self("POST", "/aws_mwaa/cli", headers=headers, data=command)


def boto3_client(mwaa: LocalMwaa, identity: Identity | None = None) -> Any:
    # Each call once: what boto3 makes of an answer is the point, not how often it asks again.
    config = Config(inject_host_prefix=False, retries={"total_max_attempts": 1}, read_timeout=30)
    return mwaa.boto3_session(identity).client("mwaa", endpoint_url=mwaa.endpoint_url, config=config)
