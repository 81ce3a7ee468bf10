"""Private keys, AWS keys and passwords in URLs, found in text: they are told by place and kind, never by value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mwaa_provider.packaging.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

# Longer than any line of text with a key in it; a program's bytes are not read to their end.
_LOOKED_AT = 4 * 1024 * 1024

_PRIVATE_KEY = re.compile(rb"-----BEGIN ((?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?)-----")
_KEY_ID = re.compile(rb"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Z0-9])")
_SECRET_KEY = re.compile(
    rb"(?i)aws_?(?:secret|session)_?(?:access_?)?(?:key|token)\b['\"]?\]?\s*[=:,]\s*['\"]?([A-Za-z0-9/+=]{40,})(?![A-Za-z0-9/+=])"
)
# AWS's documentation shows keys that open nothing.
_OF_THE_DOCUMENTATION = (b"EXAMPLE", b"EXAMPLEKEY")
_LOGIN_IN_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://([^\s/@'\"<>]+)@", re.IGNORECASE)
# ${NAME} and $NAME; and templates of programs that fill a URL in.
_PLACEHOLDER = re.compile(r"\$\{[^}]*\}|\$\w+|\$\([^)]*\)|\{\{?[^}]*\}?\}|%\([^)]*\)s|%s|<[^>]*>|\*+")
# What stands before the colon where the password is the secret: CodeArtifact's and GitHub's ways of saying "here comes a token".
_NO_SECRETS = ("", "aws", "token", "user", "username", "git", "ec2-user", "oauth2", "x-access-token", "__token__")


def find_keys(content: bytes, file: str) -> Iterator[Finding]:
    """Find private keys and AWS access keys.

    :param content: What the file holds.
    :param file: Its name, for the findings.
    """
    content = content[:_LOOKED_AT]
    for match in _PRIVATE_KEY.finditer(content):
        yield Finding(
            "private-key",
            f"It holds a private key ({match[1].decode()}), which everybody who may read the bucket or write a DAG can read.",
            "Take it out, replace the key pair, and fetch the new key from AWS Secrets Manager at run time.",
            file,
            _line_of(content, match.start()),
        )
    for match in (*_KEY_ID.finditer(content), *_SECRET_KEY.finditer(content)):
        if match[match.lastindex or 0].endswith(_OF_THE_DOCUMENTATION):
            continue
        what = (
            f"an access key id ({match[0][:4].decode()}...)" if match.re is _KEY_ID else "a secret access key or token"
        )
        yield Finding(
            "aws-key",
            f"It holds {what} of AWS.",
            "Take it out, deactivate the key in IAM, and let the environment's execution role do what is needed.",
            file,
            _line_of(content, match.start()),
        )


def find_logins(text: str, file: str, also: str, cure: str) -> Iterator[Finding]:
    """Find passwords and tokens in addresses.

    :param text: What the file holds.
    :param file: Its name, for the findings.
    :param also: Where else such a password turns up, as a sentence.
    :param cure: What to do.
    """
    for number, line in enumerate(text.splitlines(), start=1):
        if has_login(line):
            message = "An address holds a password or token, which everybody who may read the bucket can read; "
            yield Finding("credentials-in-url", message + also, cure, file, number)


def has_login(url: str) -> bool:
    """Tell whether a URL, or a text with URLs in it, holds a literal password or token.

    :param url: The text.
    """
    return any(_is_literal(match[1]) for match in _LOGIN_IN_URL.finditer(url))


def without_login(text: str) -> str:
    """Return a text with all logins in its URLs replaced.

    :param text: The text.
    """
    return _LOGIN_IN_URL.sub(lambda match: match[0].replace(match[1], "***"), text)


def _is_literal(login: str) -> bool:
    user, colon, password = login.partition(":")
    secret = password if colon else user
    return _PLACEHOLDER.sub("", secret) != "" if colon else _PLACEHOLDER.sub("", secret).lower() not in _NO_SECRETS


def _line_of(content: bytes, position: int) -> int:
    return content.count(b"\n", 0, position) + 1
