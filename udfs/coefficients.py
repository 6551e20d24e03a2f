"""What families share that weigh features: penalties, standardised columns, and weights in units of the columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from paretosql.udfs.encoding import Encoder
from paretosql.udfs.examples import Examples
from paretosql.udfs.features import Floats
from paretosql.udfs.options import option
from paretosql.udfs.predictor import PredictorOptions
from paretosql.udfs.target import Target

INTERCEPT = "__INTERCEPT__"  # what BigQuery calls it


@dataclass(frozen=True)
class CoefficientOptions(PredictorOptions):
    """What families take that weigh features."""

    l2_reg: float = option(
        0.0, "half of it times the sum of squared weights is added to the sum of losses over all rows", low=0.0,
        aliases=("l2", "ridge"),
    )  # fmt: skip
    l1_reg: float = option(
        0.0, "it times the sum of absolute weights is added to the sum of losses: some become 0", low=0.0,
        aliases=("l1",),
    )  # fmt: skip
    standardize: bool = option(
        False,
        "whether penalties are of weights of numbers scaled to standard deviation 1, as in BigQuery and Spark; else of "
        "the columns as they are, as in scikit-learn",
        aliases=("standardize_features", "standardization"),
    )
    fit_intercept: bool = option(True, "whether a constant is learnt, which no penalty is on")


@dataclass(frozen=True)
class Penalties:
    """Penalties on the weights of columns that `standardised` has scaled, each of shape (width,)."""

    l2: Floats
    l1: Floats

    @classmethod
    def of(cls, options: CoefficientOptions, encoder: Encoder) -> Penalties:
        """Those of the options, in whose units they mean the same."""
        scale = np.ones(encoder.width) if options.standardize else encoder.moments()[1]
        return cls(options.l2_reg / scale**2, options.l1_reg / scale)


def standardised(examples: Examples, *, centred: bool) -> Examples:
    """The same rows with numbers of standard deviation 1, and of mean 0 where `centred`; categories stay 0 and 1."""
    shift, scale = examples.encoder.moments()

    def change(features: Floats) -> Floats:
        if centred:
            features -= shift
        features /= scale
        return features

    return examples.through(change)


def learned(weights: Floats, intercept: Floats, encoder: Encoder, *, centred: bool) -> dict[str, npt.NDArray[Any]]:
    """Tensors `weights` and `intercept` for columns as they are, from those for columns that `standardised` has scaled.

    Args:
        weights: shape (outputs, width). intercept: shape (outputs,).
    """
    plain = weights / encoder.scale
    return {"weights": plain, "intercept": intercept - plain @ encoder.shift if centred else intercept}


def weighed(features: Floats, tensors: Mapping[str, npt.NDArray[Any]]) -> Floats:
    """Weighted sums of features, shape (n, outputs)."""
    found: Floats = features @ tensors["weights"].T + tensors["intercept"]
    return found


def weights_table(encoder: Encoder, target: Target, tensors: Mapping[str, npt.NDArray[Any]]) -> pa.Table:
    """What `weights` answers: a row for each number and each category, then `INTERCEPT`; of more than two classes these
    rows for each class. Weights are in units of the columns; of two classes they speak for the second.
    """
    columns = [(each.feature.name, each.category) for each in encoder.columns] + [(INTERCEPT, None)]
    weights = np.column_stack([tensors["weights"], tensors["intercept"]])
    outputs = len(weights)
    found = {
        "processed_input": pa.array([name for name, _ in columns] * outputs, pa.string()),
        "category": pa.array([category for _, category in columns] * outputs, pa.string()),
        "weight": pa.array(weights.ravel()),
    }
    if outputs > 1:
        found["class_label"] = target.classes.take(pa.array(np.repeat(np.arange(outputs), len(columns))))
    return pa.table(found)
