"""The resource optimizer: what it saves in simulations, how long it decides, and how its plans compare with others'.

Truths are synthetic and hidden from the models that decide, which are trained on three simulated days of history.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.environment import ROOT
from benchmarks.harness import FULL, QUICK, Row, Setting, benchmark
from paretosql.optimizer.allocation import allocate
from paretosql.optimizer.experiment import ORACLE, Conditions, Summary, compare, make_history
from paretosql.optimizer.formulation import Terms, predicted
from paretosql.optimizer.frontier import dominates
from paretosql.optimizer.generator import generate
from paretosql.optimizer.history import History
from paretosql.optimizer.latency_model import LatencyModel
from paretosql.optimizer.policy import PolicyOptions, baselines
from paretosql.optimizer.problem import Problem, score
from paretosql.optimizer.training import train
from paretosql.optimizer.truth import Synthetic

BASELINES = ("fuxi", "round_robin", "least_loaded", "fixed", "ipa", "ipa_raa_path", "weighted_sum",
             "progressive_frontier", "nsga2")  # fmt: skip
SEARCHES = ("weighted_sum", "progressive_frontier", "nsga2")
SLACK = 1e-6


@dataclass(frozen=True)
class Size:
    """How much is simulated: seeds, jobs of each workload and of each day of history, stages for slow searches."""

    seeds: int
    jobs: Mapping[str, int]
    past: int | None
    stages: int
    limit_s: float


def _size(setting: Setting) -> Size:
    if setting is FULL:
        return Size(5, {"A": 100, "B": 40, "C": 8}, None, 10, 60.0)
    if setting is QUICK:
        return Size(1, {"A": 20, "B": 8}, 20, 4, 5.0)
    return Size(1, {"A": 3}, 4, 1, 0.2)


@dataclass(frozen=True)
class World:
    """A workload with its truth, the model that was trained on its history, and the containers of that history."""

    kind: str
    seed: int
    truth: Synthetic
    model: LatencyModel
    history: History


_worlds: dict[tuple[str, int, int | None], World] = {}


def _world(kind: str, seed: int, past: int | None) -> World:
    if (kind, seed, past) not in _worlds:
        truth = Synthetic(seed=seed)
        trace, history = make_history(kind, truth, seed=seed, jobs=past)
        _worlds[kind, seed, past] = World(kind, seed, truth, train(trace, seed=seed), history)
    return _worlds[kind, seed, past]


def _compared(world: World, jobs: int, policies: Sequence[str], conditions: Conditions) -> list[Summary]:
    workload = generate(world.kind, jobs, world.seed)
    found, _ = compare(
        workload, policies, model=world.model, truth=world.truth, conditions=conditions, history=world.history
    )
    return found


def _share(summaries: Sequence[Summary], name: str) -> str:
    """Mean and range over seeds of a saving, in percent."""
    values = [100 * getattr(each, name) for each in summaries]
    return f"{np.mean(values):.0f} % ({min(values):.0f} to {max(values):.0f})"


def _row(kind: str, what: str, policy: str, mine: Sequence[Summary]) -> Row:
    return Row(
        workload=kind,
        **{what.partition("=")[0]: what.partition("=")[2]},
        policy=policy,
        latency=_share(mine, "latency_saving"),
        cost=_share(mine, "cost_saving"),
        coverage_ratio=float(np.mean([each.coverage for each in mine])),
        decide_mean_ms=1000 * float(np.mean([each.decide_mean_s for each in mine])),
        decide_p95_ms=1000 * max(each.decide_p95_s for each in mine),
        decide_max_ms=1000 * max(each.decide_max_s for each in mine),
        wmape_ratio=float(np.mean([each.wmape for each in mine])),
        gap_ratio=float(np.mean([each.gap for each in mine])),
    )


@benchmark("optimizer/savings", unit="share saved against fuxi", lower_is_better=False, minutes=25.0)
def savings(setting: Setting) -> Iterator[Row]:
    """Latency of stages and cost saved against Fuxi placement with history-based sizing: mean over five seeds, and the
    range, of sums over all stages. `oracle` is our method with a model that knows the truth: the headroom.
    """
    size = _size(setting)
    for kind, jobs in size.jobs.items():
        for noise in ("none", "gaussian", "straggler"):
            found: dict[str, list[Summary]] = {}
            for seed in range(size.seeds):
                world = _world(kind, seed, size.past)
                conditions = Conditions(noise=noise, seed=seed)
                for each in _compared(world, jobs, ("pareto", ORACLE), conditions):
                    found.setdefault(each.policy, []).append(each)
            for policy in ("pareto", ORACLE):
                yield _row(kind, f"noise={noise}", policy, found[policy])


@benchmark("optimizer/ablations", unit="share saved against fuxi", lower_is_better=False, minutes=8.0)
def ablations(setting: Setting) -> Iterator[Row]:
    """One thing changed at a time on workload B (A with --quick), two seeds: policies that do only a part, weights of
    latency and cost, how many instances of a stage share a machine, and groups that are coarse.
    """
    size = _size(setting)
    kind = "B" if setting is FULL else "A"
    seeds = range(min(size.seeds, 2))
    usual = Conditions()
    changes: dict[str, tuple[str, Conditions]] = {
        **{f"policy {name}": (name, usual) for name in ("pareto", "ipa", "raa_only", "uniform_raa", "ipa_raa_path")},
        **{f"weights {w:g}, {1 - w:g}": ("pareto", replace(usual, weights=(w, 1 - w))) for w in (0.0, 0.25, 0.75, 1.0)},
        **{f"at most {m} on a machine": ("pareto", replace(usual, terms=Terms(most=m))) for m in (1, 64)},
        "partitions tuned": ("pareto", replace(usual, tune_partitions=True)),
        "no groups": ("pareto", replace(usual, terms=_terms(0.0, 0.0, 1_000))),
        "coarse groups": ("pareto", replace(usual, terms=_terms(0.5, 0.3, 64))),
    }
    for change, (policy, conditions) in changes.items():
        mine = []
        for seed in seeds:
            world = _world(kind, seed, size.past)
            found = _compared(world, size.jobs[kind], (policy,), replace(conditions, seed=seed))
            mine += [each for each in found if each.policy == policy]
        yield _row(kind, f"change={change}", policy, mine)


def _terms(instances: float, machines: float, groups: int) -> Terms:
    return Terms(
        instance_tolerance=max(instances, 1e-6),
        machine_tolerance=max(machines, 1e-6),
        instance_groups=groups,
        machine_groups=groups,
    )


@benchmark("optimizer/baselines", unit="share of stages", lower_is_better=False, minutes=25.0)
def against(setting: Setting) -> Iterator[Row]:
    """Every policy on the same stages of B (A with --quick) with the same predictions and a limit of 60 s. A policy is
    covered where our frontier has a point that is no worse in latency and in cost than what it chose; beaten where our
    own choice is. The hypervolume is the area that its frontier dominates, as a share of ours, below the worst of both.
    """
    size = _size(setting)
    world = _world("B" if setting is FULL else "A", 0, size.past)
    problems = _problems(world, size.stages)
    ours = [allocate(problem) for problem in problems]
    times = [_seconds(lambda problem=problem: allocate(problem)) for problem in problems]
    for name in BASELINES:
        covered, beaten, ratio, volume, seconds = [], [], [], [], []
        for problem, mine, our_s in zip(problems, ours, times, strict=True):
            outcome = baselines()[name](problem, PolicyOptions(limit_s=size.limit_s))
            point = np.array(score(problem, outcome.plan))
            covered.append(bool((mine.points <= point * (1 + SLACK)).all(axis=1).any()))
            beaten.append(dominates(mine.points[mine.chosen], point, SLACK))
            volume.append(_volume_ratio(outcome.points, mine.points))
            ratio.append(outcome.seconds / our_s)
            seconds.append(outcome.seconds)
        yield Row(
            policy=name,
            stages=len(problems),
            covered_ratio=float(np.mean(covered)),
            beaten_ratio=float(np.mean(beaten)),
            hypervolume_ratio=float(np.mean(volume)),
            mean_s=float(np.mean(seconds)),
            **{"seconds / ours_ratio": float(np.median(ratio))},
        )


def _seconds(function: Any) -> float:
    """The median of five calls."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return float(np.median(times))


