"""Models learn what a trace holds and nothing that is known only afterwards."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from paretosql.errors import DataError
from paretosql.optimizer.analytic import AnalyticLatency
from paretosql.optimizer.boosted import BoostedLatency
from paretosql.optimizer.boosting import Fitting, sample, typical
from paretosql.optimizer.combinations import expand
from paretosql.optimizer.features import COLUMNS, MORE_IS_SLOWER, column
from paretosql.optimizer.learning import learn
from paretosql.optimizer.machines import Machines
from paretosql.optimizer.material import prepare
from paretosql.optimizer.stage import Stage
from paretosql.optimizer.training import predict_trace, score, train, train_stage_median
from paretosql.optimizer.training_view import training_view
from tests.optimizer.small_trace import (
    SPEED,
    changed,
    measures,
    seconds,
    shuffled_outcomes,
    small_trace,
    with_column,
    without_signatures,
)

CONTAINERS = np.array([[cores, memory] for memory in (2.0, 4.0, 8.0) for cores in (1.0, 2.0, 4.0)])


@pytest.fixture(scope="module")
def trace():
    """Forty jobs of two templates."""
    return small_trace(40)


@pytest.fixture(scope="module")
def model(trace):
    """Trained on it with one thread."""
    return train(trace, threads=1)


@pytest.fixture(scope="module")
def later():
    """Jobs of the same templates that the model has not seen."""
    return small_trace(20, first=40)


@pytest.fixture
def stage(trace):
    """A stage of a job that the model knows."""
    return training_view(trace).traced.stages[2]


@pytest.fixture
def machines():
    """One machine of each type, half busy."""
    return Machines(("a", "b"), ("old", "new"), np.full(2, 16.0), np.full(2, 64.0), cpu_util=np.full(2, 0.5))


def test_a_model_is_far_better_than_the_median_of_a_stage(trace, model, later):
    """On new jobs of known templates; noise alone is 4 %."""
    found, base = measures(model, later), measures(train_stage_median(trace), later)
    assert found["wmape"] < 0.12
    assert found["wmape"] < 0.4 * base["wmape"]
    assert found["correlation"] > 0.95
    assert found["stage_wmape"] < 0.15


def test_the_quality_is_that_of_jobs_left_out(model, later):
    """What a model says of itself is about what it does on new jobs."""
    assert model.quality["wmape"] == pytest.approx(measures(model, later)["wmape"], abs=0.05)
    assert model.errors.deviation([1.0, 5.0]).max() < 0.3
    assert len(model.log_residuals) > 20


def test_unseen_stages_are_predicted_from_the_plan(model, later):
    """Without its signature a stage has no past, and is still predicted much better than by a constant."""
    assert measures(model, without_signatures(later))["wmape"] < 0.25


def test_outcomes_do_not_leak_into_predictions(model, later):
    """Every column known only afterwards in another order: predictions are the same, bit for bit."""
    spoiled = shuffled_outcomes(later)
    assert spoiled["instances"]["latency_ms"] != later["instances"]["latency_ms"]
    before, after = (predict_trace(model, each)["latency_s"].to_numpy() for each in (later, spoiled))
    assert before.tobytes() == after.tobytes()


def test_features_do_not_depend_on_outcomes(later):
    """Also of rows that training would use."""
    at = np.arange(later.count("instances"))
    before, after = (training_view(each).rows(at) for each in (later, shuffled_outcomes(later)))
    assert before.tobytes() == after.tobytes()


def test_training_is_repeatable(trace, model, later):
    """The same seed gives the same bytes, another seed other trees."""
    again, other = train(trace, threads=1), train(trace, threads=1, seed=1)
    predicted = [predict_trace(each, later)["latency_s"].to_numpy().tobytes() for each in (model, again, other)]
    assert predicted[0] == predicted[1] != predicted[2]
    assert again.quality == model.quality


def test_predictions_keep_the_order_of_the_trace(model, later):
    """One row for every instance, failed ones too, with its key."""
    found = predict_trace(model, later)
    assert found.column_names == ["job_id", "stage_id", "instance_id", "attempt", "latency_s"]
    assert found["job_id"] == later["instances"]["job_id"]
    assert (found["latency_s"].to_numpy() >= 1e-3).all()


def test_a_grid_is_every_combination(model, stage, machines):
    """The answer for all at once is that for whole rows, one after the other."""
    grid = model.grid(stage, machines, CONTAINERS)
    assert grid.shape == (len(stage), 2, len(CONTAINERS))
    parts = model.parts(stage, machines, CONTAINERS)
    np.testing.assert_allclose(grid, expand(parts, model.predict), rtol=1e-4)
    some = np.array([3, 1])
    np.testing.assert_allclose(model.grid(stage, machines, CONTAINERS, rows=some), grid[some], rtol=1e-4)


def test_the_truth_of_machines_is_found(model, stage, machines):
    """Fast machines and more cores help about as much as they do in truth."""
    grid = model.grid(stage, machines, np.array([[1.0, 8.0], [4.0, 8.0]]))
    heavy = int(np.argmax(stage.in_bytes))
    per_mb = {"t0/0": 0.01, "t0/1": 0.03, "t1/0": 0.02, "t1/1": 0.04, "t1/2": 0.05}[stage.signature]
    expected = np.array([[seconds(stage.in_bytes[heavy] / 1e6, per_mb, cores, hw_type, 0.5) for cores in (1.0, 4.0)]
                         for hw_type in ("old", "new")])  # fmt: skip
    assert model.encoding.hw_codes == {
        name: float(rank) for rank, name in enumerate(sorted(SPEED, key=SPEED.get)[::-1])
    }
    assert grid[heavy, 0, 0] / grid[heavy, 1, 0] == pytest.approx(expected[0, 0] / expected[1, 0], rel=0.3)
    assert grid[heavy, 0, 0] / grid[heavy, 0, 1] == pytest.approx(expected[0, 0] / expected[0, 1], rel=0.3)


@pytest.mark.parametrize("recurring", [True, False])
def test_more_cores_and_memory_are_never_slower(model, stage, machines, recurring):
    """For stages with a past and without one, on every machine."""
    asked = stage if recurring else replace(stage, signature="")
    grid = model.grid(asked, machines, CONTAINERS).reshape(len(stage), 2, 3, 3)
    assert (grid[..., 1:] <= grid[..., :-1] * (1 + 1e-5)).all()  # sums of the grid are of 32 bit floats
    assert (grid[:, :, 1:] <= grid[:, :, :-1] * (1 + 1e-5)).all()


@pytest.mark.parametrize("name", MORE_IS_SLOWER)
def test_more_input_is_never_faster(model, later, name):
    """Raising any measure of an instance's input, all else equal."""
    rows = training_view(later, model.encoding).rows(np.arange(0, later.count("instances"), 7))
    for table in (rows, np.where(np.arange(len(COLUMNS)) == column("instance", "expected_log_ms"), np.nan, rows)):
        more = table.copy()
        more[:, column("instance", name)] += 0.7
        assert (model.predict(more) >= model.predict(table)).all()


