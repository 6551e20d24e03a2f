"""Entries: arithmetic on sorted hashes and their counts, against dictionaries."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from paretosql.sketches import entries as of

KEYS = st.integers(0, 40) | st.integers(2**64 - 40, 2**64 - 1)
COUNTED = st.dictionaries(KEYS, st.integers(0, 9), max_size=20)


def made(counted) -> of.Entries:
    keys = sorted(counted)
    return np.array(keys, np.uint64), np.array([counted[key] for key in keys], np.int64)


def back(entries: of.Entries) -> dict[int, int]:
    keys, counts = entries
    assert (keys[1:] > keys[:-1]).all()
    return dict(zip(keys.tolist(), counts.tolist(), strict=True))


@given(st.lists(COUNTED, max_size=5))
def test_united_adds(parts):
    """The union of all keys, each with its sum."""
    total: dict[int, int] = {}
    for part in parts:
        for key, count in part.items():
            total[key] = total.get(key, 0) + count
    assert back(of.united([made(part) for part in parts])) == total


@given(st.lists(st.tuples(KEYS, st.integers(1, 9)), min_size=1, max_size=30))
def test_add_up_sums_equal_words(pairs):
    """In any order."""
    total = Counter()
    for key, count in pairs:
        total[key] += count
    words, weights = zip(*pairs, strict=True)
    assert back(of.add_up(np.array(words, np.uint64), np.array(weights))) == total


@given(COUNTED, st.integers(1, 2**64))
def test_below_cuts(counted, theta):
    """Keys below the threshold, also when that is 2**64."""
    assert back(of.below(made(counted), theta)) == {key: count for key, count in counted.items() if key < theta}


@given(COUNTED, st.lists(KEYS, unique=True, max_size=10))
def test_looking_up_and_splitting(counted, wanted):
    """0 where there is no entry; chosen entries apart from the others."""
    chosen = np.array(sorted(wanted), np.uint64)
    assert of.counts_of(made(counted), chosen).tolist() == [counted.get(key, 0) for key in sorted(wanted)]
    inside, outside = of.split(made(counted), chosen)
    assert back(inside) == {key: count for key, count in counted.items() if key in wanted}
    assert back(outside) == {key: count for key, count in counted.items() if key not in wanted}


@given(COUNTED, st.integers(0, 25))
def test_largest_and_occurring(counted, number):
    """The most rows, the smaller hash among equals; entries without rows left out."""
    best = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))[:number]
    assert back(of.largest(made(counted), number)) == dict(best)
    assert back(of.occurring(made(counted))) == {key: count for key, count in counted.items() if count}
