"""What goes wrong is told to users of the command in words that they know: options, not arguments of Python."""

from __future__ import annotations

import pytest

from mwaa_provider.cli.wording import message_of
from mwaa_provider.exceptions import InvalidInputError, ThrottledError
from mwaa_provider.local import LocalMwaa, ScriptedAirflow
from tests.cli.conftest import RunMwaa


@pytest.fixture(autouse=True)
def host(local_mwaa: LocalMwaa) -> str:
    return local_mwaa.create_environment("production", ScriptedAirflow("3.3.1")).host


def test_a_certificate_that_is_not_trusted(run: RunMwaa, host: str) -> None:
    ended = run("rest", "production", "GET", "/dags", "--transport", "session", AWS_CA_BUNDLE=None)
    assert (ended.status, ended.stdout) == (1, "")
    assert ended.error.endswith(
        f"The web server {host} of environment 'production' cannot be reached (SSLError). Its certificate is not trusted: give the file of "
        "its CA as verify (the command mwaa: --ca), or set AWS_CA_BUNDLE."
    )


def test_an_environment_that_is_not_there(run: RunMwaa) -> None:
    ended = run("rest", "nowhere", "GET", "/dags")
    assert (ended.status, ended.stdout) == (1, "")
    assert ended.error.startswith("Error: There is no MWAA environment 'nowhere' in this account and region (")
    assert ended.error.endswith(
        "). Check the name, the region and whose credentials are used; `mwaa environments` shows the names that are there."
    )


def test_no_credentials(run: RunMwaa) -> None:
    ended = run("environments", AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
    assert (ended.status, ended.error) == (
        1,
        "Error: No AWS credentials to call MWAA with (Unable to locate credentials). Give some to the Airflow connection, the AWS "
        "profile or the process.",
    )


def test_a_bundle_of_the_environment_that_is_not_there(run: RunMwaa) -> None:
    ended = run("environments", AWS_CA_BUNDLE="/no/such")
    assert (ended.status, ended.error) == (
        2,
        "Error: Invalid input: AWS_CA_BUNDLE: '/no/such' is not there; give the path of a CA bundle, or leave it out",
    )


def test_all_problems_are_told_in_these_words(run: RunMwaa) -> None:
    ended = run("rest", "1st", "PATCH", "dags", "--body", '{"is_paused": NaN}')
    assert (ended.status, ended.stdout) == (2, "")
    told = [line.partition("'")[0].partition(": it")[0] for line in ended.stderr.splitlines()]
    assert told == ["Error: Invalid input: ", "  - ENVIRONMENT: ", "  - PATH: ", "  - --body"]


def test_what_has_no_other_name_is_told_as_it_is() -> None:
    assert message_of(InvalidInputError(["verify: no", "else: no"])) == "Invalid input: \n  - --ca: no\n  - else: no"
    noted = InvalidInputError(["proxies: no"]).with_note("A note.")
    assert message_of(noted) == "Invalid input: --proxy: no A note."
    assert message_of(ThrottledError("path: slowly")) == "path: slowly"
