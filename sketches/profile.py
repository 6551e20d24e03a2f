"""The coordinated profile sample: distinct values and their frequencies from one scan, mergeable and exact when small.

A `ProfileSketch` keeps, of all distinct hash values seen, the `capacity` smallest with their row counts. Because the
hash decides which values are kept, every sketch of the same data keeps the same values, and counts add up on merge. Of
the kept values everything is known, so the whole profile (how many values occur once, twice, ...) is estimated, not
only the number of distinct values.

Source: our design, in the spirit of tuple sketches (bottom-k samples with counts).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from paretosql.errors import DataError, NotSupportedError, ProgrammingError, compose
from paretosql.sketches import ndvp
from paretosql.sketches.hashing import Values, as_arrow, hash64
from paretosql.sketches.mixing import Words, check_seed

Counts = npt.NDArray[np.int64]

CAPACITY: Final = 65_536  # our choice: 0.4 % standard error for the number of distinct values
MAX_CAPACITY: Final = (1 << 32) - 1  # what the stored form can hold
FULL: Final = 1 << 64  # the threshold of a sketch that has kept everything
SLICE_ROWS: Final = 1 << 18  # our choice: rows hashed at once, 2 MiB of hashes
PENDING_ROWS: Final = 1 << 18  # our choice: hashes gathered before they are sorted in


class ProfileSketch:
    """A sample of the distinct values of a column, chosen by hash, with exact counts.

    State: sorted hashes below the threshold `theta`, and one count for each. While at most `capacity` distinct values
    have been seen, theta is 2**64 and every number is exact. After that theta is the (capacity + 1)-th smallest
    distinct hash, so the state depends on the rows only, not on their order, batches or merges.

    Args:
        capacity: values kept, 1..2**32-1; relative standard error 1 / sqrt(capacity), 16 bytes each in memory.
        seed: of the hash, 0..2**64-1. Only sketches of one seed can be merged.
    Cost:
        per row the hash, then 1 to 10 ns; memory 16 bytes * capacity + 8 bytes * (PENDING_ROWS + SLICE_ROWS).

    >>> import pyarrow as pa
    >>> sketch = ProfileSketch().update(pa.array(["tea", "tea", "milk", None]))
    >>> sketch.distinct(), sketch.profile(), sketch.rows
    (2.0, {1: 1.0, 2: 1.0}, 3)
    """

    def __init__(self, capacity: int = CAPACITY, seed: int = 0) -> None:
        self._capacity = check_capacity(capacity)
        self._seed = check_seed(seed)
        self._rows = 0
        self._theta = FULL
        self._keys: Words = np.empty(0, np.uint64)
        self._counts: Counts = np.empty(0, np.int64)
        self._pending: list[Words] = []
        self._waiting = 0

    def update(self, values: Values, counts: Counts | None = None) -> Self:
        """Add the rows of an Arrow or numpy column, NULL rows excluded, and return this sketch.

        Args:
            values: n values.
            counts: int64, shape (n,): how many rows each value stands for, when equal rows were counted before; None
                means 1 each.
        Raises:
            NotSupportedError, ProgrammingError: as `hash64`.
        """
        start = 0
        for part in parts(values):
            words, valid = hash64(part, self._seed)
            weights = None if counts is None else counts[start : start + len(part)]
            start += len(part)
            if valid is not None:
                words = words[valid]
                weights = None if weights is None else weights[valid]
            if weights is None:
                self._rows += len(words)
                self._take(words)
            elif len(words):
                self._rows += int(weights.sum())
                self._take_counted(words, weights)
        return self

    def _take_counted(self, words: Words, weights: Counts) -> None:
        """Sort in hashes that stand for several rows each."""
        self._settle()
        order = np.argsort(words)
        ordered = words.take(order)
        starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        self._absorb(ordered.take(starts), np.add.reduceat(weights.take(order), starts))

    def _take(self, words: Words) -> None:
        """Queue the hashes below the threshold, and sort them in when enough wait."""
        if self._theta < FULL:
            words = words[words < np.uint64(self._theta)]
        if len(words):
            self._pending.append(words)
            self._waiting += len(words)
        if self._waiting >= PENDING_ROWS:
            self._settle()

    def _settle(self) -> None:
        """Sort the waiting hashes into the state."""
        if not self._pending:
            return
        keys, counts = count_sorted(np.sort(np.concatenate(self._pending)))
        self._pending, self._waiting = [], 0
        self._absorb(keys, counts)

    def _absorb(self, keys: Words, counts: Counts) -> None:
        """Add sorted, distinct keys with their counts, then cut to the threshold and the capacity."""
        if len(self._keys):
            keys, counts = merge_counts(self._keys, self._counts, keys, counts)
        kept = len(keys) if self._theta == FULL else int(np.searchsorted(keys, np.uint64(self._theta)))
        if kept > self._capacity:
            kept = self._capacity
            self._theta = int(keys[kept])
        self._keys, self._counts = keys[:kept].copy(), counts[:kept].copy()

    def merge(self, other: Self) -> Self:
        """Add the rows that `other` has seen and return this sketch; `other` does not change.

        The threshold becomes the smaller one, and so does the capacity. A sketch without rows changes nothing.

        Raises:
            DataError: `other` has another seed.
        """
        if not isinstance(other, ProfileSketch):
            raise ProgrammingError(compose(f"a ProfileSketch cannot merge a {type(other).__name__}"))
        check_seeds_agree(self._seed, other._seed)
        self._settle()
        other._settle()
        if other._rows == 0 and self._rows > 0:
            return self
        self._capacity = other._capacity if self._rows == 0 < other._rows else min(self._capacity, other._capacity)
        self._theta = min(self._theta, other._theta)
        self._rows += other._rows
        self._absorb(other._keys, other._counts)
        return self

    @property
    def rows(self) -> int:
        """Non-NULL rows seen."""
        return self._rows

    @property
    def capacity(self) -> int:
        """The largest number of values kept."""
        return self._capacity

    @property
    def seed(self) -> int:
        """The seed of the hash."""
        return self._seed

    @property
    def theta(self) -> int:
        """Values with a hash below this are kept; 2**64 means all of them, so that every number is exact."""
        self._settle()
        return self._theta

    @property
    def entries(self) -> int:
        """Values kept now."""
        self._settle()
        return len(self._keys)

    @property
    def exact(self) -> bool:
        """Whether every distinct value was kept."""
        return self.theta == FULL

    def distinct(self) -> float:
        """Estimated number of distinct values: entries / p with p = theta / 2**64; unbiased, exact when p = 1."""
        return self.entries * (FULL / self._theta)

    def profile(self) -> dict[int, float]:
        """Estimated number of values per row count, {i: f_i}, ascending in i; the f_i add up to `distinct()`."""
        self._settle()
        sizes, values = np.unique(self._counts, return_counts=True)
        scale = FULL / self._theta
        return {int(size): float(count) * scale for size, count in zip(sizes, values, strict=True)}

    def rse(self) -> float:
        """Relative standard error of `distinct()`: sqrt((1 - p) / entries), 0 when exact."""
        return math.sqrt((1 - self._theta / FULL) / self.entries) if self.theta < FULL and self.entries else 0.0

    def to_bytes(self) -> bytes:
        """The sketch in the NDVP form; the same rows give the same bytes."""
        self._settle()
        entries = (self._keys, self._counts)
        return ndvp.encode(ndvp.Record(self._seed, self._theta, self._capacity, self._rows, entries))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The sketch stored as `data`.

        Raises:
            DamagedSketch: as `ndvp.decode`.
            NotSupportedError: the record is of a sample, or has a heavy list, which this class would lose.
        """
        record = ndvp.decode(data)
        if not record.full_scan:
            raise NotSupportedError(
                compose("the sketch holds a sample or a heavy list", hint="this release reads sketches of full scans.")
            )
        sketch = cls(record.capacity, record.seed)
        sketch._rows, sketch._theta = record.rows, record.theta
        sketch._keys, sketch._counts = record.entries
        return sketch

    @classmethod
    def of_entries(
        cls, keys: Words, counts: Counts, rows: int, *, theta: int = FULL, capacity: int = CAPACITY, seed: int = 0
    ) -> Self:
        """The sketch with this state, which must be one that rows can lead to.

        Args:
            keys, counts: uint64 hashes below theta, ascending, and int64 rows of each, both of shape (n,); not copied.
            rows: non-NULL rows seen.
        """
        sketch = cls(capacity, seed)
        sketch._rows, sketch._theta, sketch._keys, sketch._counts = rows, theta, keys, counts
        return sketch

    def __repr__(self) -> str:
        return (
            f"ProfileSketch(rows={self.rows}, distinct={self.distinct():.0f}, entries={self.entries}, "
            f"capacity={self.capacity}, seed={self.seed})"
        )


