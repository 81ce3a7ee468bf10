"""The other side of the metadata API: asks an environment's web server over the web session, again where that helps.

A web server that restarts, a session that ends, an answer that is cut: each costs the one range that was under way. What came of a range
is kept, compressed, until its end has been seen and its sum is right; only then are its rows given on.
"""

from __future__ import annotations

import json
import logging
import random
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any, TypeVar

from mwaa_provider.client.clock import Clock, SystemClock
from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.client.retry import UNKNOWN_OUTCOME, is_passing
from mwaa_provider.client.streaming import StreamedAnswer
from mwaa_provider.exceptions import (
    ConnectionFailedError,
    InvalidInputError,
    LoginFailedError,
    MetadataApiError,
    MetadataApiOffError,
    MwaaError,
    NotFoundError,
    RestApiServerError,
    ThrottledError,
    UnexpectedAnswerError,
    UnknownOutcomeError,
)
from mwaa_provider.metadata.api.framing import MEDIA_TYPE, CutError, Deframer, Sum, unpacked
from mwaa_provider.metadata.api.plans import Plan, PlannedTable, Range
from mwaa_provider.metadata.export.source import Asked

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

_PATH = "/mwaa_provider/metadata/v1"
_PROTOCOL = 1
#: Seconds that one question may take, with all its repetitions: long enough for MWAA to replace a web server.
PATIENCE = 900.0
_FIRST_PATIENCE = 60.0
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 20.0
#: Bytes of a compressed range that stay in memory; what is larger waits in a temporary file.
_IN_MEMORY = 8 * 1024 * 1024
_READ_BYTES = 256 * 1024

HOW_TO_SWITCH_IT_ON = (
    "Its metadata API is off, or this package is not installed there. Install it (requirements.txt or plugins.zip) and set the Airflow "
    "configuration option mwaa_provider.metadata_api to True: see docs/metadata-api.md."
)


@dataclass
class Part:
    """What came of a range, whole and checked.

    :param said: Its sum.
    """

    said: Sum
    _compressed: IO[bytes]

    def chunks(self) -> Iterator[bytes]:
        """Give its CSV, once, and forget it."""
        with self._compressed as file:
            file.seek(0)
            yield from unpacked(iter(lambda: file.read(_READ_BYTES), b""), self.said)

    def close(self) -> None:
        """Forget it."""
        self._compressed.close()


class TooLargeError(Exception):
    """The web server could not read a range in its time."""


class ChangedBatchError(Exception):
    """What is to be removed is not as it was taken."""


