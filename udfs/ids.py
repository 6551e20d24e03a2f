"""Ids of users and items: values of any type, numbered from 0."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from paretosql.errors import DataError, compose, spelt
from paretosql.udfs.roles import plain_type, plain_values, sql_type

UNKNOWN = -1
DENSE = 8  # our choice: how many places a table may have for each row
Codes = npt.NDArray[np.int32]
Ints = npt.NDArray[np.int64]


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
    """Numbers the values of a column batch by batch. Memory: 4 bytes a row, and each value once per batch; for integers
    that lie close together a byte for every one between the least and the highest instead.
    """

    def __init__(self, kind: pa.DataType) -> None:
        self._kind = plain_type(kind)
        self._near = _Near(self._kind) if pa.types.is_integer(self._kind) else None
        self._parts: list[pa.DictionaryArray] = []

    def add(self, column: pa.Array) -> None:
        """The values of one batch, without NULL."""
        values = id_values(column)
        if self._near is not None and not self._near.add(values):
            self._leave_near()
        if self._near is None:
            self._parts.append(values.dictionary_encode())

    def finish(self) -> tuple[Ids, Codes]:
        """All ids in ascending order, and the number of each row."""
        if self._near is not None and self._near.is_dense():
            return self._near.finish()
        self._leave_near()
        if not self._parts:
            return Ids(pa.array([], self._kind)), np.empty(0, dtype=np.int32)
        found = pc.unique(pa.chunked_array([part.dictionary for part in self._parts]))
        values = found.take(pc.sort_indices(found))
        return Ids(values), np.concatenate([_renumbered(part, values) for part in self._parts])

    def _leave_near(self) -> None:
        if self._near is not None:
            self._parts = [each.dictionary_encode() for each in self._near.values()]
            self._near = None


def _renumbered(part: pa.DictionaryArray, values: pa.Array) -> Codes:
    places = pc.index_in(part.dictionary, value_set=values).to_numpy(zero_copy_only=False)
    found: Codes = places.take(part.indices.to_numpy(zero_copy_only=False))
    return found


class _Near:
    """Integers as distances of 4 bytes from one of them, numbered by a table of all that lie between."""

    def __init__(self, kind: pa.DataType) -> None:
        self._kind = kind
        self._base = 0
        self._least, self._most = 0, -1  # distances
        self._parts: list[Codes] = []

    def add(self, values: pa.Array) -> bool:
        """Keep a batch; False, and nothing is kept, when it is too far away from earlier ones."""
        plain = values.to_numpy(zero_copy_only=False)
        if not len(plain):
            return True
        least, most = int(plain.min()), int(plain.max())
        base = self._base if self._parts else least
        if not -(1 << 31) <= least - base <= most - base < 1 << 31:
            return False
        wide = plain.view(np.uint64) if plain.itemsize == 8 else plain.astype(np.uint64)  # differences wrap around
        first = not self._parts
        self._base = base
        self._least = least - base if first else min(self._least, least - base)
        self._most = most - base if first else max(self._most, most - base)
        self._parts.append((wide - np.uint64(base % (1 << 64))).astype(np.int32))
        return True

    def is_dense(self) -> bool:
        """Whether the table has not many more places than there are rows."""
        return 0 <= self._most - self._least < DENSE * sum(map(len, self._parts))

    def values(self) -> Iterator[pa.Array]:
        """The batches as they came."""
        for part in self._parts:
            yield self._array(part)

    def finish(self) -> tuple[Ids, Codes]:
        """See `IdCollector`."""
        width = self._most - self._least + 1
        there = np.zeros(width, dtype=bool)
        for part in self._parts:
            there[self._places(part)] = True
        found = np.flatnonzero(there)
        numbers = np.empty(width, dtype=np.int32)
        numbers[found] = np.arange(len(found), dtype=np.int32)
        codes = [numbers.take(self._places(part)) for part in self._parts]
        return Ids(self._array(found + self._least)), np.concatenate(codes)

    def _places(self, part: Codes) -> Ints:
        return part.astype(np.int64) - self._least

    def _array(self, distances: npt.NDArray[np.integer]) -> pa.Array:
        wide = distances.astype(np.int64).view(np.uint64) + np.uint64(self._base % (1 << 64))
        return pa.array(wide.astype(self._kind.to_pandas_dtype()), self._kind)


def names_of(fields: Sequence[pa.Field]) -> list[str]:
    """The names of some columns."""
    return [each.name for each in fields]
