"""Attacks on the metadata API of a real web server, by plain HTTP past everything of ours."""

from __future__ import annotations

import base64
import json
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import jwt
import requests

from tests.metadata.api.support import URL

PATHS = (
    ("GET", ""),
    ("POST", "/plan"),
    ("POST", "/cuts"),
    ("POST", "/rows"),
    *(("POST", f"/cleanup/{path}") for path in ("plan", "count", "batch", "take", "remove", "gone", "analyze", "drop")),
)
#: Never to be seen in any answer: the value of the planted variable.
PLANTED = "hunter2-planted-secret"

ODD_NAMES = ("log; DROP TABLE log", 'log"; DROP TABLE log; --', "log' OR '1'='1", "pg_authid", "../log", "%s")


@dataclass
class Target:
    """The web server that is attacked.

    :param url: Its address.
    :param token_of: Gives the token of an Airflow role.
    :param secret: What it signs its tokens with.
    """

    url: str
    token_of: Callable[[str], str]
    secret: str

    def ask(
        self, method: str, what: str, *, token: str | None = None, body: Any = None, **more: Any
    ) -> requests.Response:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return requests.request(
            method,
            f"{self.url}/mwaa_provider{URL}{what}",
            headers={**headers, **more.pop("headers", {})},
            data=None if method == "GET" else json.dumps(body or {}),
            timeout=60,
            allow_redirects=False,
            **more,
        )

    def statuses(self, **more: Any) -> set[int]:
        """What all of its paths answer."""
        return {self.ask(method, what, **more).status_code for method, what in PATHS}

    def question(self, **changes: Any) -> dict[str, Any]:
        revision = self.ask("POST", "/plan", token=self.token_of("Admin")).json()["schema_revision"]
        return {"table": "log", "columns": ["id"], "revision": revision, **changes}

    def expired(self, role: str) -> str:
        """A token that was good until a minute ago."""
        good = self.token_of(role)
        claims = jwt.decode(good, options={"verify_signature": False})
        header = jwt.get_unverified_header(good)
        now = int(time.time())
        claims.update(iat=now - 120, nbf=now - 120, exp=now - 60)
        kept = {"kid": header["kid"]} if header.get("kid") else None  # Airflow 3.0 gives none
        return jwt.encode(claims, self.secret, algorithm=header["alg"], headers=kept)


def nobody_but_an_administrator_gets_in(target: Target) -> None:
    assert target.statuses() == {401}
    for role in ("Viewer", "User", "Op"):
        assert target.statuses(token=target.token_of(role)) == {403}, role
    assert target.statuses(token=target.expired("Admin")) == {401}
    assert target.ask("GET", "", token=target.expired("Admin")).json()["detail"] == "Token Expired"
    assert target.statuses(token="garbage") == {401}
    header, _, rest = target.token_of("Viewer").partition(".")
    claims = json.loads(base64.urlsafe_b64decode(rest.partition(".")[0] + "=="))
    forged = (
        base64.urlsafe_b64encode(json.dumps({**claims, "role": "ADMIN", "sub": "1"}).encode()).rstrip(b"=").decode()
    )
    assert target.statuses(token=f"{header}.{forged}.{rest.partition('.')[2]}") == {401}
    assert target.ask("GET", "", token=target.token_of("Admin")).status_code == 200


def a_cookie_does_not_count(target: Target) -> None:
    # A web server answers a cookie by redirecting or refusing as it likes; what it must not do is to serve.
    for cookie in ("_token", "session", "access_token"):
        for method, what in PATHS:
            assert target.ask(method, what, cookies={cookie: target.token_of("Admin")}).status_code in (401, 403), (
                cookie
            )
    assert target.ask("GET", f"?token={target.token_of('Admin')}").status_code == 401
    assert target.ask("GET", "", headers={"X-Forwarded-User": "admin", "X-Remote-User": "admin"}).status_code == 401


def hostile_names_and_ranges_are_refused(target: Target, rows_of: Callable[[str], list[Any]]) -> None:
    token = target.token_of("Admin")
    question = target.question()
    for name in ODD_NAMES:
        assert target.ask("POST", "/plan", token=token, body={"tables": [name]}).status_code == 422, name
        assert target.ask("POST", "/rows", token=token, body={**question, "table": name}).status_code == 404, name
        assert target.ask("POST", "/rows", token=token, body={**question, "columns": [name]}).status_code == 422, name
        assert target.ask("POST", "/rows", token=token, body={**question, "after": [name]}).status_code == 422, name
    for after, up_to, status in (
        (["-2147483648"], ["2147483647"], 200),
        (["2147483647"], ["-2147483648"], 200),
        (["-1"], ["-5"], 200),
        (["9" * 400], None, 422),
        (["-" + "9" * 400], None, 422),
        (["1"] * 40, None, 422),
    ):
        answer = target.ask("POST", "/rows", token=token, body={**question, "after": after, "up_to": up_to})
        assert answer.status_code == status, (after, answer.text)
    assert rows_of("SELECT count(*) FROM pg_tables WHERE tablename = 'log'") == [(1,)]


def secrets_stay_at_home(target: Target) -> None:
    token = target.token_of("Admin")
    assert not {"connection", "variable", "session"} & set(target.ask("GET", "", token=token).json()["served"])
    for table in ("connection", "variable"):
        for what, body in (
            ("/plan", {"tables": [table]}),
            ("/rows", target.question(table=table)),
            ("/cuts", target.question(table=table)),
        ):
            answer = target.ask("POST", what, token=token, body=body)
            assert answer.status_code == 403
            assert PLANTED not in answer.text


def a_thousand_at_once_are_two_at_a_time(target: Target, count: int = 1000) -> Counter[int]:
    """Ask a thousand times at once; the web server answers each, most of them that it is busy, and others meanwhile."""
    token, question = target.token_of("Admin"), target.question()
    with ThreadPoolExecutor(100) as pool:
        asked = [pool.submit(target.ask, "POST", "/rows", token=token, body=question) for _ in range(count)]
        health = requests.get(f"{target.url}/api/v2/monitor/health", timeout=60)
        answers = Counter(one.result().status_code for one in asked)
    assert health.status_code == 200
    assert set(answers) <= {200, 429}
    assert answers[200] >= 2
    assert target.ask("GET", "", token=token).status_code == 200
    return answers
