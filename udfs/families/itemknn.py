"""Item-kNN: items that the same users had are alike; an item scores by its likest items in the history.

The cosine of two columns of the matrix, damped by `shrink` (pairs that few users have in common count less); of each
item only its k likest are kept.

Columns in: users, items. Columns out: see `Recommender`.
Source: Sarwar et al., "Item-Based Collaborative Filtering" (WWW 2001); the damping is that of Bell and Koren (2007).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from paretosql.udfs.interactions import Matrix, RecommenderOptions
from paretosql.udfs.model import Ints, Singles, Training, family
from paretosql.udfs.neighbours import likest
from paretosql.udfs.options import LARGEST_SINGLE, option
from paretosql.udfs.recommender import WITH_LIKENESS, Recommender


@dataclass(frozen=True)
class ItemKnnOptions(RecommenderOptions):
    """Options of item-kNN."""

    neighbors: int = option(
        200, "how many like items each item keeps", low=1, aliases=("k", "n_neighbors", "num_neighbors"),
        source="the better of 50 and 200 on MovieLens latest-small",
    )  # fmt: skip
    shrink: float = option(
        100.0, "damping of pairs with few common users", low=0.0, high=LARGEST_SINGLE, source="the same"
    )


@family("itemknn", options=ItemKnnOptions, source="Sarwar et al., WWW 2001", verbs=WITH_LIKENESS)
class ItemKnn(Recommender):
    """Items like those a user had; explains itself, grows with the number of items alone.

    Cost: O(sum of the squares of users' history lengths) to learn, in blocks; 8 bytes x items x neighbors to keep.
    """

    @classmethod
    def learn(cls, seen: Matrix, options: ItemKnnOptions, training: Training) -> Mapping[str, npt.NDArray[Any]]:
        """The k likest items of each, as CSR: row i holds the items that i is like."""
        return likest(seen.T.tocsr(), options.neighbors, options.shrink, training)

    def scores(self, history: Matrix, users: Ints) -> Singles:
        """The sum of the likeness of each item to those in the history."""
        found: Singles = (history @ self._similar_items().T).toarray()
        return found

    def likeness(self, items: Ints) -> Singles:
        """Its kept neighbours; nothing for others."""
        found = self._similar_items()[items].toarray()
        return np.where(found > 0, found, -np.inf).astype(np.float32)

    def _similar_items(self) -> Matrix:
        from scipy import sparse

        learned, width = self.learned, len(self.known.items)
        return sparse.csr_matrix((learned["value"], learned["column"], learned["starts"]), shape=(width, width))
