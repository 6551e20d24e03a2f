"""HyperLogLog: registers are what the paper says, and the estimate has the error it states."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretosql.errors import DataError, ProgrammingError
from paretosql.sketches.envelope import DamagedSketch
from paretosql.sketches.hll import HyperLogLog, cardinality, ranks

WORDS = st.lists(st.integers(0, 2**64 - 1), max_size=50)
ROWS = st.lists(st.none() | st.integers(-50, 50), max_size=80)


def by_definition(words, bits) -> list[int]:
    """The registers, bit string by bit string."""
    registers = [0] * (1 << bits)
    for word in words:
        text = f"{word:064b}"
        rank = min((text[bits:] + "1").index("1") + 1, 54)
        at = int(text[:bits], 2)
        registers[at] = max(registers[at], rank)
    return registers


@given(WORDS, st.integers(4, 12))
def test_registers_follow_the_definition(words, bits):
    """The first bits choose the register, the place of the first one among the others is its value."""
    sketch = HyperLogLog(bits).add(np.array(words, np.uint64))
    assert sketch.registers.tolist() == by_definition(words, bits)


def test_rare_ranks():
    """Hashes that are zero behind the first bits have the largest rank, which is cut to 54."""
    assert ranks(np.array([0, 1 << 63, 1 << 11, 1 << 10], np.uint64), 4).tolist() == [54, 1, 53, 54]
    assert ranks(np.array([0], np.uint64), 16).tolist() == [49]


@given(ROWS, ROWS, ROWS)
def test_merging_is_union(a, b, c):
    """In any order and however often: the same registers as one sketch of all rows."""
    first, second, third = (HyperLogLog(6).update(pa.array(rows, pa.int64())) for rows in (a, b, c))
    whole = HyperLogLog(6).update(pa.array(a + b + c, pa.int64()))
    assert third.merge(second.merge(first)).merge(first).to_bytes() == whole.to_bytes()


@pytest.mark.parametrize("distinct", [100, 3_000, 40_000])
def test_the_error_is_that_of_the_paper(distinct):
    """Over 60 seeds the estimate is unbiased and scatters by 1.04 / sqrt(m), less where counting is linear."""
    bits = 10
    words = [HyperLogLog(bits, seed).update(np.arange(distinct)).distinct() / distinct - 1 for seed in range(60)]
    expected = 1.04 / math.sqrt(1 << bits)
    errors = np.array(words) / expected
    assert abs(errors.mean()) < 5 / math.sqrt(len(errors))
    assert errors.std() < 1.5


def test_the_estimator_is_the_published_one():
    """alpha m^2 over the sum of 2^-register, and m ln(m / empty) below 2.5 m."""
    registers = np.full(64, 5, np.uint8)
    assert cardinality(registers) == pytest.approx(0.709 * 64 * 64 / (64 * 2**-5))
    registers[:32] = 0
    assert cardinality(registers) == pytest.approx(64 * math.log(2))
    assert cardinality(np.zeros(16, np.uint8)) == 0


@given(ROWS, st.integers(4, 10), st.integers(0, 2**64 - 1))
def test_bytes_read_back(rows, bits, seed):
    """A stored sketch reads back with its registers, bits and seed."""
    sketch = HyperLogLog(bits, seed).update(pa.array(rows, pa.int64()))
    again = HyperLogLog.from_bytes(sketch.to_bytes())
    assert (again.bits, again.seed, again.to_bytes()) == (bits, seed, sketch.to_bytes())


def test_damage_raises():
    """Every truncation and every flipped bit is noticed."""
    data = HyperLogLog(4).update(np.arange(10)).to_bytes()
    for size in range(len(data)):
        with pytest.raises(DamagedSketch):
            HyperLogLog.from_bytes(data[:size])
    for bit in range(8 * len(data)):
        broken = bytearray(data)
        broken[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DamagedSketch):
            HyperLogLog.from_bytes(bytes(broken))


def test_what_does_not_fit_is_refused():
    """Other seeds, other sizes, other things, and sizes that are none."""
    with pytest.raises(DataError, match="seed"):
        HyperLogLog(4, 1).merge(HyperLogLog(4, 2))
    with pytest.raises(DataError, match="4 bits"):
        HyperLogLog(4).merge(HyperLogLog(5))
    with pytest.raises(ProgrammingError, match="str"):
        HyperLogLog(4).merge("x")  # type: ignore[arg-type]
    for bits, error in ((3, DataError), (19, DataError), (4.5, ProgrammingError)):
        with pytest.raises(error, match="bits"):
            HyperLogLog(bits)
