"""Messages: what is sent is read back, and damage of any kind raises."""

from __future__ import annotations

import contextlib
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretosql.errors import DataError
from paretosql.sketches import wire
from paretosql.sketches.wire import DamagedMessage, Head, Message, Pair, PairRequest, SketchRequest, Survey

WORDS = st.lists(st.integers(0, 2**64 - 1), unique=True, max_size=10)
COUNTED = st.dictionaries(st.integers(0, 2**64 - 1), st.integers(1, 2**40), max_size=10)
SEEDS = st.integers(0, 2**64 - 1)


def pairs(counted) -> wire.Entries:
    keys = sorted(counted)
    return np.array(keys, np.uint64), np.array([counted[key] for key in keys], np.int64)


def same(left, right) -> bool:
    return all((a == b).all() for a, b in zip(left, right, strict=True))


@given(st.integers(0, 255), st.integers(0, 255), SEEDS, st.binary(max_size=60))
def test_messages_read_back(kind, number, run, body):
    """Kind, round, run and body survive."""
    message = Message(kind, number, run, body)
    assert Message.from_bytes(message.to_bytes()) == message
    assert len(message.to_bytes()) == 15 + len(body)


def test_damaged_messages_raise():
    """Every flipped bit, every truncation, and another version."""
    data = Message(1, 2, 3, b"body").to_bytes()
    for bit in range(8 * len(data)):
        broken = bytearray(data)
        broken[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DamagedMessage):
            Message.from_bytes(bytes(broken))
    for size in range(len(data)):
        with pytest.raises(DamagedMessage):
            Message.from_bytes(data[:size])
    other = b"\x02" + data[1:-4]
    with pytest.raises(DamagedMessage, match="version 2"):
        Message.from_bytes(other + struct.pack("<I", zlib.crc32(other)))


@given(SEEDS, st.integers(1, 2**32 - 1), st.integers(1, 2**64), WORDS)
def test_sketch_requests_read_back(seed, capacity, theta, heavy):
    """Also the threshold 2**64 and the heavy values."""
    asked = SketchRequest(seed, capacity, theta, np.array(sorted(heavy), np.uint64))
    again = SketchRequest.from_bytes(asked.to_bytes())
    assert (again.seed, again.capacity, again.theta) == (seed, capacity, theta)
    assert (again.heavy == asked.heavy).all()


@given(COUNTED, st.integers(0, 30), st.binary(min_size=16, max_size=16))
def test_surveys_read_back(heavy, distinct, registers):
    """Rows, values, registers and heavy values."""
    ranks = np.frombuffer(registers, np.uint8) % 50
    survey = Survey(sum(heavy.values()) + distinct, distinct, ranks, pairs(heavy))
    again = Survey.from_bytes(survey.to_bytes(), 4)
    assert (again.rows, again.distinct) == (survey.rows, distinct)
    assert (again.registers == ranks).all() and same(again.heavy, survey.heavy)


@given(COUNTED, st.binary(min_size=16, max_size=16))
def test_pairs_read_back(sub, registers):
    """Rows, two sets of registers and the sub-sample."""
    ranks = np.frombuffer(registers, np.uint8) % 50
    pair = Pair(7, ranks, ranks[::-1].copy(), pairs(sub))
    again = Pair.from_bytes(pair.to_bytes(), 4)
    assert again.rows == 7
    assert same((again.everything, again.once, *again.sub), (pair.everything, pair.once, *pair.sub))


def test_heads_read_back():
    """Sites covered and lost, bytes below, and the rest of the body."""
    assert wire.split_reply(Head(3, 1, 70_000).to_bytes() + b"rest") == (Head(3, 1, 70_000), b"rest")


CONTRADICTIONS = {
    "more values than rows": lambda: Survey.from_bytes(Survey(1, 2, np.zeros(16, np.uint8), pairs({})).to_bytes(), 4),
    "more heavy rows than rows": lambda: Survey.from_bytes(
        Survey(1, 1, np.zeros(16, np.uint8), pairs({5: 2})).to_bytes(), 4
    ),
    "impossible ranks": lambda: Survey.from_bytes(Survey(1, 1, np.full(16, 62, np.uint8), pairs({})).to_bytes(), 4),
    "bytes behind": lambda: Survey.from_bytes(Survey(1, 1, np.zeros(16, np.uint8), pairs({})).to_bytes() + b"x", 4),
    "hashes that do not ascend": lambda: SketchRequest.from_bytes(wire.numbers(0, 10, 5, 2) + wire.numbers(5, 0)),
    "no capacity": lambda: SketchRequest.from_bytes(wire.numbers(0, 0, 5, 0)),
    "too many bits": lambda: PairRequest.from_bytes(wire.numbers(0, 60, 0)),
}


@pytest.mark.parametrize("what", CONTRADICTIONS)
def test_bodies_that_contradict_themselves_raise(what):
    """A body with a fitting checksum is not believed either."""
    with pytest.raises(DataError):
        CONTRADICTIONS[what]()


READERS = [
    SketchRequest.from_bytes,
    wire.SurveyRequest.from_bytes,
    PairRequest.from_bytes,
    lambda body: Survey.from_bytes(body, 4),
    lambda body: Pair.from_bytes(body, 4),
    wire.split_reply,
]


@given(st.binary(max_size=80), st.sampled_from(READERS))
def test_random_bodies_never_break_a_reader(body, read):
    """Whatever a body holds, reading succeeds or raises DataError."""
    with contextlib.suppress(DataError):
        read(body)
