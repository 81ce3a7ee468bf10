"""What ``MwaaClient()`` takes from the process's environment and the AWS profile, for AWS and the web server alike."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.config import Config

from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.exceptions import ConnectionFailedError, InvalidInputError
from mwaa_provider.local import LocalMwaa, ScriptedAirflow
from tests.support.addresses import asked_for

OTHER_CA = "/etc/hosts"  # a file that holds no certificate


@pytest.fixture
def exported(local_mwaa: LocalMwaa, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The variables that ``mwaa local start`` prints, without the two that are for boto3 alone; for changes to them."""
    for name, value in local_mwaa.environment_variables().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.delenv("AWS_DISABLE_HOST_PREFIX_INJECTION")
    return monkeypatch


@pytest.mark.parametrize("transport", ["auto", "session"])
def test_what_mwaa_local_start_prints_is_enough(
    airflow: ScriptedAirflow, exported: pytest.MonkeyPatch, transport: str
) -> None:
    client = MwaaClient(transport=transport)  # type: ignore[arg-type]
    assert client.get_dag("target", "load").dag_id == "load"
    assert client.run_cli("target", "version").stdout.strip() == airflow.airflow_version


def test_aws_region_counts_where_boto3_finds_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """boto3 does not read it; a region that boto3 finds is also that of the program's other clients, and stays."""

    def region_of(**arguments: object) -> str:
        return MwaaClient(**arguments)._caller.region_name  # type: ignore[arg-type]

    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    (tmp_path / "config").write_text("[profile there]\nregion = eu-south-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    assert region_of() == "us-west-2"
    assert region_of(region_name="us-east-1") == "us-east-1"
    assert region_of(botocore_config=Config(region_name="us-east-2")) == "us-east-2"
    monkeypatch.setenv("AWS_PROFILE", "there")
    assert region_of() == "eu-south-1"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "sa-east-1")
    assert region_of() == "sa-east-1"
    monkeypatch.setenv("AWS_REGION", "")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.delenv("AWS_PROFILE")
    with pytest.raises(InvalidInputError, match="region_name: it is missing"):
        region_of()


@pytest.mark.parametrize(
    ("variables", "verify", "is_trusted"),
    [
        ({"AWS_CA_BUNDLE": "CA"}, None, True),
        ({"AWS_CA_BUNDLE": "CA", "REQUESTS_CA_BUNDLE": OTHER_CA}, None, True),
        ({"AWS_CA_BUNDLE": OTHER_CA, "REQUESTS_CA_BUNDLE": "CA"}, None, False),
        ({"AWS_CA_BUNDLE": OTHER_CA}, "CA", True),
        ({"AWS_CA_BUNDLE": "CA"}, OTHER_CA, False),
        ({"AWS_PROFILE": "trusting"}, None, True),
        ({"AWS_PROFILE": "trusting", "AWS_CA_BUNDLE": OTHER_CA}, None, False),
        ({"REQUESTS_CA_BUNDLE": "CA"}, None, True),
        ({}, None, False),
    ],
)
def test_the_web_server_is_trusted_as_aws_is(
    airflow: ScriptedAirflow,
    local_mwaa: LocalMwaa,
    exported: pytest.MonkeyPatch,
    tmp_path: Path,
    variables: dict[str, str],
    verify: str | None,
    is_trusted: bool,
) -> None:
    exported.delenv("AWS_CA_BUNDLE")
    (tmp_path / "config").write_text(f"[profile trusting]\nca_bundle = {local_mwaa.ca_file}\n")
    exported.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    for name, value in variables.items():
        exported.setenv(name, str(local_mwaa.ca_file) if value == "CA" else value)
    client = MwaaClient(transport="session", verify=str(local_mwaa.ca_file) if verify == "CA" else verify)
    if is_trusted:
        assert client.get_dag("target", "load").dag_id == "load"
    else:
        with pytest.raises(ConnectionFailedError, match="The web server"):
            client.get_dag("target", "load")


def test_a_bundle_that_is_not_there_is_named_by_its_source(
    local_mwaa: LocalMwaa, exported: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text("[profile trusting]\nca_bundle = /no/such.pem\n")
    exported.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    exported.setenv("AWS_CA_BUNDLE", "/not/there.pem")
    said = []
    for profile in (None, "trusting"):
        if profile:
            exported.delenv("AWS_CA_BUNDLE")
            exported.setenv("AWS_PROFILE", profile)
        with pytest.raises(InvalidInputError) as caught:
            MwaaClient()
        said += caught.value.problems
    assert said == [
        "AWS_CA_BUNDLE: '/not/there.pem' is not there; give the path of a CA bundle, or leave it out",
        "ca_bundle of the AWS profile: '/no/such.pem' is not there; give the path of a CA bundle, or leave it out",
    ]
    assert MwaaClient(verify=True)._caller.region_name == local_mwaa.region_name  # an argument wins


@pytest.mark.parametrize("source", ["argument", "environment", "profile"])
@pytest.mark.parametrize(
    ("address", "prefix"),
    [
        ("http://127.0.0.1:8080", ""),
        ("http://localhost:8080", ""),
        ("http://[::1]:8080", ""),
        ("http://localstack:4566", "api."),
        ("https://airflow.eu-west-1.amazonaws.com", "api."),
    ],
)
def test_no_prefix_stands_before_an_address(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str, address: str, prefix: str
) -> None:
    scheme, _, host = address.partition("://")
    arguments = {}
    if source == "argument":
        arguments["endpoint_url"] = address
    elif source == "environment":
        monkeypatch.setenv("AWS_ENDPOINT_URL_MWAA", address)
    else:
        (tmp_path / "config").write_text(f"[default]\nendpoint_url = {address}\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    assert asked_for(MwaaClient(**arguments)) == f"{scheme}://{prefix}{host}/environments"


def test_what_botocores_configuration_says_of_the_prefix_holds() -> None:
    for wanted, address in ((True, "http://api.127.0.0.1:8080"), (False, "http://127.0.0.1:8080")):
        client = MwaaClient(endpoint_url="http://127.0.0.1:8080", botocore_config=Config(inject_host_prefix=wanted))
        assert asked_for(client) == f"{address}/environments"
    client = MwaaClient(botocore_config=Config(inject_host_prefix=False))
    assert asked_for(client) == "https://airflow.eu-west-1.amazonaws.com/environments"
