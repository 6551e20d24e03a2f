"""The coordinated profile sample: distinct values and their frequencies from one scan, mergeable and exact when small.

A `ProfileSketch` keeps, of all distinct hash values seen, the `capacity` smallest with their row counts. Because the
hash decides which values are kept, every sketch of the same data keeps the same values, and counts add up on merge. Of
the kept values everything is known, so the whole profile (how many values occur once, twice, ...) is estimated, not
only the number of distinct values. A few values with many rows may be counted apart, whatever their hash: the heavy
list.

Source: our design, in the spirit of tuple sketches (bottom-k samples with counts).
"""

from __future__ import annotations

import math
from typing import Final, Self

import numpy as np

from paretosql.errors import DataError, ProgrammingError, compose
from paretosql.sketches import entries as of
from paretosql.sketches import ndvp
from paretosql.sketches.arguments import (
    FULL,
    check_capacity,
    check_counts,
    check_seeds_agree,
    check_theta,
    parts,
)
from paretosql.sketches.contributions import Contributions
from paretosql.sketches.entries import Counts, Entries
from paretosql.sketches.hashing import Values, hash64
from paretosql.sketches.mixing import Words, check_seed
from paretosql.sketches.origin import FULL_SCAN, KINDS, Origin

CAPACITY: Final = 65_536  # our choice: 0.4 % standard error for the number of distinct values
PENDING_ROWS: Final = 1 << 18  # our choice: hashes gathered before they are sorted in


