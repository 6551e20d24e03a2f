"""What a user sees after a mistake: a PEP 249 exception that says what, where (with a caret) and what would work."""

from __future__ import annotations

import contextlib
import re

import pytest

import paretosql

PLACE = re.compile(r"line (\d+), column (\d+):\n(  .*)\n(  *)(\^+)", re.MULTILINE)


@pytest.fixture
def shop(con):
    """A connection with the table `t(a, b)` of ten rows."""
    con.execute("CREATE TABLE t AS SELECT range AS a, 'x' || range AS b FROM range(10)")
    return con


def complaint(con: paretosql.Connection, sql: str, parameters: object = None) -> paretosql.Error:
    """The error that a statement raises, when it runs or when its rows are read."""
    with pytest.raises(paretosql.Error) as caught:
        con.execute(sql, parameters).fetchall()
    return caught.value


def place(fault: paretosql.Error) -> tuple[int, int, str]:
    """Line, column and the text above the carets of an error's message."""
    found = PLACE.search(str(fault))
    assert found, f"no place in:\n{fault}"
    start = len(found[4]) - 2
    return int(found[1]), int(found[2]), found[3][2:][start : start + len(found[5])]


# statement, exception, words that the message must hold, what the caret must be under (None: anywhere)
WRONG = [
    ("SELECT ndv(a, method => 'nope') FROM t", "ProgrammingError", ["method", "nope", "gee", "duj1", "chao"], "method"),
    ("SELECT ndv(a, method => 'ge') FROM t", "ProgrammingError", ["'ge'", "did you mean 'gee'"], "method"),
    ("SELECT ndv(a, method => 5) FROM t", "ProgrammingError", ["method", "5"], "method"),
    ("SELECT ndv(a, rate => 0) FROM t", "ProgrammingError", ["rate", "not 0"], "rate"),
    ("SELECT ndv(a, rate => 1.5) FROM t", "ProgrammingError", ["rate", "1.5"], "rate"),
    ("SELECT ndv(a, rate => -0.5) FROM t", "ProgrammingError", ["rate", "-0.5"], "rate"),
    ("SELECT ndv(a, rate => 'often') FROM t", "ProgrammingError", ["rate", "often"], "rate"),
    ("SELECT ndv(a, rate => NULL) FROM t", "ProgrammingError", ["rate", "NULL"], "rate"),
    ("SELECT ndv(a, rate => b) FROM t", "ProgrammingError", ["rate", "constant"], "rate"),
    ("SELECT ndv(a, seed => -1) FROM t", "ProgrammingError", ["seed", "-1"], "seed"),
    ("SELECT ndv(a, seed => 'x') FROM t", "ProgrammingError", ["seed", "'x'"], "seed"),
    ("SELECT ndv(a, seed => 1.5) FROM t", "ProgrammingError", ["seed", "1.5"], "seed"),
    ("SELECT ndv(a, methd => 'gee') FROM t", "ProgrammingError", ["methd", "did you mean method"], "methd"),
    ("SELECT ndv(a, rte => 0.5) FROM t", "ProgrammingError", ["rte", "did you mean rate"], "rte"),
    ("SELECT ndv(a, colour => 1) FROM t", "ProgrammingError", ["colour", "method", "rate", "seed"], "colour"),
    ("SELECT ndv(a, rate => 0.1, rate => 0.2) FROM t", "ProgrammingError", ["rate"], "rate"),
    ("SELECT ndv() FROM t", "ProgrammingError", ["ndv"], None),
    ("SELECT ndv(*) FROM t", "ProgrammingError", ["ndv"], None),
    ("SELECT ndv(a, b) FROM t", "ProgrammingError", ["ndv"], None),
    ("SELECT ndv(a) OVER () FROM t", "NotSupportedError", ["ndv", "window"], "ndv"),
    ("SELECT ndv(a) OVER (PARTITION BY b ORDER BY a) FROM t", "NotSupportedError", ["ndv", "window"], "ndv"),
    ("SELECT ndv(ndv(a)) FROM t", "ProgrammingError", ["ndv", "aggregate"], "ndv"),
    ("SELECT sum(ndv(a)) FROM t", "ProgrammingError", ["ndv", "aggregate"], "ndv"),
    ("SELECT ndv(sum(a)) FROM t", "ProgrammingError", ["ndv", "aggregate"], None),
    ("SELECT a FROM t WHERE ndv(a) > 1", "ProgrammingError", ["ndv", "WHERE", "HAVING"], "ndv"),
    ("SELECT count(*) FROM t GROUP BY ndv(a)", "ProgrammingError", ["ndv", "GROUP BY"], "ndv"),
    ("SELECT 1 FROM t JOIN t AS u ON ndv(t.a) = u.a", "ProgrammingError", ["ndv", "ON"], "ndv"),
    (
        "WITH RECURSIVE r(a) AS (SELECT 1 UNION ALL SELECT ndv(a) FROM r) SELECT * FROM r",
        "NotSupportedError",
        ["ndv", "recursive"],
        "ndv",
    ),
    ("SELECT ndv(c) FROM t", "ProgrammingError", ["c"], "c"),
    ("SELECT ndv(a) FROM tt", "ProgrammingError", ["tt"], "tt"),
    ("SELECT b, ndv(a) FROM t", "ProgrammingError", ["b", "GROUP BY"], "b"),
    ("SELECT ndv(a) FROM t GROUP BY c", "ProgrammingError", ["c"], "c"),
    ("SELECT ndv(a) FROM t HAVING b > 1", "ProgrammingError", ["b"], "b"),
    ("SELECT ndv(a) FROM t ORDER BY nope", "ProgrammingError", ["nope"], "nope"),
    ("SELECT ndv(upper(a, 1)) FROM t", "ProgrammingError", ["upper"], None),
    ("SELECT ndv(b::INTEGER) FROM t", "DataError", ["x0"], None),
    ("SELECT ndv(a FROM t", "ProgrammingError", [], None),
    ("SELECT ndv(a)) FROM t", "ProgrammingError", [], ")"),
    ("SELECT ndv(a) FROM", "ProgrammingError", [], None),
    ("SELECT * FROM ndv_report(TABLE nowhere)", "ProgrammingError", ["nowhere"], "nowhere"),
    ("SELECT * FROM ndv_report(t)", "ProgrammingError", ["TABLE"], None),
    ("SELECT * FROM ndv_report()", "ProgrammingError", ["TABLE"], None),
    ("SELECT * FROM ndv_report(TABLE t, rate => 7)", "ProgrammingError", ["rate", "7"], "rate"),
    ("SELECT * FROM ndv_report(TABLE t, methd => 'gee')", "ProgrammingError", ["did you mean method"], "methd"),
    ("SELECT * FROM ndv_report((SELECT nope FROM t))", "ProgrammingError", ["nope"], "nope"),
    ("SELEC 1", "ProgrammingError", ["SELEC", "did you mean SELECT"], "SELEC"),
    ("SELECT * FORM t", "ProgrammingError", [], None),
    ("SELECT (1 + 2", "ProgrammingError", [], None),
    ("SELECT 'open", "ProgrammingError", ["quote"], None),
    ("SELECT c FROM t", "ProgrammingError", ['"c"'], "c"),
    ("SELECT a FROM t WHERE bb = 1", "ProgrammingError", ['"bb"'], "bb"),
    ("SELECT uper(b) FROM t", "ProgrammingError", ["uper", "upper"], "uper"),
    ("SELECT * FROM tt", "ProgrammingError", ["tt", "'t'"], "tt"),
    ("SELECT 'x'::INTEGER", "DataError", ["'x'", "TRY_CAST"], None),
    ("CREATE TABLE t (a INTEGER)", "ProgrammingError", ["t"], None),
    ("EXPLAIN STAGES SELECT ndv(a) FROM t", "NotSupportedError", ["EXPLAIN"], "EXPLAIN"),
    ("EXPLAIN FRONTIER SELECT 1", "NotSupportedError", ["EXPLAIN"], "EXPLAIN"),
    ("SELECT * FROM trace_simulate('x.parquet')", "OperationalError", ["x.parquet"], None),
    ("SELECT * FROM trace_simulate('x', polcy => 'fuxi')", "ProgrammingError", ["polcy", "policy"], "polcy"),
    ("SELECT ndv_interval(a, confidence => 1) FROM t", "ProgrammingError", ["confidence", "between 0 and 1"], "conf"),
    ("SELECT ndv_interval(a, confidence => 'x') FROM t", "ProgrammingError", ["confidence", "'x'"], "confidence"),
    ("SELECT ndv(a, confidence => 0.9) FROM t", "ProgrammingError", ["ndv has no option 'confidence'"], "confidence"),
    ("SELECT ndv_sketch(a, method => 'gee') FROM t", "ProgrammingError", ["ndv_sketch has no option"], "method"),
    ("SELECT ndv_sketch(a, capacity => 0) FROM t", "ProgrammingError", ["capacity", "from 1"], "capacity"),
    ("SELECT ndv_merge(a) FROM t", "ProgrammingError", ["ndv_merge", "BIGINT", "ndv_sketch"], "ndv_merge"),
    ("SELECT ndv_merge(b) FROM t", "ProgrammingError", ["ndv_merge", "VARCHAR"], "ndv_merge"),
    ("SELECT ndv_merge('x'::BLOB) FROM t", "DataError", ["ndv_merge", "not a stored sketch"], "ndv_merge"),
    ("SELECT ndv_merge(a, seed => 1) FROM t", "ProgrammingError", ["no option 'seed'", "It has none"], "seed"),
    ("SELECT ndv_estimate('NDVPxyz'::BLOB)", "DataError", ["ndv_estimate", "cut off"], "ndv_estimate"),
    ("SELECT ndv_estimate(a) FROM t", "ProgrammingError", ["ndv_estimate", "BLOB"], "ndv_estimate"),
    ("SELECT ndv_estimate(s, metod => 'gee') FROM t", "ProgrammingError", ["did you mean method"], "metod"),
    ("SELECT ndv_estimate(ndv_sketch(a), method => 'ge') FROM t", "ProgrammingError", ["'gee'"], "method"),
    ("SELECT ndv_estimate(ndv_sketch(a), method => 'gee') FROM t", "ProgrammingError", ["rows =>"], "ndv_estimate"),
    ("SELECT ndv_estimate(ndv_sketch(a), rows => 3) FROM t", "DataError", ["10 rows", "population"], "ndv_estimate"),
    ("SELECT ndv_profile('x'::BLOB)", "DataError", ["ndv_profile", "not a stored sketch"], "ndv_profile"),
    ("SELECT ndv_sum(a, b) FROM t", "ProgrammingError", ["ndv_sum", "VARCHAR"], "ndv_sum"),
    ("SELECT ndv_sum(a, nope) FROM t", "ProgrammingError", ["nope"], "nope"),
    ("SELECT ndv_sum(a, 1, rate => 0.1) FROM t", "ProgrammingError", ["ndv_sum has no option 'rate'"], "rate"),
    ("SELECT a FROM t WHERE ndv_merge(a) IS NULL", "ProgrammingError", ["ndv_merge", "WHERE"], "ndv_merge"),
    ("SELECT ndv_sketch(a) OVER () FROM t", "NotSupportedError", ["ndv_sketch", "window"], "ndv_sketch"),
    ("SELECT ndv_merge(ndv_sketch(a)) FROM t", "ProgrammingError", ["ndv_merge", "aggregate"], "ndv_merge"),
    ("CREATE TABLE u (x BLOB DEFAULT ndv_profile(NULL))", "NotSupportedError", ["ndv_profile", "definition"], None),
    ("ANALYZE nowhere WITH SAMPLE 0.1", "ProgrammingError", ["no table 'nowhere'"], "nowhere"),
    ("ANALYZE t COLUMNS (aa) WITH SAMPLE 0.1", "ProgrammingError", ["no column 'aa'", "'a'"], "aa"),
    ("ANALYZE t WITH SAMPLE 2", "ProgrammingError", ["above 0 and at most 1"], "2"),
    ("ANALYZE t WITH SAMPLE a", "ProgrammingError", ["constant or a parameter"], "a"),
    ("EXPLAIN ANALYZE t WITH SAMPLE 0.1", "ProgrammingError", ["t"], None),
    ("EXPLAIN ANALYZE ANALYZE t WITH SAMPLE 0.1", "NotSupportedError", ["EXPLAIN of ANALYZE"], "ANALYZE"),
]


