"""What may be asked of a clean-up over the metadata API, and in which form; whatever is wrong is told at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone

from mwaa_provider.metadata.api.questions import QuestionReader
from mwaa_provider.metadata.cleanup.aged_batches import Key
from mwaa_provider.metadata.cleanup.pace import Settings
from mwaa_provider.metadata.cleanup.plan import Wanted
from mwaa_provider.metadata.cleanup.sessions import Limits
from mwaa_provider.metadata.cleanup.waiting import Place

#: Seconds that one statement of a batch may take here, that it may wait for a lock, and that one request begins batches.
STATEMENT_SECONDS, LOCK_SECONDS, WORK_SECONDS = 5.0, 2.0, 2.0
_LONGEST_DAG_ID = 250
_WANTED = ("before", "tables", "dag_ids", "exclude_dag_ids")
_MOST_ROWS = 1_000_000


@dataclass(frozen=True)
class PlanQuestion:
    """Which rows are to go.

    :param wanted: Which rows.
    :param is_dry_run: Whether reading them is enough.
    """

    wanted: Wanted
    is_dry_run: bool


@dataclass(frozen=True)
class CountQuestion:
    """How many rows of a table would go.

    :param wanted: Which rows.
    :param table: The table.
    """

    wanted: Wanted
    table: str


@dataclass(frozen=True)
class BatchQuestion:
    """What is to be removed next.

    :param wanted: Which rows.
    :param work: The piece of work.
    :param place: Where to begin.
    :param settings: How.
    :param seconds: After so many no further batch begins.
    """

    wanted: Wanted
    work: str
    place: Place
    settings: Settings
    seconds: float


@dataclass(frozen=True)
class RemovalQuestion:
    """What was taken, and is to be removed now.

    :param batch: The question by which it was taken.
    :param digests: Table to the digest of its rows.
    :param until: The moment after which it is not removed.
    """

    batch: BatchQuestion
    digests: Mapping[str, str]
    until: datetime


@dataclass(frozen=True)
class GoneQuestion:
    """Whether a batch that was taken is gone.

    :param table: A table that it has rows of.
    :param keys: Primary keys of some of them.
    :param until: The moment after which it is not removed.
    """

    table: str
    keys: tuple[Key, ...]
    until: datetime


def plan_question(body: bytes) -> PlanQuestion:
    """Read the question for a plan.

    :param body: The request's body.
    :raises InvalidInputError: naming everything that is wrong.
    """
    read = QuestionReader(body, *_WANTED, "dry_run")
    question = PlanQuestion(_wanted(read), read.flag("dry_run"))
    read.finish()
    return question


def count_question(body: bytes) -> CountQuestion:
    """Read the question for the number of rows.

    :param body: The request's body.
    :raises InvalidInputError: naming everything that is wrong.
    """
    read = QuestionReader(body, *_WANTED, "table")
    question = CountQuestion(_wanted(read), read.name("table") or "")
    read.finish()
    return question


def batch_question(body: bytes) -> BatchQuestion:
    """Read the question for a batch.

    :param body: The request's body.
    :raises InvalidInputError: naming everything that is wrong.
    """
    read = QuestionReader(body, *_WANTED, *_FURTHER)
    question = _batch(read)
    read.finish()
    return question


def removal_question(body: bytes) -> RemovalQuestion:
    """Read the question to remove what was taken.

    :param body: The request's body.
    :raises InvalidInputError: naming everything that is wrong.
    """
    read = QuestionReader(body, *_WANTED, *_FURTHER, "digests", "until")
    question = RemovalQuestion(_batch(read), read.name_of_name("digests"), _until(read))
    if not question.digests:
        read.problems.append("digests: they are missing; give those of the batch that was taken")
    read.finish()
    return question


def gone_question(body: bytes) -> GoneQuestion:
    """Read the question whether a batch is gone.

    :param body: The request's body.
    :raises InvalidInputError: naming everything that is wrong.
    """
    read = QuestionReader(body, "table", "keys", "until")
    question = GoneQuestion(read.name("table") or "", read.keys("keys"), _until(read))
    read.finish()
    return question


def _until(read: QuestionReader) -> datetime:
    until = read.moment("until")
    if until is None and not any(problem.startswith("until:") for problem in read.problems):
        read.problems.append("until: it is missing; give that of the batch that was taken")
    return until or datetime.now(timezone.utc)


_FURTHER = ("work", "after", "rows", "per_run", "batch_size", "statement_timeout", "lock_timeout", "seconds")


def _batch(read: QuestionReader) -> BatchQuestion:
    statement = read.number("statement_timeout", 0.001, 86_400) or STATEMENT_SECONDS
    lock = read.number("lock_timeout", 0.001, 86_400) or Limits().lock
    seconds = read.number("seconds", 0, 86_400)
    return BatchQuestion(
        _wanted(read),
        read.name("work") or "",
        Place(
            read.key("after"),
            read.number("rows", 1, _MOST_ROWS, whole=True),
            read.number("per_run", 0, _MOST_ROWS) or 1.0,
        ),
        Settings(
            batch_size=read.number("batch_size", 1, 2**31, whole=True),
            limits=Limits(min(statement, STATEMENT_SECONDS), min(lock, LOCK_SECONDS)),
        ),
        WORK_SECONDS if seconds is None else min(seconds, WORK_SECONDS),
    )


def table_question(body: bytes) -> str:
    """Read a question that names a table alone.

    :param body: The request's body.
    :raises InvalidInputError: naming everything that is wrong.
    """
    read = QuestionReader(body, "table")
    table = read.name("table") or ""
    read.finish()
    return table


def _wanted(read: QuestionReader) -> Wanted:
    before = read.moment("before")
    now = datetime.now(timezone.utc)
    if before is None:
        # What is no moment was told already.
        if not any(problem.startswith("before:") for problem in read.problems):
            read.problems.append("before: it is missing; give the cut-off, ISO 8601 with a time zone")
        before = now
    elif before > now:
        read.problems.append(f"before: {before.isoformat()} lies in the future; nothing is older than now")
    return Wanted(
        before,
        read.names("tables", optional=True),
        read.names("dag_ids", optional=True, longest=_LONGEST_DAG_ID),
        read.names("exclude_dag_ids", optional=True, longest=_LONGEST_DAG_ID),
    )
