"""NDVP: golden files read back for ever, and damage of any kind raises."""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretosql.errors import DataError
from paretosql.sketches import ndvp
from paretosql.sketches.envelope import DamagedSketch
from paretosql.sketches.origin import Origin
from paretosql.sketches.profile import ProfileSketch
from tests.sketches.checksum import crc_by_bits

GOLDEN = Path(__file__).parent / "golden"


# An independent writer of NDVP version 1, byte by byte from its description.
def leb(*values: int) -> bytes:
    data = bytearray()
    for value in values:
        groups = [value >> shift & 127 for shift in range(0, max(1, value.bit_length()), 7)]
        data += bytes([group | 128 for group in groups[:-1]] + groups[-1:])
    return bytes(data)


def pairs(entries: dict[int, int]) -> bytes:
    keys = sorted(entries)
    return leb(*[b - a for a, b in zip([0, *keys], keys, strict=False)]) + leb(*[entries[key] for key in keys])


def written(entries, /, *, theta=2**64, capacity=8, rows=None, seed=0, heavy=None, **changes) -> bytes:
    """The file of these entries {hash: count}; `changes` replace header fields."""
    rows = sum(entries.values()) if rows is None else rows
    fields = {
        "magic": b"NDVP",
        "version": 1,
        "hash_id": 1,
        "flags": 2 | (theta == 2**64) | (4 if heavy else 0),
        "seed": seed,
        "theta": theta % 2**64,
        "capacity": capacity,
        "rows": rows,
        "population": 0,
        "rate": 1.0,
        "sampling": 0,
        "blocks": 0,
        "digest": bytes(16),
        "contributions": 0,
        "entries": len(entries),
    } | changes
    body = struct.pack("<4sBBHQQIQQdBI16sII", *fields.values()) + pairs(entries)
    if heavy:
        body += leb(len(heavy)) + pairs(heavy)
    return body + struct.pack("<I", crc_by_bits(body))


