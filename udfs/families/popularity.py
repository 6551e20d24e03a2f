"""What most users had, for everyone: the baseline that every other recommender must beat.

Columns in: users, items. Columns out: see `Recommender`; scores are numbers of users.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from paretosql.udfs.histories import rows_of
from paretosql.udfs.ids import UNKNOWN
from paretosql.udfs.interactions import Matrix, RecommenderOptions
from paretosql.udfs.model import Arguments, Floats, Ints, Singles, family
from paretosql.udfs.recommender import RECOMMENDER_VERBS, Recommender
from paretosql.udfs.topk import first_open, open_before


@family("popularity", options=RecommenderOptions, source="a count", verbs=RECOMMENDER_VERBS)
class Popularity(Recommender):
    """The most popular items, without those a user has had.

    Cost: one pass over the rows; an answer is one pass over the user's history.
    """

    def scores(self, history: Matrix, users: Ints) -> Singles:
        """The same for everyone."""
        return np.tile(self.known.popularity, (history.shape[0], 1))

    def ranked(
        self, history: Matrix, users: Ints, nobody: npt.NDArray[np.bool_], arguments: Arguments
    ) -> tuple[Ints, Ints, Floats]:
        """The first items of one order, in which they are numbered, that each user has not had."""
        every = np.arange(len(self.known.items))
        items: Ints = every if arguments.get("candidates") is None else arguments["candidates"]
        row, taken = rows_of(history), history.indices
        if not arguments["exclude_seen"]:
            row, taken = row[:0], taken[:0]
        elif len(items) < len(every):
            place = np.full(len(every), UNKNOWN, dtype=np.int32)
            place[items] = np.arange(len(items))
            among = place[taken] != UNKNOWN
            row, taken = row[among], place[taken[among]]
        whole = history is self.known.seen and len(taken) == history.nnz
        before = self._open_before if whole and len(items) == len(every) else open_before(row, taken, len(nobody))
        open_ = first_open(row, before, (len(nobody), len(items)), arguments["k"])
        open_[nobody] = len(items)
        found = open_ < len(items)
        chosen: Ints = items[open_[found]]
        rows: Ints = np.nonzero(found)[0].astype(np.int64)
        return rows, chosen, self.known.popularity[chosen].astype(np.float64)

    @cached_property
    def _open_before(self) -> Ints:
        """How many items that its user has not had are before each entry of the training; kept."""
        seen = self.known.seen
        return open_before(rows_of(seen), seen.indices, seen.shape[0])
