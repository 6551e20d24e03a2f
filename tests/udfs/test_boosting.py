"""Boosted trees beyond LightGBM: tables in pieces, threads, groups, few rows, options of other systems."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from paretosql.errors import ProgrammingError
from paretosql.udfs.families import gbdt
from paretosql.udfs.metrics import ndcg
from paretosql.udfs.model import Training, find_family
from paretosql.udfs.options import read_options
from paretosql.udfs.rows import Spool


def fitted(table: pa.Table, training: Training | None = None, name: str = "gbdt", chunk: int = 300, **given_options):
    """A model of a table that comes in pieces."""
    family, preset = find_family(name)
    options, _ = read_options(family.options, {"rounds": 20, **preset, **given_options}, family.name)
    rows = Spool.of(table.schema, table.to_batches(max_chunksize=chunk))
    return family.model.fit(rows, options, training or Training())


def answered(model, table: pa.Table, threshold: float | None = None) -> pa.RecordBatch:
    return model.apply("predict", table.combine_chunks().to_batches()[0], {"threshold": threshold})


def first(model, table: pa.Table) -> list:
    return answered(model, table).column(0).to_pylist()


def evaluated(model, table: pa.Table, **arguments) -> dict:
    found = model.summarize("evaluate", Spool.of_table(table), arguments)
    return dict(zip(found.column("metric").to_pylist(), found.column("value").to_pylist(), strict=True))


def some(n: int = 1_000, seed: int = 0) -> tuple[np.ndarray, np.ndarray, pa.Table]:
    """Three numbers of different types, and a label that depends on a product of two of them."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(size=n), rng.integers(-5, 6, n), rng.normal(size=n).astype(np.float32)])
    y = x[:, 0] * x[:, 1] + 0.1 * rng.normal(size=n)
    columns = {"a": x[:, 0], "b": x[:, 1].astype(np.int8), "c": x[:, 2].astype(np.float32), "label": y}
    return x, y, pa.table(columns)


LABELS = {"two": ["low", "high"], "three": ["low", "middle", "high"]}


def classes(table: pa.Table, number: str) -> pa.Table:
    """The same table with the label cut into classes."""
    y = table.column("label").to_numpy()
    edges = np.quantile(y, np.linspace(0, 1, len(LABELS[number]) + 1)[1:-1])
    return table.set_column(3, "label", pa.array(np.array(LABELS[number])[np.searchsorted(edges, y)]))


@pytest.mark.parametrize("number", ["two", "three"])
@pytest.mark.parametrize("early_stop", [0, 5])
def test_a_model_does_not_depend_on_memory(number, early_stop):
    """Rows that are handed over in blocks give the same trees, to the last bit, as rows that fit into memory."""
    table = classes(some(3_000)[2], number)
    options = {"early_stop": early_stop, "class_weights": "balanced"}
    whole = fitted(table, **options).learned["trees"]
    parts = fitted(table, Training(memory_bytes=1), chunk=700, **options).learned["trees"]
    assert whole.tobytes() == parts.tobytes()


def ranked(n: int = 2_000) -> pa.Table:
    """Relevance from 0 to 4 by a number, in 100 groups whose rows are not beside each other."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    relevance = np.clip(np.round(2 + x + 0.3 * rng.normal(size=n)), 0, 4).astype(int)
    return pa.table({"x": x, "query": [f"q{each % 100}" for each in range(n)], "label": relevance})


def test_ranking():
    """Scores order the rows of a group; `evaluate` compares them with relevance, group by group."""
    table = ranked()
    model = fitted(table, objective="ranking", group_col="QUERY")
    assert [each.name for each in model.inputs("predict")] == ["x"]
    assert [each.name for each in model.inputs("evaluate")] == ["x", "label", "query"]
    score = np.array(first(model, table))
    found = evaluated(model, table, k=5)
    group = np.unique(table.column("query").to_numpy(zero_copy_only=False), return_inverse=True)[1]
    wanted, groups = ndcg(group, table.column("label").to_numpy().astype(float), score, 5)
    assert found == {"ndcg@5": pytest.approx(wanted), "groups": groups, "rows": 2_000}
    assert wanted > 0.9
    assert np.corrcoef(score, table.column("x").to_numpy())[0, 1] > 0.9
    assert not {"confusion_matrix", "roc_curve"} & set(model.verbs())


def test_rows_without_a_group():
    """They are left out, in training as in `evaluate`."""
    table = ranked(300)
    more = pa.concat_tables([table, pa.table({"x": [1.0], "query": pa.array([None], pa.string()), "label": [4]})])
    training = Training()
    model = fitted(more, training, group_col="query")
    assert training.warnings == ["1 of 301 rows with NULL, NaN or infinite values were left out"]
    assert evaluated(model, more, k=3) == evaluated(model, table, k=3)


def test_early_stop_has_limits():
    """Not with dart, and not with a single group."""
    table = ranked(300)
    with pytest.raises(ProgrammingError, match="early_stop does not go with booster = 'dart'"):
        fitted(table.drop(["query"]), early_stop=True, booster="dart")
    alone = table.set_column(1, "query", pa.array(["q"] * 300))
    with pytest.raises(ProgrammingError, match="early_stop needs rows to keep aside"):
        fitted(alone, group_col="query", early_stop=True)


def test_what_people_type_elsewhere():
    """The options of BigQuery's first example of boosted trees are understood."""
    family, preset = find_family("BOOSTED_TREE_CLASSIFIER")
    typed = {
        "BOOSTER_TYPE": "GBTREE", "NUM_PARALLEL_TREE": 1, "MAX_ITERATIONS": 50, "TREE_METHOD": "HIST",
        "EARLY_STOP": False, "SUBSAMPLE": 0.85, "INPUT_LABEL_COLS": ["label"], "MIN_TREE_CHILD_WEIGHT": 3,
        "MAX_TREE_DEPTH": 6, "LEARN_RATE": 0.3, "MIN_SPLIT_LOSS": 0, "COLSAMPLE_BYTREE": 0.9, "L2_REG": 1,
    }  # fmt: skip
    options, notes = read_options(family.options, {**preset, **typed}, "gbdt")
    assert (options.rounds, options.subsample, options.max_depth, options.learning_rate) == (50, 0.85, 6, 0.3)
    assert (options.booster, options.min_leaf_rows, options.objective) == ("gbdt", 3, "classification")
    assert len(notes) == 2
    table = classes(some()[2], "two")
    model = family.model.fit(Spool.of_table(table), options, Training())
    assert evaluated(model, table)["roc_auc"] > 0.95


def test_few_and_equal_rows():
    """Too few rows for a leaf, or features that never change: the mean is the best there is."""
    table = pa.table({"x": [1.0, 2.0, 3.0], "label": [1.0, 2.0, 6.0]})
    assert first(fitted(table), table) == pytest.approx([3.0] * 3)
    same = pa.table({"x": [1.0] * 100, "label": [0.0, 1.0] * 50})
    assert first(fitted(same), same) == pytest.approx([0.5] * 100)


def test_a_thread_more_or_less(monkeypatch):
    """The number of threads does not decide the trees."""
    monkeypatch.setattr(gbdt, "SHARED", 0)
    table = some()[2]
    one, two = fitted(table, Training(threads=lambda: 1)), fitted(table, Training(threads=lambda: 2))
    assert first(one, table) == first(two, table)
