"""Credentials of package indexes: kept out of what Airflow logs of the commands that it runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote

from mwaa_provider.airflow_compat import mask_secret

#: https://user:password@host, https://token@host
_CREDENTIALS = re.compile(r"://(?P<user>[^/@:\s]*)(?::(?P<password>[^/@\s]*))?@")


def mask(command: list[str], environment: Mapping[str, str]) -> None:
    """Have logs mask every password and token that addresses of package indexes hold.

    :param command: The command, whose options and requirement files are read.
    :param environment: Its variables.
    """
    for secret in sorted(set(_secrets([*command, *_settings(environment), *_files(command)]))):
        mask_secret(secret)


def _settings(environment: Mapping[str, str]) -> Iterator[str]:
    return (value for name, value in environment.items() if name.startswith(("PIP_", "UV_")))


def _files(command: list[str]) -> Iterator[str]:
    """Read the files that hold addresses: the operator's requirements, and the ``pip.conf`` it writes for ``index_urls``."""
    for word in command:
        file = Path(word)
        if word.endswith(("/bin/pip", "/bin/python")):
            file = file.parent.parent / "pip.conf"
        elif not word.endswith((".txt", ".conf")):
            continue
        try:
            yield file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue


def _secrets(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        for match in _CREDENTIALS.finditer(text):
            secret = match["user"] if match["password"] is None else match["password"]
            if secret and "${" not in secret:
                yield from {secret, unquote(secret)}
