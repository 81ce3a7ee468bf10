"""What a reference stands for is read from Secrets Manager, once, and an error tells the reference and never the secret."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from mwaa_provider.client.secret_references import SecretReader, check_reference, is_reference
from mwaa_provider.exceptions import AccessDeniedError, SecretNotReadError, ServiceError
from mwaa_provider.local.real.web import free_port
from tests.support.secrets_manager import Secrets, started_secrets_manager


@pytest.fixture
def secrets() -> Iterator[Secrets]:
    with started_secrets_manager() as secrets:
        yield secrets


def test_texts_and_keys(secrets: Secrets) -> None:
    asked: list[str] = []

    class Counting:
        def get_secret_value(self, **given: Any) -> Any:
            asked.append(given["SecretId"])
            return secrets.client.get_secret_value(**given)

    text = secrets.put("text", "p/@:\nß")
    keys = secrets.put("keys", '{"password": "tell-nobody", "port": 5432, "ü#x": "odd"}')
    read = SecretReader(Counting)
    assert read(f"secretsmanager://{text}") == "p/@:\nß"
    assert read(f"secretsmanager://{keys}#password") == "tell-nobody"
    assert read(f"secretsmanager://{keys}#port") == "5432"
    assert read(f"secretsmanager://{keys}#ü#x") == "odd"
    assert asked == [text, keys]
    arn = secrets.client.describe_secret(SecretId=text)["ARN"]
    assert read(f"secretsmanager://{arn}") == "p/@:\nß"
    assert "tell-nobody" not in repr(read)


@pytest.mark.parametrize(
    ("name", "key", "said"),
    [
        ("none", "", "there is no such secret in this account and region"),
        ("text", "#a", "the secret is no JSON object, so that it has no keys"),
        ("keys", "#b", "the secret has no such key"),
        ("bytes", "", "the secret holds bytes and no text"),
    ],
)
def test_what_is_not_there(secrets: Secrets, name: str, key: str, said: str) -> None:
    secrets.put("text", "tell-nobody")
    secrets.put("keys", '{"a": "tell-nobody"}')
    secrets.put("bytes", b"tell-nobody")
    reference = f"secretsmanager://{secrets.prefix}/{name}{key}"
    with pytest.raises(SecretNotReadError) as caught:
        SecretReader(lambda: secrets.client)(reference)
    assert str(caught.value) == f"{reference}: {said}"
    assert pickle.loads(pickle.dumps(caught.value)).reference == reference


@pytest.mark.parametrize(
    ("code", "kind"), [("AccessDeniedException", AccessDeniedError), ("InternalServiceError", ServiceError)]
)
def test_what_aws_says(code: str, kind: type[Exception]) -> None:
    client = boto3.client(
        "secretsmanager", region_name="eu-west-1", aws_access_key_id="TEST", aws_secret_access_key="test"
    )
    with Stubber(client) as stub:
        stub.add_client_error("get_secret_value", code, "no", 400)
        with pytest.raises(kind, match=code) as caught:
            SecretReader(lambda: client)("secretsmanager://db")
        stub.assert_no_pending_responses()
    assert caught.value.action == "secretsmanager:GetSecretValue"  # type: ignore[attr-defined]


def test_no_way_there() -> None:
    client = boto3.client(
        "secretsmanager",
        endpoint_url=f"http://127.0.0.1:{free_port()}",
        region_name="eu-west-1",
        aws_access_key_id="TEST",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )
    with pytest.raises(ServiceError, match="secretsmanager://db cannot be read: Could not connect") as caught:
        SecretReader(lambda: client)("secretsmanager://db")
    assert isinstance(caught.value.__cause__, EndpointConnectionError)


@pytest.mark.parametrize(
    "text", ["secretsmanager://", "secretsmanager://a b", "secretsmanager://a#", "secretsmanager:///ü"]
)
def test_what_names_no_secret(text: str) -> None:
    assert is_reference(text)
    said = f"password: {text!r} names no secret; write secretsmanager://NAME, or secretsmanager://NAME#KEY for a key of a JSON object"
    assert check_reference("password", text) == [said]
    with pytest.raises(SecretNotReadError):
        SecretReader(lambda: pytest.fail("nobody asks AWS"))(text)
