"""How good predictions are: labels and predictions of all rows that have both, and the tables made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from paretosql.errors import ProgrammingError, compose
from paretosql.udfs import metrics
from paretosql.udfs.examples import pieces
from paretosql.udfs.features import Floats
from paretosql.udfs.ids import Codes, IdCollector, check_id_type
from paretosql.udfs.roles import named_column
from paretosql.udfs.rows import Rows
from paretosql.udfs.target import Target, label_of, labelled

if TYPE_CHECKING:
    from paretosql.udfs.predictor import Predictor


@dataclass(frozen=True)
class Judged:
    """Rows with a label, and features that can be used.

    Attributes:
        expected: shape (n,), numbers, or numbers of classes, -1 for one that the model has not seen.
        predicted: shape (n,) of numbers, (n, classes) of probabilities.
        group: shape (n,), the values of the key as numbers; empty without a key.
    """

    expected: npt.NDArray[Any]
    predicted: Floats
    group: Codes


def judged(model: Predictor, rows: Rows, key: str = "") -> Judged:
    """Labels and predictions. Memory: 8 bytes a row for each, or for each class.

    Args:
        key: a column by which rows belong together; rows in which it is NULL are left out.
    Raises:
        ProgrammingError, DataError: a column is not there, or holds another kind of values.
    """
    classes = len(model.target.classes)
    expected: list[npt.NDArray[Any]] = [np.empty(0, np.int64 if classes else np.float64)]
    predicted: list[Floats] = [np.empty((0, classes) if classes else 0)]
    if key:
        key = named_column(rows.schema.names, key, "group_col", model.family.name)
        check_id_type(rows.schema.field(key).type, key, model.family.name)
    ids = IdCollector(rows.schema.field(key).type if key else pa.null())
    for batch in pieces(rows, model.encoder.width):
        kept, features = _usable(model, batch, key)
        if kept.num_rows:
            expected.append(model.target.encode(kept, model.family.name))
            predicted.append(model.predicted(features))
            if key:
                ids.add(kept.column(key))
    return Judged(np.concatenate(expected), np.concatenate(predicted), ids.finish()[1])


def _usable(model: Predictor, batch: pa.RecordBatch, key: str) -> tuple[pa.RecordBatch, Any]:
    """The rows of a batch that have a label, a key and usable features, and these encoded."""
    target, name = model.target, model.family.name
    kept = labelled(label_of(batch, target.name, name), target.task, target.name, name)
    encoded = model.encoded(batch)
    if encoded.usable is not None:
        kept = kept & encoded.usable
    if key:
        kept = kept & batch.column(key).is_valid().to_numpy(zero_copy_only=False)
    if kept.all():
        return batch, encoded.features
    return batch.filter(pa.array(kept)), encoded.where(kept)


def table(found: metrics.Metrics, rows: int) -> pa.Table:
    """Metrics as rows, and how many rows they are of."""
    names, values = [name for name, _ in found], [value for _, value in found]
    return pa.table({"metric": [*names, "rows"], "value": pa.array([*values, float(rows)], pa.float64())})


def regression(found: Judged) -> pa.Table:
    """What `evaluate` answers of numbers."""
    return table(metrics.regression(found.expected, found.predicted), len(found.expected))


def classification(found: Judged, threshold: float | None) -> pa.Table:
    """What `evaluate` answers of classes."""
    expected, chances = found.expected, found.predicted
    counts = metrics.confusion(expected, chosen(chances, threshold), chances.shape[1])
    rest = [
        ("log_loss", metrics.log_loss(expected, chances)),
        ("roc_auc", metrics.roc_auc_of_classes(expected, chances)),
        ("calibration_error", metrics.calibration_error(expected, chances)),
    ]
    return table([*metrics.classification(counts), *rest], len(expected))


def confusion_matrix(found: Judged, target: Target, threshold: float | None) -> pa.Table:
    """Each pair of classes that occurs; expected is NULL for classes that the model has not seen."""
    counts = metrics.confusion(found.expected, chosen(found.predicted, threshold), len(target.classes))
    expected, predicted = np.nonzero(counts)
    label = pa.array(expected, mask=expected == len(target.classes))
    return pa.table(
        {
            "expected_label": target.classes.take(label),
            "predicted_label": target.classes.take(pa.array(predicted)),
            "count": counts[expected, predicted],
        }
    )


def roc_curve(found: Judged) -> pa.Table:
    """Recall and false alarms where a row counts as the second class from a probability of `threshold` on."""
    positive = found.expected == 1
    thresholds, hits, alarms = metrics.roc_points(positive, found.predicted[:, 1])
    ups, downs = int(positive.sum()), int((~positive).sum())
    return pa.table(
        {
            "threshold": thresholds,
            "recall": hits / ups if ups else np.full(len(hits), np.nan),
            "false_positive_rate": alarms / downs if downs else np.full(len(alarms), np.nan),
            "true_positives": hits,
            "false_positives": alarms,
            "true_negatives": downs - alarms,
            "false_negatives": ups - hits,
        }
    )


def chosen(chances: Floats, threshold: float | None) -> npt.NDArray[np.int64]:
    """The predicted classes, shape (n,): the second of two from the threshold on, of more the most probable.

    Raises:
        ProgrammingError: a threshold for more than two classes.
    """
    if chances.shape[1] == 2:
        return (chances[:, 1] >= (0.5 if threshold is None else threshold)).astype(np.int64)
    if threshold is not None:
        problem = f"threshold is for two classes, this model has {chances.shape[1]}"
        raise ProgrammingError(compose(problem, hint="leave it out: the most probable class is predicted."))
    best: npt.NDArray[np.int64] = chances.argmax(axis=1)
    return best
