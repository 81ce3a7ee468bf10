"""A shell script, read far enough to know which commands run in which container.

It is no shell: quotes, comments, continued lines, here-documents, ``&&`` and ``||``, the nesting of ``if``, ``case`` and loops are
understood, and tests of ``MWAA_AIRFLOW_COMPONENT``. What is not understood counts as "may run".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mwaa_provider.packaging.shell_tests import COMPONENT, both, either, is_met, opposite, truth

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["COMPONENT", "Command", "commands_of"]

_SUBSHELL = r"\$\((?:[^()]|\([^()]*\))*\)|`[^`]*`"
_TOKEN = re.compile(
    r"(?P<space>(?:[ \t]|\\\n)+)|(?P<comment>(?<![^\s;|&()])#[^\n]*)|(?P<newline>\n)|(?P<operator>&&|\|\||;;|[;|&()])"
    rf"|(?P<word>(?:\\.|'[^']*'|\"(?:\\.|{_SUBSHELL}|[^\"\\])*\"|{_SUBSHELL}|\$\{{[^}}]*\}}|[^\s;|&()'\"`\\])+)|(?P<other>.)",
    re.DOTALL,
)
_HERE = re.compile(r"<<-?[ \t]*(['\"]?)(\w+)\1[^\n]*\n.*?^\t*\2$", re.DOTALL | re.MULTILINE)
_INNER = re.compile(r"\$\(((?:[^()]|\([^()]*\))*)\)|`([^`]*)`")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)\+?=")
_BEFORE_A_PROGRAM = ("sudo", "env", "exec", "nohup", "time", "command", "-E", "-n", "-H")
_KEYWORDS = ("if", "elif", "then", "else", "fi", "while", "until", "do", "done", "esac", "{", "}")


@dataclass(frozen=True)
class Command:
    """A simple command.

    :param line: Its line, from 1.
    :param words: Its words as they stand there, with quotes.
    :param on_web_server: Whether it may run on the web server.
    """

    line: int
    words: tuple[str, ...]
    on_web_server: bool

    @property
    def assigned(self) -> list[str]:
        """The variables that it sets for the rest of the script, and for Airflow if they are exported."""
        if self.words[0] in ("export", "declare", "typeset", "readonly"):
            return [match[1] for word in self.words[1:] if (match := _ASSIGNMENT.match(word))]
        names = [_ASSIGNMENT.match(word) for word in self.words]
        # NAME=value before a command is for that command alone.
        return [match[1] for match in names if match] if all(names) else []

    @property
    def program(self) -> tuple[str, ...]:
        """The words without assignments and without what only starts another program."""
        words = list(self.words)
        while words and (_ASSIGNMENT.match(words[0]) or words[0] in _BEFORE_A_PROGRAM):
            words.pop(0)
        return tuple(words)

    def is_call(self, program: str, *of: str) -> bool:
        """Tell whether it calls a program, with one of these words among its arguments.

        :param program: The program's name, without folder.
        :param of: Subcommands; any if none is given.
        """
        words = self.program
        if not words or words[0].strip("'\"").rpartition("/")[2] != program:
            return False
        return not of or any(word in of for word in words[1:])


def commands_of(script: str) -> list[Command]:
    """Return the simple commands of a script, those inside of ``$(...)`` too.

    :param script: The script.
    """
    # The lines of here-documents stay, empty, so that what follows keeps its number.
    text = _HERE.sub(lambda match: match[0].partition("\n")[0] + "\n" * match[0].count("\n"), script)
    return list(_Reader().read(text))


@dataclass
class _Block:
    """An open ``if``, ``case`` or loop. Truths are of the web server: yes, no, or ``None`` for perhaps."""

    kind: str
    #: Whether the part that is being read runs.
    runs: bool | None = True
    #: Whether the parts before it leave it to the next.
    left: bool | None = True
    about_component: bool = False
    #: Of a ``case``: whether its patterns are being read.
    at_pattern: bool = False

    def begin(self, met: bool | None) -> None:
        self.runs = both(self.left, met)
        self.left = both(self.left, opposite(met))


class _Reader:
    def __init__(self) -> None:
        self._blocks: list[_Block] = []
        self._ended = False
        # The condition that is being read, or the `&&` and `||` of a line: what it came to so far, and what joins the next.
        self._in_condition = False
        self._status: bool | None = True
        self._join = ";"

    def read(self, script: str, line: int = 1) -> Iterator[Command]:
        words: list[str] = []
        began = line
        for match in _TOKEN.finditer(f"{script}\n"):
            kind, text = match.lastgroup, match[0]
            inside_test = "[[" in words and "]]" not in words
            if kind == "word" or (kind == "operator" and inside_test):
                began = began if words else line
                words.append(text)
            elif kind in ("newline", "operator"):
                yield from self._end(words, text, began)
                words = []
            line += text.count("\n")

    def _end(self, words: list[str], operator: str, line: int) -> Iterator[Command]:
        block = self._blocks[-1] if self._blocks else None
        if block is not None and block.at_pattern and words[:1] != ["esac"]:
            if operator in (")", "|") and words:
                self._pattern(block, words, last=operator == ")")
            return
        while words and (words[0] in _KEYWORDS or words[0] in ("case", "for", "select", "function")):
            word = words.pop(0)
            if word == "case":
                about = bool(words) and COMPONENT in words[0]
                self._blocks.append(_Block("case", about_component=about, at_pattern=True, runs=False))
                if words[1:2] == ["in"]:
                    yield from self._end(words[2:], operator, line)
                return
            if word in ("for", "select", "function"):
                words = []
                if word != "function":
                    self._blocks.append(_Block("loop", runs=None))
                break
            self._keyword(word)
        if words:
            yield from self._command(words, line)
        if operator == ";;" and self._blocks:
            self._blocks[-1].at_pattern = True
        if words or operator == ";;":
            self._join = operator
        if operator not in ("&&", "||") and not self._in_condition:
            self._status, self._join = True, ";"

    def _keyword(self, word: str) -> None:
        if word in ("if", "while", "until"):
            self._blocks.append(_Block("if" if word == "if" else "loop", runs=None))
        if word in ("if", "elif", "while", "until"):
            self._in_condition, self._status, self._join = True, True, ";"
        elif word in ("then", "do", "else"):
            if self._blocks and self._blocks[-1].kind == "if":
                self._blocks[-1].begin(True if word == "else" else self._status)
            self._in_condition, self._status, self._join = False, True, ";"
        elif word in ("fi", "done", "esac") and self._blocks:
            self._blocks.pop()

    def _pattern(self, block: _Block, words: list[str], *, last: bool) -> None:
        met = any(is_met(word.strip("'\"")) for word in words) if block.about_component else None
        # a|b) comes in two pieces
        self._status = either(self._status, met) if self._join == "|" else met
        self._join = ";" if last else "|"
        if last:
            block.begin(self._status)
            block.at_pattern, self._status = False, True

    def _command(self, words: list[str], line: int) -> Iterator[Command]:
        reached = (
            True if self._join not in ("&&", "||") else self._status if self._join == "&&" else opposite(self._status)
        )
        # While a condition is read, its own block does not decide over it.
        around = self._blocks[:-1] if self._in_condition else self._blocks
        for block in around:
            reached = both(reached, block.runs)
        reached = False if self._ended else reached
        value = truth(words)
        if self._join == "&&":
            self._status = both(self._status, value)
        elif self._join == "||":
            self._status = either(self._status, value)
        else:
            self._status = value
        self._ended = self._ended or (reached is True and words[0] in ("exit", "return"))
        yield Command(line, tuple(words), reached is not False)
        for word in words:
            for match in _INNER.finditer(word):
                for command in _Reader().read(match[1] or match[2] or "", line):
                    yield Command(command.line, command.words, command.on_web_server and reached is not False)
