"""How many instances a stage is cut into, and that the search for it only ever improves a plan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretosql.errors import DataError
from paretosql.optimizer.decide import decide
from paretosql.optimizer.experiment import Conditions, compare
from paretosql.optimizer.fleet import mixed_fleet
from paretosql.optimizer.frontier import nearest_utopia, pareto
from paretosql.optimizer.generator import generate
from paretosql.optimizer.history import History
from paretosql.optimizer.partitions import counts, recut, tuned
from paretosql.optimizer.stage import Stage
from paretosql.optimizer.truth import Synthetic
from paretosql.optimizer.truth_model import Oracle

MIB = float(1 << 20)


def stage(sizes):
    size = np.asarray(sizes, dtype=np.float64) * MIB
    return Stage("job", 0, size / 100, size, signature="s")


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=30), st.integers(1, 1000))
def test_partitions_of_hashed_keys(keys, start):
    """Cutting as hashing does: sums of the keys' sizes by their hash modulo the number of partitions."""
    weight = np.arange(start, start + len(keys))
    for planned in (2, 4, 5):
        size = np.bincount(np.array(keys) % (2 * planned), weight, 2 * planned)
        folded = recut(Stage("job", 0, size, size), planned)
        assert folded.in_rows.tolist() == np.bincount(np.array(keys) % planned, weight, planned).tolist()
        assert recut(folded, 2 * planned).in_bytes.sum() == weight.sum()


def test_unknown_sizes_stay_unknown():
    """And an odd number of instances is halved, too."""
    cut = recut(replace(stage([1, 2, 3]), in_rows=np.array([1.0, np.nan, 3.0])), 2)
    assert cut.in_rows.tolist()[0] == 4.0
    assert np.isnan(cut.in_rows[1])
    assert (cut.in_bytes / MIB).tolist() == [4.0, 2.0]
    assert counts(stage([1])) == [1, 2]
    assert counts(stage([1] * 6), most=8) == [6, 3]


@pytest.mark.parametrize("count", [0, 1, 5, 7, 12])
def test_other_counts_are_refused(count):
    """Half and twice as many can be told from the sizes; others cannot."""
    with pytest.raises(DataError, match=f"3 instances cannot be cut into {count}"):
        recut(stage([1, 2, 3]), count)


def asked(machines, model, weights=(0.5, 0.5)):
    return lambda cut: decide(cut, machines, model, weights=weights, deadline_s=60)


@pytest.mark.parametrize("weights", [(0.5, 0.5), (1.0, 0.0), (0.0, 1.0)])
def test_the_nearest_to_the_utopia_of_all_counts(weights):
    """Against all three decisions, each made by hand."""
    fleet = mixed_fleet(30, 1)
    machines, model = fleet.machines, Oracle(Synthetic(), fleet)
    for sizes in ([400, 30, 20, 10], [5] * 40, [3000]):
        given_stage = stage(sizes)
        found = tuned(given_stage, asked(machines, model, weights), weights)
        each = [asked(machines, model, weights)(recut(given_stage, count)) for count in counts(given_stage)]
        points = np.concatenate([decision.frontier for decision in each])
        front = points[pareto(points)]
        chosen = np.array([[decision.latency_s, decision.cost] for decision in each])
        ranked = np.concatenate([chosen, front])  # the extremes of the frontier set the scale
        low, high = front.min(axis=0), front.max(axis=0)
        distance = (((ranked - low) / np.where(high > low, high - low, 1.0) * weights) ** 2).sum(axis=1)
        best = int(np.argmin(distance[: len(each)]))
        assert (found.latency_s, found.cost) == (each[best].latency_s, each[best].cost)
        assert len(found.machine) == counts(given_stage)[best]
        assert found.stage is None if best == 0 else len(found.stage) == len(found.machine)
    assert nearest_utopia(front, weights) >= 0


def test_without_a_model_the_plan_stays():
    """The baseline has no predictions to compare."""
    machines = mixed_fleet(10, 1).machines
    found = tuned(stage([10, 20]), lambda cut: decide(cut, machines, None))
    assert (found.method, len(found.machine), found.stage) == ("fuxi", 2, None)


def test_stages_that_wait_stay_as_planned():
    """Where room is short the latency of what was placed says nothing of the rest."""
    fleet = mixed_fleet(1, 1)
    machines = replace(fleet.machines, free_cores=np.array([1.0]), free_memory_gib=np.array([4.0]))
    found = tuned(stage([100.0] * 50), asked(machines, Oracle(Synthetic(), fleet)))
    assert found.waiting
    assert found.stage is None


def test_simulations_run_what_was_cut():
    """Skewed stages in twice as many instances take less time, also when it is the truth that says so."""
    truth = Synthetic(seed=2)
    workload = generate("B", 5, 2)
    model = Oracle(truth, workload.fleet)
    found = {}
    for tune in (False, True):
        rows, runs = compare(
            workload, ("pareto",), model=model, truth=truth, conditions=Conditions(tune_partitions=tune),
            history=History(),
        )  # fmt: skip
        found[tune] = rows[1]
        sizes = {len(each.stage) / len(workload_stage(workload, each.stage)) for each in runs["pareto"].stages}
        assert (max(sizes) == 2.0) == tune
        assert {len(each.stage) / len(workload_stage(workload, each.stage)) for each in runs["fuxi"].stages} == {1.0}
    assert found[True].latency_s < 0.9 * found[False].latency_s


def workload_stage(workload, cut):
    jobs = {job.job_id: job for job in workload.jobs}
    return next(each for each in jobs[cut.job_id].stages if each.stage_id == cut.stage_id)


def test_partitions_by_history():
    """128 MiB each at first; twice as many after runs above a minute, half as many after runs below a second."""
    history = History(median_ms={"short": 300.0, "long": 90_000.0, "right": 5_000.0})
    assert history.partitions("new", 1000 * MIB, 100) == 8
    assert history.partitions("new", 0.0, 100) == 1
    assert history.partitions("new", 1e12, 100) == 100
    assert [history.partitions(name, 1.0, 100, before=20) for name in ("short", "right", "long")] == [10, 20, 40]
    assert history.partitions("long", 1.0, 30, before=20) == 30
