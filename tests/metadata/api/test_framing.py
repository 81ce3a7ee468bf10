"""The form in which rows travel: whatever is cut, added or changed on the way is noticed."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwaa_provider.metadata.api.framing import LARGEST_FRAME, CutError, Deframer, Framer, Sum, failure, unpacked


def framed(csv: list[bytes]) -> bytes:
    framer = Framer()
    sent = b"".join([framer.add(piece) for piece in csv])
    return sent + framer.end(len(csv), "2026-01-01T00:00:00.000000Z", None)


def received(pieces: list[bytes]) -> tuple[bytes, Sum]:
    frames = Deframer()
    compressed = [one for piece in pieces for one in frames.add(piece)]
    frames.finish()
    assert frames.said is not None
    return b"".join(unpacked(iter(compressed), frames.said)), frames.said


def cut_at(whole: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({min(place, len(whole)) for place in places} | {0, len(whole)})
    return [whole[start:end] for start, end in itertools.pairwise(ends)]


@given(st.lists(st.binary(max_size=300), max_size=20), st.lists(st.integers(0, 3000), max_size=10))
def test_rows_arrive_as_they_were_sent_however_they_are_cut_up(csv, places):
    arrived, said = received(cut_at(framed(csv), places))
    assert arrived == b"".join(csv)
    assert (said.rows, said.first_age, said.last_age) == (len(csv), "2026-01-01T00:00:00.000000Z", None)
    assert said.csv_bytes == len(arrived)


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=10), st.data())
def test_an_answer_that_is_cut_is_noticed_wherever_it_is_cut(csv, data):
    whole = framed(csv)
    length = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(CutError):
        received([whole[:length]])


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=10), st.data())
def test_an_answer_that_is_changed_is_noticed(csv, data):
    whole = bytearray(framed(csv))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= 1 << data.draw(st.integers(0, 7))
    before = b"".join(csv)
    try:
        arrived, said = received([bytes(whole)])
    except (CutError, AssertionError):
        return
    # What is left is a digit of the sum that nothing else depends on: of the rows' number or of an age.
    assert arrived == before
    assert said.csv_bytes == len(before)


def test_nothing_may_follow_the_end():
    with pytest.raises(CutError, match="not in the form"):
        received([framed([b"a\n"]), framed([b"b\n"])])


def test_a_page_of_a_load_balancer_is_no_answer():
    with pytest.raises(CutError, match="not in the form"):
        received([b"<html><head><title>502 Bad Gateway</title></head></html>"])


def test_rows_that_do_not_compress_are_cut_into_frames_of_a_bounded_size():
    import random

    noise = random.Random(1).randbytes(LARGEST_FRAME + 1000)
    arrived, said = received([framed([noise])])
    assert arrived == noise
    assert said.bytes >= len(noise)


def test_rows_that_compress_a_thousandfold_are_given_on_in_pieces_of_a_bounded_size():
    csv = b"0" * (5 * LARGEST_FRAME)
    frames = Deframer()
    compressed = list(frames.add(framed([csv])))
    assert frames.said is not None
    pieces = [len(piece) for piece in unpacked(iter(compressed), frames.said)]
    assert sum(pieces) == len(csv)
    assert max(pieces) <= LARGEST_FRAME


def test_a_failure_stands_in_the_place_of_the_end():
    frames = Deframer()
    framer = Framer()
    list(frames.add(framer.add(b"a\n") + failure("too_large", "The range took too long.")))
    frames.finish()
    assert frames.said is None
    assert frames.failure == {"code": "too_large", "detail": "The range took too long."}
