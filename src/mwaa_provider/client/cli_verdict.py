"""Whether a command succeeded over there. The CLI endpoint gives no exit code, so what the command printed has to tell.

The rule, first match wins:

1. The endpoint answered another HTTP status than 200: failed.
2. Standard error ends with argparse's ``airflow ... command error: ..., see help above.``: failed.
3. The help was printed although nobody asked for it (an argument that begins with ``-`` was taken for ``-h``): failed.
4. Standard error ends with one of the sentences with which Airflow's commands give up (:data:`GIVES_UP`): failed.
5. Standard output ends with one of the sentences with which a few commands give up silently, or ``dags list-import-errors`` lists import
   errors (it exits 1 then, from Airflow 2.8 on): failed.
6. Standard error ends with a traceback that no log line has brought: failed; except after a command that only reads and has printed its
   result, since plugins and DAG files may print tracebacks too.
7. A command that always prints a result printed nothing at all, as one does that was killed: failed.
8. Standard error ends with a line that is neither a log line nor a warning nor one of Airflow's known notes: failed; except after a
   command that has printed its result, or one that runs what DAG authors have written.
9. Anything else, warnings included: succeeded.

It is held against the real exit codes of real Airflows in ``tests/cli_verdict``. The exit code is the judge there, and Airflow's own exit
codes are not always what one would expect: ``dags pause`` of a DAG that does not exist, ``variables delete`` of a variable that does not
exist, ``dags state`` of a run that does not exist and ``tasks test`` of a task that fails (on Airflow 3) all exit 0 and count as success.

What it cannot tell: a command of rule 8's exceptions or of ``db clean`` that was killed half-way looks like one that ended well, and an
Airflow release that words its errors anew and prints a result beside them is believed.
"""

from __future__ import annotations

import re
from typing import Literal

from mwaa_provider.client.cli_line import CliLine

#: Sentences with which commands end themselves (SystemExit) in Airflow 2.7 to 3.3; they go to standard error, and the exit code is 1.
GIVES_UP = (
    r"DAG: .* does not exist in (?:the database|'dag' table)",
    r"Can not find dag .* in database",
    r"DagRun failed",
    r"Configuration .* is not valid JSON\. Error: .*",
    r"Variable .* does not exist\.?",
    r"[^\n]*: line \d+ column \d+ \(char \d+\)",  # variables get --json
    r"A connection with `conn_id`=.* already exists\.",
    r"Did not find a connection with `conn_id`=.*",
    r"Found more than one connection with `conn_id`=.*",
    r"Could not create connection\. .*",
    r"The URI provided to --conn-uri is invalid: .*",
    r"(?:Must|Cannot) supply .*",
    r"conn-json is invalid; .*",
    r"The following args are not compatible with .*",
    r"No such provider installed: .*",
    r"Asset .* does not exist\.",
    r"More than one .*",
    r"Either --name or --uri is required",
    r"Required --name with --alias",
    r"Cannot use .*",
    r"Option --save and --imgcat are mutually exclusive\..*",
    r"Failed to execute\. Make sure the imgcat .*",
    r"--hide-sensitive can only be used with --show-values",
    r"Bundles not found: .*",
    r"No tables selected for db cleanup\..*",
    r"User did not confirm; exiting\.",
)

#: Sentences of the same meaning that go to standard output.
_GIVES_UP_SILENTLY = {
    "backfill create": r"Warning: .*",
    "dags backfill": r"You cannot backfill backwards .*",
    "roles add-perms": r"(?:Role|Resource|Action) named '.*' does not exist",
    "roles del-perms": r"(?:Role|Resource|Action) named '.*' does not exist",
}

