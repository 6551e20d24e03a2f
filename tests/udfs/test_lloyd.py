"""K-means against clusters that are known, every partition of a few rows, and Lloyd's algorithm written out."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretosql.errors import DataError, OperationalError
from paretosql.udfs import lloyd
from paretosql.udfs.model import STATUS, Training, find_family
from paretosql.udfs.options import read_options
from paretosql.udfs.rows import Spool


def fitted(table: pa.Table, training: Training | None = None, name: str = "kmeans", chunk: int = 64, **given_options):
    """A model of a table that comes in pieces."""
    family, preset = find_family(name)
    options, _ = read_options(family.options, {**preset, **given_options}, family.name)
    rows = Spool.of(table.schema, table.to_batches(max_chunksize=chunk))
    return family.model.fit(rows, options, training or Training())


def answered(model, table: pa.Table) -> pa.RecordBatch:
    return model.apply("predict", table.combine_chunks().to_batches()[0], {})


def evaluated(model, table: pa.Table) -> dict:
    found = model.summarize("evaluate", Spool.of_table(table), {})
    return dict(zip(found.column("metric").to_pylist(), found.column("value").to_pylist(), strict=True))


def blobs(k: int = 5, each: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray, pa.Table]:
    """Rows around k places that are far from each other, in random order, and which place each is of."""
    rng = np.random.default_rng(seed)
    places = np.array([[np.cos(2 * np.pi * at / k), np.sin(2 * np.pi * at / k)] for at in range(k)]) * 10
    which = rng.permutation(np.repeat(np.arange(k), each))
    x = places[which] + rng.normal(size=(k * each, 2)) * 0.3
    return x, which, pa.table({"a": x[:, 0], "b": x[:, 1]})


@pytest.mark.parametrize("init", ["kmeans++", "random"])
def test_finds_clusters_that_are_there(init):
    """Rows of one place, and no others, share a cluster."""
    _, which, table = blobs()
    found = answered(fitted(table, k=5, init=init, restarts=20), table).column("centroid_id").to_pylist()
    assert len(set(zip(which.tolist(), found, strict=True))) == 5
    assert set(found) == {1, 2, 3, 4, 5}


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=4, max_size=7, unique=True), st.integers(2, 3)
)
def test_is_about_as_good_as_the_best_partition(points, k):
    """On a few rows, with many starts, no partition of all is more than a little better."""
    x = np.array(points, dtype=float)

    def inertia(parts) -> float:
        groups = [x[np.array(parts) == one] for one in set(parts)]
        return sum(((group - group.mean(axis=0)) ** 2).sum() for group in groups)

    best = min(inertia(parts) for parts in itertools.product(range(k), repeat=len(x)))
    table = pa.table({"a": x[:, 0], "b": x[:, 1]})
    model = fitted(table, k=k, standardize=False, restarts=20)
    found = evaluated(model, table)["mean_squared_distance"] * len(x)
    assert best - 1e-9 <= found <= 1.15 * best + 1e-9


@pytest.mark.parametrize("chunk", [1_000, 37])
def test_middles_are_means_and_rows_are_nearest(chunk):
    """What Lloyd's algorithm ends with: each row belongs to the nearest middle, which is the mean of its rows."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(500, 3)) * [1, 100, 0.01] + [0, 1e6, 0]
    table = pa.table({name: x[:, at] for at, name in enumerate("abc")})
    model = fitted(table, k=4, tolerance=0.0, max_iterations=1_000, chunk=chunk)
    answer = answered(model, table)
    which = np.array(answer.column("centroid_id").to_pylist()) - 1
    unit = (x - x.mean(axis=0)) / x.std(axis=0)
    middles = np.stack([unit[which == one].mean(axis=0) for one in range(4)])
    distance = np.linalg.norm(unit[:, None] - middles, axis=2)
    assert which.tolist() == distance.argmin(axis=1).tolist()
    assert answer.column("distance").to_pylist() == pytest.approx(distance.min(axis=1), rel=1e-9)
    sizes = np.bincount(which)
    assert sizes.tolist() == sorted(sizes, reverse=True)
    means = np.stack([x[which == one].mean(axis=0) for one in range(4)])
    rows = model.summarize("centroids", None, {})
    assert rows.column("numerical_value").to_pylist() == pytest.approx(means.ravel())
    assert rows.column("centroid_id").to_pylist() == np.repeat([1, 2, 3, 4], 3).tolist()
    assert rows.column("feature").to_pylist() == ["a", "b", "c"] * 4


