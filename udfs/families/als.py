"""ALS: users and items as vectors whose product says what a user prefers, found by least squares in turns.

Every pair of user and item counts, those without a row as "not preferred" with confidence 1, those with one as
"preferred" with confidence 1 + alpha r. With the items fixed each user is a ridge regression, and the other way round;
what all pairs have in common is one f x f matrix, which is brought to the identity first, so that a half step looks
only at rows that are there. With feedback = 'explicit' only those count, and their products are ratings less means.

Columns in: users, items, for explicit feedback ratings. Columns out: see `Recommender`; scores are preferences near 0
to 1, or ratings.
Source: Hu, Koren, Volinsky, "Collaborative Filtering for Implicit Feedback Datasets" (ICDM 2008); explicit: Zhou et
al., "Large-Scale Parallel Collaborative Filtering for the Netflix Prize" (AAIM 2008), with one l2 for all; steps of
conjugate gradients: Takacs, Pilaszy, Tikk (RecSys 2011).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from paretosql.errors import DataError, ProgrammingError, compose
from paretosql.udfs.histories import rows_of
from paretosql.udfs.interactions import Matrix, RecommenderOptions
from paretosql.udfs.model import Floats, Ints, Singles, Training, family
from paretosql.udfs.options import LARGEST_SINGLE, option
from paretosql.udfs.recommender import WITH_VECTORS, Recommender
from paretosql.udfs.regressions import Regressions, gram, improved, product, regressions, solved
from paretosql.udfs.vectors import pair_products

IMPLICIT, EXPLICIT = "implicit", "explicit"
START = 0.01  # our choice: small, so that the first rounds turn towards the directions that matter most
# Koren, Bell, "Advances in Collaborative Filtering" (2011), section 3.1: how many ratings at the mean are added
ITEM_DAMPING, USER_DAMPING = 25.0, 10.0


@dataclass(frozen=True)
class AlsOptions(RecommenderOptions):
    """Options of ALS."""

    factors: int = option(
        64, "length of the vectors", low=1, high=4096, aliases=("num_factors", "dim"), source="a usual setting"
    )
    alpha: float = option(
        10.0, "how much more a row counts than none, for implicit feedback", low=1e-6, high=LARGEST_SINGLE,
        aliases=("wals_alpha",), source="a usual setting",
    )  # fmt: skip
    l2: float = option(
        10.0, "ridge on the vectors", low=1e-6, high=LARGEST_SINGLE, aliases=("l2_reg", "regularization", "reg"),
        source="a usual setting",
    )  # fmt: skip
    rounds: int = option(
        15, "how often items and users are fitted in turn", low=1, aliases=("iterations", "max_iterations"),
        source="a usual setting",
    )  # fmt: skip
    steps: int = option(
        1, "steps of conjugate gradients in each half of a round; 0: the normal equations, exact, a few times slower",
        low=0, aliases=("cg_steps",),
        source="the fewest that lose nothing against exact ones on MovieLens latest-small",
    )  # fmt: skip
    feedback: str = option(
        IMPLICIT, "whether rows say what was chosen, or how it was rated", choices=(IMPLICIT, EXPLICIT),
        aliases=("feedback_type",),
    )  # fmt: skip


@family(
    "als", options=AlsOptions, source="Hu, Koren, Volinsky, ICDM 2008", verbs=WITH_VECTORS,
    aliases={"matrix_factorization": {"feedback_type": EXPLICIT, "weighting": "rating"}},
)  # fmt: skip
class Als(Recommender):
    """Vectors of users and items by alternating least squares; a good first choice beyond a few thousand items.

    Cost: O(rounds x rows x factors x steps) to learn, with steps = 0 O(rounds x (rows x factors^2 + (users + items) x
    factors^3)), 4 x factors bytes for each user and item to keep; a user of the training takes O(items x factors) to
    answer, another O(history x factors^2 + factors^3) more.
    """

    @classmethod
    def learn(cls, seen: Matrix, options: AlsOptions, training: Training) -> Mapping[str, npt.NDArray[Any]]:
        """`user` and `item`, the vectors; for explicit feedback `user_mean` and `item_mean`, whose sum is expected."""
        means: dict[str, npt.NDArray[Any]] = {}
        rows, constant = seen, float(seen.nnz + options.alpha * seen.data.sum(dtype=np.float64))
        if options.feedback == EXPLICIT:
            if options.weighting != "rating":
                problem = "als: feedback = 'explicit' learns from ratings, and weighting = 'binary' leaves them out"
                raise ProgrammingError(compose(problem, hint="add weighting = 'rating', rating_col = '..'."))
            rows, means = _without_means(seen)
            constant = float((rows.data.astype(np.float64) ** 2).sum())
        columns = rows.T.tocsr()
        columns.sort_indices()
        by_user, by_item = (_asked(each, options, training) for each in (rows, columns))
        rng = np.random.default_rng(options.seed)
        user = rng.standard_normal((seen.shape[0], options.factors), dtype=np.float32) * np.float32(START)
        item: Singles | None = None
        for number in range(1, options.rounds + 1):
            item, _ = _half_step(by_item, user, item, options, steps=options.steps, training=training)
            last = number == options.rounds  # exact, so that the same history asked for anew gives the same vector
            steps = 0 if last else options.steps
            user, fall = _half_step(by_user, item, user, options, steps=steps, training=training)
            loss = constant + float(fall.sum()) + options.l2 * float((item.astype(np.float64) ** 2).sum())
            if not np.isfinite(loss):
                break  # and `fit` says so
            training.round(number, options.rounds, loss / seen.nnz)
        assert item is not None
        return {"user": user, "item": item, **means}

    def scores(self, history: Matrix, users: Ints) -> Singles:
        """Products with the vectors of all items."""
        found: Singles = self._users(history, users) @ self.learned["item"].T
        if "item_mean" in self.learned:
            found += self._means(history, users)[:, None] + self.learned["item_mean"]
        return found

    def pair_scores(self, history: Matrix, users: Ints, row: Ints, item: Ints) -> Singles:
        """Products with the vectors of these items."""
        found = pair_products(self._users(history, users), self.learned["item"], row, item)
        if "item_mean" in self.learned:
            found += self._means(history, users)[row] + self.learned["item_mean"][item]
        return found

    def _users(self, history: Matrix, users: Ints) -> Singles:
        """Their vectors, shape (b, f), of a history where they are not from the training."""
        found: Singles = self.learned["user"][np.maximum(users, 0)]
        others = (users < 0) & (np.diff(history.indptr) > 0)
        if others.any():
            found[others] = self._folded_in(history[others])
        return found

    def _means(self, history: Matrix, users: Ints) -> Singles:
        found: Singles = self.learned["user_mean"][np.maximum(users, 0)]
        others = users < 0
        found[others] = _user_mean(history[others], self.learned["item_mean"])
        return found

    def vectors(self) -> Singles:
        """Those of the items."""
        found: Singles = self.learned["item"]
        return found

    def _folded_in(self, history: Matrix) -> Singles:
        """Vectors for histories: the last half step of the training, shape (b, f)."""
        rows = history
        if "item_mean" in self.learned:
            rows = _less(history, _user_mean(history, self.learned["item_mean"]), self.learned["item_mean"])
        training = Training()
        asked = _asked(rows, self.options, training)
        return _half_step(asked, self.vectors(), None, self.options, steps=0, training=training)[0]


def _asked(rows: Matrix, options: AlsOptions, training: Training) -> Regressions:
    """The regressions of the rows of a matrix, whose entries are weights, or ratings less means."""
    if options.feedback == EXPLICIT:
        return regressions(rows, 1.0, rows.data, options.factors, training.memory_bytes)
    # confidence x (1 - s)^2 is, less the s^2 that every pair has, weight x (goal / root - s)^2 but for a constant
    weight = options.alpha * rows.data
    if len(weight) and weight.min() == weight.max():
        weight = weight[0]
    root = np.sqrt(weight)
    return regressions(rows, root, (1.0 + weight) / root, options.factors, training.memory_bytes)


def _half_step(
    asked: Regressions,
    other: Singles,
    own: Singles | None,
    options: AlsOptions,
    *,
    steps: int,
    training: Training,
) -> tuple[Singles, Floats]:
    """Vectors, shape (rows, f), with the others fixed, and the part of the loss that depends on them, (rows,).

    x'(other'other + l2 I)x, which does not depend on the row, becomes |z|^2 with z = lower' x: half the work is done
    once for all rows, and what is left is so well conditioned that single precision and few steps are enough.
    """
    whole = options.l2 * np.eye(options.factors)
    if options.feedback == IMPLICIT:
        whole += gram(other)
    try:
        lower = np.linalg.cholesky(whole)
    except np.linalg.LinAlgError as fault:  # rounded in gram, with more factors than there are directions
        problem = f"als: l2 = {options.l2:g} is too small beside the vectors to tell {options.factors} factors apart"
        raise DataError(compose(problem, hint="raise l2, or take fewer factors.")) from fault
    back: Floats = np.linalg.inv(lower).astype(np.float64)
    known = product(other, back.T)
    if own is None or not steps:
        found, fall = solved(asked, known, training)
    else:
        found, fall = improved(asked, known, product(own, lower.astype(np.float64)), steps, training)
    return product(found, back), fall


def _without_means(ratings: Matrix) -> tuple[Matrix, dict[str, npt.NDArray[Any]]]:
    """Ratings less what is expected of user and item, and these parts."""
    whole = ratings.data.mean(dtype=np.float64)
    items = ratings.shape[1]
    count = np.bincount(ratings.indices, minlength=items)
    over = np.bincount(ratings.indices, ratings.data - whole, minlength=items)
    item_mean = (whole + over / (count + ITEM_DAMPING)).astype(np.float32)
    user_mean = _user_mean(ratings, item_mean)
    return _less(ratings, user_mean, item_mean), {"user_mean": user_mean, "item_mean": item_mean}


def _user_mean(ratings: Matrix, item_mean: Singles) -> Singles:
    """How much higher than expected each user rates, damped, shape (b,)."""
    over = np.bincount(rows_of(ratings), ratings.data - item_mean[ratings.indices], minlength=ratings.shape[0])
    found: Singles = (over / (np.diff(ratings.indptr) + USER_DAMPING)).astype(np.float32)
    return found


def _less(ratings: Matrix, user_mean: Singles, item_mean: Singles) -> Matrix:
    """Ratings less both parts, where there are any; 0 stays an entry."""
    rest = ratings.copy()
    rest.data -= user_mean[rows_of(ratings)] + item_mean[ratings.indices]
    return rest
