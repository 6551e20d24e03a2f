"""User-kNN: an item scores by how many of the users most like this one had it, each by how like they are.

Columns in: users, items. Columns out: see `Recommender`.
Source: Herlocker et al., "An Algorithmic Framework for Performing Collaborative Filtering" (SIGIR 1999), cosine form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from paretosql.udfs.interactions import Matrix, RecommenderOptions
from paretosql.udfs.model import Ints, Singles, family
from paretosql.udfs.neighbours import row_lengths, strongest
from paretosql.udfs.options import option
from paretosql.udfs.recommender import WITH_LIKENESS, Recommender
from paretosql.udfs.topk import among_best


@dataclass(frozen=True)
class UserKnnOptions(RecommenderOptions):
    """Options of user-kNN."""

    neighbors: int = option(
        80, "how many like users are asked", low=1, aliases=("k", "n_neighbors", "num_neighbors"),
        source="a usual setting",
    )  # fmt: skip
    shrink: float = option(0.0, "damping of pairs with few common items", low=0.0)


@family("userknn", options=UserKnnOptions, source="Herlocker et al., SIGIR 1999", verbs=WITH_LIKENESS)
class UserKnn(Recommender):
    """What users with a like history had; nothing to train, new rows count at once.

    Cost: nothing to learn; O(users) per user to answer, in blocks.
    """

    def scores(self, history: Matrix, users: Ints) -> Singles:
        """Likeness to the nearest users times what they had; a user is not their own neighbour."""
        seen = self.known.seen
        common = self.known.in_common(history)
        length = row_lengths(history)[:, None] * row_lengths(seen)[None, :]
        with np.errstate(invalid="ignore", divide="ignore"):
            like = np.where(common > 0, common / (length + self.options.shrink), 0.0).astype(np.float32)
        own = np.flatnonzero(users >= 0)
        like[own, users[own]] = 0.0
        if self.known.whole is not None:
            like[~among_best(like, self.options.neighbors)] = 0.0
            found: Singles = like @ self.known.whole
            return found
        return np.asarray((strongest(like, self.options.neighbors) @ seen).toarray())

    def likeness(self, items: Ints) -> Singles:
        """The cosine of the users who had each."""
        columns = self.known.seen.T.tocsr()
        lengths = row_lengths(columns)
        mine = columns[items]
        common = (mine @ columns.T).toarray()
        found: Singles = (common / np.maximum(row_lengths(mine)[:, None] * lengths[None, :], 1e-12)).astype(np.float32)
        return found
