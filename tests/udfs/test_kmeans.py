"""K-means: the contract, and Lloyd's algorithm written out in numpy."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import paretosql
from paretosql.udfs.lloyd import apart, far_apart, nearest, settled
from paretosql.udfs.model import Training, find_family
from paretosql.udfs.options import read_options
from paretosql.udfs.rows import Spool
from tests.udfs.contract import PredictorContract


class TestKMeans(PredictorContract):
    """Clusters; with one start of any rows the seed decides which."""

    family = "kmeans"
    label = None
    random = True
    options: ClassVar[dict[str, Any]] = {"k": 5, "init": "random", "restarts": 1}

    def quick(self):
        return {"max_iterations": 5}


def fitted(points, training=None, chunk=31, **options):
    """A model of the columns of a matrix, which are called x0, x1, ..."""
    family, _ = find_family("kmeans")
    table = pa.table({f"x{at}": column for at, column in enumerate(points.T)})
    made, _ = read_options(family.options, options, "kmeans")
    rows = Spool.of(table.schema, table.to_batches(max_chunksize=chunk))
    return family.model.fit(rows, made, training or Training())


def answered(model, points):
    """The cluster of each row, and the distance from its middle."""
    batch = pa.RecordBatch.from_pydict({f"x{at}": column for at, column in enumerate(points.T)})
    found = model.apply("predict", batch, {})
    return found.column("centroid_id").to_numpy(), found.column("distance").to_numpy()


def squares(points, middles):
    """The squared distances of all points from all middles."""
    return np.square(points[:, None, :] - middles[None, :, :]).sum(axis=2)


def lloyd(points, middles, passes):
    """So many passes of the algorithm, written out; clusters that lose all points are not expected."""
    for _ in range(passes):
        which = squares(points, middles).argmin(axis=1)
        middles = np.stack([points[which == each].mean(axis=0) for each in range(len(middles))])
    return middles


def islands(k=4, rows=200, seed=0):
    """Groups of points far from each other, and the group of each."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, k, rows)
    middles = 100.0 * np.column_stack([np.arange(k), np.arange(k) ** 2 % 3])
    return middles[group] + rng.normal(size=(rows, 2)), group


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 4))
def test_passes_equal_lloyd(seed, k, width):
    """From the same start, however rows are cut into blocks, the middles are those of numpy after as many passes."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(120, width))
    start = points[rng.permutation(120)[:k]]
    passes = 5
    blocks = np.array_split(points, 7)
    found, _ = settled(lambda: blocks, start, 0.0, passes, Training())
    wanted = start
    for _ in range(passes):  # the algorithm here ends early when nothing changes any more, as then do these
        which = squares(points, wanted).argmin(axis=1)
        if len(np.unique(which)) < k:
            return
        wanted = lloyd(points, wanted, 1)
    assert found == pytest.approx(wanted, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.booleans())
def test_the_mean_squared_distance_never_rises(seed, k, lattice):
    """Pass by pass it falls or stays, also where points coincide and clusters lose all of theirs."""
    rng = np.random.default_rng(seed)
    points = rng.integers(0, 4, (60, 2)).astype(float) if lattice else rng.normal(size=(60, 2))
    training = Training()
    settled(lambda: [points], points[rng.integers(0, 60, k)], 0.0, 30, training)
    losses = np.array([loss for _, loss, _ in training.log])
    assert (np.diff(losses) <= 1e-9).all()


@pytest.mark.parametrize("seed", range(3))
def test_the_end_is_a_fixed_point(seed):
    """Every row is in the cluster of the nearest middle, and every middle is the mean of its rows."""
    points = np.random.default_rng(seed).normal(size=(300, 3)) * np.array([1.0, 50.0, 0.1]) + 1_000.0
    model = fitted(points, k=6, tolerance=0.0, max_iterations=1_000, seed=seed)
    which, distance = answered(model, points)
    placed = (points - points.mean(axis=0)) / points.std(axis=0)
    middles = np.stack([placed[which == each + 1].mean(axis=0) for each in range(6)])
    every = squares(placed, middles)
    assert (every.argmin(axis=1) + 1).tolist() == which.tolist()
    assert distance == pytest.approx(np.sqrt(every.min(axis=1)))


def test_as_many_clusters_as_different_rows():
    """Each different row is a cluster, and every distance is 0; one more is refused."""
    points = np.random.default_rng(0).integers(0, 4, (100, 2)).astype(float)
    different = len(np.unique(points, axis=0))
    which, distance = answered(fitted(points, k=different), points)
    assert len(set(which)) == different
    assert distance == pytest.approx(0.0, abs=1e-12)
    with pytest.raises(paretosql.DataError, match=f"kmeans: num_clusters = {different + 1}, but there are only"):
        fitted(points, k=different + 1)


def test_fewer_rows_than_the_usual_number_of_clusters():
    """Without a number there are 8 clusters, or as many as there are different rows."""
    points = np.array([[0.0], [0.0], [1.0], [5.0]])
    assert set(answered(fitted(points), points)[0]) == {1, 2, 3}
    many = np.arange(50.0)[:, None]
    assert set(answered(fitted(many), many)[0]) == set(range(1, 9))


@pytest.mark.parametrize("seed", range(5))
def test_islands_are_found(seed):
    """Groups far from each other are the clusters whatever the seed, the largest first."""
    points, group = islands()
    which, _ = answered(fitted(points, k=4, seed=seed), points)
    assert len(set(zip(which.tolist(), group.tolist(), strict=True))) == 4
    sizes = np.bincount(which)[1:]
    assert sizes.tolist() == sorted(sizes, reverse=True)


def test_one_cluster_is_the_mean():
    """Its distances are the standard scores."""
    points = np.random.default_rng(0).normal(size=(100, 1)) * 9 + 4
    _, distance = answered(fitted(points, k=1), points)
    assert distance == pytest.approx(np.abs(points[:, 0] - points.mean()) / points.std())


def test_distances_in_units_of_the_columns():
    """standardize = false measures in the columns' own units."""
    points = np.array([[0.0, 0.0], [0.0, 8.0], [1000.0, 0.0], [1000.0, 8.0]])
    which, distance = answered(fitted(points, k=2, standardize=False), points)
    assert which[0] == which[1] != which[2] == which[3]
    assert distance == pytest.approx(4.0)


