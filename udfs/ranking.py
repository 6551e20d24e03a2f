"""How good a ranking of items is, with an exact rule for ties.

The rank of an item is the number of items with a higher score, plus half of the others with the same score: equal
scores share the mean of their ranks, so a model that knows nothing gains nothing from the order of its columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from paretosql.udfs.model import Floats, Ints, Singles


def mean_ranks(scores: Singles, wanted: Ints) -> Floats:
    """The ranks, from 0, of some columns of one row of scores, shape (w,). Columns at -inf do not take part.

    >>> mean_ranks(np.array([3.0, 1.0, 1.0, 1.0, 0.0], dtype=np.float32), np.array([0, 2])).tolist()
    [0.0, 2.0]
    """
    mine = scores[wanted]
    above = (scores[None, :] > mine[:, None]).sum(axis=1)
    equal = (scores[None, :] == mine[:, None]).sum(axis=1) - 1
    found: Floats = above + equal / 2.0
    return found


@dataclass
class RankingQuality:
    """Collects users one by one; metrics are means over users.

    hr: the share of users with one of their items among the k best. recall: the mean share of a user's items among
    them. ndcg: sum of 1 / log2(rank + 2) over a user's items with rank < k, over the most it could be. mrr: mean of
    1 / (rank + 1) of a user's best item. auc: mean share of the other items that a user's items are above.
    """

    k: int
    _hits: list[float] = field(default_factory=list)
    _recall: list[float] = field(default_factory=list)
    _gain: list[float] = field(default_factory=list)
    _reciprocal: list[float] = field(default_factory=list)
    _auc: list[float] = field(default_factory=list)
    unknown: int = 0
    seen: int = 0  # items that were not judged, since their user had them in training; the caller counts

    def add(self, ranks: Sequence[float] | Floats, candidates: int) -> None:
        """One user: ranks of the held out items, inf for those that cannot be recommended, among so many candidates."""
        found = np.asarray(ranks, dtype=np.float64)
        inside = found < self.k
        self._hits.append(float(inside.any()))
        self._recall.append(float(inside.mean()))
        most = (1.0 / np.log2(np.arange(min(len(found), self.k)) + 2.0)).sum()
        self._gain.append(float((1.0 / np.log2(found[inside] + 2.0)).sum() / most))
        self._reciprocal.append(float(1.0 / (found.min() + 1.0)))
        known = np.sort(found[np.isfinite(found)])
        self.unknown += len(found) - len(known)
        others = candidates - len(known)
        if others > 0 and len(known):
            below = others - (known - np.arange(len(known)))  # of the other items, how many each is above
            self._auc.append(float(below.mean() / others))  # ties among the user's own items cancel out

    @property
    def users(self) -> int:
        """How many users were added."""
        return len(self._hits)

    def metrics(self) -> list[tuple[str, float]]:
        """Names and values."""

        def mean(values: list[float]) -> float:
            return float(np.mean(values)) if values else float("nan")

        return [
            (f"hr@{self.k}", mean(self._hits)),
            (f"ndcg@{self.k}", mean(self._gain)),
            (f"recall@{self.k}", mean(self._recall)),
            ("mrr", mean(self._reciprocal)),
            ("auc", mean(self._auc)),
            ("users", float(self.users)),
            ("unknown_items", float(self.unknown)),
            ("seen_items", float(self.seen)),
        ]