class ProfileSketch:
    """A sample of the distinct values of a column, chosen by hash, with exact counts.

    State: sorted hashes below the threshold `theta`, and one count for each. While at most `capacity` distinct values
    have been seen, theta is 2**64 and every number is exact. After that theta is the (capacity + 1)-th smallest
    distinct hash, so the state depends on the rows only, not on their order, batches or merges. Values of the heavy
    list are counted apart; they do not use up capacity.

    Args:
        capacity: values kept, 1..2**32-1; relative standard error 1 / sqrt(capacity), 16 bytes each in memory.
        seed: of the hash, 0..2**64-1. Only sketches of one seed can be merged.
        origin: how the rows were drawn; default: all were read.
        contribution: an id of 16 bytes, so that merging the same part twice is noticed; None for no such check.
        theta: the threshold to begin with, 1..2**64. Parts that begin with one threshold that suffices for all of them
            merge to the same bytes however the rows are split.
    Cost:
        per row the hash, then 1 to 10 ns; memory 16 bytes * entries + 8 bytes * (max(PENDING_ROWS, entries) +
        SLICE_ROWS).

    >>> import pyarrow as pa
    >>> sketch = ProfileSketch().update(pa.array(["tea", "tea", "milk", None]))
    >>> sketch.distinct(), sketch.profile(), sketch.rows
    (2.0, {1: 1.0, 2: 1.0}, 3)
    """

    def __init__(
        self,
        capacity: int = CAPACITY,
        seed: int = 0,
        *,
        origin: Origin = FULL_SCAN,
        contribution: bytes | None = None,
        theta: int = FULL,
    ) -> None:
        if not isinstance(origin, Origin):
            raise ProgrammingError(compose(f"an origin is an Origin, not {type(origin).__name__}"))
        self._capacity = check_capacity(capacity)
        self._seed = check_seed(seed)
        self._origin = origin
        self._contributions = Contributions.of(contribution)
        self._theta = check_theta(theta)
        self._rows = 0
        self._entries = of.nothing()
        self._heavy = of.nothing()
        self._pending: list[Words] = []
        self._waiting = 0

    def update(self, values: Values, counts: Counts | None = None) -> Self:
        """Add the rows of an Arrow or numpy column, NULL rows excluded, and return this sketch.

        Args:
            values: n values.
            counts: int64, shape (n,): how many rows each value stands for, when equal rows were counted before; None
                means 1 each.
        Raises:
            NotSupportedError, ProgrammingError: as `hash64`; ProgrammingError also for counts that are no n integers.
            DataError: a count below 1.
        """
        if counts is not None:
            check_counts(counts, len(values))
        start = 0
        for part in parts(values):
            words, valid = hash64(part, self._seed)
            weights = None if counts is None else counts[start : start + len(part)]
            start += len(part)
            if valid is not None:
                words = words[valid]
                weights = None if weights is None else weights[valid]
            self._rows += len(words) if weights is None else int(weights.sum())
            if len(self._heavy[0]):
                words, weights = self._count_heavy(words, weights)
            if weights is None:
                self._take(words)
            elif len(words):
                self._settle()
                self._absorb(of.add_up(words, weights))
        return self

    def _count_heavy(self, words: Words, weights: Counts | None) -> tuple[Words, Counts | None]:
        """Count the rows of heavy values; the other rows are returned."""
        keys, counts = self._heavy
        at, found = of.places(keys, words)
        more = np.zeros(len(keys), np.int64)
        np.add.at(more, at[found], 1 if weights is None else weights[found])
        self._heavy = keys, counts + more
        return words[~found], None if weights is None else weights[~found]

    def _take(self, words: Words) -> None:
        """Queue the hashes below the threshold, and sort them in when enough wait."""
        if self._theta < FULL:
            words = words[words < np.uint64(self._theta)]
        if len(words):
            self._pending.append(words)
            self._waiting += len(words)
        if self._waiting >= max(PENDING_ROWS, len(self._entries[0])):  # so that large states are not merged too often
            self._settle()

    def _settle(self) -> None:
        """Sort the waiting hashes into the state."""
        if not self._pending:
            return
        found = of.count_sorted(np.sort(np.concatenate(self._pending)))
        self._pending, self._waiting = [], 0
        self._absorb(found)

    def _absorb(self, more: Entries) -> None:
        """Add sorted, distinct keys with their counts, then cut to the threshold and the capacity."""
        keys, counts = of.united([of.below(self._entries, self._theta), of.below(more, self._theta)])
        kept = min(len(keys), self._capacity)
        if kept < len(keys):
            self._theta = int(keys[kept])
        self._entries = keys[:kept].copy(), counts[:kept].copy()

    def merge(self, other: Self) -> Self:
        """Add the rows that `other` has seen and return this sketch; `other` does not change.

        The threshold becomes the smaller one, and so does the capacity; populations, blocks and contributions add up.
        Values that both count as heavy stay heavy, others go back among the rest. A full scan without rows says nothing
        about capacity and origin.

        Raises:
            DataError: `other` has another seed, rate or kind of sampling, or a contribution that is in already; nothing
                has changed then.
        """
        if not isinstance(other, ProfileSketch):
            raise ProgrammingError(compose(f"a ProfileSketch cannot merge a {type(other).__name__}"))
        if other is self:
            problem = "a sketch cannot be merged with itself: its rows would count twice"
            raise DataError(compose(problem, hint="merge each part once."))
        check_seeds_agree(self._seed, other._seed)
        origin = self._joined_origin(other)
        self._contributions.check(other._contributions)
        self._settle()
        other._settle()
        self._origin = origin
        self._contributions.add(other._contributions)
        self._theta = min(self._theta, other._theta)
        more = other._entries
        if bool(self._rows) == bool(other._rows):
            self._capacity = min(self._capacity, other._capacity)
            more = of.united([more, *self._join_heavy(other._heavy)])
        elif other._rows:
            self._capacity, self._heavy = other._capacity, other._heavy
        self._rows += other._rows
        self._absorb(more)
        return self

    def _joined_origin(self, other: ProfileSketch) -> Origin:
        """The origin of the rows of both; that of a sketch that has seen nothing does not count."""
        if not other._rows and other._origin == FULL_SCAN:
            return self._origin
        if not self._rows and self._origin == FULL_SCAN:
            return other._origin
        return self._origin.joined(other._origin)

    def _join_heavy(self, theirs: Entries) -> list[Entries]:
        """Keep counting apart what both sketches do; the entries that no longer are."""
        both = np.intersect1d(self._heavy[0], theirs[0], assume_unique=True)
        (keys, mine), left = of.split(self._heavy, both)
        (_, counts), right = of.split(theirs, both)
        self._heavy = keys, mine + counts
        return [of.occurring(left), of.occurring(right)]

    def narrowed(self, *, capacity: int | None = None, theta: int = FULL, heavy: Words | None = None) -> ProfileSketch:
        """A new sketch of the same rows that keeps less, or counts other values apart.

        Args:
            capacity: values kept at most, default: as here.
            theta: keep values with a hash below this only, 1..2**64.
            heavy: hashes of the values to be counted apart, in ascending order; None for those of this sketch.
        Raises:
            DataError: the rows of a value in `heavy` are not known, because its hash is not below the threshold.

        >>> whole = ProfileSketch(100).update(np.repeat(np.arange(50), np.arange(50)))
        >>> often, _ = whole.heaviest(2)
        >>> whole.narrowed(theta=2**62, heavy=often).heavy()[1].tolist()
        [48, 49]
        """
        self._settle()
        kept = self._capacity if capacity is None else min(capacity, self._capacity)
        twin = ProfileSketch(kept, self._seed, origin=self._origin, theta=min(theta, self._theta))
        twin._contributions = self._contributions.copy()
        twin._rows = self._rows
        known = self._entries
        twin._heavy = self._heavy
        if heavy is not None:
            _, apart = of.places(self._heavy[0], heavy)
            if self._rows and not self.exact and (heavy[~apart] >= np.uint64(self._theta)).any():
                problem = "a heavy value is not among those that the sketch has kept"
                raise DataError(compose(problem, hint="choose the heavy values where all are counted."))
            known = of.united([known, of.occurring(self._heavy)])
            twin._heavy = heavy.copy(), of.counts_of(known, heavy)
            known = of.split(known, heavy)[1]
        twin._absorb(known)
        return twin

    def drawn(self, origin: Origin) -> ProfileSketch:
        """A new sketch of the same rows that says where they come from, for what is known only after the last row."""
        twin = self.narrowed()
        twin._origin = origin
        return twin

    def heaviest(self, number: int) -> Entries:
        """The most frequent of the values whose rows are known exactly, `number` of them or all there are.

        Only in an exact sketch are they the most frequent of all values.

        Returns: (hashes ascending, uint64; rows, int64).
        """
        self._settle()
        return of.largest(of.united([self._entries, of.occurring(self._heavy)]), number)

    def heavy(self) -> Entries:
        """The values counted apart, (hashes ascending, uint64; rows, int64); a value may have no row here."""
        return self._heavy[0].copy(), self._heavy[1].copy()

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
    def origin(self) -> Origin:
        """How the rows were drawn."""
        return self._origin

    @property
    def contributions(self) -> int:
        """Contributions with an id that are in this sketch."""
        return self._contributions.number

    @property
    def digest(self) -> bytes:
        """16 bytes that stand for the set of those ids."""
        return self._contributions.digest

    @property
    def theta(self) -> int:
        """Values with a hash below this are kept; 2**64 means all of them, so that every number is exact."""
        self._settle()
        return self._theta

    @property
    def entries(self) -> int:
        """Values kept now, the heavy ones not included."""
        self._settle()
        return len(self._entries[0])

    @property
    def exact(self) -> bool:
        """Whether every distinct value was kept."""
        return self.theta == FULL

    def distinct(self) -> float:
        """Estimated number of distinct values: entries / p with p = theta / 2**64, and the heavy values; unbiased,
        exact when p = 1."""
        return self.entries * (FULL / self._theta) + int(np.count_nonzero(self._heavy[1]))

    def profile(self) -> dict[int, float]:
        """Estimated number of values per row count, {i: f_i}, ascending in i; the f_i add up to `distinct()`."""
        self._settle()
        sizes, values = np.unique(self._entries[1], return_counts=True)
        scale = FULL / self._theta
        found = {int(size): float(count) * scale for size, count in zip(sizes, values, strict=True)}
        if len(self._heavy[0]):
            for count in of.occurring(self._heavy)[1].tolist():
                found[count] = found.get(count, 0.0) + 1.0
            found = dict(sorted(found.items()))
        return found

    def rse(self) -> float:
        """Relative standard error of `distinct()`: sqrt((1 - p) * entries) / p / distinct, 0 when exact."""
        if self.exact or not self.entries:
            return 0.0
        p = self._theta / FULL
        return math.sqrt((1 - p) * self.entries) / p / self.distinct()

    def to_bytes(self) -> bytes:
        """The sketch in the NDVP form; the same rows give the same bytes."""
        self._settle()
        drawn, ids = self._origin, self._contributions
        record = ndvp.Record(
            self._seed,
            self._theta,
            self._capacity,
            self._rows,
            self._entries,
            int(drawn.population),
            float(drawn.rate),
            KINDS.index(drawn.kind),
            int(drawn.blocks),
            ids.digest,
            ids.number,
            self._heavy,
        )
        return ndvp.encode(record)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The sketch stored as `data`.

        Raises:
            DamagedSketch: as `ndvp.decode`.
        """
        record = ndvp.decode(data)
        origin = Origin(record.rate, KINDS[record.sampling], record.population, record.blocks)
        sketch = cls(record.capacity, record.seed, origin=origin, theta=record.theta)
        sketch._contributions = Contributions(record.digest, record.contributions)
        sketch._rows, sketch._entries, sketch._heavy = record.rows, record.entries, record.heavy
        return sketch

    @classmethod
    def of_entries(
        cls, entries: Entries, rows: int, *, theta: int = FULL, capacity: int = CAPACITY, seed: int = 0
    ) -> Self:
        """The sketch with this state, which must be one that rows can lead to.

        Args:
            entries: hashes below theta and the rows of each; not copied.
            rows: non-NULL rows seen.
        """
        sketch = cls(capacity, seed, theta=theta)
        sketch._rows, sketch._entries = rows, entries
        return sketch

    def __repr__(self) -> str:
        return (
            f"ProfileSketch(rows={self.rows}, distinct={self.distinct():.0f}, entries={self.entries}, "
            f"capacity={self.capacity}, seed={self.seed})"
        )
