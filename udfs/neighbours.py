"""The rows of a sparse matrix that are most like each other, without ever making the matrix of all pairs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from paretosql.udfs.interactions import Matrix
from paretosql.udfs.model import Floats, Singles, Training
from paretosql.udfs.topk import best


def row_lengths(matrix: Matrix) -> Floats:
    """The Euclidean length of each row."""
    found: Floats = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1), dtype=np.float64)).ravel()
    return found


def likest(rows: Matrix, k: int, shrink: float, training: Training) -> Mapping[str, npt.NDArray[Any]]:
    """The k rows with the highest cosine to each row, itself left out, as `starts`, `column`, `value` of a CSR matrix.

    common / (length * length + shrink), where common is the product of two rows.
    Cost: the products that are not 0, in blocks of rows that fit `training.memory_bytes`.
    """
    number = rows.shape[0]
    lengths = row_lengths(rows)
    other = rows.T.tocsr()
    block = max(1, training.memory_bytes // max(1, 24 * number))
    starts, columns, values = [np.zeros(1, dtype=np.int64)], [], []
    for first in range(0, number, block):
        training.step("comparing", first, number)
        mine = rows[first : first + block]
        common = (mine @ other).toarray().astype(np.float32)
        scale = lengths[first : first + block, None] * lengths[None, :] + shrink
        like = np.divide(common, scale, out=np.zeros_like(common), where=common != 0)
        like[np.arange(like.shape[0]), np.arange(first, first + like.shape[0])] = 0.0
        column, value = best(like, k)
        kept = value > 0
        starts.append(kept.sum(axis=1).cumsum() + starts[-1][-1])
        columns.append(column[kept].astype(np.int32))
        values.append(value[kept])
    return {
        "starts": np.concatenate(starts),
        "column": np.concatenate(columns) if columns else np.empty(0, np.int32),
        "value": np.concatenate(values) if values else np.empty(0, np.float32),
    }


def strongest(values: Singles, k: int) -> Matrix:
    """The k highest positive entries of each row, the others left out, as CSR."""
    from scipy import sparse

    column, value = best(values, k)
    kept = value > 0
    starts = np.concatenate(([0], kept.sum(axis=1).cumsum()))
    return sparse.csr_matrix((value[kept], column[kept], starts), shape=values.shape)
