"""What may be asked, and in which form; whatever is wrong is told at once, before anything is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from mwaa_provider.exceptions import InvalidInputError

#: Of a question at most so many bytes are read.
LONGEST_QUESTION = 64 * 1024
_MOST_KEYS = 20
_MOST_NAMES = 500
_LONGEST_NAME = 63
_MOST_KEY_COLUMNS = 32
_LONGEST_KEY = 4096

Key = tuple[str, ...]


@dataclass(frozen=True)
class PlanQuestion:
    """Which tables are wanted, and of which age.

    :param tables: Their names, or ``history``; ``None`` for the usual three.
    :param since: Rows of this age or younger; ``None`` for no bound.
    :param until: Rows older than this; ``None`` for no bound.
    :param age_columns: Table to the column its age is read from, where another than the usual is wanted.
    """

    tables: tuple[str, ...] | None
    since: datetime | None
    until: datetime | None
    age_columns: Mapping[str, str]


@dataclass(frozen=True)
class RangeQuestion:
    """Which rows of a table are wanted.

    :param table: The table's name.
    :param columns: Its columns, in the order in which they are to come.
    :param age_column: The column that tells a row's age.
    :param since: Rows of this age or younger; ``None`` for no bound.
    :param until: Rows older than this; ``None`` for no bound.
    :param after: Rows with a larger key; ``None`` for no bound.
    :param up_to: Rows with this key or a smaller one; ``None`` for no bound.
    :param undated: Whether rows without an age are wanted too.
    :param revision: The revision of the database that was planned for.
    """

    table: str
    columns: tuple[str, ...]
    age_column: str | None
    since: datetime | None
    until: datetime | None
    after: Key | None
    up_to: Key | None
    undated: bool
    revision: str


def plan_question(body: bytes) -> PlanQuestion:
    """Read the question for a plan.

    :param body: The request's body.
    :raises InvalidInputError: naming everything that is wrong.
    """
    read = QuestionReader(body, "tables", "since", "until", "age_columns")
    question = PlanQuestion(
        tables=read.names("tables", optional=True),
        since=read.moment("since"),
        until=read.moment("until"),
        age_columns=read.name_of_name("age_columns"),
    )
    read.finish()
    return question


def range_question(body: bytes) -> RangeQuestion:
    """Read the question for the rows, or for the cuts, of a range.

    :param body: The request's body.
    :raises InvalidInputError: naming everything that is wrong.
    """
    read = QuestionReader(
        body, "table", "columns", "age_column", "since", "until", "after", "up_to", "undated", "revision"
    )
    question = RangeQuestion(
        table=read.name("table") or "",
        columns=read.names("columns") or (),
        age_column=read.name("age_column", optional=True),
        since=read.moment("since"),
        until=read.moment("until"),
        after=read.key("after"),
        up_to=read.key("up_to"),
        undated=read.flag("undated"),
        revision=read.name("revision") or "",
    )
    if question.age_column is None and (question.since or question.until):
        read.problems.append("age_column: it is missing, and 'since' and 'until' have no meaning without it")
    read.finish()
    return question


class QuestionReader:
    """One question being read; what is wrong is collected, and raised by :meth:`finish`.

    :param body: The request's body.
    :param fields: The fields that it may have.
    :raises InvalidInputError: It is no JSON object.
    """

    def __init__(self, body: bytes, *fields: str) -> None:
        self.problems: list[str] = []
        try:
            read = json.loads(body) if body else {}
        except (ValueError, RecursionError):
            read = None
        if not isinstance(read, dict):
            raise InvalidInputError(["the body is no JSON object"])
        self._read: dict[str, Any] = read
        self.problems += [
            f"{field}: there is no such field; give {', '.join(fields)}" for field in read if field not in fields
        ]

    def finish(self) -> None:
        """Raise what is wrong.

        :raises InvalidInputError: naming everything.
        """
        if self.problems:
            raise InvalidInputError(self.problems)

    def name(self, field: str, *, optional: bool = False) -> str | None:
        """Read a name as PostgreSQL has it.

        :param field: The field.
        :param optional: Whether it may be missing.
        """
        value = self._read.get(field)
        if value is None and optional:
            return None
        if _is_name(value):
            return str(value)
        self.problems.append(f"{field}: {_shown(value)} is no name; give a text of 1 to {_LONGEST_NAME} characters")
        return None

    def names(self, field: str, *, optional: bool = False, longest: int = _LONGEST_NAME) -> tuple[str, ...] | None:
        """Read a list of names.

        :param field: The field.
        :param optional: Whether it may be missing.
        :param longest: How many characters one may have.
        """
        value = self._read.get(field)
        if value is None and optional:
            return None
        if (
            not isinstance(value, list)
            or not 0 < len(value) <= _MOST_NAMES
            or not all(_is_name(one, longest) for one in value)
        ):
            self.problems.append(f"{field}: {_shown(value)} is no list of 1 to {_MOST_NAMES} names")
            return None
        if len(set(value)) < len(value):
            self.problems.append(f"{field}: a name stands in it twice")
        return tuple(value)

    def name_of_name(self, field: str) -> dict[str, str]:
        """Read an object of names.

        :param field: The field, which may be missing.
        """
        value = self._read.get(field)
        if value is None:
            return {}
        if (
            isinstance(value, dict)
            and len(value) <= _MOST_NAMES
            and all(_is_name(one) for pair in value.items() for one in pair)
        ):
            return value
        self.problems.append(f"{field}: {_shown(value)} is no object of names of tables and columns")
        return {}

    def moment(self, field: str) -> datetime | None:
        """Read a moment, in UTC.

        :param field: The field, which may be missing.
        """
        value = self._read.get(field)
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
            if moment.tzinfo is not None:
                return moment.astimezone(timezone.utc)
        except (ValueError, OverflowError):
            pass
        self.problems.append(
            f"{field}: {_shown(value)} is no moment; give ISO 8601 with a time zone, such as 2026-01-31T00:00:00+00:00"
        )
        return None

    def flag(self, field: str) -> bool:
        """Read a yes or no.

        :param field: The field; missing it is no.
        """
        value = self._read.get(field)
        if value is not None and not isinstance(value, bool):
            self.problems.append(f"{field}: {_shown(value)} is neither true nor false")
        return value is True

    def number(self, field: str, least: float, most: float, *, whole: bool = False) -> Any:
        """Read a number; ``None`` if it is missing.

        :param field: The field.
        :param least: The smallest that is possible.
        :param most: The largest.
        :param whole: Whether it is a whole number.
        """
        value = self._read.get(field)
        is_number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
        if value is None or (is_number and least <= value <= most):
            return value
        self.problems.append(
            f"{field}: {_shown(value)} is no {'whole ' if whole else ''}number from {least:g} to {most:g}"
        )
        return None

    def key(self, field: str) -> Key | None:
        """Read a key.

        :param field: The field, which may be missing.
        """
        value = self._read.get(field)
        if value is None:
            return None
        if (
            isinstance(value, list)
            and 0 < len(value) <= _MOST_KEY_COLUMNS
            and all(_is_text(part, _LONGEST_KEY) for part in value)
        ):
            return tuple(value)
        self.problems.append(
            f"{field}: {_shown(value)} is no key; give a list of texts, one for each column of the primary key"
        )
        return None

    def keys(self, field: str) -> tuple[Key, ...]:
        """Read a list of keys.

        :param field: The field.
        """
        value = self._read.get(field)
        if (
            isinstance(value, list)
            and 0 < len(value) <= _MOST_KEYS
            and all(
                isinstance(one, list)
                and 0 < len(one) <= _MOST_KEY_COLUMNS
                and all(_is_text(part, _LONGEST_KEY) for part in one)
                for one in value
            )
        ):
            return tuple(tuple(one) for one in value)
        self.problems.append(f"{field}: {_shown(value)} is no list of 1 to {_MOST_KEYS} keys")
        return ()


def _is_name(value: Any, longest: int = _LONGEST_NAME) -> bool:
    return _is_text(value, longest) and value != ""


def _is_text(value: Any, most: int) -> bool:
    # PostgreSQL has no NUL in a text, and JSON can write halves of characters.
    return isinstance(value, str) and len(value) <= most and "\x00" not in value and _is_whole(value)


def _is_whole(value: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
