"""HTTPS to an environment's web server: one place for verify, proxies and redirects."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any


class WebServerHttp:
    """Sends requests to web servers, over connections that are kept open.

    :param verify: The CA bundle's path, or ``False`` to trust any certificate; ``None`` for the public CAs.
    :param proxies: Proxies by scheme, as in botocore's configuration; ``None`` for those of the process's environment.
    """

    def __init__(self, *, verify: bool | str | None = None, proxies: Mapping[str, str] | None = None) -> None:
        self._verify = verify
        self._proxies = dict(proxies or {})

    def send(self, method: str, url: str, *, timeout: float, **content: Any) -> Any:
        """Send one request, once, and return the ``requests.Response``.

        A redirect is not followed: on MWAA it leads to a login page, and a POST would silently become a GET.

        :param method: The HTTP method.
        :param url: The whole address.
        :param timeout: Seconds to wait for the connection, and then for each piece of the answer.
        :param content: ``params``, ``json``, ``data``, ``headers``.
        """
        # verify goes with each request: as an attribute of the session, REQUESTS_CA_BUNDLE would overrule it
        # (https://github.com/psf/requests/issues/3829)
        return self._session.request(
            method,
            url,
            timeout=timeout,
            allow_redirects=False,
            verify=self._verify,
            proxies=self._proxies or None,
            **content,
        )

    @cached_property
    def _session(self) -> Any:
        import requests

        session = requests.Session()
        session.auth = _leave_headers_alone  # else a ~/.netrc entry for the host would replace the Bearer header
        session.cookies.set_policy(_no_cookies())  # the session cookie is sent by us, and by nobody else
        return session


def _leave_headers_alone(request: Any) -> Any:
    return request


def _no_cookies() -> Any:
    from http.cookiejar import DefaultCookiePolicy

    return DefaultCookiePolicy(allowed_domains=[])
