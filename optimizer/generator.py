"""Workloads to simulate: recurring jobs whose stages have skewed instances, in three sizes.

A is short (up to 20 instances a stage, seconds), B mixed (around 50, Zipf's skew 1.1), C long (up to 5,000, heavy
skew). Shapes of jobs, numbers of instances and gaps between arrivals can be those of a real trace.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from paretosql.optimizer.fleet import Fleet, mixed_fleet
from paretosql.optimizer.frontier import Floats
from paretosql.optimizer.jobs import Job, Workload
from paretosql.optimizer.stage import Operator, Stage
from paretosql.optimizer.stage_graph import graph_facts
from paretosql.optimizer.units import GIB
from paretosql.registry import Registry

Edges = tuple[tuple[int, int], ...]
KINDS = ("scan", "filter", "project", "join", "aggregate", "sort", "exchange")


@dataclass(frozen=True)
class Kind:
    """What the jobs of a workload are like; all of it our choice but what section 9 of the method's notes says.

    Attributes:
        instances: median, spread (of the logarithm) and largest number of instances per stage.
        skew: exponent of Zipf's law over the instances of a stage, drawn from this range for each signature.
        shift: added to ranks in Zipf's law (Mandelbrot's form), so that the largest instance fits some container.
        gib: median input of an instance.
        stages: fewest and most stages of a job.
        machines: how many the cluster has.
        load: the share of the cluster's cores that jobs would keep busy with one core per instance.
        past: jobs of a day of history, so that a few days have some ten thousand instances.
    """

    name: str
    instances: tuple[float, float, int]
    skew: tuple[float, float]
    shift: float
    gib: float
    stages: tuple[int, int]
    machines: int
    load: float
    past: int


kinds: Registry[Kind] = Registry("workload")
for _kind in (
    Kind("A", (6, 0.7, 20), (0.2, 0.7), 0.0, 0.05, (1, 4), 40, 0.15, 300),
    Kind("B", (50, 0.8, 1_000), (0.9, 1.3), 1.0, 0.25, (2, 7), 120, 0.2, 60),
    Kind("C", (400, 0.9, 5_000), (0.9, 1.4), 10.0, 0.5, (2, 6), 400, 0.2, 20),
):
    kinds.add(_kind.name, _kind)


@dataclass(frozen=True)
class Shapes:
    """What is taken from a real trace; empty parts are drawn at random.

    Attributes:
        jobs: for each job its number of stages and its edges, from lower to higher positions.
        instances: numbers of instances per stage.
        gaps: relative gaps between submissions.
    """

    jobs: tuple[tuple[int, Edges], ...] = ()
    instances: tuple[int, ...] = ()
    gaps: tuple[float, ...] = ()


@dataclass(frozen=True)
class _Template:
    """A recurring job: what stays the same from run to run."""

    name: str
    edges: Edges
    instances: tuple[int, ...]
    skew: Floats
    shift: float
    gib: Floats  # median input per instance of each stage
    row_bytes: Floats
    operators: tuple[tuple[str, ...], ...]
    misjudged: Floats = field(default_factory=lambda: np.ones(1))  # the planner's constant error in rows, per stage


def generate(
    kind: str,
    jobs: int,
    seed: int = 0,
    *,
    templates: int = 12,
    shapes: Shapes | None = None,
    fleet: Fleet | None = None,
    run: int = 0,
) -> Workload:
    """`jobs` jobs of one kind of workload.

    Args:
        kind: A, B or C.
        seed: of the templates and the cluster; the same seed gives the same recurring jobs.
        run: of everything that differs from day to day: sizes, skew, arrivals.
    Cost: O(instances) time and memory.
    """
    what = kinds[kind]
    shapes = shapes or Shapes()
    rng = np.random.default_rng((seed, 1))
    known = [_template(what, at, rng, shapes) for at in range(templates)]
    fleet = fleet or mixed_fleet(what.machines, seed)
    daily = np.random.default_rng((seed, 2, run))
    made = [_job(known[int(daily.integers(templates))], at, daily) for at in range(jobs)]
    times = _arrivals(made, what, fleet, daily, shapes)
    return Workload(kind, tuple(replace(job, submit_s=float(at)) for job, at in zip(made, times, strict=True)), fleet)


def _template(what: Kind, number: int, rng: np.random.Generator, shapes: Shapes) -> _Template:
    stages, edges = _shape(what, rng, shapes)
    median, spread, most = what.instances
    if shapes.instances:
        drawn = rng.choice(shapes.instances, stages)
    else:
        drawn = np.rint(rng.lognormal(np.log(median), spread, stages))
    instances = tuple(int(each) for each in np.clip(drawn, 1, most))
    operators = tuple(tuple(rng.choice(KINDS, int(rng.integers(2, 7)))) for _ in range(stages))
    return _Template(
        f"{what.name.lower()}{number:02d}",
        edges,
        instances,
        rng.uniform(*what.skew, stages),
        what.shift,
        what.gib * rng.lognormal(0.0, 0.7, stages),
        rng.uniform(20, 400, stages),
        operators,
        rng.lognormal(0.0, 0.5, stages),
    )


def _shape(what: Kind, rng: np.random.Generator, shapes: Shapes) -> tuple[int, Edges]:
    if shapes.jobs:
        return shapes.jobs[int(rng.integers(len(shapes.jobs)))]
    stages = int(rng.integers(what.stages[0], what.stages[1] + 1))
    edges = set()
    for target in range(1, stages):
        for source in rng.choice(target, min(target, int(rng.integers(1, 3))), replace=False):
            edges.add((int(source), target))
    return stages, tuple(sorted(edges))


def _job(template: _Template, number: int, rng: np.random.Generator) -> Job:
    size = float(rng.lognormal(0.0, 0.3))  # of the data of this day
    job_id = f"{template.name}-{number:05d}"
    counts = [max(1, round(median * size**0.5)) if median > 1 else 1 for median in template.instances]
    facts = graph_facts([float(count) for count in counts], template.edges)
    stages = []
    for at, count in enumerate(counts):
        share = (np.arange(1, count + 1) + template.shift) ** -template.skew[at]
        share = rng.permutation(share * rng.lognormal(0.0, 0.1, count))
        total = template.gib[at] * GIB * size * template.instances[at]
        in_bytes = np.rint(total * share / share.sum()) + 1.0
        in_rows = np.ceil(in_bytes / template.row_bytes[at])
        estimate = template.misjudged[at] * rng.lognormal(0.0, 0.1)
        operators = tuple(
            Operator(
                kind,
                float(in_rows.sum() * estimate * 0.7**depth_in),
                float(in_bytes.sum() * estimate * 0.7**depth_in),
                float(in_rows.sum() * estimate),
                (depth_in - 1,) if depth_in else (),
            )
            for depth_in, kind in enumerate(template.operators[at])
        )
        stages.append(
            Stage(
                job_id,
                at,
                in_rows,
                in_bytes,
                remote_bytes=np.rint(in_bytes * (0.8 if any(target == at for _, target in template.edges) else 0.0)),
                signature=f"{template.name}/{at}",
                template_id=template.name,
                operators=operators,
                facts={**facts[at], "est_rows": operators[0].rows, "est_bytes": operators[0].bytes},
            )
        )
    return Job(job_id, template.name, 0.0, tuple(stages), template.edges)


def _arrivals(jobs: list[Job], what: Kind, fleet: Fleet, rng: np.random.Generator, shapes: Shapes) -> Floats:
    """Times of submission that keep the wanted share of the cluster busy, on average."""
    gaps = rng.choice(shapes.gaps, len(jobs)) if shapes.gaps else rng.exponential(1.0, len(jobs))
    work_s = sum(float(stage.in_bytes.sum()) for job in jobs for stage in job.stages) / GIB * 45.0  # about
    span = work_s / (what.load * float(fleet.machines.cores.sum()))
    times: Floats = np.cumsum(gaps / max(gaps.sum(), 1e-9) * span) - gaps[0] / max(gaps.sum(), 1e-9) * span
    return times
