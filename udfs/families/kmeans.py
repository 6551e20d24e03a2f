"""K-means: rows in k clusters, each row in the one whose middle is nearest.

Starts are tried on a sample of rows, and the best goes on with all of them: rows go to the nearest middle, middles go
to the mean of their rows, until little changes. With distance = 'cosine' rows are scaled to length 1, and the distance
is 1 - cosine.

Columns in: features. Columns out: centroid_id BIGINT from 1 (the largest cluster first), distance DOUBLE.
Sources: Lloyd, "Least squares quantization in PCM" (1982); starts: Arthur and Vassilvitskii, "k-means++" (SODA 2007),
with several candidates at each step as its section 7 suggests; cosine: Dhillon and Modha (2001).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from paretosql.errors import DataError, compose
from paretosql.udfs import metrics
from paretosql.udfs.encoding import Encoder
from paretosql.udfs.examples import Examples, pieces
from paretosql.udfs.features import Floats
from paretosql.udfs.lloyd import Read, add_by, apart, different, far_apart, nearest, sampled, settled
from paretosql.udfs.model import Arguments, Ints, Training, family
from paretosql.udfs.options import option
from paretosql.udfs.rows import Rows
from paretosql.udfs.tabular import Tabular, TabularOptions
from paretosql.udfs.verbs import INFO

USUAL = 8  # clusters where the options do not say
ROUGH = 1e-3  # our choice: the tolerance by which starts are compared


@dataclass(frozen=True)
class KMeansOptions(TabularOptions):
    """Options of k-means."""

    num_clusters: int = option(
        0, "how many clusters; 0: 8, or as many as there are different rows", low=0, high=100_000,
        aliases=("k", "clusters", "n_clusters"),
    )  # fmt: skip
    standardize: bool = option(
        True, "whether numbers are scaled to mean 0 and standard deviation 1 first", aliases=("standardize_features",)
    )
    distance: str = option("euclidean", "what is near", choices=("euclidean", "cosine"), aliases=("distance_type",))
    init: str = option(
        "kmeans++", "rows to start from: far from each other, or any", choices=("kmeans++", "random"),
        aliases=("kmeans_init_method",),
        spellings={"k-means++": "kmeans++", "kmeans_plus_plus": "kmeans++", "kmeans_plusplus": "kmeans++"},
    )  # fmt: skip
    restarts: int = option(4, "starts that are tried", low=1, high=1_000, aliases=("n_init",))
    max_iterations: int = option(
        100, "passes over the rows at most; BigQuery makes 20, scikit-learn 300", low=1, aliases=("max_iter",)
    )
    tolerance: float = option(
        1e-5, "it ends when the mean squared distance falls by no more than this share of it", low=0.0, high=1.0,
        aliases=("tol", "min_rel_progress"),
    )  # fmt: skip


@family(
    "kmeans",
    options=KMeansOptions,
    source="Lloyd 1982; Arthur and Vassilvitskii, SODA 2007",
    verbs=("predict", "evaluate", "centroids", *INFO),
    aliases={"k_means": {}},
)
class KMeans(Tabular):
    """Rows in clusters by the nearest middle; quick, but it finds round clusters only and wants to be told how many.

    Cost: O(n k w) a pass over n rows of w columns with k clusters; O(k w) for a row.
    """

    @classmethod
    def learn(cls, examples: Examples, options: KMeansOptions, training: Training) -> dict[str, npt.NDArray[Any]]:
        """`middles` (k, width) in the space of `_placed`, `means` (k, width) of the features, `sizes` (k,)."""
        change = _placed(examples.encoder, options)
        placed = examples.through(change)
        settle = partial(settled, most=options.max_iterations, on_sphere=options.distance == "cosine")
        rng = np.random.default_rng(options.seed)
        sample = sampled(placed, rng)
        rows, k = _enough(different(placed, sample, options.num_clusters or USUAL), options.num_clusters)
        quiet = Training(stopped=training.stopped)
        rough, starts = max(options.tolerance, ROUGH), []
        for start in range(options.restarts):
            training.step("trying a start", start, options.restarts)
            first = far_apart(sample, k, rng) if options.init == "kmeans++" else rng.permutation(rows)[:k]
            starts.append(settle(lambda: [sample], first, tolerance=rough, training=quiet))
        middles = min(starts, key=lambda each: each[1])[0]
        read: Read = lambda: (points for points, _ in placed.blocks())  # noqa: E731
        middles, _ = settle(read, middles, tolerance=options.tolerance, training=training)
        return _described(examples, change, middles)

    def outputs(self, verb: str, names: Sequence[str] = ()) -> list[pa.Field]:
        """The number of the cluster, and the distance from its middle."""
        return [pa.field("centroid_id", pa.int64()), pa.field("distance", pa.float64())]

    def answers(self, features: Floats, arguments: Arguments) -> list[pa.Array]:
        """The columns of `outputs`."""
        which, distance = self._nearest(features)
        return [pa.array(which + 1), pa.array(distance)]

    def summarize(self, verb: str, rows: Rows | None, arguments: Arguments) -> pa.Table:
        """`centroids`, `evaluate` and what all tables of features have."""
        if verb == "centroids":
            return self._centroids()
        if verb == "evaluate" and rows is not None:
            return self._evaluated(rows)
        return super().summarize(verb, rows, arguments)

    def _nearest(self, features: Floats) -> tuple[Ints, Floats]:
        middles = np.asarray(self.learned["middles"])
        points = _placed(self.encoder, self.options)(features)
        which, _ = nearest(points, middles)
        return which, self._distance(apart(points, middles, which))

    def _distance(self, square: Floats) -> Floats:
        """From squared distances; of vectors of length 1 half of it is 1 - cosine."""
        return square / 2 if self.options.distance == "cosine" else np.sqrt(square)

    def _evaluated(self, rows: Rows) -> pa.Table:
        k = len(self.learned["sizes"])
        count, total, squares = np.zeros(k), np.zeros(k), 0.0
        for batch in pieces(rows, self.encoder.width):
            encoded = self.encoded(batch)
            features = encoded.features if encoded.usable is None else encoded.where(encoded.usable)
            which, distance = self._nearest(features)
            count += np.bincount(which, minlength=k)
            total += np.bincount(which, distance, minlength=k)
            squares += float(distance @ distance)
        had, whole = count > 0, float(count.sum())
        middles = np.asarray(self.learned["middles"])[had]
        index = np.nan
        if whole:
            between = self._distance(np.stack([np.square(middles - each).sum(axis=1) for each in middles]))
            index = metrics.davies_bouldin(total[had] / count[had], between)
        mean = squares / whole if whole else np.nan
        found = {"davies_bouldin_index": index, "mean_squared_distance": mean, "rows": whole}
        return pa.table({"metric": list(found), "value": pa.array(found.values(), pa.float64())})

    def _centroids(self) -> pa.Table:
        means = np.asarray(self.learned["means"])
        columns = self.encoder.columns
        return pa.table(
            {
                "centroid_id": np.repeat(np.arange(len(means)) + 1, len(columns)),
                "feature": pa.array([each.feature.name for each in columns] * len(means), pa.string()),
                "category": pa.array([each.category for each in columns] * len(means), pa.string()),
                "numerical_value": means.ravel(),
            }
        )


def _placed(encoder: Encoder, options: KMeansOptions) -> Callable[[Floats], Floats]:
    """Features as points: standardised or only centred, for the cosine of length 1."""

    shift, scale = encoder.moments()

    def change(features: Floats) -> Floats:
        points = np.array(features, order="C")
        if options.standardize or options.distance == "euclidean":
            points -= shift  # changes no distance, but keeps digits of large numbers
        if options.standardize:
            points /= scale
        if options.distance == "cosine":
            length = np.linalg.norm(points, axis=1, keepdims=True)
            points /= np.where(length > 0, length, 1.0)
        return points

    return change


def _enough(different: Floats, wanted: int) -> tuple[Floats, int]:
    """Different rows, and how many clusters they make.

    Raises:
        DataError: they are fewer than the clusters that were asked for.
    """
    if len(different) < wanted:
        problem = f"kmeans: num_clusters = {wanted}, but there are only {len(different)} different rows"
        raise DataError(compose(problem, hint=f"ask for at most {len(different)} clusters."))
    return different, wanted or min(USUAL, len(different))


def _described(examples: Examples, change: Callable[[Floats], Floats], middles: Floats) -> dict[str, npt.NDArray[Any]]:
    """Clusters by falling size, with the means of their features as these are."""
    sums, count = np.zeros_like(middles), np.zeros(len(middles))
    for features, _ in examples.blocks(again=False):
        add_by(nearest(change(features), middles)[0], features, sums, count)
    means, order = sums / np.maximum(count, 1.0)[:, None], np.argsort(-count, kind="stable")
    return {"middles": middles[order], "means": means[order], "sizes": count[order].astype(np.int64)}
