"""Recommenders as one would write them with numpy alone: what ours are compared with, in quality and in time.

Each takes a dense matrix of 0 and 1, users times items, and gives the scores of all users. `implicit`, a well-kept
library, stands in for ALS and BPR when it is installed.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
Learned = Callable[[int], Matrix]  # the scores of one user
IMPLICIT = importlib.util.find_spec("implicit") is not None


def popularity(seen: Matrix) -> Learned:
    """The same scores for everyone."""
    counts = seen.sum(axis=0)
    return lambda user: counts


def itemknn(seen: Matrix, k: int = 200, shrink: float = 100.0) -> Learned:
    """Damped cosine of columns, the k likest of each kept."""
    common = seen.T @ seen
    length = np.sqrt(np.diag(common))
    like = common / (length[:, None] * length[None, :] + shrink)
    np.fill_diagonal(like, 0.0)
    k = min(k, len(like) - 1)
    least = -np.partition(-like, k, axis=1)[:, k - 1 : k]
    like[like < least] = 0.0
    return lambda user: seen[user] @ like.T


def userknn(seen: Matrix, k: int = 80) -> Learned:
    """Cosine of rows, the k likest asked."""
    length = np.linalg.norm(seen, axis=1)

    def scores(user: int) -> Matrix:
        like = seen @ seen[user] / (length * length[user])
        like[user] = 0.0
        nearest = np.argsort(-like)[:k]
        return like[nearest] @ seen[nearest]

    return scores


def ease(seen: Matrix, l2: float = 200.0) -> Learned:
    """The closed form."""
    gram = seen.T @ seen
    gram[np.diag_indices_from(gram)] += l2
    inverse = np.linalg.inv(gram)
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return lambda user: seen[user] @ weights


def als(seen: Matrix, factors: int = 64, alpha: float = 10.0, l2: float = 10.0, rounds: int = 15) -> Learned:
    """`implicit` when it is installed, else one solve for each user and item in a loop."""
    if IMPLICIT:
        from implicit.als import AlternatingLeastSquares

        model = AlternatingLeastSquares(
            factors=factors, regularization=l2, alpha=alpha, iterations=rounds, random_state=7
        )
        return _of_implicit(model, seen)
    rng = np.random.default_rng(7)
    user, item = rng.normal(0, 0.01, (len(seen), factors)), rng.normal(0, 0.01, (seen.shape[1], factors))
    for _ in range(rounds):
        item = _solved(seen.T, user, alpha, l2)
        user = _solved(seen, item, alpha, l2)
    return lambda one: user[one] @ item.T


def _solved(rows: Matrix, other: Matrix, alpha: float, l2: float) -> Matrix:
    gram = other.T @ other + l2 * np.eye(other.shape[1])
    found = np.empty((len(rows), other.shape[1]))
    for at, row in enumerate(rows):
        mine = other[row > 0]
        found[at] = np.linalg.solve(gram + alpha * mine.T @ mine, (1.0 + alpha) * mine.sum(axis=0))
    return found


def bpr(seen: Matrix, factors: int = 64, rate: float = 0.05, l2: float = 0.01, rounds: int = 60) -> Learned:
    """`implicit` when it is installed, else one step for each pair in a loop."""
    if IMPLICIT:
        from implicit.bpr import BayesianPersonalizedRanking

        model = BayesianPersonalizedRanking(
            factors=factors, learning_rate=rate, regularization=l2, iterations=rounds, random_state=7
        )
        return _of_implicit(model, seen)
    rng = np.random.default_rng(7)
    user, item = rng.normal(0, 0.1, (len(seen), factors)), rng.normal(0, 0.1, (seen.shape[1], factors))
    rows, columns = np.nonzero(seen)
    for _ in range(rounds):
        for at in rng.permutation(len(rows)):
            u, i, j = rows[at], columns[at], rng.integers(seen.shape[1])
            if seen[u, j]:
                continue
            gain = 1.0 / (1.0 + np.exp(user[u] @ (item[i] - item[j])))
            old = user[u].copy()
            user[u] += rate * (gain * (item[i] - item[j]) - l2 * user[u])
            item[i] += rate * (gain * old - l2 * item[i])
            item[j] += rate * (-gain * old - l2 * item[j])
    return lambda one: user[one] @ item.T


def _of_implicit(model: Any, seen: Matrix) -> Learned:
    from scipy import sparse

    model.fit(sparse.csr_matrix(seen.astype(np.float32)), show_progress=False)
    return lambda user: model.item_factors @ model.user_factors[user]


def recommend_in_a_loop(scores: Learned, seen: Matrix, k: int = 10) -> npt.NDArray[np.int64]:
    """The k best unseen items of every user, one user after the other."""
    found = np.empty((len(seen), k), dtype=np.int64)
    for user in range(len(seen)):
        mine = np.where(seen[user] > 0, -np.inf, scores(user))
        nearest = np.argpartition(-mine, k)[:k]
        found[user] = nearest[np.argsort(-mine[nearest])]
    return found


REFERENCES: dict[str, Callable[[Matrix], Learned]] = {
    "popularity": popularity, "itemknn": itemknn, "userknn": userknn, "ease": ease, "als": als, "bpr": bpr,
}  # fmt: skip
