"""Gradient-boosted decision trees, by LightGBM: numbers, classes, or an order of rows within groups.

Each round adds a tree that corrects those before; text columns are split by sets of categories. Large tables are read
in blocks straight into LightGBM's bins, a byte for each value.

Columns in: features, a label, and for ranking a column of groups. Columns out: predicted_LABEL, of classes also
predicted_LABEL_probs; for ranking predicted_LABEL is a score that orders the rows of a group.
Sources: Ke et al., "LightGBM: a highly efficient gradient boosting decision tree" (NeurIPS 2017); ranking: Burges,
"From RankNet to LambdaRank to LambdaMART" (2010). Defaults are LightGBM's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from paretosql.errors import DataError, ProgrammingError, compose
from paretosql.udfs import judged, metrics
from paretosql.udfs.boosting import Boosting, boosted
from paretosql.udfs.encoding import Encoded
from paretosql.udfs.examples import Examples, Plan
from paretosql.udfs.features import Floats, Mask
from paretosql.udfs.ids import Codes, check_id_type
from paretosql.udfs.library import lightgbm
from paretosql.udfs.model import Arguments, Training, family
from paretosql.udfs.options import option
from paretosql.udfs.predictor import CLASSIFIER_VERBS, ClassifierOptions, Predictor
from paretosql.udfs.roles import is_number, named_column, plain_type
from paretosql.udfs.rows import Rows
from paretosql.udfs.target import CLASSIFICATION, RANKING, REGRESSION, Task, class_weights

HELD_OUT = 0.1  # our choice: share of the rows, or groups, by which early_stop decides
PATIENCE = 10  # our choice: rounds, where early_stop is just true
SHARED = 500_000  # our choice: fewer values than that are learnt faster by one thread, which waits for no other
LARGEST = 2**31 - 1  # LightGBM's, of whole numbers
MOST_RELEVANT = 30  # LightGBM's: relevance has a gain of 2^relevance


@dataclass(frozen=True)
class GbdtOptions(ClassifierOptions):
    """Options of boosted trees."""

    objective: str = option(
        "auto",
        "what to learn; auto: classes where the label is text or true and false, an order where there is a group_col, "
        "else numbers",
        choices=("auto", "regression", "classification", "ranking"),
        spellings={
            "binary": "classification", "multiclass": "classification", "lambdarank": "ranking", "rank": "ranking",
            "reg:squarederror": "regression", "binary:logistic": "classification",
        },
    )  # fmt: skip
    group_col: str = option(
        "", "of ranking: rows with the same value are ordered among each other", aliases=("query_col",)
    )
    missing: str = option(
        "skip",
        "rows with NULL or NaN features: left out and not answered, or, learn, sent the better way at each split",
        choices=("skip", "learn"),
    )
    rounds: int = option(
        100, "trees, or of c > 2 classes c times as many", low=1, high=100_000,
        aliases=("max_iterations", "num_boost_round", "n_estimators", "num_iterations"), source="LightGBM",
    )  # fmt: skip
    learning_rate: float = option(
        0.1, "how much of its correction each tree makes", low=1e-9, high=1.0,
        aliases=("learn_rate", "eta"), source="LightGBM",
    )  # fmt: skip
    leaves: int = option(31, "of a tree at most", low=2, high=131_072, aliases=("num_leaves",), source="LightGBM")
    max_depth: int = option(
        -1,
        "splits between root and leaf at most; -1: no limit",
        low=-1,
        high=LARGEST,
        aliases=("max_tree_depth",),
        source="LightGBM",
    )
    min_leaf_rows: int = option(
        20, "rows of a leaf at least", low=0, high=LARGEST,
        aliases=("min_data_in_leaf", "min_child_samples", "min_tree_child_weight"), source="LightGBM",
    )  # fmt: skip
    min_gain: float = option(
        0.0, "by which a split lessens the loss at least", low=0.0,
        aliases=("min_split_loss", "min_gain_to_split", "min_split_gain", "gamma"), source="LightGBM",
    )  # fmt: skip
    subsample: float = option(
        1.0, "share of rows that each tree sees", low=0.01, high=1.0, aliases=("bagging_fraction",), source="LightGBM"
    )
    feature_fraction: float = option(
        1.0,
        "share of features that each tree sees",
        low=0.01,
        high=1.0,
        aliases=("colsample_bytree",),
        source="LightGBM",
    )
    l1_reg: float = option(0.0, "penalty on what leaves say", low=0.0, aliases=("lambda_l1", "reg_alpha"))
    l2_reg: float = option(0.0, "squared penalty on what leaves say", low=0.0, aliases=("lambda_l2", "reg_lambda"))
    booster: str = option(
        "gbdt", "trees that all stay, or dart, of which some are left out in each round", choices=("gbdt", "dart"),
        aliases=("booster_type", "boosting", "boosting_type"), spellings={"gbtree": "gbdt"},
        source="dart: Rashmi and Gilad-Bachrach 2015",
    )  # fmt: skip
    early_stop: int | bool = option(
        0, "rounds without a better result on a tenth of the rows, kept aside, after which it ends; true: 10; 0: never",
        low=0, aliases=("early_stopping_rounds", "early_stopping_round", "patience"),
    )  # fmt: skip


@family(
    "gbdt",
    options=GbdtOptions,
    source="Ke et al., NeurIPS 2017 (LightGBM)",
    verbs=(*CLASSIFIER_VERBS, "feature_importance"),
    aliases={
        "boosted_tree_classifier": {"objective": "classification"},
        "boosted_tree_regressor": {"objective": "regression"},
        "lightgbm": {},
        "xgboost": {},
    },
)
class Gbdt(Predictor):
    """Gradient-boosted trees: mostly the best there is for tables, whatever the scale of columns; wants some tuning.

    Cost: O(n w) a round for n rows and w features; O(rounds x depth) for a row.
    """

    one_hot = False

    @classmethod
    def task(cls, label: pa.Field, options: GbdtOptions) -> Task:
        """What the objective says; auto: see the option."""
        if options.objective != "auto":
            return {"regression": REGRESSION, "classification": CLASSIFICATION, "ranking": RANKING}[options.objective]
        if options.group_col:
            return RANKING
        kind = plain_type(label.type)
        return REGRESSION if is_number(kind) and not pa.types.is_boolean(kind) else CLASSIFICATION

    @classmethod
    def plan(cls, schema: pa.Schema, options: GbdtOptions) -> Plan:
        """Also the groups.

        Raises:
            ProgrammingError: ranking without groups, or groups without ranking.
        """
        plan = super().plan(schema, options)
        if bool(options.group_col) != (plan.task == RANKING):
            hint = "it is for objective = 'ranking': group_col = 'query_id'."
            known = "needs a group_col" if plan.task == RANKING else "has no use for a group_col"
            raise ProgrammingError(compose(f"gbdt: {plan.task} {known}", hint=hint))
        keys = (named_column(schema.names, options.group_col, "group_col", "gbdt"),) if options.group_col else ()
        for key in keys:
            check_id_type(schema.field(key).type, key, "gbdt")
            if key == plan.label:
                hint = "groups are rows that are ranked together, such as those of one query."
                raise ProgrammingError(compose(f"gbdt: the column {key!r} is both label_col and group_col", hint=hint))
        return replace(plan, keys=keys, tolerant=options.missing == "learn")

    @classmethod
    def learn(cls, examples: Examples, options: GbdtOptions, training: Training) -> dict[str, npt.NDArray[Any]]:
        """`trees`: LightGBM's text, as bytes."""
        target = examples.target
        assert target is not None
        labels = np.concatenate([label for _, label in examples.blocks()])
        weights, groups = None, None
        if target.task == RANKING:
            _check_relevance(labels, target.name)
            groups = examples.keys(examples.plan.keys[0])
        elif target.task == CLASSIFICATION and options.class_weights != "none":
            weights = class_weights(target, options.class_weights)[labels]
        threads = training.threads() if examples.rows * examples.width >= SHARED else 1
        parameters = _parameters(options, target.task, len(target.classes), threads)
        held_out, patience = _held_out(examples.rows, groups, options)
        plan = Boosting(parameters, options.rounds, weights, groups, held_out, patience)
        return {"trees": np.frombuffer(boosted(examples, labels, plan, training).encode(), dtype=np.uint8)}

    @cached_property
    def _booster(self) -> Any:
        return lightgbm().Booster(model_str=np.asarray(self.learned["trees"]).tobytes().decode())

    def encoded(self, batch: pa.RecordBatch) -> Encoded:
        """A table, which LightGBM reads without a copy."""
        return self.encoder.encode_columns(batch)

    def raw(self, features: pa.Table) -> Floats:
        """What LightGBM predicts; it uses all cores."""
        found: Floats = self._booster.predict(features)
        return found

    def summarize(self, verb: str, rows: Rows | None, arguments: Arguments) -> pa.Table:
        """Also `feature_importance`, and `evaluate` of an order."""
        if verb == "feature_importance":
            names = [each.feature.name for each in self.encoder.columns]
            weight = self._booster.feature_importance("split").astype(np.float64)
            gain = self._booster.feature_importance("gain")
            return pa.table({"feature": names, "importance_weight": weight, "importance_gain": gain})
        if verb == "evaluate" and rows is not None and self.target.task == RANKING:
            found, k = judged.judged(self, rows, self.options.group_col), arguments.get("k", 10)
            value, groups = metrics.ndcg(found.group.astype(np.int64), found.expected, found.predicted, k)
            return judged.table([(f"ndcg@{k}", value), ("groups", float(groups))], len(found.expected))
        return super().summarize(verb, rows, arguments)


