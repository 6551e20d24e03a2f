"""The graph transformer: plans as graphs, and a model that keeps the promises of the boosted trees."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretosql.errors import NotSupportedError, ProgrammingError
from paretosql.optimizer import load_model, predict_trace, save_model, train
from paretosql.optimizer.analytic import AnalyticLatency
from paretosql.optimizer.boosting import Fitting
from paretosql.optimizer.decide import decide
from paretosql.optimizer.graph_latency import GraphLatency
from paretosql.optimizer.learning import learn
from paretosql.optimizer.machines import Machines
from paretosql.optimizer.material import prepare
from paretosql.optimizer.plan_graphs import MOST_NODES, POSITIONS, laplacian_positions, plan_graphs
from paretosql.optimizer.stage import Operator, Stage
from tests.optimizer.small_trace import measures, shuffled_outcomes, small_trace, without_signatures

CONTAINERS = np.array([[c, g] for c in (1.0, 2.0, 4.0) for g in (2.0, 8.0)])


def stage_of(operators):
    return Stage("job", 0, np.ones(2), np.ones(2), operators=tuple(operators))


def test_a_plan_is_a_graph():
    """Kinds, sizes as logarithms with what is known, and who exchanges rows with whom."""
    plan = [Operator("Scan parquet", rows=1e3), Operator("Scan csv", bytes=5.0), Operator("HashJoin", inputs=(0, 1))]
    found = plan_graphs([stage_of(plan), stage_of([]), stage_of([Operator("Magic")])])
    assert found.there.tolist() == [[True] * 3, [False] * 3, [True, False, False]]
    assert found.near[0].tolist() == [[True, False, True], [False, True, True], [True, True, True]]
    assert found.kind[0, 0] == found.kind[0, 1] != found.kind[0, 2]
    assert found.numbers[0, 0] == pytest.approx([np.log1p(1e3) / 10, 0, 0, 1, 0, 0], rel=1e-6)
    assert not found.near[1].any()


def test_large_plans_keep_their_last_operators():
    """Those that write the result of the stage; edges from those that are gone are gone, too."""
    chain = [Operator("Scan parquet"), *(Operator("Project", inputs=(at,)) for at in range(MOST_NODES + 9))]
    found = plan_graphs([stage_of(chain)])
    assert found.there.sum() == MOST_NODES
    assert found.near[0].sum() == MOST_NODES + 2 * (MOST_NODES - 1)


@given(st.integers(1, 12), st.integers(0, 1000))
def test_positions_tell_nodes_apart_and_repeat(nodes, seed):
    """Columns are orthonormal eigenvectors, and the same graph has the same positions."""
    rng = np.random.default_rng(seed)
    near = np.eye(nodes, dtype=bool)
    for at in range(1, nodes):
        other = rng.integers(at)
        near[at, other] = near[other, at] = True
    found = laplacian_positions(near)
    assert found.shape == (nodes, POSITIONS)
    kept = found[:, : min(nodes - 1, POSITIONS)]
    np.testing.assert_allclose(kept.T @ kept, np.eye(kept.shape[1]), atol=1e-9)
    assert found.tobytes() == laplacian_positions(near.copy()).tobytes()


def test_without_torch_it_is_refused(monkeypatch):
    """With a hint, and before anything is trained."""
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "paretosql.optimizer.graph_network", raising=False)
    with pytest.raises(NotSupportedError, match=r"needs torch, which is not installed\nHint: pip install"):
        train(small_trace(12), learner="graph_transformer", threads=1, progress=lambda *_: pytest.fail("too late"))


def test_unknown_learners_are_refused():
    """With those that there are."""
    with pytest.raises(ProgrammingError, match=r"no learner.*'forest'"):
        train(small_trace(12), learner="forest", threads=1)


@pytest.fixture(scope="module")
def trace():
    return small_trace(40)


@pytest.fixture(scope="module")
def later():
    return small_trace(10, seed=1, first=1000)


@pytest.fixture(scope="module")
def model(trace):
    pytest.importorskip("torch")
    from paretosql.optimizer.graph_learning import Training, learn_graph

    material = prepare(trace)
    below = learn(material, material.ok, Fitting(threads=1, rounds=60))
    return learn_graph(material, material.ok, below, Training(steps=150, threads=1))


@pytest.fixture(scope="module")
def stage(later):
    return prepare(later).traced.stages[0]


@pytest.fixture(scope="module")
def machines():
    return Machines(("a", "b"), ("old", "new"), np.full(2, 16.0), np.full(2, 64.0), cpu_util=np.full(2, 0.5))


def test_it_learns(model, trace, later):
    """Much better than medians, and at least as good as what it starts from; noise alone is 4 %."""
    found = measures(model, later)
    start = measures(replace(model, weights={name: 0 * each for name, each in model.weights.items()}), later)
    assert found["wmape"] < 0.2
    assert found["wmape"] < start["wmape"]


def test_stages_without_a_past_are_predicted_from_the_plan(model, later):
    """Trained with and without the past, it does not lose its head without."""
    assert measures(model, without_signatures(later))["wmape"] < 0.4


def test_a_grid_agrees_with_the_trace(model, later, stage, machines):
    """More cores and memory are never slower, some instances are those of all, and decisions can be made."""
    grid = model.grid(stage, machines, CONTAINERS)
    assert grid.shape == (len(stage), 2, len(CONTAINERS))
    shaped = grid.reshape(len(stage), 2, 3, 2)
    assert (shaped[:, :, 1:] <= shaped[:, :, :-1]).all()
    assert (shaped[..., 1:] <= shaped[..., :-1]).all()
    some = np.array([3, 1])
    np.testing.assert_allclose(model.grid(stage, machines, CONTAINERS, rows=some), grid[some], rtol=1e-4)
    found = decide(stage, machines, model, deadline_s=60)
    assert found.method == "pareto"
    assert (found.machine >= 0).all()


def test_nothing_known_only_afterwards_is_looked_at(model, later):
    """Outcomes in another order leave predictions the same to the last bit."""
    before, after = (predict_trace(model, each)["latency_s"].to_numpy() for each in (later, shuffled_outcomes(later)))
    assert before.tobytes() == after.tobytes()


def test_the_plan_matters(model, later):
    """Other operators, the same features: another prediction."""
    view = prepare(later).view(model.encoding)
    stages = tuple(replace(each, operators=each.operators[::-1]) for each in view.traced.stages)
    other = replace(view, traced=replace(view.traced, stages=stages))
    at = np.arange(50)
    assert (model.predict_view(view, at) != model.predict_view(other, at)).any()


def test_saved_and_loaded_it_says_the_same(model, later, tmp_path):
    """Bit for bit."""
    save_model(model, tmp_path / "model")
    again = load_model(tmp_path / "model")
    assert isinstance(again, GraphLatency)
    before, after = (predict_trace(each, later)["latency_s"].to_numpy() for each in (model, again))
    assert before.tobytes() == after.tobytes()


def test_a_seed_decides_everything(trace, model):
    """Training twice gives the same weights; random numbers of others are not touched."""
    torch = pytest.importorskip("torch")
    from paretosql.optimizer.graph_learning import Training, learn_graph

    material = prepare(trace)
    torch.manual_seed(5)
    expected = torch.rand(1).item()
    torch.manual_seed(5)
    again = learn_graph(material, material.ok, model.below, Training(steps=150, threads=1))
    assert torch.rand(1).item() == expected
    assert {name: each.tobytes() for name, each in again.weights.items()} == {
        name: each.tobytes() for name, each in model.weights.items()
    }


def test_few_instances_keep_the_formula():
    """A network of 40 instances would know nothing."""
    pytest.importorskip("torch")
    assert isinstance(train(small_trace(6, instances=8), threads=1, learner="graph_transformer"), AnalyticLatency)
