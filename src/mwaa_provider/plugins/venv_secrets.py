"""Credentials of package indexes: kept out of what Airflow logs of the commands that it runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote

from mwaa_provider.airflow_compat import mask_secret

#: https://user:password@host, https://token@host
_CREDENTIALS = re.compile(r"://(?P<user>[^/@:\s]*)(?::(?P<password>[^/@\s]*))?@")

#: Options of pip and uv that take an address, and the variables that mean the same: pip's, uv's, and whether there can be several.
_ADDRESSES = {
    "--index-url": ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", False),
    "-i": ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", False),
    "--extra-index-url": ("PIP_EXTRA_INDEX_URL", "UV_INDEX", True),
}


def moved_to_variables(command: list[str], environment: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """Take addresses with credentials out of a command, which everybody on the machine can read, and put them into variables.

    :param command: The command.
    :param environment: Its variables.
    """
    kept, changed, words = [], dict(environment), iter(command)
    for word in words:
        option, equals, value = word.partition("=")
        if option in _ADDRESSES:
            value = value if equals else next(words, "")
            if _CREDENTIALS.search(value):
                for_pip, for_uv, several = _ADDRESSES[option]
                name = for_uv if command[0] == "uv" else for_pip
                changed[name] = f"{changed.get(name, '')} {value}".strip() if several else value
            else:
                kept += [word] if equals else [word, value]
        else:
            kept.append(word)
    return kept, changed


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
