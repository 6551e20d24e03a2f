"""Lloyd's algorithm: its result against all partitions, samples, rows in pieces, middles that lose their rows."""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretosql.udfs import lloyd
from paretosql.udfs.model import Training, find_family
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


def test_lost_middles_find_rows_again():
    """Two middles far from all rows: after a pass each has some."""
    points = np.array([[0.0], [1.0], [10.0], [11.0]])
    middles, mean = lloyd.settled(lambda: [points], np.array([[0.5], [1e6], [2e6]]), 0.0, 50, Training())
    which, _ = lloyd.nearest(points, middles)
    assert len(set(which.tolist())) == 3
    assert mean == pytest.approx(0.5 / 4)


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
