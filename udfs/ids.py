"""Ids of users and items: values of any type, numbered from 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from paretosql.errors import DataError, compose, spelt
from paretosql.udfs.roles import plain_type, plain_values, sql_type

UNKNOWN = -1
Codes = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Ids:
    """Different values without NULL; the place of each is its number."""

    values: pa.Array

    def __len__(self) -> int:
        return len(self.values)

    def codes(self, given: pa.Array | pa.ChunkedArray) -> Codes:
        """The numbers of some values, shape (n,): `UNKNOWN` for NULL and what is not here. O(n + all ids)."""
        values = id_values(given)
        if values.type != self.values.type:
            values = _cast(values, self.values.type)
            if values is None:
                return np.full(len(given), UNKNOWN, dtype=np.int32)
        if not len(self.values):
            return np.full(len(values), UNKNOWN, dtype=np.int32)
        found = pc.index_in(values, value_set=self.values, skip_nulls=True)
        codes: Codes = pc.fill_null(found, UNKNOWN).to_numpy(zero_copy_only=False)
        return codes

    def take(self, codes: npt.NDArray[np.integer]) -> pa.Array:
        """The values behind numbers."""
        return self.values.take(pa.array(codes))

    def reordered(self, order: npt.NDArray[np.integer]) -> Ids:
        """The same ids, numbered anew: `order[new]` is the old number."""
        return Ids(self.values.take(pa.array(order)))


def id_values(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A column as plain values, of which those are equal that SQL calls so: 0.0 and -0.0 are."""
    values = plain_values(column)
    return pc.add(values, 0.0) if pa.types.is_floating(values.type) else values


def _cast(values: pa.Array, kind: pa.DataType) -> pa.Array | None:
    """Values as another type where that loses nothing; NULL where one does; None where types have nothing in common."""
    try:
        return values.cast(kind)
    except pa.ArrowInvalid:  # some value does not fit
        fits = [_one(value, kind) for value in values]
        return pa.array(fits, kind)
    except pa.ArrowNotImplementedError:
        return None


def _one(value: pa.Scalar, kind: pa.DataType) -> object:
    try:
        return value.cast(kind).as_py()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def check_id_type(kind: pa.DataType, column: str, family: str) -> None:
    """DataError when values of a type cannot be ids."""
    kind = plain_type(kind)
    if pa.types.is_nested(kind) or pa.types.is_interval(kind) or isinstance(kind, pa.OpaqueType):
        problem = f"{family}: the column {column!r} holds {sql_type(kind)}, which cannot be an id"
        raise DataError(compose(problem, hint=f"CAST({spelt(column)} AS VARCHAR) in the query."))


class IdCollector:
    """Numbers the values of a column batch by batch. Memory: 4 bytes a row, and each value once per batch."""

    def __init__(self, kind: pa.DataType) -> None:
        self._kind = plain_type(kind)
        self._parts: list[pa.DictionaryArray] = []

    def add(self, column: pa.Array) -> None:
        """The values of one batch, without NULL."""
        self._parts.append(id_values(column).dictionary_encode())

    def finish(self) -> tuple[Ids, Codes]:
        """All ids in ascending order, and the number of each row."""
        if not self._parts:
            return Ids(pa.array([], self._kind)), np.empty(0, dtype=np.int32)
        whole = pa.chunked_array(self._parts).unify_dictionaries()
        values = whole.chunk(0).dictionary
        codes = np.concatenate([part.indices.to_numpy(zero_copy_only=False) for part in whole.chunks])
        order = pc.sort_indices(values).to_numpy()
        place = np.empty(len(order), dtype=np.int32)
        place[order] = np.arange(len(order), dtype=np.int32)
        return Ids(values.take(pa.array(order))), place[codes]


def names_of(fields: Sequence[pa.Field]) -> list[str]:
    """The names of some columns."""
    return [each.name for each in fields]
