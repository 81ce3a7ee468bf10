"""Secrets of Secrets Manager, read and written by name.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mwaa_provider.exceptions import AccessDeniedError, MwaaError, SecretDiffersError, ServiceError

NOT_THERE = "ResourceNotFoundException"
_DENIED = ("AccessDeniedException", "AccessDenied", "UnrecognizedClientException", "InvalidClientTokenId")


class SecretStore:
    """Reads and writes secrets that are texts.

    IAM actions: ``secretsmanager:GetSecretValue``, ``secretsmanager:CreateSecret`` and, to replace, ``secretsmanager:PutSecretValue`` on
    ``arn:aws:secretsmanager:REGION:ACCOUNT:secret:PREFIX/*``; with a key of your own, ``kms:Decrypt`` and ``kms:GenerateDataKey`` on it.

    :param secretsmanager_client: Gives boto3's client for Secrets Manager; called when the first secret is asked for.
    :param kms_key_id: The key that encrypts new secrets (default: the account's own for Secrets Manager).
    """

    def __init__(self, secretsmanager_client: Callable[[], Any], *, kms_key_id: str | None = None) -> None:
        self._new_client = secretsmanager_client
        self._kms_key_id = kms_key_id
        self._client: Any = None

    def read(self, name: str) -> str | None:
        """Return a secret, or ``None`` if there is none of this name.

        :param name: Its name.
        :raises SecretDiffersError: if it is no text.
        :raises AccessDeniedError: if this role may not read it.
        """
        answer = self._ask("GetSecretValue", name, SecretId=name)
        if answer is None:
            return None
        text = answer.get("SecretString")
        if not isinstance(text, str):
            raise SecretDiffersError(f"The secret {name} holds bytes and no text", name=name)
        return text

    def create(self, name: str, value: str) -> None:
        """Make a secret.

        :param name: Its name.
        :param value: Its value.
        """
        key = {} if self._kms_key_id is None else {"KmsKeyId": self._kms_key_id}
        self._ask("CreateSecret", name, Name=name, SecretString=value, **key)

    def replace(self, name: str, value: str) -> None:
        """Give a secret that is there another value.

        :param name: Its name.
        :param value: Its value.
        """
        self._ask("PutSecretValue", name, SecretId=name, SecretString=value)

    def verify(self, name: str, value: str) -> None:
        """Read a secret back, and raise if it is not what it is to be.

        :param name: Its name.
        :param value: What it is to be.
        :raises SecretDiffersError: if it is another value, or gone.
        """
        if self.read(name) != value:
            raise SecretDiffersError(
                f"The secret {name} does not hold what was written; does somebody else write it?", name=name
            )

    def _ask(self, operation: str, name: str, **given: Any) -> dict[str, Any] | None:
        from botocore import xform_name
        from botocore.exceptions import BotoCoreError, ClientError

        if self._client is None:
            self._client = self._new_client()
        action = f"secretsmanager:{operation}"
        try:
            answer: dict[str, Any] = getattr(self._client, xform_name(operation))(**given)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == NOT_THERE and operation == "GetSecretValue":
                return None
            raise told(error, f"The secret {name}", action) from error
        except BotoCoreError as error:
            raise ServiceError(
                f"The secret {name}: {operation} failed: {error}",
                environment_name="",
                action=action,
                code="",
                status=None,
            ) from error
        return answer


def told(error: Any, about: str, action: str) -> MwaaError:
    """Return an error of ours for what Secrets Manager has answered.

    :param error: botocore's error.
    :param about: What it is about.
    :param action: The IAM action.
    """
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code in _DENIED:
        return AccessDeniedError(
            f"{about}: Secrets Manager does not allow it to this role ({code}). Give it {action} on it, and the key's kms:Decrypt and "
            "kms:GenerateDataKey where a key of your own encrypts it.",
            environment_name="",
            action=action,
            detail=code,
        )
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return ServiceError(f"{about}: {error}", environment_name="", action=action, code=code, status=status)
