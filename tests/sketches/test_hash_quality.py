"""The hash is a good 64-bit hash: no collisions among millions of alike values, even bits, avalanche."""

from __future__ import annotations

import itertools
import math
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from paretosql.sketches.hashing import hash64

N = 1_000_000
WORDS = np.array(
    ["final", "deposits", "sleep", "furiously", "above", "the", "ironic", "requests", "pending", "packages"]
)


@cache
def numbers() -> pa.Array:
    return pa.array(np.arange(N)).cast(pa.string())


@cache
def prefixed() -> pa.Array:
    return pc.binary_join_element_wise("https://example.org/a/rather/long/path/to/item?id=", numbers(), "")


@cache
def suffixed() -> pa.Array:
    return pc.binary_join_element_wise(numbers(), "@a-mail-host.example.com", "")


@cache
def sentences() -> pa.Array:
    permutations = list(itertools.permutations(WORDS, 6))
    return pa.array([" ".join(each) for each in permutations[:150_000]])


def zeros() -> pa.Array:
    return pa.array([b"\0" * size for size in range(3_000)] + [b"a" + b"\0" * size for size in range(3_000)])


def two_bytes_apart() -> pa.Array:
    """Values that differ only in the top bytes of two words, the worst case for a sum of words."""
    high, low = np.divmod(np.arange(1 << 16, dtype=np.uint64), np.uint64(256))
    words = np.stack([high << np.uint64(56), low << np.uint64(56)], axis=1)
    buffers = [None, pa.py_buffer(words.astype("<u8").tobytes())]
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(words), buffers)


def sparse_bits() -> pa.Array:
    """All values of 24 bytes with one, two or three bits set."""
    chosen = itertools.chain.from_iterable(itertools.combinations(range(0, 192, 2), k) for k in (1, 2, 3))
    return pa.array([sum(1 << bit for bit in bits).to_bytes(24, "little") for bits in chosen])


FAMILIES = [numbers, prefixed, suffixed, sentences, zeros, two_bytes_apart, sparse_bits]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.__name__)
def test_distinct_strings_have_distinct_hashes(family):
    """Among a million alike strings a 64-bit hash is expected to have 3e-8 collisions: there must be none."""
    values = family()
    words, valid = hash64(values)
    assert valid is None
    assert len(np.unique(words)) == len(values)


def test_families_do_not_collide_with_each_other():
    """Three million distinct strings of different families have distinct hashes."""
    words = np.concatenate([hash64(family())[0] for family in FAMILIES[:5]])
    assert len(words) == 3_156_000
    assert len(np.unique(words)) == len(words)


@pytest.mark.parametrize("shift", [0, 17, 52], ids=["low", "middle", "high"])
@pytest.mark.parametrize(
    "family", [*FAMILIES[:4], lambda: np.arange(N), lambda: np.arange(N) << 40, lambda: np.arange(N) / 8]
)
def test_bits_are_even(family, shift):
    """Any 12 bits of the hash fall evenly into 4096 cells: chi-square within six standard deviations."""
    words, _ = hash64(family())
    cells = np.bincount(((words >> np.uint64(shift)) & np.uint64(4095)).astype(int), minlength=4096)
    expected = len(words) / 4096
    chi_square = ((cells - expected) ** 2 / expected).sum()
    assert abs(chi_square - 4095) < 6 * math.sqrt(2 * 4095)


@pytest.mark.parametrize("size", [1, 8, 15, 24, 64, 100])
def test_every_input_bit_changes_half_of_the_hash(size):
    """Flipping one bit of a string flips each bit of the hash with probability one half."""
    base = np.random.default_rng(size).integers(0, 256, (400, size), dtype=np.uint8)
    before = hash64(pa.array([row.tobytes() for row in base]))[0]
    for bit in range(0, 8 * size, max(1, size // 4)):
        flipped = base.copy()
        flipped[:, bit // 8] ^= np.uint8(1 << bit % 8)
        after = hash64(pa.array([row.tobytes() for row in flipped]))[0]
        changed = np.bitwise_count(before ^ after)
        assert changed.mean() == pytest.approx(32, abs=6 * 4 / math.sqrt(len(base) if size > 1 else 100))
        assert changed.min() > 4


def test_samples_of_consecutive_integers_are_fair():
    """The number of consecutive integers with a hash below 1 % scatters as binomial numbers do."""
    chosen = hash64(np.arange(4_000_000))[0] < np.uint64(2**64 // 100)
    counts = chosen.reshape(4_000, 1_000).sum(axis=1)
    assert counts.mean() == pytest.approx(10, abs=6 * math.sqrt(9.9 / 4_000))
    assert counts.var() == pytest.approx(9.9, rel=6 * math.sqrt(2 / 4_000))
