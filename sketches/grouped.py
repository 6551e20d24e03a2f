"""Many profile samples at once: one per group, in flat arrays.

A `GroupedSketch` is to GROUP BY what a `ProfileSketch` is to a column. Each group keeps the smallest hashes it has
seen, with counts, and a threshold of its own. All groups live in shared arrays sorted by (group, hash), so a million
groups cost no Python object each. Groups can be merged into coarser ones, which is what ROLLUP needs.

Source: our design, after the capped distinct samples of Gibbons (VLDB 2001).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from paretosql.errors import DataError, ProgrammingError, compose
from paretosql.sketches import ndvg
from paretosql.sketches.arguments import FULL, check_capacity, check_seeds_agree, parts
from paretosql.sketches.group_state import KEEP_ALL, GroupState, add_rows, no_groups, unite
from paretosql.sketches.hashing import Values, hash64
from paretosql.sketches.mixing import Words, check_seed
from paretosql.sketches.pairs import Counts, collapse
from paretosql.sketches.profile import CAPACITY, ProfileSketch

BUDGET: Final = 2_097_152  # our choice: entries over all groups, 16 bytes each
MIN_CAPACITY: Final = 256  # our choice: 6 % standard error; the budget gives way before this does
PENDING_ROWS: Final = 1 << 18  # our choice: rows gathered at least before they are sorted in


Pending = tuple[Words, Words, Counts | None]  # group ids, hashes, rows that each stands for


class GroupedSketch:
    """One sample of distinct values per group.

    Every group keeps at most `capacity` values. While all groups together hold more than `budget` entries, the capacity
    of all of them halves, but not below 256 (or the starting capacity, if that is smaller). So the standard error of a
    large group is 1 / sqrt(capacity), 0.4 %, with up to budget / capacity = 32 of them, grows with the square root of
    their number to 6 % at budget / 256 = 8,192, and stays there while memory grows instead. Groups with fewer values
    than the capacity stay exact. As in `ProfileSketch`, the state depends on the rows only, not on order or batches.

    Args:
        capacity: values kept per group to start with, 1..2**32-1.
        seed: of the hash, 0..2**64-1.
        budget: entries over all groups, 1..2**32-1.
    Cost:
        per row the hash, then 15 ns (few values) to 150 ns (a million groups); memory 16 bytes per entry and 32 per
        group, and about as much again three times while rows are sorted in.

    >>> import pyarrow as pa
    >>> days = np.array([1, 1, 2, 2], np.uint64)
    >>> sketch = GroupedSketch().update(days, pa.array(["tea", "milk", "tea", None]))
    >>> sketch.groups().tolist(), sketch.rows().tolist(), sketch.distinct().tolist()
    ([1, 2], [2, 1], [2.0, 1.0])
    """

    def __init__(self, capacity: int = CAPACITY, seed: int = 0, budget: int = BUDGET) -> None:
        capacity = check_capacity(capacity)
        floor = min(MIN_CAPACITY, capacity)
        self._state = no_groups(check_seed(seed), capacity, floor, check_capacity(budget, "budget"))
        self._start = capacity
        self._pending: list[Pending] = []
        self._null_groups: list[Words] = []
        self._waiting = 0

    def update(self, groups: npt.NDArray[np.uint64], values: Values, counts: Counts | None = None) -> Self:
        """Add the rows of a column to their groups and return this sketch.

        Args:
            groups: uint64 group id of each row, shape (n,).
            values: n rows. NULL rows do not count, but their groups exist from then on.
            counts: int64, shape (n,): how many rows each one stands for, when equal rows were counted before; None
                means 1 each.
        Raises:
            ProgrammingError: groups is not a uint64 array of n rows.
            NotSupportedError: as `hash64`.
        """
        groups = check_ids(groups, "groups")
        if len(groups) != len(values):
            raise ProgrammingError(compose(f"{len(groups)} group ids do not fit {len(values)} rows"))
        start = 0
        for part in parts(values):
            chosen = slice(start, start + len(part))
            start += len(part)
            ids = groups[chosen].copy()  # callers may reuse their arrays before these rows are sorted
            weights = None if counts is None else counts[chosen].copy()
            words, valid = hash64(part, self._state.seed)
            if valid is not None:
                self._null_groups.append(ids[~valid])
                words, ids = words[valid], ids[valid]
                weights = None if weights is None else weights[valid]
            self._pending.append((ids, words, weights))
            self._waiting += len(part)
            if self._waiting >= max(PENDING_ROWS, len(self._state.keys)):
                self._settle()
        return self

    def _settle(self) -> GroupState:
        """Sort the waiting rows into the state, and return the state."""
        if self._waiting:
            ids = np.concatenate([part for part, _, _ in self._pending])
            words = np.concatenate([part for _, part, _ in self._pending])
            weights = _joined_weights(self._pending)
            nulls = self._null_groups
            self._pending, self._null_groups, self._waiting = [], [], 0
            self._state = add_rows(self._state, ids, words, nulls, weights)
        return self._state

    def merge(self, other: Self) -> Self:
        """Add the rows that `other` has seen and return this sketch; `other` does not change.

        A group in both gets the smaller threshold. Capacity and budget become the smaller ones. A sketch without groups
        changes nothing.

        Raises:
            DataError: `other` has another seed.
        """
        if not isinstance(other, GroupedSketch):
            raise ProgrammingError(compose(f"a GroupedSketch cannot merge a {type(other).__name__}"))
        left, right = self._settle(), other._settle()
        check_seeds_agree(left.seed, right.seed)
        if bool(len(left.groups)) == bool(len(right.groups)):
            self._state = unite([left, right], np.concatenate([left.groups, right.groups]))
        elif len(right.groups):
            self._state = right
        return self

    def regroup(self, fine: npt.NDArray[np.uint64], coarse: npt.NDArray[np.uint64]) -> GroupedSketch:
        """A new sketch in which groups are merged: fine[i] becomes a part of coarse[i].

        Rows add up, and a coarse group has the smallest threshold of its parts. This sketch does not change.

        Args:
            fine: uint64, shape (m,), must name every group of this sketch; others are ignored.
            coarse: uint64, shape (m,).
        Raises:
            ProgrammingError: not uint64 arrays of one length.
            DataError: a group is not in `fine`, or goes to two coarse groups.
        """
        fine, coarse = check_ids(fine, "fine"), check_ids(coarse, "coarse")
        if len(fine) != len(coarse):
            raise ProgrammingError(compose(f"{len(fine)} fine groups do not fit {len(coarse)} coarse groups"))
        state = self._settle()
        order = np.lexsort((coarse, fine))
        fine, coarse = fine[order], coarse[order]
        if ((fine[1:] == fine[:-1]) & (coarse[1:] != coarse[:-1])).any():
            raise DataError(compose("a fine group goes to two coarse groups", hint="regroup once for each grouping."))
        place = np.minimum(np.searchsorted(fine, state.groups), max(0, len(fine) - 1))
        if len(state.groups) and (not len(fine) or (fine[place] != state.groups).any()):
            raise DataError(compose("a group of the sketch has no coarse group", hint="`fine` names all of groups()."))
        # groups cut to a halved capacity bring their thresholds along; those that were not can fill the whole one again
        result = GroupedSketch(self._start, state.seed, state.budget)
        result._state = unite([replace(state, capacity=self._start)], coarse[place] if len(fine) else state.groups)
        return result

    def groups(self) -> Words:
        """The group ids seen, ascending, shape (g,)."""
        return self._settle().groups.copy()

    def rows(self) -> Counts:
        """Non-NULL rows of each group, shape (g,)."""
        return self._settle().rows.copy()

    def sampled(self) -> npt.NDArray[np.float64]:
        """The part p = theta / 2**64 of the values that each group keeps, shape (g,); 1 means exact."""
        limits = self._settle().limits
        return np.where(limits == KEEP_ALL, 1.0, (limits.astype(np.float64) + 1.0) / 2.0**64)

    def distinct(self) -> npt.NDArray[np.float64]:
        """Estimated distinct values of each group, entries / p, shape (g,); exact where p = 1."""
        p = self.sampled()
        return self._state.sizes / p

    def rse(self) -> npt.NDArray[np.float64]:
        """Relative standard error of `distinct()`, sqrt((1 - p) / entries), shape (g,); 0 where exact."""
        p = self.sampled()
        return np.sqrt((1.0 - p) / np.maximum(self._state.sizes, 1))

    def profile(self, index: int) -> dict[int, float]:
        """Estimated number of values per row count, {i: f_i}, of the group at `index` of `groups()`.

        Raises: DataError: there is no such group.
        """
        state = self._settle()
        if not 0 <= index < len(state.groups):
            raise DataError(compose(f"there is no group {index}", hint=f"the sketch has {len(state.groups)} groups."))
        p = float(self.sampled()[index])
        end = int(state.sizes[: index + 1].sum())
        sizes, values = np.unique(state.counts[end - int(state.sizes[index]) : end], return_counts=True)
        return {int(size): float(count) / p for size, count in zip(sizes, values, strict=True)}

    def flat_profiles(self) -> tuple[Counts, Counts, npt.NDArray[np.float64]]:
        """The profiles of all groups in flat arrays.

        Returns: (sizes, i, f_i): how many different i each of `groups()` has, shape (g,); then i and f_i group by
            group, ascending in i, both of shape (sum of sizes,).
        """
        state = self._settle()
        owner = np.repeat(np.arange(len(state.groups)), state.sizes)
        sizes, counts, values = collapse(owner, state.counts.view(np.uint64), None, len(state.groups))
        return sizes, counts.view(np.int64), values / np.repeat(self.sampled(), sizes)

    def profiles(self) -> list[dict[int, float]]:
        """The profiles of all groups, in the order of `groups()`; O(entries) sorting, then one dictionary per group."""
        sizes, counts, values = self.flat_profiles()
        ends = np.cumsum(sizes)
        pairs = list(zip(counts.tolist(), values.tolist(), strict=True))
        return [dict(pairs[end - size : end]) for size, end in zip(sizes.tolist(), ends.tolist(), strict=True)]

    def profile_of_all(self) -> dict[int, float]:
        """The profile of (group, value) pairs: how many pairs, over all groups, have each row count."""
        state = self._settle()
        sizes, place = np.unique(state.counts, return_inverse=True)
        values = np.bincount(place, 1.0 / np.repeat(self.sampled(), state.sizes), minlength=len(sizes))
        return dict(zip(sizes.tolist(), values.tolist(), strict=True))

    def sketches(self) -> Iterator[ProfileSketch]:
        """One sketch for each of `groups()`, the same bytes as a ProfileSketch over the rows of the group.

        Its capacity is the starting one where the group is exact, and where it is not, the one that the group was cut
        to. O(entries of the group) each.
        """
        state = self._settle()
        ends = np.cumsum(state.sizes)
        parts = zip(ends.tolist(), state.sizes.tolist(), state.rows.tolist(), state.limits.tolist(), strict=True)
        for end, size, rows, limit in parts:
            theta = limit + 1
            entries = state.keys[end - size : end].copy(), state.counts[end - size : end].copy()
            capacity = self._start if theta == FULL else state.capacity
            yield ProfileSketch.of_entries(entries, rows, theta=theta, capacity=capacity, seed=state.seed)

    @property
    def capacity(self) -> int:
        """Values kept per group at most, after any halving."""
        return self._settle().capacity

    @property
    def entries(self) -> int:
        """Values kept over all groups."""
        return len(self._settle().keys)

    def to_bytes(self) -> bytes:
        """The sketch in the NDVG form; the same rows give the same bytes."""
        return ndvg.encode(self._settle())

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The sketch stored as `data`; DamagedSketch as `ndvg.decode`."""
        state = ndvg.decode(data)
        sketch = cls(state.capacity, state.seed, state.budget)
        sketch._state = state
        return sketch


def _joined_weights(pending: list[Pending]) -> Counts | None:
    """The rows that pending hashes stand for, None when it is one each."""
    if all(weights is None for _, _, weights in pending):
        return None
    return np.concatenate([np.ones(len(ids), np.int64) if weights is None else weights for ids, _, weights in pending])


def check_ids(ids: npt.NDArray[Any], name: str) -> Words:
    """`ids` when it is a flat uint64 array, else ProgrammingError."""
    if not isinstance(ids, np.ndarray) or ids.dtype != np.uint64 or ids.ndim != 1:
        what = f"{ids.dtype} of shape {ids.shape}" if isinstance(ids, np.ndarray) else type(ids).__name__
        raise ProgrammingError(compose(f"{name} must be a flat uint64 array, not {what}"))
    return ids
