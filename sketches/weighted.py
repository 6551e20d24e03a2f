"""Sums over distinct values: the revenue of the users that were seen, each user counted once, per group and mergeable.

A `WeightedSketch` keeps, of each group, the smallest hashes with one number each. While a group has at most `capacity`
distinct values, the sum of their numbers is exact; beyond, each kept number stands for 1/p of them, p the part of the
hash range that is kept.

The number of a value should depend on the value alone. Where rows of one value carry different numbers, the largest
counts, since that is the one choice that depends neither on the order of the rows nor on how they are split.

Source: the estimator of Horvitz and Thompson (JASA 1952) on a bottom-k sample; taking the largest is our choice.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from paretosql.errors import DataError, ProgrammingError, compose
from paretosql.sketches.arguments import check_capacity, check_seeds_agree, parts
from paretosql.sketches.envelope import DamagedSketch, seal, unseal
from paretosql.sketches.group_state import KEEP_ALL
from paretosql.sketches.grouped import BUDGET, MIN_CAPACITY, check_ids
from paretosql.sketches.hashing import Values, hash64
from paretosql.sketches.mixing import HASH_ID, Words, check_seed
from paretosql.sketches.pairs import Counts, Ranks, dense, order_pairs
from paretosql.sketches.profile import CAPACITY

Numbers = npt.NDArray[np.float64]

MAGIC: Final = b"NDVW"
VERSION: Final = 1
HEADER: Final = struct.Struct("<4sBBxxQIIQQ")  # .., hash id, seed, capacity to start with and now, groups, entries


@dataclass(frozen=True)
class _State:
    """Samples of many groups in flat arrays: groups, limits and sizes of shape (g,), keys and weights by group."""

    groups: Words
    limits: Words  # the largest hash that may be kept
    sizes: Counts
    keys: Words
    weights: Numbers


def _nothing() -> _State:
    words = np.empty(0, np.uint64)
    return _State(words, words, np.empty(0, np.int64), words, np.empty(0, np.float64))


class WeightedSketch:
    """One sample of (distinct value, number) pairs per group.

    Args:
        capacity: values kept per group to start with. It halves while all groups together hold more than 2,097,152
            entries, but not below 256, as in `GroupedSketch`.
        seed: of the hash.
    Cost:
        per row the hash and about 50 ns; memory 24 bytes per entry and group.

    >>> import pyarrow as pa
    >>> users, paid = pa.array(["ada", "bob", "ada"]), np.array([10.0, 2.5, 10.0])
    >>> WeightedSketch().update(np.zeros(3, np.uint64), users, paid).sums().tolist()
    [12.5]
    """

    def __init__(self, capacity: int = CAPACITY, seed: int = 0) -> None:
        self._start = self._capacity = check_capacity(capacity)
        self._seed = check_seed(seed)
        self._state = _nothing()

    def update(self, groups: npt.NDArray[np.uint64], values: Values, weights: Numbers) -> Self:
        """Add rows to their groups and return this sketch.

        Args:
            groups: uint64 group id of each row, shape (n,).
            values: n rows; NULL ones do not count.
            weights: float64, shape (n,): the number of each row's value.
        Raises:
            ProgrammingError: the three differ in length, or groups is not a uint64 array.
            NotSupportedError: as `hash64`.
        """
        groups = check_ids(groups, "groups")
        if not len(groups) == len(values) == len(weights):
            problem = f"{len(groups)} group ids and {len(weights)} weights do not fit {len(values)} rows"
            raise ProgrammingError(compose(problem))
        start = 0
        for part in parts(values):
            chosen = slice(start, start + len(part))
            start += len(part)
            words, valid = hash64(part, self._seed)
            ids, numbers = groups[chosen], weights[chosen]
            if valid is not None:
                words, ids, numbers = words[valid], ids[valid], numbers[valid]
            if len(words):
                self._add(ids, np.full(len(ids), KEEP_ALL), words, numbers)
        return self

    def _add(self, ids: Words, limits: Words, words: Words, weights: Numbers) -> None:
        """Sort in pairs of groups under limits, one id and limit per pair."""
        state = self._state
        owners = np.concatenate([np.repeat(state.groups, state.sizes), ids])
        groups, ranks = dense(np.concatenate([state.groups, owners]))
        known, ranks = ranks[: len(state.groups)], ranks[len(state.groups) :]
        cuts = np.full(len(groups), KEEP_ALL)
        cuts[known] = state.limits
        np.minimum.at(cuts, ranks[len(state.keys) :], limits)
        self._cut(groups, cuts, ranks, np.concatenate([state.keys, words]), np.concatenate([state.weights, weights]))

    def _cut(self, groups: Words, limits: Words, ranks: Ranks, words: Words, weights: Numbers) -> None:
        """Make these pairs the state: the largest weight of equal pairs, within limits, capacity and budget."""
        below = np.flatnonzero(words <= limits.take(ranks))
        order, ranks, words = order_pairs(ranks.take(below), words.take(below), len(groups))
        fresh = np.ones(len(words), bool)
        fresh[1:] = (words[1:] != words[:-1]) | (ranks[1:] != ranks[:-1])
        starts = np.flatnonzero(fresh)
        largest = np.maximum.reduceat(weights.take(below).take(order), starts) if len(starts) else np.empty(0)
        keys, ranks = words.take(starts), ranks.take(starts)
        sizes = np.bincount(ranks, minlength=len(groups))
        floor = min(MIN_CAPACITY, self._start)
        while self._capacity > floor and np.minimum(sizes, self._capacity).sum() > BUDGET:
            self._capacity = max(floor, self._capacity // 2)
        full = np.flatnonzero(sizes > self._capacity)
        if len(full):
            firsts = np.cumsum(sizes) - sizes
            limits[full] = keys[firsts[full] + self._capacity] - np.uint64(1)
            kept = np.flatnonzero(np.arange(len(keys)) - np.repeat(firsts, sizes) < self._capacity)
            keys, largest, sizes = keys.take(kept), largest.take(kept), np.minimum(sizes, self._capacity)
        self._state = _State(groups, limits, sizes, keys, largest)

    def merge(self, other: Self) -> Self:
        """Add the rows that `other` has seen and return this sketch; `other` does not change.

        Raises:
            DataError: `other` has another seed.
        """
        if not isinstance(other, WeightedSketch):
            raise ProgrammingError(compose(f"a WeightedSketch cannot merge a {type(other).__name__}"))
        check_seeds_agree(self._seed, other._seed)
        theirs = other._state
        if len(theirs.groups):
            self._capacity = min(self._capacity, other._capacity)
            owners = np.repeat(theirs.groups, theirs.sizes)
            self._add(owners, np.repeat(theirs.limits, theirs.sizes), theirs.keys, theirs.weights)
        return self

    def regroup(self, fine: npt.NDArray[np.uint64], coarse: npt.NDArray[np.uint64]) -> WeightedSketch:
        """A new sketch in which groups are merged: fine[i] becomes a part of coarse[i].

        Args:
            fine: uint64, shape (m,), ascending, must name every group of this sketch; others are ignored.
            coarse: uint64, shape (m,).
        Raises:
            DataError: a group is not in `fine`.
        """
        fine, coarse, state = check_ids(fine, "fine"), check_ids(coarse, "coarse"), self._state
        place = np.minimum(np.searchsorted(fine, state.groups), max(0, len(fine) - 1))
        if len(state.groups) and (not len(fine) or (fine[place] != state.groups).any()):
            raise DataError(compose("a group of the sketch has no coarse group", hint="`fine` names all of groups()."))
        made = WeightedSketch(self._start, self._seed)
        targets = np.repeat(coarse[place], state.sizes) if len(fine) else state.groups
        made._add(targets, np.repeat(state.limits, state.sizes), state.keys, state.weights)
        return made

    def groups(self) -> Words:
        """The ids of groups with a value, ascending, shape (g,)."""
        return self._state.groups.copy()

    def sampled(self) -> Numbers:
        """The part p of the values that each group keeps, shape (g,); 1 means exact."""
        limits = self._state.limits
        return np.where(limits == KEEP_ALL, 1.0, (limits.astype(np.float64) + 1.0) / 2.0**64)

    def sums(self) -> Numbers:
        """The estimated sum of each group, sum of w / p, shape (g,); unbiased, exact where p = 1."""
        return self._totals(self._state.weights) / self.sampled()

    def deviations(self) -> Numbers:
        """The standard error of `sums()`, sqrt(sum of w^2 (1 - p)) / p, shape (g,); 0 where exact."""
        p = self.sampled()
        deviations: Numbers = np.sqrt(self._totals(self._state.weights**2) * (1.0 - p)) / p
        return deviations

    def _totals(self, numbers: Numbers) -> Numbers:
        sizes = self._state.sizes
        with np.errstate(over="ignore"):  # a sum beyond all numbers is infinite
            return np.add.reduceat(numbers, np.cumsum(sizes) - sizes) if len(sizes) else np.empty(0)

    def to_bytes(self) -> bytes:
        """Header, then the arrays of the state as they are, little-endian, sealed as all stored sketches are."""
        state = self._state
        numbers = (self._seed, self._start, self._capacity, len(state.groups), len(state.keys))
        arrays = (state.groups, state.limits, state.sizes, state.keys, state.weights)
        header = HEADER.pack(MAGIC, VERSION, HASH_ID, *numbers)
        return seal(header + b"".join(each.astype(each.dtype.newbyteorder("<")).tobytes() for each in arrays))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The sketch stored as `data`; DamagedSketch when it is not one."""
        body = unseal(data, MAGIC, VERSION)
        if len(body) < HEADER.size:
            raise DamagedSketch(f"an NDVW sketch was cut off after {len(data)} bytes")
        _, _, hash_id, seed, start, capacity, groups, entries = HEADER.unpack_from(body)
        if hash_id != HASH_ID or not 1 <= capacity <= start or len(body) != HEADER.size + 24 * groups + 16 * entries:
            raise DamagedSketch("the NDVW sketch has a header that contradicts itself")
        arrays, at = [], HEADER.size
        for size, kind in ((groups, "<u8"), (groups, "<u8"), (groups, "<i8"), (entries, "<u8"), (entries, "<f8")):
            arrays.append(np.frombuffer(body, kind, size, at).astype(kind.replace("<", "=")))
            at += 8 * size
        state = _State(*arrays)
        if (groups and int(state.sizes.min()) < 1) or int(state.sizes.sum()) != entries:
            raise DamagedSketch("the NDVW sketch has groups that do not fit its entries")
        sketch = cls(start, seed)
        sketch._capacity, sketch._state = capacity, state
        return sketch
