"""Train a latency model on a trace, judge one, and predict a trace with one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from paretosql.errors import DataError, compose
from paretosql.optimizer.analytic import AnalyticLatency
from paretosql.optimizer.boosted import BoostedLatency
from paretosql.optimizer.boosting import Fitting
from paretosql.optimizer.frontier import Floats, Ints
from paretosql.optimizer.graph_latency import GraphLatency, network_type
from paretosql.optimizer.latency_model import TrainedModel
from paretosql.optimizer.learning import Report, learn
from paretosql.optimizer.material import Material, prepare
from paretosql.optimizer.metrics import MEANING, metrics
from paretosql.optimizer.residuals import learn_errors
from paretosql.optimizer.splits import Split, by_time
from paretosql.optimizer.stage_median import StageMedian, learn_stage_median
from paretosql.optimizer.workload import Trace
from paretosql.registry import Registry

BOOSTED = "boosted"
LEAST_SHARE = 0.5  # of all latency in the jobs that a judged model is trained on: else it says nothing. Our choice
PREDICTED_AT_ONCE = 100_000
Progress: TypeAlias = Callable[[str, int, int], None]  # what is done, how much of it, of how much


def train(
    trace: Trace,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    threads: int = 2,
    monotone: bool = True,
    learner: str = BOOSTED,
) -> Trained:
    """The latency model for a trace: boosted trees, or with fewer than 200 instances a formula.

    A first model is trained on the jobs of the first 80 % of the time, stopped by the next 10 % and judged by the last
    10 %: that is the quality of the model and its distribution of errors. The model itself then learns from all jobs.
    Both are unknown where one job is most of the trace, or where so few instances remain that they get the formula.

    Args:
        monotone: more cores and memory never slow an instance down, more input never speeds it up.
        progress: called with what is done, how many rounds of it, and of how many.
        learner: `boosted`, or `graph_transformer` for a network over the plan in the place of the trees (needs torch).
    Raises:
        DataError: no instance ended well with a known latency; a seed below 0 or threads below 1.
        NotSupportedError: the learner needs torch, which is not installed.
        ProgrammingError: no such learner.
    Cost: about 15 s for 50,000 instances and 35 s for a million, on one core.
    """
    if seed < 0 or threads < 1:
        raise DataError(compose(f"seed is {seed}, threads is {threads}", hint="seed from 0, threads from 1."))
    how = Fitting(seed, threads, monotone)
    finish = learners[learner]()
    material = prepare(trace)
    if not len(material.ok):
        raise DataError(
            compose("no instance of this trace ended well with a known latency", hint="there is nothing to learn from.")
        )
    split = _judging_split(material, seed)
    if split is None:
        only = learn(material, material.ok, how, report=_named(progress, "training"))
        return finish(_Lesson(material, material.ok, how), only, progress)
    first = learn(material, split.train, how, split.validation, report=_named(progress, "judging"))
    judged = finish(_Lesson(material, split.train, how, split.validation), first, progress)
    actual, predicted = material.outcomes.latency_s[split.test], _predict(judged, material, split.test)
    last = learn(material, material.ok, how, like=first, report=_named(progress, "training"))
    model = finish(_Lesson(material, material.ok, how), last, progress)
    if judged.name != model.name:
        return model
    return replace(model, quality=_metrics(material, split.test, predicted), errors=learn_errors(predicted, actual))


@dataclass(frozen=True)
class _Lesson:
    """The instances that a model was trained on, and others to stop by."""

    material: Material
    rows: Ints
    how: Fitting
    validation: Ints | None = None


Trained: TypeAlias = BoostedLatency | AnalyticLatency | GraphLatency
Finish: TypeAlias = Callable[[_Lesson, BoostedLatency | AnalyticLatency, Progress | None], Trained]
# each looks whether what it needs is there, and says what is then done with the trees or the formula for a lesson
learners: Registry[Callable[[], Finish]] = Registry("learner")


@learners.register(BOOSTED)
def _boosted() -> Finish:
    return lambda _, model, __: model.ready()


@learners.register("graph_transformer")
def _graph_transformer() -> Finish:
    network_type()
    return _network


def _network(lesson: _Lesson, model: BoostedLatency | AnalyticLatency, progress: Progress | None) -> Trained:
    """A network over what the trees are over; few instances keep their formula."""
    if isinstance(model, AnalyticLatency):
        return model.ready()
    from paretosql.optimizer.graph_learning import Training, learn_graph

    training = Training(seed=lesson.how.seed, threads=lesson.how.threads)
    report = _named(progress, "judging the network" if lesson.validation is not None else "training the network")
    network = learn_graph(lesson.material, lesson.rows, model, training, validation=lesson.validation, report=report)
    return network.ready()


def _named(progress: Progress | None, what: str) -> Report | None:
    return None if progress is None else lambda done, whole: progress(what, done, whole)


def train_stage_median(trace: Trace) -> StageMedian:
    """The baseline: medians of stages, signatures and the whole.

    Raises:
        DataError: no instance ended well with a known latency.
    """
    material = prepare(trace)
    if not len(material.ok):
        raise DataError("no instance of this trace ended well with a known latency")
    rows = material.ok
    return learn_stage_median(material.traced.stages, material.traced.stage[rows], material.outcomes.latency_s[rows])


def score(model: TrainedModel, trace: Trace) -> pa.Table:
    """All measures of a model on the instances of a trace that ended well: columns measure, value and meaning.

    Raises:
        DataError: there are none.
    """
    material = prepare(trace)
    if not len(material.ok):
        raise DataError("no instance of this trace ended well with a known latency")
    found = _metrics(material, material.ok, _predict(model, material, material.ok))
    return pa.table(
        {"measure": list(found), "value": list(found.values()), "meaning": [MEANING[each] for each in found]}
    )


def predict_trace(model: TrainedModel, trace: Trace) -> pa.Table:
    """What a model would have predicted for every instance of a trace, in its order.

    Returns:
        Columns job_id, stage_id, instance_id, attempt and latency_s.
    """
    material = prepare(trace)
    predicted = _predict(model, material, np.arange(len(material.traced)))
    keys = material.traced.keys.select(["job_id", "stage_id", "instance_id", "attempt"])
    return keys.append_column("latency_s", pa.array(predicted))


def _judging_split(material: Material, seed: int) -> Split | None:
    """The split by time, as positions of rows; None where what is trained on would say little about the rest."""
    rows = material.ok
    _, job = np.unique(material.job[rows], return_inverse=True)
    if job.max(initial=-1) < 2:
        return None
    time = np.full(int(job.max()) + 1, np.nan)
    time[job] = material.submit_ms[material.job[rows]]
    split = by_time(job, time, seed)
    latency = material.outcomes.latency_s[rows]
    if latency[split.train].sum() < LEAST_SHARE * latency.sum():
        return None
    return Split(*(rows[part] for part in (split.train, split.validation, split.test)))


def _predict(model: TrainedModel, material: Material, rows: Ints) -> Floats:
    """Seconds of some instances, a part at a time."""
    view = material.view(model.encoding)
    parts = [
        model.predict_view(view, rows[first : first + PREDICTED_AT_ONCE])
        for first in range(0, len(rows), PREDICTED_AT_ONCE)
    ]
    return np.concatenate([*parts, np.empty(0)])


def _metrics(material: Material, rows: Ints, predicted: Floats) -> dict[str, float]:
    return metrics(
        material.outcomes.latency_s[rows], predicted, material.traced.stage[rows], material.traced.containers[rows]
    )
