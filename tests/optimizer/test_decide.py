"""Decisions: they fit, they say why they fell back, and a useless model does no harm."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paretosql.errors import DataError, ProgrammingError
from paretosql.optimizer.decide import decide
from paretosql.optimizer.fleet import mixed_fleet
from paretosql.optimizer.formulation import Terms
from paretosql.optimizer.generator import generate
from paretosql.optimizer.machines import Machines
from paretosql.optimizer.stage import Container, Stage
from paretosql.optimizer.truth import Synthetic
from paretosql.optimizer.truth_model import Oracle

FLEET = mixed_fleet(30, seed=1)
TRUTH = Synthetic()
MODEL = Oracle(TRUTH, FLEET)


def machines(seed=0, free=1.0):
    rng = np.random.default_rng(seed)
    own = FLEET.machines
    share = np.clip(free * rng.uniform(0.5, 1.0, (2, len(own))), 0, 1)
    return replace(
        own, free_cores=own.cores * share[0], free_memory_gib=own.memory_gib * share[1],
        cpu_util=rng.random(len(own)), io_util=rng.random(len(own)),
    )  # fmt: skip


def stages(kind="B", seed=0):
    return [each for job in generate(kind, 5, seed).jobs for each in job.stages]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.sampled_from(["A", "B"]), st.sampled_from([0.02, 0.2, 1.0]))
def test_a_decision_always_fits(seed, kind, free):
    """Room and diversity hold on every machine, memory is what the model asks for, and who has no room waits."""
    where, terms = machines(seed, free), Terms()
    for stage in stages(kind, seed)[:3]:
        found = decide(stage, where, MODEL, deadline_s=60)
        placed = found.machine >= 0
        used = np.zeros((len(where), 2))
        np.add.at(used, found.machine[placed], found.containers[placed])
        assert (used[:, 0] <= where.free_cores + 1e-6).all()
        assert (used[:, 1] <= where.free_memory_gib + 1e-6).all()
        limit = terms.most
        while limit * len(where) < len(stage):
            limit *= 2
        assert np.bincount(found.machine[placed], minlength=len(where)).max(initial=0) <= limit
        floor = np.minimum(MODEL.memory_floor_gib(stage), 32.0)
        assert (found.containers[placed, 1] + 1e-6 >= floor[placed]).all()
        assert found.waiting == (~placed).sum()
        assert found.latency_s == pytest.approx(np.nanmax(found.predicted_s)) if placed.any() else True


def test_it_beats_the_baseline_when_the_model_is_right():
    """With predictions that come true, latency and cost are both below those of the baseline."""
    where = machines()
    for stage in stages()[:4]:
        sized = replace(stage, container=Container(1.0, 8.0))
        ours, base = decide(sized, where, MODEL, deadline_s=60), decide(sized, where, None, policy="fuxi")
        rows = np.arange(len(stage))
        seconds = MODEL.grid(stage, where, base.containers[:1], rows)[rows, base.machine, 0]
        assert ours.latency_s <= seconds.max()
        assert ours.cost <= (seconds * (base.containers @ np.array([1.0, 0.25]))).sum()
        assert ours.gap >= 0
        assert ours.lower_bound_s <= ours.latency_s * (1 + 1e-6)


class Useless(Oracle):
    """Predicts the same for everything, or nothing that is a number, or not at all."""

    def __init__(self, kind):
        super().__init__(TRUTH, FLEET)
        self.kind = kind

    def grid(self, stage, machines, containers, rows=None):
        shape = super().grid(stage, machines, containers, rows).shape
        if self.kind == "raises":
            raise ValueError("the trees are gone")
        return np.full(shape, {"constant": 5.0, "nan": np.nan, "negative": -3.0}[self.kind])


@pytest.mark.parametrize(
    ("kind", "words"),
    [("constant", "apart"), ("nan", "NaN"), ("negative", "apart"), ("raises", "the trees are gone")],
)
def test_a_useless_model_is_not_followed(kind, words):
    """The baseline's placement in the baseline's containers, with the reason."""
    stage, where = replace(stages()[0], container=Container(2.0, 4.0)), machines()
    found, base = decide(stage, where, Useless(kind)), decide(stage, where, None, policy="fuxi")
    assert found.method == "fuxi"
    assert words in found.warnings[0]
    assert found.machine.tolist() == base.machine.tolist()
    assert found.containers.tolist() == base.containers.tolist() == [[2.0, 4.0]] * len(stage)
    assert np.isnan(found.latency_s)


class Broken(Oracle):
    """Answers of a wrong shape or kind, beyond all measure, or with an error of any kind."""

    def __init__(self, change=lambda grid: grid, floor=None):
        super().__init__(TRUTH, FLEET)
        self.change, self.floor = change, floor

    def grid(self, stage, machines, containers, rows=None):
        return self.change(super().grid(stage, machines, containers, rows))

    def memory_floor_gib(self, stage):
        return super().memory_floor_gib(stage) if self.floor is None else self.floor(stage)


def refuse(fault):
    raise fault


@pytest.mark.parametrize(
    "model",
    [
        Broken(lambda grid: refuse(RuntimeError("x"))),
        Broken(lambda grid: refuse(KeyError("x"))),
        Broken(lambda grid: refuse(MemoryError())),
        Broken(lambda grid: grid[0]),
        Broken(lambda grid: grid[:, :1]),
        Broken(lambda grid: grid.ravel()),
        Broken(lambda grid: None),
        Broken(lambda grid: grid.astype(str) + "x"),
        Broken(lambda grid: np.full(grid.shape, 1e307)),
        Broken(lambda grid: np.full(grid.shape, np.inf)),
        Broken(floor=lambda stage: refuse(RuntimeError("x"))),
        Broken(floor=lambda stage: None),
        object(),
    ],
)
@pytest.mark.parametrize("policy", ["pareto", "ipa", "weighted_sum"])
def test_whatever_a_model_does_the_query_runs(model, policy):
    """The baseline's placement with the reason; never an exception."""
    stage, where = stages()[0], machines()
    found = decide(stage, where, model, policy=policy, deadline_s=5)
    assert found.method == "fuxi"
    assert found.warnings
    assert found.machine.tolist() == decide(stage, where, None, policy="fuxi").machine.tolist()


