"""Who calls, which Airflow role IAM gives them, and what IAM denies them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mwaa_provider.local.backend import AirflowRole

#: The secret that :meth:`LocalMwaa.boto3_session` signs with. The local MWAA does not verify signatures, so it protects nothing.
DUMMY_SECRET_ACCESS_KEY = "local-mwaa-does-not-verify-signatures"


@dataclass(frozen=True)
class Identity:
    """An IAM identity, known by its access key.

    :param access_key_id: The access key it signs with.
    :param airflow_role: The Airflow role that its policy lets it take in every environment: Admin, Op, User, Viewer or Public.
    :param denied_actions: IAM actions its policy does not allow, with or without the prefix ``airflow:``.
    """

    access_key_id: str = "LOCALMWAAADMIN"
    airflow_role: AirflowRole = "Admin"
    denied_actions: frozenset[str] = frozenset()

    @property
    def iam_name(self) -> str:
        """The name CreateWebLoginToken gives as ``IamIdentity``."""
        return f"user/{self.access_key_id}"


@dataclass(frozen=True)
class _Denial:
    action: str
    access_key_id: str | None
    environment: str | None
    airflow_role: AirflowRole | None

    def covers(self, action: str, identity: Identity, environment: str | None) -> bool:
        return (
            self.action == action
            and self.access_key_id in (None, identity.access_key_id)
            and self.environment in (None, environment)
            and self.airflow_role in (None, identity.airflow_role)
        )


class IdentityRegistry:
    """The identities a local MWAA knows. An access key it was not told of is an Admin to whom nothing is denied."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._identities: dict[str, Identity] = {}
        self._denials: list[_Denial] = []

    def add(self, identity: Identity) -> Identity:
        """Make an identity known, in place of any with the same access key.

        :param identity: The identity.
        """
        with self._lock:
            self._identities[identity.access_key_id] = identity
        return identity

    def get(self, access_key_id: str) -> Identity:
        """Return the identity behind an access key.

        :param access_key_id: The access key.
        """
        with self._lock:
            return self._identities.get(access_key_id) or Identity(access_key_id=access_key_id)

    def deny(
        self,
        action: str,
        *,
        access_key_id: str | None = None,
        environment: str | None = None,
        airflow_role: AirflowRole | None = None,
    ) -> None:
        """Deny an IAM action from now on.

        :param action: The action, with or without the prefix ``airflow:``, such as ``InvokeRestApi``.
        :param access_key_id: To this identity only; to everybody by default.
        :param environment: On this environment only; on all by default.
        :param airflow_role: To those with this Airflow role only; whatever the role by default.
        """
        with self._lock:
            self._denials.append(_Denial(_bare(action), access_key_id, environment, airflow_role))

    def allow(self, action: str, *, access_key_id: str | None = None) -> None:
        """Take back every denial of an IAM action.

        :param action: The action, with or without the prefix ``airflow:``.
        :param access_key_id: Only denials that name this identity; all by default.
        """
        bare = _bare(action)
        with self._lock:
            self._denials = [
                denial
                for denial in self._denials
                if denial.action != bare or access_key_id not in (None, denial.access_key_id)
            ]
            for key, identity in self._identities.items():
                if access_key_id in (None, key):
                    kept = frozenset(denied for denied in identity.denied_actions if _bare(denied) != bare)
                    self._identities[key] = replace(identity, denied_actions=kept)

    def is_denied(self, action: str, identity: Identity, environment: str | None) -> bool:
        """Tell whether an identity may not do something.

        :param action: The action.
        :param identity: Who asks.
        :param environment: The environment's name, or None for an action that is about none.
        """
        bare = _bare(action)
        with self._lock:
            return bare in {_bare(denied) for denied in identity.denied_actions} or any(
                denial.covers(bare, identity, environment) for denial in self._denials
            )


def _bare(action: str) -> str:
    return action.removeprefix("airflow:")
