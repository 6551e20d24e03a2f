"""Trained latency models: what they never see, what they promise, and how they are kept on disk."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from paretosql.errors import DataError, OperationalError
from paretosql.optimizer import load_model, predict_trace, save_model, score, train
from paretosql.optimizer.experiment import make_history
from paretosql.optimizer.fleet import mixed_fleet
from paretosql.optimizer.formulation import Terms
from paretosql.optimizer.generator import generate
from paretosql.optimizer.trace import Trace
from paretosql.optimizer.truth import Synthetic
from tests.optimizer.small_trace import with_column

AFTER = (
    "cpu_ms", "gc_ms", "wait_ms", "out_rows", "out_bytes", "peak_mem_bytes", "spill_bytes", "finish_ms", "latency_ms",
    "pred_latency_ms",
)  # fmt: skip


@pytest.fixture(scope="module")
def trace():
    found, _ = make_history("A", Synthetic(seed=3), seed=3, days=2, jobs=30)
    return found


@pytest.fixture(scope="module")
def model(trace):
    return train(trace, threads=1)


def predictions(model, trace):
    return predict_trace(model, trace)["latency_s"].to_numpy().tobytes()


def test_nothing_known_only_afterwards_is_looked_at(trace, model):
    """Shuffling everything that is known only after the run leaves predictions the same to the last bit."""
    rng = np.random.default_rng(0)
    rows = trace["instances"]
    for name in AFTER:
        rows = with_column(rows, name, rows[name].take(pa.array(rng.permutation(len(rows)))))
    other = Trace(trace.header, {**{name: trace[name] for name in trace.tables}, "instances": rows})
    assert predictions(model, other) == predictions(model, trace)


def test_training_is_deterministic(trace, model):
    """The same trace and seed give the same model."""
    assert predictions(train(trace, threads=1), trace) == predictions(model, trace)


def test_it_is_better_than_a_constant(trace, model):
    """On its own trace the error is far below that of the median, and what was measured on other jobs is kept."""
    latency = trace["instances"]["latency_ms"].to_numpy() / 1000
    found = {row["measure"]: row["value"] for row in score(model, trace).to_pylist()}
    constant = np.abs(latency - np.median(latency)).sum() / latency.sum()
    assert found["wmape"] < constant / 2
    assert 0 < model.quality["wmape"] < constant


@pytest.fixture(scope="module")
def question():
    fleet = mixed_fleet(12, seed=3)
    rng = np.random.default_rng(1)
    level = rng.uniform(0.3, 0.6, 12)
    machines = replace(fleet.machines, cpu_util=level, io_util=level, mem_util=level)
    stage = max((each for job in generate("A", 12, 3).jobs for each in job.stages), key=len)
    return stage, machines


def test_more_resources_are_never_slower(model, question):
    """In no combination does a container with more cores, or more memory, have a larger prediction."""
    stage, machines = question
    terms = Terms()
    found = model.grid(stage, machines, terms.containers())
    cube = found.reshape(*found.shape[:2], len(terms.cores), len(terms.memory_gib))
    assert (np.diff(cube, axis=2) <= 1e-4 * cube[:, :, 1:]).all()
    assert (np.diff(cube, axis=3) <= 1e-4 * cube[:, :, :, 1:]).all()
    assert (found > 0).all()


def test_more_input_is_never_faster(model, question):
    """Instances of one stage with more rows and bytes are predicted to take as long or longer."""
    stage, machines = question
    order = np.argsort(stage.in_bytes)
    found = model.grid(stage, machines, Terms().containers()[[8]])[order, :, 0]
    wrong = np.diff(found, axis=0) < -1e-4 * found[1:]
    assert wrong.mean() < 0.35  # the expectation from past runs is per stage, the position of an instance is a feature


def test_a_part_of_the_instances(model, question):
    """Asking for some rows gives the rows of asking for all."""
    stage, machines = question
    rows = np.array([len(stage) - 1, 0])
    whole = model.grid(stage, machines, Terms().containers()[:3])
    assert model.grid(stage, machines, Terms().containers()[:3], rows=rows) == pytest.approx(whole[rows], rel=1e-4)


def test_what_is_new_is_said(model, question):
    """A hardware type that training never saw, and sizes beyond all of its own, are named."""
    stage, machines = question
    assert model.extrapolates(stage, machines) == ()
    unseen = replace(machines, hw_types=("gen9", *machines.hw_types[1:]))
    assert any("gen9" in each for each in model.extrapolates(stage, unseen))
    huge = replace(stage, in_bytes=stage.in_bytes * 1e6)
    assert any("input bytes" in each for each in model.extrapolates(huge, machines))


def test_a_model_on_disk_is_the_same_model(model, trace, tmp_path):
    """Predictions and memory floors to the last bit; nothing else is left in the folder."""
    save_model(model, tmp_path / "m")
    again = load_model(tmp_path / "m")
    assert predictions(again, trace) == predictions(model, trace)
    assert again.quality == pytest.approx(model.quality)
    assert [each.name for each in tmp_path.iterdir()] == ["m"]
    with pytest.raises(OperationalError):
        save_model(model, tmp_path / "m")
    save_model(again, tmp_path / "m", replace=True)
    assert predictions(load_model(tmp_path / "m"), trace) == predictions(model, trace)


def test_what_is_no_model(model, tmp_path):
    """Missing, foreign, damaged, and of another version: each is said, nothing is half loaded."""
    with pytest.raises(OperationalError):
        load_model(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises((DataError, OperationalError)):
        load_model(tmp_path / "empty")
    folder = tmp_path / "m"
    save_model(model, folder)
    header = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**header, "version": 99}))
    with pytest.raises(DataError, match="version"):
        load_model(folder)
    (folder / "model.json").write_text(json.dumps(header))
    file = folder / "model.txt"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))
    with pytest.raises(DataError):
        load_model(folder)


def test_few_instances_are_fitted_by_a_formula(trace):
    """With less than 200 instances there are no trees, and predictions are positive."""
    jobs = trace["jobs"]["job_id"].to_pylist()[:3]
    few = Trace(trace.header, {
        name: trace[name].filter(pa.compute.is_in(trace[name]["job_id"], pa.array(jobs)))
        if "job_id" in trace[name].column_names else trace[name]
        for name in trace.tables
    })  # fmt: skip
    assert few.count("instances") < 200
    model = train(few)
    assert model.name == "analytic"
    assert (predict_trace(model, few)["latency_s"].to_numpy() > 0).all()


def test_nothing_to_learn_from():
    """A trace without instances is refused."""
    from paretosql.optimizer.trace import Header

    with pytest.raises(DataError, match="no instance"):
        train(Trace(Header(), {}))