# the engine below says what, and not where
PLACELESS = ("SELECT ndv(b::INTEGER) FROM t", "CREATE TABLE t (a INTEGER)")


@pytest.mark.parametrize(("sql", "kind", "words", "spot"), WRONG, ids=[each[0] for each in WRONG])
def test_a_mistake_is_explained(shop, sql, kind, words, spot):
    """The right class, the words that matter, the caret under the fault, a hint, and a connection that works on."""
    fault = complaint(shop, sql)
    assert isinstance(fault, getattr(paretosql, kind)), f"{type(fault).__name__}: {fault}"
    for word in words:
        assert word in str(fault), f"{word!r} is not in:\n{fault}"
    assert "\nHint: " in str(fault), f"no hint in:\n{fault}"
    if sql not in PLACELESS:
        line, column, shown = place(fault)
        assert (line, sql[column - 1 : column - 1 + len(shown)]) == (1, shown)
        assert spot is None or spot in shown, f"the caret is under {shown!r}:\n{fault}"
    assert shop.execute("SELECT ndv(a) FROM t").fetchone() == (10,)


def test_the_place_is_counted_in_lines_and_characters(shop):
    """Line and column are those of the text that was written, also after line breaks, tabs and wide characters."""
    fault = complaint(shop, "SELECT 'é漢🦆',\n\t'🦆' || nope,\n  1\nFROM t")
    assert place(fault) == (2, 9, "nope")
    fault = complaint(shop, "SELECT ndv(a), '🦆🦆',\n  ndv(b, rte => 1)\nFROM t")
    assert place(fault) == (2, 10, "rte")


