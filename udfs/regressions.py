"""Ridge regressions of many rows at once: the half steps of alternating least squares.

Every row u of a sparse matrix asks for the x, shape (f,), that makes

    |x|^2 + sum over its entries i of (goal_ui - root_ui * factors_i . x)^2

least. Rows of about the same length are laid side by side, shorter ones filled up, so that all work is on arrays of
shape (rows, length, f) and there is no loop over rows. `solved` gives the minimum itself, `improved` comes nearer to
it by a few steps of conjugate gradients, which costs a small part of it.

Source: the normal equations, and for rows shorter than f the identity of Woodbury, which needs a system of the row's
length only; conjugate gradients in ALS: Takacs, Pilaszy, Tikk (RecSys 2011).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from paretosql.udfs.interactions import Matrix
from paretosql.udfs.model import Floats, Ints, Singles, Training
from paretosql.udfs.workers import spread

# our choices, measured on a machine with 2 MB of second-level cache
SMALL_BYTES = 1 << 20  # of the factors of a block that one thread works on alone: they stay in the cache
LARGE_BYTES = 1 << 23  # where several threads work: large enough that they seldom wait for the interpreter
SHARED_BYTES = 1 << 26  # of all blocks, from which on several threads are worth it
# below these sizes OpenBLAS keeps a product on the thread that asks for it; ours would get in the way of its own
VECTOR_SIZE, MATRIX_SIZE = 8192, 262_144
# our choice: a strong ridge makes vectors ever smaller; products of two such numbers would be below the normal ones of
# four bytes, with which processors calculate many times slower
NOTHING = 1e-18


@dataclass(frozen=True)
class Block:
    """Some rows side by side, as pieces of p entries; what fills up a row points to a row of zeros.

    Attributes:
        rows: their numbers, shape (b,).
        entries: the factors that each uses, shape (b, pieces, p).
        root, goal: see above, shape (b, pieces, p); a goal of shape (1, 1, 1) is that of all, root None is 1.
    """

    rows: Ints
    entries: npt.NDArray[np.intp]
    root: Singles | None
    goal: Singles


@dataclass(frozen=True)
class Regressions:
    """All rows in blocks. `scale` is the root that all entries share, where they do."""

    number: int
    blocks: Sequence[Block]
    scale: float
    shared: bool


Root = npt.NDArray[Any] | float
Work = Callable[[Block, Singles], tuple[Singles, Floats]]


def regressions(matrix: Matrix, root: Root, goal: Root, factors: int, memory_bytes: int) -> Regressions:
    """Lay out the rows of a sparse matrix; its values do not matter.

    Args:
        root, goal: one number for each entry, in the order of `matrix.data`, or one for all.
        factors: f above.
    Cost: a sort of the rows and one pass over the entries; 8 bytes an entry, 16 where root and goal differ.
    """
    lengths = np.diff(matrix.indptr).astype(np.int64)
    shared = 4 * factors * matrix.nnz >= SHARED_BYTES
    most = max(1, min(LARGE_BYTES if shared else SMALL_BYTES, memory_bytes // 8) // (4 * factors))
    order = np.argsort(lengths, kind="stable")
    ordered, blocks, first = lengths[order], [], 0
    while first < len(order):
        shortest = max(int(ordered[first]), 1)
        longest = shortest + max(shortest // 8, 3)
        last = min(first + max(1, most // longest), int(np.searchsorted(ordered, longest, side="right")))
        blocks.append(_block(matrix, order[first:last], lengths, root=root, goal=goal, factors=factors))
        first = last
    alike = np.ndim(root) == 0
    return Regressions(len(lengths), blocks[::-1], float(root) if alike else 1.0, shared)  # the longest first


def _block(matrix: Matrix, rows: Ints, lengths: Ints, *, root: Root, goal: Root, factors: int) -> Block:
    length = max(int(lengths[rows].max()), 1)
    pieces = -(-length // max(1, VECTOR_SIZE // factors))
    width = -(-length // pieces)
    at = np.arange(pieces * width)
    inside = at < lengths[rows][:, None]
    places = np.where(inside, matrix.indptr[rows].astype(np.int64)[:, None] + at, 0)
    shape = (len(rows), pieces, width)

    def filled(values: npt.NDArray[Any], rest: int) -> npt.NDArray[Any]:
        return np.where(inside, values[places] if len(values) else rest, rest).reshape(shape)

    def numbers(values: Root) -> Singles:
        alone = np.full((1, 1, 1), values) if np.ndim(values) == 0 else filled(np.asarray(values), 0)
        return alone.astype(np.float32)

    entries = filled(matrix.indices, matrix.shape[1]).astype(np.intp)
    return Block(rows, entries, None if np.ndim(root) == 0 else numbers(root), numbers(goal))


def solved(asked: Regressions, factors: Singles, training: Training) -> tuple[Singles, Floats]:
    """The minimum of every row.

    Args:
        factors: shape (m, f), what the entries point to.
    Returns:
        x, shape (rows, f), and what the sum of squares falls by from x = 0, shape (rows,), as a number below 0.
    Cost: O(entries f^2 + rows f^3), less for rows shorter than f.
    """
    most = training.memory_bytes // 8
    return _by_block(asked, factors, training, lambda block, start, known: _solved(block, known, most), None)


def improved(
    asked: Regressions, factors: Singles, start: Singles, steps: int, training: Training
) -> tuple[Singles, Floats]:
    """The same after some steps of conjugate gradients from `start`, shape (rows, f); they never end above it.

    Cost: O(entries f steps); a row whose factors alone would break the memory bound is solved.
    """
    most = training.memory_bytes // 8

    def work(block: Block, begin: Singles, known: Singles) -> tuple[Singles, Floats]:
        if 4 * block.entries.size * known.shape[1] > max(most, SMALL_BYTES):
            return _solved(block, known, most)
        return _improved(_taken(block, known), block.goal, begin, steps)

    return _by_block(asked, factors, training, work, start)


def _by_block(
    asked: Regressions,
    factors: Singles,
    training: Training,
    work: Callable[[Block, Singles, Singles], tuple[Singles, Floats]],
    start: Singles | None,
) -> tuple[Singles, Floats]:
    count, width = factors.shape
    known = np.zeros((count + 1, width), dtype=np.float32)  # the last is what fills up rows
    np.multiply(factors, np.float32(asked.scale), out=known[:count])
    found = np.empty((asked.number, width), dtype=np.float32)
    fall = np.empty(asked.number)
    done = 0  # about: threads may lose a count

    def one(block: Block) -> None:
        nonlocal done
        begin = known[:0] if start is None else start[block.rows]
        with np.errstate(over="ignore", invalid="ignore"):  # the loss says when it was too much
            found[block.rows], fall[block.rows] = work(block, begin, known)
        done += len(block.rows)

    threads = training.threads() if asked.shared else 1
    spread(one, asked.blocks, threads, lambda: training.step("solving", done, asked.number))
    return found, fall


def _taken(block: Block, known: Singles, pieces: slice = slice(None)) -> Singles:
    """The factors of the entries, each times its root, shape (b, pieces, p, f)."""
    taken: Singles = np.take(known, block.entries[:, pieces], axis=0, mode="clip")
    if block.root is not None:
        taken *= block.root[:, pieces, :, None]
    return taken


def _solved(block: Block, known: Singles, memory_bytes: int) -> tuple[Singles, Floats]:
    rows, pieces, width = block.entries.shape
    factors = known.shape[1]
    goal = np.broadcast_to(block.goal, block.entries.shape)
    if pieces * width < factors:
        taken = _taken(block, known)[:, 0]
        across = taken.transpose(0, 2, 1)
        system = taken @ across
        _add_one(system)
        found = across @ np.linalg.solve(system, goal[:, 0, :, None])
        right = across @ goal[:, 0, :, None]
    else:
        system = np.zeros((rows, factors, factors), dtype=np.float32)
        right = np.zeros((rows, factors, 1), dtype=np.float32)
        each = max(1, memory_bytes // (4 * rows * width * factors))
        for first in range(0, pieces, each):
            part = slice(first, first + each)
            taken = _taken(block, known, part)
            across = taken.transpose(0, 1, 3, 2)
            system += (across @ taken).sum(axis=1)
            right += (across @ goal[:, part, :, None]).sum(axis=1)
        _add_one(system)
        found = np.linalg.solve(system, right)
    return found[:, :, 0], -_dots(found[:, :, 0], right[:, :, 0]).astype(np.float64)


def _add_one(system: Singles) -> None:
    at = np.arange(system.shape[1])
    system[:, at, at] += 1.0


def _improved(taken: Singles, goal: Singles, x: Singles, steps: int) -> tuple[Singles, Floats]:
    rows = len(taken)
    across = taken.transpose(0, 1, 3, 2)

    def forth(vector: Singles) -> Singles:
        product: Singles = taken @ vector[:, None, :, None]
        return product

    def back(values: Singles) -> Singles:
        product = (across @ values)[..., 0]
        summed: Singles = product[:, 0] if product.shape[1] == 1 else product.sum(axis=1)
        return summed

    short = goal[..., None] - forth(x)
    rest = back(short) - x
    way, size = rest, _dots(rest, rest)
    flat, full = short.reshape(rows, -1), np.broadcast_to(goal, taken.shape[:3]).reshape(rows, -1)
    fall = _dots(x, x) + _dots(flat, flat) - _dots(full, full)
    for step in range(1, steps + 1):
        change = forth(way)
        flat = change.reshape(rows, -1)
        stride = size / np.maximum(_dots(flat, flat) + _dots(way, way), 1e-30)
        x = x + stride[:, None] * way
        fall -= stride * size
        if step < steps:
            rest = rest - stride[:, None] * (back(change) + way)
            before, size = size, _dots(rest, rest)
            way = rest + (size / np.maximum(before, 1e-30))[:, None] * way
    return x, fall.astype(np.float64)


def _dots(left: Singles, right: Singles) -> Singles:
    found: Singles = np.einsum("bf,bf->b", left, right)
    return found


def gram(vectors: Singles) -> Floats:
    """vectors' vectors, shape (f, f), in pieces that OpenBLAS keeps on one thread."""
    main, rest = _pieces(vectors)
    product: Floats = ((main.transpose(0, 2, 1) @ main).sum(axis=0) + rest.T @ rest).astype(np.float64)
    return product


def product(vectors: Singles, matrix: Floats) -> Singles:
    """vectors matrix, shape (n, f), in the same pieces; numbers too small to matter are 0."""
    found, small = np.empty_like(vectors), matrix.astype(np.float32)
    for left, out in zip(_pieces(vectors), _pieces(found), strict=True):
        np.matmul(left, small, out=out)
    found[np.abs(found) < NOTHING] = 0.0
    return found


def _pieces(vectors: Singles) -> tuple[Singles, Singles]:
    width = vectors.shape[1]
    each = max(16, MATRIX_SIZE // width**2)
    cut = len(vectors) // each * each
    return vectors[:cut].reshape(-1, each, width), vectors[cut:]