def test_scale_matters_only_if_wanted():
    """Standardised, a column in other units changes nothing; as it is, the widest column decides."""
    x, which, table = blobs(2)
    far = np.random.default_rng(9).permutation(np.repeat([0.0, 1e6], 60))
    wide = table.set_column(1, "b", pa.array(far))
    found = answered(fitted(wide, k=2, standardize=False), wide).column(0).to_numpy()
    assert len(set(zip(found.tolist(), far.tolist(), strict=True))) == 2
    scaled = table.set_column(0, "a", pa.array(x[:, 0] * 1e9 + 1e12))
    assert answered(fitted(scaled, k=2), scaled).column(0) == answered(fitted(table, k=2), table).column(0)
    assert len(set(zip(found.tolist(), which.tolist(), strict=True))) == 4


def test_cosine_sees_directions_only():
    """Rows of one direction share a cluster however long they are; the distance is 1 - cosine."""
    rng = np.random.default_rng(0)
    angle = np.repeat([0.0, 0.7, 2.0], 40) + rng.normal(size=120) * 0.01
    x = np.stack([np.cos(angle), np.sin(angle)], axis=1) * np.exp(rng.normal(size=(120, 1)) * 3)
    table = pa.table({"a": x[:, 0], "b": x[:, 1]})
    model = fitted(table, k=3, distance_type="COSINE", standardize=False)
    answer = answered(model, table)
    which = answer.column(0).to_numpy()
    assert [len(set(which[at : at + 40].tolist())) for at in (0, 40, 80)] == [1, 1, 1] and len(set(which.tolist())) == 3
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    for at in (0, 40, 80):
        middle = unit[at : at + 40].mean(axis=0)
        wanted = 1 - unit[at : at + 40] @ middle / np.linalg.norm(middle)
        assert answer.column(1).to_pylist()[at : at + 40] == pytest.approx(wanted, abs=1e-9)


def test_text_clusters_by_category():
    """A text column is one column for each category, whose middle is the share of rows that have it."""
    table = pa.table({"c": ["a"] * 6 + ["b"] * 4})
    model = fitted(table, k=2)
    assert answered(model, table).column(0).to_pylist() == [1] * 6 + [2] * 4
    rows = model.summarize("centroids", None, {}).to_pylist()
    assert [(row["centroid_id"], row["category"], row["numerical_value"]) for row in rows] == [
        (1, "a", 1.0), (1, "b", 0.0), (2, "a", 0.0), (2, "b", 1.0)
    ]  # fmt: skip


def test_evaluate_by_hand():
    """Two clusters on a line: rows 0, 2 and 10, 14, 12 with middles 1 and 12."""
    table = pa.table({"x": [0.0, 2.0, 10.0, 14.0, 12.0]})
    model = fitted(table, k=2, standardize=False)
    found = evaluated(model, table)
    spread = (1 + 1) / 2, (2 + 2 + 0) / 3
    assert found == pytest.approx(
        {"davies_bouldin_index": sum(spread) / 11, "mean_squared_distance": (1 + 1 + 4 + 4) / 5, "rows": 5}
    )
    assert evaluated(model, pa.table({"x": [1.0, None]}))["rows"] == 1
    assert np.isnan(evaluated(model, pa.table({"x": [1.0]}))["davies_bouldin_index"])
    assert evaluated(model, table.slice(0, 0))["rows"] == 0


def test_more_clusters_than_different_rows():
    """What was asked for cannot be had; without a wish there are as many as different rows."""
    table = pa.table({"x": [1.0, 2.0, 1.0, 2.0, 3.0]})
    with pytest.raises(DataError, match=r"(?s)kmeans: num_clusters = 4.*only 3 different rows.*Hint"):
        fitted(table, num_clusters=4)
    assert fitted(table).learned["sizes"].tolist() == [2, 2, 1]
    assert evaluated(fitted(table, k=3), table)["mean_squared_distance"] == 0
    assert len(fitted(pa.table({"x": np.arange(50.0)})).learned["sizes"]) == 8


