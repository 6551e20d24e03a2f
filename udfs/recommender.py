"""The kind of family that recommends: everything around the idea of how histories become scores.

A family learns tensors from a sparse matrix of users and items (`learn`), and turns histories into a score for every
item (`scores`); with `vectors` or `likeness` it can also say which items are alike. Ids, unseen users, items left out,
candidates, top k, evaluation and storage are here.

Items are numbered by falling popularity, so that ties in scores are settled in favour of the popular.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from paretosql.errors import DataError, ProgrammingError, compose, spelt
from paretosql.udfs.histories import Known, asked_histories, given_histories, numbered, rows_of
from paretosql.udfs.ids import UNKNOWN, Codes, Ids, check_id_type, id_values
from paretosql.udfs.interactions import (
    Columns,
    Matrix,
    RecommenderOptions,
    columns_of,
    popular_first,
    read_interactions,
    weights_of,
)
from paretosql.udfs.model import MEMORY_BYTES, STATUS, Arguments, Floats, Ints, Model, Singles, State, Training
from paretosql.udfs.options import changed_numbers
from paretosql.udfs.ranking import RankingQuality, mean_ranks
from paretosql.udfs.roles import found_column
from paretosql.udfs.rows import Rows
from paretosql.udfs.topk import best
from paretosql.udfs.vectors import EMBEDDING, stacked, unit

RECOMMENDER_VERBS = ("recommend", "predict", "evaluate", "training_info", "trial_info")
WITH_LIKENESS = (*RECOMMENDER_VERBS, "similar")
WITH_VECTORS = (*WITH_LIKENESS, "embed")
LARGEST_LEARNT = 1e15  # our choice: sums of products of such numbers are still numbers of four bytes
SCORE_BYTES = 4 * 6  # of a score: the matrix, its order, and what numpy copies on the way


class Recommender(Model):
    """A trained recommender."""

    def __init__(self, options: Any, known: Known, learned: Mapping[str, npt.NDArray[Any]]) -> None:
        self.options = options
        self.known = known
        self.learned = learned

    # what a family brings

    @classmethod
    def learn(cls, seen: Matrix, options: Any, training: Training) -> Mapping[str, npt.NDArray[Any]]:
        """What is learnt from who had what: named tensors.

        Args:
            seen: shape (users, items), float32 CSR without empty columns; entries are 1, or sums of ratings.
        """
        return {}

    def scores(self, history: Matrix, users: Ints) -> Singles:
        """A score for every item, shape (b, items): a new array, which the caller changes.

        Args:
            history: shape (b, items), what each user had.
            users: numbers of the users whose history is that of the training, `UNKNOWN` for others.
        """
        raise NotImplementedError

    def pair_scores(self, history: Matrix, users: Ints, row: Ints, item: Ints) -> Singles:
        """The scores of single items, shape (n,), for users of `scores` by their row; by default taken from all."""
        found: Singles = self.scores(history, users)[row, item]
        return found

    def vectors(self) -> Singles | None:
        """A vector for every item, shape (items, d), when the family has them."""
        return None

    def likeness(self, items: Ints) -> Singles:
        """How much other items are like these, shape (b, items); by default the cosine of their vectors."""
        return self.nearness(self._unit_vectors()[items])

    def ranked(
        self, history: Matrix, users: Ints, nobody: npt.NDArray[np.bool_], arguments: Arguments
    ) -> tuple[Ints, Ints, Floats]:
        """The items that recommend gives, as row, item and score of each, row by row and best first.

        Args:
            nobody: shape (b,), rows that get nothing.
            arguments: as `prepare` left them; `candidates` are numbers of items, ascending.
        """
        scores = self._scored(history, users)
        if arguments["exclude_seen"]:
            scores[rows_of(history), history.indices] = -np.inf
        scores[nobody] = -np.inf
        return _chosen(scores, arguments)

    # learning

    @classmethod
    def fit(cls, rows: Rows, options: Any, training: Training) -> Self:
        """Learn from rows with users and items; for the errors see `interactions`."""
        name = cls.family.name
        columns = columns_of(rows.schema, options, name)
        found = read_interactions(rows, columns, name, training)
        if not len(found):
            problem, hint = f"{name}: there are no rows to learn from", "the training query gave none."
            if rows.num_rows:
                hint = f"of {rows.num_rows:,} rows none has both {spelt(columns.user)} and {spelt(columns.item)}."
            raise DataError(compose(problem, hint=hint))
        weight = weights_of(found, options, columns, name)
        items, seen = popular_first(found, weight, binary=options.weighting == "binary")
        with np.errstate(over="ignore", invalid="ignore"):  # `_refuse_infinite` looks at what comes of it
            learned = cls.learn(seen, options, training)
        _refuse_infinite(learned, options, name)
        return cls(options, Known(columns, found.users, items, seen), learned)

    def arrays(self) -> State:
        """Ids as columns, the matrix and what was learnt as tensors."""
        known, seen = self.known, self.known.seen
        tensors = {"seen_starts": seen.indptr.astype(np.int64), "seen_items": seen.indices.astype(np.int32)}
        if (seen.data != 1.0).any():
            tensors["seen_weights"] = seen.data
        learned = {f"learned_{name}": np.ascontiguousarray(each) for name, each in self.learned.items()}
        return State(
            {"columns": vars(known.columns)},
            {**tensors, **learned},
            {"users": known.users.values, "items": known.items.values},
        )

    @classmethod
    def from_arrays(cls, state: State, options: Any) -> Self:
        """The model that `arrays` took apart."""
        from scipy import sparse

        users, items = Ids(state.columns["users"]), Ids(state.columns["items"])
        indices = np.asarray(state.tensors["seen_items"])
        data = state.tensors.get("seen_weights")
        weights = np.ones(len(indices), dtype=np.float32) if data is None else np.asarray(data)
        seen = sparse.csr_matrix((weights, indices, state.tensors["seen_starts"]), shape=(len(users), len(items)))
        learned = {
            name.removeprefix("learned_"): each for name, each in state.tensors.items() if name.startswith("learned_")
        }
        return cls(options, Known(Columns(**state.facts["columns"]), users, items, seen), learned)

    # being asked

    def inputs(self, verb: str, names: Sequence[str] = ()) -> list[pa.Field]:
        """Users for recommend, items for similar and embed (or vectors for similar), both for predict."""
        columns = self.known.columns
        user = pa.field(columns.user, self.known.users.values.type)
        item = pa.field(columns.item, self.known.items.values.type)
        if verb == "similar" and self._by_vector(names):
            return [pa.field(EMBEDDING, pa.list_(pa.float32()))]
        return {"recommend": [user], "similar": [item], "embed": [item]}.get(verb, [user, item])

    def key_columns(self, verb: str, names: Sequence[str]) -> list[str]:
        """The user of recommend, the item of similar."""
        wanted = {"recommend": self.known.columns.user, "similar": self.known.columns.item}.get(verb)
        found = None if wanted is None else found_column(names, wanted)
        return [] if found is None else [found]

    def other_inputs(self, verb: str) -> list[pa.Field]:
        """Vectors for similar, where the family has them."""
        return self.inputs(verb, [EMBEDDING]) if verb == "similar" and "embed" in self.verbs() else []

    def outputs(self, verb: str, names: Sequence[str] = ()) -> list[pa.Field]:
        """See docs/models.md."""
        (item, *_) = self.inputs("embed")
        if verb == "recommend":
            return [*self.inputs("recommend"), item, pa.field("rank", pa.int32()), pa.field("score", pa.float64())]
        if verb == "similar":
            key = pa.field("row", pa.int64()) if self._by_vector(names) else item
            other = pa.field(f"similar_{item.name}", item.type)
            return [key, other, pa.field("rank", pa.int32()), pa.field("score", pa.float64())]
        if verb == "embed":
            return [pa.field(EMBEDDING, pa.list_(pa.float32()))]
        return [pa.field("score", pa.float64())]

    def _by_vector(self, names: Sequence[str]) -> bool:
        """Whether rows with these columns ask similar with vectors, and not with items."""
        given = found_column(names, EMBEDDING) and not found_column(names, self.known.columns.item)
        return bool(given) and "embed" in self.verbs()

    def _ids(self, batch: pa.RecordBatch, name: str) -> pa.Array:
        """A column of ids; DataError when none of its values could be one."""
        column = batch.column(name)
        check_id_type(column.type, name, self.family.name)
        return id_values(column)

    def default_rows(self, verb: str) -> pa.Table:
        """The rows that a verb is about when none are given: all users, or all items, of the training."""
        (field,) = self.inputs(verb)
        ids = self.known.users if verb == "recommend" else self.known.items
        return pa.table({field.name: ids.values})

    def bytes_per_row(self, verb: str, arguments: Arguments) -> int:
        """One score for every item; predict keeps to its memory by itself."""
        return 256 if verb == "predict" else max(SCORE_BYTES * len(self.known.items), 256)

    def prepare(self, verb: str, arguments: Arguments) -> Arguments:
        """Histories and candidates that were given as tables, by number."""
        found = dict(arguments)
        if found.get("history") is not None:
            found["history"] = given_histories(self.known, found["history"], self.options.weighting, self.family.name)
        if found.get("candidates") is not None:
            found["candidates"] = self._candidates(found["candidates"])
        return found

    def apply(self, verb: str, batch: pa.RecordBatch, arguments: Arguments) -> pa.RecordBatch:
        """Answers for a batch whose columns are those of `inputs`."""
        answer = {
            "recommend": self._recommend, "predict": self._predict, "similar": self._similar, "embed": self._embed
        }[verb]  # fmt: skip
        return answer(batch, arguments)

    def _recommend(self, batch: pa.RecordBatch, arguments: Arguments) -> pa.RecordBatch:
        given = self._ids(batch, self.known.columns.user)
        history, codes = asked_histories(self.known, given, arguments)
        nobody = given.is_null().to_numpy(zero_copy_only=False)
        if arguments["cold_start"] == "none":
            nobody = nobody | (np.diff(history.indptr) == 0)
        rows, columns, values = self.ranked(history, codes, nobody, arguments)
        rank = _places(rows)
        answers = [given.take(pa.array(rows)), self.known.items.take(columns), pa.array(rank), pa.array(values)]
        return pa.RecordBatch.from_arrays(answers, names=[each.name for each in self.outputs("recommend")])

    def _predict(self, batch: pa.RecordBatch, arguments: Arguments) -> pa.RecordBatch:
        columns = self.known.columns
        users, items = (self._ids(batch, each) for each in (columns.user, columns.item))
        item = self.known.items.codes(items).astype(np.int64)
        encoded = users.dictionary_encode()
        row = pc.fill_null(encoded.indices, UNKNOWN).to_numpy(zero_copy_only=False).astype(np.int64)
        value, has_history = np.zeros(len(item)), np.zeros(len(encoded.dictionary) + 1, dtype=bool)
        block = max(1, MEMORY_BYTES // (SCORE_BYTES * max(1, len(self.known.items))))
        for first in range(0, len(encoded.dictionary), block):  # rows of a user lie anywhere in the batch
            history, codes = asked_histories(self.known, encoded.dictionary.slice(first, block), arguments)
            has_history[first : first + history.shape[0]] = np.diff(history.indptr) > 0
            here = np.flatnonzero((row >= first) & (row < first + block) & has_history[row] & (item != UNKNOWN))
            value[here] = self.pair_scores(history, codes, row[here] - first, item[here])
        no_item = items.is_null().to_numpy(zero_copy_only=False)
        reason = np.select([row == UNKNOWN, ~has_history[row], no_item, item == UNKNOWN], [1, 2, 3, 4], 0)
        texts = [f"{columns.user} is NULL", f"nothing is known of this {columns.user}", *_absent(columns.item)]
        status = pa.array([None, *texts], pa.string()).take(pa.array(reason))
        return pa.RecordBatch.from_arrays([pa.array(value, mask=reason > 0), status], names=["score", STATUS])

    def _similar(self, batch: pa.RecordBatch, arguments: Arguments) -> pa.RecordBatch:
        outputs = self.outputs("similar", batch.schema.names)
        if self._by_vector(batch.schema.names):
            vectors, known = stacked(batch.column(EMBEDDING), self._width())
            scores = self.nearness(unit(vectors))
            scores[~known] = -np.inf
            keys: pa.Array = pa.array(np.arange(batch.num_rows) + int(arguments.get("first_row", 0)) + 1)
        else:
            keys = self._ids(batch, self.known.columns.item)
            codes = self.known.items.codes(keys).astype(np.int64)
            known = codes != UNKNOWN
            scores = np.full((len(codes), len(self.known.items)), -np.inf, dtype=np.float32)
            if known.any():
                scores[known] = self.likeness(codes[known])
            scores[np.flatnonzero(known), codes[known]] = -np.inf  # not itself
        rows, columns, values = _chosen(scores, arguments)
        answers = [keys.take(pa.array(rows)), self.known.items.take(columns), pa.array(_places(rows)), pa.array(values)]
        return pa.RecordBatch.from_arrays(answers, names=[each.name for each in outputs])

    def _embed(self, batch: pa.RecordBatch, arguments: Arguments) -> pa.RecordBatch:
        vectors = self.vectors()
        assert vectors is not None
        name = self.known.columns.item
        items = self._ids(batch, name)
        codes = self.known.items.codes(items)
        known = codes != UNKNOWN
        values = vectors[np.where(known, codes, 0)].astype(np.float32) if len(vectors) else np.zeros((len(codes), 0))
        width = values.shape[1]
        starts = np.arange(len(codes) + 1, dtype=np.int32) * width
        flat = pa.array(values.ravel().astype(np.float32))
        lists = pa.ListArray.from_arrays(pa.array(starts), flat, mask=pa.array(~known))
        reason = np.select([items.is_null().to_numpy(zero_copy_only=False), ~known], [1, 2], 0)
        status = pa.array([None, *_absent(name)], pa.string()).take(pa.array(reason))
        return pa.RecordBatch.from_arrays([lists, status], names=[EMBEDDING, STATUS])

    def summarize(self, verb: str, rows: Rows | None, arguments: Arguments) -> pa.Table:
        """The quality of the ranking of the items in `rows` among those that each user has not had."""
        assert rows is not None
        arguments = self.prepare(verb, arguments)
        found = numbered(self.known, rows, RecommenderOptions(), self.family.name)[0]
        quality = RankingQuality(arguments["k"])
        order = np.argsort(found.user, kind="stable")
        users, item = found.user[order], found.item[order]
        starts = np.flatnonzero(np.diff(users, prepend=-1))
        block = max(1, (1 << 28) // self.bytes_per_row(verb, arguments))
        for first in range(0, len(starts), block):
            mine = starts[first : first + block]
            ends = np.append(starts, len(users))[first + 1 : first + 1 + len(mine)]
            history, codes = asked_histories(self.known, found.users.take(users[mine]), arguments)
            scores = self._scored(history, codes)
            if arguments["exclude_seen"]:
                scores[rows_of(history), history.indices] = -np.inf
            for at, (begin, end) in enumerate(zip(mine, ends, strict=True)):
                _judge(scores[at], item[begin:end], quality)
        metrics = quality.metrics()
        return pa.table({"metric": [name for name, _ in metrics], "value": [value for _, value in metrics]})

    # parts

    def nearness(self, unit_vectors: Singles) -> Singles:
        """The cosine of vectors, shape (b, d), of length 1 with the vectors of all items, shape (b, items)."""
        found: Singles = unit_vectors @ self._unit_vectors().T
        return found

    def _unit_vectors(self) -> Singles:
        if not hasattr(self, "_units"):
            vectors = self.vectors()
            assert vectors is not None
            self._units = unit(vectors)
        return self._units

    def _width(self) -> int:
        return int(self._unit_vectors().shape[1])

    def _scored(self, history: Matrix, codes: Ints) -> Singles:
        """The scores of the family; the popularity of items for those without a history."""
        scores = np.ascontiguousarray(self.scores(history, codes), dtype=np.float32)
        empty = np.diff(history.indptr) == 0
        if empty.any():
            scores[empty] = self.known.popularity
        return scores

    def _candidates(self, table: pa.Table) -> Ints:
        """Numbers of the items in a table, ascending."""
        names, wanted = table.column_names, self.known.columns.item
        name = found_column(names, wanted) or (names[0] if len(names) == 1 else None)
        if name is None:
            problem = f"none of the columns {', '.join(names)} of candidates is called {wanted!r}"
            raise ProgrammingError(compose(problem, hint=f"candidates => (SELECT .. AS {wanted} FROM ..)."))
        check_id_type(table.schema.field(name).type, name, self.family.name)
        codes: Ints = np.unique(self.known.items.codes(table.column(name)).astype(np.int64))
        known: Ints = codes[codes != UNKNOWN]
        return known


def _refuse_infinite(learned: Mapping[str, npt.NDArray[Any]], options: RecommenderOptions, family: str) -> None:
    """DataError where products of what was learnt might be no numbers; the hint says what may be the reason."""
    numbers = [each for each in learned.values() if each.dtype.kind == "f"]
    if all(np.abs(each).max(initial=0.0) <= LARGEST_LEARNT for each in numbers):  # NaN is not
        return
    changed = ", ".join(f"{name} = {value:g}" for name, value in changed_numbers(options).items())
    reasons = [f"leave out {changed}" if changed else "take fewer rounds"]
    reasons += ["scale the ratings down"] if options.weighting == "rating" else []
    raise DataError(compose(f"{family}: what was learnt is beyond all numbers", hint=f"{', or '.join(reasons)}."))


def _absent(item: str) -> tuple[str, str]:
    """Why there is nothing to say of an item."""
    return f"{item} is NULL", f"{item} is not in the training"


def _judge(scores: Singles, items: Codes, quality: RankingQuality) -> None:
    """Add one user: items that training has seen with the user are left out, unknown ones rank nowhere; an item counts
    once.
    """
    different = np.unique(items).astype(np.int64)
    wanted = different[different >= 0]
    open_ = wanted[scores[wanted] > -np.inf]
    quality.seen += len(wanted) - len(open_)
    unknown = len(different) - len(wanted)
    if len(open_) + unknown:
        ranks = np.concatenate((mean_ranks(scores, open_), np.full(unknown, np.inf)))
        quality.add(ranks, int((scores > -np.inf).sum()))


def _chosen(scores: Singles, arguments: Arguments) -> tuple[Ints, Ints, Floats]:
    """The k best of each row, as row, column and score of each, row by row."""
    candidates = arguments.get("candidates")
    if candidates is not None:
        scores = np.ascontiguousarray(scores[:, candidates])
    columns, values = best(scores, arguments["k"])
    found = columns >= 0
    rows = np.nonzero(found)[0]
    chosen = columns[found]
    return rows, chosen if candidates is None else candidates[chosen], values[found].astype(np.float64)


def _places(rows: Ints) -> npt.NDArray[np.int32]:
    """1, 2, .. within each run of equal rows."""
    first = np.flatnonzero(np.diff(rows, prepend=-1))
    count = np.diff(np.append(first, len(rows)))
    return (np.arange(len(rows)) - np.repeat(first, count) + 1).astype(np.int32)