def test_the_place_is_right_in_the_second_statement(shop):
    """In a text of several statements the place counts from the beginning of the text."""
    fault = complaint(shop, "SELECT 1;\nSELECT ndv(a) FROM t;\nSELECT nope FROM t")
    assert place(fault) == (3, 8, "nope")
    fault = complaint(shop, "SELECT 1; SELECT ndv(a, rte => 1) FROM t")
    assert place(fault)[:2] == (1, 25)


def test_a_long_line_is_cut_around_the_fault(shop):
    """Messages stay readable when the statement is long."""
    fault = complaint(shop, f"SELECT {', '.join(str(i) for i in range(3000))}, nope FROM t")
    assert place(fault)[2] == "nope"
    assert max(map(len, str(fault).splitlines())) < 200


@pytest.mark.parametrize(
    "case",
    [
        (b"this is no parquet file, whatever its name says", "bad.parquet", "SELECT {what} FROM '{path}'"),
        (b"", "empty.parquet", "SELECT {what} FROM '{path}'"),
        (b"PAR1" + bytes(100), "torn.parquet", "SELECT {what} FROM read_parquet('{path}')"),
        (None, "missing.parquet", "SELECT {what} FROM '{path}'"),
        (None, "missing.csv", "SELECT {what} FROM read_csv('{path}')"),
        (b"{broken", "bad.json", "SELECT {what} FROM read_json('{path}')"),
    ],
)
@pytest.mark.parametrize("what", ["a", "ndv(a)"])
def test_a_wrong_file_is_named(con, tmp_path, case, what):
    """A file that is missing or is not what it claims: the message names it, with and without ndv."""
    content, name, query = case
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    fault = complaint(con, query.format(what=what, path=path))
    assert isinstance(fault, paretosql.DatabaseError)
    assert name in str(fault)
    assert "\nHint: " in str(fault)
    assert con.execute("SELECT 1").fetchone() == (1,)