def _parameters(options: GbdtOptions, task: Task, classes: int, threads: int) -> dict[str, Any]:
    """Options by LightGBM's names."""
    objective = {REGRESSION: "regression", RANKING: "lambdarank"}.get(task, "binary" if classes == 2 else "multiclass")
    return {
        "objective": objective,
        "num_class": classes if objective == "multiclass" else 1,
        "boosting": options.booster,
        "learning_rate": options.learning_rate,
        "num_leaves": options.leaves,
        "max_depth": options.max_depth,
        "min_data_in_leaf": options.min_leaf_rows,
        "min_gain_to_split": options.min_gain,
        "bagging_fraction": options.subsample,
        "bagging_freq": 1 if options.subsample < 1 else 0,
        "feature_fraction": options.feature_fraction,
        "lambda_l1": options.l1_reg,
        "lambda_l2": options.l2_reg,
        "eval_at": [10],
        "seed": options.seed % 2**31,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": threads,
        "verbosity": -1,
    }


def _held_out(rows: int, groups: Codes | None, options: GbdtOptions) -> tuple[Mask | None, int]:
    """Rows, or whole groups, kept aside for early_stop, and the rounds of patience with them.

    Raises:
        ProgrammingError: dart, whose earlier trees change with every round, or too few rows to keep some aside.
    """
    patience = PATIENCE if options.early_stop is True else int(options.early_stop)
    if not patience:
        return None, 0
    if options.booster == "dart":
        raise ProgrammingError(compose("gbdt: early_stop does not go with booster = 'dart'", hint="leave one out."))
    units = rows if groups is None else int(groups.max()) + 1
    chosen = np.random.default_rng(options.seed).random(units) < HELD_OUT
    if not chosen.any() or chosen.all():
        chosen = np.arange(units) == units - 1
    if units < 2:
        raise ProgrammingError(compose("gbdt: early_stop needs rows to keep aside", hint="leave it out."))
    return (chosen if groups is None else chosen[groups]), patience


def _check_relevance(labels: Floats, name: str) -> None:
    """DataError where labels are no degrees of relevance."""
    wrong = (labels < 0) | (labels > MOST_RELEVANT) | (labels != np.floor(labels))
    if wrong.any():
        problem = f"gbdt: the label column {name!r} holds {labels[wrong][0]:g}, which is no relevance for ranking"
        raise DataError(compose(problem, hint=f"relevance is a whole number from 0 to {MOST_RELEVANT}."))
