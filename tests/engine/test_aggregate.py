"""The sketch operator in several places: states that travel as bytes and merge give what one state gives."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretosql.engine.aggregate import COUNT, new_state, read_state
from paretosql.engine.plan import Call, Fragment, Sketch
from paretosql.errors import DataError
from paretosql.sketches import ProfileSketch

NOWHERE = Fragment("")
CALLS = (Call("x", "v0"), Call("y", "v1"))
WHOLE = Sketch("s", NOWHERE, CALLS)
GROUPED = Sketch("s", NOWHERE, CALLS, sets=(("g", 0), ("s1", 1), ("", 3)))
row = st.tuples(st.integers(0, 5), st.one_of(st.none(), st.integers(0, 40)), st.integers(0, 3))


def batch(rows) -> pa.RecordBatch:
    """Rows of (group, x, y); the coarse group is the fine one's half."""
    fine = np.array([g for g, _, _ in rows], np.uint64)
    return pa.record_batch(
        {
            "g": fine,
            "s1": fine // np.uint64(2),
            "x": pa.array([x for _, x, _ in rows], pa.int64()),
            "y": pa.array([y for _, _, y in rows], pa.int64()),
        }
    )


def truth(rows, key) -> dict:
    """Distinct non-NULL x and y of each group."""
    groups: dict = {}
    for g, x, y in rows:
        xs, ys = groups.setdefault(key(g), (set(), set()))
        ys.add(y)
        if x is not None:
            xs.add(x)
    return {group: (len(xs), len(ys)) for group, (xs, ys) in groups.items()}


def finished(state) -> list:
    table = state.finish(None)
    return sorted(zip(*(table.column(name).to_pylist() for name in table.column_names), strict=True))


@pytest.mark.parametrize("step", [WHOLE, GROUPED], ids=["whole", "grouped"])
@given(parts=st.lists(st.lists(row, max_size=30), min_size=1, max_size=4))
def test_states_of_several_places_merge(step, parts):
    """Each part counted apart, sent as bytes and merged, is what one place counts, and that is the truth."""
    states = []
    for rows in parts:
        state = new_state(step)
        state.update(batch(rows), range(2))
        states.append(read_state(step, state.to_bytes()))
    merged = states[0]
    for other in states[1:]:
        merged.merge(other)
    everything = [each for rows in parts for each in rows]
    if step is WHOLE:
        expected = [truth(everything, lambda g: 0).get(0, (0, 0))]
    else:
        sets = ((0, lambda g: g), (1, lambda g: g // 2), (3, lambda g: 0))
        expected = sorted((bits, g, *counts) for bits, key in sets for g, counts in truth(everything, key).items())
    assert finished(merged) == expected


@given(st.lists(row, min_size=1, max_size=60))
def test_counted_rows_are_rows(rows):
    """Rows that come with their number count as often."""
    plain, counted = new_state(GROUPED), new_state(GROUPED)
    plain.update(batch(rows), range(2))
    distinct = sorted(set(rows), key=repr)
    some = batch(distinct).append_column(COUNT, pa.array([rows.count(each) for each in distinct], pa.int64()))
    counted.update(some, range(2))
    assert counted.profile(0) == plain.profile(0)
    assert finished(counted) == finished(plain)


@pytest.mark.parametrize("step", [WHOLE, GROUPED], ids=["whole", "grouped"])
def test_damaged_states_are_refused(step):
    """Bytes that were cut or changed raise DataError."""
    state = new_state(step)
    state.update(batch([(1, 2, 3), (2, 3, 1)]), range(2))
    data = state.to_bytes()
    for broken in (data[: len(data) // 2], b"\x00" * 64, data.replace(b"NDV", b"XDV")):
        with pytest.raises(DataError):
            read_state(step, broken)


FUNCTIONS = (
    Call("x", "v0", function="ndv_interval"),
    Call("y", "v1", function="ndv_sketch", capacity=3),
    Call("s", "v2", function="ndv_merge"),
    Call("x", "v3", function="ndv_sum", weight="y"),
)


def stored_batch(rows) -> pa.RecordBatch:
    """The same rows with a column of stored sketches, of the one value x."""
    some = batch(rows)
    sketches = [ProfileSketch().update(pa.array([x], pa.int64())).to_bytes() if x is not None else None
                for _, x, _ in rows]  # fmt: skip
    return some.append_column("s", pa.array(sketches, pa.binary()))


@pytest.mark.parametrize("sets", [(), GROUPED.sets], ids=["whole", "grouped"])
@given(parts=st.lists(st.lists(row, min_size=1, max_size=12), min_size=2, max_size=3))
def test_states_of_all_functions_merge(sets, parts):
    """Whatever a call accumulates, parts that travel as bytes and merge end as one state over all rows does."""
    step = Sketch("s", NOWHERE, FUNCTIONS, sets=sets)
    whole, states = new_state(step), []
    for rows in parts:
        state = new_state(step)
        for each in (state, whole):
            each.update(stored_batch(rows), range(4))
        states.append(read_state(step, state.to_bytes()))
    for other in states[1:]:
        states[0].merge(other)
    assert states[0].finish(None).to_pylist() == whole.finish(None).to_pylist()
    first = whole.finish(None).to_pylist()[-1]
    xs = [x for rows in parts for _, x, _ in rows if x is not None]
    assert first["v0"]["estimate"] == len(set(xs))
    if xs:  # the last line is the group of all rows
        assert ProfileSketch.from_bytes(first["v2"]).distinct() == len(set(xs))
        assert first["v3"] == sum(max(y for rows in parts for _, x, y in rows if x == each) for each in set(xs))
    else:
        assert first["v2"] is None is first["v3"]
