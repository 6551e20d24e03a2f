"""Logistic regression of two or more classes: L-BFGS on sums over blocks of rows.

Of two classes the second has probability 1 / (1 + e^-z), of more class c has e^z_c / sum e^z, with z weighted sums of
features. What is minimised is the sum over rows of -log of the probability of their class, plus penalties. With l1 the
weights are differences of two parts that are not negative, so that the penalty is smooth between bounds.

Columns in: features, and a class to predict. Columns out: predicted_LABEL, predicted_LABEL_probs.
Sources: Zhu, Byrd, Lu, Nocedal, "Algorithm 778: L-BFGS-B" (1997); the two parts: Schmidt, "Graphical model structure
learning with l1-regularization" (2010), section 2.3.
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
from paretosql.udfs.predictor import CLASSIFIER_VERBS, ClassifierOptions, Predictor
from paretosql.udfs.rows import Rows
from paretosql.udfs.target import CLASSIFICATION, Task, class_weights

# our choice: a ridge on weights of standardised columns, too small to be seen in them, that keeps them finite where a
# line separates the classes and unique where columns depend on each other
FLOOR = 1e-6


@dataclass(frozen=True)
class LogisticOptions(CoefficientOptions, ClassifierOptions):
    """Options of logistic regression; the loss of a row is -log of the probability of its class."""

    max_iterations: int = option(
        200, "iterations at most, each of at least one pass over the rows", low=1, aliases=("max_iter",)
    )
    tolerance: float = option(
        1e-6, "it ends when no derivative of the mean loss is above it (columns standardised)", low=0.0, high=1.0,
        aliases=("tol", "min_rel_progress"),
    )  # fmt: skip


@family(
    "logistic",
    options=LogisticOptions,
    source="Berkson 1944; L-BFGS-B: Zhu, Byrd, Lu, Nocedal 1997",
    verbs=(*CLASSIFIER_VERBS, "weights"),
    aliases={"logistic_reg": {}, "logistic_regression": {}, "logistic_classifier": {}},
)
class Logistic(Predictor):
    """Probabilities of classes from a weighted sum of features; mostly well calibrated, and its weights can be read.

    Cost: O(n w c) for an iteration on n rows, w columns, c classes; 80 w c bytes; O(w c) for a row.
    """

    @classmethod
    def task(cls, label: pa.Field, options: Any) -> Task:
        """Labels of any type are classes."""
        return CLASSIFICATION

    @classmethod
    def learn(cls, examples: Examples, options: LogisticOptions, training: Training) -> dict[str, npt.NDArray[Any]]:
        """`weights` (outputs, width) and `intercept` (outputs,), one output for two classes, else one for each."""
        problem = _Problem(examples, options)
        weights, intercept = problem.solved(options, training)
        return learned(weights, intercept, examples.encoder, centred=options.fit_intercept)

    def raw(self, features: Floats) -> Floats:
        """Probabilities."""
        return _chances(weighed(features, self.learned))[0]

    def summarize(self, verb: str, rows: Rows | None, arguments: Arguments) -> pa.Table:
        """Also `weights`."""
        if verb == "weights":
            return weights_table(self.encoder, self.target, self.learned)
        return super().summarize(verb, rows, arguments)


class _Problem:
    """The loss as a function of one vector: weights by output (with l1 both parts), then intercepts."""

    def __init__(self, examples: Examples, options: LogisticOptions) -> None:
        assert examples.target is not None
        classes = len(examples.target.classes)
        self._examples = standardised(examples, centred=options.fit_intercept)
        self._counts = class_weights(examples.target, options.class_weights)
        self._shape = (1 if classes == 2 else classes, examples.width)
        self._penalties = Penalties.of(options, examples.encoder)
        self._parts = 2 if options.l1_reg else 1
        self._intercept = options.fit_intercept

    def solved(self, options: LogisticOptions, training: Training) -> tuple[Floats, Floats]:
        """Weights and intercepts where the loss is least."""
        from scipy.optimize import minimize

        outputs, width = self._shape
        size = self._parts * outputs * width
        bounds = [(0.0, None)] * size + [(None, None)] * outputs if self._parts == 2 else None
        rounds = iter(range(1, options.max_iterations + 1))

        def told(intermediate_result: Any) -> None:
            training.round(next(rounds), options.max_iterations, float(intermediate_result.fun))

        found = minimize(
            self.loss, np.zeros(size + outputs), jac=True, method="L-BFGS-B", bounds=bounds, callback=told,
            options={
                "maxiter": options.max_iterations, "maxfun": 20 * options.max_iterations, "gtol": options.tolerance,
                "ftol": 4 * np.finfo(float).eps, "maxcor": 20,
            },
        )  # fmt: skip
        if found.nit >= options.max_iterations:
            training.warn(f"the weights had not settled after max_iterations = {options.max_iterations}")
        return self._apart(found.x)

    def loss(self, vector: Floats) -> tuple[float, Floats]:
        """The mean loss with its penalties, and its derivatives."""
        weights, intercept = self._apart(vector)
        by_weight, by_intercept = np.zeros_like(weights), np.zeros_like(intercept)
        whole = 0.0
        for features, label in self._examples.blocks():
            counts = self._counts[label]
            loss, slope = _losses(features @ weights.T + intercept, label)
            whole += float(counts @ loss)
            slope *= counts[:, None]
            by_weight += slope.T @ features
            by_intercept += slope.sum(axis=0)
        ridge = self._penalties.l2 + FLOOR
        whole += 0.5 * float((weights**2 @ ridge).sum()) + 0.5 * FLOOR * float(intercept @ intercept)
        by_weight += weights * ridge
        by_intercept = (by_intercept + FLOOR * intercept) * self._intercept
        slopes = [by_weight.ravel()]
        if self._parts == 2:
            lasso = np.broadcast_to(self._penalties.l1, self._shape).ravel()
            whole += float(lasso @ (vector[: lasso.size] + vector[lasso.size : 2 * lasso.size]))
            slopes = [slopes[0] + lasso, lasso - slopes[0]]
        return whole / self._examples.rows, np.concatenate([*slopes, by_intercept]) / self._examples.rows

    def _apart(self, vector: Floats) -> tuple[Floats, Floats]:
        outputs, width = self._shape
        parts = vector[: self._parts * outputs * width].reshape(self._parts, outputs, width)
        return parts[0] - parts[1] if self._parts == 2 else parts[0], vector[-outputs:]


def _losses(sums: Floats, label: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """The loss of each row, shape (b,), and its derivatives by the sums, shape (b, outputs)."""
    chances, log_whole = _chances(sums)
    if chances.ndim == 1:
        return log_whole - np.where(label == 1, sums[:, 0], 0.0), (chances - label)[:, None]
    rows = np.arange(len(label))
    loss = log_whole - sums[rows, label]
    chances[rows, label] -= 1.0
    return loss, chances


def _chances(sums: Floats) -> tuple[Floats, Floats]:
    """Probabilities, of two classes (one output) those of the second; and the logarithm of what they are divided by."""
    if sums.shape[1] == 1:
        log_whole = np.logaddexp(0.0, sums[:, 0])
        return np.exp(sums[:, 0] - log_whole), log_whole
    most = sums.max(axis=1, keepdims=True)
    powers = np.exp(sums - most)
    whole = powers.sum(axis=1, keepdims=True)
    return powers / whole, (np.log(whole) + most)[:, 0]
