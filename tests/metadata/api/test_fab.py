"""The metadata API behind FAB, the auth manager that MWAA has on Airflow 3, on each of its releases: who gets in."""

from __future__ import annotations

import time
from collections.abc import Iterator

import jwt
import pytest

from tests.metadata.api import attacks
from tests.metadata.api.fab import Fab, fab
from tests.metadata.api.heartbeats import until
from tests.metadata.api.support import AIRFLOW_3_ONLY

pytestmark = [AIRFLOW_3_ONLY, pytest.mark.slow]

SECRET = "a secret of these tests, known to everybody, and long enough for HS512 to take it without any word"


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fab]:
    with fab(tmp_path_factory.mktemp("fab"), SECRET) as there:
        yield there


def test_attacks(there):
    attacks.nobody_but_an_administrator_gets_in(there.target)
    attacks.a_cookie_does_not_count(there.target)
    attacks.hostile_names_and_ranges_are_refused(there.target, there.rows)
    attacks.secrets_stay_at_home(there.target)
    attacks.a_thousand_at_once_are_two_at_a_time(there.target, 200)


def test_who_may_only_look_at_the_roles_is_no_administrator(there):
    assert there.target.statuses(token=there.token("Auditor")) == {403}


def test_an_administrator_who_was_deactivated_is_none(there):
    token = there.token("Retired")
    assert there.target.ask("GET", "", token=token).status_code == 200
    there.rows("UPDATE ab_user SET active = false WHERE username = 'Retired'")
    # FAB itself remembers a user for [fab] cache_ttl seconds, 30 by default.
    until(lambda: there.target.statuses(token=token) == {401}, lambda: "a deactivated administrator is let in", 90)


def test_an_administrator_who_was_deleted_is_none(there):
    token = there.target.expired("Admin")
    assert there.target.statuses(token=token) == {401}
    claims = jwt.decode(there.token("Admin"), options={"verify_signature": False})
    claims.update(sub="999999", exp=int(time.time()) + 600)
    assert there.target.statuses(token=jwt.encode(claims, SECRET, algorithm="HS512")) == {401}


def test_the_tables_of_fab_give_no_password(there):
    token = there.token("Admin")
    for table in ("ab_user", "ab_register_user", "session"):
        answer = there.target.ask("POST", "/plan", token=token, body={"tables": [table]})
        assert answer.status_code in (403, 422), (table, answer.text)