def test_a_floor_that_is_not_known_is_no_floor_of_others():
    """One NaN does not take the memory of the others in its group away."""
    stage = replace(stages()[0], in_bytes=np.full(len(stages()[0]), 1e8))
    unknown = np.arange(len(stage)) % 3 == 0
    found = decide(stage, machines(), Broken(floor=lambda stage: np.where(unknown, np.nan, 6.0)), deadline_s=60)
    assert found.method == "pareto"
    assert (found.containers[~unknown & (found.machine >= 0), 1] >= 6.0).all()


@pytest.mark.parametrize("free", [-5.0, np.nan, np.inf])
@pytest.mark.parametrize("policy", ["pareto", "ipa", "fuxi"])
def test_one_strange_machine_does_not_spoil_the_others(free, policy):
    """Overbooked or unknown is full, endless is a lot; everyone else finds room on the machines beside it."""
    where = machines()
    cores = where.free_cores.copy()
    cores[0] = free
    found = decide(stages()[0], replace(where, free_cores=cores), MODEL, policy=policy, deadline_s=60)
    assert (found.method, found.waiting) == (policy, 0)
    assert np.isinf(free) or (found.machine != 0).all()


@pytest.mark.parametrize(
    "change",
    [{"most": 0}, {"most": 1.5}, {"most": float("nan")}, {"instance_groups": 0}, {"machine_groups": -1},
     {"instance_tolerance": -1.0}, {"machine_tolerance": float("nan")}, {"prices": (float("nan"), 1.0)}],
)  # fmt: skip
def test_terms_that_make_no_sense_are_refused(change):
    """At once, and by name."""
    with pytest.raises(DataError, match=next(iter(change))):
        Terms(**change)


class Slow(Oracle):
    def grid(self, stage, machines, containers, rows=None):
        import time

        time.sleep(0.03)
        return super().grid(stage, machines, containers, rows)


def test_the_deadline_is_kept():
    """Predictions that take all the time leave the baseline; a deadline that is near makes groups coarse."""
    stage, where = stages()[0], machines()
    assert decide(stage, where, Slow(TRUTH, FLEET), deadline_s=0.01).method == "fuxi"
    assert "predictions took" in decide(stage, where, Slow(TRUTH, FLEET), deadline_s=0.01).warnings[0]


def test_without_a_model():
    """A policy that needs predictions falls back, one that needs none does not."""
    stage, where = stages()[0], machines()
    assert decide(stage, where, None).method == "fuxi"
    assert decide(stage, where, None).warnings == ("fuxi placement: there is no model",)
    assert decide(stage, where, None, policy="round_robin").warnings == ()


def test_the_smallest_stages():
    """No instance, one instance, one machine."""
    none = Stage("j", 0, np.empty(0), np.empty(0))
    assert decide(none, machines(), MODEL).machine.tolist() == []
    one = replace(stages()[0], in_rows=np.array([5.0]), in_bytes=np.array([1e6]), remote_bytes=np.array([0.0]))
    assert decide(one, machines().take([3]), MODEL).machine.tolist() == [0]


def test_weights_decide_between_latency_and_cost():
    """All weight on one objective gives a decision that is best in it."""
    stage, where = stages()[1], machines()
    fast, cheap = (decide(stage, where, MODEL, weights=w, deadline_s=60) for w in ((1, 0), (0, 1)))
    assert fast.latency_s <= cheap.latency_s
    assert cheap.cost <= fast.cost


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"weights": (0, 0)}, DataError, "weights"),
        ({"deadline_s": 0}, DataError, "deadline_s"),
        ({"policy": "parreto"}, ProgrammingError, "pareto"),
        ({"terms": Terms(cores=(1000.0,))}, DataError, "no machine can run"),
    ],
)
def test_bad_questions_are_refused(change, error, words):
    """What is wrong, and what would work."""
    with pytest.raises(error, match=words):
        decide(stages()[0], machines(), MODEL, **change)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"ids": ("a", "a")}, "two machines are called 'a'"),
        ({"cores": np.array([1.0, 0.0])}, "cores = 0"),
        ({"cores": np.array([1.0])}, "cores of 2 machines"),
        ({"hw_types": ("x",)}, "hardware types"),
    ],
)
def test_bad_machines_are_refused(columns, words):
    """Named, with the value."""
    given = {"ids": ("a", "b"), "hw_types": ("x", "y"), "cores": np.ones(2), "memory_gib": np.ones(2)}
    with pytest.raises(DataError, match=words):
        Machines(**{**given, **columns})


def test_bad_stages_are_refused():
    """Arrays that do not match and sizes below zero."""
    with pytest.raises(DataError, match="in_bytes of stage j/0"):
        Stage("j", 0, np.ones(3), np.ones(2))
    with pytest.raises(DataError, match="in_rows of instance 1"):
        Stage("j", 0, np.array([1.0, -1.0]), np.ones(2))
