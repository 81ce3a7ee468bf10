"""The metadata API as Airflow mounts it: nothing is loaded before somebody asks.

Airflow loads plugins in every component and in every task's process, where an application is of no use. What stands in for it there is
this object, which costs nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

log = logging.getLogger(__name__)

#: Where Airflow mounts what this package brings to its web server.
URL_PREFIX = "/mwaa_provider"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class MetadataApi:
    """An ASGI application that becomes the real one at its first request."""

    def __init__(self) -> None:
        self._application: Callable[[Scope, Receive, Send], Awaitable[None]] | None = None
        self._lock = threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        :param scope: ASGI's.
        :param receive: ASGI's.
        :param send: ASGI's.
        """
        with self._lock:
            if self._application is None:
                self._application = _made()
        await self._application(scope, receive, send)


def _made() -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    from mwaa_provider.metadata.api.app import create_app
    from mwaa_provider.metadata.api.cleaning import WebServerCleaner

    is_cleaning = _is_cleaning()
    log.info(
        "The metadata API of airflow-provider-mwaa is on: administrators may read the metadata database%s",
        ", and remove old rows from it" if is_cleaning else "",
    )
    return create_app(cleaner=WebServerCleaner() if is_cleaning else None)


def _is_cleaning() -> bool:
    """Tell whether old rows may be removed; a wrong setting is a no."""
    try:
        from mwaa_provider.airflow_compat import is_metadata_api_cleanup_on

        return is_metadata_api_cleanup_on()
    except Exception as error:
        log.warning(
            "The metadata API of airflow-provider-mwaa only reads: [mwaa_provider] metadata_api_cleanup cannot be read (%s)",
            error,
        )
        return False


def applications() -> list[dict[str, Any]]:
    """Return what ``AirflowPlugin.fastapi_apps`` is to be: the metadata API where it is switched on, else nothing.

    Never raises: a wrong setting must not keep Airflow from starting.
    """
    try:
        from mwaa_provider.airflow_compat import is_metadata_api_on

        is_on = is_metadata_api_on()
    except Exception as error:
        log.warning(
            "The metadata API of airflow-provider-mwaa stays off: [mwaa_provider] metadata_api cannot be read (%s)",
            error,
        )
        return []
    if not is_on:
        return []
    return [{"app": MetadataApi(), "url_prefix": URL_PREFIX, "name": "MWAA metadata API"}]
