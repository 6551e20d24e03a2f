"""NDVG: the stored form of grouped sketches reads back, and damage of any kind raises."""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretosql.errors import DataError
from paretosql.sketches import ndvg
from paretosql.sketches.envelope import DamagedSketch
from paretosql.sketches.grouped import GroupedSketch
from tests.sketches.checksum import crc_by_bits

GOLDEN = Path(__file__).parent / "golden" / "groups.ndvg"


# An independent writer of NDVG version 1, byte by byte from its description.
def leb(values) -> bytes:
    data = bytearray()
    for value in values:
        groups = [value >> shift & 127 for shift in range(0, max(1, value.bit_length()), 7)]
        data += bytes([group | 128 for group in groups[:-1]] + groups[-1:])
    return bytes(data)


def steps(values) -> list[int]:
    return [b - a for a, b in zip([0, *values], values, strict=False)]


def written(groups, /, **changes) -> bytes:
    """The file of {group id: (rows, theta, {hash: count})}; `changes` replace header fields or columns."""
    members = [groups[group] for group in sorted(groups)]
    header = {
        "magic": b"NDVG",
        "version": 1,
        "hash_id": 1,
        "flags": 0,
        "seed": 3,
        "capacity": 4,
        "floor": 2,
        "budget": 100,
        "groups": len(groups),
        "entries": sum(len(entries) for _, _, entries in members),
    }
    columns = {
        "ids": steps(sorted(groups)),
        "rows": [rows for rows, _, _ in members],
        "below_all": [2**64 - theta for _, theta, _ in members],
        "sizes": [len(entries) for _, _, entries in members],
        "hashes": [step for _, _, entries in members for step in steps(sorted(entries))],
        "counts": [entries[key] for _, _, entries in members for key in sorted(entries)],
    }
    header |= {name: value for name, value in changes.items() if name in header}
    columns |= {name: value for name, value in changes.items() if name in columns}
    body = struct.pack("<4sBBHQIIIQQ", *header.values()) + b"".join(leb(column) for column in columns.values())
    return body + struct.pack("<I", crc_by_bits(body))


GROUPS = {
    0: (7, 2**64, {5: 3, 2**63: 4}),
    9: (0, 2**64, {}),
    2**40: (90, 2**50, {1: 1, 2: 2, 3: 3, 2**50 - 1: 4}),
    2**64 - 1: (1, 2**64, {2**64 - 1: 1}),
}


def test_golden_file_reads_and_writes_back():
    """The file of the independent writer is read and written back by every later version."""
    data = GOLDEN.read_bytes()
    assert data == written(GROUPS)
    assert ndvg.encode(ndvg.decode(data)) == data


def test_golden_contents():
    """The groups of the golden file come back."""
    sketch = GroupedSketch.from_bytes(GOLDEN.read_bytes())
    assert sketch.groups().tolist() == list(GROUPS)
    assert sketch.rows().tolist() == [7, 0, 90, 1]
    assert sketch.distinct() == pytest.approx([2, 0, 4 * 2**14, 1])
    assert sketch.profile(2) == pytest.approx({1: 2**14, 2: 2**14, 3: 2**14, 4: 2**14})


def test_every_flipped_bit_and_truncation_raises():
    """A sketch with any bit changed, or cut off anywhere, is refused."""
    data = written(GROUPS)
    for bit in range(8 * len(data)):
        broken = bytearray(data)
        broken[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DamagedSketch):
            ndvg.decode(bytes(broken))
    for size in range(len(data)):
        with pytest.raises(DamagedSketch):
            ndvg.decode(data[:size])


ONE = {5: (4, 2**64, {10: 1, 20: 3})}
FORGED = {
    "version 2": written(ONE, version=2),
    "hash 2": written(ONE, hash_id=2),
    "header that contradicts": written(ONE, flags=1),
    "header that": written(ONE, floor=5),
    "header": written(ONE, budget=0),
    "too early": written(ONE, groups=2**63),
    "ends? too early": written(ONE, entries=2**63),
    "contradict its entries": written(ONE, sizes=[1]),
    "groups that contradict": written(ONE, capacity=1, floor=1),
    "groups that": written({5: ONE[5], 6: ONE[5]}, ids=[5, 0]),
    "out of order": written(ONE, hashes=[10, 0]),
    "order": written(ONE, hashes=[10, 2**64 - 5]),
    "above their threshold": written({5: (4, 20, {10: 1, 20: 3})}),
    "without rows": written(ONE, counts=[1, 0]),
    "other rows": written(ONE, rows=[3]),
    "counts other": written(ONE, rows=[5]),
    "more rows than can be": written(ONE, rows=[2**63 - 1], counts=[2**63 - 1, 2**63 - 1]),
    "out of range": written(ONE, rows=[2**63]),
    "behind its end": written(ONE, counts=[1, 3, 1]),
}


@pytest.mark.parametrize("problem", FORGED)
def test_contradictions_raise(problem):
    """Fields that contradict each other are refused although the checksum fits."""
    with pytest.raises(DamagedSketch, match=problem):
        ndvg.decode(FORGED[problem])


def test_the_forged_files_start_from_a_good_one():
    """Without a change the file is accepted, so each refusal is due to its change."""
    assert ndvg.decode(written(ONE)).keys.tolist() == [10, 20]


@given(st.binary(max_size=100))
def test_random_bodies_never_break_the_reader(rest):
    """Whatever stands behind a valid checksum, reading succeeds or raises DataError."""
    body = b"NDVG\x01\x01\x00\x00" + rest
    with contextlib.suppress(DataError):
        ndvg.decode(body + struct.pack("<I", crc_by_bits(body)))


@given(
    st.dictionaries(
        st.integers(0, 2**64 - 1),
        st.dictionaries(st.integers(0, 2**64 - 1), st.integers(1, 500), max_size=4),
        max_size=5,
    )
)
def test_any_groups_read_and_write_back(groups):
    """Every state survives, also groups without entries first, between and last."""
    data = written({group: (sum(entries.values()), 2**64, entries) for group, entries in groups.items()})
    state = ndvg.decode(data)
    assert state.keys.tolist() == [key for group in sorted(groups) for key in sorted(groups[group])]
    assert state.groups.dtype == state.limits.dtype == state.keys.dtype == np.uint64
    assert ndvg.encode(state) == data
