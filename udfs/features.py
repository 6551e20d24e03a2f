"""Columns of a table as features: which kind each is, which values cannot be used, and what is learnt of them all.

A feature is a number (booleans and decimals too), a time (dates, timestamps, times of day: numbers once they have the
type that training saw), or a category (text).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from paretosql.errors import DataError, compose
from paretosql.udfs.roles import is_number, numbers, plain_type, plain_values, sql_type

NUMBER, TIME, CATEGORY = "number", "time", "category"
LONGEST_TEXT = 1_000  # characters of a category; longer text is a document, not a category
TOO_LONG = f"text of more than {LONGEST_TEXT:,} characters"
COUNTED_VALUES = 1 << 18  # our choice: different values of a column that are counted exactly

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def no_text() -> pa.Array:
    """An empty column of text."""
    return pa.array([], pa.string())


@dataclass(frozen=True)
class Feature:
    """A column as training saw it.

    Attributes:
        type: of the column, without dictionary encoding.
        rows, nulls: values that were learnt from, and NULLs, also those of rows that were left out.
        low, high, mean, stddev: of numbers and times (days or microseconds), None of categories; stddev divides by n.
        different: how many categories there were, or are known to have been, None of numbers.
        categories: the ones that are told apart, ascending; empty of numbers.
    """

    name: str
    kind: str
    type: pa.DataType
    rows: int
    nulls: int
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    stddev: float | None = None
    different: int | None = None
    categories: pa.Array = field(default_factory=no_text)


def kind_of(column: pa.Field, family: str) -> str:
    """The kind of a column.

    Raises:
        DataError: it holds lists, structs, bytes or intervals, which no feature is made of.
    """
    kind = plain_type(column.type)
    if is_number(kind):
        return NUMBER
    if pa.types.is_temporal(kind) and not pa.types.is_interval(kind):
        return TIME
    if pa.types.is_string(kind):
        return CATEGORY
    problem = f"{family}: the column {column.name!r} holds {sql_type(kind)}, which is neither number, time nor text"
    hint = f"leave it out (ignore_cols = ['{column.name}']), or make numbers or text of it in the query."
    raise DataError(compose(problem, hint=hint))


def is_plain(kind: pa.DataType) -> bool:
    """Whether values are numbers that numpy and LightGBM read where they lie."""
    return bool(pa.types.is_integer(kind) or pa.types.is_float32(kind) or pa.types.is_float64(kind))


def doubles(column: pa.Array, name: str, family: str) -> npt.NDArray[Any]:
    """The numbers of a column, shape (n,), NULL as NaN; nothing is copied where they are plain numbers already."""
    if not column.null_count and is_plain(column.type):
        found: npt.NDArray[Any] = column.to_numpy()
        return found
    return numbers(column, name, family).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def unusable(column: pa.Array, values: npt.NDArray[Any] | None) -> list[tuple[Mask, str]]:
    """Which rows of a column cannot be used, and why: NULL, NaN, infinite, or text beyond `LONGEST_TEXT`.

    Args:
        values: the numbers of the column, None of categories.
    """
    found: list[tuple[Mask, str]] = []
    if column.null_count:
        found.append((column.is_null().to_numpy(zero_copy_only=False), "is NULL"))
    if values is None:
        if _longest(column) > LONGEST_TEXT:
            length = pc.fill_null(pc.utf8_length(plain_values(column)), 0).to_numpy(zero_copy_only=False)
            found.append((length > LONGEST_TEXT, f"is {TOO_LONG}"))
    elif values.dtype.kind == "f" and not _all_finite(values):
        nan = np.isnan(values)
        if column.null_count:
            nan &= ~found[0][0]
        found += [(mask, why) for mask, why in ((nan, "is NaN"), (np.isinf(values), "is infinite")) if mask.any()]
    return found


def _longest(column: pa.Array) -> int:
    """The length in characters of the longest text, cheap where text is dictionary-encoded."""
    texts = plain_values(column.dictionary if pa.types.is_dictionary(column.type) else column)
    longest: int | None = pc.max(pc.utf8_length(texts)).as_py()
    return longest or 0


def _all_finite(values: npt.NDArray[Any]) -> bool:
    """Whether no number is NaN or infinite; a sum tells in most cases, without a second array."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(values.sum())) or bool(np.isfinite(values).all())


