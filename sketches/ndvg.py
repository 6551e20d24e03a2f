"""NDVG version 1: the stored form of a grouped profile sample.

All numbers are little-endian. `ndvp` explains the terms; the format is our own.

| bytes | field |
| --- | --- |
| 4, 1, 1, 2 | magic `NDVG`, version, hash id, zero |
| 8, 4, 4, 4 | seed, capacity per group now, least capacity, budget of entries |
| 8, 8 | groups, entries |
| variable | group ids as varints of differences, the first one as it is |
| variable | rows, 2**64 - theta, and entries of each group, as varints |
| variable | hashes as varints, within each group of differences; counts as varints |
| 4 | CRC-32C of everything before |
"""

from __future__ import annotations

import struct
from typing import Final

import numpy as np

from paretosql.sketches import varint
from paretosql.sketches.entries import Counts
from paretosql.sketches.envelope import DamagedSketch, seal, unseal
from paretosql.sketches.group_state import KEEP_ALL, GroupState
from paretosql.sketches.mixing import HASH_ID, Words
from paretosql.sketches.ndvp import MAX_ROWS, check_hash_id

MAGIC: Final = b"NDVG"
VERSION: Final = 1
HEADER: Final = struct.Struct("<4sBBHQIIIQQ")


def encode(state: GroupState) -> bytes:
    """The stored form of a state; about 60 ns and 3 to 9 bytes per entry."""
    header = HEADER.pack(
        MAGIC,
        VERSION,
        HASH_ID,
        0,
        state.seed,
        state.capacity,
        state.floor,
        state.budget,
        len(state.groups),
        len(state.keys),
    )
    steps = np.diff(state.keys, prepend=np.uint64(0))
    firsts = _firsts(state.sizes)
    steps[firsts] = state.keys[firsts]
    columns = [
        np.diff(state.groups, prepend=np.uint64(0)),
        state.rows.astype(np.uint64),
        KEEP_ALL - state.limits,
        state.sizes.astype(np.uint64),
        steps,
        state.counts.astype(np.uint64),
    ]
    return seal(header + b"".join(varint.encode(column) for column in columns))


def _firsts(sizes: Counts) -> Counts:
    """Where the entries of each group that has any begin."""
    return (np.cumsum(sizes) - sizes)[sizes > 0]


def decode(data: bytes) -> GroupState:
    """The state that `data` holds.

    Raises:
        DamagedSketch: not NDVG, another version or hash, cut off, damaged, or with fields that contradict each other.
    """
    body = unseal(data, MAGIC, VERSION)
    if len(body) < HEADER.size:
        raise DamagedSketch(f"an NDVG sketch was cut off after {len(data)} bytes")
    _, _, hash_id, flags, seed, capacity, floor, budget, groups, entries = HEADER.unpack_from(body)
    check_hash_id(hash_id)
    if flags or not 1 <= floor <= capacity or not budget:
        raise DamagedSketch("the NDVG sketch has a header that contradicts itself")
    content = np.frombuffer(body, np.uint8, offset=HEADER.size)
    columns = []
    try:
        for length in (groups, groups, groups, groups, entries, entries):
            column, used = varint.decode(content, length)
            columns.append(column)
            content = content[used:]
    except ValueError as error:
        raise DamagedSketch(f"the NDVG sketch has unreadable entries: {error}") from None
    ids, rows, below_all, sizes, steps, counts = columns
    if len(content) or any(column.max(initial=0) > MAX_ROWS for column in (rows, sizes, counts)):
        raise DamagedSketch("the NDVG sketch has numbers out of range, or bytes behind its end")
    ids = np.cumsum(ids, dtype=np.uint64)
    if sum(sizes.tolist()) != entries or sizes.max(initial=0) > capacity or (ids[1:] <= ids[:-1]).any():
        raise DamagedSketch("the NDVG sketch has groups that contradict its entries")
    state = GroupState(
        seed,
        capacity,
        floor,
        budget,
        ids,
        rows.astype(np.int64),
        KEEP_ALL - below_all,
        sizes.astype(np.int64),
        _add_up(steps, sizes.astype(np.int64)),
        counts.astype(np.int64),
    )
    _check_groups(state)
    return state


def _add_up(steps: Words, sizes: Counts) -> Words:
    """The hashes of every group from their differences."""
    if not len(steps):
        return steps
    running = np.cumsum(steps, dtype=np.uint64)
    before = (running - steps)[np.cumsum(sizes) - sizes - (sizes == 0)]
    hashes: Words = running - np.repeat(before, sizes)
    return hashes


def _check_groups(state: GroupState) -> None:
    """DamagedSketch when hashes, limits and counts contradict each other."""
    owner = np.repeat(np.arange(len(state.groups)), state.sizes)
    descends = (state.keys[1:] <= state.keys[:-1]) & (owner[1:] == owner[:-1])
    if descends.any() or (state.keys > state.limits[owner]).any() or (state.counts < 1).any():
        raise DamagedSketch("the NDVG sketch has hashes out of order, above their threshold, or without rows")
    if state.counts.sum(dtype=np.float64) > MAX_ROWS:  # the sums below must not wrap around
        raise DamagedSketch("the NDVG sketch counts more rows than can be")
    counted = np.zeros(len(state.groups), np.int64)
    np.add.at(counted, owner, state.counts)
    exact = state.limits == KEEP_ALL
    if (counted > state.rows).any() or (counted[exact] != state.rows[exact]).any():
        raise DamagedSketch("the NDVG sketch counts other rows than it says it has seen")