def test_a_missing_column_of_a_file_is_named(con, tmp_path):
    """The columns that there are come with the message."""
    path = tmp_path / "t.parquet"
    con.execute(f"COPY (SELECT 1 AS visitor, 2 AS page) TO '{path}'")
    for what in ("visiter", "ndv(visiter)"):
        fault = complaint(con, f"SELECT {what} FROM '{path}'")
        assert isinstance(fault, paretosql.ProgrammingError)
        assert "did you mean 'visitor'" in str(fault)
        assert place(fault)[2] == "visiter"


@pytest.mark.parametrize("sql", ["SELECT ?, ?", "SELECT ndv(a) FROM t WHERE a > ? AND a < ?"])
@pytest.mark.parametrize("parameters", [None, [], [1], [1, 2, 3], {"a": 1}, 5])
def test_wrong_parameters_are_counted(shop, sql, parameters):
    """The message says what the statement wants."""
    fault = complaint(shop, sql, parameters)
    assert isinstance(fault, paretosql.ProgrammingError)
    assert "parameter" in str(fault).lower()
    assert "\nHint: " in str(fault)


def test_closed_things_say_so():
    """A closed cursor and a closed connection are named, with a way on."""
    con = paretosql.connect()
    cursor = con.cursor()
    cursor.close()
    with pytest.raises(paretosql.InterfaceError, match="cursor is closed") as caught:
        cursor.execute("SELECT 1")
    assert "\nHint: " in str(caught.value)
    result = con.sql("SELECT 1")
    con.close()
    for use in (con.cursor, lambda: con.execute("SELECT ndv(1)"), con.commit, result.fetchall, result.arrow):
        with pytest.raises(paretosql.InterfaceError, match="connection is closed") as caught:
            use()
        assert "\nHint: " in str(caught.value)


