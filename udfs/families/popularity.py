"""What most users had, for everyone: the baseline that every other recommender must beat.

Columns in: users, items. Columns out: see `Recommender`; scores are numbers of users.
"""

from __future__ import annotations

import numpy as np

from paretosql.udfs.interactions import Matrix, RecommenderOptions
from paretosql.udfs.model import Ints, Singles, family
from paretosql.udfs.recommender import RECOMMENDER_VERBS, Recommender


@family("popularity", options=RecommenderOptions, source="a count", verbs=RECOMMENDER_VERBS)
class Popularity(Recommender):
    """The most popular items, without those a user has had.

    Cost: one pass over the rows; an answer is a copy of the counts.
    """

    def scores(self, history: Matrix, users: Ints) -> Singles:
        """The same for everyone."""
        return np.tile(self.popularity, (history.shape[0], 1))
