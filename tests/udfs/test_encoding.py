"""Columns become numbers: each type, categories, values that cannot be used, and what is learnt in one pass."""

from __future__ import annotations

import datetime
import decimal
import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretosql.errors import DataError, OperationalError, ProgrammingError
from paretosql.udfs import features as features_module
from paretosql.udfs.encoding import Encoder
from paretosql.udfs.examples import Examples, Plan, survey
from paretosql.udfs.features import Frequencies, Moments, described
from paretosql.udfs.model import Training
from paretosql.udfs.rows import Spool


def looked_at(table: pa.Table, training: Training | None = None, chunk: int = 100, **plan) -> Encoder:
    """The encoder that a pass over a table gives."""
    rows = Spool.of(table.schema, table.to_batches(max_chunksize=chunk))
    return survey(rows, Plan("linear", **plan), training or Training())[0]


def one_batch(**columns) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(columns)


def matrix(encoder: Encoder, batch: pa.RecordBatch) -> list[list[float]]:
    encoded = encoder.encode(batch)
    assert encoded.faults is None
    return encoded.features.tolist()


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (pa.array([1, 2], pa.int8()), [1, 2]),
        (pa.array([1, 2], pa.uint64()), [1, 2]),
        (pa.array([0.5, -2], pa.float32()), [0.5, -2]),
        (pa.array([True, False]), [1, 0]),
        (pa.array([decimal.Decimal("1.50"), decimal.Decimal("-2.25")]), [1.5, -2.25]),
        (pa.array([datetime.date(1970, 1, 2), datetime.date(1969, 12, 31)]), [1, -1]),
        (pa.array([datetime.datetime(1970, 1, 1, 0, 0, 1)] * 2, pa.timestamp("s")), [1e6, 1e6]),
        (pa.array([1_001, 2_000], pa.timestamp("ns")), [1, 2]),
        (pa.array([datetime.time(0, 0, 1), datetime.time(0, 0, 2)], pa.time64("us")), [1e6, 2e6]),
        (pa.array([3, 4]).dictionary_encode(), [3, 4]),
    ],
    ids=lambda each: str(each.type) if isinstance(each, pa.Array) else "",
)
def test_every_type_with_an_order_is_a_number(values, wanted):
    """Numbers as they are, days of dates, microseconds of times, 1 and 0 of true and false."""
    table = pa.table({"x": values})
    assert matrix(looked_at(table), table.to_batches()[0]) == [[each] for each in wanted]


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]
)
def test_text_is_a_column_for_each_category(kind):
    """One column of 0 and 1 for each category, in ascending order; what training has not seen is 0 in all of them."""
    encoder = looked_at(pa.table({"c": pa.array(["red", "blue", "red"]).cast(kind)}))
    assert [each.category for each in encoder.columns] == ["blue", "red"]
    asked = pa.RecordBatch.from_arrays([pa.array(["blue", "mauve", "red"]).cast(kind)], names=["c"])
    assert matrix(encoder, asked) == [[1, 0], [0, 0], [0, 1]]


def test_text_as_codes():
    """For trees, a category is a number from 1; what training has not seen is 0, whichever way text is stored."""
    encoder = looked_at(pa.table({"c": ["red", "blue"]}), one_hot=False)
    asked = pa.array(["blue", "mauve", "red"])
    for column in (asked, asked.dictionary_encode()):
        batch = pa.RecordBatch.from_arrays([column], names=["c"])
        assert matrix(encoder, batch) == [[1], [0], [2]]
        assert encoder.encode_columns(batch).features.column(0).to_pylist() == [1, 0, 2]


def test_only_frequent_categories_are_told_apart():
    """The most frequent stay, of equally frequent ones the smaller; the rest looks like what was never seen."""
    table = pa.table({"c": ["d", "d", "c", "b", "a", "d"]})
    encoder = looked_at(table, most_categories=2, chunk=2)
    assert encoder.features[0].categories.to_pylist() == ["a", "d"]
    assert encoder.features[0].different == 4
    assert matrix(encoder, one_batch(c=["a", "c", "zzz"])) == [[1, 0], [0, 0], [0, 0]]


def test_columns_are_found_by_name_in_any_case_and_order():
    """Other columns do not matter, nor does the order."""
    encoder = looked_at(pa.table({"Price": [1.0, 2.0], "colour": ["red", "blue"]}))
    assert matrix(encoder, one_batch(COLOUR=["red"], other=[9], price=[5])) == [[5, 0, 1]]
    with pytest.raises(ProgrammingError, match=r"(?s)linear.*'Price'.*did you mean 'prize'"):
        encoder.encode(one_batch(prize=[1], colour=["red"]))


