"""Varints: arrays of numbers to bytes and back, and no other bytes are accepted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretosql.sketches import varint

NUMBERS = st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 300), max_size=40)


def leb128(values: list[int]) -> bytes:
    """The encoding, number by number."""
    data = bytearray()
    for value in values:
        groups = [value >> shift & 127 for shift in range(0, max(1, value.bit_length()), 7)]
        data += bytes([group | 128 for group in groups[:-1]] + groups[-1:])
    return bytes(data)


@given(NUMBERS, st.binary(max_size=5))
def test_numbers_read_back(values, rest):
    """Encoding equals LEB128 number by number, and decoding gives the numbers and the bytes used, whatever follows."""
    data = varint.encode(np.array(values, np.uint64))
    assert data == leb128(values)
    found, used = varint.decode(np.frombuffer(data + rest, np.uint8), len(values))
    assert (found.tolist(), used) == (values, len(data))


@given(st.binary(max_size=30), st.integers(0, 40))
def test_any_bytes_are_read_strictly(data, count):
    """Bytes either hold that many numbers in their shortest form, or raise ValueError."""
    try:
        found, used = varint.decode(np.frombuffer(data, np.uint8), count)
    except ValueError:
        return
    assert leb128(found.tolist()) == data[:used]


BAD = [
    ("80", "too early"),
    ("8000", "needless"),
    ("ff" * 9 + "02", "64 bits"),
    ("ff" * 10 + "01", "64 bits"),
    ("", "too early"),
]


@pytest.mark.parametrize(("data", "problem"), BAD)
def test_bad_numbers_are_named(data, problem):
    """A number that is cut off, too large or padded raises ValueError that says so."""
    with pytest.raises(ValueError, match=problem):
        varint.decode(np.frombuffer(bytes.fromhex(data), np.uint8), 1)


def test_a_forged_count_allocates_nothing():
    """A count beyond the bytes there are fails before memory is taken."""
    with pytest.raises(ValueError, match="too early"):
        varint.decode(np.zeros(10, np.uint8), 2**62)
