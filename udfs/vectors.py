"""Vectors of items and users, as matrices of rows and as lists in columns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from paretosql.errors import DataError, compose
from paretosql.udfs.model import Ints, Singles
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


def unit(vectors: Singles) -> Singles:
    """Vectors of length 1 in the same directions; 0 stays 0."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    found: Singles = (vectors / np.where(length > 0, length, 1.0)).astype(np.float32)
    return found


def stacked(column: pa.Array, width: int) -> tuple[Singles, npt.NDArray[np.bool_]]:
    """Lists of numbers as rows of a matrix, and which of them are such.

    Raises:
        DataError: lists of another length, or something else than lists.
    """
    kind = plain_type(column.type)
    hint = f"embed(MODEL m) gives such vectors, of {width} numbers each."
    lists = pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind) or pa.types.is_large_list(kind)
    empty = lists and pa.types.is_null(kind.value_type)
    if not pa.types.is_null(column.type) and not empty and not (lists and is_number(kind.value_type)):
        raise DataError(compose(f"the column {EMBEDDING!r} holds {sql_type(kind)}, not lists of numbers", hint=hint))
    found = np.zeros((len(column), width), dtype=np.float32)
    known = np.zeros(len(column), dtype=bool)
    for at, value in enumerate(column.to_pylist()):
        if value is None or any(each is None for each in value):
            continue
        if len(value) != width:
            raise DataError(compose(f"a vector has {len(value)} numbers, those of this model have {width}", hint=hint))
        found[at], known[at] = value, True
    return found, known