class Frequencies:
    """How often each value of a column occurs. Memory: `COUNTED_VALUES` values.

    Where there are more, the rarest are forgotten as in Misra and Gries, "Finding repeated elements" (1982): the counts
    of values that occur in more than one of `COUNTED_VALUES` rows stay right within that share.
    """

    def __init__(self, kind: pa.DataType) -> None:
        self._kind = plain_type(kind)
        self._parts: list[pa.Table] = []
        self._waiting = 0
        self.forgotten = False

    def add(self, column: pa.Array) -> None:
        """Count the values of one batch, without NULL."""
        counted = pc.value_counts(plain_values(column))
        part = pa.table({"value": counted.field("values"), "rows": counted.field("counts")})
        self._parts.append(part)
        self._waiting += len(part)
        if self._waiting > 2 * COUNTED_VALUES:
            self._parts = [self._merged(COUNTED_VALUES)]
            self._waiting = len(self._parts[0])

    def most_frequent(self, most: int) -> tuple[pa.Array, npt.NDArray[np.int64], int]:
        """The values that occur most (of equals the smaller value), ascending; their counts; how many were counted."""
        whole = self._merged(COUNTED_VALUES)
        order = [("rows", "descending"), ("value", "ascending")]
        chosen = whole.take(pc.sort_indices(whole, sort_keys=order)[:most]).sort_by("value")
        values = plain_values(chosen.column("value"))
        return values, chosen.column("rows").to_numpy().astype(np.int64), len(whole)

    def _merged(self, most: int) -> pa.Table:
        if not self._parts:
            return pa.table({"value": pa.array([], self._kind), "rows": pa.array([], pa.int64())})
        whole = pa.concat_tables(self._parts).group_by("value", use_threads=False).aggregate([("rows", "sum")])
        whole = whole.select(["value", "rows_sum"]).rename_columns(["value", "rows"])
        if len(whole) <= most:
            return whole
        self.forgotten = True
        rows = whole.column("rows").to_numpy()
        less = np.partition(rows, len(rows) - most - 1)[len(rows) - most - 1]
        kept = whole.filter(pa.array(rows > less))
        return kept.set_column(1, "rows", pa.array(kept.column("rows").to_numpy() - less))


class Moments:
    """Count, extremes, mean and standard deviation of numbers, batch by batch.

    Source: Chan, Golub, LeVeque, "Updating formulae" (1979): exact to rounding also where the mean is far from 0.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.low, self.high = np.inf, -np.inf
        self.mean = self._squares = 0.0

    def add(self, values: npt.NDArray[Any]) -> None:
        """The finite numbers of one batch."""
        if not len(values):
            return
        wide = values.astype(np.float64, copy=False)
        with np.errstate(over="ignore", invalid="ignore"):  # whoever needs squares looks whether they are numbers
            self._add(wide)

    def _add(self, wide: npt.NDArray[np.float64]) -> None:
        mean, both = float(wide.mean()), self.rows + len(wide)
        apart = mean - self.mean
        self._squares += float(np.square(wide - mean).sum()) + apart * apart * (self.rows * len(wide) / both)
        self.mean += apart * (len(wide) / both)
        self.rows = both
        self.low, self.high = min(self.low, float(wide.min())), max(self.high, float(wide.max()))

    @property
    def stddev(self) -> float:
        """The square root of the mean squared distance from the mean."""
        return 0.0 if self.low >= self.high else float(np.sqrt(self._squares / self.rows))


class Portrait:
    """What is learnt of one column, batch by batch."""

    def __init__(self, column: pa.Field, kind: str) -> None:
        self._field, self._kind = column, kind
        self._moments, self._frequencies = Moments(), Frequencies(column.type)
        self._rows = self.nulls = 0

    def count_nulls(self, column: pa.Array) -> None:
        """NULLs among all rows, also those that are left out."""
        self.nulls += column.null_count

    def add(self, column: pa.Array, family: str) -> None:
        """The values of rows that are learnt from; NULL and NaN among them count for nothing."""
        known = column.drop_null() if column.null_count else column
        self._rows += len(known)
        if self._kind == CATEGORY:
            self._frequencies.add(known)
            return
        values = doubles(known, self._field.name, family)
        self._moments.add(values if _all_finite(values) else values[np.isfinite(values)])

    def finish(self, most_categories: int) -> Feature:
        """The feature."""
        name, kind = self._field.name, plain_type(self._field.type)
        if self._kind == CATEGORY:
            values, _, different = self._frequencies.most_frequent(most_categories)
            return Feature(name, CATEGORY, kind, self._rows, self.nulls, different=different, categories=values)
        found = self._moments
        if not found.rows:
            return Feature(name, self._kind, kind, 0, self.nulls, 0.0, 0.0, 0.0, 0.0)
        return Feature(name, self._kind, kind, found.rows, self.nulls, found.low, found.high, found.mean, found.stddev)


def described(features: Sequence[Feature]) -> pa.Table:
    """One row for each feature: what `feature_info` answers."""
    rows = (
        {
            "input": each.name, "kind": each.kind, "min": each.low, "max": each.high, "mean": each.mean,
            "stddev": each.stddev, "category_count": each.different, "null_count": each.nulls,
        }
        for each in features
    )  # fmt: skip
    return pa.Table.from_pylist(list(rows), schema=_DESCRIBED)


_DESCRIBED = pa.schema(
    [
        ("input", pa.string()),
        ("kind", pa.string()),
        ("min", pa.float64()),
        ("max", pa.float64()),
        ("mean", pa.float64()),
        ("stddev", pa.float64()),
        ("category_count", pa.int64()),
        ("null_count", pa.int64()),
    ]
)


def facts_of(features: Sequence[Feature]) -> tuple[list[dict[str, Any]], dict[str, pa.Array]]:
    """Features as JSON has them, and the columns beside: an empty one of each type, and the categories."""
    facts, columns = [], {}
    for at, each in enumerate(features):
        facts.append({name: value for name, value in vars(each).items() if name not in ("type", "categories")})
        columns[f"type_{at}"] = pa.array([], each.type)
        columns[f"categories_{at}"] = each.categories
    return facts, columns


def from_facts(facts: Sequence[dict[str, Any]], columns: Any) -> Iterator[Feature]:
    """The features that `facts_of` took apart."""
    for at, each in enumerate(facts):
        yield Feature(**each, type=columns[f"type_{at}"].type, categories=columns[f"categories_{at}"])
