"""The state of a grouped sketch and the three steps that change it: add rows, unite groups, cut to size.

The functions are pure: they take states and return a new one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from paretosql.sketches.mixing import Words
from paretosql.sketches.pairs import Counts, Ranks, collapse, dense

KEEP_ALL: Final = np.uint64((1 << 64) - 1)  # the limit of a group that has kept every value


@dataclass(frozen=True)
class GroupState:
    """Samples of many groups in flat arrays.

    seed: of the hash. capacity: entries per group at most, floor: the least that the capacity can become, budget:
    entries over all groups above which it halves.
    groups, rows, limits, sizes: shape (g,), by ascending group id: non-NULL rows seen, the largest hash that may be
    kept (theta - 1), and entries kept.
    keys, counts: shape (sum of sizes,): the hashes kept and their rows, by group and hash.
    """

    seed: int
    capacity: int
    floor: int
    budget: int
    groups: Words
    rows: Counts
    limits: Words
    sizes: Counts
    keys: Words
    counts: Counts


def no_groups(seed: int, capacity: int, floor: int, budget: int) -> GroupState:
    """The state before the first row."""
    words, counts = np.empty(0, np.uint64), np.empty(0, np.int64)
    return GroupState(seed, capacity, floor, budget, words, counts, words, counts, words, counts)


def add_rows(
    state: GroupState, ids: Words, words: Words, nulls: Sequence[Words], weights: Counts | None = None
) -> GroupState:
    """The state after more rows.

    Args:
        ids, words: group id and hash of each row, shape (n,).
        nulls: arrays of ids of groups that exist, too.
        weights: how many rows each one stands for, shape (n,); None means 1 each.
    Cost: about 20 ns per row and per entry.
    """
    known = len(state.groups)
    groups, ranks = dense(np.concatenate([state.groups, ids, *nulls]))
    old, new = ranks[:known], ranks[known : known + len(ids)]
    limits = np.full(len(groups), KEEP_ALL)
    limits[old] = state.limits
    rows = np.bincount(new, weights, minlength=len(groups)).astype(np.int64)
    rows[old] += state.rows
    if (state.limits != KEEP_ALL).any():
        below = np.flatnonzero(words <= limits.take(new))
        words, new = words.take(below), new.take(below)
        weights = None if weights is None else weights.take(below)
    counts = weights
    if len(state.keys):
        words = np.concatenate([state.keys, words])
        counts = np.concatenate([state.counts, np.ones(len(new), np.int64) if weights is None else weights])
        new = np.concatenate([np.repeat(old, state.sizes), new])
    return cut(replace(state, groups=groups, rows=rows, limits=limits), new, words, counts)


def unite(states: Sequence[GroupState], targets: Words) -> GroupState:
    """All groups of the states under new ids; those with the same new id become one group.

    Args:
        states: at least one, of one seed. The result has their least capacity, floor and budget.
        targets: the new id of every group, state by state.
    Cost: about 30 ns per entry and 50 ns per group.
    """
    groups, ranks = dense(targets)
    rows = np.zeros(len(groups), np.int64)
    np.add.at(rows, ranks, np.concatenate([state.rows for state in states]))
    limits = np.full(len(groups), KEEP_ALL)
    np.minimum.at(limits, ranks, np.concatenate([state.limits for state in states]))
    owner = np.repeat(ranks, np.concatenate([state.sizes for state in states]))
    keys = np.concatenate([state.keys for state in states])
    counts = np.concatenate([state.counts for state in states])
    below = np.flatnonzero(keys <= limits.take(owner))
    united = replace(
        states[0],
        capacity=min(state.capacity for state in states),
        floor=min(state.floor for state in states),
        budget=min(state.budget for state in states),
        groups=groups,
        rows=rows,
        limits=limits,
    )
    return cut(united, owner.take(below), keys.take(below), counts.take(below))


def cut(state: GroupState, ranks: Ranks, words: Words, counts: Counts | None) -> GroupState:
    """The state with these pairs, all within the limits of their groups, as its entries, cut to capacity and budget.

    How often the capacity halves depends on the rows only: what a capacity would keep never shrinks as rows come in.
    """
    sizes, keys, counts = collapse(ranks, words, counts, len(state.groups))
    capacity, limits = state.capacity, state.limits.copy()
    while capacity > state.floor and np.minimum(sizes, capacity).sum() > state.budget:
        capacity = max(state.floor, capacity // 2)
    full = np.flatnonzero(sizes > capacity)
    if len(full):
        firsts = np.cumsum(sizes) - sizes
        limits[full] = keys[firsts[full] + capacity] - np.uint64(1)
        kept = np.flatnonzero(np.arange(len(keys)) - np.repeat(firsts, sizes) < capacity)
        keys, counts = keys.take(kept), counts.take(kept)
        sizes = np.minimum(sizes, capacity)
    return replace(state, capacity=capacity, limits=limits, sizes=sizes, keys=keys, counts=counts)