@pytest.mark.parametrize(
    "arguments",
    [
        {"cluster": "cluster.json"},
        {"objective": "latency"},
    ],
)
def test_connect_refuses_what_it_can_not_do(arguments):
    """Arguments for later versions raise NotSupportedError that names them."""
    with pytest.raises(paretosql.NotSupportedError, match=next(iter(arguments))):
        paretosql.connect(**arguments)


@pytest.mark.parametrize("arguments", [{"threads": 0}, {"threads": -1}, {"threads": "many"}])
def test_connect_refuses_wrong_numbers_of_threads(arguments):
    """A number of threads is a positive number."""
    with pytest.raises(paretosql.Error, match="threads"):
        paretosql.connect(**arguments)


def test_connect_names_the_file_it_can_not_open(tmp_path):
    """A folder, a file that is no database, a missing file read-only: OperationalError with the path."""
    (tmp_path / "text.db").write_text("this is no database\n" * 1000)
    for name, read_only in (("text.db", False), ("missing.db", True), ("no/such/folder/x.db", False)):
        with pytest.raises(paretosql.OperationalError, match=name.split("/")[-1]):
            paretosql.connect(tmp_path / name, read_only=read_only)


@pytest.mark.parametrize("sql", ["", "   ", ";", ";;", "-- nothing", "/* nothing */", "\n\t\n"])
def test_an_empty_statement_does_nothing(con, sql):
    """No statement: no error, no rows."""
    assert con.execute(sql).description is None


@pytest.mark.parametrize("sql", [None, 5, b"SELECT 1", ["SELECT 1"], object()])
def test_a_statement_is_text(con, sql):
    """Anything but str raises an Error of ours."""
    with pytest.raises(paretosql.Error):
        con.execute(sql)


@pytest.mark.parametrize(
    "text", ["SELECT '\0'", "SELECT \0", "\0", "SELECT 1\0", "SELECT '\ud800'", "SELECT 1 -- \ud800"]
)
def test_strange_characters_do_no_harm(con, text):
    """NUL bytes and lone surrogates either work or raise an Error of ours."""
    with contextlib.suppress(paretosql.Error):
        con.execute(text).fetchall()
    assert con.execute("SELECT 1").fetchone() == (1,)


def test_fetchmany_wants_a_number_of_rows(con):
    """A negative size is an Error of ours, and loses no rows."""
    cursor = con.execute("SELECT * FROM range(5)")
    with pytest.raises(paretosql.ProgrammingError, match="-1"):
        cursor.fetchmany(-1)
    assert len(cursor.fetchall()) == 5


def test_register_wants_arrow(con):
    """Something without an Arrow stream can not be a table."""
    for thing in (5, "text", [1, 2], {"a": [1]}, None, object()):
        with pytest.raises(paretosql.ProgrammingError):
            con.register("t", thing)
