"""Past runs of a recurring stage predict the next one, and a run never predicts itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from paretosql.optimizer.past_runs import SCHEMA, Ran, cells_of, shares, speedup
from paretosql.optimizer.recurrence import MIN_JOBS, NO_PAST, USUAL_SLOPE, Recurrence, learn_recurrence
from paretosql.optimizer.stage import Stage


def run(job, gigabytes, *, instances=4, signature="q/0", parallelism=4.0):
    """One run of a stage over an input of that size, its instances alike."""
    unknown = np.full(instances, np.nan)
    facts = {"est_bytes": gigabytes * 1e9, "parallelism": parallelism}
    return Stage(f"job{job}", 0, unknown, unknown, signature=signature, facts=facts)


def learned(stages, seconds, warmth=None):
    """What is learned when all instances of each stage took the same time."""
    heat = warmth or [np.full(len(stage), np.nan) for stage in stages]
    at = np.repeat(np.arange(len(stages)), [len(stage) for stage in stages])
    instance = np.concatenate([np.arange(len(stage)) for stage in stages])
    return learn_recurrence(Ran(stages, heat, at, instance, np.log1p(1000.0 * np.array(seconds, dtype=float)[at])))


SIZES = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0]


def test_sizes_between_those_seen_are_interpolated():
    """Latency is the square root of size; 35 GB were never run."""
    found, _ = learned([run(at, size) for at, size in enumerate(SIZES)], np.sqrt(SIZES))
    expected = np.expm1(found.past(run(99, 35.0)).expected_log_ms) / 1000.0
    assert expected == pytest.approx(np.full(4, np.sqrt(35.0)), rel=0.08)


def test_far_from_all_runs_nothing_wild_is_expected():
    """A thousand times more input gives a latency near the largest that was seen."""
    found, _ = learned([run(at, size) for at, size in enumerate(SIZES)], np.sqrt(SIZES))
    expected = np.expm1(found.past(run(99, 1e5)).expected_log_ms) / 1000.0
    assert (expected > 0.3).all()
    assert (expected < 10 * np.e).all()


def test_shares_of_an_instance_matter():
    """A heavy instance of a stage of equal size is expected to take longer, as it did before."""
    rng = np.random.default_rng(0)
    stages = [
        Stage(f"job{at}", 0, rng.lognormal(10, 1, 50), rng.lognormal(15, 1, 50), signature="s") for at in range(8)
    ]
    at, instance = np.divmod(np.arange(400), 50)
    seconds = 0.1 + np.concatenate([stage.in_bytes for stage in stages]) / 1e7
    found, _ = learn_recurrence(Ran(stages, [np.full(50, np.nan)] * 8, at, instance, np.log1p(1000 * seconds)))
    new = Stage("new", 0, rng.lognormal(10, 1, 50), rng.lognormal(15, 1, 50), signature="s")
    expected = np.expm1(found.past(new).expected_log_ms) / 1000.0
    assert expected == pytest.approx(0.1 + new.in_bytes / 1e7, rel=0.3)


def scaled(cores, took, new=7.0):
    """What is learned from runs of one size and of others on some cores, and what a stage of `new` GB may expect of
    each number of cores in seconds.
    """
    stages = [run(at, 5.0 + at % 3) for at in range(len(cores))]
    at = np.repeat(np.arange(len(stages)), 4)
    log_ms = np.log1p(1000.0 * np.array(took)[at])
    heat = [np.full(4, np.nan)] * len(stages)
    found, _ = learn_recurrence(
        Ran(stages, heat, at, np.tile(np.arange(4), len(stages)), log_ms, cores=np.array(cores)[at])
    )
    past = found.past(run(99, new))
    return (
        past,
        lambda cores: np.expm1(past.expected_log_ms[0] + past.slope[0] * speedup(np.log(cores), past.serial)) / 1000,
    )


@pytest.mark.parametrize("serial", [0.0, 0.15, 0.4])
def test_cores_between_those_seen_are_interpolated(serial):
    """A stage with a serial part of its own; 3 and 6 cores were never used, and 16 are beyond all."""
    cores = [0.5, 1.0, 2.0, 4.0, 8.0] * 3
    _, expected = scaled(cores, [20.0 * (serial + (1 - serial) / each) for each in cores])
    for each in (0.5, 1.0, 3.0, 6.0, 8.0):
        assert expected(each) == pytest.approx(20.0 * (serial + (1 - serial) / each), rel=0.15)
    assert expected(16.0) < expected(8.0)


def test_one_number_of_cores_says_nothing_of_others():
    """Then the stage scales as most do, and what was seen is expected where it was seen."""
    past, expected = scaled([4.0] * 9, [3.0] * 9)
    assert expected(4.0) == pytest.approx(3.0, rel=0.05)
    assert past.slope == pytest.approx(np.full(4, USUAL_SLOPE), abs=0.05)


def test_more_cores_are_never_expected_to_be_slower():
    """Not even if runs with more cores took longer."""
    cores = [1.0, 2.0, 4.0, 8.0] * 3
    past, _ = scaled(cores, [2.0 * each**0.4 for each in cores])
    assert past.slope.tolist() == [0.0] * 4


def test_warmth_matters_and_unknown_warmth_is_the_usual():
    """Fresh executors took a second longer; most instances ran on warm ones."""
    stages = [run(at, size) for at, size in enumerate(SIZES)]
    heat = [np.array([0.0, 0.0, 0.0, 2.0])] * len(stages)
    at, instance = np.divmod(np.arange(4 * len(stages)), 4)
    seconds = np.where(instance == 3, 2.0, 1.0)
    found, _ = learn_recurrence(Ran(stages, heat, at, instance, np.log1p(1000 * seconds)))
    for warmth, expected in ((np.array([0.0, 2.0, 0.0, 2.0]), [1.0, 2.0, 1.0, 2.0]), (None, [1.0] * 4)):
        past = found.past(run(99, 7.0), warmth)
        assert np.expm1(past.expected_log_ms) / 1000.0 == pytest.approx(expected, rel=0.05)
    new = run(99, 7.0)
    fresh = found.past(replace(new, facts={**new.facts, "warmth": 2.0}))
    assert np.expm1(fresh.expected_log_ms) / 1000.0 == pytest.approx([2.0] * 4, rel=0.05)


def test_a_run_is_not_part_of_its_own_past():
    """Whatever its latency was: what the others say of it stays the same, bit for bit."""
    stages = [run(at, size) for at, size in enumerate(SIZES)]
    seconds = np.sqrt(SIZES)
    _, before = learned(stages, seconds)
    seconds[3] *= 1.5
    _, after = learned(stages, seconds)
    np.testing.assert_allclose(after[3].expected_log_ms, before[3].expected_log_ms, rtol=1e-9)
    assert (after[3].log_ms, after[3].spread) == (before[3].log_ms, before[3].spread)
    assert not np.allclose(after[2].expected_log_ms, before[2].expected_log_ms)


def test_leaving_a_run_out_equals_learning_without_it():
    """The closed form against a second process that never saw the job."""
    stages = [run(at, size, instances=3 + at) for at, size in enumerate(SIZES)]
    _, left_out = learned(stages, np.sqrt(SIZES))
    for at in (0, 4):
        others = [other for other in range(len(stages)) if other != at]
        alone, _ = learned([stages[other] for other in others], np.sqrt(SIZES)[others])
        expected = alone.past(stages[at])
        np.testing.assert_allclose(left_out[at].expected_log_ms, expected.expected_log_ms, atol=1e-6)
        assert left_out[at].jobs == expected.jobs


@pytest.mark.parametrize("signature", ["", "q/0"])
def test_few_runs_and_unknown_signatures_are_no_past(signature):
    """Two jobs are chance; stages without a signature have nothing in common."""
    jobs = MIN_JOBS - 1 if signature else 20
    found, left_out = learned([run(at, 1.0 + at, signature=signature) for at in range(jobs)], np.ones(jobs))
    assert found.past(run(9, 2.0, signature=signature)) == NO_PAST
    assert left_out == {}


def test_a_signature_that_means_nothing_is_not_trusted():
    """Runs of the same size that differ by factors of thousands."""
    found, _ = learned([run(at, 1.0) for at in range(8)], [0.001, 30.0] * 4)
    assert "q/0" not in found


def test_cells_are_medians():
    """Of instances of one stage that are alike; the even count averages the middle two logarithms."""
    stage = Stage("a", 0, np.full(4, np.nan), np.array([100.0, 100.0, 100.0, 900.0]), signature="s")
    logs = np.array([1.0, 4.0, 2.0, 7.0])
    cells, at = cells_of(Ran([stage], [np.full(4, np.nan)], np.zeros(4, dtype=int), np.arange(4), logs))
    assert cells.schema == SCHEMA
    assert at.tolist() == [0, 0]
    assert sorted(zip(cells["log_ms"].to_pylist(), cells["count"].to_pylist(), strict=True)) == [(2.0, 3.0), (7.0, 1.0)]
    assert shares(stage) == pytest.approx(np.log([1 / 3, 1 / 3, 1 / 3, 3.0]))


def test_a_recurrence_is_its_table():
    """Rebuilt from its cells it says the same."""
    found, _ = learned([run(at, size) for at, size in enumerate(SIZES)], np.sqrt(SIZES))
    again = Recurrence(pa.Table.from_batches(found.cells.to_batches()))
    new = run(99, 35.0)
    assert again.past(new).expected_log_ms.tobytes() == found.past(new).expected_log_ms.tobytes()
