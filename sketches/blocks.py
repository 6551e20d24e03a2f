"""What a sample of blocks shows of a column: rows and distinct values per block, profiles by row and by block.

The collapse counts a value once per block: the profile by block says how many values lie in 1, 2, .. blocks. The test
for clusters (our design) asks whether the rows could be in random order. If they were, each block would be a random
part of all sampled rows, and the distinct values expected in it follow from the profile of them all. The quotient of
observed and expected values, summed over blocks, is 1 in random order and falls to 1 / (number of blocks) when all
repeats are inside blocks. And the values that two blocks share would be spread over all pairs of blocks, instead of
lying in the few pairs that happen to meet, as they do where a column repeats itself far away.

Memory is bounded: of more than 2**16 values only those with small hashes are kept, as in `profile`.
Source of the collapse: Chaudhuri, Das, Srivastava, "Effective Use of Block-Level Sampling in Statistics Estimation"
(SIGMOD 2004).
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from paretosql.errors import DataError, ProgrammingError, compose
from paretosql.sketches.arguments import FULL, parts
from paretosql.sketches.block_values import BlockValues
from paretosql.sketches.buffers import bits_of
from paretosql.sketches.entries import Counts, Entries, add_up, below, count_sorted, nothing, run_edges, united
from paretosql.sketches.hashing import Values, hash64
from paretosql.sketches.mixing import Words, check_seed

MOST_VALUES: Final = 1 << 16  # our choice: 2.5 MiB, and 0.4 to 0.6 % standard error
CERTAIN: Final = 1.15  # of so many times as many values, a sixteenth shows for certain that they are too many
OCTAVES: Final = 65  # how often a threshold of 2**64 can be halved, and the threshold itself
RUN_ROWS: Final = 4  # our choice: where equal values lie side by side that often, runs are sorted instead of rows
CHANCE: Final = 4.0  # our choice: standard errors; one of 30,000 samples in random order is taken for clustered


@dataclass(frozen=True)
class Blocks:
    """What a block sample has seen of a column, NULL rows left out.

    rows: int64, shape (m,), sampled rows of each block that has any; distinct: float64, their distinct values.
    by_row: the profile of the rows; by_block: the profile of the collapse. Both are scaled up when only a
    share of all hash values was kept.
    kept: that share. changes: pairs of neighbouring rows with different values.
    alone, shared: float64, shape (m,), values of each block that lie in no other one, and in just one other.
    """

    rows: Counts
    distinct: npt.NDArray[np.float64]
    by_row: Mapping[int, float]
    by_block: Mapping[int, float]
    kept: float
    changes: int
    alone: npt.NDArray[np.float64]
    shared: npt.NDArray[np.float64]

    @property
    def n(self) -> int:
        """Sampled rows."""
        return int(self.rows.sum())

    @property
    def rse(self) -> float:
        """Relative standard error that leaving out hashes brings to sums over (block, value) pairs; 0 when none is.

        All pairs of a value stay or go together: the variance of the sum of b over kept values is (1 - kept) / kept
        times the sum of b^2.
        """
        if self.kept >= 1 or not self.by_block:
            return 0.0
        pairs = math.fsum(i * number for i, number in self.by_block.items())
        squares = math.fsum(i * i * number for i, number in self.by_block.items())
        return math.sqrt((1 - self.kept) / self.kept * squares) / pairs

    def _expected(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], float]:
        """Distinct values per block in random order, at most their variance, and the repeats inside blocks."""
        counts = np.fromiter(self.by_row.keys(), np.float64, len(self.by_row))
        numbers = np.fromiter(self.by_row.values(), np.float64, len(self.by_row))
        with np.errstate(divide="ignore"):
            missed = np.exp(np.outer(np.log1p(-self.rows / self.n), counts))
        values = (1 - missed) @ numbers
        return values, ((1 - missed) * missed) @ numbers, max(0.0, float(counts @ numbers) - float(values.sum()))

    @property
    def order(self) -> float:
        """Distinct values per block over those expected in random order: 1 for random, near 0 for clustered rows."""
        return float(self.distinct.sum() / self._expected()[0].sum()) if self.n else 1.0

    @property
    def clustered(self) -> bool:
        """Whether values cluster in blocks: fewer are distinct there than chance leaves, or blocks differ by more, such
        as those of constant and of unique stretches that alternate. Four standard errors; repeats inside blocks are
        taken for Poisson numbers.
        """
        if not self.n:
            return False
        values, variance, repeats = self._expected()
        missing = float(values.sum() - self.distinct.sum())
        if missing > CHANCE * math.sqrt((repeats + 1) / self.kept):
            return True
        # squares of normal deviations would have mean 1 and variance 2; hashes left out add a Poisson error
        squares = (self.distinct - values) ** 2 / (variance + values * (1 / self.kept - 1) + 1)
        return _too_large(squares) or self._meets

    @property
    def _meets(self) -> bool:
        """Whether values that lie in two blocks gather in some of them: those are copies of one another in part."""
        seen = self.shared * self.kept
        expected = seen.sum() * self.rows / self.n
        return _too_large((seen - expected) ** 2 / (expected + 1))

    @property
    def in_runs(self) -> bool:
        """Whether equal values lie side by side in every block, as in a sorted column."""
        return self.changes <= 1.01 * max(0.0, float(self.distinct.sum()) - len(self.rows))


def _too_large(squares: npt.NDArray[np.float64]) -> bool:
    """Whether the sum of squares of what should be standard normal deviations is four standard errors too large."""
    return float(squares.sum()) > len(squares) + CHANCE * math.sqrt(2 * len(squares))


class BlockSample:
    """The rows of sampled blocks by hash, from which `summary` makes the statistics above.

    The state depends on the rows of each block and their order there, not on batches; parts with different blocks
    merge. The rows of a block must arrive one after the other, in order.

    Memory: the values of one block, and 2**18 others at most.

    >>> import pyarrow as pa
    >>> sample = BlockSample().update(pa.array([5, 5, 6, 6, 7, 7]), np.array([0, 0, 0, 1, 1, 1]))
    >>> dict(sample.summary().by_block)
    {1: 2.0, 2: 1.0}
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = check_seed(seed)
        self._theta = FULL
        self._rows: dict[int, int] = {}
        self._changes = 0
        self._octaves: dict[int, Counts] = {}  # of each block, its values with a hash below 2**64, 2**63, ..
        self._open: int | None = None  # the block whose rows arrive
        self._last = np.uint64(0)  # hash of its last row
        self._pieces: list[Entries] = []
        self._parts: list[BlockValues] = []

    @property
    def rows(self) -> int:
        """Rows seen that are not NULL."""
        return sum(self._rows.values())

    @property
    def blocks(self) -> int:
        """Blocks that have shown a row that is not NULL."""
        return len(self._rows)

    def update(self, values: Values, blocks: npt.NDArray[np.integer]) -> Self:
        """Add rows: an Arrow or numpy column of n values, and the block of each, shape (n,).

        Raises:
            NotSupportedError, ProgrammingError: as `hash64`; ProgrammingError also for a block that has ended.
        """
        if len(values) != len(blocks):
            raise ProgrammingError(compose(f"{len(values)} values cannot have {len(blocks)} blocks"))
        start = 0
        for part in parts(values):
            own = blocks[start : start + len(part)]
            start += len(part)
            edges = np.flatnonzero(own[1:] != own[:-1]) + 1
            for low, high in zip([0, *edges.tolist()], [*edges.tolist(), len(own)], strict=True):
                if high > low:
                    self._hash(int(own[low]), part.slice(low, high - low))
        return self

    def _hash(self, block: int, part: pa.Array) -> None:
        """Add rows of one block; where equal numbers lie side by side, one of them is hashed for all."""
        raw = bits_of(part)
        if raw is not None:
            turned = raw[1:] != raw[:-1]
            if np.count_nonzero(turned) < len(raw) // RUN_ROWS:
                edges = run_edges(turned)
                words, _ = hash64(part.take(pa.array(edges[:-1])), self._seed)
                self._take(block, words, np.diff(edges))
                return
        words, valid = hash64(part, self._seed)
        words = words if valid is None else words[valid]
        if len(words):
            self._take(block, words)

    def _take(self, block: int, words: Words, lengths: Counts | None = None) -> None:
        """Add rows of one block by hash, or runs of equal rows."""
        goes_on = block == self._open
        if not goes_on:
            self._end()
            if block in self._rows:
                raise ProgrammingError(compose(f"block {block} has ended", hint="pass the rows of a block in order."))
            self._open, self._rows[block] = block, 0
        turned = words[1:] != words[:-1]
        turns = int(np.count_nonzero(turned))
        self._rows[block] += len(words) if lengths is None else int(lengths.sum())
        self._changes += turns + (goes_on and bool(self._last != words[0]))
        self._last = words[-1]
        if lengths is not None:
            piece = below(add_up(words, lengths), self._theta)
        elif turns < len(words) // RUN_ROWS:
            edges = run_edges(turned)
            piece = below(add_up(words[edges[:-1]], np.diff(edges)), self._theta)
        else:
            kept = words if self._theta == FULL else words[words < np.uint64(self._theta)]
            piece = count_sorted(np.sort(kept)) if len(kept) else nothing()
        self._pieces.append(piece)
        if len(self._pieces) > 1 and sum(len(keys) for keys, _ in self._pieces) > 4 * MOST_VALUES:
            self._pieces = [united(self._pieces)]
            while len(self._pieces[0][0]) > 4 * MOST_VALUES:  # more than all blocks together may keep in the end
                self._theta //= 2
                self._pieces = [below(self._pieces[0], self._theta)]

    def _end(self) -> None:
        """End the block whose rows have arrived."""
        if self._open is None:
            return
        keys, rows = united(self._pieces)
        limits = np.array([(1 << 64 - octave) - 1 for octave in range(OCTAVES)], np.uint64)
        self._octaves[self._open] = np.searchsorted(keys, limits, side="right").astype(np.int64)
        self._parts.append(BlockValues.of_block(self._open, keys, rows))
        self._open, self._pieces = None, []
        if self._pairs() > MOST_VALUES:
            self._halve()
        if self._pairs() > 2 * MOST_VALUES:  # few values in many blocks
            self._unite()

    def _pairs(self) -> int:
        return sum(len(part.keys) for part in self._parts)

    def _halve(self) -> None:
        """Halve the threshold as often as will be needed for certain: a sixteenth of the values says how many there
        are, with a standard error of 1.5 % where it matters.
        """
        keys = np.concatenate([part.below(self._theta // 16).keys for part in self._parts])
        keys.sort()
        values = 16 * (1 + np.count_nonzero(keys[1:] != keys[:-1]))
        while values > CERTAIN * MOST_VALUES:
            self._theta //= 2
            values //= 2
        self._parts = [part.below(self._theta) for part in self._parts]

    def _unite(self) -> BlockValues:
        """All values so far, after the threshold has been halved until they are few enough."""
        parts = [part.below(self._theta) for part in self._parts]
        if sum(len(part.keys) for part in parts) > MOST_VALUES:  # hashes first: most of the rest may not be needed
            keys = np.concatenate([part.keys for part in parts])
            keys.sort()
            keys = keys[np.concatenate([[True], keys[1:] != keys[:-1]])]
            while np.searchsorted(keys, np.uint64(self._theta - 1), side="right") > MOST_VALUES:
                self._theta //= 2
            parts = [part.below(self._theta) for part in parts]
        self._parts = [BlockValues.united(parts or [BlockValues.of_block(0, *nothing())])]
        return self._parts[0]

    def merge(self, other: Self) -> Self:
        """Add the blocks that `other` has seen, none of which this sample has, and return this sample.

        Raises:
            DataError: the seeds differ, or both have rows of one block.
        """
        if self._seed != other._seed or self._rows.keys() & other._rows.keys():
            raise DataError(compose("these samples do not merge", hint="use one seed, and each block in one sample."))
        self._end()
        other._end()
        self._theta = min(self._theta, other._theta)
        self._rows |= other._rows
        self._octaves |= other._octaves
        self._changes += other._changes
        self._parts += other._parts
        self._unite()
        return self

    def to_bytes(self) -> bytes:
        """The state for a place that will merge it: two Arrow streams, of this version only."""
        self._end()
        whole, order = self._unite(), sorted(self._rows)
        counted = {"block": order, "rows": [self._rows[block] for block in order]}
        octaves = np.array([self._octaves[block] for block in order], np.int64).reshape(len(order), OCTAVES)
        columns = {name: pa.array(each, pa.int64()) for name, each in counted.items()}
        columns["octaves"] = pa.FixedSizeListArray.from_arrays(pa.array(octaves.ravel()), OCTAVES)
        state = {"seed": str(self._seed), "theta": str(self._theta), "changes": str(self._changes)}
        values = pa.table({each.name: pa.array(getattr(whole, each.name)) for each in fields(whole)})
        sink = io.BytesIO()
        for table in (pa.table(columns).replace_schema_metadata(state), values):
            with pa.ipc.new_stream(sink, table.schema) as writer:
                writer.write_table(table)
        return sink.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The sample that `to_bytes` wrote.

        Raises:
            DataError: the bytes are no such sample.
        """
        try:
            source = io.BytesIO(data)
            tables = []
            for _ in range(2):
                with pa.ipc.open_stream(source) as reader:
                    tables.append(reader.read_all().combine_chunks())
            state = tables[0].schema.metadata
            sample = cls(int(state[b"seed"]))
            sample._theta, sample._changes = int(state[b"theta"]), int(state[b"changes"])
            blocks, rows, octaves = (column.to_pylist() for column in tables[0].columns)
            sample._rows = dict(zip(blocks, rows, strict=True))
            sample._octaves = {block: np.array(each, np.int64) for block, each in zip(blocks, octaves, strict=True)}
            sample._parts = [BlockValues(*(tables[1].column(each.name).to_numpy() for each in fields(BlockValues)))]
        except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as fault:
            raise DataError(compose("these bytes are no block sample")) from fault
        return sample

    def summary(self) -> Blocks:
        """The statistics of all rows so far, which ends the last block. O(values log values)."""
        self._end()
        whole = self._unite()
        scale = FULL / self._theta
        octave = FULL.bit_length() - self._theta.bit_length()
        order = np.array(sorted(self._rows), np.int64)
        once, twice = whole.blocks == 1, whole.blocks == 2
        pairs = np.concatenate([whole.first[twice], whole.second[twice]])
        return Blocks(
            np.array([self._rows[block] for block in order.tolist()], np.int64),
            np.array([self._octaves[block][octave] * scale for block in order.tolist()], np.float64),
            _profile(whole.rows, scale),
            _profile(whole.blocks, scale),
            1 / scale,
            self._changes,
            _per_block(whole.first[once], order) * scale,
            _per_block(pairs, order) * scale,
        )


def _per_block(owners: Counts, order: Counts) -> npt.NDArray[np.float64]:
    """How often each block of the ascending `order` is among the owners."""
    return np.bincount(np.searchsorted(order, owners), minlength=len(order)).astype(np.float64)


def _profile(counts: Counts, scale: float) -> dict[int, float]:
    sizes, numbers = np.unique(counts, return_counts=True)
    return {int(size): float(number) * scale for size, number in zip(sizes, numbers, strict=True)}
