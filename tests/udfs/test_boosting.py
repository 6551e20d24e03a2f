"""Boosted trees: what LightGBM itself would answer, every objective, text, missing values, and tables in pieces."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from paretosql.errors import DataError, OperationalError, ProgrammingError
from paretosql.udfs.families import gbdt
from paretosql.udfs.library import lightgbm
from paretosql.udfs.metrics import ndcg
from paretosql.udfs.model import STATUS, Training, find_family
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


def test_answers_what_lightgbm_answers():
    """Trained with the same parameters on the same matrix, LightGBM itself predicts the same numbers."""
    x, y, table = some()
    model = fitted(table, seed=3, leaves=7, learning_rate=0.2, min_leaf_rows=5, subsample=0.8, feature_fraction=0.7)
    parameters = {
        "objective": "regression", "num_leaves": 7, "learning_rate": 0.2, "min_data_in_leaf": 5, "seed": 3,
        "bagging_fraction": 0.8, "bagging_freq": 1, "feature_fraction": 0.7, "deterministic": True,
        "force_row_wise": True, "num_threads": 1, "verbosity": -1,
    }  # fmt: skip
    wanted = lightgbm().train(parameters, lightgbm().Dataset(x, y), 20).predict(x)
    assert first(model, table) == wanted.tolist()


@pytest.mark.parametrize("number", ["two", "three"])
def test_classes_answer_what_lightgbm_answers(number):
    """Probabilities of classes in ascending order; the most probable is predicted."""
    x, _, table = some()
    table = classes(table, number)
    names = sorted(LABELS[number])
    label = [names.index(each) for each in table.column("label").to_pylist()]
    answer = answered(fitted(table), table)
    parameters = {"objective": "binary"} if number == "two" else {"objective": "multiclass", "num_class": 3}
    parameters |= {"deterministic": True, "force_row_wise": True, "num_threads": 1, "verbosity": -1}
    wanted = lightgbm().train(parameters, lightgbm().Dataset(x, label), 20).predict(x)
    wanted = np.column_stack([1 - wanted, wanted]) if number == "two" else wanted
    found = answer.column(1).to_pylist()
    assert [[each["label"] for each in row] for row in found[:2]] == [names] * 2
    assert [[each["prob"] for each in row] for row in found] == wanted.tolist()
    assert answer.column(0).to_pylist() == [names[each] for each in wanted.argmax(axis=1)]


@pytest.mark.parametrize("number", ["two", "three"])
@pytest.mark.parametrize("early_stop", [0, 5])
def test_a_model_does_not_depend_on_memory(number, early_stop):
    """Rows that are handed over in blocks give the same trees, to the last bit, as rows that fit into memory."""
    table = classes(some(3_000)[2], number)
    options = {"early_stop": early_stop, "class_weights": "balanced"}
    whole = fitted(table, **options).learned["trees"]
    parts = fitted(table, Training(memory_bytes=1), chunk=700, **options).learned["trees"]
    assert whole.tobytes() == parts.tobytes()


def test_same_seed_same_trees():
    """The seed decides which rows a tree sees."""
    table = some()[2]
    one, two, three = (fitted(table, subsample=0.5, seed=seed).learned["trees"].tobytes() for seed in (1, 1, 2))
    assert one == two != three


def test_save_and_load():
    """What `arrays` takes apart answers alike, to the last bit."""
    table = classes(some()[2], "three")
    model = fitted(table)
    state = model.arrays()
    json.dumps(state.facts)
    again = type(model).from_arrays(state, model.options)
    assert answered(again, table) == answered(model, table)
    assert again.summarize("feature_importance", None, {}) == model.summarize("feature_importance", None, {})


def test_auto_objective():
    """Text, and true and false, are classes; numbers are numbers, whole ones too, until one asks for classes."""
    x, _, table = some()
    whole = table.set_column(3, "label", pa.array((x[:, 0] > 0).astype(int)))
    truth = table.set_column(3, "label", pa.array(x[:, 0] > 0))
    assert fitted(whole).outputs("predict")[0].type == pa.float64()
    assert fitted(truth).outputs("predict")[0].type == pa.bool_()
    asked = fitted(whole, objective="classification")
    assert asked.outputs("predict")[0].type == pa.int64()
    assert evaluated(asked, whole)["accuracy"] > 0.95
    assert fitted(whole, name="boosted_tree_classifier").outputs("predict")[0].type == pa.int64()
    assert fitted(truth, name="boosted_tree_regressor").outputs("predict")[0].type == pa.float64()


def test_text_is_split_by_sets_of_categories():
    """A label that depends on an arbitrary half of the categories is learnt from text alone."""
    rng = np.random.default_rng(0)
    words = rng.integers(0, 20, 4_000)
    high = np.isin(words, [1, 4, 5, 8, 11, 12, 17, 19])
    table = pa.table({"word": [f"w{each}" for each in words], "label": high.astype(float)})
    model = fitted(table, rounds=60)
    assert np.round(first(model, table)).tolist() == high.tolist()
    assert first(model, pa.table({"word": ["never seen"]}))[0] is not None


def test_feature_importance():
    """What the label depends on is used; what it does not is hardly worth anything. All features are listed."""
    table = some()[2]
    rows = fitted(table).summarize("feature_importance", None, {}).to_pylist()
    gain = {row["feature"]: row["importance_gain"] for row in rows}
    assert gain.keys() == {"a", "b", "c"}
    assert gain["c"] < 0.05 * gain["a"]
    assert all(row["importance_weight"] >= 0 for row in rows)


def test_null_features_have_a_status_and_no_answer():
    """By default a row with a missing value is not answered, and spoils nothing."""
    model = fitted(some()[2])
    asked = pa.table({"a": [0.5, None, float("nan")], "b": pa.array([1, 1, 1], pa.int8()), "c": [0.0, 0.0, 0.0]})
    answer = answered(model, asked)
    assert [each is None for each in answer.column(0).to_pylist()] == [False, True, True]
    assert answer.column(STATUS).to_pylist() == [None, "feature 'a' is NULL", "feature 'a' is NaN"]
    assert answered(model, asked.slice(0, 1)).column(0)[0] == answer.column(0)[0]


def test_missing_values_can_be_learnt():
    """With missing = 'learn', a NULL says something: here the label is 1 just where a number or a text is missing."""
    rng = np.random.default_rng(0)
    gone, mute = rng.random(1_000) < 0.3, rng.random(1_000) < 0.3
    table = pa.table(
        {
            "x": pa.array(rng.normal(size=1_000), mask=gone),
            "c": pa.array(["a"] * 1_000, mask=mute),
            "label": (gone | mute).astype(float),
        }
    )
    training = Training()
    model = fitted(table, training, missing="learn", rounds=200, min_leaf_rows=1)
    assert training.warnings == []
    assert np.round(first(model, table)).tolist() == (gone | mute).tolist()
    with pytest.raises(DataError, match=r"gbdt.*'label' holds 0 in every row"):
        fitted(table)


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


def test_rows_of_a_group_need_not_be_adjacent():
    """Sorted by group, the same rows give the same trees."""
    table = ranked()
    options = {"group_col": "query", "early_stop": 3}
    one, two = fitted(table, **options), fitted(table.sort_by("query"), **options)
    assert first(one, table) == pytest.approx(first(two, table), rel=1e-3, abs=1e-3)
    again = type(one).from_arrays(one.arrays(), one.options)
    assert again.inputs("evaluate") == one.inputs("evaluate")


def test_rows_without_a_group():
    """They are left out, in training as in `evaluate`."""
    table = ranked(300)
    more = pa.concat_tables([table, pa.table({"x": [1.0], "query": pa.array([None], pa.string()), "label": [4]})])
    training = Training()
    model = fitted(more, training, group_col="query")
    assert training.warnings == ["1 of 301 rows with NULL, NaN or infinite values were left out"]
    assert evaluated(model, more, k=3) == evaluated(model, table, k=3)


def test_ranking_needs_groups_and_relevance():
    """The messages say what is missing, or which label is none."""
    table = ranked(300)
    with pytest.raises(ProgrammingError, match=r"(?s)gbdt: ranking needs a group_col.*Hint"):
        fitted(table, objective="ranking")
    with pytest.raises(ProgrammingError, match="gbdt: regression has no use for a group_col"):
        fitted(table, objective="regression", group_col="query")
    with pytest.raises(ProgrammingError, match=r"(?s)gbdt.*'quary'.*did you mean 'query'"):
        fitted(table, group_col="quary")
    for wrong in (-1.0, 0.5, 31.0):
        labels = pa.array([wrong, *range(299)] if wrong > 30 else [wrong] + [1.0] * 299)
        with pytest.raises(DataError, match=r"gbdt.*'label'.*no relevance"):
            fitted(table.set_column(2, "label", labels), group_col="query")


def test_early_stop_ends_when_nothing_gets_better():
    """On pure noise a few rounds are enough; the model is that of the best round."""
    rng = np.random.default_rng(0)
    table = pa.table({"x": rng.normal(size=1_000), "label": rng.normal(size=1_000)})
    training = Training()
    model = fitted(table, training, rounds=500, early_stop=5, learning_rate=0.3)
    losses = [loss for _, loss, _ in training.log]
    assert len(losses) < 100
    assert losses.index(min(losses)) == len(losses) - 6
    trees = model.learned["trees"].tobytes().decode().count("\nTree=")
    assert trees == len(losses) - 5
    training = Training()
    fitted(table, training, rounds=500, early_stopping_rounds=True, learning_rate=0.3)
    losses = [loss for _, loss, _ in training.log]
    assert losses.index(min(losses)) == len(losses) - 11


def test_early_stop_has_limits():
    """Not with dart, and not with a single group."""
    table = ranked(300)
    with pytest.raises(ProgrammingError, match="early_stop does not go with booster = 'dart'"):
        fitted(table.drop(["query"]), early_stop=True, booster="dart")
    alone = table.set_column(1, "query", pa.array(["q"] * 300))
    with pytest.raises(ProgrammingError, match="early_stop needs rows to keep aside"):
        fitted(alone, group_col="query", early_stop=True)


def test_dart_differs():
    """Another booster gives other trees."""
    table = some()[2]
    assert first(fitted(table, booster="dart"), table) != first(fitted(table), table)


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


def test_balanced_classes():
    """Where one row of ten is of a class and nothing tells which, balanced weights make both equally probable."""
    table = pa.table({"x": [1.0] * 200, "label": [at % 10 == 0 for at in range(200)]})
    for weights, wanted in (("none", 0.1), ("balanced", 0.5)):
        found = answered(fitted(table, class_weights=weights), table).column(1)[0].as_py()[1]["prob"]
        assert found == pytest.approx(wanted)


def test_names_that_lightgbm_refuses():
    """Columns may be called anything."""
    _, _, table = some()
    odd = table.rename_columns(['with "quotes"', "a,b:[c]{d}", "ünïcode ", "label"])
    assert first(fitted(odd), odd) == first(fitted(table), table)


def test_a_thread_more_or_less(monkeypatch):
    """The number of threads does not decide the trees."""
    monkeypatch.setattr(gbdt, "SHARED", 0)
    table = some()[2]
    one, two = fitted(table, Training(threads=1)), fitted(table, Training(threads=2))
    assert first(one, table) == first(two, table)


@pytest.mark.parametrize("after", [0, 7])
def test_stopping_in_the_middle(after):
    """A training that is stopped between two rounds raises, and says what is done until then."""
    training = Training()
    training.stopped = lambda: len(training.log) > after
    with pytest.raises(OperationalError, match="stopped"):
        fitted(some()[2], training)
    assert len(training.log) == after + 1


def test_progress():
    """Every round is told, with a loss that falls."""
    told: list[tuple[str, int, int]] = []
    training = Training(tell=lambda *each: told.append(each))
    fitted(some()[2], training)
    assert [each[1:] for each in told if each[0] == "round"] == [(at, 20) for at in range(1, 21)]
    losses = [loss for _, loss, _ in training.log]
    assert losses == sorted(losses, reverse=True)
