"""The options that are printed make the amazon provider's own backends find what lies in moto, and ask for nothing else."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from mwaa_provider.client.connection_uri import connection_uri
from mwaa_provider.client.secrets_options import asks_for_own_connection, secrets_options
from mwaa_provider.exceptions import InvalidInputError
from tests.support.s3 import S3, started_s3


@pytest.fixture(scope="module")
def aws() -> Iterator[S3]:
    with started_s3() as moto:
        yield moto


@pytest.fixture(params=["secretsmanager", "ssm"])
def store(request: pytest.FixtureRequest, aws: S3, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    import boto3

    service: str = request.param
    for name, value in (
        ("AWS_ENDPOINT_URL", aws.endpoint_url),
        (f"AWS_ENDPOINT_URL_{service.upper()}", aws.endpoint_url),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
    ):
        monkeypatch.setenv(name, value)
    client = boto3.client(service, endpoint_url=aws.endpoint_url, region_name="eu-west-1")
    slash = "/" if service == "ssm" else ""
    names = [f"{slash}etl/connections/prod_db", f"{slash}airflow/variables/limits"]
    values = [connection_uri("postgres", host="db", login="etl", password="p/@:"), '{"rows": 100}']
    for name, value in zip(names, values, strict=True):
        if service == "ssm":
            client.put_parameter(Name=name, Value=value, Type="SecureString")
        else:
            client.create_secret(Name=name, SecretString=value)
    yield service, client, slash
    for name in names:
        if service == "ssm":
            client.delete_parameter(Name=name)
        else:
            client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def backend_of(options: dict[str, str], client: Any) -> Any:
    """The backend as Airflow makes it, with a client that knows where moto is on every boto3."""
    module, name = options["secrets.backend"].rsplit(".", 1)
    backend = getattr(importlib.import_module(module), name)(**json.loads(options["secrets.backend_kwargs"]))
    backend.__dict__["client"] = client
    return backend


def test_airflow_finds_what_lies_there(store: Any) -> None:
    service, client, slash = store
    options = secrets_options(
        service,
        connections_prefix=f"{slash}etl/connections",
        connections_lookup_pattern="^prod_",
        variables_lookup_pattern="limits$",
    )
    backend = backend_of(options, client)
    found = backend.get_connection("prod_db")
    assert (found.host, found.login, found.password) == ("db", "etl", "p/@:")
    assert backend.get_variable("limits") == '{"rows": 100}'
    assert (backend.get_connection("prod_none"), backend.get_variable("none")) == (None, None)


def test_what_no_pattern_admits_is_not_asked_for(store: Any) -> None:
    service, _, _ = store
    options = secrets_options(service, connections_lookup_pattern="^prod_", variables_lookup_pattern="^prod_")
    nobody = backend_of(options, client=None)
    assert (nobody.get_conn_value("aws_default"), nobody.get_variable("limits")) == (None, None)
    only = backend_of(secrets_options(service, only="variables", variables_lookup_pattern="^prod_"), client=None)
    assert only.get_conn_value("prod_db") is None


def test_the_defaults() -> None:
    assert secrets_options() == {
        "secrets.backend": "airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend",
        "secrets.backend_kwargs": '{"connections_prefix": "airflow/connections", "variables_prefix": "airflow/variables"}',
    }


@pytest.mark.parametrize(
    ("given", "asks"),
    [
        ({}, True),
        ({"connections_lookup_pattern": "^aws"}, True),
        ({"connections_lookup_pattern": "^AWS_"}, True),  # Airflow's match knows no case
        ({"connections_lookup_pattern": "^prod_"}, False),
        ({"only": "variables"}, False),
        ({"only": "connections"}, True),
    ],
)
def test_whether_mwaas_own_connection_is_asked_for(given: dict[str, str], asks: bool) -> None:
    assert asks_for_own_connection(secrets_options(**given)) is asks  # type: ignore[arg-type]


def test_all_problems_at_once() -> None:
    with pytest.raises(InvalidInputError) as caught:
        secrets_options(
            connections_prefix="airflow/connections/",
            variables_prefix="mit Leerzeichen",
            connections_lookup_pattern="(",
            variables_lookup_pattern="",
        )
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        *("connections_prefix", "connections_lookup_pattern", "variables_prefix", "variables_lookup_pattern")
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"backend": "vault"}, "backend: 'vault' is not one of secretsmanager, ssm"),
        (
            {"backend": "ssm", "variables_prefix": "airflow/variables"},
            "variables_prefix: 'airflow/variables' cannot begin",
        ),
        (
            {"connections_prefix": "a", "variables_prefix": "a"},
            "connections_prefix, variables_prefix: 'a' stands in both",
        ),
        (
            {"only": "variables", "connections_prefix": "a"},
            "connections_prefix: 'a' means nothing where only variables",
        ),
        ({"only": "pools"}, "only: 'pools' is not one of connections, variables"),
    ],
)
def test_what_cannot_be(given: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        secrets_options(**given)  # type: ignore[arg-type]
    assert said in str(caught.value)
