"""What sketches ask of their arguments: capacities, thresholds and seeds in range, columns in slices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from paretosql.errors import DataError, ProgrammingError, compose
from paretosql.sketches.hashing import Values, as_arrow

MAX_CAPACITY: Final = (1 << 32) - 1  # what the stored forms can hold
FULL: Final = 1 << 64  # the threshold of a sketch that has kept everything
SLICE_ROWS: Final = 1 << 18  # our choice: rows hashed at once, 2 MiB of hashes


def check_capacity(capacity: int, name: str = "capacity") -> int:
    """`capacity` as a Python int in 1..2**32-1; ProgrammingError or DataError when it is not one."""
    return _check_integer(capacity, name, MAX_CAPACITY)


def check_theta(theta: int) -> int:
    """`theta` as a Python int in 1..2**64; ProgrammingError or DataError when it is not one."""
    return _check_integer(theta, "threshold", FULL)


def _check_integer(value: int, name: str, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ProgrammingError(compose(f"the {name} is an integer, not {type(value).__name__}"))
    if not 1 <= int(value) <= most:
        raise DataError(compose(f"{name} {value} is out of range", hint=f"use 1 to {most}."))
    return int(value)


def check_seeds_agree(left: int, right: int) -> None:
    """DataError when two sketches to be merged have different seeds."""
    if left != right:
        problem = f"sketches with seed {left} and seed {right} cannot be merged"
        raise DataError(compose(problem, hint="build both with the same seed: their hashes are unrelated."))


def check_counts(counts: npt.NDArray[np.int64], rows: int) -> None:
    """ProgrammingError or DataError when `counts` are not numbers of rows from 1 on, one for each of `rows` values."""
    if not isinstance(counts, np.ndarray) or counts.dtype.kind not in "iu" or counts.shape != (rows,):
        raise ProgrammingError(compose(f"counts must be {rows} integers, one for each value"))
    if rows and int(counts.min()) < 1:
        raise DataError(compose(f"a count is {int(counts.min())}", hint="a value stands for at least one row."))


def parts(values: Values) -> Iterator[pa.Array]:
    """A column as Arrow arrays of at most SLICE_ROWS rows, or as many as its dictionary has values, without copies."""
    for chunk in values.chunks if isinstance(values, pa.ChunkedArray) else [as_arrow(values)]:
        # each slice hashes the whole dictionary
        rows = max(SLICE_ROWS, len(chunk.dictionary)) if pa.types.is_dictionary(chunk.type) else SLICE_ROWS
        for start in range(0, len(chunk), rows):
            yield chunk.slice(start, rows)
