"""Answers of an environment's web server beyond Airflow's REST API, taken as they come.

What plugins add to a web server has no way through InvokeRestApi: it is reached over the web session alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any

from mwaa_provider.client import error_mapping, input_checks
from mwaa_provider.client.core import ClientCore, raise_problems
from mwaa_provider.client.models import Environment
from mwaa_provider.client.tokens import WebSession
from mwaa_provider.exceptions import MwaaError

_PIECE = 64 * 1024
#: Of an error's text at most so much is read.
_LONGEST_ERROR = 64 * 1024


class StreamedAnswer:
    """An answer whose body has not been read yet. Use it in a ``with`` statement.

    :param response: The ``requests.Response``.
    :param about: For errors: environment name, host, method and path.
    """

    def __init__(self, response: Any, about: Mapping[str, str]) -> None:
        self._response = response
        self._about = dict(about)
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.body: Any = None
        if self.status != 200:
            self.body = self._error()
            self.close()

    def __enter__(self) -> StreamedAnswer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def media_type(self) -> str:
        """What the body is, as the server says."""
        return str(self.headers.get("Content-Type", "")).partition(";")[0].strip().lower()

    @property
    def error(self) -> MwaaError | None:
        """What the status says went wrong; ``None`` for 200."""
        if self.status == 200:
            return None
        return error_mapping.from_answer(
            environment_name=self._about["environment_name"],
            method=self._about["method"],
            path=self._about["path"],
            status=self.status,
            body=self.body,
            is_json=isinstance(self.body, (dict, list)),
            retry_after=error_mapping.retry_after_of(self.headers),
        )

    def pieces(self) -> Iterator[bytes]:
        """Give the body as it comes.

        :raises UnknownOutcomeError: if the connection is lost before its end.
        """
        import requests

        try:
            yield from self._response.iter_content(_PIECE)
        except requests.RequestException as error:
            raise error_mapping.from_requests(error, **self._about) from None

    def read(self) -> bytes:
        """Return the whole body.

        :raises UnknownOutcomeError: if the connection is lost before its end.
        """
        return b"".join(self.pieces())

    def close(self) -> None:
        """Let the connection go."""
        self._response.close()

    def _error(self) -> Any:
        text = b""
        for piece in self.pieces():
            text += piece
            if len(text) > _LONGEST_ERROR:
                break
        try:
            return json.loads(text) if text else None
        except ValueError:
            return text[:500].decode("utf-8", "replace")


class StreamingCalls(ClientCore):
    """Calls of what plugins add to an environment's web server."""

    def open_stream(
        self,
        environment_name: str,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        patience: float = 60.0,
    ) -> StreamedAnswer:
        """Send one request over the web session, once, and return its answer unread, errors of the web server included.

        IAM actions: ``airflow:GetEnvironment`` on the environment; ``airflow:CreateWebLoginToken`` on
        ``arn:aws:airflow:REGION:ACCOUNT:role/ENVIRONMENT/ROLE``.

        :param environment_name: The environment's name.
        :param method: ``GET`` or ``POST``.
        :param path: The path from the web server's root, quoted, beginning with ``/``.
        :param body: The JSON body (default: none).
        :param patience: Seconds to wait for each piece of the answer (default 60).
        :raises InvalidInputError: naming every problem of the arguments.
        :raises ConnectionFailedError: if the web server cannot be reached.
        :raises UnknownOutcomeError: if no answer came.
        :raises LoginFailedError: if there is no web session to be had.
        """
        raise_problems(
            [
                *input_checks.check_environment_name(environment_name),
                *input_checks.check_one_of("method", method, ("GET", "POST")),
                *(
                    []
                    if str(path).startswith("/")
                    else [f"path: {path!r} does not begin with '/'; give it from the web server's root"]
                ),
                *input_checks.check_seconds("patience", patience),
            ]
        )
        environment = self._known_environment(environment_name)
        return self._session_transport.over_a_session(
            environment, lambda session: self._open(environment, session, method, path, body, patience)
        )

    def _open(
        self,
        environment: Environment,
        session: WebSession,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        patience: float,
    ) -> StreamedAnswer:
        import requests

        about = {
            "environment_name": environment.name,
            "host": environment.web_server_host,
            "method": method,
            "path": path,
        }
        try:
            response = self._http.send(
                method,
                session.root_url + path,
                json=None if body is None else dict(body),
                # What is compressed already would be compressed again by the web server.
                headers={**session.headers, "Accept": "*/*", "Accept-Encoding": "identity"},
                timeout=patience,
                stream=True,
            )
        except requests.RequestException as error:
            raise error_mapping.from_requests(error, **about) from None  # requests' own carries the session
        return StreamedAnswer(response, about)
