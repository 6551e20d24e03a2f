"""The column that a model learns to predict: a number, or one of some classes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from paretosql.errors import DataError, ProgrammingError, compose
from paretosql.udfs.features import Floats, Frequencies, Mask, Moments, doubles, no_text
from paretosql.udfs.ids import Ids, check_id_type
from paretosql.udfs.roles import LABELS, found_column, is_number, needed_column, plain_type, shown_value, sql_type

MOST_CLASSES = 1_000  # our choice: more values than that are numbers or names, not classes

Task = Literal["regression", "classification", "ranking"]
REGRESSION: Task = "regression"
CLASSIFICATION: Task = "classification"
RANKING: Task = "ranking"  # numbers that order the rows of a group


@dataclass(frozen=True)
class Target:
    """The label as training saw it.

    Attributes:
        type: of the column, without dictionary encoding.
        mean, high: of the numbers that were learnt from, 0 of classes.
        classes: all classes in ascending order; empty of numbers.
        counts: how many rows each class had, shape (classes,).
    """

    name: str
    type: pa.DataType
    task: Task
    rows: int
    mean: float = 0.0
    high: float = 0.0
    classes: pa.Array = field(default_factory=no_text)
    counts: npt.NDArray[np.int64] | None = None

    @property
    def column(self) -> pa.Field:
        """The column."""
        return pa.field(self.name, self.type)

    def encode(self, batch: pa.RecordBatch, family: str) -> Floats | npt.NDArray[np.int64]:
        """The labels of a batch, shape (n,): doubles, or numbers of classes, -1 for what is none.

        Raises:
            ProgrammingError, DataError: there is no such column, or it holds no numbers where these belong.
        """
        column = label_of(batch, self.name, family)
        if self.task == CLASSIFICATION:
            return Ids(self.classes).codes(column).astype(np.int64)
        return numeric_labels(column, self.name, family)

    def facts(self) -> tuple[dict[str, Any], dict[str, pa.Array]]:
        """The target as JSON has it, and the columns beside."""
        facts = {"name": self.name, "task": self.task, "rows": self.rows, "mean": self.mean, "high": self.high}
        counts = pa.array([], pa.int64()) if self.counts is None else pa.array(self.counts)
        return facts, {"label_type": pa.array([], self.type), "classes": self.classes, "class_rows": counts}

    @classmethod
    def from_facts(cls, facts: Any, columns: Any) -> Target:
        """The target that `facts` took apart."""
        counts = columns["class_rows"].to_numpy() if len(columns["class_rows"]) else None
        return cls(**facts, type=columns["label_type"].type, classes=columns["classes"], counts=counts)


def label_column(names: list[str], given: str, family: str) -> str:
    """The column with the label: the one that label_col names, or one called label or target.

    Raises:
        ProgrammingError: there is none.
    """
    return needed_column(names, given, LABELS, "label_col", family)


def label_of(batch: pa.RecordBatch, name: str, family: str) -> pa.Array:
    """The column of labels of a batch, found by its name in any case."""
    found = found_column(batch.schema.names, name)
    if found is None:
        problem = f"{family}: there is no column {name!r} with the label"
        raise ProgrammingError(compose(problem, hint=f"The rows have {', '.join(batch.schema.names)}."))
    return batch.column(found)


def numeric_labels(column: pa.Array, name: str, family: str) -> Floats:
    """Labels as doubles, NULL as NaN.

    Raises:
        DataError: they are no numbers.
    """
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    if not is_number(plain_type(column.type)):
        problem = f"{family}: the label column {name!r} holds {sql_type(plain_type(column.type))}, where numbers belong"
        raise DataError(compose(problem, hint=f"make numbers of {name} in the query, or take a family with classes."))
    return doubles(column, name, family).astype(np.float64)


def labelled(column: pa.Array, task: Task, name: str, family: str) -> Mask:
    """Which rows have a label that can be learnt from: not NULL, and of numbers finite, of classes not NaN."""
    known: Mask = column.is_valid().to_numpy(zero_copy_only=False)
    if task == CLASSIFICATION:
        if pa.types.is_floating(column.type):
            known = known & ~np.isnan(column.to_numpy(zero_copy_only=False))
        return known
    return known & np.isfinite(numeric_labels(column, name, family))


class TargetPortrait:
    """What is learnt of the labels, batch by batch, from rows for which `labelled` is true."""

    def __init__(self, column: pa.Field, task: Task, family: str) -> None:
        check_id_type(column.type, column.name, family)
        if task != CLASSIFICATION:
            numeric_labels(pa.array([], column.type), column.name, family)
        self._field, self._task, self._family = column, task, family
        self._moments, self._frequencies = Moments(), Frequencies(column.type)

    def add(self, column: pa.Array) -> None:
        """The labels of one batch."""
        if self._task == CLASSIFICATION:
            self._frequencies.add(column)
        else:
            self._moments.add(numeric_labels(column, self._field.name, self._family))

    def finish(self) -> Target:
        """The target.

        Raises:
            DataError: there are fewer than two classes, too many, or one number only.
        """
        name, kind = self._field.name, plain_type(self._field.type)
        if self._task != CLASSIFICATION:
            found = self._moments
            if found.low == found.high:
                raise self._alike(f"{found.low:g} in every row", "learnt")
            if not np.isfinite(found.stddev):
                problem = f"{self._family}: the label column {name!r} holds numbers too large to be squared"
                raise DataError(compose(problem, hint="divide them in the query, or learn their logarithm."))
            return Target(name, kind, self._task, found.rows, found.mean, found.high)
        classes, counts, different = self._frequencies.most_frequent(MOST_CLASSES)
        if different == 1:
            raise self._alike(f"the one class {shown_value(classes[0])} in every row", "told apart")
        if different > MOST_CLASSES or self._frequencies.forgotten:
            problem = f"{self._family}: the label column {name!r} holds more than {MOST_CLASSES:,} classes"
            raise DataError(compose(problem, hint="take a family for numbers, or group the classes in the query."))
        return Target(name, kind, self._task, int(counts.sum()), classes=classes, counts=counts)

    def _alike(self, what: str, done: str) -> DataError:
        problem = f"{self._family}: the label column {self._field.name!r} holds {what}, so nothing can be {done}"
        hint = "rows with NULL among their features or as label are left out; look whether others are left."
        return DataError(compose(problem, hint=hint))


def class_weights(target: Target, weights: str) -> Floats:
    """How much a row of each class counts, shape (classes,): 1, or, balanced, rows / (classes x rows of the class).

    Source of the formula: King and Zeng, "Logistic regression in rare events data" (2001).
    """
    counts = target.counts
    assert counts is not None
    return np.ones(len(counts)) if weights == "none" else target.rows / (len(counts) * counts)
