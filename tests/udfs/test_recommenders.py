"""The recommenders that need no rounds: the contract of each, and truths of their own against slow oracles."""

from __future__ import annotations

import warnings
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import paretosql
from paretosql.udfs import histories
from paretosql.udfs.model import Training, find_family
from paretosql.udfs.neighbours import strongest
from paretosql.udfs.options import read_options
from paretosql.udfs.rows import Spool
from tests.udfs.contract import RecommenderContract


class TestPopularity(RecommenderContract):
    """Most users first, for everyone."""

    family = "popularity"
    similar = False

    def test_scores_are_numbers_of_users(self):
        """An item that a user has twice counts once."""
        with paretosql.connect() as con:
            self.create(con, "SELECT * FROM (VALUES (1, 'a'), (1, 'a'), (2, 'b'), (3, 'b')) t(user_id, item_id)")
            rows = con.execute("SELECT item_id, score FROM recommend(MODEL m, (SELECT 9 AS user_id))").fetchall()
            assert rows == [("b", 2.0), ("a", 1.0)]


class TestItemKnn(RecommenderContract):
    """Items with common users."""

    family = "itemknn"


class TestUserKnn(RecommenderContract):
    """Users with common items."""

    family = "userknn"


class TestEase(RecommenderContract):
    """Ridge regression with a zero diagonal."""

    family = "ease"
    options: ClassVar = {"l2": 2.0}

    @pytest.mark.parametrize("shape", [(30, 8), (8, 30)])
    def test_scores_equal_the_closed_form(self, shape):
        """Whichever side is inverted, the scores are those of B = I - P / diag(P)."""
        rng = np.random.default_rng(1)
        dense = (rng.random(shape) < 0.4).astype(float)
        dense[:, ~dense.any(axis=0)] = 1.0
        dense[~dense.any(axis=1), 0] = 1.0
        model = fitted("ease", dense, l2=2.0)
        inverse = np.linalg.inv(dense.T @ dense + 2.0 * np.eye(shape[1]))
        weights = -inverse / np.diag(inverse)
        np.fill_diagonal(weights, 0.0)
        assert scores_of(model, dense) == pytest.approx(dense @ weights, abs=1e-5)

    def test_too_many(self):
        """More than `largest` of both is refused with what to do."""
        with paretosql.connect() as con, pytest.raises(paretosql.DataError, match=r"(?s)ease.*largest"):
            self.create(con, "SELECT range AS user_id, range AS item_id FROM range(9)", largest=8)


RATED = ("als", "bpr", "ease", "itemknn", "popularity", "userknn")


@pytest.mark.parametrize("name", ["itemknn", "userknn", "ease", "als", "popularity"])
def test_equal_scores_go_by_users(name):
    """Of items with the same score that comes first which more users had, however often one of them had it; then the
    lower id.
    """
    rows = [(1, "z")] * 5 + [(2, "y"), (3, "y"), (4, "b"), (5, "a"), (6, "c")]
    table = pa.table({"user_id": [user for user, _ in rows], "item_id": [item for _, item in rows]})
    options = {"l2": 1e12} if name == "als" else {}  # all vectors are 0
    with paretosql.connect(autocommit=True) as con:
        con.create_model("m", name, table, **options)
        history = "(SELECT 9 AS user_id, 'c' AS item_id)"  # which nobody had together with others
        asked = f"SELECT item_id, score FROM recommend(MODEL m, (SELECT 9 AS user_id), history => {history})"
        found = con.execute(asked).fetchall()
        assert [item for item, _ in found] == ["y", "a", "b", "z"]
        assert len({score for _, score in found}) == 1 or name == "popularity"