def test_a_column_of_another_kind_is_refused_by_name():
    """Strings where numbers belong, numbers where times belong; a number in the place of text is read as text."""
    encoder = looked_at(pa.table({"x": [1.0], "day": [datetime.date(2020, 1, 1)], "c": ["7"]}))
    day = [datetime.date(2020, 1, 1)]
    with pytest.raises(DataError, match=r"linear.*'x' holds VARCHAR"):
        encoder.encode(one_batch(x=["1"], day=day, c=["7"]))
    with pytest.raises(DataError, match=r"linear.*'day' holds BIGINT"):
        encoder.encode(one_batch(x=[1], day=[3], c=["7"]))
    with pytest.raises(DataError, match=r"linear.*'c' holds VARCHAR"):
        encoder.encode(one_batch(x=[1], day=day, c=[["7"]]))
    assert matrix(encoder, one_batch(x=[1], day=day, c=[7]))[0][2] == 1


def test_a_time_is_read_in_the_unit_of_the_training():
    """A timestamp where training saw dates means its day."""
    encoder = looked_at(pa.table({"day": [datetime.date(1970, 1, 5)]}))
    assert matrix(encoder, one_batch(day=[datetime.datetime(1970, 1, 3, 13)])) == [[2]]


def test_values_that_cannot_be_used_are_named():
    """NULL, NaN and infinite numbers, text that is too long: the first reason of each row, NULL for rows that can."""
    encoder = looked_at(pa.table({"x": [1.0, 2.0], "c": ["red", "blue"]}))
    batch = pa.RecordBatch.from_arrays(
        [pa.array([1.0, None, np.nan, -np.inf, 1.0, None]), pa.array(["red", "red", "red", "red", "é" * 1001, None])],
        names=["x", "c"],
    )
    reasons = [
        None, "feature 'x' is NULL", "feature 'x' is NaN", "feature 'x' is infinite",
        "feature 'c' is text of more than 1,000 characters", "feature 'x' is NULL",
    ]  # fmt: skip
    for encoded in (encoder.encode(batch), encoder.encode_columns(batch)):
        assert encoded.faults.to_pylist() == reasons
        assert encoded.usable.tolist() == [reason is None for reason in reasons]
        assert len(encoded.where(encoded.usable)) == 1


def test_text_at_the_limit_is_a_category():
    """1,000 characters are allowed, however many bytes they take."""
    table = pa.table({"c": ["é" * 1000, "b"]})
    assert looked_at(table).encode(table.to_batches()[0]).faults is None


def test_a_column_without_a_type_is_null():
    """NULL without a type is no number and no text, but a missing value of either."""
    encoder = looked_at(pa.table({"x": [1.0], "c": ["a"]}))
    batch = pa.RecordBatch.from_arrays([pa.nulls(2), pa.array(["a", "a"])], names=["x", "c"])
    assert encoder.encode(batch).faults.to_pylist() == ["feature 'x' is NULL"] * 2
    batch = pa.RecordBatch.from_arrays([pa.array([1, 2]), pa.nulls(2)], names=["x", "c"])
    assert encoder.encode(batch).faults.to_pylist() == ["feature 'c' is NULL"] * 2


def test_tolerant_encoding_keeps_null_as_nan():
    """For families that learn from missing values only text that is too long remains a fault."""
    table = pa.table({"x": pa.array([1.0, None, np.inf]), "c": ["a", "a", None]})
    encoder = looked_at(table, tolerant=True, one_hot=False)
    encoded = encoder.encode(table.to_batches()[0])
    assert encoded.faults is None
    np.testing.assert_array_equal(encoded.features, [[1, 1], [np.nan, 1], [np.inf, np.nan]])
    columns = encoder.encode_columns(table.to_batches()[0]).features
    assert columns.column(0).to_pylist() == [1, None, np.inf]
    long = encoder.encode(one_batch(x=[1.0], c=["a" * 1001]))
    assert long.faults.to_pylist() == ["feature 'c' is text of more than 1,000 characters"]


@pytest.mark.parametrize("column", [[[1, 2]], [{"a": 1}], [b"bytes"]], ids=["list", "struct", "binary"])
def test_what_is_no_feature_is_refused_by_name(column):
    """Lists, structs and bytes: the message names family and column, and says what to do."""
    with pytest.raises(DataError, match=r"(?s)linear.*'l'.*Hint: .*ignore_cols = \['l'\]"):
        looked_at(pa.table({"l": column, "x": [1]}))
    assert looked_at(pa.table({"l": column, "x": [1]}), ignored=("l",)).width == 1


def test_long_text_in_training_is_refused_by_name():
    """Text beyond the limit is no category."""
    with pytest.raises(DataError, match=r"(?s)linear.*'c' holds text of more than 1,000 characters.*Hint"):
        looked_at(pa.table({"c": ["a", "b" * 1001]}))


