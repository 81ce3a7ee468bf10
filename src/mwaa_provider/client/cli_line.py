"""A command for MWAA's CLI endpoint: read, checked and written as one line of text, before anything is sent.

A list of arguments is quoted with :func:`shlex.join`, and arrives as it was given, whatever is in it: spaces, quotes, newlines, letters
of any script. What Airflow's own parser (argparse) then makes of an argument that begins with ``-`` is another matter: it takes it for an
option. Write ``--conf=VALUE`` for an option's value, and ``--`` before positional values, where one may begin with ``-``::

    ["variables", "set", "--", key, value]
    ["dags", "trigger", f"--conf={conf}", f"--run-id={run_id}", "--", dag_id]

Without this, such a value is refused by Airflow (exit code 2), with one exception: ``-h`` prints the help and succeeds. Therefore a help
option is taken only right behind the command's words, where it cannot be meant as a value.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mwaa_provider.client.cli_commands import CliCommand, find_command, split_command, supported_commands
from mwaa_provider.client.cli_instead import instead_of

#: Linux takes 131,072 bytes for one argument of a process, and its closing NUL; a shell takes the whole line as one.
#: https://man7.org/linux/man-pages/man2/execve.2.html
LONGEST_LINE = 131_071

_HELP = ("-h", "--help")
_SHELL_WORDS = frozenset({"|", "||", "&", "&&", ";", "<", ">", ">>", "<<", ">&", "<&", "(", ")"})


@dataclass(frozen=True)
class CliLine:
    """A command that may be sent.

    :param arguments: Its arguments, without ``airflow``; kept out of the repr, as they may be passwords.
    :param text: The line as it is sent.
    """

    arguments: tuple[str, ...] = field(repr=False)
    text: str = field(repr=False)

    @property
    def words(self) -> tuple[str, ...]:
        """The command's own words, which may be shown to anybody."""
        return split_command(self.arguments)[0]

    @property
    def known(self) -> CliCommand:
        """What is known about the command."""
        command = find_command(self.arguments)
        assert command is not None, "a line is made of known commands only"  # noqa: S101 - checked by check_supported
        return command

    @property
    def wants_help(self) -> bool:
        """Whether it asks for the command's help."""
        rest = self.arguments[len(self.words) :]
        return bool(rest) and rest[0] in _HELP

    @property
    def wants_json(self) -> bool:
        """Whether it asks Airflow to print JSON."""
        options = options_of(self.arguments)
        return any(
            _output(option, following) == "json" for option, following in zip(options, [*options[1:], ""], strict=True)
        )


def options_of(arguments: Sequence[str]) -> list[str]:
    """Return the arguments among which argparse looks for options: those before ``--``.

    :param arguments: The arguments.
    """
    arguments = list(arguments)
    return arguments[: arguments.index("--")] if "--" in arguments else arguments


def read_line(command: Any) -> tuple[CliLine | None, list[str]]:
    """Read a command from a list of arguments or from a line of text; give back the line, or the problems.

    A leading ``airflow`` is dropped. A text is sent as it is otherwise.

    :param command: What the caller gave.
    """
    if isinstance(command, str):
        return _from_text(command)
    if not isinstance(command, (list, tuple)):
        return None, [f"command: {type(command).__name__} is no command; give a list of arguments, or one line of text"]
    not_text = [number for number, argument in enumerate(command, 1) if not isinstance(argument, str)]
    if not_text:
        kind = type(command[not_text[0] - 1]).__name__
        return None, [f"command: argument {not_text[0]} is of type {kind}; give texts (json.dumps makes one of a dict)"]
    arguments = list(command)[1:] if list(command[:1]) == ["airflow"] else list(command)
    return _checked(arguments, shlex.join(arguments))


def _from_text(text: str) -> tuple[CliLine | None, list[str]]:
    try:
        arguments = shlex.split(text)
        shell = shlex.shlex(text, posix=True, punctuation_chars=True)
        shell.commenters = ""
        signs = sorted({sign for sign in shell if sign in _SHELL_WORDS} - {"(", ")"})
    except ValueError as error:  # its words do not tell the text
        return None, [f"command: the text cannot be split into words ({error}); give a list of arguments instead"]
    if signs:
        return None, [
            f"command: there is no shell over there that would know {' '.join(signs)}; quote it if it belongs to a value, or give a list"
        ]
    if arguments[:1] == ["airflow"]:
        arguments, text = arguments[1:], re.sub(r"^\s*airflow(\s+|$)", "", text)
    return _checked(arguments, text)


def _checked(arguments: list[str], text: str) -> tuple[CliLine | None, list[str]]:
    problems = []
    if not arguments:
        problems.append("command: it is empty; give for example ['dags', 'list']")
    if arguments.count("--") > 1 or any(re.fullmatch(r"--[^=]+=--", option) for option in options_of(arguments)):
        problems.append("command: '--' is given as a value; Airflow's parser would drop it (a value may begin with it)")
    if "\0" in text:
        problems.append("command: it holds a NUL character, which no command line can")
    try:
        length = len(text.encode())
    except UnicodeEncodeError:
        problems.append("command: it holds half a surrogate pair, which UTF-8 cannot write")
    else:
        if length > LONGEST_LINE:
            problems.append(
                f"command: it is {length:,} bytes long, {LONGEST_LINE:,} are possible; send large values by the REST API "
                "(POST /variables, POST /dags/{dag_id}/dagRuns)"
            )
    return (None, problems) if problems else (CliLine(tuple(arguments), text), [])


def check_supported(line: CliLine, airflow_version: str) -> list[str]:
    """Check that MWAA takes the command with that release, and that nobody would be asked for a confirmation.

    :param line: The command.
    :param airflow_version: The environment's Airflow version.
    """
    supported = supported_commands(airflow_version)
    words, rest = split_command(line.arguments, supported)
    if words not in supported:
        # What follows the words may be a secret, and a word may be a value where somebody forgot one.
        spelled = " ".join(word for word in line.arguments[:2] if re.fullmatch(r"[a-z][a-z_-]{0,40}", word))
        hint = instead_of(line.arguments, airflow_version)
        return [
            f"command: MWAA's CLI endpoint does not take {spelled!r} with Airflow {airflow_version}"
            + (
                f"; instead: {hint}"
                if hint
                else "; `supported_commands` in mwaa_provider.client.cli_commands lists what it takes"
            )
        ]
    options = options_of(rest)
    if any(option in _HELP for option in options) and rest not in (["-h"], ["--help"]):
        return [
            f"command: -h and --help make {' '.join(words)!r} print its help and do nothing; give them alone, or put '--' before the "
            "values if one of them is meant"
        ]
    return [] if rest in (["-h"], ["--help"]) else _asks(line.known, options)


def _asks(command: CliCommand, options: list[str]) -> list[str]:
    if not command.asks_unless or any(option in command.asks_unless for option in options):
        return []
    if command.asks_with and not any(_abbreviates(option, known) for option in options for known in command.asks_with):
        return []
    return [
        f"command: {command.spelled!r} asks for a confirmation, and there is nobody to give it over there; add '--yes' if it is meant"
    ]


def _output(option: str, following: str) -> str | None:
    """Return the form of output that an option asks for, in any of the spellings that argparse takes."""
    if option.startswith("--"):
        return (option.partition("=")[2] or following) if _abbreviates(option, "--output") else None
    return (option[2:].removeprefix("=") or following) if option.startswith("-o") else None


def _abbreviates(option: str, known: str) -> bool:
    name = option.partition("=")[0]
    return len(name) > len("--") and known.startswith(name)
