"""In which ways a question is unlike everything a model was trained on, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from paretosql.optimizer.features import COLUMNS, column, instance_features, machine_features, stage_features
from paretosql.optimizer.frontier import Floats
from paretosql.optimizer.machines import Machines
from paretosql.optimizer.stage import Stage

# What is compared, and what a reader calls it. Features of single operators are left out: there are too many.
WATCHED = {
    ("stage", "instances"): "the number of instances",
    ("stage", "parallelism"): "the parallelism",
    ("stage", "est_bytes"): "the estimated input",
    ("instance", "in_rows"): "the input rows",
    ("instance", "in_bytes"): "the input bytes",
    ("machine", "machine_cores"): "the cores",
    ("machine", "machine_memory_gib"): "the memory",
    ("machine", "cpu_util"): "the use of processors",
}
CONTAINERS = {"container_cores": "cores", "container_memory_gib": "GiB of memory"}
SLACK = 0.05  # of the trained range on either side, and as much of a logarithm or level: no news. Our choice


@dataclass(frozen=True)
class Ranges:
    """The least and largest value of each feature in training, shape (2, len(COLUMNS)); NaN where none was known."""

    limits: Floats = field(default_factory=lambda: np.full((2, len(COLUMNS)), np.nan))

    def unlike(self, stage: Stage, machines: Machines, hw_codes: Mapping[str, float]) -> tuple[str, ...]:
        """One sentence for each unseen hardware type, each size outside of its range, each that was known in training
        and is not known now, and containers of which training had one size only.
        """
        new = sorted(set(machines.hw_types) - set(hw_codes)) if hw_codes else []
        said = [f"hardware type {name!r} was not in training" for name in new]
        for name, words in CONTAINERS.items():
            low, high = self.limits[:, column("container", name)]
            if low == high:
                said.append(f"all containers in training had {low:g} {words}: what others would do is a guess")
        blocks = {
            "stage": stage_features(stage),
            "instance": instance_features(stage),
            "machine": machine_features(machines, hw_codes),
        }
        for (channel, name), words in WATCHED.items():
            values = blocks[channel][:, _within(channel, name)]
            low, high = self.limits[:, column(channel, name)]
            who = {"stage": "the stage", "instance": "instances", "machine": "machines"}[channel]
            if np.isnan(low) or not len(values):
                continue
            margin = SLACK * (1.0 + high - low)
            for wrong, how in ((values < low - margin, "below"), (values > high + margin, "above")):
                if wrong.any():
                    many = f"{int(wrong.sum())} of {len(values)} {who}" if len(values) > 1 else who
                    said.append(f"{words} of {many} is {how} the range of training")
            if np.isnan(values).all():
                said.append(f"{words} of {who} is not known, but was in training")
        return tuple(said)


def ranges_of(*blocks: Floats) -> Ranges:
    """The ranges of features, given as whole rows or as one block of rows for each channel, in their order."""
    limits = [[np.fmin.reduce(each), np.fmax.reduce(each)] for each in blocks if len(each)]
    return Ranges(np.concatenate(limits, axis=1)) if len(limits) == len(blocks) else Ranges()


def _within(channel: str, name: str) -> int:
    """The position of a feature within its channel."""
    first = next(at for at, each in enumerate(COLUMNS) if each.startswith(f"{channel}."))
    return column(channel, name) - first
