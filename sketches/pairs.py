"""Sorting and counting (group, hash) pairs with plain integer sorts.

Sorting two columns together is slow in numpy; sorting one uint64 array is very fast. So each pair is packed into one
word: the rank of the group, as many leading bits of the hash as there is room for, and the row number. Rows that agree
in all packed bits of group and hash but not in the rest of the hash are rare, and are put right afterwards.

Source: our design.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from paretosql.sketches.mixing import Words

Counts = npt.NDArray[np.int64]
Ranks = npt.NDArray[np.intp]

BLOCK_ROWS: Final = 1 << 19  # our choice: pairs sorted at once, 64 MB of temporary arrays
MIN_HASH_BITS: Final = 8  # our choice: with less room for the hash, sort the two columns plainly


def order_pairs(ranks: Ranks | None, words: Words, groups: int) -> tuple[npt.NDArray[np.intp], Ranks, Words]:
    """The order that sorts rows by rank, then by word, and ranks and words in that order.

    Args:
        ranks: shape (n,), each in 0..groups-1; None when there is one group.
        words: shape (n,).
    Returns: (order, ranks[order], words[order]); the ranks are zeros where None was passed.
    Cost: about 10 ns per row; 24 bytes per row.
    """
    rows = len(words)
    row_bits = max(1, (rows - 1).bit_length())
    rank_bits = (groups - 1).bit_length() if ranks is not None else 0
    word_bits = 64 - rank_bits - row_bits
    if word_bits < MIN_HASH_BITS:
        assert ranks is not None  # without ranks there is always room
        order = np.lexsort((words, ranks))
        return order, ranks.take(order), words.take(order)
    packed = (words >> np.uint64(64 - word_bits)) << np.uint64(row_bits)
    packed |= np.arange(rows, dtype=np.uint64)
    if ranks is not None and rank_bits:
        packed |= ranks.astype(np.uint64) << np.uint64(64 - rank_bits)
    packed.sort()
    order = (packed & np.uint64((1 << row_bits) - 1)).view(np.intp)
    ordered = words.take(order)
    packed >>= np.uint64(row_bits)
    _repair(packed, order, ordered)
    packed >>= np.uint64(word_bits)
    return order, packed.view(np.intp), ordered


def _repair(packed: Words, order: npt.NDArray[np.intp], ordered: Words) -> None:
    """Sort the runs of equal packed bits whose words came out unsorted, in place."""
    same = packed[1:] == packed[:-1]
    same &= ordered[1:] < ordered[:-1]
    wrong = np.flatnonzero(same)
    if not len(wrong):
        return
    begin = np.searchsorted(packed, np.unique(packed[wrong]), side="left")
    end = np.searchsorted(packed, packed[begin], side="right")
    lengths = end - begin
    rows = np.repeat(begin - np.cumsum(lengths) + lengths, lengths) + np.arange(int(lengths.sum()))
    fixed = rows[np.lexsort((ordered[rows], packed[rows]))]
    order[rows], ordered[rows] = order[fixed], ordered[fixed]


def dense(groups: Words) -> tuple[Words, Ranks]:
    """Number arbitrary group ids: the distinct ids in ascending order, and for each row the place of its id there.

    Cost: 3 to 5 ns per row for small ids (below about 4 per row), 25 ns for large ones.
    """
    if not len(groups):
        return groups, np.empty(0, np.intp)
    top = int(groups.max())
    if top < 4 * len(groups) + (1 << 16):
        present = np.zeros(top + 1, bool)
        index = groups.view(np.int64)
        present[index] = True
        rank_of = np.cumsum(present, dtype=np.intp)
        rank_of -= 1
        return np.flatnonzero(present).view(np.uint64), rank_of.take(index)
    lift = np.uint64(64 - top.bit_length())
    order, _, ordered = order_pairs(None, groups << lift, 1)
    fresh = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    ranks = np.empty(len(groups), np.intp)
    ranks[order] = np.cumsum(fresh) - 1
    return ordered[fresh] >> lift, ranks


def collapse(ranks: Ranks, words: Words, counts: Counts | None, groups: int) -> tuple[Counts, Words, Counts]:
    """Sort pairs and add up the counts of equal ones.

    Args:
        ranks, words, counts: one pair per row, shape (n,); counts None means 1 each.
        groups: ranks lie in 0..groups-1.
    Returns:
        (sizes, words, counts): distinct pairs per group, shape (groups,); then the distinct pairs by rank and word.
    """
    if groups == 1 or len(words) <= BLOCK_ROWS:
        return _collapse(ranks, words, counts, groups)
    # the temporary arrays of the sort are several times its input, so large inputs go by in blocks of whole groups
    ends = np.cumsum(np.bincount(ranks, minlength=groups))
    block_of = (ends - 1) // BLOCK_ROWS
    firsts = np.flatnonzero(np.diff(block_of, prepend=-1))
    order = np.argsort(_narrow(np.searchsorted(firsts, np.arange(groups), side="right") - 1)[ranks], kind="stable")
    parts, start = [], 0
    for first, last in zip(firsts, np.append(firsts[1:], groups), strict=True):
        rows = order[start : ends[last - 1]]
        start = int(ends[last - 1])
        some = None if counts is None else counts.take(rows)
        parts.append(_collapse(ranks.take(rows) - first, words.take(rows), some, int(last - first)))
    sizes, keys, totals = zip(*parts, strict=True)
    return np.concatenate(sizes), np.concatenate(keys), np.concatenate(totals)


def _narrow(blocks: npt.NDArray[np.intp]) -> npt.NDArray[np.unsignedinteger]:
    """Block numbers in the smallest type, which numpy sorts fastest."""
    return blocks.astype(np.uint16 if len(blocks) and blocks[-1] < 1 << 16 else np.uint32)


def _collapse(ranks: Ranks, words: Words, counts: Counts | None, groups: int) -> tuple[Counts, Words, Counts]:
    if not len(words):
        return np.zeros(groups, np.int64), words, np.empty(0, np.int64)
    order, ordered_ranks, ordered = order_pairs(ranks, words, groups)
    fresh = ordered[1:] != ordered[:-1]
    if groups > 1:
        fresh |= ordered_ranks[1:] != ordered_ranks[:-1]
    starts = np.concatenate([[0], np.flatnonzero(fresh) + 1])
    if counts is None:
        totals = np.diff(starts, append=len(words))
    else:
        running = np.cumsum(counts.take(order))
        totals = np.diff(running.take(np.append(starts[1:], len(words)) - 1), prepend=0)
    return np.bincount(ordered_ranks.take(starts), minlength=groups), ordered.take(starts), totals
