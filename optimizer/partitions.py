"""How many instances a stage is cut into: half as many, as many as planned, or twice as many.

With more instances each has less to do, and the heaviest one holds up the stage less; but each has a start of its own,
and takes a container's memory for itself. What a stage gains is a question to the same model and the same decision.
Source: an extension of arXiv:2207.02026, whose counts come from history alone; the search is our design.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from paretosql.errors import DataError, compose
from paretosql.optimizer.decide import Decision
from paretosql.optimizer.frontier import Floats, pareto, utopia_distances
from paretosql.optimizer.stage import Stage

MOST = 20_000  # instances that a stage is cut into at most; our choice


def recut(stage: Stage, count: int) -> Stage:
    """The stage with half or twice as many instances, as hashing the same keys into so many partitions would make them.

    Partition p of half as many holds those of p and of p + count. Of twice as many, p and p + len(stage) hold what p
    held, half of it each: a single key that is too large for one partition is not told apart here, and stays whole in
    truth.

    Raises:
        DataError: another count than half, the same or twice as many.

    >>> stage = Stage("job", 0, in_rows=np.array([6.0, 2.0, 4.0]), in_bytes=np.array([60.0, 20.0, 40.0]))
    >>> recut(stage, 6).in_rows.tolist(), recut(recut(stage, 6), 3).in_rows.tolist()
    ([3.0, 1.0, 2.0, 3.0, 1.0, 2.0], [6.0, 2.0, 4.0])
    """
    if count == len(stage):
        return stage
    if count == 2 * len(stage):
        parts = [np.tile(each / 2.0, 2) for each in _inputs(stage)]
    elif count >= 1 and count == -(-len(stage) // 2):
        parts = [_folded(each, count) for each in _inputs(stage)]
    else:
        raise DataError(
            compose(f"a stage of {len(stage)} instances cannot be cut into {count}", hint="half, or twice as many.")
        )
    rows, size, remote = parts
    return replace(stage, in_rows=rows, in_bytes=size, remote_bytes=remote)


def counts(stage: Stage, most: int = MOST) -> list[int]:
    """The numbers of instances that are compared: as planned first, then half and twice as many.

    >>> counts(Stage("job", 0, in_rows=np.ones(5), in_bytes=np.ones(5)))
    [5, 3, 10]
    """
    size = len(stage)
    others = [-(-size // 2), 2 * size]
    return [size, *(each for each in others if each != size and 1 <= each <= most)]


def tuned(
    stage: Stage,
    decided: Callable[[Stage], Decision],
    weights: tuple[float, float] = (0.5, 0.5),
    most: int = MOST,
) -> Decision:
    """The decision for the number of instances that suits a stage; `Decision.stage` is the stage as it was cut anew.

    The frontiers of all counts are one frontier; of the plans that were chosen on each, the one nearest to its utopia
    is taken, and the planned count where no other is nearer, there is no model, or some instances have to wait.

    Args:
        decided: makes the decision for a stage.
    Cost: three decisions.
    """
    planned = decided(stage)
    if not _comparable(planned):
        return planned
    found = [planned]
    for count in counts(stage, most)[1:]:
        cut = recut(stage, count)
        found.append(replace(decided(cut), stage=cut))
    found = [each for each in found if _comparable(each)]
    frontier = np.concatenate([each.frontier for each in found])
    chosen = np.array([[each.latency_s, each.cost] for each in found])
    return found[int(np.argmin(utopia_distances(chosen, frontier[pareto(frontier)], weights)))]  # the first of equals


def _comparable(decision: Decision) -> bool:
    return not decision.waiting and bool(np.isfinite([decision.latency_s, decision.cost]).all())


def _inputs(stage: Stage) -> tuple[Floats, Floats, Floats]:
    return stage.in_rows, stage.in_bytes, stage.remote_bytes


def _folded(sizes: Floats, count: int) -> Floats:
    """Sums over positions that are the same modulo `count`; NaN where one of them is unknown."""
    padded = np.concatenate((sizes, np.zeros(2 * count - len(sizes))))
    found: Floats = padded.reshape(2, count).sum(axis=0)
    return found
