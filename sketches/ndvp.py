"""NDVP version 1: the stored form of a profile sample.

All numbers are little-endian.

| bytes | field |
| --- | --- |
| 4, 1, 1, 2 | magic `NDVP`, version, hash id, flags (1 exact, 2 ordered, 4 has a heavy list) |
| 8, 8, 4 | seed, theta (0 stands for 2**64), capacity |
| 8, 8, 8 | rows seen, rows of the population (0 unknown), sampling rate as float64 |
| 1, 4 | sampling kind (0 Bernoulli, 1 reservoir, 2 block), number of blocks |
| 16, 4 | digest and number of the contributions merged in |
| 4 | entries |
| variable | hashes as varints of differences, first one as it is; counts as varints |
| variable | heavy list, only with its flag: number of entries as a varint, hashes and counts as above |
| 4 | CRC-32C of everything before |

A hash is either an entry or in the heavy list. There a count may be 0: the value is known not to occur. A sketch of
full scans leaves the population, contribution and heavy fields neutral. The hashes are ours, so these sketches cannot
be turned into theta sketches of Apache DataSketches or back.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from paretosql.sketches import varint
from paretosql.sketches.arguments import FULL
from paretosql.sketches.entries import Entries, nothing
from paretosql.sketches.envelope import DamagedSketch, seal, unseal
from paretosql.sketches.mixing import HASH_ID

MAGIC: Final = b"NDVP"
VERSION: Final = 1
EXACT, ORDERED, HEAVY = 1, 2, 4
BLOCK: Final = 2  # the sampling kind whose rows count a value once per block
HEADER: Final = struct.Struct("<4sBBHQQIQQdBI16sII")
MAX_ROWS: Final = (1 << 63) - 1


@dataclass(frozen=True)
class Record:
    """What an NDVP file holds; entries are (hashes ascending, uint64; counts, int64), both of shape (n,)."""

    seed: int
    theta: int
    capacity: int
    rows: int
    entries: Entries
    population: int = 0
    rate: float = 1.0
    sampling: int = 0
    blocks: int = 0
    digest: bytes = bytes(16)
    contributions: int = 0
    heavy: Entries = field(default_factory=nothing)


def encode(record: Record) -> bytes:
    """The stored form of a record; about 40 ns and 3 to 9 bytes per entry."""
    flags = ORDERED | (EXACT if record.theta == FULL else 0) | (HEAVY if len(record.heavy[0]) else 0)
    header = HEADER.pack(
        MAGIC,
        VERSION,
        HASH_ID,
        flags,
        record.seed,
        record.theta % FULL,
        record.capacity,
        record.rows,
        record.population,
        record.rate,
        record.sampling,
        record.blocks,
        record.digest,
        record.contributions,
        len(record.entries[0]),
    )
    body = [header, _encode_entries(record.entries)]
    if len(record.heavy[0]):
        body += [varint.encode(np.array([len(record.heavy[0])], np.uint64)), _encode_entries(record.heavy)]
    return seal(b"".join(body))


def _encode_entries(entries: Entries) -> bytes:
    keys, counts = entries
    return varint.encode(np.diff(keys, prepend=np.uint64(0))) + varint.encode(counts.astype(np.uint64))


def decode(data: bytes) -> Record:
    """The record that `data` holds.

    Raises:
        DamagedSketch: not NDVP, another version or hash, cut off, damaged, or with fields that contradict each other.
    """
    body = unseal(data, MAGIC, VERSION)
    if len(body) < HEADER.size:
        raise DamagedSketch(f"an NDVP sketch was cut off after {len(data)} bytes")
    _, _, hash_id, flags, seed, theta, capacity, rows, *rest, entries = HEADER.unpack_from(body)
    population, rate, sampling, blocks, digest, contributions = rest
    check_hash_id(hash_id)
    if flags & ~(EXACT | ORDERED | HEAVY) or not flags & ORDERED or bool(flags & EXACT) != (theta == 0):
        raise DamagedSketch(f"the NDVP sketch has flags {flags}, which do not fit its contents")
    if rows > MAX_ROWS or not capacity >= 1 or entries > capacity or not 0.0 < rate <= 1.0 or sampling > 2:
        raise DamagedSketch("the NDVP sketch has a header that contradicts itself")
    if (0 < population < rows and sampling != BLOCK) or (not contributions and digest != bytes(16)):
        raise DamagedSketch("the NDVP sketch has a header that contradicts itself")
    content = np.frombuffer(body, np.uint8, offset=HEADER.size)
    try:
        kept, used = decode_entries(content, entries)
        heavy = nothing()
        if flags & HEAVY:
            count, size = varint.decode(content[used:], 1)
            used += size
            heavy, size = decode_entries(content[used:], int(count[0]), least=0)
            used += size
    except ValueError as error:
        raise DamagedSketch(f"the NDVP sketch has unreadable entries: {error}") from None
    record = Record(
        seed, theta or FULL, capacity, rows, kept, population, rate, sampling, blocks, digest, contributions, heavy
    )
    _check_entries(record, len(content) - used)
    return record


def check_hash_id(hash_id: int) -> None:
    """DamagedSketch when the hashes are not of the kind that this release computes."""
    if hash_id != HASH_ID:
        raise DamagedSketch(f"the sketch uses hash {hash_id}, but this release knows hash {HASH_ID} only")


def decode_entries(content: npt.NDArray[np.uint8], entries: int, least: int = 1) -> tuple[Entries, int]:
    """Ascending hashes and their counts from `least` on, and the bytes they take; ValueError when they are not."""
    steps, used = varint.decode(content, entries)
    keys = np.cumsum(steps, dtype=np.uint64)
    if (keys[1:] <= keys[:-1]).any():
        raise ValueError("the hashes do not ascend")
    counts, size = varint.decode(content[used:], entries)
    if entries and (counts.min() < least or counts.max() > MAX_ROWS):
        raise ValueError("a count is out of range")
    return (keys, counts.astype(np.int64)), used + size


def _check_entries(record: Record, left: int) -> None:
    """DamagedSketch when the entries contradict the header."""
    keys, counts = record.entries
    total = sum(counts.tolist()) + sum(record.heavy[1].tolist())  # Python integers: a forged sum must not wrap around
    if left:
        raise DamagedSketch(f"the NDVP sketch has {left} bytes behind its end")
    if len(keys) and int(keys[-1]) >= record.theta:
        raise DamagedSketch("the NDVP sketch holds a hash above its threshold")
    if len(np.intersect1d(keys, record.heavy[0], assume_unique=True)):
        raise DamagedSketch("the NDVP sketch holds a hash twice, as an entry and as a heavy value")
    if total > record.rows or (record.theta == FULL and total < record.rows):
        raise DamagedSketch(f"the NDVP sketch counts {total} rows, but says that it has seen {record.rows}")
