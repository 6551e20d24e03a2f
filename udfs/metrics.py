"""Metrics of predictions, as pure functions of arrays; what cannot be said is NaN.

Classes are numbers from 0; -1 is a class that a model has not seen, which every prediction gets wrong.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Metrics = list[tuple[str, float]]

LEAST = 1e-15  # a probability below it counts as this in log loss, which would be infinite otherwise


def regression(expected: Floats, predicted: Floats) -> Metrics:
    """How far predictions are from numbers, both of shape (n,).

    With e = expected - predicted: mean_absolute_error mean |e|; mean_squared_error mean e^2; rmse its root; r2_score
    1 - sum e^2 / sum (expected - mean)^2; explained_variance 1 - var e / var expected; median_absolute_error median |e|
    (of an even number the mean of both). The last but one and r2_score are NaN where all expected numbers are equal.
    """
    if not len(expected):
        names = ("mean_absolute_error", "mean_squared_error", "rmse", "r2_score", "explained_variance")
        return [(name, np.nan) for name in (*names, "median_absolute_error")]
    error = expected - predicted
    square, spread = float(np.mean(error**2)), float(expected.var())
    return [
        ("mean_absolute_error", float(np.abs(error).mean())),
        ("mean_squared_error", square),
        ("rmse", square**0.5),
        ("r2_score", 1.0 - square / spread if spread else np.nan),
        ("explained_variance", 1.0 - float(error.var()) / spread if spread else np.nan),
        ("median_absolute_error", float(np.median(np.abs(error)))),
    ]


def confusion(expected: Ints, predicted: Ints, classes: int) -> Ints:
    """How often each class was taken for each, shape (classes + 1, classes); the last row is of unseen classes."""
    rows = np.where(expected < 0, classes, expected)
    return np.bincount(rows * classes + predicted, minlength=(classes + 1) * classes).reshape(classes + 1, classes)


def classification(counts: Ints) -> Metrics:
    """Accuracy, precision, recall and f1_score of a confusion matrix as `confusion` makes it.

    Of a class with t rows taken rightly, p rows taken for it and a rows that are of it: precision t / p, recall t / a,
    f1_score 2 t / (p + a), each 0 where it would be 0 / 0. Of two classes they are those of the second; of more the
    mean over the classes that are expected or predicted at least once (macro).
    """
    whole = int(counts.sum())
    if not whole:
        return [(name, np.nan) for name in ("accuracy", "precision", "recall", "f1_score")]
    classes = counts.shape[1]
    right = np.diagonal(counts).astype(np.float64)
    taken, actual = counts.sum(axis=0), counts[:classes].sum(axis=1)
    each = np.stack([_ratio(right, taken), _ratio(right, actual), _ratio(2 * right, taken + actual)])
    shown = each[:, 1] if classes == 2 else each[:, (taken + actual) > 0].mean(axis=1)
    precision, recall, f1_score = map(float, shown)
    accuracy = float(right.sum()) / whole
    return [("accuracy", accuracy), ("precision", precision), ("recall", recall), ("f1_score", f1_score)]


def _ratio(part: Floats, whole: Ints) -> Floats:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def log_loss(expected: Ints, probabilities: Floats) -> float:
    """The mean of -log of the probability given to the expected class, at least `LEAST`.

    Args:
        expected: shape (n,); unseen classes have probability 0.
        probabilities: shape (n, classes).
    """
    if not len(expected):
        return np.nan
    given = np.where(expected < 0, 0.0, probabilities[np.arange(len(expected)), np.maximum(expected, 0)])
    return float(-np.log(np.maximum(given, LEAST)).mean())


def roc_auc(positive: npt.NDArray[np.bool_], score: Floats) -> float:
    """The probability that a positive row has a higher score than a negative one, ties counting half. O(n log n).

    NaN where all rows are positive, or none.
    Source: Mann and Whitney, "On a test of whether one of two random variables is stochastically larger" (1947).
    """
    ups = int(positive.sum())
    downs = len(positive) - ups
    if not ups or not downs:
        return np.nan
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    rank = np.cumsum(count) - (count - 1) / 2  # the mean rank of equal scores, from 1
    return float((rank[place][positive].sum() - ups * (ups + 1) / 2) / (ups * downs))


def roc_auc_of_classes(expected: Ints, probabilities: Floats) -> float:
    """`roc_auc` of two classes by the probability of the second, of more the mean over each against the rest (macro).

    Classes that no row has, or all have, are left out of the mean; NaN where none is left.
    """
    classes = probabilities.shape[1]
    if classes == 2:
        return roc_auc(expected == 1, probabilities[:, 1])
    each = np.array([roc_auc(expected == one, probabilities[:, one]) for one in range(classes)])
    known = each[~np.isnan(each)]
    return float(known.mean()) if len(known) else np.nan


def calibration_error(expected: Ints, probabilities: Floats, bins: int = 10) -> float:
    """The expected calibration error: how far stated probabilities are from shares of rows, weighted by rows.

    Rows fall into bins of equal width by a probability p, [0, 0.1), .., [0.9, 1]; the error is the mean over rows of
    |mean p - share of rows for which it came true| of their bin. Of two classes p is that of the second; of more it is
    that of the predicted class.
    Source: Naeini, Cooper, Hauskrecht, "Obtaining well calibrated probabilities" (AAAI 2015).
    """
    if not len(expected):
        return np.nan
    if probabilities.shape[1] == 2:
        stated, true = probabilities[:, 1], expected == 1
    else:
        best = probabilities.argmax(axis=1)
        stated, true = probabilities[np.arange(len(best)), best], expected == best
    bin_of = np.minimum((stated * bins).astype(np.int64), bins - 1)
    apart = np.bincount(bin_of, stated, minlength=bins) - np.bincount(bin_of, true, minlength=bins)
    return float(np.abs(apart).sum() / len(expected))


def roc_points(positive: npt.NDArray[np.bool_], score: Floats, most: int = 200) -> tuple[Floats, Ints, Ints]:
    """At falling thresholds the rows with at least that score that are positive, and that are not.

    Returns:
        thresholds, true positives and false positives, each of shape (m,), m <= most: every score that occurs, or,
        where there are more, the highest, the lowest and some at equal steps between.
    """
    values, place = np.unique(-score, return_inverse=True)
    ups = np.cumsum(np.bincount(place, positive, minlength=len(values))).astype(np.int64)
    both = np.cumsum(np.bincount(place, minlength=len(values)))
    chosen = np.arange(len(values))
    if len(values) > most:
        chosen = np.unique(np.linspace(0, len(values) - 1, most).round().astype(np.int64))
    return -values[chosen], ups[chosen], (both - ups)[chosen]


def ndcg(group: Ints, relevance: Floats, score: Floats, k: int) -> tuple[float, int]:
    """The mean over groups of the discounted gain of the first k rows by score, as a share of the best possible.

    Gain 2^relevance - 1, discount 1 / log2(1 + rank), 0 from rank k + 1 on; rows of equal score share the mean discount
    of their ranks. Groups in which no row has a relevance above 0 are left out. O(n log n).

    Args:
        group, relevance, score: shape (n,).
    Returns:
        The mean, NaN without groups, and how many groups it is of.
    Source: Järvelin and Kekäläinen (2002); ties: McSherry and Najork, "Computing information retrieval performance
        measures efficiently in the presence of tied scores" (2008).
    """
    if not len(group):
        return np.nan, 0
    groups, group = np.unique(group, return_inverse=True)
    gain = np.exp2(relevance) - 1.0
    found = _discounted(group, gain, score, k, len(groups))
    best = _discounted(group, gain, gain, k, len(groups))
    known = best > 0
    return (float((found[known] / best[known]).mean()) if known.any() else np.nan), int(known.sum())


def _discounted(group: Ints, gain: Floats, score: Floats, k: int, groups: int) -> Floats:
    """The discounted gain of each group by falling score, shape (groups,)."""
    order = np.lexsort((-score, group))
    group, score, gain = group[order], score[order], gain[order]
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    rank = np.arange(len(group)) - np.repeat(starts, np.diff(np.append(starts, len(group)))) + 1
    discount = np.where(rank <= k, 1.0 / np.log2(1.0 + rank), 0.0)
    new = np.append(True, (np.diff(group) != 0) | (np.diff(score) != 0))
    run = np.cumsum(new) - 1
    mean = np.bincount(run, discount) / np.bincount(run)
    found: Floats = np.bincount(group, gain * mean[run], minlength=groups).astype(np.float64)
    return found


def davies_bouldin(spread: Floats, apart: Floats) -> float:
    """The mean over clusters of the worst (spread_i + spread_j) / apart_ij with another cluster: lower is better.

    Args:
        spread: shape (k,), the mean distance of a cluster's rows from its middle.
        apart: shape (k, k), the distance of the middles; NaN for fewer than two clusters.
    Source: Davies and Bouldin, "A cluster separation measure" (1979).
    """
    if len(spread) < 2:
        return np.nan
    both = spread[:, None] + spread[None, :]
    ratio = np.divide(both, apart, out=np.where(both > 0, np.inf, 0.0), where=apart > 0)
    np.fill_diagonal(ratio, -np.inf)
    return float(ratio.max(axis=1).mean())
