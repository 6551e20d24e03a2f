"""Rows into LightGBM's own form, and the rounds of its training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt

from paretosql.errors import DataError, compose
from paretosql.udfs.examples import Examples
from paretosql.udfs.features import CATEGORY, Floats, Mask
from paretosql.udfs.ids import Codes
from paretosql.udfs.library import lightgbm
from paretosql.udfs.model import Training

READ_ROWS = 1 << 16  # our choice: rows that are handed over at once


@dataclass(frozen=True)
class Boosting:
    """What a training is told beside its rows.

    Attributes:
        parameters: LightGBM's.
        weights: how much each row counts, shape (rows,); None: all alike.
        groups: the group of each row, for ranking.
        held_out: rows by which it is decided when to stop; None: it ends after all rounds.
        patience: rounds without a better result on these rows, after which it ends.
    """

    parameters: Mapping[str, Any]
    rounds: int
    weights: Floats | None = None
    groups: Codes | None = None
    held_out: Mask | None = None
    patience: int = 0


def boosted(examples: Examples, labels: npt.NDArray[Any], plan: Boosting, training: Training) -> str:
    """The text of a trained model.

    Memory: the features as bins, a byte each, where rows do not fit; otherwise, and for groups, 8 bytes more each.

    Args:
        labels: shape (rows,).
    Raises:
        OperationalError: the user has stopped it.
    """
    if len(labels) and np.abs(labels).max() > np.finfo(np.float32).max:
        label = "" if examples.target is None else f" {examples.target.name!r}"
        problem = f"gbdt: the label column{label} holds numbers beyond 3.4e38, which LightGBM cannot learn"
        raise DataError(compose(problem, hint="divide them in the query, or learn their logarithm."))
    module = lightgbm()
    everything = np.ones(examples.rows, dtype=bool)
    taught = everything if plan.held_out is None else ~plan.held_out
    learnt = _dataset(examples, labels, plan, taught)
    judges = [learnt]
    callbacks = [_telling(training, plan)]
    if plan.held_out is not None:
        judges.append(_dataset(examples, labels, plan, plan.held_out, learnt))
        callbacks.append(module.early_stopping(plan.patience, verbose=False))
    names = ["training", "held out"][: len(judges)]
    booster = module.train(
        dict(plan.parameters), learnt, plan.rounds, valid_sets=judges, valid_names=names, callbacks=callbacks
    )
    text: str = booster.model_to_string(num_iteration=booster.best_iteration if plan.held_out is not None else -1)
    return text


def _telling(training: Training, plan: Boosting) -> Any:
    """What is called after each round: the loss of the last set of rows, or of none where it is a gain."""

    def told(environment: Any) -> None:
        _, _, value, higher_is_better, *_ = environment.evaluation_result_list[-1]
        training.round(environment.iteration + 1, plan.rounds, None if higher_is_better else float(value))

    return told


def _dataset(examples: Examples, labels: npt.NDArray[Any], plan: Boosting, mine: Mask, like: Any | None = None) -> Any:
    """Some of the rows as LightGBM has them, in the bins of another set where there is one."""
    module = lightgbm()
    order = np.flatnonzero(mine)
    sizes = None
    if plan.groups is not None:
        order = order[np.argsort(plan.groups[order], kind="stable")]
        sizes = np.unique(plan.groups[order], return_counts=True)[1]
    if plan.groups is not None or examples.fits:
        features, _ = examples.whole()
        data = features if mine.all() and plan.groups is None else features[order]
    else:
        data = _stream(module, examples, mine)
    codes = [at for at, each in enumerate(examples.encoder.columns) if each.feature.kind == CATEGORY]
    return module.Dataset(
        data,
        labels[order],
        reference=like,
        weight=None if plan.weights is None else plan.weights[order],
        group=sizes,
        feature_name=[f"f{at}" for at in range(examples.width)],  # names of columns may hold what LightGBM refuses
        categorical_feature=codes,
        params=dict(plan.parameters),
    ).construct()


def _stream(module: Any, examples: Examples, mine: Mask) -> Any:
    """Rows as LightGBM asks for them: some by ascending number as a sample, then all in order."""

    class Stream(module.Sequence):  # type: ignore[misc]
        batch_size = READ_ROWS

        def __init__(self) -> None:
            self._rows = int(mine.sum())
            self._restart()

        def _restart(self) -> None:
            self._blocks = _blocks(examples, mine)
            self._first, self._block = 0, np.empty((0, examples.width))

        def __len__(self) -> int:
            return self._rows

        def __getitem__(self, wanted: Any) -> Floats:
            if isinstance(wanted, Integral):
                row: Floats = self._between(int(wanted), int(wanted) + 1)[0]
                return row
            return self._between(wanted.start, wanted.stop)

        def _between(self, begin: int, end: int) -> Floats:
            if begin < self._first:
                self._restart()
            parts: list[Floats] = []
            while begin < end:
                while begin >= self._first + len(self._block):
                    self._first += len(self._block)
                    self._block = next(self._blocks)
                part = self._block[begin - self._first : end - self._first]
                parts.append(part)
                begin += len(part)
            found: Floats = parts[0] if len(parts) == 1 else np.concatenate(parts)
            return found

    return Stream()


def _blocks(examples: Examples, mine: Mask) -> Iterator[Floats]:
    """The features of some rows."""
    at = 0
    for features, _ in examples.blocks():
        part = mine[at : at + len(features)]
        at += len(features)
        yield features if part.all() else features[part]
