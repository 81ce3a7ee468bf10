"""A secret that a file names and does not hold: ``secretsmanager://NAME``, or ``secretsmanager://NAME#KEY`` for one key of a JSON object.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from mwaa_provider.client.secret_store import NOT_THERE, told
from mwaa_provider.exceptions import SecretNotReadError, ServiceError

#: What a reference begins with.
SCHEME = "secretsmanager://"
#: A name or an ARN, and a key.
_REFERENCE = re.compile(r"secretsmanager://(?P<name>[A-Za-z0-9/_+=.@!:-]{1,2048})(?:#(?P<key>.+))?", re.DOTALL)
_ACTION = "secretsmanager:GetSecretValue"


def is_reference(value: Any) -> bool:
    """Tell whether a value of a file stands for a secret.

    :param value: The value.
    """
    return isinstance(value, str) and value.startswith(SCHEME)


def check_reference(field: str, text: str) -> list[str]:
    """Check what stands for a secret.

    :param field: Where it stands.
    :param text: The reference.
    """
    if _REFERENCE.fullmatch(text):
        return []
    return [f"{field}: {text!r} names no secret; write {SCHEME}NAME, or {SCHEME}NAME#KEY for a key of a JSON object"]


class SecretReader:
    """Reads what references stand for; each secret is asked for once.

    What it has read stays in this object: keep it for one import, and out of logs.

    IAM action: ``secretsmanager:GetSecretValue`` on ``arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-*``; with a key of your own,
    ``kms:Decrypt`` on it.

    :param secretsmanager_client: Gives boto3's client for Secrets Manager; called when the first secret is asked for.
    """

    def __init__(self, secretsmanager_client: Callable[[], Any]) -> None:
        self._new_client = secretsmanager_client
        self._client: Any = None
        self._read: dict[str, str] = {}

    def __call__(self, reference: str) -> str:
        """Return the secret that a reference stands for.

        :param reference: ``secretsmanager://NAME`` or ``secretsmanager://NAME#KEY``.
        :raises SecretNotReadError: if there is no such secret, it is no text, or it has no such key.
        :raises AccessDeniedError: if this role may not read it.
        """
        match = _REFERENCE.fullmatch(reference)
        if match is None:
            raise SecretNotReadError(check_reference("reference", reference)[0], reference=reference)
        name, key = match["name"], match["key"]
        if name not in self._read:
            self._read[name] = self._ask(name, reference)
        return self._read[name] if key is None else _value_of(key, self._read[name], reference)

    def _ask(self, name: str, reference: str) -> str:
        from botocore.exceptions import BotoCoreError, ClientError

        if self._client is None:
            self._client = self._new_client()
        try:
            answer = self._client.get_secret_value(SecretId=name)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == NOT_THERE:
                raise SecretNotReadError(
                    f"{reference}: there is no such secret in this account and region", reference=reference
                ) from error
            raise told(error, reference, _ACTION) from error
        except BotoCoreError as error:
            raise ServiceError(
                f"{reference} cannot be read: {error}", environment_name="", action=_ACTION, code="", status=None
            ) from error
        text = answer.get("SecretString")
        if not isinstance(text, str):
            raise SecretNotReadError(f"{reference}: the secret holds bytes and no text", reference=reference)
        return text


def _value_of(key: str, text: str, reference: str) -> str:
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise SecretNotReadError(
            f"{reference}: the secret is no JSON object, so that it has no keys", reference=reference
        )
    if key not in content:
        raise SecretNotReadError(f"{reference}: the secret has no such key", reference=reference)
    value = content[key]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
