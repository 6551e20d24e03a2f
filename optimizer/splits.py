"""Which jobs a model is trained on and which it is judged by. A job is never divided.

Rows of one job are alike, so a split by row would show a model the answers; a split by time also shows it only the
past, as in production.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from paretosql.errors import DataError, compose
from paretosql.optimizer.frontier import Floats, Ints

SHARES = (0.8, 0.1, 0.1)  # section 4.3


@dataclass(frozen=True)
class Split:
    """Positions of rows to train on, to stop by, and to judge by."""

    train: Ints
    validation: Ints
    test: Ints


def by_time(job: Ints, time: npt.ArrayLike, seed: int = 0, shares: Sequence[float] = SHARES) -> Split:
    """The first jobs train, the next validate, the last test; shares are of rows, as nearly as whole jobs allow.

    Args:
        job: shape (N,), the number of the job of each row, from 0.
        time: shape (jobs,), when each began; NaN unknown. Jobs whose time is unknown are shuffled in at random.
        seed: of that.
    Raises:
        DataError: fewer than three jobs.
    """
    jobs = int(job.max(initial=-1)) + 1
    if jobs < 3:
        raise DataError(compose(f"{jobs} jobs cannot be divided into three", hint="give a trace with more jobs."))
    when = np.asarray(time, dtype=np.float64).copy()
    rng = np.random.default_rng(seed)
    unknown = np.isnan(when)
    known = when[~unknown]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    when[unknown] = rng.uniform(low, high, int(unknown.sum()))
    order = np.argsort(when, kind="stable")
    rows = np.bincount(job, minlength=jobs)[order]
    middle = (np.cumsum(rows) - rows / 2) / max(rows.sum(), 1)
    first = int(np.clip((middle < shares[0]).sum(), 1, jobs - 2))
    second = int(np.clip((middle < shares[0] + shares[1]).sum(), first + 1, jobs - 1))
    of_job = np.empty(jobs, dtype=np.int64)
    of_job[order] = np.repeat((0, 1, 2), (first, second - first, jobs - second))
    return Split(*(np.flatnonzero(of_job[job] == each) for each in range(3)))


def folds(group: Ints, weight: Floats, count: int, seed: int = 0) -> Ints:
    """The fold of every row, from 0: whole groups, dealt so that folds weigh about the same. O(N + groups log groups).

    Args:
        group: shape (N,), the number of the group of each row, from 0.
        weight: shape (N,), above 0.
    """
    heavy = np.bincount(group, weight)
    order = np.random.default_rng(seed).permutation(len(heavy))
    order = order[np.argsort(-heavy[order], kind="stable")]
    load = np.zeros(count)
    of_group = np.zeros(len(heavy), dtype=np.int64)
    for each in order.tolist():
        of_group[each] = int(np.argmin(load))
        load[of_group[each]] += heavy[each]
    found: Ints = of_group[group]
    return found


def recurring(template: Sequence[str], seen: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Which jobs recur: their template is among those `seen`. An unknown template, '', never does.

    >>> recurring(["q1", "q9", ""], ["q1", ""]).tolist()
    [True, False, False]
    """
    known = set(seen) - {""}
    return np.array([each in known for each in template], dtype=bool)
