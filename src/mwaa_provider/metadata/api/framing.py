"""The form in which the rows of a range travel: frames, with a sum at the end.

A frame is one letter, a length of four bytes, and that many bytes:

``D``
    a piece of the rows, CSV compressed with gzip; all pieces together are one gzip stream
``E``
    the end: JSON with the number of rows, the first and last age, and the number and sha256 of the bytes in ``D``
``X``
    the reading failed: JSON with what went wrong, instead of ``E``

Nothing follows ``E`` or ``X``. An answer that ends without them was cut, whatever a proxy on the way made of it.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from mwaa_provider.metadata import gzipping

MEDIA_TYPE = "application/vnd.mwaa-provider.rows"

_HEAD = struct.Struct(">cI")
#: Bytes in one frame at most; one that says more is none of ours.
LARGEST_FRAME = 4 * 1024 * 1024
#: Bytes in a ``D`` frame, about: large enough that the web server's layers cost little, small enough that it waits for no row.
_PIECE = 256 * 1024


class CutError(Exception):
    """The answer does not hold what its end says, or has no end."""


@dataclass(frozen=True)
class Sum:
    """What a range held.

    :param rows: Its rows.
    :param first_age: The smallest value of the age column, ISO 8601, UTC; ``None`` without one.
    :param last_age: The largest.
    :param csv_bytes: The bytes of its CSV.
    :param bytes: The bytes that travelled.
    :param sha256: Of the bytes that travelled.
    """

    rows: int
    first_age: str | None
    last_age: str | None
    csv_bytes: int
    bytes: int
    sha256: str


class Framer:
    """Makes frames of CSV."""

    def __init__(self) -> None:
        self._gzip = gzipping.compressor()
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._digest = hashlib.sha256()
        self._bytes = 0
        self.csv_bytes = 0
        """The bytes of CSV so far."""

    def add(self, csv: bytes) -> bytes:
        """Take rows, and give the frames that are full; often none.

        :param csv: A piece of CSV.
        """
        self.csv_bytes += len(csv)
        return self._framed(self._gzip.compress(csv), least=_PIECE)

    def end(self, rows: int, first_age: str | None, last_age: str | None) -> bytes:
        """Give the last frames.

        :param rows: How many rows there were.
        :param first_age: The smallest value of the age column.
        :param last_age: The largest.
        """
        rest = self._framed(self._gzip.flush(), least=1)
        said = Sum(rows, first_age, last_age, self.csv_bytes, self._bytes, self._digest.hexdigest())
        return rest + _frame(b"E", json.dumps(asdict(said)).encode())

    def _framed(self, piece: bytes, *, least: int) -> bytes:
        self._waiting.append(piece)
        self._waiting_bytes += len(piece)
        if self._waiting_bytes < least:
            return b""
        whole = b"".join(self._waiting)
        self._waiting, self._waiting_bytes = [], 0
        self._digest.update(whole)
        self._bytes += len(whole)
        return b"".join(
            _frame(b"D", whole[start : start + LARGEST_FRAME]) for start in range(0, len(whole), LARGEST_FRAME)
        )


def failure(code: str, detail: str) -> bytes:
    """Give the frame that says that the reading failed.

    :param code: What went wrong, in one word.
    :param detail: The same in a sentence.
    """
    return _frame(b"X", json.dumps({"code": code, "detail": detail}).encode())


def _frame(letter: bytes, payload: bytes) -> bytes:
    return _HEAD.pack(letter, len(payload)) + payload


class Deframer:
    """Reads frames, however they were cut up on the way, and holds them to their sum."""

    def __init__(self) -> None:
        self._rest = b""
        self._digest = hashlib.sha256()
        self._bytes = 0
        self.said: Sum | None = None
        """The sum, once it has come."""
        self.failure: dict[str, Any] | None = None
        """What the other side said went wrong, if it did."""

    def add(self, piece: bytes) -> Iterator[bytes]:
        """Take bytes of the answer, and give those of the rows that are in them, still compressed.

        :param piece: The next bytes.
        :raises CutError: if they are no frames, or do not match their sum.
        """
        self._rest += piece
        start = 0
        while len(self._rest) - start >= _HEAD.size:
            letter, length = _HEAD.unpack_from(self._rest, start)
            if letter not in b"DEX" or length > LARGEST_FRAME or self.is_over:
                raise CutError("the answer is not in the form of the metadata API")
            end = start + _HEAD.size + length
            if len(self._rest) < end:
                break
            payload = self._rest[start + _HEAD.size : end]
            start = end
            if letter == b"D":
                self._digest.update(payload)
                self._bytes += len(payload)
                yield payload
            else:
                self._end(letter, payload)
        self._rest = self._rest[start:]

    def _end(self, letter: bytes, payload: bytes) -> None:
        try:
            told = json.loads(payload)
            if letter == b"X":
                self.failure = {"code": str(told["code"]), "detail": str(told["detail"])}
                return
            said = Sum(**told)
        except (ValueError, TypeError, KeyError) as error:
            raise CutError("the end of the answer cannot be read") from error
        if (said.bytes, said.sha256) != (self._bytes, self._digest.hexdigest()):
            raise CutError(f"{self._bytes} bytes came of {said.bytes}, or others than were sent")
        self.said = said

    @property
    def is_over(self) -> bool:
        """Whether the end has come, of either kind."""
        return self.said is not None or self.failure is not None

    def finish(self) -> None:
        """Say that no more bytes come.

        :raises CutError: if the end has not come.
        """
        if self._rest or not self.is_over:
            raise CutError(f"the answer ended in the middle, after {self._bytes} bytes of rows")


def unpacked(pieces: Iterator[bytes], said: Sum) -> Iterator[bytes]:
    """Give the CSV of a range whose frames were held to their sum.

    :param pieces: The compressed pieces, in order.
    :param said: The sum.
    :raises CutError: if it is not what was compressed.
    """
    unzip = zlib.decompressobj(gzipping.GZIP_FILE)
    csv_bytes = 0
    try:
        for piece in pieces:
            csv = unzip.decompress(piece, LARGEST_FRAME)
            while csv:
                csv_bytes += len(csv)
                yield csv
                csv = unzip.decompress(unzip.unconsumed_tail, LARGEST_FRAME) if unzip.unconsumed_tail else b""
        csv = unzip.flush()
    except zlib.error as error:
        raise CutError("the rows cannot be unpacked") from error
    if csv:
        csv_bytes += len(csv)
        yield csv
    if csv_bytes != said.csv_bytes or not unzip.eof:
        raise CutError(f"{csv_bytes} bytes of CSV came of {said.csv_bytes}")
