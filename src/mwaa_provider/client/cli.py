"""Airflow commands, run by an environment's CLI endpoint.

``POST https://HOST/aws_mwaa/cli`` with a CLI token that lives 60 seconds. The endpoint runs about four commands at once and answers 503
beyond that. Its answer has no exit code: :mod:`mwaa_provider.client.cli_verdict` says how success and failure are told apart.

https://docs.aws.amazon.com/mwaa/latest/userguide/airflow-cli-command-reference.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from mwaa_provider.client import cli_line, error_mapping, input_checks
from mwaa_provider.client.cli_answer import CliResult, decoded, trailing_json
from mwaa_provider.client.cli_line import CliLine
from mwaa_provider.client.cli_secrets import without_secrets
from mwaa_provider.client.cli_verdict import has_failed
from mwaa_provider.client.core import ClientCore, raise_problems
from mwaa_provider.client.models import Environment
from mwaa_provider.client.tokens import CliToken
from mwaa_provider.exceptions import (
    AccessDeniedError,
    CliCommandError,
    ServiceError,
    ThrottledError,
    UnknownOutcomeError,
)

_PATH = "/aws_mwaa/cli"
#: MWAA runs about so many commands at once for an environment.
_MOST_AT_ONCE = 4
_CONNECT_SECONDS = 10
#: So much of what a failed command printed goes into the error, from its end, in characters.
_KEPT, _SHOWN = 10_000, 2_000


class _Turn(NamedTuple):
    """How long a command may take, how long it waits for its turn, and beside how many others it runs."""

    timeout: float
    turn_timeout: float
    at_once: int


class CliCalls(ClientCore):
    """Calls of the CLI endpoint."""

    def run_cli(
        self,
        environment_name: str,
        command: Sequence[str] | str,
        *,
        check: bool = True,
        is_idempotent: bool | None = None,
        timeout: float = 300.0,
        turn_timeout: float = 600.0,
        at_once: int = 1,
    ) -> CliResult:
        """Run an ``airflow`` command over there, and return what it printed.

        The threads of a process take turns: one command at a time in an environment. When the command certainly was not run (the endpoint
        is busy, the connection could not be made), it is sent again for up to two minutes. When nobody knows whether it was run (a lost
        answer, a time-out, a 5xx), it is sent again only if that does no harm: commands that read, and ``dags pause``, ``dags unpause``,
        ``dags reserialize``, ``variables set``, ``variables delete``, ``roles create``, ``roles add-perms`` and ``roles del-perms``.

        IAM actions: ``airflow:CreateCliToken`` and ``airflow:GetEnvironment`` on the environment.
        https://docs.aws.amazon.com/mwaa/latest/userguide/call-mwaa-apis-cli.html

        :param environment_name: The environment's name.
        :param command: The command without ``airflow``: a list of arguments, which arrive as they are, or one line of text, quoted as for a
            shell (which is not there). For values that may begin with ``-`` see :mod:`mwaa_provider.client.cli_line`.
        :param check: Whether a command that failed raises (default true); else look at ``has_failed`` of the result.
        :param is_idempotent: Whether the command may be run twice (default: by the command, as said above).
        :param timeout: Seconds to wait for the command's end (default 300). It runs on over there.
        :param turn_timeout: Seconds to wait until other threads' commands have ended (default 600).
        :param at_once: How many commands of this process may run in the environment at the same time as this one, 1 (default) to 4.
        :raises InvalidInputError: if the command cannot be right, or MWAA does not take it with that Airflow release; with what to use
            instead. Nothing was sent.
        :raises CliCommandError: if the command failed in Airflow.
        :raises ThrottledError: if the endpoint stayed busy; the command was not run.
        :raises UnknownOutcomeError: if no usable answer came: the command may have been run.
        """
        line, problems = cli_line.read_line(command)
        problems = [
            *input_checks.check_environment_name(environment_name),
            *problems,
            *input_checks.check_seconds("timeout", timeout),
            *input_checks.check_seconds("turn_timeout", turn_timeout),
        ]
        if not isinstance(at_once, int) or not 1 <= at_once <= _MOST_AT_ONCE:
            problems.append(f"at_once: {at_once!r} is not possible; MWAA runs 1 to {_MOST_AT_ONCE} commands at once")
        raise_problems(problems)
        assert line is not None  # noqa: S101 - else there were problems
        turn = _Turn(timeout, turn_timeout, at_once)
        environment = self._known_environment(environment_name, lambda name: self._version_by_command(name, turn))
        raise_problems(cli_line.check_supported(line, environment.airflow_version))
        may_repeat = line.known.effect != "create" if is_idempotent is None else is_idempotent
        result = self._run_in_turn(environment, line, turn, self._retry.repeat if may_repeat else self._retry.once)
        if check and result.has_failed:
            raise _failure(environment_name, line, result)
        return result

    def _version_by_command(self, environment_name: str, turn: _Turn) -> str:
        line, _ = cli_line.read_line(["version"])
        assert line is not None  # noqa: S101 - it is right
        nearly = Environment(environment_name, "3.0.6", "", "", "")  # the command is the same on all releases
        result = self._run_in_turn(nearly, line, turn, self._retry.repeat)
        versions = re.findall(r"^\d+\.\d+\.\d+\S*$", result.stdout, re.MULTILINE)
        if not versions:
            raise _failure(environment_name, line, result)
        return str(versions[-1])

    def _run_in_turn(
        self, environment: Environment, line: CliLine, turn: _Turn, send: Callable[[Callable[[], CliResult]], CliResult]
    ) -> CliResult:
        turns = self._shared.cli_turns[self._caller.place(environment.name)]
        try:
            with turns.take(at_once=turn.at_once, seconds=turn.turn_timeout):
                return send(lambda: self._run_once(environment, line, turn.timeout))
        except TimeoutError as error:
            raise ThrottledError(
                f"Other threads kept the CLI endpoint of environment {environment.name!r} busy for {turn.turn_timeout:g} seconds; "
                f"{_spelled(line)} was not run. Wait longer (turn_timeout) or let more commands run (at_once).",
                environment_name=environment.name,
                command=line.words,
            ) from error

    def _run_once(self, environment: Environment, line: CliLine, timeout: float) -> CliResult:
        environment_name = environment.name
        token = self._fresh_cli_token(environment_name)
        response = self._post_command(environment_name, token, line, timeout)
        if response.status_code in (401, 403) or response.is_redirect:  # not let in, so not run
            self._cli_tokens.forget(environment_name, token)
            token = self._fresh_cli_token(environment_name)
            response = self._post_command(environment_name, token, line, timeout)
        return _read(environment, line, response)

    def _fresh_cli_token(self, environment_name: str) -> CliToken:
        # asking for a token may be repeated, whatever the command
        return self._retry.repeat(lambda: self._cli_tokens.get(environment_name))

    def _post_command(self, environment_name: str, token: CliToken, line: CliLine, timeout: float) -> Any:
        import requests

        host = self._hosts.get(environment_name) or token.web_server_host
        url = f"https://{host}{_PATH}"

        def post(url: str) -> Any:
            return self._http.send(
                "POST",
                url,
                data=line.text.encode(),
                headers={"Authorization": f"Bearer {token.value}", "Content-Type": "text/plain"},
                timeout=(_CONNECT_SECONDS, timeout),
            )

        try:
            response = post(url)
            moved_to = _moved_to(url, response)
            return post(moved_to) if moved_to else response
        except requests.RequestException as error:
            mapped = error_mapping.from_requests(
                error, environment_name=environment_name, host=host, method="POST", path=_PATH
            )
            if isinstance(mapped, UnknownOutcomeError):
                raise _unknown(environment_name, line, type(error).__name__) from None
            raise mapped from None  # the requests error carries the headers, and with them the token


def _moved_to(url: str, response: Any) -> str | None:
    """Return where the endpoint itself has moved to on this host (AWS's samples for Airflow 3 follow redirects), or ``None``."""
    target = urljoin(url, response.headers.get("Location", ""))
    is_there = urlsplit(target).netloc == urlsplit(url).netloc and urlsplit(target).path.rstrip("/").endswith(_PATH)
    return target if response.is_redirect and is_there and target != url else None


def _read(environment: Environment, line: CliLine, response: Any) -> CliResult:
    environment_name = environment.name
    try:
        body = json.loads(response.content)
    except ValueError:
        body = response.text
    printed = decoded(body)
    if printed is not None:
        stdout, stderr = printed
        return CliResult(
            line.words,
            without_secrets(line, stdout),
            without_secrets(line, stderr),
            response.status_code,
            trailing_json(stdout) if line.wants_json else None,
            has_failed(line, stdout, stderr, airflow_version=environment.airflow_version, status=response.status_code),
        )
    status = response.status_code
    detail = without_secrets(line, error_mapping.detail_of(body))
    facts: dict[str, Any] = {"environment_name": environment_name, "command": line.words, "status": status}
    if status in (429, 503):
        raise ThrottledError(
            f"The CLI endpoint of environment {environment_name!r} is busy (HTTP {status}); it takes about {_MOST_AT_ONCE} at once. "
            f"{_spelled(line)} was not run. If this goes on, look whether the environment is being updated.",
            retry_after=error_mapping.retry_after_of(response.headers),
            **facts,
        )
    if status in (401, 403) or response.is_redirect:
        raise AccessDeniedError(
            f"The CLI endpoint of environment {environment_name!r} took no token (HTTP {status}: {detail}); {_spelled(line)} was not run. "
            "The token was issued, so airflow:CreateCliToken is allowed: check that web_server_hosts names this environment's own host.",
            action="airflow:CreateCliToken",
            detail=detail,
            **facts,
        )
    if 400 <= status < 500:
        raise ServiceError(
            f"The CLI endpoint of environment {environment_name!r} refused {_spelled(line)}: HTTP {status}: {detail}",
            action="airflow:CreateCliToken",
            code="",
            detail=detail,
            **facts,
        )
    raise _unknown(environment_name, line, f"HTTP {status}: {detail}")


def _unknown(environment_name: str, line: CliLine, why: str) -> UnknownOutcomeError:
    known = line.known
    hint = (
        f"It was not sent again for that reason: look first, at {known.look_at}."
        if known.effect == "create"
        else "To run it again does no harm."
    )
    return UnknownOutcomeError(
        f"No usable answer of the CLI endpoint of environment {environment_name!r} to {_spelled(line)} ({why}); it may have been run, "
        f"or be running still. {hint}",
        environment_name=environment_name,
        command=line.words,
        method="POST",
        path=_PATH,
    )


def _failure(environment_name: str, line: CliLine, result: CliResult) -> CliCommandError:
    said = (result.stderr.strip() or result.stdout.strip())[-_SHOWN:] or "it printed nothing"
    return CliCommandError(
        f"{_spelled(line)} failed in environment {environment_name!r}:\n{said}",
        environment_name=environment_name,
        command=line.words,
        status=result.status,
        stdout=result.stdout[-_KEPT:],
        stderr=result.stderr[-_KEPT:],
    )


def _spelled(line: CliLine) -> str:
    return f"`airflow {' '.join(line.words)}`"