def confounded(trace):
    """A trace in which instances with more cores took longer: they were given to those that had more to do."""
    instances = trace["instances"]
    slower = pc.multiply(instances["latency_ms"], pc.power(pc.cast(instances["cpu_cores"], pa.float64()), 1.5))
    return changed(trace, instances=with_column(instances, "latency_ms", slower))


@pytest.mark.parametrize("monotone", [True, False])
def test_constraints_are_a_switch(monotone, stage, machines):
    """Without them a model believes a trace in which more cores look slower."""
    material = prepare(confounded(small_trace(20)))
    found = learn(material, material.ok, Fitting(threads=1, monotone=monotone, rounds=60))
    grid = found.grid(stage, machines, np.array([[1.0, 4.0], [4.0, 4.0]]))
    assert (grid[..., 1] <= grid[..., 0] * (1 + 1e-5)).all() == monotone


def test_peaks_of_memory_are_learned(model, stage, trace):
    """Peaks are three times the input; the floor is above most of them, and above those of lighter instances."""
    floor = model.memory_floor_gib(stage)
    peak = 3 * stage.in_bytes / 2**30
    assert (floor >= 0.7 * peak).all()
    assert (floor <= 4 * peak + 0.1).all()
    instances = trace["instances"]
    unknown = with_column(instances, "peak_mem_bytes", [None] * len(instances))
    material = prepare(changed(trace, instances=unknown))
    plain = learn(material, material.ok, Fitting(threads=1, rounds=5))
    assert plain.memory_floor_gib(stage) == pytest.approx(2 * stage.in_bytes / 2**30 + 0.25)


def test_what_was_spilled_was_wanted(stage, trace):
    """Containers hide what instances would have used: what went to disk is added to the peak."""
    instances = trace["instances"]
    peak = np.minimum(instances["peak_mem_bytes"].to_numpy(), 20_000_000)
    spilled = instances["peak_mem_bytes"].to_numpy() - peak
    for name, values in (("peak_mem_bytes", peak), ("spill_bytes", spilled)):
        instances = with_column(instances, name, values)
    cut, whole = (prepare(changed(trace, instances=each)) for each in (instances, trace["instances"]))
    floors = [
        learn(each, each.ok, Fitting(threads=1, rounds=60)).memory_floor_gib(stage).tolist() for each in (cut, whole)
    ]
    assert floors[0] == floors[1]


def test_containers_of_one_size_are_said(stage, machines):
    """A model that never saw another number of cores says that it guesses what they do."""
    trace = small_trace(12)
    instances = trace["instances"]
    same = with_column(instances, "cpu_cores", np.full(len(instances), 2.0, np.float32))
    model = train(changed(trace, instances=same), threads=1)
    assert model.extrapolates(stage, machines) == (
        "all containers in training had 2 cores: what others would do is a guess",
    )


