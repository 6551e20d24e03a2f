"""What a sample of blocks shows of a column: rows and distinct values per block, profiles by row and by block.

The collapse counts a value once per block: the profile by block says how many values lie in 1, 2, .. blocks. The test
for clusters (our design) asks whether the rows could be in random order. If they were, each block would be a random
part of all sampled rows, and the distinct values expected in it follow from the profile of them all. The quotient of
observed and expected values, summed over blocks, is 1 in random order and falls to 1 / (number of blocks) when all
repeats are inside blocks.

Memory is bounded: of more than 2**16 (block, value) pairs only those with small hashes are kept, as in `profile`.
Source of the collapse: Chaudhuri, Das, Srivastava, "Effective Use of Block-Level Sampling in Statistics Estimation"
(SIGMOD 2004).
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from paretosql.errors import DataError, ProgrammingError, compose
from paretosql.sketches.arguments import FULL, parts
from paretosql.sketches.entries import Counts, Entries, add_up, below, count_sorted, nothing, united
from paretosql.sketches.hashing import Values, hash64
from paretosql.sketches.mixing import Words, check_seed

MOST_PAIRS: Final = 1 << 16  # our choice: 1 MiB, and 0.4 to 0.6 % standard error
RUN_ROWS: Final = 4  # our choice: where equal values lie side by side that often, runs are sorted instead of rows
CHANCE: Final = 4.0  # our choice: standard errors; one of 30,000 samples in random order is taken for clustered


@dataclass(frozen=True)
class Blocks:
    """What a block sample has seen of a column, NULL rows left out.

    rows: int64, shape (m,), sampled rows of each block that has any; distinct: float64, their distinct values.
    by_row: the profile of the rows; by_block: the profile of the collapse. Both are scaled up when only a
    share of all hash values was kept.
    kept: that share. changes: pairs of neighbouring rows with different values.
    alone, shared: float64, shape (m,), values of each block that lie in no other one, and in just one other; None
    unless asked for.
    """

    rows: Counts
    distinct: npt.NDArray[np.float64]
    by_row: Mapping[int, float]
    by_block: Mapping[int, float]
    kept: float = 1.0
    changes: int = 0
    alone: npt.NDArray[np.float64] | None = None
    shared: npt.NDArray[np.float64] | None = None

    @property
    def n(self) -> int:
        """Sampled rows."""
        return int(self.rows.sum())

    @property
    def rse(self) -> float:
        """Relative standard error that leaving out hashes brings to sums over (block, value) pairs; 0 when none is."""
        pairs = self.kept * float(self.distinct.sum())
        return math.sqrt((1 - self.kept) / pairs) if self.kept < 1 and pairs else 0.0

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
        return float(squares.sum()) > len(squares) + CHANCE * math.sqrt(2 * len(squares))

    @property
    def in_runs(self) -> bool:
        """Whether equal values lie side by side in every block, as in a sorted column."""
        return self.changes <= 1.01 * max(0.0, float(self.distinct.sum()) - len(self.rows))


class BlockSample:
    """The rows of sampled blocks by hash, from which `summary` makes the statistics above.

    The state depends on the rows of each block and their order there, not on batches; parts with different blocks
    merge. A block must arrive in order, all in one part.

    >>> import pyarrow as pa
    >>> sample = BlockSample().update(pa.array([5, 5, 6, 6, 7, 7]), np.array([0, 0, 0, 1, 1, 1]))
    >>> dict(sample.summary().by_block)
    {1: 2.0, 2: 1.0}
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = check_seed(seed)
        self._theta = FULL
        self._rows: dict[int, int] = {}
        self._changes: dict[int, int] = {}
        self._last: dict[int, np.uint64] = {}
        self._kept: dict[int, list[Entries]] = {}
        self._pairs = 0

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
            NotSupportedError, ProgrammingError: as `hash64`.
        """
        if len(values) != len(blocks):
            raise ProgrammingError(compose(f"{len(values)} values cannot have {len(blocks)} blocks"))
        start = 0
        for part in parts(values):
            words, valid = hash64(part, self._seed)
            own = blocks[start : start + len(part)]
            start += len(part)
            if valid is not None:
                words, own = words[valid], own[valid]
            edges = np.flatnonzero(own[1:] != own[:-1]) + 1
            for low, high in zip([0, *edges.tolist()], [*edges.tolist(), len(own)], strict=True):
                if high > low:
                    self._take(int(own[low]), words[low:high])
        return self

    def _take(self, block: int, words: Words) -> None:
        """Add rows of one block."""
        known = block in self._last
        turned = words[1:] != words[:-1]
        turns = int(np.count_nonzero(turned))
        border = known and bool(self._last[block] != words[0])
        self._rows[block] = self._rows.get(block, 0) + len(words)
        self._changes[block] = self._changes.get(block, 0) + turns + border
        self._last[block] = words[-1]
        if turns < len(words) // RUN_ROWS:
            starts = np.concatenate([[0], np.flatnonzero(turned) + 1])
            keys, counts = add_up(words[starts], np.diff(starts, append=len(words)))
            keys, counts = below((keys, counts), self._theta)
        else:
            kept = words if self._theta == FULL else words[words < np.uint64(self._theta)]
            keys, counts = count_sorted(np.sort(kept)) if len(kept) else nothing()
        self._kept.setdefault(block, []).append((keys, counts))
        self._pairs += len(keys)
        if self._pairs > 2 * MOST_PAIRS:
            self._shrink()

    def _shrink(self) -> None:
        """Join what each block has, then halve the threshold until the pairs fit."""
        joined = {block: united(pieces) for block, pieces in self._kept.items()}
        self._pairs = sum(len(keys) for keys, _ in joined.values())
        while self._pairs > MOST_PAIRS:
            self._theta //= 2
            joined = {block: below(piece, self._theta) for block, piece in joined.items()}
            self._pairs = sum(len(keys) for keys, _ in joined.values())
        self._kept = {block: [piece] for block, piece in joined.items()}

    def merge(self, other: Self) -> Self:
        """Add the blocks that `other` has seen, none of which this sample has, and return this sample.

        Raises:
            DataError: the seeds differ, or both have rows of one block.
        """
        if self._seed != other._seed or self._rows.keys() & other._rows.keys():
            raise DataError(compose("these samples do not merge", hint="use one seed, and each block in one sample."))
        for name in ("_rows", "_changes", "_last", "_kept"):
            getattr(self, name).update(getattr(other, name))
        if self._theta != other._theta:
            self._theta = min(self._theta, other._theta)
            for block, pieces in self._kept.items():
                self._kept[block] = [below(piece, self._theta) for piece in pieces]
        self._shrink()
        return self

    def to_bytes(self) -> bytes:
        """The state for a place that will merge it: an Arrow stream, of this version only."""
        self._shrink()
        order = sorted(self._rows)
        columns = {
            "block": pa.array(order, pa.int64()),
            "rows": pa.array([self._rows[block] for block in order], pa.int64()),
            "changes": pa.array([self._changes[block] for block in order], pa.int64()),
            "last": pa.array([int(self._last[block]) for block in order], pa.uint64()),
            "keys": pa.array([self._kept[block][0][0] for block in order], pa.large_list(pa.uint64())),
            "counts": pa.array([self._kept[block][0][1] for block in order], pa.large_list(pa.int64())),
        }
        state = {"seed": str(self._seed), "theta": str(self._theta)}
        table = pa.table(columns).replace_schema_metadata(state)
        sink = io.BytesIO()
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
            with pa.ipc.open_stream(io.BytesIO(data)) as reader:
                table = reader.read_all().combine_chunks()
            sample = cls(int(table.schema.metadata[b"seed"]))
            sample._theta = int(table.schema.metadata[b"theta"])
            blocks, rows, changes, last, keys, counts = (column.to_pylist() for column in table.columns)
        except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as fault:
            raise DataError(compose("these bytes are no block sample")) from fault
        sample._rows = dict(zip(blocks, rows, strict=True))
        sample._changes = dict(zip(blocks, changes, strict=True))
        sample._last = {block: np.uint64(word) for block, word in zip(blocks, last, strict=True)}
        pieces = zip(keys, counts, strict=True)
        arrays = [(np.array(key, np.uint64), np.array(count, np.int64)) for key, count in pieces]
        sample._kept = {block: [piece] for block, piece in zip(blocks, arrays, strict=True)}
        sample._pairs = sum(len(key) for key, _ in arrays)
        return sample

    def summary(self, *, recurrence: bool = False) -> Blocks:
        """The statistics of all rows so far, `alone` and `shared` among them if `recurrence`. O(pairs log pairs)."""
        self._shrink()
        scale = FULL / self._theta
        order = sorted(self._rows)
        pieces = [self._kept[block][0] for block in order]
        keys, counts = united(pieces)
        words = np.concatenate([piece[0] for piece in pieces]) if pieces else keys
        once, in_blocks = count_sorted(np.sort(words)) if len(words) else (words, counts)
        lying: list[list[float]] = [[], []]
        if recurrence:
            for piece, _ in pieces:
                number = in_blocks[np.searchsorted(once, piece)]
                for at in (0, 1):
                    lying[at].append(np.count_nonzero(number == at + 1) * scale)
        return Blocks(
            np.array([self._rows[block] for block in order], np.int64),
            np.array([len(piece[0]) * scale for piece in pieces], np.float64),
            _profile(counts, scale),
            _profile(in_blocks, scale),
            1 / scale,
            sum(self._changes.values()),
            *([np.array(each, np.float64) for each in lying] if recurrence else ()),
        )


def _profile(counts: Counts, scale: float) -> dict[int, float]:
    sizes, numbers = np.unique(counts, return_counts=True)
    return {int(size): float(number) * scale for size, number in zip(sizes, numbers, strict=True)}
