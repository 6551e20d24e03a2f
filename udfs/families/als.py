"""ALS: users and items as vectors whose products say how sure it is that a user wants an item.

Every pair counts: those with rows are wanted with confidence 1 + alpha * weight, all others are not wanted with
confidence 1. With the items held fixed the best vector of each user is a small ridge regression, and the other way
round; the two take turns. `feedback = 'explicit'` predicts ratings instead, from the pairs that have one.

Both half steps are put in coordinates in which all pairs together are the identity (a Cholesky factor of Y'Y + l2 I),
so that what is left is about the entries of a row only; see `least_squares`.

Columns in: users, items, ratings where they count. Columns out: see `Recommender`; explicit scores are ratings.
Source: Hu, Koren, Volinsky, "Collaborative Filtering for Implicit Feedback Datasets" (ICDM 2008); explicit: Zhou et
al., "Large-Scale Parallel Collaborative Filtering for the Netflix Prize" (AAIM 2008), ratings less their means.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from paretosql.errors import ProgrammingError, compose
from paretosql.udfs.interactions import Matrix, RecommenderOptions
from paretosql.udfs.least_squares import Block, Descent, Scaling, blocks_of, gram, solved, turned
from paretosql.udfs.model import Floats, Ints, Singles, Training, family
from paretosql.udfs.options import option
from paretosql.udfs.recommender import WITH_VECTORS, Recommender

STEPS = 3  # of a half step, which starts where the last round ended; our choice: more rounds do the rest
LAST_STEPS = 16  # of the last half step and of a fold-in, from anywhere: the residual is then below 1e-5
START = 0.1  # size of the first random vectors; our choice


@dataclass(frozen=True)
class AlsOptions(RecommenderOptions):
    """Options of ALS."""

    factors: int = option(
        64, "length of the vectors", low=1, high=4096, aliases=("num_factors", "dim"), source="a usual setting"
    )
    alpha: float = option(
        10.0, "how much surer a row makes than no row", low=1e-6, aliases=("wals_alpha",), source="a usual setting"
    )
    l2: float = option(
        10.0, "ridge on all vectors", low=1e-9, aliases=("l2_reg", "regularization", "reg"), source="a usual setting"
    )
    rounds: int = option(
        15, "how often items and users take turns", low=1, high=100_000, aliases=("iterations", "max_iterations"),
        source="a usual setting",
    )  # fmt: skip
    feedback: str = option(
        "implicit", "rows are signs of interest, or ratings to predict", choices=("implicit", "explicit"),
        aliases=("feedback_type",),
    )  # fmt: skip


@family(
    "als", options=AlsOptions, source="Hu, Koren, Volinsky, ICDM 2008", verbs=WITH_VECTORS,
    aliases={"matrix_factorization": {}},
)  # fmt: skip
class Als(Recommender):
    """Vectors of users and items; grows with the rows alone, folds new users in, and its vectors say what is alike.

    Cost: O(rows * factors * rounds) to learn, 8 bytes a row and 4 bytes * factors for each user and item; O(items *
    factors) for the scores of a user.
    """

    @classmethod
    def learn(cls, seen: Matrix, options: AlsOptions, training: Training) -> Mapping[str, npt.NDArray[Any]]:
        """`user` (users, f), `item` (items, f) and, for explicit feedback, `means`: of all, users and items in a row.

        Raises:
            ProgrammingError: explicit feedback without ratings.
        """
        if options.feedback == "explicit" and options.weighting != "rating":
            problem = "als predicts ratings only from a column of them"
            raise ProgrammingError(compose(problem, hint="OPTIONS (feedback = 'explicit', weighting = 'rating')."))
        explicit = options.feedback == "explicit"
        means = _means(seen) if explicit else np.zeros(1 + sum(seen.shape))
        rows = _centred(seen, means) if explicit else seen
        columns = rows.T.tocsr()
        columns.sort_indices()
        by_user, by_item = blocks_of(rows, options.factors), blocks_of(columns, options.factors)
        rng = np.random.default_rng(options.seed)
        user = (rng.standard_normal((seen.shape[0], options.factors)) * START).astype(np.float32)
        item = np.zeros((seen.shape[1], options.factors), dtype=np.float32)
        with ThreadPoolExecutor(training.threads) as pool:
            for number in range(1, options.rounds + 1):
                item, _ = half_step(by_item, user, item, options, Descent(STEPS, pool))
                far = Descent(LAST_STEPS if number == options.rounds else STEPS, pool)
                user, value = half_step(by_user, item, user, options, far)
                constant = float((rows.data**2).sum()) if explicit else float((1.0 + options.alpha * rows.data).sum())
                ridge = 0.0 if explicit else options.l2 * float((item.astype(np.float64) ** 2).sum())
                training.round(number, options.rounds, constant + value + ridge)
        return {"user": user, "item": item, **({"means": means} if explicit else {})}

    def scores(self, history: Matrix, users: Ints) -> Singles:
        """Products of vectors; users that training has not met get the vector that suits their history best."""
        item, vectors = self.learned["item"], np.empty((len(users), self.options.factors), dtype=np.float32)
        vectors[users >= 0] = self.learned["user"][users[users >= 0]]
        new = np.flatnonzero(users < 0)
        if len(new):
            rows = history[new]
            rows = _centred(rows, self._means_for(rows)) if self._explicit else rows
            with ThreadPoolExecutor(1) as pool:
                start = np.zeros((len(new), item.shape[1]), dtype=np.float32)
                blocks = blocks_of(rows, item.shape[1])
                vectors[new], _ = half_step(blocks, item, start, self.options, Descent(LAST_STEPS, pool))
        found: Singles = vectors @ item.T
        if self._explicit:
            means = self.learned["means"]
            number = len(self.known.users)
            mine = np.zeros(len(users))
            mine[users >= 0] = means[1 : 1 + number][users[users >= 0]]
            if len(new):
                mine[new] = self._means_for(history[new])[1 : 1 + len(new)]
            found += (means[0] + mine[:, None] + means[1 + number :][None, :]).astype(np.float32)
        return found

    def vectors(self) -> Singles:
        """Those of the items."""
        return np.asarray(self.learned["item"], dtype=np.float32)

    @property
    def _explicit(self) -> bool:
        return "means" in self.learned

    def _means_for(self, rows: Matrix) -> Floats:
        """The means of the training for items, and of these rows for users."""
        means = self.learned["means"]
        items = means[1 + len(self.known.users) :]
        return np.concatenate((means[:1], _user_means(rows, means[0], items), items))


def half_step(
    blocks: list[Block], other: Singles, start: Singles, options: AlsOptions, descent: Descent
) -> tuple[Singles, float]:
    """The best vectors of one side given those of the other, and the part of the loss that they decide.

    Args:
        blocks: who had what, with weights (implicit) or ratings less their means (explicit).
        other: shape (columns, f). start: shape (rows, f).
    """
    if options.feedback == "explicit":
        return solved(blocks, other, _explicit_scaling(options.l2), start, descent)
    lower = np.linalg.cholesky(gram(other) + options.l2 * np.eye(other.shape[1]))
    inverse = np.linalg.inv(lower).astype(np.float32)
    vectors, scaling = turned(other, inverse.T), _by_weight(options.alpha)
    if options.weighting == "binary":  # all entries alike: one factor for all vectors
        root = math.sqrt(options.alpha)
        vectors, target = vectors * np.float32(root), (1.0 + options.alpha) / root
        scaling = lambda block: (1.0, target)  # noqa: E731
    found, value = solved(
        blocks,
        vectors,
        scaling,
        turned(start, lower.astype(np.float32)),
        descent,
    )
    return turned(found, inverse), value


def _by_weight(alpha: float) -> Scaling:
    """Confidence c = alpha * weight on top of 1: c (y.x - (1 + c) / c)^2 has the derivative of the loss."""

    def scaling(block: Block) -> tuple[Singles, Singles]:
        root = np.sqrt(np.float32(alpha) * block.weight)
        with np.errstate(divide="ignore"):
            target = np.where(root > 0, (1.0 + root * root) / root, 0.0)
        return root, target.astype(np.float32)

    return scaling


def _explicit_scaling(l2: float) -> Scaling:
    """l2 times the number of ratings of a row is its ridge, so vectors of the other side are divided by its root."""

    def scaling(block: Block) -> tuple[Singles, Singles]:
        count = np.maximum((block.weight != 0).sum(axis=(1, 2), keepdims=True), 1)
        root = np.broadcast_to((1.0 / np.sqrt(l2 * count)).astype(np.float32), block.weight.shape)
        return root, block.weight

    return scaling


def _means(seen: Matrix) -> Floats:
    """The mean of all ratings, then what users, then what items add to it."""
    overall = float(seen.data.mean()) if seen.nnz else 0.0
    count = np.bincount(seen.indices, minlength=seen.shape[1])
    total = np.bincount(seen.indices, weights=seen.data - overall, minlength=seen.shape[1])
    items = total / (count + DAMPING)
    return np.concatenate(([overall], _user_means(seen, overall, items), items))


DAMPING = 5.0  # as if everyone had so many more ratings at the mean; our choice


def _user_means(rows: Matrix, overall: float, items: Floats) -> Floats:
    owner = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    rest = np.bincount(owner, weights=rows.data - overall - items[rows.indices], minlength=rows.shape[0])
    found: Floats = rest / (np.diff(rows.indptr) + DAMPING)
    return found


def _centred(rows: Matrix, means: Floats) -> Matrix:
    """Ratings less their means; none is exactly 0, which would say that there is no rating."""
    found = rows.copy().astype(np.float32)
    owner = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    expected = means[0] + means[1 : 1 + rows.shape[0]][owner] + means[1 + rows.shape[0] :][rows.indices]
    rest = rows.data - expected
    found.data = np.where(rest == 0, np.float32(1e-12), rest).astype(np.float32)
    return found
