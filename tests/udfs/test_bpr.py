"""BPR: the contract, and the step of a minibatch against finite differences of its loss."""

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
from paretosql.udfs.families import bpr
from paretosql.udfs.families.bpr import Bpr, BprOptions, _drawn, _Had, _step
from paretosql.udfs.model import Training
from tests.udfs.contract import RecommenderContract


class TestBpr(RecommenderContract):
    """Pairs of had and not had."""

    family = "bpr"
    options: ClassVar = {"factors": 6, "rounds": 40, "learning_rate": 0.1}
    random = True

    def quick(self):
        return {"factors": 8, "rounds": 1}

    def test_planted_tastes(self):
        """Users are recommended items of their own taste."""
        with self.connected(300) as con:
            self.create(con)
            rows = con.execute("SELECT user_id, item_id FROM recommend(MODEL m, k => 2)").fetchall()
            own = [user % 2 == int(item.split()[1]) // 12 for user, item in rows]
            assert np.mean(own) > 0.9


def loss(user, item, pairs, options):
    """The loss of some pairs: -log sigmoid of the margin, and half the ridge of every vector, once per pair."""
    u, i, j = pairs
    margin = (user[u] * (item[i, :-1] - item[j, :-1])).sum(axis=1) + item[i, -1] - item[j, -1]
    ridge = (user[u] ** 2).sum() + (item[i] ** 2).sum() + (item[j] ** 2).sum()
    return np.log1p(np.exp(-margin)).sum() + options.l2 / 2 * ridge


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 12), st.integers(0, 2**31), st.sampled_from([3, 60]))
def test_a_step_follows_the_gradient(pairs, seed, items):
    """What a step adds to the vectors is the learning rate times the falling slope of the loss, however often an item
    or a user occurs, in small tables of items and large ones.
    """
    rng = np.random.default_rng(seed)
    user, item = rng.normal(size=(4, 3)), rng.normal(size=(items, 4))
    drawn = tuple(rng.integers(0, high, pairs) for high in (4, items, items))
    options = BprOptions(learning_rate=0.01, l2=0.3)
    moved = np.column_stack((user, np.ones(4))).astype(np.float32), item.astype(np.float32)
    _step(*moved, drawn, options)
    assert (moved[0][:, -1] == 1.0).all()
    for at, (table, after) in enumerate(zip((user, item), moved, strict=True)):
        for row, column in zip(rng.integers(0, len(table), 6), rng.integers(0, 3, 6), strict=True):
            tables = [user.copy(), item.copy()]
            step = 1e-5
            tables[at][row, column] += step
            above = loss(*tables, drawn, options)
            tables[at][row, column] -= 2 * step
            slope = (above - loss(*tables, drawn, options)) / (2 * step)
            assert after[row, column] - table[row, column] == pytest.approx(-0.01 * slope, abs=2e-5)


@given(st.integers(1, 8), st.integers(2, 8), st.integers(0, 2**31), st.sampled_from([1, 4, bpr.TABLE]))
def test_drawn_pairs(users, items, seed, table):
    """Every pair is of an item that the user had and one that the user had not, and no row is drawn twice; whether a
    table says who had what, or a search.
    """
    rng = np.random.default_rng(seed)
    dense = rng.random((users, items)) < 0.5
    keys = np.flatnonzero(dense)
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bpr, "TABLE", table)
        had = _Had(sparse.csr_matrix(dense.astype(np.float32)))
    for u, i, j in _drawn(had, rng):
        assert dense[u, i].all() and not dense[u, j].any()
        seen += list(zip(u.tolist(), i.tolist(), strict=True))
    assert len(seen) == len(set(seen)) <= len(keys)


@pytest.mark.parametrize("rounds", range(4, 12))
def test_vectors_that_grow(rounds):
    """Whenever a ridge too strong for its learning rate is stopped, scores are numbers or there is no model; nothing
    warns.
    """
    table = pa.table({"user_id": np.arange(400) % 20, "item_id": np.arange(400) * np.arange(400) % 15})
    options = {"l2": 100.0, "learning_rate": 1.0, "factors": 8, "rounds": rounds}
    with paretosql.connect() as con, warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            con.create_model("m", "bpr", table, **options)
        except paretosql.DataError as fault:
            assert "Hint: leave out learning_rate = 1, l2 = 100." in str(fault)
            return
        asked = con.execute("SELECT score FROM recommend(MODEL m, k => 15, exclude_seen => false)")
        scores = np.array([score for (score,) in asked.fetchall()], dtype=float)
        assert len(scores) == 20 * len(set(table["item_id"].to_pylist())) and np.isfinite(scores).all()


def test_the_loss_falls():
    """Over the rounds pairs are told apart better."""
    rng = np.random.default_rng(2)
    seen = sparse.csr_matrix((rng.random((50, 30)) < 0.3 * (1 + np.arange(30) % 2)).astype(np.float32))
    training = Training()
    Bpr.learn(seen, BprOptions(factors=8, rounds=30), training)
    losses = [each for _, each, _ in training.log]
    assert losses[-1] < 0.7 * losses[0]
