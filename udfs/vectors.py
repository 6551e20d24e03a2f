"""Vectors of items and users, as matrices of rows and as lists in columns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from paretosql.errors import DataError, compose
from paretosql.udfs.ids import UNKNOWN
from paretosql.udfs.model import Floats, Ints, Singles
from paretosql.udfs.roles import is_number, plain_type, sql_type

EMBEDDING = "embedding"  # the column with vectors
PAIRS = 1 << 13  # our choice: vectors of so many pairs are laid side by side at once


def pair_products(left: Singles, right: Singles, row: Ints, column: Ints) -> Singles:
    """left[row] . right[column] for each pair, shape (n,), a few at a time."""
    found = np.empty(len(row), dtype=np.float32)
    for first in range(0, len(row), PAIRS):
        part = slice(first, first + PAIRS)
        np.einsum("nf,nf->n", left[row[part]], right[column[part]], out=found[part])
    return found


def unit(vectors: Singles | Floats) -> Singles:
    """Vectors of length 1 in the same directions, however long or short; 0 stays 0."""
    largest = np.abs(vectors).max(axis=1, keepdims=True, initial=0.0)
    found = vectors / np.where(largest > 0, largest, 1.0)
    length = np.linalg.norm(found, axis=1, keepdims=True)
    found /= np.where(length > 0, length, 1.0)
    return found.astype(np.float32)


def stacked(column: pa.Array, width: int) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Lists of numbers as rows of a matrix, and which of them are such: as long as they should be, all numbers finite.

    Raises:
        DataError: all lists are of another length, or they are something else than lists of numbers.
    """
    kind = plain_type(column.type)
    hint = f"embed(MODEL m) gives such vectors, of {width} numbers each."
    lists = pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind) or pa.types.is_large_list(kind)
    empty = lists and pa.types.is_null(kind.value_type)
    if not pa.types.is_null(column.type) and not empty and not (lists and is_number(kind.value_type)):
        raise DataError(compose(f"the column {EMBEDDING!r} holds {sql_type(kind)}, not lists of numbers", hint=hint))
    found = np.zeros((len(column), width))
    if not lists:
        return found, np.zeros(len(column), dtype=bool)
    lengths = pc.fill_null(pc.list_value_length(column), UNKNOWN).to_numpy(zero_copy_only=False)
    known = lengths == width
    if not known.any() and (lengths != UNKNOWN).any():
        wrong = lengths[lengths != UNKNOWN][0]
        raise DataError(compose(f"a vector has {wrong} numbers, those of this model have {width}", hint=hint))
    numbers = column.filter(pa.array(known)).flatten().cast(pa.float64()).to_numpy(zero_copy_only=False)
    found[known] = numbers.reshape(-1, width)  # NULL is NaN by now
    known &= np.isfinite(found).all(axis=1)
    found[~known] = 0.0
    return found, known
