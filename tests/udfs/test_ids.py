"""Ids of any type are numbered in ascending order, however they come in batches, and items by their users."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretosql.udfs.ids import IdCollector
from paretosql.udfs.interactions import Interactions, matrix_of, popular_first

INTEGERS = {
    pa.int8(): 8,
    pa.uint8(): 8,
    pa.int16(): 16,
    pa.uint32(): 32,
    pa.int32(): 32,
    pa.int64(): 64,
    pa.uint64(): 64,
}


def limits(kind: pa.DataType) -> tuple[int, int]:
    bits = INTEGERS[kind]
    return (0, 2**bits - 1) if pa.types.is_unsigned_integer(kind) else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


@st.composite
def batches(draw):
    """A type of integers, and batches near its limits, close together, far apart, or all of these."""
    kind = draw(st.sampled_from(list(INTEGERS)))
    low, high = limits(kind)
    middle = draw(st.integers(low, high))
    near = st.integers(max(low, middle - 40), min(high, middle + 40))
    value = draw(st.sampled_from([near, st.one_of(near, st.sampled_from([low, high])), st.integers(low, high)]))
    return kind, draw(st.lists(st.lists(value, max_size=30), max_size=4))


def check(kind, parts):
    collector = IdCollector(kind)
    for part in parts:
        collector.add(pa.array(part, kind))
    ids, codes = collector.finish()
    flat = [each for part in parts for each in part]
    assert ids.values.type == kind
    assert ids.values.to_pylist() == sorted(set(flat))
    assert codes.dtype == np.int32
    assert [ids.values[int(code)].as_py() for code in codes] == flat


@given(batches())
def test_integers(drawn):
    """Whether a table of all between is small enough or not."""
    check(*drawn)


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        (pa.int64(), [[5], [5 + 2**31], [5, 6]]),  # just too far for four bytes
        (pa.int64(), [[5], [5 + 2**31 - 1, 5 - 2**31]]),
        (pa.int64(), [[-(2**63)], [2**63 - 1]]),
        (pa.uint64(), [[2**64 - 1, 0], [7]]),
        (pa.int64(), [[], [3, 3], []]),
        (pa.int64(), []),
        (pa.string(), [["b", "a"], ["c", "a"]]),
        (pa.binary(), [[b"\x00", b""], [b""]]),
        (pa.float64(), [[1.5, 0.0], [-2.0]]),
        (pa.bool_(), [[True], [False, True]]),
    ],
)
def test_batches(kind, parts):
    """Far apart, at the limits of a type, empty, and of other types."""
    check(kind, parts)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 6), st.floats(0.5, 4, width=16)), min_size=1, max_size=40),
    st.booleans(),
)
def test_items_by_their_users(rows, binary):
    """Items are numbered by how many users have them, whatever the rows repeat; the matrix adds what they repeat."""
    collected = IdCollector(pa.int64()), IdCollector(pa.int64())
    for collector, column in zip(collected, list(zip(*rows, strict=True))[:2], strict=True):
        collector.add(pa.array(column, pa.int64()))
    (users, user), (items, item) = collected[0].finish(), collected[1].finish()
    weight = np.array([each for *_, each in rows], dtype=np.float32)
    first, seen = popular_first(Interactions(users, items, user, item), weight, binary=binary)
    owners = {each: {u for u, i, _ in rows if i == each} for each in items.values.to_pylist()}
    assert first.values.to_pylist() == sorted(owners, key=lambda each: (-len(owners[each]), each))
    found = {}
    for u, i, w in rows:
        found[u, i] = 1.0 if binary else found.get((u, i), 0.0) + w
    dense = seen.toarray()
    expected = np.array([[found.get((u, i), 0.0) for i in first.values.to_pylist()] for u in users.values.to_pylist()])
    assert dense == pytest.approx(expected)
    assert seen.has_sorted_indices
    plain = matrix_of(user, item, weight, dense.shape, binary=binary).toarray()
    order = [items.values.to_pylist().index(each) for each in first.values.to_pylist()]
    assert plain[:, order] == pytest.approx(dense)
