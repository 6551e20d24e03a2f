"""The rows of a sparse matrix that are most like each other, without ever making the matrix of all pairs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from paretosql.udfs.interactions import Matrix
from paretosql.udfs.model import Floats, Singles, Training
from paretosql.udfs.topk import among_best

DENSE = 0.005  # time of a multiplication of dense matrices over that of one of sparse ones; our choice, measured
TINY = np.float32(1e-12)


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
    lengths = row_lengths(rows).astype(np.float32)
    product = _products(rows, training)
    block = max(1, training.memory_bytes // max(1, 24 * number))
    starts, columns, values = [np.zeros(1, dtype=np.int64)], [], []
    for first in range(0, number, block):
        training.step("comparing", first, number)
        like = product(first, first + block)
        like /= np.maximum(lengths[first : first + block, None] * lengths[None, :] + np.float32(shrink), TINY)
        like[np.arange(len(like)), np.arange(first, first + len(like))] = 0.0
        kept = among_best(like, k) & (like > 0)
        place = np.flatnonzero(kept)
        starts.append(np.count_nonzero(kept, axis=1).cumsum() + starts[-1][-1])
        columns.append((place % number).astype(np.int32))
        values.append(like.reshape(-1)[place])
    return {
        "starts": np.concatenate(starts),
        "column": np.concatenate(columns) if columns else np.empty(0, np.int32),
        "value": np.concatenate(values) if values else np.empty(0, np.float32),
    }


def _products(rows: Matrix, training: Training) -> Callable[[int, int], Singles]:
    """The products of some rows with all: of dense matrices where these are small and cost less, else of sparse."""
    number, width = rows.shape
    pairs = float((np.bincount(rows.indices, minlength=width).astype(np.float64) ** 2).sum())
    if number * width * 4 <= training.memory_bytes and float(number) * number * width * DENSE < pairs:
        dense = rows.toarray().astype(np.float32)
        return lambda first, last: dense[first:last] @ dense.T
    other = rows.T.tocsr()
    return lambda first, last: (rows[first:last] @ other).toarray().astype(np.float32)


def strongest(values: Matrix, k: int) -> Matrix:
    """The k highest positive entries of each row of a CSR matrix, the lower columns of equal ones; the rest left out.

    Cost: a partition of the entries of each row.
    """
    from scipy import sparse

    places, counts = [], np.zeros(values.shape[0], dtype=np.int64)
    for row, (first, last) in enumerate(itertools.pairwise(values.indptr)):
        entries = values.data[first:last]
        chosen = np.flatnonzero(entries > 0)
        if len(chosen) > k:
            kept = entries[chosen]
            least = np.partition(kept, len(kept) - k)[len(kept) - k]
            above, level = chosen[kept > least], chosen[kept == least]
            lowest = np.argsort(values.indices[first:last][level], kind="stable")[: k - len(above)]
            chosen = np.concatenate((above, level[lowest]))
        places.append(first + chosen)
        counts[row] = len(chosen)
    place = np.concatenate(places) if places else np.empty(0, dtype=np.int64)
    starts = np.concatenate(([0], counts.cumsum()))
    return sparse.csr_matrix((values.data[place], values.indices[place], starts), shape=values.shape)
