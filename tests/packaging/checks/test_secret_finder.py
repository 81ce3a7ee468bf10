"""What counts as a secret, and what only looks like one."""

from __future__ import annotations

import pytest

from mwaa_provider.packaging.secret_finder import find_keys, has_login, without_login

SECRET = "abcdefghij/ABCDEFGHIJ+0123456789abcdefgh"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("-----BEGIN PRIVATE KEY-----", ["private-key"]),
        ("-----BEGIN EC PRIVATE KEY-----", ["private-key"]),
        ("-----BEGIN PGP PRIVATE KEY BLOCK-----", ["private-key"]),
        ("-----BEGIN PUBLIC KEY-----", []),
        ("-----BEGIN CERTIFICATE-----", []),
        ("key: ASIAABCDEFGHIJKLMNOP", ["aws-key"]),
        ("xAKIAABCDEFGHIJKLMNOP", ["aws-key"]),
        ("XAKIAABCDEFGHIJKLMNOP", []),
        ("AKIAABCDEFGHIJKLMNOPQ", []),
        ("AKIAIOSFODNN7EXAMPLE", []),
        (f"aws_secret_access_key = {SECRET}", ["aws-key"]),
        (f'"AWS_SECRET_ACCESS_KEY": "{SECRET}"', ["aws-key"]),
        (f"os.environ['AWS_SESSION_TOKEN'] = '{SECRET}{SECRET}'", ["aws-key"]),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", []),
        (f"sha1 = {SECRET}", []),
        ("aws_secret_access_key = ${SECRET}", []),
    ],
)
def test_keys(text: str, kinds: list[str]) -> None:
    found = list(find_keys(f"first\n{text}\n".encode(), "file"))
    assert [(one.id, one.line) for one in found] == [(kind, 2) for kind in kinds]
    assert SECRET not in repr(found)


@pytest.mark.parametrize(
    "text",
    [
        "https://me:pw@h/x",
        "https://:pw@h",
        "https://token123@h/x",
        "git+https://me:pw@h",
        "postgresql://u:p@h/db",
        "a https://u:p@h b",
    ],
)
def test_logins(text: str) -> None:
    assert has_login(text)
    assert "pw@" not in without_login(text)
    assert "***@h" in without_login(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://h/x",
        "https://h/@x",
        "https://${USER}:${PASS}@h",
        "https://$USER:$PASS@h",
        "https://aws:$TOKEN@h",
        "https://aws:$(cat token)@h",
        "https://me:{{ password }}@h",
        "ssh://git@github.com/x",
        "https://me:***@h",
        "me@example.com",
    ],
)
def test_no_logins(text: str) -> None:
    assert not has_login(text)