_NOTES = re.compile(
    r"^\[(?:INFO|WARN)\] .*$"
    r"|^Error: Failed to load all files\.(?s:.*?)list-import-errors`?\.?$"
    r"|^Error: Ignoring the following invalid columns:(?s:.*?)valid\s+columns: \[(?s:.*?)\]\.?$",
    re.MULTILINE,
)
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_LOG_LINE = re.compile(
    r"\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d\S*\s+\S"  # Airflow's and most people's; a date alone is a result
    r"|(?:DEBUG|INFO|WARNING|ERROR|CRITICAL)\b[:\s]"  # logging's default, and absl's
    r"|[IWEF]\d{4} \d\d:\d\d:"  # absl
    r"|.* (?:category|lineno|loc)=\S+$"  # the last line of a longer event of Airflow 3
)
_WARNING = re.compile(r"\S+:\d+:? \w*Warning: ")
_BRINGS_TRACEBACKS = re.compile(
    r"\[?\d{4}-\d\d-\d\d(?!.*py\.warnings).{0,120}\b(?:warning|error|critical|exception)\b|(?:WARNING|ERROR|CRITICAL):\S",
    re.I,
)
_TRACEBACK = "Traceback (most recent call last):"
_LINKS = ("During handling of the above exception", "The above exception was the direct cause")


def has_failed(line: CliLine, stdout: str, stderr: str, *, airflow_version: str, status: int = 200) -> bool:
    """Tell whether a command failed, as its exit code would.

    :param line: The command.
    :param stdout: What it printed to standard output.
    :param stderr: What it printed to standard error.
    :param airflow_version: The environment's Airflow version.
    :param status: The HTTP status that brought it (default 200).
    """
    command = line.known
    stdout, stderr = _COLOURS.sub("", stdout), _COLOURS.sub("", stderr)
    if status != 200 or re.search(r"^airflow[ \w-]* command error: .*see help above\.\s*\Z", stderr, re.M | re.S):
        return True
    if re.match(r"usage: airflow ", stdout, re.I):
        return not line.wants_help
    errors = _Read(_NOTES.sub("", stderr))
    printed = _Read(stdout)
    if errors.ends_with("|".join(GIVES_UP)) or printed.ends_with(_GIVES_UP_SILENTLY.get(command.spelled, r"(?!)")):
        return True
    if command.spelled == "dags list-import-errors" and _release(airflow_version) >= (2, 8):
        return not stdout.rstrip().endswith(("No data found", "[]"))
    has_result = command.says == "result" and bool(printed.last_words)
    if errors.traceback == "bare":
        return not (has_result and command.effect == "read")
    if command.says == "result" and (not stdout or errors.traceback == "logged"):
        return not has_result
    return bool(errors.last_words) and not has_result and command.says != "anything"


def _release(airflow_version: str) -> tuple[int, int]:
    major, minor = airflow_version.split(".")[:2]
    return int(major), int(minor)


class _Read:
    """What was printed, without log lines, warnings and tracebacks."""

    def __init__(self, text: str) -> None:
        #: What stands behind the last of them.
        self.last_words: list[str] = []
        #: The last traceback: a log line may have brought it, or nobody has.
        self.traceback: Literal["logged", "bare", ""] = ""
        after: Literal["log", "traceback", "words"] = "words"
        may_bring = False
        for line in text.splitlines():
            is_indented = not line.strip() or line[0].isspace()
            if line.startswith(_TRACEBACK):
                self.traceback = "logged" if may_bring else "bare"
                self.last_words, after = [], "traceback"
            elif line.startswith(_LINKS) or (is_indented and after != "words"):
                continue
            elif after == "traceback":  # the exception itself; its message may go on
                after = "words"
            elif _LOG_LINE.match(line) or _WARNING.match(line):
                may_bring = _BRINGS_TRACEBACKS.match(line) is not None
                self.last_words, after = [], "log"
            elif line.strip():
                self.last_words.append(line)
                may_bring, after = False, "words"

    def ends_with(self, pattern: str) -> bool:
        """Whether the last words end with a sentence."""
        return re.search(rf"^(?:{pattern})\s*\Z", "\n".join(self.last_words), re.MULTILINE | re.DOTALL) is not None
