"""The checksum and what surrounds a stored sketch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretosql.errors import ProgrammingError
from paretosql.sketches.envelope import DamagedSketch, crc32c, seal, unseal
from tests.sketches.checksum import crc_by_bits

# Test vectors of RFC 3720, appendix B.4, and the check value of the catalogue of parametrised CRC algorithms.
VECTORS = [
    (bytes(32), 0x8A9136AA),
    (b"\xff" * 32, 0x62A8AB43),
    (bytes(range(32)), 0x46DD794E),
    (bytes(range(31, -1, -1)), 0x113FDB5C),
    (b"123456789", 0xE3069283),
    (b"", 0),
]


@pytest.mark.parametrize(("data", "expected"), VECTORS)
def test_published_checksums(data, expected):
    """The checksum is the CRC-32C of RFC 3720."""
    assert crc32c(data) == expected


@pytest.mark.parametrize("size", [1, 4, 4095, 4096, 4097, 4608, 5000, (1 << 18) - 1, (1 << 18) + 1])
def test_checksums_of_any_size(size):
    """Checking in lanes equals checking bit by bit."""
    data = np.random.default_rng(size).integers(0, 256, size, dtype=np.uint8).tobytes()
    assert crc32c(data) == crc_by_bits(data)


@given(st.binary(max_size=50))
def test_what_is_sealed_opens(payload):
    """`unseal` gives back what `seal` was given."""
    body = b"TEST\x01" + payload
    assert unseal(seal(body), b"TEST", 1) == body


PROBLEMS = [
    (b"", "do not start with TEST"),
    (b"TES", "do not start with TEST"),
    (b"ABCD\x01....", "do not start with TEST"),
    (b"TEST\x01..", "cut off"),
    (seal(b"TEST\x02"), "version 2"),
    (seal(b"TEST\x01")[:-1] + b"!", "checksum"),
]


@pytest.mark.parametrize(("data", "problem"), PROBLEMS)
def test_problems_are_told_apart(data, problem):
    """Foreign bytes, cut ones, other versions and damage raise DamagedSketch that says which."""
    with pytest.raises(DamagedSketch, match=problem):
        unseal(data, b"TEST", 1)


def test_text_is_no_sketch():
    """A stored sketch is bytes."""
    with pytest.raises(ProgrammingError, match="bytes, not str"):
        unseal("TEST", b"TEST", 1)  # type: ignore[arg-type]