def check_capacity(capacity: int, name: str = "capacity") -> int:
    """`capacity` as a Python int in 1..2**32-1; ProgrammingError or DataError when it is not one."""
    if isinstance(capacity, bool) or not isinstance(capacity, int | np.integer):
        raise ProgrammingError(compose(f"the {name} is an integer, not {type(capacity).__name__}"))
    if not 1 <= int(capacity) <= MAX_CAPACITY:
        raise DataError(compose(f"{name} {capacity} is out of range", hint=f"use 1 to {MAX_CAPACITY}."))
    return int(capacity)


def check_seeds_agree(left: int, right: int) -> None:
    """DataError when two sketches to be merged have different seeds."""
    if left != right:
        problem = f"sketches with seed {left} and seed {right} cannot be merged"
        raise DataError(compose(problem, hint="build both with the same seed: their hashes are unrelated."))


def parts(values: Values) -> Iterator[pa.Array]:
    """A column as Arrow arrays of at most SLICE_ROWS rows, without copies."""
    for chunk in values.chunks if isinstance(values, pa.ChunkedArray) else [as_arrow(values)]:
        for start in range(0, len(chunk), SLICE_ROWS):
            yield chunk.slice(start, SLICE_ROWS)


def count_sorted(words: Words) -> tuple[Words, Counts]:
    """The distinct words of a sorted, non-empty array and how often each occurs."""
    starts = np.flatnonzero(words[1:] != words[:-1]) + 1
    starts = np.concatenate([[0], starts])
    return words[starts], np.diff(starts, append=len(words))


def merge_counts(keys_a: Words, counts_a: Counts, keys_b: Words, counts_b: Counts) -> tuple[Words, Counts]:
    """The union of two sorted sets of keys, counts of common keys added."""
    keys = np.concatenate([keys_a, keys_b])
    counts = np.concatenate([counts_a, counts_b])
    order = np.argsort(keys)
    keys, counts = keys[order], counts[order]
    starts = np.concatenate([[0], np.flatnonzero(keys[1:] != keys[:-1]) + 1]) if len(keys) else np.empty(0, np.intp)
    return keys[starts], np.add.reduceat(counts, starts) if len(starts) else counts
