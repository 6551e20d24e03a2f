"""Rows of who had to do with what, as a sparse matrix of users and items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from paretosql.errors import DataError, ProgrammingError, compose
from paretosql.udfs.ids import Codes, IdCollector, Ids, check_id_type
from paretosql.udfs.options import Options, option
from paretosql.udfs.roles import ITEMS, RATINGS, TIMES, USERS, guessed_column, named_column, needed_column, numbers
from paretosql.udfs.rows import Rows

if TYPE_CHECKING:
    from paretosql.udfs.model import Training

Matrix = Any  # scipy.sparse.csr_matrix, which has no types
COUNTING = 1e-12, 1e12  # our choice: ratings by which rows may count; sums of their squares are numbers of four bytes


@dataclass(frozen=True)
class RecommenderOptions(Options):
    """What all recommenders take."""

    user_col: str = option("", "the column with users; default: user_id, user, customer_id, ..")
    item_col: str = option("", "the column with items; default: item_id, item, product_id, movie_id, ..")
    rating_col: str = option("", "the column with ratings; default: rating, score, stars, ..")
    time_col: str = option("", "the column with times; default: timestamp, ts, ..")
    weighting: str = option(
        "binary",
        "whether every row counts as one positive, or as much as its rating; rows of the same user and item add up",
        choices=("binary", "rating"),
    )


@dataclass(frozen=True)
class Columns:
    """The parts that columns play; rating and time may be absent."""

    user: str
    item: str
    rating: str | None = None
    time: str | None = None


@dataclass(frozen=True)
class Interactions:
    """All rows by number, in order: codes of users and items, ratings and times where there are columns of them."""

    users: Ids
    items: Ids
    user: Codes
    item: Codes
    rating: npt.NDArray[np.float64] | None = None
    time: npt.NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.user)


def columns_of(schema: pa.Schema, options: RecommenderOptions, family: str) -> Columns:
    """Which column is what.

    Raises:
        ProgrammingError: no column with users, or with items; a named one that is not there, or that is named twice.
    """
    given = _given(schema.names, options, family)
    free = [name for name in schema.names if name not in given.values()]  # to guess from
    user = given.get("user_col") or needed_column(free, "", USERS, "user_col", family)
    free = [name for name in free if name != user]
    item = given.get("item_col") or needed_column(free, "", ITEMS, "item_col", family)
    free = [name for name in free if name != item]
    rating = given.get("rating_col") or guessed_column(free, RATINGS)
    if rating is None and options.weighting == "rating":
        rating = needed_column(free, "", RATINGS, "rating_col", family)
    time = given.get("time_col") or guessed_column([name for name in free if name != rating], TIMES)
    for name in (user, item):
        check_id_type(schema.field(name).type, name, family)
    return Columns(user, item, rating, time)


def _given(names: list[str], options: RecommenderOptions, family: str) -> dict[str, str]:
    """The columns that options name, by the option."""
    found: dict[str, str] = {}
    for option_ in ("user_col", "item_col", "rating_col", "time_col"):
        if not getattr(options, option_):
            continue
        name = named_column(names, getattr(options, option_), option_, family)
        other = next((known for known, column in found.items() if column == name), None)
        if other is not None:
            problem = f"{family}: the column {name!r} is both {other} and {option_}"
            raise ProgrammingError(
                compose(problem, hint=f"name another column in {option_}, or leave one of them out.")
            )
        found[option_] = name
    return found


def read_interactions(rows: Rows, columns: Columns, family: str, training: Training) -> Interactions:
    """All rows that have a user and an item. Memory: 8 bytes a row, 8 more each for ratings and times.

    Raises:
        DataError: there are none; a rating that is NULL or no number.
    """
    users = IdCollector(rows.schema.field(columns.user).type)
    items = IdCollector(rows.schema.field(columns.item).type)
    ratings: list[npt.NDArray[np.float64]] = []
    times: list[npt.NDArray[np.float64]] = []
    read = skipped = 0
    for batch in rows.batches():
        training.step("reading rows", read, rows.num_rows)
        kept = _without_nulls(batch, columns.user, columns.item)
        read, skipped = read + batch.num_rows, skipped + batch.num_rows - kept.num_rows
        if not kept.num_rows:
            continue
        users.add(kept.column(columns.user))
        items.add(kept.column(columns.item))
        if columns.rating is not None:
            ratings.append(_numbers(kept.column(columns.rating), columns.rating, family))
        if columns.time is not None:
            times.append(_numbers(kept.column(columns.time), columns.time, family))
    if skipped:
        training.warn(f"{skipped:,} rows without a user or an item were left out")
    user_ids, user = users.finish()
    item_ids, item = items.finish()
    rating = np.concatenate(ratings) if ratings else None
    time = np.concatenate(times) if times else None
    return Interactions(user_ids, item_ids, user, item, rating, time)


def _without_nulls(batch: pa.RecordBatch, *names: str) -> pa.RecordBatch:
    for name in names:
        if batch.column(name).null_count:
            batch = batch.filter(pc.is_valid(batch.column(name)))
    return batch


def _numbers(column: pa.Array, name: str, family: str) -> npt.NDArray[np.float64]:
    found: npt.NDArray[np.float64] = pc.fill_null(numbers(column, name, family), np.nan).to_numpy(zero_copy_only=False)
    return found


def weights_of(found: Interactions, options: RecommenderOptions, columns: Columns, family: str) -> npt.NDArray[Any]:
    """How much each row counts, shape (n,), float32.

    Raises:
        DataError: weighting by rating, and a rating is missing, not above 0, or too small or large to calculate with.
    """
    if options.weighting == "binary" or found.rating is None:
        return np.ones(len(found), dtype=np.float32)
    least, most = COUNTING
    wrong = ~((found.rating >= least) & (found.rating <= most))  # NaN is
    if wrong.any():
        problem = f"{family}: the column {columns.rating!r} holds {found.rating[wrong][0]:g} where weighting = 'rating'"
        hint = f"ratings that count are from {least:g} to {most:g}; filter or scale them, or leave weighting out."
        raise DataError(compose(problem, hint=hint))
    return found.rating.astype(np.float32)


def matrix_of(user: Codes, item: Codes, weight: npt.NDArray[Any], shape: tuple[int, int], *, binary: bool) -> Matrix:
    """Users times items, float32 in CSR; rows of the same user and item are one entry, their sum, or 1 when binary."""
    return _by_item(user, item, weight, shape, binary=binary).tocsr()


def popular_first(found: Interactions, weight: npt.NDArray[Any], *, binary: bool) -> tuple[Ids, Matrix]:
    """Items by falling number of users, ids in ascending order where these are equal, and the matrix of `matrix_of`."""
    shape = (len(found.users), len(found.items))
    columns = _by_item(found.user, found.item, weight, shape, binary=binary)
    order = np.argsort(-np.diff(columns.indptr), kind="stable")
    return found.items.reordered(order), columns[:, order].tocsr()


def _by_item(user: Codes, item: Codes, weight: npt.NDArray[Any], shape: tuple[int, int], *, binary: bool) -> Matrix:
    """The matrix in CSC, users ascending in each column."""
    from scipy import sparse

    rows = sparse.coo_matrix((weight.astype(np.float32), (user, item)), shape=shape)
    rows.has_canonical_format = True  # not yet; but turning it needs no order, and the next line finds what there is
    found = rows.tocsc()
    found.sum_duplicates()
    if binary:
        found.data[:] = 1.0
    return found