def test_what_training_has_not_seen_is_said(model, stage, machines):
    """An unseen type of hardware, and inputs far outside of the range; nothing about an ordinary question."""
    assert model.extrapolates(stage, machines) == ()
    said = model.extrapolates(stage, replace(machines, hw_types=("old", "quantum")))
    assert said == ("hardware type 'quantum' was not in training",)
    huge = replace(stage, in_bytes=stage.in_bytes * np.where(np.arange(len(stage)) == 2, 1e6, 1.0))
    assert any("the input bytes of 1 of 10 instances is above" in each for each in model.extrapolates(huge, machines))
    bare = replace(stage, facts={})
    assert "the parallelism of the stage is not known, but was in training" in model.extrapolates(bare, machines)


def test_few_instances_get_the_formula(later):
    """Fewer than 200: no trees."""
    few = small_trace(6, instances=8)
    found = train(few, threads=1)
    assert isinstance(found, AnalyticLatency)
    assert measures(found, later)["wmape"] < 0.6
    assert isinstance(train(small_trace(12), threads=1), BoostedLatency)


def test_a_stage_of_billions_of_instances_is_a_wrong_number():
    """Named, before memory is asked for."""
    trace = small_trace(3)
    rows = trace["instances"]
    number = rows["instance_id"].to_numpy().copy()
    number[7] = 2**31 - 1
    wrong = changed(trace, instances=with_column(rows, "instance_id", number))
    with pytest.raises(DataError, match="stage job-0000/0 has 2,147,483,648 instances"):
        train(wrong, threads=1)


def test_sizes_beyond_whole_floats():
    """Bytes that a float rounds are no error."""
    trace = small_trace(12)
    rows = trace["instances"]
    size = rows["in_bytes"].to_numpy().copy()
    size[3] = 2**63 - 1
    assert train(changed(trace, instances=with_column(rows, "in_bytes", size)), threads=1)


def test_a_trace_of_one_job_has_no_quality():
    """There is nothing to judge a model by."""
    found = train(small_trace(1, instances=150), threads=1)
    assert found.quality is None
    assert found.errors is None
    assert found.log_residuals.tolist() == []


def test_failed_instances_teach_nothing(trace, model, later):
    """Rows that did not end well may say anything."""
    instances = trace["instances"]
    wrong = instances.slice(0, 200)
    for name, value in (("status", "failed"), ("latency_ms", 1e9), ("attempt", 1)):
        wrong = with_column(wrong, name, [value] * len(wrong))
    spoiled = changed(trace, instances=pa.concat_tables([instances, wrong]))
    found = train(spoiled, threads=1)
    assert measures(found, later)["wmape"] == pytest.approx(measures(model, later)["wmape"], abs=0.02)


def test_nothing_to_learn_from_is_an_error(trace, model):
    """No instance that ended well."""
    empty = changed(trace, instances=trace["instances"].slice(0, 0))
    for action in (lambda: train(empty), lambda: train_stage_median(empty), lambda: score(model, empty)):
        with pytest.raises(DataError, match="no instance of this trace ended well"):
            action()
    assert predict_trace(model, empty).num_rows == 0


def test_progress_goes_up_to_the_end(trace):
    """Rounds of two trainings, each from 1 to all."""
    told = []
    train(trace, threads=1, progress=lambda what, done, whole: told.append((what, done, whole)))
    assert list(dict.fromkeys(what for what, _, _ in told)) == ["judging", "training"]
    last = [each for each in told if each[0] == "training"]
    assert [done for _, done, _ in last] == list(range(1, last[-1][2] + 1))


def test_weights_do_not_depend_on_the_instance_itself():
    """The median of its cell."""
    assert typical(np.array([4, 4, 4, 9]), np.array([1.0, 50.0, 2.0, 7.0])).tolist() == [2.0, 2.0, 2.0, 7.0]


def test_samples_keep_sums():
    """Rows that weigh more are drawn more often, and the weights of all drawn add up to about the same."""
    weight = np.random.default_rng(0).lognormal(0, 2, 20_000)
    at, new = sample(weight, 2_000, 0)
    assert len(at) == pytest.approx(2_000, rel=0.1)
    assert new.sum() == pytest.approx(weight.sum(), rel=0.05)
    assert weight[at].mean() > 3 * weight.mean()
    assert sample(weight[:10], 2_000, 0)[0].tolist() == list(range(10))


def test_an_empty_stage_has_an_empty_grid(model, machines):
    """No instances, no predictions."""
    empty = Stage("a", 0, np.empty(0), np.empty(0))
    assert model.grid(empty, machines, CONTAINERS).shape == (0, 2, 9)
    assert model.memory_floor_gib(empty).shape == (0,)
