"""The values of sampled blocks by hash: how many rows each has, and in which blocks it lies.

The table under `blocks.BlockSample`: it grows with the values, not with the pairs of value and block, and still tells
which blocks a value lies in as long as there are no more than two of them. That is what recurrence is learned from.

Source: our design.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from paretosql.sketches.entries import Counts, below
from paretosql.sketches.mixing import Words


@dataclass(frozen=True)
class BlockValues:
    """Kept values: hashes ascending; of each its sampled rows, in how many blocks it lies, and the first two of them
    (the second means nothing where there is one, or more than two). Arrays of one shape."""

    keys: Words
    rows: Counts
    blocks: Counts
    first: Counts
    second: Counts

    @classmethod
    def of_block(cls, block: int, keys: Words, rows: Counts) -> Self:
        """The values of one block: hashes ascending, and the rows of each."""
        one, own = (np.broadcast_to(np.int64(each), len(keys)) for each in (1, block))  # views of one number
        return cls(keys, rows, one, own, own)

    @classmethod
    def united(cls, parts: Sequence[Self]) -> Self:
        """All values of parts that have no block in common; linear but for a sort of the hashes."""
        if len(parts) == 1:
            return parts[0]
        keys, rows, blocks, first, second = (
            np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(cls)
        )
        if not len(keys):
            return cls(keys, rows, blocks, first, second)
        order = np.argsort(keys, kind="stable")  # linear: the parts are sorted
        keys, rows, blocks, first, second = (each[order] for each in (keys, rows, blocks, first, second))
        starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
        number = np.add.reduceat(blocks, starts)
        met = (number == 2) & (blocks[starts] == 1)
        others = second[starts]
        others[met] = first[starts[met] + 1]
        return cls(keys[starts], np.add.reduceat(rows, starts), number, first[starts], others)

    def below(self, theta: int) -> Self:
        """Those with a hash below theta."""
        cut = len(below((self.keys, self.rows), theta)[0])
        return type(self)(*(getattr(self, each.name)[:cut] for each in fields(self)))
