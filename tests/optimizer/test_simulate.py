"""The simulator: every instance runs once, no machine is overfull at any moment, and a seed decides everything."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from paretosql.errors import DataError, OperationalError
from paretosql.optimizer.checks import check
from paretosql.optimizer.decide import decide
from paretosql.optimizer.features import instance_features, stage_features
from paretosql.optimizer.fleet import Background, Fleet, HardwareType, mixed_fleet
from paretosql.optimizer.formulation import Terms
from paretosql.optimizer.generator import generate, kinds
from paretosql.optimizer.history import learn_history
from paretosql.optimizer.jobs import Job, Workload
from paretosql.optimizer.noise import modes, noise_of
from paretosql.optimizer.recording import join, record
from paretosql.optimizer.simulate import Simulator
from paretosql.optimizer.stage import Container, Stage
from paretosql.optimizer.traced import traced
from paretosql.optimizer.truth import Situation, Synthetic
from paretosql.optimizer.truth_model import Oracle

TRUTH = Synthetic()
QUIET = noise_of("none", None, 0)


def run(workload, policy="fuxi", noise=QUIET, truth=TRUTH, **options):
    oracle = Oracle(truth, workload.fleet)
    return Simulator(
        workload, lambda stage, machines: decide(stage, machines, oracle, policy=policy, deadline_s=60), truth, noise,
        **options,
    ).run()  # fmt: skip


def small_fleet(machines=2, cores=4, memory_gib=8.0, busy=0.0):
    kind = HardwareType("plain", cores, memory_gib, 2500, 1.0, 200)
    level = np.full(machines, busy)
    return Fleet((kind,), np.zeros(machines, dtype=np.int64), level, level, sigma=0.0)


def stage(instances, gib=0.1, number=0, job="j", container=None):
    size = np.full(instances, gib * (1 << 30))
    return Stage(job, number, size / 100, size, signature="s", container=container or Container(1.0, 2.0))


@pytest.mark.parametrize("kind", ["A", "B"])
@pytest.mark.parametrize("policy", ["fuxi", "pareto", "ipa_raa_path", "least_loaded"])
def test_everything_runs_once_and_fits(kind, policy):
    """Each instance has one start and one end; at no moment do containers on a machine exceed its size; a stage starts
    when the last of those it waits for has ended.
    """
    workload = generate(kind, 8, seed=3)
    done = run(workload, policy)
    assert sorted((e.stage.job_id, e.stage.stage_id) for e in done.stages) == sorted(
        (job.job_id, each.stage_id) for job in workload.jobs for each in job.stages
    )
    machines = workload.fleet.machines
    size = np.column_stack((machines.cores, machines.memory_gib))
    events = []
    for each in done.stages:
        assert not np.isnan(each.finish_s).any()
        assert (each.finish_s > each.start_s).all()
        assert (each.start_s >= each.release_s).all()
        for j, c, a, b in zip(each.machine, each.decision.containers, each.start_s, each.finish_s, strict=True):
            events += [(b, 0, j, -c), (a, 1, j, c)]
    used = np.zeros_like(size)
    for _, _, j, change in sorted(events, key=lambda event: event[:3]):
        used[j] += change
        assert (used[j] <= size[j] + 1e-6).all()
    ends = {(e.stage.job_id, e.stage.stage_id): e.finished_s for e in done.stages}
    starts = {(e.stage.job_id, e.stage.stage_id): e.release_s for e in done.stages}
    for job in workload.jobs:
        for source, target in job.edges:
            assert starts[job.job_id, target] >= ends[job.job_id, source]
        assert done.job_finish_s[job.job_id] == max(ends[job.job_id, each.stage_id] for each in job.stages)


def test_a_seed_decides_everything():
    """The same run twice is the same to the last bit; another day is not."""
    first, again, other = (
        run(generate("A", 6, seed=1, run=day), "pareto", noise_of("straggler", None, 5)) for day in (0, 0, 1)
    )
    flat = [np.concatenate([each.finish_s for each in done.stages]) for done in (first, again, other)]
    assert flat[0].tobytes() == flat[1].tobytes()
    assert flat[0].tobytes() != flat[2].tobytes()


def test_all_policies_meet_the_same_luck():
    """Noise belongs to the instance, not to the order in which a policy starts it."""
    noise = noise_of("gaussian", None, 7)
    assert noise("a", 1, 9).tolist() == noise("a", 1, 9).tolist()
    assert noise("a", 1, 9).tolist() != noise("a", 2, 9).tolist()
    assert set(modes) == {"none", "gaussian", "bootstrap", "straggler"}


def test_noise_has_its_shape():
    """None is none, Gaussian is clipped at three sigma, stragglers take twice to eight times as long, bootstrap draws
    what it was given.
    """

    class Model:
        log_residuals = np.log([0.5, 1.0, 4.0])

    assert noise_of("none", None, 0)("j", 0, 5).tolist() == [1.0] * 5
    gaussian = np.log(noise_of("gaussian", None, 0)("j", 0, 50_000))
    assert np.abs(gaussian).max() <= 0.4501
    assert gaussian.std() == pytest.approx(0.15, rel=0.02)
    ratio = noise_of("straggler", None, 0)("j", 0, 50_000) / noise_of("gaussian", None, 0)("j", 0, 50_000)
    late = ratio[ratio > 1.5]
    assert len(late) / 50_000 == pytest.approx(0.02, abs=0.003)
    assert late.min() >= 2 and late.max() <= 8
    assert set(np.round(noise_of("bootstrap", Model(), 0)("j", 0, 200), 9)) == {0.5, 1.0, 4.0}


def test_what_waits_starts_when_there_is_room():
    """Ten instances, four places: three waves, and the stage lasts as long as three of them."""
    one = stage(10, container=Container(1.0, 4.0))
    workload = Workload("w", (Job("j", "t", 0.0, (one,)),), small_fleet())
    done = run(workload)
    (each,) = done.stages
    assert each.decision.waiting == 6
    assert len(set(each.start_s.tolist())) == 3
    assert each.latency_s > 2.5 * (each.finish_s - each.start_s).min()


def test_what_waits_keeps_apart():
    """Also what is admitted later never makes a machine run more instances of a stage than its decision allows."""
    workload = Workload("x", (Job("j", "t", 0.0, (stage(12),), ()),), small_fleet(2, cores=8, memory_gib=64.0))

    def decider(asked, machines):
        found = decide(asked, machines, None)
        first = np.where(np.arange(12) < 4, np.arange(12) % 2, -1)
        return replace(found, machine=first, most=2)

    done = Simulator(workload, decider, TRUTH, QUIET).run().stages[0]
    for at in done.start_s:
        running = (done.start_s <= at) & (done.finish_s > at)
        assert np.bincount(done.machine[running], minlength=2).max() <= 2
    assert len(np.unique(done.start_s)) >= 3


def test_room_that_never_comes():
    """Instances in containers larger than every machine are an error, not an endless run."""
    workload = Workload("w", (Job("j", "t", 0.0, (stage(1, container=Container(8.0, 32.0)),)),), small_fleet())
    with pytest.raises(OperationalError, match="wait for room"):
        run(workload)


def test_hand_computed_latency():
    """1 GiB on an idle machine of speed 1 with 4 cores: startup + io + cpu / 4 ** exponent, and 1 + pressure times as
    much of the last two where memory is half of the need.
    """
    truth = Synthetic(cpu_exponent=0.5, memory_pressure=3.0)
    one = stage(1, gib=1.0)
    needs = truth.needs(one)
    fleet = small_fleet()
    where = Situation(*(np.array([each]) for each in (0, 4.0, needs.memory_gib[0] / 2, 0.0, 0.0)))
    work = needs.io_gib[0] * 1024 / 200 + needs.cpu_s[0] / 2
    assert truth.seconds(one, np.array([0]), where, fleet)[0] == pytest.approx(needs.startup_s + 4.0 * work)
    enough = replace(where, memory_gib=needs.memory_gib)
    assert truth.seconds(one, np.array([0]), enough, fleet)[0] == pytest.approx(needs.startup_s + work)


def test_edges_and_times_are_checked():
    """A cycle, a stage that is not there, and jobs out of order."""
    with pytest.raises(DataError, match="wait for each other"):
        Job("j", "t", 0.0, (stage(1), stage(1, number=1)), ((0, 1), (1, 0)))
    with pytest.raises(DataError, match="edge 0 to 5"):
        Job("j", "t", 0.0, (stage(1),), ((0, 5),))
    with pytest.raises(DataError, match="sorted"):
        Workload("w", (Job("a", "t", 2.0, ()), Job("b", "t", 1.0, ())), small_fleet())


def test_empty_workloads():
    """No jobs, a job without stages, a stage without instances."""
    assert run(Workload("w", (), small_fleet())).stages == ()
    jobs = (Job("a", "t", 1.0, ()), Job("b", "t", 2.0, (stage(0, job="b"), stage(2, number=1, job="b")), ((0, 1),)))
    done = run(Workload("w", jobs, small_fleet()))
    assert done.job_finish_s["a"] == 1.0
    assert done.job_finish_s["b"] > 2.0


def test_a_run_is_a_trace():
    """What is recorded passes every check of a trace; days join; history learns containers from it."""
    traces = []
    for day in range(2):
        workload = generate("A", 5, seed=2, run=day)
        jobs = tuple(
            replace(
                job,
                job_id=f"{day}-{job.job_id}",
                stages=tuple(replace(each, job_id=f"{day}-{job.job_id}") for each in job.stages),
            )
            for job in workload.jobs
        )
        traces.append(record(run(replace(workload, jobs=jobs), keep_states=True), TRUTH))
    whole = join(traces)
    check(whole)
    assert whole.count("instances") == sum(trace.count("instances") for trace in traces)
    history = learn_history(whole["stages"], whole["instances"])
    for name, container in history.containers.items():
        mine = whole["stages"].filter([each == name for each in whole["stages"]["signature"].to_pylist()])
        peaks = [
            row["peak_mem_bytes"]
            for row in whole["instances"].to_pylist()
            if (row["job_id"], row["stage_id"])
            in set(zip(*(mine[c].to_pylist() for c in ("job_id", "stage_id")), strict=True))
        ]
        wanted = np.quantile(peaks, 0.95) / (1 << 30) * 1.2
        assert container.memory_gib >= wanted or container.memory_gib == 32
        assert container.memory_gib / 2 < max(wanted, 1.0)


def test_decisions_see_what_training_saw():
    """Features of a stage in a simulation are those of the same stage read from the trace of that simulation, so that a
    model is asked in the terms that it learned.
    """
    workload = generate("B", 4, seed=8)
    rows = traced(record(run(workload), TRUTH))
    seen = {(each.job_id, each.stage_id): each for each in rows.stages}
    for stage in [each for job in workload.jobs for each in job.stages]:
        other = seen[stage.job_id, stage.stage_id]
        assert stage_features(stage) == pytest.approx(stage_features(other), nan_ok=True)
        assert instance_features(stage) == pytest.approx(instance_features(other), nan_ok=True)


def test_background_goes_forward_and_returns_to_its_mean():
    """AR(1): the same seed gives the same load; long means are near the mean of each machine."""
    fleet = mixed_fleet(30, seed=4)
    first, again = Background(fleet), Background(fleet)
    assert first.at(1_000.0).tobytes() == again.at(1_000.0).tobytes()
    loads = np.array([first.at(1_000.0 + 10.0 * step) for step in range(3_000)])
    assert loads.min() >= 0 and loads.max() <= 0.95
    assert np.abs(loads[:, :, 0].mean(axis=0) - fleet.mean_cpu).max() < 0.06


@pytest.mark.parametrize("kind", sorted(kinds))
def test_workloads_are_what_they_say(kind):
    """Sizes within the limits of their kind, recurring stages with one signature, days that differ."""
    what = kinds[kind]
    workload, again = generate(kind, 6, seed=5), generate(kind, 6, seed=5)
    sizes = [len(each) for job in workload.jobs for each in job.stages]
    assert min(sizes) >= 1 and max(sizes) <= what.instances[2] * 2
    assert [job.job_id for job in workload.jobs] == [job.job_id for job in again.jobs]
    assert all(each.signature.startswith(job.template_id) for job in workload.jobs for each in job.stages)
    tomorrow = generate(kind, 6, seed=5, run=1)
    assert {j.template_id for j in tomorrow.jobs} <= {f"{kind.lower()}{n:02d}" for n in range(12)}
    assert [j.submit_s for j in tomorrow.jobs] != [j.submit_s for j in workload.jobs]


def test_smaller_terms_are_obeyed():
    """No container is larger than the terms offer."""
    workload = generate("A", 4, seed=6)
    oracle = Oracle(TRUTH, workload.fleet)
    terms = Terms(cores=(1.0, 2.0), memory_gib=(1.0, 4.0))
    done = Simulator(
        workload, lambda s, m: decide(s, m, oracle, policy="pareto", terms=terms, deadline_s=9), TRUTH, QUIET
    ).run()
    sizes = {tuple(c) for each in done.stages for c in each.decision.containers.tolist()}
    assert sizes <= {(1.0, 1.0), (1.0, 4.0), (2.0, 1.0), (2.0, 4.0)}
