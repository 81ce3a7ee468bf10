"""Web tokens, CLI tokens and web sessions: who they stand for, where they count, until when."""

from __future__ import annotations

import base64
import json
import secrets
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from mwaa_provider.local.clock import Clock
    from mwaa_provider.local.identity import Identity
    from mwaa_provider.local.rules import ServiceRules

TokenKind = Literal["web", "cli", "session"]


@dataclass(frozen=True)
class _Grant:
    kind: TokenKind
    environment: str
    identity: Identity
    until: datetime


@dataclass(frozen=True)
class TokenVerdict:
    """What became of a token that was shown.

    :param identity: Whom it stands for; None when it is not good.
    :param expired: Whether it was good once.
    """

    identity: Identity | None
    expired: bool = False


@dataclass
class TokenStore:
    """Issues and checks tokens. A token counts for one environment, one purpose and a limited time by the clock.

    :param clock: The clock that life times are counted on.
    :param rules: The life times.
    """

    clock: Clock
    rules: ServiceRules
    _grants: dict[str, _Grant] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def issue(self, kind: TokenKind, environment: str, identity: Identity, *, jwt: bool = False) -> str:
        """Make a token.

        :param kind: What it is for.
        :param environment: The environment's name.
        :param identity: Whom it stands for.
        :param jwt: Whether it looks like a JWT, as sessions of Airflow 3 do.
        """
        life = {
            "web": self.rules.web_token_seconds,
            "cli": self.rules.cli_token_seconds,
            "session": self.rules.session_seconds,
        }[kind]
        now = self.clock.now()
        until = now + timedelta(seconds=life)
        token = _jwt_like(identity, now, until) if jwt else secrets.token_urlsafe(32)
        with self._lock:
            self._grants[token] = _Grant(kind, environment, identity, until)
        return token

    def check(self, kind: TokenKind, environment: str, token: str | None) -> TokenVerdict:
        """Tell whom a token stands for.

        :param kind: What it was shown for.
        :param environment: Where it was shown.
        :param token: The token, or None when none was shown.
        """
        with self._lock:
            grant = self._grants.get(token or "")
        if grant is None or grant.kind != kind or grant.environment != environment:
            return TokenVerdict(None)
        if self.clock.now() >= grant.until:
            return TokenVerdict(None, expired=True)
        return TokenVerdict(grant.identity)

    def expire_sessions(self, environment: str) -> None:
        """End every web session of an environment now.

        :param environment: The environment's name.
        """
        now = self.clock.now()
        with self._lock:
            for token, grant in self._grants.items():
                if grant.kind == "session" and grant.environment == environment and grant.until > now:
                    self._grants[token] = _Grant("session", environment, grant.identity, now)

    def forget(self, environment: str) -> None:
        """Drop all tokens of an environment.

        :param environment: The environment's name.
        """
        with self._lock:
            self._grants = {token: grant for token, grant in self._grants.items() if grant.environment != environment}


def _jwt_like(identity: Identity, issued: datetime, until: datetime) -> str:
    payload = {"sub": identity.iam_name, "iat": int(issued.timestamp()), "exp": int(until.timestamp())}
    parts = [json.dumps({"alg": "HS512", "typ": "JWT"}).encode(), json.dumps(payload).encode(), secrets.token_bytes(64)]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
