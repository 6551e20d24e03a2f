"""ALS: the contract, and the half step against one dense solve for each user."""

from __future__ import annotations

import itertools
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import paretosql
from paretosql.udfs.families.als import Als, AlsOptions, _asked, _half_step
from paretosql.udfs.histories import Known
from paretosql.udfs.ids import Ids
from paretosql.udfs.interactions import Columns
from paretosql.udfs.model import Training
from paretosql.udfs.regressions import gram, product, regressions
from tests.udfs.contract import RecommenderContract


class TestAls(RecommenderContract):
    """Vectors by turns."""

    family = "als"
    options: ClassVar = {"factors": 4, "rounds": 8, "l2": 1.0}
    random = True

    def quick(self):
        return {"factors": 8, "rounds": 1}

    def test_embed_and_similar(self):
        """Vectors of items come as lists; the items nearest to a vector are those that `similar` finds by name."""
        with self.connected() as con:
            self.create(con)
            rows = con.execute("SELECT item_id, embedding FROM embed(MODEL m)").fetchall()
            assert {len(vector) for _, vector in rows} == {4}
            item, vector = rows[0]
            con.execute("CREATE TABLE asked AS SELECT $v::FLOAT[] AS embedding", {"v": vector})
            near = con.execute("SELECT similar_item_id, score FROM similar(MODEL m, TABLE asked, k => 4)").fetchall()
            assert near[0][0] == item and near[0][1] == pytest.approx(1.0, abs=1e-5)
            by_name = con.execute(
                "SELECT similar_item_id FROM similar(MODEL m, (SELECT $i AS item_id), k => 3)", {"i": item}
            ).fetchall()
            assert [each for each, _ in near[1:]] == [each for (each,) in by_name]
            unknown = con.execute("SELECT embedding, status FROM embed(MODEL m, (SELECT 'x' AS item_id))").fetchall()
            assert unknown[0][0] is None

    def test_explicit_needs_ratings(self):
        """Explicit feedback without a column of ratings is refused by name."""
        with self.connected() as con, pytest.raises(paretosql.ProgrammingError, match=r"(?s)als.*weighting = 'rating'"):
            self.create(con, feedback="explicit")

    def test_explicit_predicts_ratings(self):
        """Ratings of a planted table of rank two that were held out are predicted far better than by the mean."""
        rng = np.random.default_rng(3)
        truth = 3.0 + rng.normal(size=(60, 2)) @ rng.normal(size=(2, 40)) * 0.7
        user, item = np.nonzero(rng.random(truth.shape) < 0.6)
        rating = np.clip(truth[user, item], 0.1, None)
        test = rng.random(len(user)) < 0.2
        table = pa.table({"user_id": user, "item_id": item, "rating": rating, "test": test})
        with paretosql.connect() as con:
            con.register("ratings", table)
            con.execute(
                "CREATE MODEL m OPTIONS (model_type = 'als', feedback = 'explicit', weighting = 'rating', factors = 4,"
                " l2 = 0.05, rounds = 30) AS SELECT * FROM ratings WHERE NOT test"
            )
            rows = con.execute(
                "SELECT rating, score FROM predict(MODEL m, (SELECT user_id, item_id, rating FROM ratings WHERE test))"
            ).fetchall()
        actual, predicted = np.array(rows).T
        assert np.sqrt(np.mean((actual - predicted) ** 2)) < 0.35 * actual.std()


def dense_half_step(weights, other, alpha, l2):
    """One solve for each row: (Y'CY + l2 I) x = Y'C p, with confidence 1 + alpha * weight where there is an entry."""
    found = np.empty((len(weights), other.shape[1]))
    for at, row in enumerate(weights):
        confidence, wanted = 1.0 + alpha * row, (row > 0).astype(float)
        matrix = (other.T * confidence) @ other + l2 * np.eye(other.shape[1])
        found[at] = np.linalg.solve(matrix, other.T @ (confidence * wanted))
    return found


shapes = st.tuples(st.integers(1, 30), st.integers(1, 20), st.integers(1, 6), st.integers(0, 2**31))


@settings(max_examples=30, deadline=None)
@given(shapes, st.floats(0.1, 30), st.floats(0.05, 20), st.booleans())
def test_half_step_equals_dense_solves(shape, alpha, l2, weighted):
    """The vectors are those of one dense solve for each row, weighted or not, by equations and by enough steps."""
    rows, columns, factors, seed = shape
    rng = np.random.default_rng(seed)
    weights = (rng.random((rows, columns)) < 0.4) * (rng.integers(1, 6, (rows, columns)) if weighted else 1.0)
    other = rng.normal(size=(columns, factors)).astype(np.float32)
    options = AlsOptions(factors=factors, alpha=alpha, l2=l2, weighting="rating" if weighted else "binary")
    asked = _asked(sparse.csr_matrix(weights.astype(np.float32)), options, Training())
    expected = dense_half_step(weights, other.astype(float), alpha, l2)
    near = 2e-3 * max(1.0, np.abs(expected).max())
    exact, _ = _half_step(asked, other, None, options, steps=0, training=Training())
    assert exact == pytest.approx(expected, abs=near)
    start = rng.normal(size=(rows, factors)).astype(np.float32)
    stepped, _ = _half_step(asked, other, start, options, steps=40, training=Training(threads=lambda: 2))
    assert stepped == pytest.approx(expected, abs=near)


