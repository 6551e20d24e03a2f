"""Grouping clauses, against the groups that DuckDB itself makes."""

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from paretosql.engine.dialect import parse
from paretosql.engine.grouping import grouping_of

COLUMNS = ("a", "b", "c")
some_columns = st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=3)
listed = some_columns.map(lambda names: f"({', '.join(names)})")
part = st.one_of(
    st.sampled_from(COLUMNS),
    some_columns.map(lambda names: f"ROLLUP ({', '.join(names)})"),
    some_columns.map(lambda names: f"CUBE ({', '.join(names)})"),
    st.lists(st.one_of(listed, st.just("()")), min_size=1, max_size=3).map(
        lambda sets: f"GROUPING SETS ({', '.join(sets)})"
    ),
)


def group_clause(text: str) -> exp.Group:
    return parse(f"SELECT 1 FROM t GROUP BY {text}")[0].args["group"]


@settings(max_examples=150, deadline=None)
@given(st.lists(part, min_size=1, max_size=2))
def test_sets_and_bits_are_duckdbs(parts):
    """Each grouping set appears as often as DuckDB makes it, and `bits` is what DuckDB's GROUPING says of its rows."""
    text = ", ".join(parts)
    grouping = grouping_of(group_clause(text), lambda key: key)
    names = ", ".join(key.name for key in grouping.keys)
    con = duckdb.connect()
    con.execute("CREATE TABLE t AS SELECT 1 AS a, 2 AS b, 3 AS c")  # one row, so every set makes one group
    theirs = con.execute(f"SELECT GROUPING({names}) FROM t GROUP BY {text}").fetchall() if names else []
    ours = sorted(grouping.bits(chosen) for chosen in grouping.sets)
    if names:
        assert ours == sorted(bits for (bits,) in theirs)


@pytest.mark.parametrize(
    ("clause", "sets"),
    [
        ("a", [("a",)]),
        ("a, b", [("a", "b")]),
        ("ROLLUP (a, b)", [("a", "b"), ("a",), ()]),
        ("CUBE (a, b)", [("a", "b"), ("a",), ("b",), ()]),
        ("GROUPING SETS ((a), (b), ())", [("a",), ("b",), ()]),
        ("a, ROLLUP (b)", [("a", "b"), ("a",)]),
        ("ROLLUP ((a, b), c)", [("a", "b", "c"), ("a", "b"), ()]),
        ("()", [()]),
    ],
)
def test_sets_of_the_standard(clause, sets):
    """ROLLUP drops keys from the right, CUBE takes every subset, and parts of the clause multiply."""
    grouping = grouping_of(group_clause(clause), lambda key: key)
    assert [tuple(grouping.keys[at].name for at in chosen) for chosen in grouping.sets] == sets
