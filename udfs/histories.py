"""Histories of users: what training knows of them, what was given instead, as rows of a sparse matrix."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from paretosql.errors import ProgrammingError, compose
from paretosql.udfs.ids import UNKNOWN, Codes, Ids
from paretosql.udfs.interactions import (
    Columns,
    Interactions,
    Matrix,
    RecommenderOptions,
    columns_of,
    matrix_of,
    read_interactions,
    weights_of,
)
from paretosql.udfs.model import Arguments, Ints, Singles, Training
from paretosql.udfs.roles import found_column
from paretosql.udfs.rows import Rows, Spool

WHOLE_BYTES = 1 << 26  # our choice


@dataclass(frozen=True)
class Known:
    """What training knows: ids, who had what, and which columns these came from."""

    columns: Columns
    users: Ids
    items: Ids
    seen: Matrix  # (users, items), float32 CSR

    @cached_property
    def whole(self) -> Singles | None:
        """`seen` as a dense matrix where that is small, for products that are then several times faster."""
        users, items = self.seen.shape
        found: Singles | None = self.seen.toarray() if users * items * 4 <= WHOLE_BYTES else None
        return found

    def in_common(self, history: Matrix) -> Singles:
        """The products of histories with those of all users, (b, users)."""
        if self.whole is not None:
            found: Singles = history.toarray() @ self.whole.T
            return found
        common: Singles = (history @ self.seen.T).toarray()
        return common

    @cached_property
    def popularity(self) -> Singles:
        """How many users had each item."""
        return np.bincount(self.seen.indices, minlength=len(self.items)).astype(np.float32)


def asked_histories(known: Known, given: pa.Array, arguments: Arguments) -> tuple[Matrix, Ints]:
    """The history of each user, (b, items), columns ascending, to be read only, and their numbers where it is that of
    the training.
    """
    from scipy import sparse

    codes = known.users.codes(given).astype(np.int64)
    if len(codes) == len(known.users) and (codes == np.arange(len(codes))).all():
        history = known.seen  # everyone, in order
    elif len(known.users):
        history = known.seen[np.maximum(codes, 0)]
    else:
        history = sparse.csr_matrix((len(codes), len(known.items)), dtype=np.float32)
    history = without_rows(history, codes == UNKNOWN)
    if arguments.get("history") is not None:
        ids, matrix = arguments["history"]
        own = ids.codes(given).astype(np.int64)
        mine = own != UNKNOWN
        if mine.any():
            history = without_rows(history, mine) + without_rows(matrix[np.maximum(own, 0)], own == UNKNOWN)
            history.sort_indices()
            codes = np.where(mine, UNKNOWN, codes)
    return history, codes


def given_histories(known: Known, table: pa.Table, weighting: str, family: str) -> tuple[Ids, Matrix]:
    """Rows of users and items that were given as an argument: users by a number of their own, and the matrix."""
    found, weight = numbered(known, Spool.of_table(table), RecommenderOptions(weighting=weighting), family)
    kept = found.item >= 0
    shape = (len(found.users), len(known.items))
    return found.users, matrix_of(found.user[kept], found.item[kept], weight[kept], shape, binary=weighting == "binary")


def numbered(
    known: Known, rows: Rows, options: RecommenderOptions, family: str
) -> tuple[Interactions, npt.NDArray[np.float32]]:
    """Rows with numbers of their own for users and those of the training for items, and how much each counts.

    Items that the training does not know have numbers below 0, different ones different numbers.
    """
    names, rating = rows.schema.names, known.columns.rating or "" if options.weighting == "rating" else ""
    options = replace(
        options,
        user_col=found_column(names, known.columns.user) or "",
        item_col=found_column(names, known.columns.item) or "",
        rating_col=found_column(names, rating) or "",
    )
    try:
        columns = columns_of(rows.schema, options, family)
    except ProgrammingError as fault:
        problem = str(fault).partition("\n")[0]
        wanted = " and ".join(filter(None, (known.columns.user, known.columns.item, rating)))
        raise ProgrammingError(compose(problem, hint=f"give the columns {wanted}, by AS if need be.")) from fault
    found = read_interactions(rows, columns, family, Training())
    weight = weights_of(found, options, columns, family)
    ours: Codes = known.items.codes(found.items.values)
    ours = np.where(ours == UNKNOWN, UNKNOWN - np.arange(len(ours), dtype=np.int32), ours)
    item = ours[found.item] if len(found) else found.item
    return Interactions(found.users, known.items, found.user, item, found.rating, found.time), weight


def rows_of(matrix: Matrix) -> Ints:
    """The row of every entry."""
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))


def without_rows(matrix: Matrix, empty: npt.NDArray[np.bool_]) -> Matrix:
    """The matrix with some rows emptied; what is left keeps its order."""
    from scipy import sparse

    if not empty.any():
        return matrix
    kept = ~empty[rows_of(matrix)]
    counts = np.where(empty, 0, np.diff(matrix.indptr))
    starts = np.concatenate(([0], np.cumsum(counts)))
    return sparse.csr_matrix((matrix.data[kept], matrix.indices[kept], starts), shape=matrix.shape)
