"""The label: which column it is, what it may hold, classes of any type, and weights of classes."""

from __future__ import annotations

import datetime
import decimal
import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretosql.errors import DataError, ProgrammingError
from paretosql.udfs.examples import Plan, survey
from paretosql.udfs.model import Training, find_family
from paretosql.udfs.options import read_options
from paretosql.udfs.rows import Spool
from paretosql.udfs.target import MOST_CLASSES, Target, class_weights


def learnt(labels, task: str, training: Training | None = None) -> Target:
    """The target that a pass over rows with these labels gives."""
    table = pa.table({"x": np.arange(len(labels)), "y": labels})
    plan = Plan("gbdt", label="y", task=task)
    _, target, _ = survey(Spool.of(table.schema, table.to_batches(max_chunksize=3)), plan, training or Training())
    return target


@pytest.mark.parametrize("word", ["label_col", "input_label_cols", "label", "target"])
def test_the_label_by_name(word):
    """The option says which column it is, by this or other systems' name, as a word or a list of one."""
    family, _ = find_family("linear")
    table = pa.table({"X": [1.0, 2.0, 3.0], "Price": [2.0, 4.0, 6.0]})
    for value in ("price", ["Price"]):
        options, _ = read_options(family.options, {word: value}, "linear")
        model = family.model.fit(Spool.of_table(table), options, Training())
        assert [each.name for each in model.inputs("evaluate")] == ["X", "Price"]
        assert model.outputs("predict") == [pa.field("predicted_Price", pa.float64())]


@pytest.mark.parametrize("name", ["label", "Target", "LABEL"])
def test_the_label_by_guess(name):
    """A column called label or target is it."""
    family, _ = find_family("linear")
    table = pa.table({name: [1.0, 2.0], "x": [1, 2]})
    model = family.model.fit(Spool.of_table(table), family.options(), Training())
    assert model.target.name == name


def test_no_label():
    """Without one the message names the family, the columns and the option."""
    family, _ = find_family("linear")
    rows = Spool.of_table(pa.table({"a": [1], "b": [2]}))
    with pytest.raises(ProgrammingError, match=r"(?s)linear.*a, b.*label_col = "):
        family.model.fit(rows, family.options(), Training())
    with pytest.raises(ProgrammingError, match=r"(?s)linear.*'c'.*label_col"):
        family.model.fit(rows, family.options(label_col="c"), Training())


@pytest.mark.parametrize(
    "values",
    [
        ["b", "a"], [True, False], [7, -2], [0.5, 0.25], [decimal.Decimal("2.50"), decimal.Decimal("1.25")],
        [datetime.date(2020, 1, 2), datetime.date(2020, 1, 1)],
    ],
    ids=lambda values: type(values[0]).__name__,
)  # fmt: skip
def test_classes_of_any_type(values):
    """Classes are ascending, and come back with the type that they have."""
    low, high = sorted(values)
    target = learnt([high, low, None, high, high, low], "classification")
    assert target.classes.to_pylist() == [low, high]
    assert target.classes.type == target.type == pa.array(values).type
    assert target.counts.tolist() == [2, 3]
    batch = pa.RecordBatch.from_pydict({"Y": [low, high, None]})
    assert target.encode(batch, "gbdt").tolist() == [0, 1, -1]


def test_classes_behind_a_dictionary():
    """An enumeration holds its words; those that no row has are no classes."""
    labels = pa.DictionaryArray.from_arrays(pa.array([2, 0, 2]), pa.array(["c", "unused", "a"]))
    target = learnt(labels, "classification")
    assert target.classes.to_pylist() == ["a", "c"]
    assert target.type == pa.string()


@pytest.mark.parametrize("labels", [["a", "a"], [True, None, True], [3, 3, 3]])
def test_one_class(labels):
    """One class cannot be told from others: the message names column and family."""
    with pytest.raises(DataError, match=r"(?s)gbdt.*'y' holds the one class.*Hint"):
        learnt(labels, "classification")


def test_one_class_once_rows_are_left_out():
    """A class counts only if one of its rows can be learnt from."""
    table = pa.table({"x": [1.0, None, 2.0], "y": ["a", "b", "a"]})
    with pytest.raises(DataError, match=r"gbdt.*'y'.*'a'"):
        survey(Spool.of_table(table), Plan("gbdt", label="y", task="classification"), Training())


def test_constant_numbers():
    """A number that never changes cannot be learnt."""
    with pytest.raises(DataError, match=r"gbdt.*'y' holds 1.5 in every row"):
        learnt([1.5, 1.5, None], "regression")


@pytest.mark.parametrize("labels", [["1", "2"], [datetime.date(2020, 1, 1)] * 2])
def test_numbers_that_are_none(labels):
    """Text and dates are no numbers to predict."""
    with pytest.raises(DataError, match=r"(?s)gbdt.*'y' holds .*, where numbers belong.*Hint"):
        learnt(labels, "regression")


def test_nested_labels():
    """A list is no class."""
    with pytest.raises(DataError, match=r"gbdt.*'y'"):
        learnt([[1], [2]], "classification")


def test_rows_without_a_label_are_left_out():
    """NULL, NaN and infinite labels are no numbers to learn; the note counts them."""
    training = Training()
    target = learnt([1.0, None, np.nan, 3.0, np.inf], "regression", training)
    assert (target.rows, target.mean, target.high) == (2, 2.0, 3.0)
    assert training.warnings == ["3 of 5 rows with NULL, NaN or infinite values were left out"]


def test_no_label_at_all():
    """Rows whose labels are all NULL leave nothing."""
    with pytest.raises(DataError, match="gbdt: every one of the 2 rows"):
        learnt(pa.nulls(2), "regression")


def test_too_many_classes():
    """A column with a value for each row holds no classes."""
    with pytest.raises(DataError, match=r"(?s)gbdt.*'y' holds more than 1,000 classes"):
        learnt(list(range(MOST_CLASSES + 1)), "classification")
    assert len(learnt(list(range(MOST_CLASSES)), "classification").classes) == MOST_CLASSES


@given(st.lists(st.integers(0, 3), min_size=2, max_size=40).filter(lambda each: len(set(each)) > 1))
def test_balanced_weights_make_classes_equal(labels):
    """All rows together count as before, and every class as much as any other."""
    target = learnt(labels, "classification")
    codes = target.encode(pa.RecordBatch.from_pydict({"y": labels}), "gbdt")
    weights = class_weights(target, "balanced")[codes]
    assert weights.sum() == pytest.approx(len(labels))
    each = [weights[codes == one].sum() for one in set(codes.tolist())]
    assert each == pytest.approx([each[0]] * len(each))
    assert class_weights(target, "none").tolist() == [1.0] * len(each)


@pytest.mark.parametrize("value", [True, "balanced", "TRUE"])
def test_balanced_by_other_names(value):
    """auto_class_weights = true is what BigQuery calls it."""
    family, _ = find_family("logistic")
    options, _ = read_options(family.options, {"auto_class_weights": value}, "logistic")
    assert options.class_weights == "balanced"


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_a_target_goes_through_json_and_columns(task):
    """What `facts` takes apart is the same after it was put together."""
    target = learnt([1, 5, 5], task)
    facts, columns = target.facts()
    again = Target.from_facts(json.loads(json.dumps(facts)), columns)
    assert (again.column, again.task, again.mean, again.classes) == (
        target.column, target.task, target.mean, target.classes
    )  # fmt: skip
    assert (again.counts is None) == (task == "regression")
