"""Every way to ask for a distinct count gives the same one, wherever it stands; ranges hold as often as they say."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from sqlglot import exp

import paretosql
from paretosql.engine.answers import FINISHERS, distinct_counts
from paretosql.engine.dialect import Pareto, parse
from paretosql.engine.nodes import NdvCall, SketchCall, counted, with_filter
from paretosql.engine.plan import Call, Sampling
from paretosql.engine.signatures import AGGREGATES
from paretosql.engine.tallies import new_tally
from paretosql.sketches.estimators import estimate
from tests.engine.test_counting import CORRELATED, SETUP, SHAPES
from tests.sql import random_queries


def as_interval(call: exp.Expr) -> None:
    whole = with_filter(call)
    call.set("function", "ndv_interval")
    whole.replace(exp.Dot(this=whole.copy(), expression=exp.to_identifier("estimate")))


def as_stored(call: exp.Expr) -> None:
    call.set("this", counted(call).copy())
    call.set("function", "ndv_sketch")
    whole = with_filter(call)
    whole.replace(SketchCall(this=whole.copy(), function="ndv_estimate"))


def as_sum(call: exp.Expr) -> None:
    call.set("this", counted(call).copy())
    call.set("function", "ndv_sum")
    call.set("weight", exp.Literal.number(1))
    whole = with_filter(call)
    number = exp.cast(exp.func("coalesce", whole.copy(), exp.Literal.number(0)), "BIGINT")
    whole.replace(number)


def rewritten(query: str, how) -> str:
    (tree,) = parse(query)
    for call in list(tree.find_all(NdvCall)):
        how(call)
    return tree.sql(dialect=Pareto)


@pytest.fixture(scope="module")
def pair():
    ours, theirs = paretosql.connect(autocommit=True), duckdb.connect()
    for con in (ours, theirs):
        for statement in (*SETUP, *random_queries.SETUP):
            con.execute(statement)
    yield ours, theirs
    ours.close()
    theirs.close()


@pytest.mark.parametrize("how", [as_interval, as_stored, as_sum])
@pytest.mark.parametrize("query", CORRELATED + SHAPES)
def test_every_form_counts_what_count_distinct_counts(pair, query, how):
    """ndv_interval(x).estimate, ndv_estimate(ndv_sketch(x)) and ndv_sum(x, 1) stand wherever ndv(x) does."""
    ours, theirs = pair
    text = rewritten(query, how)
    oracle = theirs.execute(query.replace("ndv(", "count(DISTINCT ")).fetchall()
    assert sorted(ours.execute(text).fetchall(), key=repr) == sorted(oracle, key=repr), text


@pytest.mark.parametrize("seed", range(40))
def test_every_form_counts_in_random_queries(pair, seed):
    """The same for queries of the random grammar."""
    ours, theirs = pair
    query = random_queries.query(seed)
    oracle = sorted(theirs.execute(query.replace("ndv(", "count(DISTINCT ")).fetchall(), key=repr)
    for how in (as_interval, as_stored):
        text = rewritten(query, how)
        assert sorted(ours.execute(text).fetchall(), key=repr) == oracle, text


def test_all_aggregates_have_an_end():
    """What the parser reads, a tally accumulates and a finisher ends, also without a single row."""
    assert FINISHERS.keys() == AGGREGATES.keys()
    group = np.zeros(1, np.uint64)
    for name, finisher in FINISHERS.items():
        call = Call("x", "v", function=name)
        tally = new_tally(call, Sampling(), grouped=False)
        assert finisher.finish(call, tally, Sampling(), group, None).type == finisher.kind
        grouped = new_tally(call, Sampling(), grouped=True)
        none = np.empty(0, np.uint64)
        assert finisher.finish(call, grouped, Sampling(), none, None).type == finisher.kind
        text = finisher.missing(call, Sampling()).sql(dialect=Pareto)
        ((kind,),) = duckdb.execute(
            f"SELECT typeof(CASE WHEN false THEN NULL::{finisher.sql} ELSE {text} END)"
        ).fetchall()
        assert kind == str(duckdb.sqltype(finisher.sql))


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.99])
def test_ranges_of_full_scans_hold_the_truth_as_often_as_they_say(confidence):
    """Over 400 seeds of a small sketch the truth lies in the range about as often as the confidence says."""
    call = Call("x", "v", confidence=confidence, capacity=256, function="ndv_sketch")
    values, hits = np.repeat(np.arange(5_000), 2), 0
    for seed in range(400):
        tally = new_tally(call, Sampling(None, seed), grouped=False)
        tally.update(None, [values], None)
        found = distinct_counts(call, tally, np.zeros(1, np.uint64), None)
        hits += bool(found.lower[0] <= 5_000 <= found.upper[0])
    assert abs(hits / 400 - confidence) < 4 * (confidence * (1 - confidence) / 400) ** 0.5 + 0.01


def test_samples_are_the_estimators_own_answer():
    """Per group: the estimate of its profile and rows; a group without a sampled row has none, and a full range."""
    call = Call("x", "v", "gee")
    tally = new_tally(call, Sampling(0.1), grouped=True)
    tally.update(np.array([1, 1, 1, 3], np.uint64), [np.array([7, 7, 8, 9])], None)
    groups, rows = np.array([1, 2, 3], np.uint64), np.array([30, 20, 10])
    found = distinct_counts(call, tally, groups, rows)
    first, last = estimate("gee", {1: 1, 2: 1}, 30), estimate("gee", {1: 1}, 10)
    assert found.estimates().to_pylist() == [round(first.value), None, round(last.value)]
    assert [each.to_pylist() for each in found.bounds()] == [[2, 0, 1], [round(first.upper), 20, 10]]
    assert found.warnings == [(), (), ("ALL_SINGLETONS",)]


def test_a_type_bounds_what_a_sample_may_answer(con: paretosql.Connection):
    """No estimate and no range exceeds what BOOLEAN, TINYINT and an ENUM can hold, whole or in groups."""
    con.execute("CREATE TYPE mood AS ENUM ('calm', 'merry', 'sad')")
    con.execute(
        "CREATE TABLE t AS SELECT range % 2 = 0 AS b, (range % 120)::TINYINT AS i, range % 2 AS g,"
        " ['calm', 'merry', 'sad'][range % 3 + 1]::mood AS m FROM range(2000)"
    )
    for column, most in (("b", 2), ("i", 256), ("m", 3)):
        for options in ("rate => 0.01, method => 'gee'", "rate => 0.01, method => 'duj1'", "rate => 0.02"):
            (found,) = con.execute(f"SELECT ndv_interval({column}, {options}) FROM t").fetchone()
            assert found["estimate"] <= most and found["upper"] <= most
            counts = con.execute(f"SELECT g, ndv({column}, {options}) FROM t GROUP BY g").fetchall()
            assert all(count <= most for _, count in counts)
    wide = con.execute("SELECT ndv_interval(i::INTEGER, rate => 0.01, method => 'duj1') FROM t").fetchone()[0]
    assert wide["upper"] > 256  # the type is the reason


def test_there_are_no_more_values_than_rows(con: paretosql.Connection):
    """A sketch of a key may see more values than there are rows; the answers do not."""
    con.execute("CREATE TABLE keys AS SELECT range AS k FROM range(200000)")
    for seed in range(6):
        (found, count) = con.execute(
            f"SELECT ndv_interval(k, seed => {seed}), ndv(k, seed => {seed}) FROM keys"
        ).fetchone()
        assert count <= 200_000 and found["estimate"] <= found["upper"] <= 200_000
