"""The FastAPI application of the metadata API. Airflow 3 alone loads it, at the first request (see ``mounting``)."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.metadata.api import cleanup_questions, framing, guard, questions
from mwaa_provider.metadata.api.cleaning import WebServerCleaner, told_of
from mwaa_provider.metadata.api.reading import AnswerError, Reader
from mwaa_provider.metadata.api.work import (
    ANSWER_SECONDS,
    COME_AGAIN_SECONDS,
    BusyError,
    Pipe,
    Place,
    Places,
    in_thread,
)

log = logging.getLogger(__name__)

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


#: Answers a question, and says whether there is something to log, and what.
_Ask = Callable[[], dict[str, Any]]
_Tell = Callable[[dict[str, Any]], str]


def create_app(
    reader: Reader | None = None,
    places: Places | None = None,
    answer_seconds: float = ANSWER_SECONDS,
    cleaner: WebServerCleaner | None = None,
) -> FastAPI:
    """Make the application.

    :param reader: Reads the database (default: that of this Airflow).
    :param places: How much is done at a time (default: two requests of this process).
    :param answer_seconds: After so many seconds an answer is cut, however slowly it is taken.
    :param cleaner: Removes old rows (default: none does, and there are no such endpoints).
    """
    api = _MetadataApi(reader or Reader(), places or Places(), answer_seconds, is_cleaning=cleaner is not None)
    # No pages about itself: they would be there for everybody.
    app = FastAPI(title="MWAA metadata API", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_api_route("/metadata/v1", api.facts, methods=["GET"])
    app.add_api_route("/metadata/v1/plan", api.plan, methods=["POST"])
    app.add_api_route("/metadata/v1/cuts", api.cuts, methods=["POST"])
    app.add_api_route("/metadata/v1/rows", api.rows, methods=["POST"])
    if cleaner is not None:
        for path, ask in _cleanup_questions(cleaner).items():
            app.add_api_route(f"/metadata/v1/cleanup/{path}", api.cleanup(ask), methods=["POST"])
    app.add_exception_handler(Exception, _unforeseen)
    return app


def _cleanup_questions(cleaner: WebServerCleaner) -> dict[str, Callable[[bytes], tuple[_Ask, _Tell]]]:
    """Give for each endpoint of a clean-up what reads its question."""

    def silent(answer: dict[str, Any]) -> str:
        return ""

    def plan(body: bytes) -> tuple[_Ask, _Tell]:
        question = cleanup_questions.plan_question(body)
        return lambda: cleaner.plan(question), silent

    def count(body: bytes) -> tuple[_Ask, _Tell]:
        question = cleanup_questions.count_question(body)
        return lambda: cleaner.count(question), silent

    def batch(body: bytes) -> tuple[_Ask, _Tell]:
        question = cleanup_questions.batch_question(body)
        return lambda: cleaner.batch(question), lambda answer: told_of(question.wanted, answer)

    def take(body: bytes) -> tuple[_Ask, _Tell]:
        question = cleanup_questions.batch_question(body)
        return lambda: cleaner.take(question), silent

    def remove(body: bytes) -> tuple[_Ask, _Tell]:
        question = cleanup_questions.removal_question(body)
        return lambda: cleaner.remove(question), lambda answer: told_of(question.batch.wanted, answer)

    def gone(body: bytes) -> tuple[_Ask, _Tell]:
        question = cleanup_questions.gone_question(body)
        return lambda: cleaner.gone(question), silent

    def analyze(body: bytes) -> tuple[_Ask, _Tell]:
        table = cleanup_questions.table_question(body)
        return lambda: cleaner.analyze(table), silent

    def drop(body: bytes) -> tuple[_Ask, _Tell]:
        table = cleanup_questions.table_question(body)
        return lambda: cleaner.drop(table), lambda answer: f"the archive table {table}" if answer["dropped"] else ""

    archiving = {"take": take, "remove": remove, "gone": gone}
    return {"plan": plan, "count": count, "batch": batch, **archiving, "analyze": analyze, "drop": drop}


class _MetadataApi:
    """Its endpoints: each lets nobody in but administrators, takes a place, and reads the question before anything else."""

    def __init__(self, reader: Reader, places: Places, answer_seconds: float, *, is_cleaning: bool) -> None:
        self._reader = reader
        self._places = places
        self._answer_seconds = answer_seconds
        self._is_cleaning = is_cleaning

    async def facts(self, request: Request) -> Response:
        return await self._answered(request, lambda _: lambda: {**self._reader.facts(), "cleanup": self._is_cleaning})

    async def plan(self, request: Request) -> Response:
        def read(body: bytes) -> Callable[[], dict[str, Any]]:
            question = questions.plan_question(body)
            return lambda: self._reader.plan(question)

        return await self._answered(request, read)

    async def cuts(self, request: Request) -> Response:
        def read(body: bytes) -> Callable[[], dict[str, Any]]:
            question = questions.range_question(body)
            return lambda: self._reader.cuts(question)

        return await self._answered(request, read)

    def cleanup(self, read: Callable[[bytes], tuple[_Ask, _Tell]]) -> Callable[[Request], Awaitable[Response]]:
        async def answered(request: Request) -> Response:
            return await self._cleaned(request, read)

        return answered

    async def _cleaned(self, request: Request, read: Callable[[bytes], tuple[_Ask, _Tell]]) -> Response:
        try:
            who = await guard.administrator(request.scope["headers"])
            ask, tell = read(await _body(request))

            def told() -> dict[str, Any]:
                answer = ask()
                # Whoever asked may have gone: what was removed is said all the same.
                if removed := tell(answer):
                    log.info("The metadata API removed for %s: %s", who, removed)
                return answer

            answer = await in_thread(self._places.take(), told)
        except _FORESEEN as error:
            return _refusal(error)
        return JSONResponse(answer, headers=_HEADERS)

    async def rows(self, request: Request) -> Response:
        try:
            who = await guard.administrator(request.scope["headers"])
            question = questions.range_question(await _body(request))
            place = self._places.take(holders=2)
        except _FORESEEN as error:
            return _refusal(error)
        pipe = Pipe()
        began = time.monotonic()
        reading = asyncio.ensure_future(in_thread(place, lambda: self._reader.rows(question, pipe)))
        reading.add_done_callback(lambda done: _told(done, who, question.table, began))
        try:
            await pipe.begun()
        except BaseException as error:
            pipe.abandon()
            place.let_go()
            if isinstance(error, _FORESEEN):
                return _refusal(error)
            raise
        return _RowsResponse(pipe, place, self._answer_seconds)

    async def _answered(self, request: Request, read: Callable[[bytes], Callable[[], dict[str, Any]]]) -> Response:
        try:
            await guard.administrator(request.scope["headers"])
            ask = read(await _body(request))
            answer = await in_thread(self._places.take(), ask)
        except _FORESEEN as error:
            return _refusal(error)
        return JSONResponse(answer, headers=_HEADERS)


class _RowsResponse(StreamingResponse):
    """Hands on what the thread reads, until it is all there, whoever asked has gone, or time is up."""

    def __init__(self, pipe: Pipe, place: Place, seconds: float) -> None:
        super().__init__(pipe.pieces(), media_type=framing.MEDIA_TYPE, headers=_HEADERS)
        self._pipe = pipe
        self._place = place
        self._seconds = seconds

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            with anyio.fail_after(self._seconds):
                await super().__call__(scope, receive, send)
        finally:
            self._pipe.abandon()
            self._place.let_go()


async def _body(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > questions.LONGEST_QUESTION:
            raise AnswerError(413, "too_long", f"A question has at most {questions.LONGEST_QUESTION} bytes.")
    return body


_FORESEEN = (guard.RefusedError, BusyError, InvalidInputError, AnswerError)


def _refusal(error: BaseException) -> Response:
    headers = dict(_HEADERS)
    told: dict[str, Any]
    if isinstance(error, guard.RefusedError):
        status, told = error.status, {"code": "refused", "detail": error.detail}
        if status == 401:
            headers["WWW-Authenticate"] = "Bearer"
    elif isinstance(error, BusyError):
        status, told = (
            429,
            {"code": "busy", "detail": "Both places of this web server's process are taken. Come again."},
        )
        headers["Retry-After"] = str(COME_AGAIN_SECONDS)
    elif isinstance(error, AnswerError):
        status, told = error.status, {"code": error.code, "detail": error.detail}
        if status == 503:
            headers["Retry-After"] = str(COME_AGAIN_SECONDS)
    else:
        status, told = 422, {"code": "invalid", "detail": getattr(error, "message", "invalid")}
        told["problems"] = list(getattr(error, "facts", {}).get("problems", ()))
    return JSONResponse(told, status_code=status, headers=headers)


async def _unforeseen(request: Request, error: Exception) -> Response:
    """Say nothing of what went wrong: an error of the database may quote values."""
    log.error("The metadata API failed (%s)", type(error).__name__)
    return JSONResponse(
        {"code": "failed", "detail": "The metadata API failed; see the web server's log."}, status_code=500
    )


def _told(done: asyncio.Future[Any], who: str, table: str, began: float) -> None:
    if done.cancelled() or done.exception() is not None:
        return
    if done.result() is None:
        return
    rows, size = done.result()
    log.info(
        "The metadata API gave %s %d rows of %s (%.1f MiB in %.1f s)",
        who,
        rows,
        table,
        size / 2**20,
        time.monotonic() - began,
    )