@pytest.mark.parametrize("name", RATED)
@pytest.mark.parametrize("rating", ["1e-300", "1e-20", "1e20", "1e300", "'inf'", "'nan'", "NULL", "0", "-1"])
def test_ratings_that_cannot_be_calculated_with(name, rating):
    """What has no square in four bytes is refused by its value; nothing warns."""
    rows = f"SELECT range % 9 AS user_id, range % 7 AS item_id, if(range = 50, {rating}::DOUBLE, 3) AS rating"
    with paretosql.connect() as con, warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(paretosql.DataError, match=rf"(?s){name}: the column 'rating' holds .*Hint: .* 1e-12 to"):
            con.create_model("m", name, f"{rows} FROM range(90)", weighting="rating")
        con.create_model("m", name, f"{rows} FROM range(90)")  # where ratings do not count


@pytest.mark.parametrize("name", RATED)
@pytest.mark.parametrize("scale", [1e-12, 1e-6, 1e11])
def test_ratings_of_any_usual_size(name, scale):
    """The largest and the least that count give numbers, without a warning."""
    rows = f"SELECT range % 9 AS user_id, range * range % 7 AS item_id, {scale}::DOUBLE * (1 + range % 5) AS rating"
    with paretosql.connect(autocommit=True) as con, warnings.catch_warnings():
        warnings.simplefilter("error")
        con.create_model("m", name, f"{rows} FROM range(90)", weighting="rating")
        scores = con.execute("SELECT score FROM recommend(MODEL m, exclude_seen => false)").fetchall()
        assert len(scores) == 9 * 4 and np.isfinite(np.array(scores, dtype=float)).all()


def test_a_history_with_the_ratings_of_the_training():
    """The column of ratings that training was told of counts in a history too, whatever it is called."""
    rows = [(1, "a", 5.0), (1, "b", 1.0), (2, "b", 5.0), (2, "c", 5.0), (3, "a", 5.0), (3, "d", 5.0), (4, "d", 1.0)]
    columns = dict(zip(("u", "i", "liking"), zip(*rows, strict=True), strict=True))
    with paretosql.connect(autocommit=True) as con:
        con.register("rows", pa.table({name: list(values) for name, values in columns.items()}))
        con.create_model("m", "itemknn", "rows", user_col="u", item_col="i", rating_col="liking", weighting="rating")
        asked = "SELECT i, score FROM recommend(MODEL m, (SELECT {} AS u), k => 9{})"
        known = con.execute(asked.format(1, "")).fetchall()
        again = "SELECT 'new' AS u, i, liking FROM rows WHERE u = 1"
        assert known and con.execute(asked.format("'new'", f", history => ({again})")).fetchall() == known
        with pytest.raises(paretosql.ProgrammingError, match="Hint: give the columns u and i and liking"):
            con.execute(asked.format("'new'", ", history => (SELECT 'new' AS u, 'a' AS i)"))


def fitted(family, dense, **options):
    """A model of the users and items of a matrix; ids are rows and columns."""
    user, item = np.nonzero(dense)
    found, _ = find_family(family)
    made, _ = read_options(found.options, options, family)
    return found.model.fit(Spool.of_table(pa.table({"user_id": user, "item_id": item})), made, Training())


def scores_of(model, dense):
    """The scores of all users, columns as in the matrix."""
    users = np.arange(len(dense))
    order = model.known.items.values.to_numpy()
    scores = np.empty(dense.shape)
    scores[:, order] = model.scores(model.known.seen, users)
    return scores


matrices = st.tuples(st.integers(2, 12), st.integers(2, 12), st.integers(0, 2**32 - 1))


def dense_of(drawn):
    """A matrix of 0 and 1 in which every user and item occurs."""
    users, items, seed = drawn
    dense = (np.random.default_rng(seed).random((users, items)) < 0.4).astype(float)
    dense[np.arange(users), np.arange(users) % items] = 1.0
    dense[np.arange(items) % users, np.arange(items)] = 1.0
    return dense


