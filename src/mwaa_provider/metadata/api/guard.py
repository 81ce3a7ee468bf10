"""Who may ask the metadata API: an administrator who shows a Bearer token, and nobody else.

A mounted application is not protected by Airflow, and Airflow's own dependencies are too kind for this (tried on 3.0.6, 3.2.1 and 3.3.1):
they let viewers, cookies or, where all are admins, requests without any token in. So the token is read here, and Airflow is asked two
things only: whose it is, and whether that is an administrator.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from mwaa_provider import airflow_compat

log = logging.getLogger(__name__)

Headers = Sequence[tuple[bytes, bytes]]

_SIMPLE = "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"
_FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"


class RefusedError(Exception):
    """The request is not let in.

    :param status: The HTTP status.
    :param detail: Why, in words that give nothing away.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


async def administrator(headers: Headers) -> str:
    """Return the name of the administrator whose token a request shows.

    :param headers: The request's headers, as they came.
    :raises RefusedError: 401 without a good token, 403 for anybody who is no administrator or where the auth manager is not known, 503
        where Airflow cannot tell at the moment.
    """
    manager = airflow_compat.web_server_auth_manager()
    token = _bearer_token(headers, is_one_added=_is_token_added(manager))
    user = await _user(manager, token)
    may_ask = _judge_of(manager)
    try:
        is_allowed = await asyncio.to_thread(may_ask, manager, user)
    except Exception as error:
        raise _cannot_tell(error) from error
    if not is_allowed:
        raise RefusedError(403, "Only an administrator of this Airflow may ask the metadata API.")
    return str(user.get_name())


def _is_token_added(manager: Any) -> bool:
    """Whether Airflow adds an administrator's token to every request, whoever sends it: its SimpleAllAdminMiddleware does."""
    return _SIMPLE in _kinds(manager) and airflow_compat.are_all_admins()


def _bearer_token(headers: Headers, *, is_one_added: bool) -> str:
    shown = [value for name, value in headers if name.lower() == b"authorization"]
    if is_one_added:
        shown = shown[:-1]  # it comes last; if it ever does not, nobody gets in
    if len(shown) == 1:
        scheme, _, token = shown[0].decode("latin-1").strip().partition(" ")
        if scheme.lower() == "bearer" and token.strip():
            return token.strip()
    raise RefusedError(
        401, "Not authenticated: send one header 'Authorization: Bearer TOKEN'. Cookies do not count here."
    )


async def _user(manager: Any, token: str) -> Any:
    try:
        user = await manager.get_user_from_token(token)
    except Exception as error:
        kinds = {kind.__name__ for kind in type(error).__mro__}
        if "ExpiredSignatureError" in kinds:
            raise RefusedError(401, "Token Expired") from error
        # InvalidTokenError is PyJWT's; on Airflow 3.0 the others come through where the token is good but its user is not there.
        if kinds & {"InvalidTokenError", "ValueError", "KeyError", "TypeError", "NoResultFound"}:
            raise RefusedError(401, "Invalid token") from error
        raise _cannot_tell(error) from error
    # Airflow 3.0's FAB takes the token of a user who was deactivated since.
    if user is None or getattr(user, "is_active", True) is False:
        raise RefusedError(401, "Invalid token")
    return user


def _cannot_tell(error: Exception) -> RefusedError:
    log.warning("The metadata API could not ask Airflow who somebody is (%s)", type(error).__name__, exc_info=error)
    return RefusedError(503, "Airflow cannot tell at the moment who you are.")


def _kinds(manager: Any) -> set[str]:
    return {f"{kind.__module__}.{kind.__qualname__}" for kind in type(manager).__mro__}


def _judge_of(manager: Any) -> Callable[[Any, Any], bool]:
    kinds = _kinds(manager)
    for known, judge in _JUDGES.items():
        if known in kinds:
            return judge
    raise RefusedError(
        403,
        f"The metadata API does not know the auth manager {type(manager).__module__}.{type(manager).__qualname__}, so it lets nobody in. "
        "It knows Airflow's FAB and simple auth managers.",
    )


def _is_simple_admin(manager: Any, user: Any) -> bool:
    # No method of this manager asks for the role: its highest demand is OP.
    return str(user.role or "").upper() == "ADMIN"


def _is_fab_admin(manager: Any, user: Any) -> bool:
    # Of FAB's roles only Admin may edit roles, and who may edit roles can give themselves whatever else there is.
    return bool(manager.is_authorized_custom_view(method="PUT", resource_name="Roles", user=user))


_JUDGES: dict[str, Callable[[Any, Any], bool]] = {_SIMPLE: _is_simple_admin, _FAB: _is_fab_admin}
