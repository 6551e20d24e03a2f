"""Answers that are kept: equal rows are asked once, and the answers are those of asking every time."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretosql.udfs import remembered
from paretosql.udfs.remembered import Remembered

values = st.lists(st.tuples(st.none() | st.integers(0, 3), st.none() | st.sampled_from("ab")), max_size=12)


def batch_of(rows):
    return pa.RecordBatch.from_arrays(
        [pa.array([x for x, _ in rows], pa.int64()), pa.array([y for _, y in rows], pa.string())], names=["x", "y"]
    )


@given(st.lists(values, max_size=5))
def test_equal_rows_are_asked_once(batches):
    """Over any sequence of batches every different row is asked exactly once, and answers keep the order of rows."""
    asked: list[tuple] = []

    def ask(batch):
        rows = list(zip(*(column.to_pylist() for column in batch.columns), strict=True))
        asked.extend(rows)
        return pa.RecordBatch.from_arrays([pa.array([repr(row) for row in rows], pa.string())], names=["answer"])

    kept = Remembered()
    for rows in batches:
        assert kept.ask(batch_of(rows), ask).column("answer").to_pylist() == [repr(row) for row in rows]
    assert len(asked) == len(set(asked)) == len(kept)


def test_types_tell_rows_apart():
    """1 and 1.0 are different questions, as models may tell them apart."""
    kept = Remembered()
    for value in (pa.array([1]), pa.array([1.0]), pa.array(["1"])):
        kept.ask(
            pa.RecordBatch.from_arrays([value], names=["x"]),
            lambda batch: pa.RecordBatch.from_arrays([pa.array([0])], names=["y"]),
        )
    assert len(kept) == 3


def test_too_many_rows(monkeypatch):
    """Past the limit everything is forgotten, and answers stay right."""
    monkeypatch.setattr(remembered, "MOST_ROWS", 5)
    kept = Remembered()
    for first in range(0, 30, 3):
        batch = pa.RecordBatch.from_arrays([pa.array(range(first, first + 3))], names=["x"])
        assert kept.ask(batch, lambda rows: rows).column("x").to_pylist() == [first, first + 1, first + 2]
        assert len(kept) <= 5


def test_an_error_is_not_kept():
    """A batch that cannot be answered leaves nothing behind."""
    kept = Remembered()
    batch = pa.RecordBatch.from_arrays([pa.array([1])], names=["x"])
    with pytest.raises(ValueError, match="no"):
        kept.ask(batch, lambda rows: (_ for _ in ()).throw(ValueError("no")))
    assert len(kept) == 0
    assert kept.ask(batch, lambda rows: rows).num_rows == 1