FILES = {
    "empty": written({}, capacity=65_536),
    "exact": written({5: 1, 300: 7, 2**63: 2, 2**64 - 1: 1_000_000}, seed=7, capacity=65_536),
    "sampled": written({3: 1, 2**20: 2, 2**40: 1}, theta=2**41, capacity=3, rows=1234),
    "everything": written(
        {3: 1, 9: 2},
        theta=2**60,
        capacity=3,
        rows=1234,
        heavy={2**50: 700, 2**51: 400},
        population=123_400,
        rate=0.01,
        sampling=2,
        blocks=31,
        digest=bytes(range(16)),
        contributions=4,
    ),
    "heavy": written(
        {7: 2, 2**30: 1}, theta=2**60, capacity=3, rows=1_000, heavy={2**20: 0, 2**62: 900}, rate=0.5, sampling=1
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_golden_files_are_what_the_description_says(name):
    """The files in golden/ are those of the independent writer."""
    assert (GOLDEN / f"{name}.ndvp").read_bytes() == FILES[name]


@pytest.mark.parametrize("name", FILES)
def test_golden_files_read_and_write_back(name):
    """Every later version reads these files and writes the same bytes."""
    data = (GOLDEN / f"{name}.ndvp").read_bytes()
    assert ndvp.encode(ndvp.decode(data)) == data


def test_golden_contents():
    """All fields of a golden file come back, also those that only other versions use."""
    record = ndvp.decode((GOLDEN / "everything.ndvp").read_bytes())
    assert (record.seed, record.theta, record.capacity, record.rows) == (0, 2**60, 3, 1234)
    assert [column.tolist() for column in record.entries] == [[3, 9], [1, 2]]
    assert [column.tolist() for column in record.heavy] == [[2**50, 2**51], [700, 400]]
    assert (record.population, record.rate, record.sampling, record.blocks) == (123_400, 0.01, 2, 31)
    assert (record.digest, record.contributions) == (bytes(range(16)), 4)


def test_golden_sketches_estimate():
    """A sketch from a golden file gives the numbers of its contents."""
    exact = ProfileSketch.from_bytes((GOLDEN / "exact.ndvp").read_bytes())
    assert (exact.distinct(), exact.profile(), exact.rows) == (4, {1: 1, 2: 1, 7: 1, 1_000_000: 1}, 1_000_010)
    sampled = ProfileSketch.from_bytes((GOLDEN / "sampled.ndvp").read_bytes())
    assert (sampled.distinct(), sampled.profile()) == (3 * 2**23, {1: 2 * 2**23, 2: 2**23})


@pytest.mark.parametrize("name", FILES)
def test_golden_sketches_read_and_write_back(name):
    """A ProfileSketch keeps everything that a file holds."""
    data = (GOLDEN / f"{name}.ndvp").read_bytes()
    assert ProfileSketch.from_bytes(data).to_bytes() == data


def test_golden_heavy_values_are_counted_apart():
    """Entries are scaled up, heavy values are not, and a heavy value without rows is no value."""
    sketch = ProfileSketch.from_bytes((GOLDEN / "heavy.ndvp").read_bytes())
    assert (sketch.distinct(), sketch.profile()) == (2 * 16 + 1, {1: 16, 2: 16, 900: 1})
    sketch = ProfileSketch.from_bytes((GOLDEN / "everything.ndvp").read_bytes())
    assert (sketch.distinct(), sketch.profile()) == (2 * 16 + 2, {1: 16, 2: 16, 400: 1, 700: 1})
    assert sketch.origin == Origin(0.01, "block", 123_400, 31)
    assert (sketch.digest, sketch.contributions) == (bytes(range(16)), 4)


ENTRIES = st.dictionaries(st.integers(0, 2**64 - 1), st.integers(1, 10**6), max_size=20)


@given(ENTRIES, st.integers(0, 2**64 - 1))
def test_encode_equals_the_independent_writer(entries, seed):
    """The package writes what the description says."""
    keys = sorted(entries)
    columns = np.array(keys, np.uint64), np.array([entries[key] for key in keys], np.int64)
    record = ndvp.Record(seed, 2**64, 20, sum(entries.values()), columns)
    assert ndvp.encode(record) == written(entries, seed=seed, capacity=20)


def test_every_flipped_bit_raises():
    """A sketch with any single bit changed is refused."""
    data = FILES["everything"]
    for bit in range(8 * len(data)):
        broken = bytearray(data)
        broken[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DamagedSketch):
            ndvp.decode(bytes(broken))


@pytest.mark.parametrize("name", FILES)
def test_every_truncation_raises(name):
    """A sketch that is cut off anywhere, or has bytes added, is refused."""
    data = FILES[name]
    for size in range(len(data)):
        with pytest.raises(DamagedSketch):
            ndvp.decode(data[:size])
    with pytest.raises(DamagedSketch):
        ndvp.decode(data + b"\0")


FORGED = {
    "version": written({1: 1}, version=2),
    "hash 9": written({1: 1}, hash_id=9),
    "flags 1,": written({1: 1}, flags=1),
    "flags 2,": written({1: 1}, flags=2),
    "flags 11": written({1: 1}, flags=11),
    "header": written({1: 1}, capacity=0),
    "early": written({1: 1}, entries=8),
    "contradicts": written({1: 1}, entries=2**32 - 1),
    "too early": written({1: 1}, entries=2**32 - 1, capacity=2**32 - 1),
    "contradicts itself": written({1: 1}, rate=float("nan")),
    "itself": written({1: 1}, sampling=3),
    "above its threshold": written({10: 1, 20: 1}, theta=20),
    "counts 3 rows": written({10: 3}, rows=2),
    "seen 9": written({10: 3}, rows=9),
    "out of range": written({10: 0}, rows=0),
    "twice": written({10: 1}, heavy={10: 1}),
    "a count is out": written({10: 2**63}, rows=2**63 - 1),
    "counts 18446744073709551614 rows": written({1: 2**63 - 1, 2: 2**63 - 1}, rows=2**63 - 1),
    "2 bytes behind": written({1: 1}, entries=0, rows=0),
}


@pytest.mark.parametrize("problem", FORGED)
def test_contradictions_raise(problem):
    """Fields that contradict each other are refused although the checksum fits."""
    with pytest.raises(DamagedSketch, match=problem):
        ndvp.decode(FORGED[problem])


def test_hashes_must_ascend():
    """Two equal hashes, a difference of zero, are refused, as is a sum beyond 64 bits."""
    for steps in ([5, 0], [2**64 - 1, 1]):
        body = written({1: 1, 2: 1})[:-4]
        body = body[: -len(pairs({1: 1, 2: 1}))] + leb(*steps) + leb(1, 1)
        with pytest.raises(DamagedSketch, match="ascend"):
            ndvp.decode(body + struct.pack("<I", crc_by_bits(body)))


@given(st.binary(max_size=120))
def test_random_bodies_never_break_the_reader(rest):
    """Whatever stands behind a valid checksum, reading succeeds or raises DataError."""
    body = b"NDVP\x01\x01" + rest
    with contextlib.suppress(DataError):
        ndvp.decode(body + struct.pack("<I", crc_by_bits(body)))
