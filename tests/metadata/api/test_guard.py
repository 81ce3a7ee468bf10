"""Who may ask the metadata API, decided in this process by Airflow's own simple auth manager."""

from __future__ import annotations

import asyncio
import base64
import json

import pytest

from mwaa_provider.metadata.api import guard
from mwaa_provider.metadata.api.guard import RefusedError
from tests.metadata.api.support import AIRFLOW_3_ONLY

pytestmark = AIRFLOW_3_ONLY


def admitted(*headers: tuple[str, str]) -> str:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    return asyncio.run(guard.administrator(raw))


def refusal(*headers: tuple[str, str]) -> tuple[int, str]:
    with pytest.raises(RefusedError) as refused:
        admitted(*headers)
    return refused.value.status, refused.value.detail


NOT_SHOWN = (401, "Not authenticated: send one header 'Authorization: Bearer TOKEN'. Cookies do not count here.")
NO_ADMIN = (403, "Only an administrator of this Airflow may ask the metadata API.")


@pytest.mark.parametrize("role", ["ADMIN", "admin"])
def test_an_administrator_is_let_in(token_of, role):
    assert admitted(("Authorization", f"Bearer {token_of(role)}")) == "admin"


@pytest.mark.parametrize("role", ["VIEWER", "USER", "OP", "", "ADMINS", "ADMIN2"])
def test_nobody_else_is(token_of, role):
    assert refusal(("Authorization", f"Bearer {token_of(role)}")) == NO_ADMIN


def test_no_token_none_at_all(token_of):
    assert refusal() == NOT_SHOWN


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Basic YWRtaW46YWRtaW4=", "bearer\t", "Token x"])
def test_a_header_without_a_bearer_token_is_none(token_of, value):
    assert refusal(("Authorization", value)) == NOT_SHOWN


def test_a_cookie_does_not_count(token_of):
    assert refusal(("Cookie", f"_token={token_of('ADMIN')}")) == NOT_SHOWN


def test_two_tokens_are_none(token_of):
    good = ("Authorization", f"Bearer {token_of('ADMIN')}")
    assert refusal(good, good) == NOT_SHOWN


def test_an_old_token_says_so(token_of):
    assert refusal(("Authorization", f"Bearer {token_of('ADMIN', -60)}")) == (401, "Token Expired")


def part(value: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "token",
    [
        "garbage",
        "a.b.c",
        "é",
        f"{part({'alg': 'none', 'typ': 'JWT'})}.{part({'sub': 'admin', 'role': 'ADMIN', 'aud': 'apache-airflow', 'exp': 9999999999})}.",
        f"{part({'alg': 'HS512', 'typ': 'JWT'})}.{part({'sub': 'admin', 'role': 'ADMIN', 'exp': 9999999999})}.{'A' * 86}",
    ],
)
def test_what_airflow_did_not_sign_is_no_token(token_of, token):
    assert refusal(("Authorization", f"Bearer {token}")) == (401, "Invalid token")


def test_a_token_of_a_task_is_none(token_of):
    """The same secret signs the tokens of the API for tasks; they are for another audience."""
    from airflow.api_fastapi.auth.tokens import JWTGenerator

    from tests.metadata.api.support import SECRET

    generator = JWTGenerator(secret_key=SECRET, audience="urn:airflow.apache.org:task", valid_for=600)
    token = generator.generate({"sub": "admin", "role": "ADMIN"})
    assert refusal(("Authorization", f"Bearer {token}")) == (401, "Invalid token")


def test_where_all_are_admins_the_token_that_airflow_adds_does_not_count(token_of, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS", "True")
    added = ("Authorization", f"Bearer {token_of('ADMIN')}")
    shown = ("Authorization", f"Bearer {token_of('ADMIN')}")
    assert refusal(added) == NOT_SHOWN
    assert admitted(shown, added) == "admin"
    assert refusal(("Authorization", f"Bearer {token_of('VIEWER')}"), added) == NO_ADMIN


class OtherAuthManager:
    async def get_user_from_token(self, token: str) -> object:
        return object()


def test_an_auth_manager_that_is_not_known_lets_nobody_in(token_of, monkeypatch):
    monkeypatch.setattr("mwaa_provider.airflow_compat.web_server_auth_manager", OtherAuthManager)
    assert refusal(("Authorization", "Bearer x")) == (
        403,
        f"The metadata API does not know the auth manager {__name__}.OtherAuthManager, so it lets nobody in. It knows Airflow's FAB and "
        "simple auth managers.",
    )


class Unwell(OtherAuthManager):
    async def get_user_from_token(self, token: str) -> object:
        raise ConnectionError("password=hunter2")


def test_an_auth_manager_that_cannot_tell_is_no_refusal_of_the_token(token_of, monkeypatch):
    monkeypatch.setattr("mwaa_provider.airflow_compat.web_server_auth_manager", Unwell)
    assert refusal(("Authorization", "Bearer x")) == (503, "Airflow cannot tell at the moment who you are.")