class MetadataApi:
    """An environment's metadata API.

    :param client: The client.
    :param environment_name: The environment's name.
    :param patience: Seconds that one question may take, with all its repetitions (default 900).
    :param clock: The clock to pause by.
    :param jitter: Gives a number between 0 and its argument (default: an evenly random one).
    """

    def __init__(
        self,
        client: MwaaClient,
        environment_name: str,
        *,
        patience: float = PATIENCE,
        clock: Clock | None = None,
        jitter: Callable[[float], float] | None = None,
    ) -> None:
        self._client = client
        self.environment_name = environment_name
        self._patience = patience
        self._clock = clock or SystemClock()
        self._jitter = jitter or (lambda most: random.uniform(0, most))  # noqa: S311 - not for cryptography
        self._has_answered = False
        self._is_stopped = False
        #: How often the web server said that it had enough to do.
        self.times_busy = 0
        #: How often something was asked again that may have been done.
        self.times_in_doubt = 0

    def facts(self) -> dict[str, Any]:
        """Ask what the web server serves: ``airflow_version``, ``schema_revision``, ``tables`` and the like.

        :raises MetadataApiOffError: if it has no metadata API.
        :raises MwaaError: if it does not answer, or does not admit the caller.
        """
        return self._asked("GET", "", None, _object)

    def plan(self, asked: Asked) -> Plan:
        """Ask how the rows are to be read.

        :param asked: Which rows are wanted.
        :raises MetadataApiOffError: if the web server has no metadata API.
        :raises InvalidInputError: if there are no such tables or columns, or they are never served.
        """
        question = {
            "tables": None if asked.tables is None else list(asked.tables),
            "since": None if asked.since is None else asked.since.isoformat(),
            "until": None if asked.until is None else asked.until.isoformat(),
            "age_columns": dict(asked.age_columns),
        }
        return Plan.of(self._asked("POST", "/plan", question, _object))

    def ask(self, path: str, question: dict[str, Any]) -> dict[str, Any]:
        """Ask something whose answer is short, and that may be asked twice.

        :param path: What is asked, behind the metadata API's address.
        :param question: The question.
        :raises TooLargeError: if it took the web server too long.
        :raises ChangedBatchError: if a batch is not as it was taken.
        """
        return self._asked("POST", path, question, _object)

    def cuts(self, table: PlannedTable, part: Range, revision: str) -> list[Range]:
        """Ask how to cut a range that is too large.

        :param table: The table.
        :param part: The range.
        :param revision: The revision of the database that was planned for.
        """
        told = self._asked("POST", "/cuts", table.question(part, revision), _object)
        return [Range.of(one) for one in told["ranges"]]

    def rows(self, table: PlannedTable, part: Range, revision: str) -> Part:
        """Ask for the rows of a range, until they have come whole.

        :param table: The table.
        :param part: The range.
        :param revision: The revision of the database that was planned for.
        :raises TooLargeError: if the web server could not read it in its time.
        """
        return self._asked("POST", "/rows", table.question(part, revision), self._received)

    def _asked(
        self, method: str, path: str, question: dict[str, Any] | None, take: Callable[[StreamedAnswer], Answer]
    ) -> Answer:
        # One that has never answered may not be there at all.
        patience = self._patience if self._has_answered else min(self._patience, _FIRST_PATIENCE)
        until = self._clock.monotonic() + patience
        attempts = 0
        while True:
            try:
                with self._client.open_stream(self.environment_name, method, _PATH + path, body=question) as answer:
                    self._check(answer)
                    taken = take(answer)
                self._has_answered = True
                return taken
            except MwaaError as error:
                if self._is_stopped or not self._may_pass(error):
                    raise
                if isinstance(error, ThrottledError):
                    self.times_busy += 1
                    pause = float(error.facts.get("retry_after") or 1) * (0.5 + self._jitter(1.0))
                else:
                    attempts += 1
                    self.times_in_doubt += isinstance(error, UNKNOWN_OUTCOME)
                    longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2.0 ** min(attempts, 10))
                    pause = max(self._jitter(longest), float(error.facts.get("retry_after") or 0))
                    log.warning("The metadata API is asked again in %.1f s: %s", pause, error)
                if self._clock.monotonic() + pause > until:
                    raise
            self._clock.sleep(pause)

    def stop(self) -> None:
        """Ask for nothing again from now on."""
        self._is_stopped = True

    def _may_pass(self, error: MwaaError) -> bool:
        if isinstance(error, (ConnectionFailedError, LoginFailedError)):
            # Where it has answered before, it is being replaced or restarted.
            return self._has_answered or bool(error.facts.get("may_pass"))
        return is_passing(error)

    def _check(self, answer: StreamedAnswer) -> None:
        """Raise what an answer that is none says."""
        body = answer.body if isinstance(answer.body, dict) else {}
        code, detail = str(body.get("code", "")), str(body.get("detail", ""))
        if answer.status == 200:
            if answer.media_type in (MEDIA_TYPE, "application/json"):
                return
            raise self._is_off(answer.status)  # Airflow gives its own page for a path that it does not know
        if code == "too_large":
            raise TooLargeError(detail)
        if code == "changed_batch":
            raise ChangedBatchError(detail)
        if isinstance(body.get("problems"), list) and body["problems"]:
            raise InvalidInputError([str(problem) for problem in body["problems"]])
        if answer.status == 422 or code in ("secret", "no_table"):
            raise InvalidInputError(
                [f"metadata API of {self.environment_name!r}: {detail.removeprefix('Invalid input: ')}"]
            )
        error = answer.error
        if (not code and isinstance(error, (NotFoundError, UnexpectedAnswerError))) or answer.status == 405:
            raise self._is_off(answer.status)
        if code == "changed":
            raise MetadataApiError(
                f"The metadata database of environment {self.environment_name!r} was changed in the middle of the export: {detail} "
                "Most likely the environment was updated. Export again.",
                environment_name=self.environment_name,
            )
        raise error if error is not None else UnexpectedAnswerError(f"HTTP {answer.status}", status=answer.status)

    def _is_off(self, status: int) -> MetadataApiOffError:
        return MetadataApiOffError(
            f"The web server of environment {self.environment_name!r} has nothing at {_PATH} (HTTP {status}). {HOW_TO_SWITCH_IT_ON}",
            environment_name=self.environment_name,
        )

    def _received(self, answer: StreamedAnswer) -> Part:
        frames = Deframer()
        kept: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - given on, closed by Part
        try:
            for piece in answer.pieces():
                for compressed in frames.add(piece):
                    kept.write(compressed)
            frames.finish()
            if frames.failure is not None:
                raise self._failed(frames.failure)
            assert frames.said is not None  # noqa: S101 - finish() has seen to it
        except CutError as error:
            kept.close()
            raise UnknownOutcomeError(
                f"An answer of the metadata API of environment {self.environment_name!r} did not come whole: {error}.",
                environment_name=self.environment_name,
                method="POST",
                path=f"{_PATH}/rows",
            ) from error
        except BaseException:
            kept.close()
            raise
        return Part(frames.said, kept)

    def _failed(self, failure: dict[str, Any]) -> Exception:
        if failure["code"] in ("too_large", "too_slow"):
            return TooLargeError(failure["detail"])
        return RestApiServerError(
            f"The metadata API of environment {self.environment_name!r} could not read on: {failure['detail']}",
            environment_name=self.environment_name,
            method="POST",
            path=f"{_PATH}/rows",
            status=500,
            detail=failure["detail"],
        )


def _object(answer: StreamedAnswer) -> dict[str, Any]:
    try:
        told = json.loads(answer.read())
    except ValueError as error:
        raise UnknownOutcomeError("An answer of the metadata API did not come whole.") from error
    if not isinstance(told, dict) or told.get("protocol", _PROTOCOL) != _PROTOCOL:
        raise MetadataApiError(
            "The metadata API over there speaks another language than this release of airflow-provider-mwaa: install the same release "
            "on both sides."
        )
    return told