def full_loss(weights, user, item, options):
    """The loss over all pairs, as the paper writes it."""
    confidence, wanted = 1.0 + options.alpha * weights, (weights > 0).astype(float)
    ridge = options.l2 * ((user**2).sum() + (item**2).sum())
    return float((confidence * (wanted - user @ item.T) ** 2).sum() + ridge)


def test_the_logged_loss_is_that_of_all_pairs_and_never_rises():
    """What training reports is the loss over every pair for each row, and no round makes it worse."""
    rng = np.random.default_rng(0)
    weights = (rng.random((40, 25)) < 0.3).astype(float)
    options, training = AlsOptions(factors=5, rounds=12, alpha=3.0, l2=0.5), Training()
    learned = Als.learn(sparse.csr_matrix(weights.astype(np.float32)), options, training)
    losses = [loss for _, loss, _ in training.log]
    expected = full_loss(weights, learned["user"].astype(float), learned["item"].astype(float), options)
    assert losses[-1] * weights.sum() == pytest.approx(expected, rel=1e-4)
    assert all(later <= earlier * (1 + 1e-5) for earlier, later in itertools.pairwise(losses))


@pytest.mark.parametrize("l2", [5e3, 1e5, 1e30])
@pytest.mark.parametrize("steps", [0, 1])
def test_a_strong_ridge_leaves_no_numbers_that_are_slow(l2, steps):
    """Where vectors shrink from round to round they become 0, before their products are below the normal numbers of
    four bytes, with which everything takes several times as long.
    """
    rng = np.random.default_rng(0)
    seen = sparse.csr_matrix((rng.random((40, 25)) < 0.3).astype(np.float32))
    for rounds in range(1, 12):
        options = AlsOptions(factors=5, rounds=rounds, l2=l2, steps=steps)
        for each in Als.learn(seen, options, Training()).values():
            products = each[:, :, None] * each[:, None, :]
            assert not ((products != 0) & (np.abs(products) < np.finfo(np.float32).tiny)).any()


def test_a_ridge_too_weak_for_the_factors():
    """More factors than there are items need a ridge above the rounding of their products: the message says so."""
    rows = pa.table({"user_id": np.arange(400) % 20, "item_id": np.arange(400) * 7 % 15})
    with paretosql.connect() as con, pytest.raises(paretosql.DataError, match=r"(?s)als: l2 = 1e-06.*Hint: raise l2"):
        con.create_model("m", "als", rows, l2=1e-6, factors=64)


def test_ratings_are_blamed_only_where_they_count():
    """Numbers beyond all bounds come from the options where every row counts alike."""
    rows = pa.table({"user_id": np.arange(90) % 9, "item_id": np.arange(90) % 7, "rating": np.arange(90) % 5 + 1.0})
    with paretosql.connect() as con:
        for weighting, blamed in (("binary", False), ("rating", True)):
            with pytest.raises(
                paretosql.DataError, match=r"(?s)als: .* beyond.*Hint: leave out alpha = 1e\+30"
            ) as caught:
                con.create_model("m", "als", rows, alpha=1e30, split_fraction=0.3, weighting=weighting)
            assert ("scale the ratings down" in str(caught.value)) == blamed
            assert "split_fraction" not in str(caught.value)


def test_fold_in_of_a_known_history():
    """A user nobody knows, with the history of one of the training, gets the scores of that one."""
    rng = np.random.default_rng(1)
    seen = sparse.csr_matrix((rng.random((30, 20)) < 0.4).astype(np.float32))
    options = AlsOptions(factors=6, rounds=10, l2=0.5)
    names = Ids(pa.array(range(30))), Ids(pa.array(range(20)))
    model = Als(options, Known(Columns("u", "i"), *names, seen), Als.learn(seen, options, Training()))
    known = model.scores(seen, np.arange(30))
    folded = model.scores(seen, np.full(30, -1))
    assert folded == pytest.approx(known, abs=1e-3)


@given(st.integers(1, 300), st.integers(1, 80), st.integers(0, 2**31))
def test_products_in_pieces(rows, width, seed):
    """Products that are cut into short matrices are those of the whole."""
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(rows, width)).astype(np.float32)
    by = rng.normal(size=(width, width)).astype(np.float32)
    assert gram(table) == pytest.approx(table.T.astype(float) @ table, abs=1e-3 * rows)
    assert product(table, by.astype(float)) == pytest.approx(table @ by, abs=1e-3)


@given(st.integers(1, 40), st.integers(1, 30), st.integers(0, 2**31))
def test_blocks_hold_every_entry_once(rows, columns, seed):
    """Blocks are another arrangement of the same matrix; what fills up a row points behind its columns."""
    there = np.random.default_rng(seed).random((rows, columns)) < 0.3
    matrix = sparse.csr_matrix(there.astype(np.float32))
    again = np.zeros((rows, columns + 1), dtype=int)
    for block in regressions(matrix, 1.0, 1.0, 4, 1 << 20).blocks:
        for at, row in enumerate(block.rows):
            np.add.at(again[row], block.entries[at].ravel(), 1)
    assert np.array_equal(again[:, :-1], there.astype(int))