def test_rows_that_cannot_be_used_are_left_out_and_counted():
    """What is learnt comes from the other rows; the note says how many; NULLs of all rows are counted."""
    table = pa.table({"x": [1.0, None, 3.0, float("nan"), 100.0], "c": ["a", "b", "a", "a", None]})
    training = Training()
    encoder = looked_at(table, training)
    assert training.warnings == ["3 of 5 rows with NULL, NaN or infinite values were left out"]
    found = described(encoder.features).to_pylist()
    assert found == [
        {"input": "x", "kind": "number", "min": 1, "max": 3, "mean": 2, "stddev": 1, "category_count": None,
         "null_count": 1},
        {"input": "c", "kind": "category", "min": None, "max": None, "mean": None, "stddev": None, "category_count": 1,
         "null_count": 1},
    ]  # fmt: skip


def test_no_rows_and_no_columns():
    """Nothing to learn from is an error with the family's name, and so are rows of NULL only."""
    empty = pa.table({"x": pa.array([], pa.float64())})
    with pytest.raises(DataError, match="linear: there are no rows"):
        looked_at(empty)
    with pytest.raises(DataError, match="linear: every one of the 2 rows has a NULL"):
        looked_at(pa.table({"x": pa.array([None, None], pa.float64())}))
    with pytest.raises(ProgrammingError, match="linear: no column is left"):
        looked_at(pa.table({"x": [1]}), ignored=("x",))


@given(st.lists(st.lists(st.floats(-1e6, 1e6), max_size=8), min_size=1, max_size=5), st.sampled_from([0.0, 1e12]))
def test_moments_of_parts_are_those_of_the_whole(parts, far):
    """Mean and deviation batch by batch equal those of all numbers at once, also far from 0."""
    moments = Moments()
    for part in parts:
        moments.add(np.array(part) + far)
    whole = np.concatenate(parts) + far
    assert moments.rows == len(whole)
    if len(whole):
        assert (moments.low, moments.high) == (whole.min(), whole.max())
        assert moments.mean == pytest.approx(whole.mean(), rel=1e-12, abs=1e-9)
        assert moments.stddev == pytest.approx(whole.std(), rel=1e-6, abs=1e-3 if far else 1e-9)


def test_frequencies_forget_only_what_is_rare(monkeypatch):
    """With more different values than are counted, the frequent ones are still found."""
    monkeypatch.setattr(features_module, "COUNTED_VALUES", 8)
    frequencies = Frequencies(pa.string())
    for start in range(0, 200, 10):
        frequencies.add(pa.array([f"rare {at}" for at in range(start, start + 10)] + ["often"] * 6 + ["second"] * 4))
    values, _, _ = frequencies.most_frequent(2)
    assert values.to_pylist() == ["often", "second"]
    assert frequencies.forgotten


def test_an_encoder_goes_through_json_and_columns():
    """What `facts` takes apart encodes alike after it was put together."""
    table = pa.table({"x": [1.0, 2.5], "at": pa.array([1, 2], pa.timestamp("us", "UTC")), "c": ["a", "b"]})
    encoder = looked_at(table)
    facts, columns = encoder.facts()
    again = Encoder.from_facts("linear", json.loads(json.dumps(facts)), columns)
    assert again.fields == encoder.fields
    assert matrix(again, table.to_batches()[0]) == matrix(encoder, table.to_batches()[0])


@pytest.mark.parametrize("memory", [1 << 28, 1], ids=["kept in memory", "read again"])
def test_blocks_can_be_read_again(memory):
    """Every reading gives the same rows in the same order, whether they were kept or not."""
    table = pa.table({"x": np.arange(50.0), "c": ["a", "b"] * 25, "y": [None, *range(49)]})
    rows = Spool.of(table.schema, table.to_batches(max_chunksize=7))
    training = Training(memory_bytes=memory)
    plan = Plan("linear", label="y")
    encoder, target, usable = survey(rows, plan, training)
    examples = Examples(rows, plan, encoder, target, usable, training)
    doubled = examples.through(lambda features: features * 2)
    for each, factor in ((examples, 1), (doubled, 2), (examples, 1), (doubled, 2)):
        parts = list(each.blocks())
        assert np.concatenate([x for x, _ in parts])[:, 0].tolist() == (np.arange(1.0, 50.0) * factor).tolist()
        assert np.concatenate([y for _, y in parts]).tolist() == list(range(49))
    assert examples.whole()[0][:, 0].tolist() == np.arange(1.0, 50.0).tolist()
    assert len(examples.keys("c")) == examples.rows == 49


def test_a_pass_can_be_stopped():
    """The user's wish is looked at with every batch."""
    with pytest.raises(OperationalError, match="stopped"):
        looked_at(pa.table({"x": [1]}), Training(stopped=lambda: True))
