"""gzip by zlib and by ISA-L: whichever is there is taken, and its files are read by everybody."""

from __future__ import annotations

import gzip
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwaa_provider.metadata import gzipping
from mwaa_provider.metadata.api.framing import Deframer, Framer, unpacked
from mwaa_provider.metadata.export.formats import _Gzip


@pytest.fixture(params=["isal", "zlib"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "zlib":
        monkeypatch.setitem(sys.modules, "isal", None)
    return str(request.param)


def test_the_fast_one_is_taken_where_it_is_installed(library: str) -> None:
    assert type(gzipping.compressor()).__module__.startswith("isal" if library == "isal" else "zlib")


@given(pieces=st.lists(st.binary(max_size=3000).flatmap(lambda one: st.integers(1, 40).map(lambda n: one * n))))
@pytest.mark.parametrize("without_isal", [False, True])
def test_every_gzip_reads_it(pieces: list[bytes], without_isal: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if without_isal:
            patch.setitem(sys.modules, "isal", None)
        written = bytearray()
        sink = type("Sink", (), {"write": staticmethod(written.extend)})
        file = _Gzip(sink)
        for piece in pieces:
            file.write(piece)
        file.close()
    assert gzip.decompress(bytes(written)) == b"".join(pieces)


def test_an_answer_of_the_metadata_api_is_read_whichever_made_it(library: str) -> None:
    rows = b"1,two,three\n" * 200_000
    framer, frames = Framer(), Deframer()
    answer = framer.add(rows[:1_000_001]) + framer.add(rows[1_000_001:]) + framer.end(200_000, None, None)
    pieces = list(frames.add(answer))
    frames.finish()
    assert frames.said is not None
    assert b"".join(unpacked(iter(pieces), frames.said)) == rows
