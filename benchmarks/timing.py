"""Fair timing: programs take turns, and are compared by the median of the ratios within a turn.

On a shared machine speed drifts over seconds. Two runs that follow each other drift together, so their quotient is far
steadier than the quotient of two averages. The order within a turn is drawn anew, because it matters who ran before.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

import numpy as np

Times = dict[str, list[float]]


def take_turns(programs: Mapping[str, Callable[[], object]], rounds: int, seed: int = 7) -> Times:
    """Seconds of each program in each of `rounds` turns, after one turn that does not count.

    Args:
        seed: of the order within each turn. Each program goes first equally often, as far as `rounds` allows.
    """
    times: Times = {name: [] for name in programs}
    names, order = list(programs), np.random.default_rng(seed)
    for turn in range(rounds + 1):
        first = names[turn % len(names)]
        for name in (first, *order.permutation([name for name in names if name != first]).tolist()):
            began = time.perf_counter()
            programs[name]()
            seconds = time.perf_counter() - began
            if turn:
                times[name].append(seconds)
    return times


def median_ratio(times: Times, ours: str, theirs: str) -> float:
    """The median over turns of seconds of `ours` divided by seconds of `theirs`.

    >>> median_ratio({"a": [1.0, 9.0, 2.0], "b": [1.0, 3.0, 1.0]}, "a", "b")
    2.0
    """
    return statistics.median(mine / other for mine, other in zip(times[ours], times[theirs], strict=True))


def median(times: Times, name: str) -> float:
    """The median seconds of one program."""
    return statistics.median(times[name])
