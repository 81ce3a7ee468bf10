"""HTTPS to an environment's web server: one place for verify, proxies and redirects."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from mwaa_provider.client.locks import ForkSafeLock
from mwaa_provider.exceptions import InvalidInputError

#: Connections to one web server that are kept open; more threads than these open and close their own.
_KEPT_CONNECTIONS = 64
_CONNECT_SECONDS = 10.0


class WebServerHttp:
    """Sends requests to web servers, over connections that are kept open and shared between threads.

    :param verify: The CA bundle's path, or ``False`` to trust any certificate; ``None`` for the public CAs.
    :param proxies: Proxies by scheme, as in botocore's configuration; ``None`` for those of the process's environment.
    """

    def __init__(self, *, verify: bool | str | None = None, proxies: Mapping[str, str] | None = None) -> None:
        self._verify = verify
        self._proxies = dict(proxies or {})
        self._lock = ForkSafeLock()
        self._session_of: tuple[int, Any] | None = None

    def send(self, method: str, url: str, *, timeout: float | tuple[float, float], **content: Any) -> Any:
        """Send one request, once, and return the ``requests.Response``.

        A redirect is not followed: on MWAA it leads to a login page, and a POST would silently become a GET.

        :param method: The HTTP method.
        :param url: The whole address.
        :param timeout: Seconds to wait for each piece of the answer (and at most 10 for the connection), or a pair of seconds: for the
            connection, and for each piece of the answer.
        :param content: ``params``, ``json``, ``data``, ``headers``, ``stream``.
        :raises InvalidInputError: if the CA file is not there any more.
        """
        try:
            return self._send(method, url, timeout, content)
        except OSError as error:
            if type(error) is not OSError:
                raise
            # what requests says of a CA file that has gone; everything else has a class of its own
            raise InvalidInputError([f"verify: {error}"]) from error

    def _send(self, method: str, url: str, timeout: float | tuple[float, float], content: Mapping[str, Any]) -> Any:
        # verify goes with each request: as an attribute of the session, REQUESTS_CA_BUNDLE would overrule it
        # (https://github.com/psf/requests/issues/3829)
        return self._session().request(
            method,
            url,
            timeout=timeout if isinstance(timeout, tuple) else (min(timeout, _CONNECT_SECONDS), timeout),
            allow_redirects=False,
            verify=self._verify,
            proxies=self._proxies or None,
            **content,
        )

    def _session(self) -> Any:
        # A connection that a parent process has opened must not be used by its fork as well.
        with self._lock:
            if self._session_of is None or self._session_of[0] != os.getpid():
                self._session_of = (os.getpid(), _new_session())
            return self._session_of[1]


def _new_session() -> Any:
    import requests
    from requests.adapters import HTTPAdapter

    session = requests.Session()
    session.mount("https://", HTTPAdapter(pool_maxsize=_KEPT_CONNECTIONS))
    session.auth = _leave_headers_alone  # else a ~/.netrc entry for the host would replace the Bearer header
    session.cookies.set_policy(_no_cookies())  # the session cookie is sent by us, and by nobody else
    return session


def _leave_headers_alone(request: Any) -> Any:
    return request


def _no_cookies() -> Any:
    from http.cookiejar import DefaultCookiePolicy

    return DefaultCookiePolicy(allowed_domains=[])
