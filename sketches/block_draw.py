"""Which blocks of a table a block sample reads.

A table is stored in groups of rows that are read whole: row groups of a Parquet file. A block is what is drawn at
random: a stretch of consecutive rows inside one group. Blocks are drawn one by one, independent of each other, and not
one per equal part of the table. The estimators learn from values that lie in two blocks how often values recur; if
neighbours were never drawn together, a value that lives for a day would always be seen once and counted for many.

How many: a group that is read costs its bytes, so the rate says how many groups. When that is 32 or more, a block is a
group. When it is less, more groups are touched and part of each is used, because many small blocks tell more than few
large ones: in a table of at most 128 groups 32 blocks, in a larger one half as many again as the rate says, and 12 at
least. All of this is our choice; 30 blocks are what ndv estimators need for the collapse of `blocks`.

>>> picked = draw(np.full(814, 122_880), rate=0.01, seed=1)
>>> len(picked.group), round(picked.rows / picked.of_rows, 4)
(12, 0.01)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from paretosql.errors import DataError, compose

Ints = npt.NDArray[np.int64]

PLENTY: Final = 32  # blocks; our choice, a little over the 30 that the collapse needs
SMALL_TABLE: Final = 128  # groups; our choice: 16 million rows, of which 32 groups are read in a tenth of a second
FEWEST: Final = 12  # blocks of a large table; our choice
STRETCH: Final = 1.5  # groups touched for each group's worth of rows; our choice: a 1 % sample reads 1.5 % of the bytes


@dataclass(frozen=True)
class Draw:
    """Blocks, in the order of the table: rows `start` to `stop` (exclusive) of each `group`; int64 arrays, shape (m,).

    of_groups, of_rows: the whole table.
    """

    group: Ints
    start: Ints
    stop: Ints
    of_groups: int
    of_rows: int

    @property
    def rows(self) -> int:
        """Rows of all blocks."""
        return int((self.stop - self.start).sum())

    @property
    def groups(self) -> int:
        """Groups that hold a block."""
        return len(np.unique(self.group))

    @property
    def share(self) -> float:
        """The part of the table's rows that the blocks hold; 1 for a table without rows."""
        return self.rows / self.of_rows if self.of_rows else 1.0


def draw(sizes: npt.ArrayLike, rate: float, seed: int) -> Draw:
    """Draw blocks that hold about `rate` of the rows.

    Every row has about the same chance, whatever the size of its group. The blocks do not overlap. At least one row is
    drawn from a table that has one.

    Args:
        sizes: rows of each group, shape (K,), at least 0.
        rate: above 0, at most 1.
        seed: the same sizes, rate and seed give the same blocks.
    Raises:
        DataError: a size is negative, or the rate out of range.
    Cost: O(K log K).
    """
    groups = np.asarray(sizes, np.int64)
    if (groups < 0).any() or not 0 < rate <= 1:
        raise DataError(compose(f"a block sample needs sizes of at least 0 and a rate in (0, 1], not {rate}"))
    total, filled = int(groups.sum()), int((groups > 0).sum())
    wanted = max(1, round(total * rate))
    count = min(wanted, _blocks(filled, rate))
    size = max(1, round(wanted / count))
    group, low, high = _cells(groups, size)
    weight = np.maximum(high - low, size)  # a cell too small for a block gives fewer rows, so each as often as any
    if total:
        count = max(1, round(count * int(weight.sum()) / total))
    random = np.random.default_rng(seed)
    race = random.exponential(size=len(group)) / weight  # the first ones are drawn in proportion to their weights
    chosen = np.sort(np.argsort(race, kind="stable")[:count])
    group, low, high = group[chosen], low[chosen], high[chosen]
    start = low + random.integers(0, np.maximum(high - low - size, 0) + 1)
    return Draw(group, start, np.minimum(start + size, high), len(groups), total)


def _blocks(groups: int, rate: float) -> int:
    """How many blocks to draw from this many groups with rows."""
    whole = rate * groups
    if whole >= PLENTY:
        return round(whole)
    if groups <= SMALL_TABLE:
        return PLENTY
    return min(PLENTY, max(FEWEST, round(STRETCH * whole)))


def _cells(groups: Ints, size: int) -> tuple[Ints, Ints, Ints]:
    """Every group cut into equal cells of at least `size` rows if it has them: group, first row, end of each cell."""
    pieces = np.where(groups > 0, np.maximum(1, groups // size), 0)
    group = np.repeat(np.arange(len(groups)), pieces)
    at = np.arange(len(group)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    rows, parts = groups[group], pieces[group]
    return group, at * rows // parts, (at + 1) * rows // parts
