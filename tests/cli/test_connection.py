"""The options and environment variables that say how to reach AWS."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mwaa_provider.cli.connection import Connection
from mwaa_provider.local import LocalMwaa, ScriptedAirflow
from tests.cli.conftest import RunMwaa

UNREACHABLE = "http://127.0.0.1:1"
PRODUCTION = "NAME        AIRFLOW  STATUS     WEB SERVER\nproduction  3.3.1    AVAILABLE"


@pytest.fixture(autouse=True)
def _environment(local_mwaa: LocalMwaa) -> None:
    local_mwaa.create_environment("production", ScriptedAirflow("3.3.1"))


def test_options_before_and_after_the_subcommand(run: RunMwaa, local_mwaa: LocalMwaa) -> None:
    unset = dict.fromkeys(("AWS_ENDPOINT_URL_MWAA", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CA_BUNDLE"))
    options = ("--endpoint-url", local_mwaa.endpoint_url, "--region", "us-east-1", "--ca", str(local_mwaa.ca_file))
    for arguments in ((*options, "environments"), ("environments", *options)):
        ended = run(*arguments, **unset)
        assert (ended.status, ended.stderr) == (0, "")
        assert ended.stdout.startswith(PRODUCTION)
    # the later goes before the earlier, and both before the environment
    ended = run("--endpoint-url", UNREACHABLE, "environments", *options, AWS_ENDPOINT_URL_MWAA=UNREACHABLE)
    assert ended.stdout.startswith(PRODUCTION)


@pytest.mark.parametrize(
    "changed",
    [
        {"AWS_ENDPOINT_URL_MWAA": "HERE", "AWS_ENDPOINT_URL": UNREACHABLE},
        {"AWS_ENDPOINT_URL_MWAA": None, "AWS_ENDPOINT_URL": "HERE"},
        {"AWS_ENDPOINT_URL_MWAA": "HERE", "AWS_REGION": None, "AWS_DEFAULT_REGION": "us-east-1"},
        {"AWS_ENDPOINT_URL_MWAA": "HERE", "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "sa-east-1"},
    ],
)
def test_environment_variables_mean_the_same_with_any_boto3(
    run: RunMwaa, local_mwaa: LocalMwaa, changed: dict[str, str | None]
) -> None:
    here = {name: local_mwaa.endpoint_url if value == "HERE" else value for name, value in changed.items()}
    ended = run("environments", **here)
    assert (ended.status, ended.stderr) == (0, "")
    assert ended.stdout.startswith(PRODUCTION)


def test_addresses_in_the_environment_can_be_ignored_as_in_boto3(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = []
    for ignored in ("false", "true"):
        monkeypatch.setenv("AWS_ENDPOINT_URL", UNREACHABLE)
        monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", ignored)
        client = Connection(region="eu-west-1").client()
        addresses.append(client._boto_client.meta.endpoint_url)
    assert addresses == [UNREACHABLE, "https://airflow.eu-west-1.amazonaws.com"]


def test_a_profile(run: RunMwaa, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[profile there]\nregion = us-east-1\n")
    files = {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_REGION": None, "AWS_DEFAULT_REGION": None}
    without = run("environments", **files)
    assert (without.status, without.stdout) == (2, "")
    assert without.error == "Error: no AWS region: give --region, or set AWS_REGION, or a region in the AWS profile"
    by_variable = run("environments", AWS_PROFILE="there", **files)
    assert by_variable.stdout.startswith(PRODUCTION)
    # a profile that is named takes its own credentials, and this one has none
    by_option = run("environments", "--profile", "there", **files)
    assert (by_option.status, by_option.stdout) == (1, "")
    assert "No AWS credentials" in by_option.error
    unknown = run("environments", "--profile", "gone", **files)
    assert (unknown.status, unknown.error) == (2, "Error: The config profile (gone) could not be found")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--ca", "/no/such"), "--ca: there is no file '/no/such'"),
        (
            ("--endpoint-url", "localhost:80"),
            "--endpoint-url: 'localhost:80' is no address; give one like https://host or http://127.0.0.1:8080",
        ),
        (("--proxy", "host"), "--proxy: 'host' is no address; give one like http://host:3128 or socks5h://host:1080"),
        (
            ("--proxy", "http://me:hidden@host:3128"),
            "--proxy holds a password, which everybody on this machine could read; put the address into the environment "
            "variable HTTPS_PROXY",
        ),
    ],
)
def test_wrong_options(run: RunMwaa, arguments: tuple[str, ...], message: str) -> None:
    for line in (("environments", *arguments), (*arguments, "environments")):
        ended = run(*line)
        assert (ended.status, ended.stdout, ended.error) == (2, "", f"Error: {message}")
        assert "hidden" not in ended.stderr


def test_an_address_in_the_environment_that_is_none(run: RunMwaa) -> None:
    ended = run("environments", AWS_ENDPOINT_URL_MWAA="localhost")
    assert (ended.status, ended.error) == (
        2,
        "Error: AWS_ENDPOINT_URL_MWAA: 'localhost' is no address; give one like https://host or http://127.0.0.1:8080",
    )


def test_a_file_that_is_no_certificate(run: RunMwaa) -> None:
    ended = run("rest", "production", "GET", "/dags", "--transport", "session", "--ca", __file__)
    assert (ended.status, ended.stdout) == (1, "")
    assert "cannot be reached (SSLError)" in ended.error


class Proxy(BaseHTTPRequestHandler):
    """Answers every request itself, as an account without environments would."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "20")
        self.end_headers()
        self.wfile.write(b'{"Environments": []}')

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def proxy() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_proxy(run: RunMwaa, local_mwaa: LocalMwaa, proxy: str) -> None:
    ended = run("--proxy", proxy, "environments", "--json")
    assert (ended.status, ended.stdout, ended.stderr) == (0, "[]\n", "")
    assert local_mwaa.journal.count() == 0


def test_options_that_mwaa_local_would_not_heed_are_refused(run: RunMwaa) -> None:
    ended = run("--region", "eu-west-1", "local", "start")
    assert (ended.status, ended.error) == (
        2,
        "Error: `mwaa local` takes none of these options; `mwaa local start --help` shows its own",
    )
