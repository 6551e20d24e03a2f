"""BPR: vectors of users and items such that what a user had scores above what the user did not have.

Pairs of an item that a user had and one that the user did not are drawn, and the vectors move a small step towards
putting the first above the second. Steps are taken for a few thousand pairs at once: their moves are added up per user
and per item by one product with a sparse matrix each, instead of one pair after the other.

Columns in: users, items. Columns out: see `Recommender`.
Source: Rendle et al., "BPR: Bayesian Personalized Ranking from Implicit Feedback" (UAI 2009), learnt in minibatches,
which is our choice; so are a bias for each item and the fold-in of new users.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from paretosql.udfs.ids import Codes
from paretosql.udfs.interactions import Matrix, RecommenderOptions
from paretosql.udfs.model import Ints, Singles, Training, family
from paretosql.udfs.options import LARGEST_SINGLE, option
from paretosql.udfs.recommender import WITH_VECTORS, Recommender
from paretosql.udfs.vectors import pair_products

PAIRS = 1 << 12, 1 << 14  # at once, least and most; our choice: too many would blur steps together
START = 0.1  # size of the first random vectors; our choice
TABLE = 1 << 26  # bytes at most of the table that tells apart what users had; our choice
SLOTS = 16  # bytes of it for each row, where not every pair has its own; our choice
FOLD_STEPS, FOLD_L2 = 8, 1.0  # Newton steps and ridge of a fold-in; our choice
FOLD_OTHERS = 400  # items that a new user is taken not to have wanted, spread evenly over popularity; our choice


@dataclass(frozen=True)
class BprOptions(RecommenderOptions):
    """Options of BPR."""

    factors: int = option(
        64, "length of the vectors", low=1, high=4096, aliases=("num_factors", "dim"), source="a usual setting"
    )
    learning_rate: float = option(
        0.05, "of a pair", low=1e-9, high=10.0, aliases=("learn_rate", "lr"), source="a usual setting"
    )
    l2: float = option(
        0.01, "ridge of a pair's vectors", low=0.0, high=LARGEST_SINGLE, aliases=("l2_reg", "regularization", "reg"),
        source="a usual setting",
    )  # fmt: skip
    rounds: int = option(
        60, "how often every row is drawn", low=1, high=1_000_000, aliases=("epochs", "iterations", "max_iterations"),
        source="a usual setting",
    )  # fmt: skip


@family("bpr", options=BprOptions, source="Rendle et al., UAI 2009", verbs=WITH_VECTORS)
class Bpr(Recommender):
    """Vectors learnt from pairs of had and not had; for rankings from many sparse rows.

    Cost: O(rows * factors * rounds) to learn, 24 bytes a row, 64 MiB and 4 bytes * factors for each user and item;
    O(items * factors) for the scores of a user.
    """

    @classmethod
    def learn(cls, seen: Matrix, options: BprOptions, training: Training) -> Mapping[str, npt.NDArray[Any]]:
        """`user` (users, f) and `item` (items, f + 1), whose last column is the bias of the item."""
        users, items = seen.shape
        rng = np.random.default_rng(options.seed)
        user = np.ones((users, options.factors + 1), dtype=np.float32)  # the last column meets the bias of the item
        user[:, :-1] = rng.standard_normal((users, options.factors)) * START
        item = (rng.standard_normal((items, options.factors + 1)) * START).astype(np.float32)
        item[:, -1] = 0.0
        had = _Had(seen)
        for number in range(1, options.rounds + 1):
            losses, pairs = 0.0, 0
            for u, i, j in _drawn(had, rng):
                losses += _step(user, item, (u, i, j), options)
                pairs += len(u)
                training.step("pairs", min(pairs, len(had.user)), len(had.user))
            training.round(number, options.rounds, losses / max(pairs, 1))
        return {"user": np.ascontiguousarray(user[:, :-1]), "item": item}

    def scores(self, history: Matrix, users: Ints) -> Singles:
        """Products of vectors, and the bias; users that training has not met get a vector from their history."""
        found: Singles = self._users(history, users) @ self.learned["item"].T
        return found

    def pair_scores(self, history: Matrix, users: Ints, row: Ints, item: Ints) -> Singles:
        """The same for single items."""
        return pair_products(self._users(history, users), self.learned["item"], row, item)

    def _users(self, history: Matrix, users: Ints) -> Singles:
        """Their vectors, shape (b, f + 1), with a one for the bias."""
        found = np.ones((len(users), self.learned["item"].shape[1]), dtype=np.float32)
        found[users >= 0, :-1] = self.learned["user"][users[users >= 0]]
        for at in np.flatnonzero((users < 0) & (np.diff(history.indptr) > 0)):
            found[at, :-1] = self._folded(history.indices[history.indptr[at] : history.indptr[at + 1]])
        return found

    def vectors(self) -> Singles:
        """Those of the items, without the bias."""
        return np.ascontiguousarray(self.learned["item"][:, :-1])

    def _folded(self, mine: npt.NDArray[np.int32]) -> Singles:
        """The vector that tells items of a history best from others: a logistic regression on the vectors of items."""
        item = self.learned["item"]
        spread = np.unique(np.linspace(0, len(item) - 1, FOLD_OTHERS).astype(np.int64))
        others = np.setdiff1d(spread, mine)
        rows = np.concatenate((mine, others)).astype(np.int64)
        x, bias = item[rows, :-1].astype(np.float64), item[rows, -1].astype(np.float64)
        wanted = np.arange(len(rows)) < len(mine)
        weight = np.where(wanted, 1.0 / max(len(mine), 1), 1.0 / max(len(others), 1)) * max(len(mine), 1)
        w = np.zeros(x.shape[1])
        for _ in range(FOLD_STEPS):
            chance = 1.0 / (1.0 + np.exp(-np.clip(x @ w + bias, -30, 30)))
            slope = x.T @ (weight * (chance - wanted)) + FOLD_L2 * w
            bend = (x.T * (weight * chance * (1 - chance))) @ x + FOLD_L2 * np.eye(len(w))
            w -= np.linalg.solve(bend, slope)
        return w.astype(np.float32)


class _Had:
    """Who had what: all rows, and whether some pair of user and item is among them."""

    def __init__(self, seen: Matrix) -> None:
        self.users, self.items = seen.shape
        seen.sort_indices()
        self.user = np.repeat(np.arange(self.users, dtype=np.int32), np.diff(seen.indptr))
        self.item = seen.indices.astype(np.int32)
        keys = self.user.astype(np.int64) * self.items + self.item
        self._keys = None if self.users * self.items <= TABLE else keys
        slots = 1 << (SLOTS * len(keys)).bit_length()
        self._slots = self.users * self.items if self._keys is None else min(slots, TABLE)
        self._table = np.zeros(self._slots, dtype=bool)
        self._table[keys % self._slots] = True

    def __call__(self, user: Codes, item: Codes) -> npt.NDArray[np.bool_]:
        asked = user.astype(np.int64) * self.items + item
        slot = asked if self._keys is None else asked % self._slots
        found: npt.NDArray[np.bool_] = self._table[slot]
        if self._keys is not None:  # several pairs share a byte
            maybe = np.flatnonzero(found)
            place = np.minimum(np.searchsorted(self._keys, asked[maybe]), len(self._keys) - 1)
            found[maybe] = self._keys[place] == asked[maybe]
        return found


def _drawn(had: _Had, rng: np.random.Generator) -> Iterator[tuple[Codes, Codes, Codes]]:
    """Every row once in a new order, as users, items they had, and items they had not; a few thousand at a time."""
    order = rng.permutation(len(had.user))
    least, most = PAIRS
    size = max(least, min(2 * (had.users + had.items), most), had.items // 4)
    for first in range(0, len(order), size):
        mine = order[first : first + size]
        u, i = had.user[mine], had.item[mine]
        j = rng.integers(0, had.items, len(mine), dtype=np.int32)
        fair = ~had(u, j)  # an item that the user had says nothing; such pairs are left out
        if fair.any():
            yield u[fair], i[fair], j[fair]


def _step(user: Singles, item: Singles, pairs: tuple[Codes, Codes, Codes], options: BprOptions) -> float:
    """Move the vectors, in place, by the gradients of some pairs; the sum of their losses before.

    The last column of `user` is 1 before and after.
    """
    u, i, j = pairs
    mine, apart = np.take(user, u, axis=0), np.take(item, i, axis=0)
    apart -= np.take(item, j, axis=0)
    margin = np.clip(np.einsum("pf,pf->p", mine, apart), -30, 30)
    gain = np.float32(options.learning_rate) / (1.0 + np.exp(margin))
    shrink = np.float32(options.learning_rate * options.l2)
    _add(user, u[:, None], gain[:, None], apart, shrink)
    user[:, -1] = 1.0
    _add(item, np.stack((i, j), axis=1), np.stack((gain, -gain), axis=1), mine, shrink)
    return float(np.log1p(np.exp(-margin)).sum())


def _add(vectors: Singles, rows: Codes, weights: Singles, moves: Singles, shrink: np.float32) -> None:
    """Add weighted moves to the vectors they belong to, in place, after shrinking these once for each move.

    Args:
        rows, weights: shape (p, m), where each of the moves, shape (p, f), goes, and how much of it.
    """
    from scipy import sparse

    places: npt.NDArray[Any] = rows.ravel()
    which = None
    if len(vectors) > 4 * len(places):  # few of them move: number these anew
        which, places = np.unique(places, return_inverse=True)
    number = len(vectors) if which is None else len(which)
    starts = np.arange(0, len(places) + 1, rows.shape[1])
    total = sparse.csc_matrix((weights.ravel(), places, starts), shape=(number, len(moves))) @ moves
    kept = 1.0 - shrink * np.bincount(places, minlength=number).astype(np.float32)[:, None]
    if which is None:
        vectors *= kept
        vectors += total
    else:
        vectors[which] = vectors[which] * kept + total
