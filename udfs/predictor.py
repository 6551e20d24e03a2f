"""The kind of family that predicts a label from features: a number, or a class with its probability.

A family learns tensors from blocks of numbers (`learn`) and turns a matrix into predictions (`raw`). Columns, labels,
rows with NULL, outputs, evaluation and storage are here and in `Tabular`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from paretosql.errors import ProgrammingError, compose
from paretosql.udfs import judged
from paretosql.udfs.examples import Plan
from paretosql.udfs.features import Floats
from paretosql.udfs.model import Arguments
from paretosql.udfs.options import option
from paretosql.udfs.roles import found_column
from paretosql.udfs.rows import Rows
from paretosql.udfs.tabular import Tabular, TabularOptions
from paretosql.udfs.target import CLASSIFICATION, REGRESSION, Target, Task, label_column
from paretosql.udfs.verbs import INFO

ONLY_CLASSES = ("confusion_matrix", "roc_curve")
PREDICTOR_VERBS = ("predict", "evaluate", *INFO)
CLASSIFIER_VERBS = (*PREDICTOR_VERBS, *ONLY_CLASSES)


@dataclass(frozen=True)
class PredictorOptions(TabularOptions):
    """What all families with a label take."""

    label_col: str = option(
        "", "the column to predict; default: label, target", aliases=("input_label_cols", "label", "target")
    )


@dataclass(frozen=True)
class ClassifierOptions(PredictorOptions):
    """What families take that predict classes."""

    class_weights: str = option(
        "none",
        "whether every row counts alike, or, balanced, every class",
        choices=("none", "balanced"),
        aliases=("auto_class_weights", "class_weight"),
        spellings={"true": "balanced", "false": "none"},
    )


class Predictor(Tabular):
    """A trained model with a label."""

    # what a family brings, beside `learn`

    @classmethod
    def task(cls, label: pa.Field, options: Any) -> Task:
        """Whether the label is a number or a class."""
        return REGRESSION

    def raw(self, features: Any) -> Floats:
        """Predictions for a matrix of shape (n, width), n > 0, without NaN; see `encoded`.

        Returns:
            Numbers of shape (n,); of two classes the probabilities of the second, shape (n,); of more those of all,
            shape (n, classes).
        """
        raise NotImplementedError

    # the rest

    @property
    def target(self) -> Target:
        """The label."""
        assert self._target is not None
        return self._target

    @classmethod
    def plan(cls, schema: pa.Schema, options: Any) -> Plan:
        """The plan of all tables, and the label: the column that is named, or one that has no other part."""
        plan, names = super().plan(schema, options), schema.names
        if not options.label_col:
            named = (value for name, value in vars(options).items() if name.endswith("_col") and value)
            others = {*plan.ignored, *(found_column(names, each) for each in named)}
            names = [name for name in names if name not in others]
        label = label_column(names, options.label_col, cls.family.name)
        return replace(plan, label=label, task=cls.task(schema.field(label), options))

    def verbs(self) -> tuple[str, ...]:
        """Those of the family that the label allows: confusion needs classes, a curve needs two."""
        without: tuple[str, ...] = () if self.target.task == CLASSIFICATION else ONLY_CLASSES
        if len(self.target.classes) > 2:
            without = ("roc_curve",)
        return tuple(each for each in self.family.verbs if each not in without)

    def inputs(self, verb: str, names: Sequence[str] = ()) -> list[pa.Field]:
        """The features, and for verbs that compare with it the label, and keys if the family needs them."""
        return self.encoder.fields if verb == "predict" else [*self.encoder.fields, self.target.column, *self.keys]

    def outputs(self, verb: str, names: Sequence[str] = ()) -> list[pa.Field]:
        """`predicted_LABEL`, and of classes also `predicted_LABEL_probs`."""
        name, kind = f"predicted_{self.target.name}", self.target.type
        if self.target.task != CLASSIFICATION:
            return [pa.field(name, pa.float64())]
        chance = pa.struct([pa.field("label", kind), pa.field("prob", pa.float64())])
        return [pa.field(name, kind), pa.field(f"{name}_probs", pa.list_(chance))]

    def bytes_per_row(self, verb: str, arguments: Arguments) -> int:
        """Also the probabilities of all classes, with their names."""
        return super().bytes_per_row(verb, arguments) + 64 * len(self.target.classes)

    def predicted(self, features: Any) -> Floats:
        """What `raw` gives, with the probabilities of both classes where there are two."""
        found = self.raw(features)
        return np.stack([1.0 - found, found], axis=1) if len(self.target.classes) == 2 else found

    def answers(self, features: Any, arguments: Arguments) -> list[pa.Array]:
        """The columns of `outputs`."""
        found, classes, threshold = self.predicted(features), self.target.classes, arguments.get("threshold")
        self._check(threshold)
        if self.target.task != CLASSIFICATION:
            return [pa.array(found)]
        labels = classes.take(pa.array(judged.chosen(found, threshold)))
        ends = pa.array(np.arange(len(found) + 1, dtype=np.int32) * len(classes))
        pairs = pa.StructArray.from_arrays([self._tiled(len(found)), pa.array(found.ravel())], names=["label", "prob"])
        return [labels, pa.ListArray.from_arrays(ends, pairs)]

    def _tiled(self, rows: int) -> pa.Array:
        """All classes, again and again; the longest made so far is kept, as batches are mostly of one size."""
        classes = self.target.classes
        if len(getattr(self, "_tiles", ())) < rows * len(classes):
            self._tiles = classes.take(pa.array(np.tile(np.arange(len(classes)), rows)))
        return self._tiles.slice(0, rows * len(classes))

    def _check(self, threshold: float | None) -> None:
        if threshold is not None and self.target.task != CLASSIFICATION:
            problem = f"{self.family.name}: threshold is for two classes, {self.target.name!r} is a number"
            raise ProgrammingError(compose(problem, hint="leave it out."))

    def summarize(self, verb: str, rows: Rows | None, arguments: Arguments) -> pa.Table:
        """How good predictions are, and what `Tabular` says."""
        if rows is None or verb not in ("evaluate", *ONLY_CLASSES):
            return super().summarize(verb, rows, arguments)
        threshold = arguments.get("threshold")
        self._check(threshold)
        found = judged.judged(self, rows)
        tables: dict[str, Callable[[], pa.Table]] = {
            "evaluate": lambda: judged.classification(found, threshold),
            "confusion_matrix": lambda: judged.confusion_matrix(found, self.target, threshold),
            "roc_curve": lambda: judged.roc_curve(found),
        }
        return tables[verb]() if self.target.task == CLASSIFICATION else judged.regression(found)