def test_rare_rows_beyond_the_sample(monkeypatch):
    """Starts are tried on a sample; different rows that it misses still make clusters."""
    monkeypatch.setattr(lloyd, "SAMPLE", 10)
    table = pa.table({"x": [0.0] * 500 + [1.0, 5.0]})
    model = fitted(table, k=3, seed=1)
    assert sorted(model.learned["means"][:, 0].tolist()) == [0, 1, 5]


@pytest.mark.parametrize("memory", [1 << 28, 1])
def test_rows_in_memory_or_not(memory):
    """Rows that are read again for each pass give the same model, also when starts see a sample only."""
    _, _, table = blobs()
    found = fitted(table, Training(memory_bytes=memory), k=5).arrays().tensors
    wanted = fitted(table, k=5).arrays().tensors
    assert all(found[name].tobytes() == wanted[name].tobytes() for name in wanted)


def test_same_seed_same_clusters():
    """Rows and seed decide."""
    table = pa.table({"x": np.random.default_rng(0).random(300), "y": np.random.default_rng(1).random(300)})
    one, two = (fitted(table, k=7, seed=4, init="random").learned for _ in range(2))
    assert all(one[name].tobytes() == two[name].tobytes() for name in one)
    other = fitted(table, k=7, seed=5, restarts=1, init="random").learned["middles"]
    assert other.tobytes() != one["middles"].tobytes()


def test_null_features_have_a_status_and_no_answer():
    """In training they are left out, afterwards not answered."""
    _, _, table = blobs(2)
    training = Training()
    model = fitted(pa.concat_tables([table, pa.table({"a": pa.nulls(1, pa.float64()), "b": [1.0]})]), training, k=2)
    assert training.warnings == ["1 of 121 rows with NULL, NaN or infinite values were left out"]
    answer = answered(model, pa.table({"a": [1.0, None], "b": [2.0, 2.0]}))
    assert answer.schema.names == ["centroid_id", "distance", STATUS]
    assert answer.column(0).to_pylist()[1] is None and answer.column(1).to_pylist()[1] is None
    assert answer.column(STATUS).to_pylist() == [None, "feature 'a' is NULL"]


def test_lost_middles_find_rows_again():
    """Two middles far from all rows: after a pass each has some."""
    points = np.array([[0.0], [1.0], [10.0], [11.0]])
    middles, mean = lloyd.settled(lambda: [points], np.array([[0.5], [1e6], [2e6]]), 0.0, 50, Training())
    which, _ = lloyd.nearest(points, middles)
    assert len(set(which.tolist())) == 3
    assert mean == pytest.approx(0.5 / 4)


def test_save_and_load():
    """What `arrays` takes apart answers alike, to the last bit."""
    _, _, table = blobs()
    model = fitted(table, k=5)
    state = model.arrays()
    json.dumps(state.facts)
    again = type(model).from_arrays(state, model.options)
    assert answered(again, table) == answered(model, table)
    assert again.summarize("centroids", None, {}) == model.summarize("centroids", None, {})


def test_what_people_type_elsewhere():
    """BigQuery's options are understood."""
    family, _ = find_family("KMEANS")
    typed = {"NUM_CLUSTERS": 3, "KMEANS_INIT_METHOD": "KMEANS++", "STANDARDIZE_FEATURES": False, "EARLY_STOP": True}
    options, notes = read_options(
        family.options, {**typed, "DISTANCE_TYPE": "EUCLIDEAN", "MAX_ITERATIONS": 20}, "kmeans"
    )
    assert (options.num_clusters, options.init, options.standardize, options.max_iterations) == (
        3,
        "kmeans++",
        False,
        20,
    )
    assert len(notes) == 1


def test_stopping_and_progress():
    """Starts and passes are told, and each is a chance to stop."""
    _, _, table = blobs()
    told: list[tuple[str, int, int]] = []
    fitted(table, Training(tell=lambda *each: told.append(each)), k=5)
    assert {"reading rows", "trying a start", "round"} <= {what for what, _, _ in told}
    training = Training()
    training.stopped = lambda: len(training.log) >= 1
    with pytest.raises(OperationalError, match="stopped"):
        fitted(table, training, k=5)
