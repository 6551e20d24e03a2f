"""Feature columns as a matrix of doubles: numbers as they are, categories as columns of 0 and 1 or as one of codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from paretosql.errors import DataError, ProgrammingError, closest, compose, spelt
from paretosql.udfs.features import (
    CATEGORY,
    NUMBER,
    TIME,
    TOO_LONG,
    Feature,
    Floats,
    Mask,
    doubles,
    facts_of,
    from_facts,
    is_plain,
    unusable,
)
from paretosql.udfs.ids import Ids
from paretosql.udfs.roles import found_column, is_number, plain_type, sql_type


@dataclass(frozen=True)
class Column:
    """A column of the matrix: the feature it comes from, and of which category it says whether a row has it."""

    feature: Feature
    category: str | None = None


@dataclass(frozen=True)
class Encoded:
    """Rows as numbers.

    Attributes:
        features: a matrix of shape (n, width), in Fortran order, so that each column is written and read in one go; or
            a table of as many columns.
        faults: why a row cannot be used, a text for each row or NULL; None where all can.
    """

    features: Any
    faults: pa.Array | None

    @property
    def usable(self) -> Mask | None:
        """Which rows can be used; None where all can."""
        return None if self.faults is None else self.faults.is_null().to_numpy(zero_copy_only=False)

    def where(self, mask: Mask) -> Any:
        """The features of some rows."""
        return self.features.filter(pa.array(mask)) if isinstance(self.features, pa.Table) else self.features[mask]


@dataclass(frozen=True)
class Encoder:
    """How the columns of a table become a matrix.

    Attributes:
        one_hot: a column of 0 and 1 for each category, all 0 for one that training has not seen or was too rare;
            otherwise one column of codes from 1, which is 0 for these.
        tolerant: whether NULL and NaN become NaN instead of faults, and infinite numbers stay.
    """

    family: str
    features: tuple[Feature, ...]
    one_hot: bool = True
    tolerant: bool = False

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """What the columns of the matrix are."""
        found: list[Column] = []
        for each in self.features:
            if each.kind == CATEGORY and self.one_hot:
                found += [Column(each, value) for value in each.categories.to_pylist()]
            else:
                found.append(Column(each))
        return tuple(found)

    @property
    def width(self) -> int:
        """How many columns the matrix has."""
        return len(self.columns)

    @property
    def fields(self) -> list[pa.Field]:
        """The columns that are read."""
        return [pa.field(each.name, each.type) for each in self.features]

    @cached_property
    def shift(self) -> Floats:
        """The mean of each number, shape (width,); 0 for categories."""
        return np.array([each.feature.mean or 0.0 for each in self.columns])

    def moments(self) -> tuple[Floats, Floats]:
        """`shift` and `scale`.

        Raises:
            DataError: numbers of a column are so large that their squares are not numbers.
        """
        for column, shift, scale in zip(self.columns, self.shift, self.scale, strict=True):
            if not (np.isfinite(shift) and np.isfinite(scale)):
                problem = f"{self.family}: the column {column.feature.name!r} holds numbers too large to be squared"
                raise DataError(compose(problem, hint="divide them in the query, or leave the column out."))
        return self.shift, self.scale

    @cached_property
    def scale(self) -> Floats:
        """The standard deviation of each number, shape (width,); 1 for categories and for what never changes."""
        return np.array([each.feature.stddev or 1.0 for each in self.columns])

    def encode(self, batch: pa.RecordBatch) -> Encoded:
        """A batch as a matrix. O(n width), one array of 8 n width bytes.

        Args:
            batch: the columns of `fields` by name in any case, and further ones.
        Raises:
            ProgrammingError: a column is not there.
            DataError: it holds another kind of values than in training.
        """
        out = np.empty((batch.num_rows, self.width), order="F")
        faults = _Faults(batch.num_rows)
        at = 0
        for feature, column, values in self._read(batch, faults):
            if values is not None:
                out[:, at] = values
                at += 1
            elif self.one_hot:
                codes = _codes(column, Ids(feature.categories))
                out[:, at : at + len(feature.categories)] = 0.0
                known = np.flatnonzero(codes >= 0)
                out[known, at + codes[known]] = 1.0
                at += len(feature.categories)
            else:
                out[:, at] = self._coded(column, feature)
                at += 1
        return Encoded(out, faults.texts())

    def encode_columns(self, batch: pa.RecordBatch) -> Encoded:
        """The same without `one_hot` as a table; columns that are plain numbers already are not copied."""
        faults = _Faults(batch.num_rows)
        columns = []
        for feature, column, values in self._read(batch, faults):
            if values is None:
                columns.append(pa.array(self._coded(column, feature)))
            else:
                columns.append(column if is_plain(column.type) else pa.array(values))
        return Encoded(pa.Table.from_arrays(columns, names=[str(at) for at in range(len(columns))]), faults.texts())

    def _read(
        self, batch: pa.RecordBatch, faults: _Faults
    ) -> Iterator[tuple[Feature, pa.Array, npt.NDArray[Any] | None]]:
        """Each feature with its column, and the numbers of it where it has some; what is wrong goes to `faults`."""
        for feature in self.features:
            column = self._column(batch, feature)
            values = None if feature.kind == CATEGORY else doubles(column, feature.name, self.family)
            for mask, why in unusable(column, values):
                if not self.tolerant or TOO_LONG in why:
                    faults.add(mask, f"feature '{feature.name}' {why}")
            yield feature, column, values

    def _coded(self, column: pa.Array, feature: Feature) -> Floats:
        """Categories as codes from 1, 0 for others; NULL as NaN if that is tolerated."""
        codes: Floats = _codes(column, Ids(feature.categories)).astype(np.float64) + 1.0
        if self.tolerant and column.null_count:
            codes[column.is_null().to_numpy(zero_copy_only=False)] = np.nan
        return codes

    def _column(self, batch: pa.RecordBatch, feature: Feature) -> pa.Array:
        """The column of a feature, with values of its kind."""
        names = batch.schema.names
        name = found_column(names, feature.name)
        if name is None:
            near = closest(feature.name, names)
            start = f"did you mean {near!r}? " if near else ""
            problem = f"{self.family}: there is no column {feature.name!r}, which the model learnt from"
            raise ProgrammingError(compose(problem, hint=f"{start}The rows have {', '.join(names)}."))
        column = batch.column(name)
        kind = plain_type(column.type)
        if pa.types.is_null(column.type):
            return pa.nulls(len(column), pa.float64() if feature.kind == NUMBER else feature.type)
        if feature.kind == NUMBER:
            fits = is_number(kind)
        elif feature.kind == TIME:
            fits = pa.types.is_temporal(kind)
        else:
            fits = not pa.types.is_nested(kind)
        if not fits:
            raise self._misfit(feature, kind)
        if feature.kind == NUMBER or kind == feature.type:
            return column
        try:  # another kind of time, or something to be read as text
            return column.cast(feature.type, safe=False)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise self._misfit(feature, kind) from None

    def _misfit(self, feature: Feature, kind: pa.DataType) -> DataError:
        was = sql_type(feature.type)
        problem = f"{self.family}: the column {feature.name!r} holds {sql_type(kind)}, in training it held {was}"
        return DataError(compose(problem, hint=f"CAST({spelt(feature.name)} AS {was}) in the query."))

    def facts(self) -> tuple[dict[str, Any], dict[str, pa.Array]]:
        """The encoder as JSON has it, and the columns beside."""
        facts, columns = facts_of(self.features)
        return {"features": facts, "one_hot": self.one_hot, "tolerant": self.tolerant}, columns

    @classmethod
    def from_facts(cls, family: str, facts: Mapping[str, Any], columns: Mapping[str, pa.Array]) -> Self:
        """The encoder that `facts` took apart."""
        features = tuple(from_facts(facts["features"], columns))
        return cls(family, features, facts["one_hot"], facts["tolerant"])


def _codes(column: pa.Array, ids: Ids) -> npt.NDArray[np.int32]:
    """The number of each row's category, -1 where there is none; every word of a dictionary is looked up once."""
    if not pa.types.is_dictionary(column.type):
        return ids.codes(column)
    words = ids.codes(column.dictionary)
    places = column.indices.to_numpy(zero_copy_only=False)
    if column.null_count:
        known = column.indices.is_valid().to_numpy(zero_copy_only=False)
        places = np.where(known, places, 0).astype(np.int64)
        return np.where(known, words[places], -1) if len(words) else np.full(len(column), -1, np.int32)
    found: npt.NDArray[np.int32] = words[places] if len(words) else np.full(len(column), -1, np.int32)
    return found


class _Faults:
    """Why rows cannot be used; what is found first stays."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._reasons: list[str] = []
        self._which: npt.NDArray[np.int32] | None = None

    def add(self, mask: Mask, why: str) -> None:
        if not mask.any():
            return
        if self._which is None:
            self._which = np.full(self._rows, -1, dtype=np.int32)
        self._which[mask & (self._which < 0)] = len(self._reasons)
        self._reasons.append(why)

    def texts(self) -> pa.Array | None:
        if self._which is None:
            return None
        return pa.array(self._reasons, pa.string()).take(pa.array(self._which, mask=self._which < 0))