@settings(max_examples=40, deadline=None)
@given(matrices, st.floats(0, 20))
def test_itemknn_with_all_neighbours_is_the_damped_cosine(drawn, shrink):
    """With room for every neighbour the scores are the sums of damped cosines."""
    dense = dense_of(drawn)
    common = dense.T @ dense
    length = np.sqrt(np.diag(common))
    cosine = common / (length[:, None] * length[None, :] + shrink)
    np.fill_diagonal(cosine, 0.0)
    model = fitted("itemknn", dense, neighbors=100, shrink=shrink)
    assert scores_of(model, dense) == pytest.approx(dense @ cosine, abs=1e-5)


@settings(max_examples=40, deadline=None)
@given(matrices, st.integers(1, 4))
def test_itemknn_keeps_the_likest(drawn, k):
    """Every item keeps at most k others, none of which is less like it than one that was left out."""
    dense = dense_of(drawn)
    model = fitted("itemknn", dense, neighbors=k, shrink=0.0)
    common = dense.T @ dense
    length = np.sqrt(np.diag(common))
    cosine = common / (length[:, None] * length[None, :])
    np.fill_diagonal(cosine, 0.0)
    order = model.known.items.values.to_numpy()
    for item in range(dense.shape[1]):
        kept = model.likeness(np.array([int(np.flatnonzero(order == item)[0])]))[0]
        values = np.sort(kept[np.isfinite(kept)])[::-1]
        best = np.sort(cosine[item][cosine[item] > 0])[::-1][:k]
        assert values == pytest.approx(best, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(matrices)
def test_userknn_with_all_neighbours_is_the_cosine(drawn):
    """With every user asked the scores are cosine times what they had, oneself left out."""
    dense = dense_of(drawn)
    length = np.linalg.norm(dense, axis=1)
    cosine = dense @ dense.T / (length[:, None] * length[None, :])
    np.fill_diagonal(cosine, 0.0)
    assert scores_of(fitted("userknn", dense, neighbors=100), dense) == pytest.approx(cosine @ dense, abs=1e-5)


@pytest.mark.parametrize("name", ["userknn", "ease"])
def test_large_matrices_stay_sparse(name, monkeypatch):
    """What is too large to be dense gives the scores of what is not, also to users never seen."""
    rng = np.random.default_rng(5)
    table = pa.table({"user_id": rng.integers(0, 40, 900), "item_id": rng.integers(0, 60, 900) ** 2 // 60})
    options = {"neighbors": 7} if name == "userknn" else {}
    pairs = "SELECT u.range AS user_id, i.range AS item_id FROM range(50) u, range(60) i"
    found = []
    for most in (histories.WHOLE_BYTES, 0):
        monkeypatch.setattr(histories, "WHOLE_BYTES", most)
        with paretosql.connect(autocommit=True) as con:
            con.create_model("m", name, table, **options)
            con.execute("CREATE TABLE h AS SELECT 45 + range % 5 AS user_id, range AS item_id FROM range(15)")
            asked = con.execute(f"SELECT score FROM predict(MODEL m, ({pairs}), history => TABLE h)")
            found.append([score for (score,) in asked.fetchall()])
    assert [score is None for score in found[0]] == [score is None for score in found[1]]
    dense, few = ([score for score in scores if score is not None] for scores in found)
    assert len(dense) > 1_000 and np.allclose(dense, few, rtol=1e-5, atol=1e-6)


@given(st.integers(0, 6), st.integers(1, 20), st.integers(1, 8), st.integers(0, 2**31))
def test_the_strongest_entries(rows, width, k, seed):
    """Those that sorting a row finds, of equal ones the lower columns, none that is not above 0."""
    dense = np.random.default_rng(seed).integers(-2, 5, (rows, width)).astype(np.float32)
    found = strongest(sparse.csr_matrix(dense), k).toarray()
    for given_row, kept in zip(dense, found, strict=True):
        order = [at for at in np.lexsort((np.arange(width), -given_row)) if given_row[at] > 0][:k]
        assert np.flatnonzero(kept).tolist() == sorted(order) and (kept[order] == given_row[order]).all()
