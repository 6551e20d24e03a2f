"""Latency models on real traces: what they say about instances, sizes and queries that they have not seen."""

from __future__ import annotations

import importlib.util
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.harness import Row, Setting, benchmark
from paretosql.optimizer.metrics import metrics
from paretosql.optimizer.schema import TABLES
from paretosql.optimizer.trace import Trace, read_trace
from paretosql.optimizer.training import predict_trace, train, train_stage_median

FOLDER = "PARETOSQL_TRACES"  # environment variable: a folder with the traces below
APPLICATIONS = ("nds_q72_cpu", "nds_q88_vec")
TPCH = "spark_tpch_tasks"
INNER_SCALES = (50, 20, 10, 5)  # left out in turn: smaller and larger ones stay
QUERY_FOLDS = 5
HELD_BACK = 0.2

TORCH = importlib.util.find_spec("torch") is not None

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Question:
    """A trace of which some instances are held back; `judged` of them count."""

    trace: str
    split: str
    whole: Trace
    held_back: Mask
    judged: Mask
    network: bool = True  # whether the graph transformer is trained, too, which takes minutes


@benchmark("latency/real", unit="relative error", lower_is_better=True, minutes=10.0)
def real_traces(setting: Setting) -> Iterator[Row]:
    """Errors on what was held back of real Spark runs, with the median of a stage as baseline. `instances`: a fifth of
    the instances with input of stages whose others were seen. `scale`: all runs of TPC-H at one scale factor, where
    smaller and larger ones were seen. `queries`: all runs of a few TPC-H queries. The graph transformer is trained on
    one split of each kind, if torch is installed. The traces are in the folder that the environment variable
    PARETOSQL_TRACES names; wmape is sum |error| / sum of latency, stage wmape that of the slowest instances of stages.
    """
    folder = os.environ.get(FOLDER)
    if not folder:
        yield Row(trace=f"{FOLDER} names no folder of traces: nothing was measured")
        return
    for question in _questions(Path(folder), setting):
        yield from _answers(question, setting.seed)


def _questions(folder: Path, setting: Setting) -> Iterator[Question]:
    full = setting.name == "full"
    for name in APPLICATIONS:
        place = folder / "spark_sql_logs" / name
        if place.is_dir():
            yield _instances(name, read_trace(place), setting.seed)
    if (folder / TPCH).is_dir():
        whole = read_trace(folder / TPCH)
        for at, scale in enumerate(INNER_SCALES if full else INNER_SCALES[:1]):
            found = _by_job(TPCH, f"scale {scale}", whole, lambda job, s=scale: f"-sf{s}-" in job)
            yield replace(found, network=full and at == 0)
        queries = sorted({_query(job) for job in whole["jobs"]["job_id"].to_pylist()})
        shuffled = np.random.default_rng(setting.seed).permutation(queries)
        for at, fold in enumerate(np.array_split(shuffled, QUERY_FOLDS)[: QUERY_FOLDS if full else 1]):
            chosen = sorted(fold.tolist())
            found = _by_job(TPCH, f"queries {', '.join(chosen)}", whole, lambda job, c=chosen: _query(job) in c)
            yield replace(found, network=full and at == 0)


def _query(job: str) -> str:
    found = re.search(r"-q(\d+)-", job)
    return found[1] if found else ""


def _instances(name: str, whole: Trace, seed: int) -> Question:
    rows = whole["instances"]
    held_back = np.random.default_rng(seed).random(len(rows)) < HELD_BACK
    working = pc.fill_null(pc.and_(pc.equal(rows["status"], "ok"), pc.greater(rows["in_rows"], 0)), False)
    return Question(name, "instances", whole, held_back, held_back & working.to_numpy(zero_copy_only=False))


def _by_job(name: str, split: str, whole: Trace, chosen: Callable[..., bool]) -> Question:
    jobs = [job for job in whole["jobs"]["job_id"].to_pylist() if chosen(job)]
    held_back = pc.is_in(whole["instances"]["job_id"], pa.array(jobs)).to_numpy(zero_copy_only=False)
    return Question(name, split, whole, held_back, held_back)


def _answers(question: Question, seed: int) -> Iterator[Row]:
    seen = _without(question.whole, question.held_back)
    rows = question.whole["instances"]
    actual = rows["latency_ms"].to_numpy(zero_copy_only=False)[question.judged] / 1000.0
    _, stage = np.unique(
        [
            f"{job}/{number}"
            for job, number in zip(rows["job_id"].to_pylist(), rows["stage_id"].to_pylist(), strict=True)
        ],
        return_inverse=True,
    )
    how = {"seed": seed, "threads": os.cpu_count() or 1}
    learners: dict[str, Callable[[], Any]] = {
        "boosted": lambda: train(seen, **how),
        "stage median": lambda: train_stage_median(seen),
    }
    if question.network and TORCH:
        learners["graph transformer"] = lambda: train(seen, **how, learner="graph_transformer")
    for name, learn in learners.items():
        began = time.perf_counter()
        model = learn()
        trained = time.perf_counter()
        predicted = predict_trace(model, question.whole)["latency_s"].to_numpy()[question.judged]
        ended = time.perf_counter()
        found = metrics(actual, predicted, stage[question.judged])
        yield Row(
            trace=question.trace,
            split=question.split,
            model=name,
            instances=int(question.judged.sum()),
            wmape_error=found["wmape"],
            median_error=found["median_error"],
            p95_error=found["p95_error"],
            correlation_ratio=found["correlation"],
            global_error=found["global_error"],
            stage_wmape_error=found["stage_wmape"],
            train_s=trained - began,
            predict_us=(ended - trained) / len(rows) * 1e6,
        )


def _without(whole: Trace, held_back: Mask) -> Trace:
    """The trace without some instances; stages stay, as their sizes are known beforehand."""
    tables = {name: whole[name] for name in TABLES}
    return Trace(whole.header, {**tables, "instances": tables["instances"].filter(pa.array(~held_back))})
