"""The FastAPI application of the metadata API. Airflow 3 alone loads it, at the first request (see ``mounting``)."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import anyio
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.metadata.api import framing, guard, questions
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


def create_app(
    reader: Reader | None = None, places: Places | None = None, answer_seconds: float = ANSWER_SECONDS
) -> FastAPI:
    """Make the application.

    :param reader: Reads the database (default: that of this Airflow).
    :param places: How much is done at a time (default: two requests of this process).
    :param answer_seconds: After so many seconds an answer is cut, however slowly it is taken.
    """
    api = _MetadataApi(reader or Reader(), places or Places(), answer_seconds)
    # No pages about itself: they would be there for everybody.
    app = FastAPI(title="MWAA metadata API", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_api_route("/metadata/v1", api.facts, methods=["GET"])
    app.add_api_route("/metadata/v1/plan", api.plan, methods=["POST"])
    app.add_api_route("/metadata/v1/cuts", api.cuts, methods=["POST"])
    app.add_api_route("/metadata/v1/rows", api.rows, methods=["POST"])
    app.add_exception_handler(Exception, _unforeseen)
    return app


class _MetadataApi:
    """Its endpoints: each lets nobody in but administrators, takes a place, and reads the question before anything else."""

    def __init__(self, reader: Reader, places: Places, answer_seconds: float) -> None:
        self._reader = reader
        self._places = places
        self._answer_seconds = answer_seconds

    async def facts(self, request: Request) -> Response:
        return await self._answered(request, lambda _: self._reader.facts)

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
