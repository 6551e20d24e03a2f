"""User-kNN: an item scores by how many of the users most like this one had it, each by how like they are.

Columns in: users, items. Columns out: see `Recommender`.
Source: Herlocker et al., "An Algorithmic Framework for Performing Collaborative Filtering" (SIGIR 1999), cosine form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from paretosql.udfs.histories import rows_of
from paretosql.udfs.interactions import Matrix, RecommenderOptions
from paretosql.udfs.model import Ints, Singles, family
from paretosql.udfs.neighbours import row_lengths, strongest
from paretosql.udfs.options import LARGEST_SINGLE, option
from paretosql.udfs.recommender import WITH_LIKENESS, Recommender
from paretosql.udfs.topk import among_best


@dataclass(frozen=True)
class UserKnnOptions(RecommenderOptions):
    """Options of user-kNN."""

    neighbors: int = option(
        80, "how many like users are asked", low=1, aliases=("k", "n_neighbors", "num_neighbors"),
        source="a usual setting",
    )  # fmt: skip
    shrink: float = option(0.0, "damping of pairs with few common items", low=0.0, high=LARGEST_SINGLE)


@family("userknn", options=UserKnnOptions, source="Herlocker et al., SIGIR 1999", verbs=WITH_LIKENESS)
class UserKnn(Recommender):
    """What users with a like history had; nothing to train, new rows count at once.

    Cost: nothing to learn; O(rows of the items that a user had) to answer for the user, in blocks.
    """

    def scores(self, history: Matrix, users: Ints) -> Singles:
        """Likeness to the nearest users times what they had; a user is not their own neighbour."""
        seen, whole = self.known.seen, self.known.whole
        mine, theirs = row_lengths(history), row_lengths(seen)
        if whole is None:
            like = history @ seen.T
            row = rows_of(like)
            like.data = (like.data / (mine[row] * theirs[like.indices] + self.options.shrink)).astype(np.float32)
            like.data[like.indices == users[row]] = 0.0
            return np.asarray((strongest(like, self.options.neighbors) @ seen).toarray())
        common = self.known.in_common(history)
        with np.errstate(invalid="ignore", divide="ignore"):
            near = common / (mine[:, None] * theirs[None, :] + self.options.shrink)
            near = np.where(common > 0, near, 0.0).astype(np.float32)
        own = np.flatnonzero(users >= 0)
        near[own, users[own]] = 0.0
        near[~among_best(near, self.options.neighbors)] = 0.0
        found: Singles = near @ whole
        return found

    def likeness(self, items: Ints) -> Singles:
        """The cosine of the users who had each."""
        columns = self.known.seen.T.tocsr()
        lengths = row_lengths(columns)
        mine = columns[items]
        common = (mine @ columns.T).toarray()
        found: Singles = (common / np.maximum(row_lengths(mine)[:, None] * lengths[None, :], 1e-12)).astype(np.float32)
        return found