def test_numbers_far_from_zero_keep_their_digits():
    """Seconds since 1970 that differ by little: the distances are those of the same numbers near 0."""
    near, _ = islands(k=3)
    options = {"k": 3, "standardize": False, "tolerance": 0.0}
    far = fitted(near + 1.7e9, **options)
    _, wanted = answered(fitted(near, **options), near)
    _, found = answered(far, near + 1.7e9)
    assert found == pytest.approx(wanted, abs=1e-5)


def test_cosine_looks_at_directions():
    """Vectors of one direction are one cluster whatever their length; the distance is 1 - cosine of the middle's."""
    angle = np.array([0.0, 0.1, 1.5, 1.6, 3.0, 3.1])
    points = np.array([1.0, 50.0, 0.2, 9.0, 3.0, 700.0])[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    which, distance = answered(fitted(points, k=3, distance="cosine", standardize=False), points)
    assert which[0] == which[1] and which[2] == which[3] and which[4] == which[5] and len(set(which)) == 3
    assert distance == pytest.approx(1 - np.cos(0.05))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9))
def test_the_nearest_middle(seed, k):
    """It is the one that all distances say, and `apart` is its distance."""
    rng = np.random.default_rng(seed)
    points, middles = rng.normal(size=(40, 3)), rng.normal(size=(k, 3))
    which, square = nearest(points, middles)
    every = squares(points, middles)
    assert which.tolist() == every.argmin(axis=1).tolist()
    assert square == pytest.approx(every.min(axis=1), abs=1e-9)
    assert apart(points, middles, which) == pytest.approx(every.min(axis=1))


def test_starts_are_far_apart():
    """With as many starts as islands there is one on each, where rows drawn alike seldom hit all."""
    points, group = islands(k=6)
    for seed in range(20):
        starts = far_apart(points, 6, np.random.default_rng(seed))
        assert len({int(group[nearest(each[None, :], points)[0][0]]) for each in starts}) == 6


def test_more_starts_are_never_worse():
    """The best of many starts has at most the distance of the first alone, on the rows that starts are tried on."""
    points = np.random.default_rng(1).normal(size=(200, 2))
    options = {"k": 9, "init": "random", "tolerance": 0.0, "max_iterations": 1_000}
    means = [
        float(np.square(answered(fitted(points, restarts=restarts, **options), points)[1]).mean())
        for restarts in (1, 30)
    ]
    assert means[1] <= means[0]


def test_the_middle_of_each_cluster_in_sql():
    """`centroids` are the means of the columns of each cluster's rows, of a category the share of rows that have it."""
    points, group = islands(k=3)
    with paretosql.connect(autocommit=True) as con:
        con.register("t", pa.table({"x": points[:, 0], "c": [f"c{each % 2}" for each in group]}))
        con.execute("CREATE MODEL m OPTIONS (model_type = 'kmeans', num_clusters = 3) AS FROM t")
        found = con.execute("SELECT * FROM centroids(MODEL m)").fetchall()
        wanted = con.execute(
            "SELECT centroid_id, avg(x), avg((c = 'c0')::INT), avg((c = 'c1')::INT) FROM predict(MODEL m, TABLE t)"
            " GROUP BY 1 ORDER BY 1"
        ).fetchall()
        assert [(number, name, category) for number, name, category, _ in found] == [
            (number, name, category)
            for number in (1, 2, 3)
            for name, category in (("x", None), ("c", "c0"), ("c", "c1"))
        ]
        assert [value for *_, value in found] == pytest.approx([value for _, *rest in wanted for value in rest])


def test_evaluate_is_worked_out_of_the_distances():
    """The mean squared distance and the index of Davies and Bouldin, as the answers of predict give them."""
    points, _ = islands(k=3)
    with paretosql.connect(autocommit=True) as con:
        con.register("t", pa.table({"x": points[:, 0], "z": points[:, 1]}))
        con.execute("CREATE MODEL m OPTIONS (model_type = 'kmeans', k = 3, standardize = false) AS FROM t")
        found = dict(con.execute("SELECT * FROM evaluate(MODEL m, (FROM t UNION ALL SELECT NULL, 1.0))").fetchall())
        rows = con.execute("SELECT x, z, centroid_id, distance FROM predict(MODEL m, TABLE t)").fetchall()
        x, z, which, distance = map(np.array, zip(*rows, strict=True))
        middles = np.array([[x[which == each].mean(), z[which == each].mean()] for each in (1, 2, 3)])
        spread = np.array([distance[which == each].mean() for each in (1, 2, 3)])
        worst = [
            max((spread[a] + spread[b]) / np.linalg.norm(middles[a] - middles[b]) for b in range(3) if b != a)
            for a in range(3)
        ]
        assert found["rows"] == 200
        assert found["mean_squared_distance"] == pytest.approx(np.mean(distance**2))
        assert found["davies_bouldin_index"] == pytest.approx(np.mean(worst))