def _problems(world: World, stages: int) -> list[Problem]:
    """Stages of a workload in the order of their jobs, on machines that are partly taken."""
    workload = generate(world.kind, 20, world.seed)
    rng = np.random.default_rng(world.seed)
    found = []
    for stage in [stage for job in workload.jobs for stage in job.stages][:stages]:
        machines = workload.fleet.machines
        taken = rng.uniform(0.0, 0.8, len(machines))
        machines = replace(
            machines, cpu_util=taken, mem_util=taken, io_util=rng.random(len(machines)),
            free_cores=machines.cores * (1 - taken), free_memory_gib=machines.memory_gib * (1 - taken),
        )  # fmt: skip
        found.append(predicted(world.history.sized(stage), machines, world.model, Terms()))
    return found


def _volume_ratio(theirs: np.ndarray[Any, Any], ours: np.ndarray[Any, Any]) -> float:
    worst = np.maximum(theirs.max(axis=0), ours.max(axis=0)) * 1.1
    return _volume(theirs, worst) / _volume(ours, worst)


def _volume(points: np.ndarray[Any, Any], worst: np.ndarray[Any, Any]) -> float:
    """The area between a frontier, sorted by latency, and a point that is worse than all of it."""
    edges = np.append(points[1:, 0], worst[0])
    return float(((edges - points[:, 0]) * (worst[1] - points[:, 1])).sum())


@benchmark("optimizer/decisions", unit="s, MiB", lower_is_better=True, minutes=2.0)
def decisions(setting: Setting) -> Iterator[Row]:
    """One decision with features and predictions, by size of stage and cluster, in a process of its own: seconds of ten
    decisions after the first, and memory above that of the trained model.
    """
    sizes = [(20, 20), (100, 100), (1_000, 500), (5_000, 1_000), (20_000, 5_000)]
    for instances, machines in sizes if setting in (FULL, QUICK) else sizes[:1]:
        job = {"instances": instances, "machines": machines, "rounds": 10, "past": 20 if setting is FULL else 3}
        child = subprocess.run(
            [sys.executable, "-m", "benchmarks.decision_probe", json.dumps(job)],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        yield Row(instances=instances, machines=machines, **json.loads(child.stdout))
