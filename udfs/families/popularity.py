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

NEAR = 64  # our choice: the largest k for which what `_near` keeps is enough


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
        number, k = len(self.known.items), arguments["k"]
        items: Ints = np.arange(number) if arguments.get("candidates") is None else arguments["candidates"]
        if not arguments["exclude_seen"]:
            row = before = np.empty(0, dtype=np.int64)
        elif history is self.known.seen and len(items) == number and k <= NEAR:
            row, before = self._near
        else:
            row, taken = rows_of(history), history.indices
            if len(items) < number:
                place = np.full(number, UNKNOWN, dtype=np.int32)
                place[items] = np.arange(len(items))
                among = place[taken] != UNKNOWN
                row, taken = row[among], place[taken[among]]
            before = open_before(row, taken, len(nobody))
        open_ = first_open(row, before, (len(nobody), len(items)), k)
        open_[nobody] = len(items)
        found = open_ < len(items)
        chosen: Ints = items[open_[found]]
        rows: Ints = np.nonzero(found)[0].astype(np.int64)
        return rows, chosen, self.known.popularity[chosen].astype(np.float64)

    @cached_property
    def _near(self) -> tuple[Ints, Ints]:
        """Of the entries of the training before which fewer than `NEAR` items are that their user has not had, the row
        and how many; kept, as everyone is asked about often.
        """
        seen = self.known.seen
        row = rows_of(seen)
        before = open_before(row, seen.indices, seen.shape[0])
        near = np.flatnonzero(before < NEAR)
        return row[near], before[near]
