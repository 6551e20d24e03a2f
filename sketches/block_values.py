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

from paretosql.sketches.entries import Counts, below, run_edges
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
        keys = np.concatenate([part.keys for part in parts])
        rows = np.concatenate([part.rows for part in parts])
        if not len(keys):
            return cls(keys, rows, rows, rows, rows)
        order = np.argsort(keys, kind="stable")  # linear: the parts are sorted
        ordered = keys[order]
        edges = run_edges(ordered[1:] != ordered[:-1])
        starts, length = edges[:-1], np.diff(edges)
        at = order[starts]
        again = np.flatnonzero(length > 1)  # mostly few: the rest needs no sums
        firsts = np.cumsum(length[again]) - length[again]  # of the others, in `inside`
        inside = order[np.repeat(length > 1, length)]
        if all(part.whole for part in parts):  # every entry is a value of one block
            owner = np.repeat([int(part.first[0]) if len(part.keys) else 0 for part in parts],
                              [len(part.keys) for part in parts])  # fmt: skip
            blocks, first = length, owner[at]
            second, met, other = first.copy(), again[length[again] == 2], owner
        else:
            each_blocks, other, each_second = (
                np.concatenate([getattr(part, name) for part in parts]) for name in ("blocks", "first", "second")
            )
            blocks, first, second = each_blocks[at], other[at], each_second[at]
            if len(again):
                blocks[again] = np.add.reduceat(each_blocks[inside], firsts)
            met = again[(length[again] == 2) & (blocks[again] == 2)]
        second[met] = other[order[starts[met] + 1]]
        found = rows[at]
        if len(again):
            found[again] = np.add.reduceat(rows[inside], firsts)
        return cls(ordered[starts], found, blocks, first, second)

    @property
    def whole(self) -> bool:
        """Whether these are the values of one block, as `of_block` makes them."""
        return self.blocks.strides == (0,)

    def below(self, theta: int) -> Self:
        """Those with a hash below theta."""
        cut = len(below((self.keys, self.rows), theta)[0])
        return type(self)(*(getattr(self, each.name)[:cut] for each in fields(self)))
