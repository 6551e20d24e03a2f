"""Many small ridge regressions at once, whose rows are taken from one shared table: the half step of alternating
least squares.

Row b of the answer minimises |w|^2 + |P w - t|^2, where P holds the vectors of b's entries. Conjugate gradients from a
start that is nearly right need two or three steps, and a step for all rows is two products of stacked matrices; no
loop over rows, no matrix per row. Rows of like length share a block, so that little is padded.
Source: conjugate gradients for ALS are of Takacs, Pilaszy and Tikk (RecSys 2011); blocks and scaling are our choice.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from paretosql.udfs.interactions import Matrix
from paretosql.udfs.model import Floats, Ints, Singles

BLOCK_BYTES = 1 << 20  # our choice, measured: vectors of a block stay in the cache
PIECE = 128  # entries that are one matrix; longer rows are several, as long products of one vector are slow
LIKE = 8  # rows up to an eighth longer share a block


@dataclass(frozen=True)
class Block:
    """Some rows of a sparse matrix, padded: `entry[b, k, p]` is the column of an entry, or the number of columns where
    there is none, and `weight` its value, 0 where there is none.
    """

    rows: Ints  # (b,)
    entry: Ints  # (b, k, p)
    weight: Singles  # (b, k, p)


def blocks_of(matrix: Matrix, width: int) -> list[Block]:
    """All rows of a CSR matrix in blocks of like length, the longest first; `width` is that of the vectors."""
    lengths = np.diff(matrix.indptr)
    order = np.argsort(lengths, kind="stable")
    ascending = lengths[order]
    found, first = [], 0
    while first < len(order):
        shortest = max(int(ascending[first]), 1)
        longest = shortest + max(shortest // LIKE, 3)
        most = max(1, BLOCK_BYTES // (4 * longest * width))
        last = min(first + most, int(np.searchsorted(ascending, longest, side="right")))
        found.append(_block(matrix, order[first:last], lengths))
        first = last
    return found[::-1]


def _block(matrix: Matrix, rows: Ints, lengths: Ints) -> Block:
    longest = max(int(lengths[rows].max()), 1)
    pieces = -(-longest // PIECE)
    at = np.arange(pieces * -(-longest // pieces))
    there = at < lengths[rows][:, None]
    place = np.minimum(matrix.indptr[rows].astype(np.int64)[:, None] + at, max(len(matrix.indices) - 1, 0))
    if not len(matrix.indices):
        place = np.zeros_like(place)
    shape = (len(rows), pieces, -1)
    entry = np.where(there, matrix.indices[place] if len(matrix.indices) else 0, matrix.shape[1])
    weight = np.where(there, matrix.data[place] if len(matrix.indices) else 0.0, 0.0)
    return Block(rows, entry.reshape(shape).astype(np.int64), weight.reshape(shape).astype(np.float32))


# of a block: the factor of each vector, 1.0 for none, and the target; both (b, k, p) or one number
Scaling: TypeAlias = Callable[[Block], tuple[Singles | float, Singles | float]]


@dataclass(frozen=True)
class Descent:
    """How far conjugate gradients go, and on which threads."""

    steps: int
    pool: ThreadPoolExecutor


def solved(
    blocks: list[Block], vectors: Singles, scaling: Scaling, start: Singles, descent: Descent
) -> tuple[Singles, float]:
    """The minimisers of all rows, shape (rows, f), and the sum of |w|^2 + |P w|^2 - 2 P w . t over rows.

    Args:
        vectors: shape (columns, f); P is these times the factor of each entry.
        scaling: factor and target of the entries of a block.
        start: shape (rows, f), where the descent begins; it is not changed.
    Cost: O(entries * f * steps).
    """
    padded = np.zeros((len(vectors) + 1, vectors.shape[1]), dtype=np.float32)
    padded[:-1] = vectors
    found = start.copy()
    value = np.zeros(len(found))

    mine = threading.local()

    def one(block: Block) -> None:
        factor, target = scaling(block)
        shape = (*block.entry.shape, vectors.shape[1])
        size = math.prod(shape)
        if getattr(mine, "size", 0) < size:  # one piece of memory for each thread: fresh pages cost more than the work
            mine.room, mine.size = np.empty(size, dtype=np.float32), size
        p = mine.room[:size].reshape(shape)
        np.take(padded, block.entry, axis=0, mode="clip", out=p)
        if not isinstance(factor, float):
            p *= factor[..., None]
        w, fit = _descended(p, target, found[block.rows], descent.steps)
        found[block.rows] = w
        value[block.rows] = _dots(w, w) + (fit * (fit - 2.0 * target)).reshape(len(w), -1).sum(axis=1)

    for _ in descent.pool.map(one, blocks):
        pass
    return found, float(value.sum())


def _descended(p: Singles, target: Singles | float, w: Singles, steps: int) -> tuple[Singles, Singles]:
    """Conjugate gradients on (I + P'P) w = P't for a block: w, and P w."""
    turned = p.transpose(0, 1, 3, 2)

    def forth(vector: Singles) -> Singles:
        found: Singles = (p @ vector[:, None, :, None])[..., 0]
        return found

    def back(entries: Singles) -> Singles:
        found: Singles = (turned @ entries[..., None])[..., 0].sum(axis=1)
        return found

    fit = forth(w)
    rest = back(target - fit) - w
    way, size = rest, _dots(rest, rest)
    for step in range(steps):
        ahead = forth(way)
        flat = ahead.reshape(len(w), -1)
        length = size / np.maximum(_dots(flat, flat) + _dots(way, way), 1e-30)
        w = w + length[:, None] * way
        fit += length[:, None, None] * ahead
        if step < steps - 1:
            rest = rest - length[:, None] * (back(ahead) + way)
            again = _dots(rest, rest)
            way = rest + (again / np.maximum(size, 1e-30))[:, None] * way
            size = again
    return w, fit


def _dots(left: Singles, right: Singles) -> Singles:
    found: Singles = np.einsum("bf,bf->b", left, right)
    return found


# Products that are small enough stay on the thread that asks for them: several threads that each start those of the
# linear algebra library wait for each other most of the time.
ALONE = 1 << 18  # multiplications up to which OpenBLAS starts no thread


def gram(rows: Singles) -> Floats:
    """The products of all columns with each other, (f, f), of rows (n, f)."""
    parts = _parts(rows)
    found: Floats = (parts.transpose(0, 2, 1) @ parts).sum(axis=0, dtype=np.float64)
    return found


def turned(rows: Singles, by: Singles) -> Singles:
    """Rows (n, f) times a matrix (f, f)."""
    found: Singles = (_parts(rows) @ by).reshape(-1, by.shape[1])[: len(rows)]
    return found


def _parts(rows: Singles) -> Singles:
    """Rows as a stack of short matrices, padded with zeros."""
    number, width = rows.shape
    short = max(1, ALONE // (width * width))
    padded = np.zeros((-(-number // short) * short, width), dtype=np.float32)
    padded[:number] = rows
    return padded.reshape(-1, short, width)
