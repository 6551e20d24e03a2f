"""EASE: every item is predicted from all others by ridge regression with a zero diagonal, in closed form.

With X users times items and P = (X'X + l2 I)^-1, the weights are B = I - P / diag(P), and a history x scores x B. Where
there are fewer users than items the same P is (I - X'(XX' + l2 I)^-1 X) / l2, so only a matrix of users is inverted and
no matrix of items is ever made: the scores are identical.

Columns in: users, items. Columns out: see `Recommender`.
Source: Steck, "Embarrassingly Shallow Autoencoders for Sparse Data" (WWW 2019); the side of users is our choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from paretosql.errors import DataError, compose
from paretosql.udfs.interactions import Matrix, RecommenderOptions
from paretosql.udfs.model import Ints, Singles, Training, family
from paretosql.udfs.options import LARGEST_SINGLE, option
from paretosql.udfs.recommender import WITH_LIKENESS, Recommender

BLOCK = 1024  # rows worked on at once


@dataclass(frozen=True)
class EaseOptions(RecommenderOptions):
    """Options of EASE."""

    l2: float = option(
        200.0, "ridge: more of it trusts single users less", low=1e-6, high=LARGEST_SINGLE,
        aliases=("l2_reg", "regularization", "lambda"), source="the best of 50, 200, 500 on MovieLens latest-small",
    )  # fmt: skip
    largest: int = option(
        20_000, "users or items, whichever are fewer, up to which the matrix to invert is made (12 bytes x largest^2)",
        low=1,
    )  # fmt: skip


@family("ease", options=EaseOptions, source="Steck, WWW 2019", verbs=WITH_LIKENESS)
class Ease(Recommender):
    """Every item predicted from all others at once, in closed form; strong where items have many users.

    Cost: O(s^3 + s^2 n) to learn with s the smaller and n the larger of users and items, 12 s^2 bytes; a history of h
    items takes O(h items), or O(users items) where users were inverted.
    """

    @classmethod
    def learn(cls, seen: Matrix, options: EaseOptions, training: Training) -> Mapping[str, npt.NDArray[Any]]:
        """`weights` (items, items), or `inner` (users, users) and `scale` (items,), see above."""
        users, items = seen.shape
        if min(users, items) > options.largest:
            problem = f"ease inverts a matrix of {min(users, items):,} rows, more than largest = {options.largest:,}"
            raise DataError(
                compose(problem, hint="raise largest, drop rare items in the query, or use itemknn or als.")
            )
        training.step("multiplying", 0, 3)
        by_users = users < items
        gram = (seen @ seen.T if by_users else seen.T @ seen).toarray().astype(np.float64)
        gram[np.diag_indices_from(gram)] += options.l2
        training.step("inverting", 1, 3)
        inverse = _inverse(gram)
        training.step("weighing", 2, 3)
        if not by_users:
            scale = np.diag(inverse).copy()
            inverse /= -scale[None, :]
            np.fill_diagonal(inverse, 0.0)
            return {"weights": inverse.astype(np.float32)}
        diagonal = np.empty(items)
        columns = seen.T.tocsr().astype(np.float64)
        for first in range(0, items, BLOCK):
            part = columns[first : first + BLOCK]
            diagonal[first : first + BLOCK] = (part @ inverse * part.toarray()).sum(axis=1)
        return {"inner": inverse, "scale": (1.0 - diagonal) / options.l2}

    def scores(self, history: Matrix, users: Ints) -> Singles:
        """History times weights."""
        if "weights" in self.learned:
            found: Singles = np.asarray(history @ self.learned["weights"], dtype=np.float32)
            return found
        known, wide = self.known, history.toarray()
        inner = (known.in_common(history).astype(np.float64) @ self.learned["inner"]).astype(np.float32)
        rest = wide - (inner @ known.seen if known.whole is None else inner @ known.whole)
        scaled: Singles = wide - rest / (self.learned["scale"] * self.options.l2).astype(np.float32)
        return scaled

    def likeness(self, items: Ints) -> Singles:
        """What each of these items says for every other."""
        from scipy import sparse

        width = len(self.known.items)
        rows = np.arange(len(items))
        alone = sparse.csr_matrix((np.ones(len(items), np.float32), (rows, items)), shape=(len(items), width))
        return self.scores(alone, np.full(len(items), -1))


def _inverse(matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The inverse of a symmetric positive definite matrix, by Cholesky: half the work of the general one."""
    from scipy.linalg import lapack

    factor, failed = lapack.dpotrf(matrix.T, lower=1, overwrite_a=1)  # symmetric, and in LAPACK's order without a copy
    found, also = lapack.dpotri(factor, lower=1, overwrite_c=1)
    if failed or also:
        raise DataError(compose("ease: the matrix cannot be inverted", hint="raise l2."))
    for first in range(0, len(found), BLOCK):  # the other half, in place
        last = first + BLOCK
        corner = np.tril(found[first:last, first:last], -1)
        found[first:last, first:last] = corner + corner.T + np.diag(np.diag(found[first:last, first:last]))
        found[first:last, last:] = found[last:, first:last].T
    inverse: npt.NDArray[np.float64] = found.T
    return inverse
