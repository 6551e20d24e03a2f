"""Linear regression: the weights with the least sum of squared errors, exactly, from one pass over the rows.

With X standardised, X'X and X'y are all that is needed, and both are sums over rows. Without l1 the normal equations
are solved by Cholesky; where columns depend on each other (as those of all categories of a feature do) the solution of
least norm is taken. With l1, coordinate descent on X'X.

Columns in: features, and a number to predict. Columns out: predicted_LABEL DOUBLE.
Sources: coordinate descent, Friedman, Hastie, Tibshirani, "Regularization paths for generalized linear models via
coordinate descent" (2010), section 2.2 (covariance updates).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from paretosql.udfs.coefficients import (
    CoefficientOptions,
    Penalties,
    learned,
    standardised,
    weighed,
    weights_table,
)
from paretosql.udfs.examples import Examples
from paretosql.udfs.features import Floats
from paretosql.udfs.model import Arguments, Training, family
from paretosql.udfs.options import option
from paretosql.udfs.predictor import PREDICTOR_VERBS, Predictor
from paretosql.udfs.rows import Rows

DEPENDENT = 1e-11  # our choice: less variance than this, as a share, that other columns do not explain is rounding


@dataclass(frozen=True)
class LinearOptions(CoefficientOptions):
    """Options of linear regression; the loss of a row is half the squared error."""

    max_iterations: int = option(
        1_000, "passes of coordinate descent, where l1_reg is above 0", low=1, aliases=("max_iter",)
    )


@family(
    "linear",
    options=LinearOptions,
    source="Legendre 1805; Friedman, Hastie, Tibshirani 2010",
    verbs=(*PREDICTOR_VERBS, "weights"),
    aliases={"linear_reg": {}, "linear_regression": {}, "linear_regressor": {}},
)
class Linear(Predictor):
    """A number as a weighted sum of features, by least squares; fast, and its weights can be read.

    Cost: O(n w^2 + w^3) to learn for n rows and w columns, 8 w^2 bytes; O(w) for a row.
    """

    @classmethod
    def learn(cls, examples: Examples, options: LinearOptions, training: Training) -> dict[str, npt.NDArray[Any]]:
        """`weights` (1, width) and `intercept` (1,)."""
        centred, target = options.fit_intercept, examples.target
        assert target is not None
        middle = target.mean if centred else 0.0
        width = examples.width
        gram, moment, sums = np.zeros((width, width)), np.zeros(width), np.zeros(width)
        total, squares = 0.0, 0.0
        for features, label in standardised(examples, centred=centred).blocks(again=False):
            apart = label - middle
            gram += features.T @ features
            moment += features.T @ apart
            sums += features.sum(axis=0)
            total += float(apart.sum())
            squares += float(apart @ apart)
        if centred:
            gram -= np.outer(sums, sums / examples.rows)
            moment -= sums * (total / examples.rows)
            squares -= total * total / examples.rows
        penalties = Penalties.of(options, examples.encoder)
        if options.l1_reg:
            weights = descended(gram, moment, penalties, options.max_iterations, training)
        else:
            weights = solved(gram + np.diag(penalties.l2), moment)
        loss = (squares - 2 * (weights @ moment) + weights @ gram @ weights) / examples.rows
        training.round(1, 1, max(float(loss), 0.0), "solving")
        intercept = middle + (total - sums @ weights) / examples.rows if centred else 0.0
        return learned(weights[None, :], np.array([intercept]), examples.encoder, centred=centred)

    def raw(self, features: Floats) -> Floats:
        """The weighted sum."""
        return weighed(features, self.learned)[:, 0]

    def summarize(self, verb: str, rows: Rows | None, arguments: Arguments) -> pa.Table:
        """Also `weights`."""
        if verb == "weights":
            return weights_table(self.encoder, self.target, self.learned)
        return super().summarize(verb, rows, arguments)


def solved(gram: Floats, moment: Floats) -> Floats:
    """The w of least norm with gram w = moment, for a positive semidefinite matrix. O(w^3).

    The norm is that of weights of columns of equal length.
    """
    from scipy.linalg import LinAlgError, cho_solve, cholesky

    length = np.sqrt(np.diagonal(gram))
    length = np.where(length > 0, length, 1.0)
    alike, wanted = gram / np.outer(length, length), moment / length
    try:
        factor = cholesky(alike, lower=True)
        if np.diagonal(factor).min(initial=1.0) ** 2 > DEPENDENT:
            found: Floats = cho_solve((factor, True), wanted) / length
            return found
    except LinAlgError:
        pass  # columns depend on each other, or one is 0
    values, vectors = np.linalg.eigh(alike)
    inner = vectors.T @ wanted
    kept = values > DEPENDENT * values.max(initial=0.0)
    least: Floats = vectors[:, kept] @ (inner[kept] / values[kept]) / length
    return least


def descended(gram: Floats, moment: Floats, penalties: Penalties, max_iterations: int, training: Training) -> Floats:
    """The w with the least w'gram w / 2 - moment'w + l2'w^2 / 2 + l1'|w|, by coordinate descent. O(w^2) a pass."""
    weights, slope = np.zeros(len(moment)), moment.copy()  # slope: moment - gram w
    curve = np.diagonal(gram) + penalties.l2
    for number in range(1, max_iterations + 1):
        most = 0.0
        for at in np.flatnonzero(curve > 0):
            pull = slope[at] + gram[at, at] * weights[at]
            new = np.sign(pull) * max(abs(pull) - penalties.l1[at], 0.0) / curve[at]
            change = new - weights[at]
            if change:
                weights[at] = new
                slope -= gram[at] * change
                most = max(most, abs(change) * np.sqrt(curve[at]))
        training.step("coordinate descent", number, max_iterations)
        if most <= 1e-10 * np.sqrt(max(float(weights @ moment), 1e-300)):
            return weights
    training.warn(f"coordinate descent did not settle within max_iterations = {max_iterations}")
    return weights
