"""All combinations of instances, machines and containers as whole rows of features, a part at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from paretosql.optimizer.encoding import Encoding
from paretosql.optimizer.features import (
    COLUMNS,
    container_features,
    instance_features,
    machine_features,
    stage_features,
)
from paretosql.optimizer.frontier import Floats, Ints
from paretosql.optimizer.machines import Machines
from paretosql.optimizer.stage import Stage

ROWS_AT_ONCE = 100_000  # our choice: about 80 MB of features


@dataclass(frozen=True)
class Parts:
    """The four channels of a question, shapes (1, ..), (m, ..), (k, 2) and (n, ..)."""

    stage: Floats
    instance: Floats
    container: Floats
    machine: Floats

    @property
    def shape(self) -> tuple[int, int, int]:
        """Instances, machines, containers."""
        return len(self.instance), len(self.machine), len(self.container)


def parts_of(
    stage: Stage, machines: Machines, containers: npt.ArrayLike, encoding: Encoding, rows: Ints | None = None
) -> Parts:
    """The channels of a stage, machines and containers; `rows` chooses instances."""
    past = encoding.recurrence.past(stage)
    instances = instance_features(stage, past=past)
    return Parts(
        stage_features(stage, past),
        instances if rows is None else instances[rows],
        container_features(containers),
        machine_features(machines, encoding.hw_codes),
    )


def expand(parts: Parts, predict: Callable[[Floats], Floats]) -> Floats:
    """A prediction for every combination, shape (m, n, k): `predict` is given whole rows, (p, len(COLUMNS)).

    O(m * n * k) rows, of which at most about `ROWS_AT_ONCE` exist at a time.
    """
    m, n, k = parts.shape
    found = np.empty((m, n, k))
    if not found.size:
        return found
    step = max(1, ROWS_AT_ONCE // (n * k))
    for first in range(0, m, step):
        some = parts.instance[first : first + step]
        i, j, t = (each.ravel() for each in np.indices((len(some), n, k)))
        columns = (np.repeat(parts.stage, len(i), axis=0), some[i], parts.container[t], parts.machine[j])
        whole = np.concatenate(columns, axis=1).reshape(len(i), len(COLUMNS))
        found[first : first + step] = predict(whole).reshape(len(some), n, k)
    return found
