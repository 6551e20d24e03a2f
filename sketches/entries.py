"""Entries: distinct hashes in ascending order, uint64, and the rows of each, int64, both of shape (n,).

The arithmetic under `ProfileSketch`; pure functions that never change their arguments.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from paretosql.sketches.mixing import Words

Counts: TypeAlias = npt.NDArray[np.int64]
Entries: TypeAlias = tuple[Words, Counts]


def nothing() -> Entries:
    """No entries."""
    return np.empty(0, np.uint64), np.empty(0, np.int64)


def run_edges(turned: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Where runs of equal rows begin, and the end: shape (runs + 1,).

    Args:
        turned: shape (n - 1,), n > 0: whether each row but the first differs from the one before it.

    >>> run_edges(np.array([False, True])).tolist()
    [0, 2, 3]
    """
    edges = np.empty(np.count_nonzero(turned) + 2, np.int64)
    edges[0], edges[1:-1], edges[-1] = 0, np.flatnonzero(turned) + 1, len(turned) + 1
    return edges


def count_sorted(words: Words) -> Entries:
    """The distinct words of a sorted, non-empty array and how often each occurs."""
    turned = words[1:] != words[:-1]
    if turned.all():  # as most samples of large columns are; the rest costs ten times as much
        return words, np.ones(len(words), np.int64)
    edges = run_edges(turned)
    return words[edges[:-1]], np.diff(edges)


def add_up(words: Words, weights: Counts) -> Entries:
    """The distinct words of a non-empty array in any order, and the sum of the weights of each."""
    order = np.argsort(words, kind="stable")  # linear where the words are a few sorted runs, as in a merge
    ordered = words.take(order)
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    return ordered.take(starts), np.add.reduceat(weights.take(order), starts)


def united(parts: list[Entries]) -> Entries:
    """The union of the keys of all parts, counts of common keys added; about 20 ns per entry."""
    parts = [part for part in parts if len(part[0])]
    if len(parts) < 2:
        return parts[0] if parts else nothing()
    return add_up(np.concatenate([keys for keys, _ in parts]), np.concatenate([counts for _, counts in parts]))


def below(entries: Entries, theta: int) -> Entries:
    """The entries with a key below theta, 1..2**64."""
    keys, counts = entries
    kept = len(keys) if theta >= 1 << 64 else int(np.searchsorted(keys, np.uint64(theta)))
    return keys[:kept], counts[:kept]


def places(keys: Words, wanted: Words) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """Where in the sorted `keys` each wanted word stands, and whether it is there at all; both of shape of `wanted`."""
    if not len(keys):
        return np.zeros(len(wanted), np.intp), np.zeros(len(wanted), bool)
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return at, keys[at] == wanted


def counts_of(entries: Entries, wanted: Words) -> Counts:
    """The counts of the wanted words, 0 for those without an entry."""
    at, found = places(entries[0], wanted)
    counts = np.zeros(len(wanted), np.int64)
    counts[found] = entries[1][at[found]]
    return counts


def split(entries: Entries, chosen: Words) -> tuple[Entries, Entries]:
    """The entries whose keys are in the sorted `chosen`, and the others."""
    keys, counts = entries
    _, found = places(chosen, keys)
    return (keys[found], counts[found]), (keys[~found], counts[~found])


def occurring(entries: Entries) -> Entries:
    """The entries with a count above 0."""
    keys, counts = entries
    return keys[counts > 0], counts[counts > 0]


def largest(entries: Entries, number: int) -> Entries:
    """The `number` entries with the most rows, of equal ones those with the smaller hashes, sorted by hash."""
    keys, counts = entries
    if len(keys) > number:
        # a few candidates first: with ties at the boundary there may be more than `number` of them
        least = np.partition(counts, len(counts) - number)[len(counts) - number] if number else counts.max() + 1
        candidates = np.flatnonzero(counts >= least)
        chosen = np.sort(candidates[np.lexsort((keys[candidates], -counts[candidates]))[:number]])
        keys, counts = keys[chosen], counts[chosen]
    return keys, counts
