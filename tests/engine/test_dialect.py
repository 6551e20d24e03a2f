"""The dialect: what parses, what prints back, where errors point, and what DuckDB's own SQL must not lose."""

import random
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from sqlglot import exp

from paretosql.engine.dialect import (
    Pareto,
    ParseError,
    find_ours,
    looks_ours,
    mentions_ours,
    option_node,
    options_of,
    ours,
    parse,
    spot_of,
)
from paretosql.engine.faithful import AGGREGATES
from paretosql.engine.nodes import Explain, ModelCall, NdvCall, NdvReport, SetOurs
from paretosql.errors import NotSupportedError, ProgrammingError

HERE = Path(__file__).parent


def read_pairs() -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for line in (HERE / "dialect_pairs.txt").read_text().splitlines():
        if line.startswith("-> "):
            pairs[-1] = (pairs[-1][0], line[3:])
        elif line and not line.startswith("#"):
            pairs.append((line, line))
    return pairs


def read_ordinary() -> tuple[str, list[str]]:
    setup, _, queries = (HERE / "ordinary.sql").read_text().partition("\n\n")
    return setup, [line for line in queries.splitlines() if line]


PAIRS = read_pairs()
SETUP, ORDINARY = read_ordinary()
# Words of ours that ordinary SQL may use as names; only these may send it through the parser.
NAMES = ("ndv", "model", "cluster")


def one(sql: str) -> exp.Expression:
    [tree] = parse(sql)
    return tree


def printed(sql: str) -> str:
    return one(sql).sql(dialect=Pareto)


@pytest.mark.parametrize(("sql", "canonical"), PAIRS, ids=[sql for sql, _ in PAIRS])
def test_our_statements_print_back(sql, canonical):
    """Every form prints in its canonical spelling, and that text parses to the same tree."""
    tree = one(sql)
    assert tree.sql(dialect=Pareto) == canonical
    assert one(canonical) == tree


@pytest.mark.parametrize("sql", [sql for sql, _ in PAIRS])
def test_our_statements_are_recognised(sql):
    """The sieve, the tokens and the tree agree that a statement of ours is ours."""
    assert mentions_ours(sql)
    assert ours(one(sql))
    assert looks_ours(sql) or "(SHOW MODELS)" in sql


@pytest.mark.parametrize("mode", ["", "ANALYZE ", "STAGES ", "RESOURCES ", "FRONTIER "])
def test_explain_takes_every_statement_of_ours(mode):
    """EXPLAIN in all modes wraps any statement and prints back, and keeps the statement's own tree."""
    for _, sql in PAIRS:
        if sql.startswith(("SELECT", "WITH", "CREATE", "INSERT", "COPY", "UPDATE", "DELETE")):
            tree = one(f"EXPLAIN {mode}{sql}")
            assert isinstance(tree, Explain)
            assert (tree.args["mode"], tree.this) == (mode.strip(), one(sql))
            assert tree.sql(dialect=Pareto) == f"EXPLAIN {mode}{sql}"


def test_queries_nest_in_other_statements():
    """A query of ours keeps its text inside CREATE TABLE AS, a CTE, a subquery and UNION."""
    for _, sql in PAIRS:
        if not sql.startswith("SELECT"):
            continue
        for outer in ("CREATE TABLE z AS {}", "WITH q AS ({}) SELECT * FROM q", "SELECT * FROM ({}) AS q"):
            assert printed(outer.format(sql)) == outer.format(sql)


@pytest.fixture(scope="module")
def database():
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(SETUP)
        yield connection


def outcome(connection, sql):
    cursor = connection.execute(sql)
    return [(column[0], str(column[1])) for column in cursor.description], repr(cursor.fetchall())


@pytest.mark.parametrize("sql", ORDINARY)
def test_printing_keeps_the_meaning_of_duckdb_sql(database, sql):
    """A DuckDB query and its printed tree give the same column names, types and rows, and the tree is not ours."""
    tree = one(sql)
    assert not ours(tree)
    assert outcome(database, tree.sql(dialect=Pareto)) == outcome(database, sql)


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        ("CREATE VIEW z AS SELECT a, list_transform(l, lambda v: v + 1) AS k FROM t", "FROM z ORDER BY ALL"),
        ("CREATE TABLE z AS SELECT a, b FROM t WITH NO DATA", "FROM z"),
        ("CREATE MACRO tm(n) AS TABLE SELECT * FROM t WHERE a = n", "SELECT a, b FROM tm(1) ORDER BY ALL"),
        ("INSERT INTO u BY NAME SELECT 7 AS a, 'k' AS c", "FROM u ORDER BY ALL"),
        ("INSERT INTO u (c, a) VALUES ('x', 1), (DEFAULT, 2)", "FROM u ORDER BY ALL"),
        ("UPDATE u SET c = t.s FROM t WHERE t.a = u.a AND t.a > 1", "FROM u ORDER BY ALL"),
        ("DELETE FROM u USING t WHERE t.a = u.a", "FROM u ORDER BY ALL"),
        ("SET SESSION default_null_order = 'nulls_first'", "SELECT a FROM t ORDER BY a"),
        ("SET VARIABLE v = (SELECT max(a) FROM t)", "SELECT getvariable('v')"),
    ],
)
def test_printing_keeps_the_effect_of_duckdb_statements(statement, check):
    """A DuckDB statement and its printed tree leave the same state behind."""
    states = []
    for sql in (statement, printed(statement)):
        with duckdb.connect() as connection:
            connection.execute(SETUP)
            connection.execute(sql)
            states.append(outcome(connection, check))
    assert states[0] == states[1]


def test_null_order_is_only_printed_when_written():
    """ORDER BY without NULLS obeys default_null_order, so printing must not spell out a default."""
    for order in ("x", "x DESC", "x ASC NULLS LAST", "x NULLS FIRST"):
        sql = f"SELECT x, ndv(y ORDER BY {order}) OVER (ORDER BY {order}) FROM t ORDER BY {order}"
        assert printed(sql) == sql


def test_every_function_of_duckdb_keeps_its_name(database):
    """Printing never renames a function that DuckDB knows, whatever sqlglot calls it elsewhere."""
    names = database.sql("SELECT DISTINCT function_name FROM duckdb_functions()").fetchall()
    special = {"position", "overlay", "map", "show"}  # these have a grammar of their own
    for (name,) in names:
        if name.replace("_", "a").isalnum() and name not in special:
            assert printed(f"SELECT {name}(x)").lower() == f"select {name}(x)".lower()


def test_aggregates_are_known_by_name(database):
    """Every aggregate that DuckDB lists parses to an aggregate node."""
    listed = database.sql("SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'aggregate'")
    for (name,) in listed.fetchall():
        assert isinstance(one(f"SELECT {name}(x)").expressions[0], exp.AggFunc), name
    assert {"percentile_cont", "geomean", "json_group_array"} <= AGGREGATES


@pytest.mark.parametrize("sql", ["t LEFT JOIN u", "t JOIN u", "t JOIN unnest([1])"])
def test_a_join_needs_its_condition(sql):
    """sqlglot reads a join without ON as a cross join; DuckDB refuses it, and so must we."""
    with pytest.raises(ParseError, match="ON or USING"):
        parse(f"SELECT ndv(x) FROM {sql}")


def test_options_are_read_by_name():
    """Both ways of writing an option give one dictionary, with lower-case names."""
    call = one("SELECT ndv(x, METHOD => 'gee', Rate := 0.5) FROM t").find(NdvCall)
    assert {name: value.sql() for name, value in options_of(call).items()} == {"method": "'gee'", "rate": "0.5"}
    model = one("CREATE MODEL m OPTIONS (DIM = 32) AS SELECT 1")
    assert options_of(model)["dim"].to_py() == 32
    assert options_of(one("SELECT ndv(x)").find(NdvCall)) == {}


def test_positions_point_into_the_text():
    """A call, each option and a column can be found again in the text, also in its second statement."""
    sql = "SELECT 1;\nSELECT a,\n  ndv(user_id, rate => 0.5, seed => 3) FROM ndv_report(TABLE t)"
    tree = parse(sql)[1]
    call, report = tree.find(NdvCall), tree.find(NdvReport)

    def text(node):
        spot = spot_of(node, sql)
        return sql[spot.start : spot.start + spot.length], spot.line

    assert text(call) == ("ndv", 3)
    assert text(call.this) == ("user_id", 3)
    assert text(option_node(call, "seed")) == ("seed", 3)
    assert text(options_of(call)["rate"]) == ("0.5", 3)
    assert text(report) == ("ndv_report", 3)
    assert option_node(call, "method") is None
    assert spot_of(exp.null(), sql) is None


@pytest.mark.parametrize(
    ("sql", "problem", "at", "hint"),
    [
        (
            "SELECT * FROM recommend(MODEL taste, visitors, k => 5)",
            "expected TABLE or a query after MODEL taste",
            "visitors",
            "write TABLE visitors, or (SELECT ... FROM visitors).",
        ),
        ("SELECT ndv() FROM t", "ndv needs the expression", ")", "write ndv(column)"),
        ("SELECT ndv(rate => 1) FROM t", "ndv needs the expression", "rate", "write ndv(column)"),
        ("SELECT ndv(*) FROM t", "one expression, not of *", "*", "ndv_report does every column"),
        ("SELECT ndv(x, 'gee') FROM t", "one expression, then named options", "'gee'", "method => 'gee'"),
        ("SELECT ndv_interval(*) FROM t", "takes an expression, not *", "*", "write ndv_interval(column)"),
        ("SELECT ndv_sketch(DISTINCT x) FROM t", "takes no DISTINCT", "DISTINCT", "write ndv_sketch(column)"),
        ("SELECT ndv_merge() FROM t", "ndv_merge needs a stored sketch", ")", "write ndv_merge(sketches)"),
        ("SELECT ndv_merge(a, b) FROM t", "takes one expression, then named options", "b)", "ndv_merge(sketches)"),
        ("SELECT ndv_sum(x) FROM t", "ndv_sum needs the number", ")", "write ndv_sum(user_id, revenue)"),
        ("SELECT ndv_sum(x, seed => 1) FROM t", "ndv_sum needs the number", "seed", "ndv_sum(user_id, revenue)"),
        ("SELECT ndv_sum(x, y, z) FROM t", "takes 2 expressions, then named options", "z", "ndv_sum(user_id, revenue)"),
        ("SELECT ndv_estimate(s, 100) FROM t", "one expression, then named options", "100", "rows => 1000000"),
        ("SELECT ndv_profile(rows => 1)", "ndv_profile needs a stored sketch", "rows", "write ndv_profile(sketch)"),
        ("ANALYZE WITH SAMPLE 0.1", "expected the name of a table", "WITH", "write ANALYZE t COLUMNS (a, b)"),
        ("ANALYZE t COLUMNS () WITH SAMPLE 0.1", "expected the name of a column", ") WITH", "COLUMNS (a, b)"),
        ("ANALYZE t (a) WITH SAMPLE 0.1", "expected COLUMNS or WITH SAMPLE", "(a)", "COLUMNS (a, b)"),
        ("ANALYZE t WITH SAMPLE", "expected the share of rows", "", "WITH SAMPLE 0.01"),
        ("ANALYZE t WITH SAMPLE 1 PERCENT", "a share, not a percentage", "PERCENT", "WITH SAMPLE 0.01"),
        ("ANALYZE t WITH SAMPLE 1%", "a share, not a percentage", "%", "WITH SAMPLE 0.01"),
        ("SELECT ndv(x, rate => ) FROM t", "the option rate has no value", ")", "write rate => value"),
        ("SELECT ndv(x, seed => 1, seed => 2)", "given twice", "seed", None),
        ("SELECT ndv(x method => 'gee')", "expected , or )", "method", None),
        ("SELECT ndv(x, seed => 1, ) FROM t", "expected an option", ")", "name => value"),
        ("FROM ndv_report(clicks, rate => 1)", "expected TABLE, a query or a file", "clicks", "write TABLE clicks"),
        ("FROM trace_simulate(t)", "expected the folder of a trace", "t)", "write trace_simulate('DIR')"),
        ("CREATE MODEL m (SELECT 1)", "expected AS and a query", "(", "CREATE MODEL name"),
        ("CREATE MODEL 1 AS SELECT 1", "expected the name of a model", "1", "written like table names"),
        ("SHOW MODEL m", "SHOW MODEL takes no name", "MODEL", "write DESCRIBE MODEL name"),
        ("SET objective 'cost'", "expected = after SET objective", "'cost'", "write SET objective = value"),
        ("PREPARE p AS SELECT ndv(x) FROM t", "PREPARE statements cannot hold", "ndv", None),
        ("SELECT ndv(x) FROM t WHERE", "the statement ends too early", "", None),
        ("SELECT ndv(x) FROM t t t", "unexpected 't'", "t", None),
    ],
)
def test_errors_say_what_where_and_how(sql, problem, at, hint):
    """A syntax error names the problem, marks the place and offers a fix."""
    with pytest.raises(ParseError) as caught:
        parse(sql)
    message, spot = str(caught.value), caught.value.spot
    assert problem in message.splitlines()[0]
    assert sql[spot.start :].startswith(at)
    assert "Hint: " in message and (hint or "") in message
    assert looks_ours(sql)
    assert isinstance(caught.value, ProgrammingError)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT model, ndv FROM t",
        "SELECT predict AS explain, explain AS model, embed, evaluate FROM similar_ AS recommend",
        "SELECT predict(1, 2), predict(model), embed(model.x), evaluate(model, 3)",
        "SELECT s.ndv(x) FROM t",
        "SELECT 'ndv(x)', \"ndv(x)\" FROM t -- ndv(x)",
        "SELECT /* ndv(x) */ $$ ndv(x) $$",
        "DESCRIBE model",
        "DESCRIBE models",
        "SHOW model",
        "SELECT * FROM model JOIN models USING (model)",
        "DROP TABLE model",
        "CREATE TABLE model(model INTEGER)",
        "SET threads = 4",
        "ANALYZE",
        "ANALYZE t",
        "ANALYZE t(a)",
        "SELECT analyze, ndv_sketch, ndv_sum FROM t USING SAMPLE 1",
        "RESET threads",
        "SELECT objective, cluster FROM t",
        "EXPLAIN SELECT stages FROM resources",
        "EXPLAIN (FORMAT json) SELECT 1",
        "EXPLAIN ANALYZE SELECT 1",
        "SELECT ndv_total(x), my_ndv(x) FROM t",
    ],
)
def test_names_like_ours_stay_names(sql):
    """Columns, tables and functions may be called like our words; only the call or statement is ours."""
    assert not ours(one(sql))
    assert not looks_ours(sql)


def test_quoted_calls_are_ours():
    """Quoting a function's name does not change which function it is."""
    assert isinstance(one('SELECT "ndv"(x)').expressions[0], NdvCall)
    assert looks_ours('SELECT "NDV"(x)')


def test_show_and_describe_tell_models_from_tables():
    """Two words name a model, one word a table; SHOW MODELS is the list, SHOW "models" the table."""
    assert ours(one("DESCRIBE MODEL model")) and not ours(one("DESCRIBE model"))
    assert ours(one("SHOW models")) and not ours(one('SHOW "models"'))


def test_ordinary_sql_does_not_reach_the_parser():
    """The sieve stops at ordinary SQL, unless it uses one of our words as a name."""
    reached = [sql for sql in ORDINARY if mentions_ours(sql)]
    assert len(reached) < 10
    assert all(any(name in sql for name in NAMES) for sql in reached)
    for sql in ("SET threads = 4", "EXPLAIN SELECT 1", "SELECT predict(1)", "SELECT stages FROM t", "SELECT objective"):
        assert not mentions_ours(sql)


def test_the_sieve_needs_no_parser():
    """Deciding that SQL is ordinary imports no sqlglot."""
    code = (
        "import sys; from paretosql.engine.prefilter import mentions_ours; "
        "print(mentions_ours('SELECT 1'), 'sqlglot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False False"


def test_outermost_comes_first():
    """find_ours lists every node of ours, a wrapping EXPLAIN before what it explains."""
    kinds = [type(node) for node in find_ours(one("EXPLAIN STAGES SELECT ndv(x) FROM recommend(MODEL m, TABLE t)"))]
    assert kinds[0] is Explain
    assert set(kinds[1:]) == {NdvCall, ModelCall}


def test_empty_statements_are_dropped():
    """Semicolons and comments alone are no statements."""
    assert parse("") == parse(" ; ;; -- nothing\n") == []
    assert [type(tree) for tree in parse("SELECT 1;; SET objective = 'cost';")] == [exp.Select, SetOurs]


def test_printing_refuses_to_drop_anything():
    """What the generator cannot express is an error, never silently left out."""
    tree = one("CREATE TABLE z ENGINE = 'fast' AS SELECT ndv(x) FROM t")
    with pytest.raises(NotSupportedError, match="cannot be rewritten"):
        tree.sql(dialect=Pareto)


def test_deep_and_long_statements():
    """A thousand terms parse and print; nesting beyond the parser's depth is a ParseError."""
    terms = " OR ".join(f"x = {number}" for number in range(1000))
    assert printed(f"SELECT ndv(x) FROM t WHERE {terms}") == f"SELECT ndv(x) FROM t WHERE {terms}"
    with pytest.raises(ParseError, match="nested too deeply"):
        parse(f"SELECT ndv({'(' * 2000}x{')' * 2000})")


def test_mutated_statements_parse_or_raise_parse_errors():
    """3,000 statements with deleted, doubled, swapped or foreign tokens give a tree or a ParseError, nothing else."""
    dice = random.Random(20)
    tokens = [[token.text for token in Pareto().tokenize(sql)] for sql, _ in PAIRS]
    noise = [
        "(",
        ")",
        "'",
        '"',
        "$$",
        "/*",
        "MODEL",
        "ndv",
        "=>",
        ",",
        "TABLE",
        "SELECT",
        "\x00",
        "é",
        "EXPLAIN",
        ";",
        "[",
    ]
    parsed = 0
    for _ in range(3000):
        words = list(dice.choice(tokens))
        for _ in range(dice.randint(1, 3)):
            at, other = dice.randrange(len(words)), dice.randrange(len(words))
            match dice.randrange(4):
                case 0 if len(words) > 1:
                    del words[at]
                case 1:
                    words.insert(at, words[other])
                case 2:
                    words[at], words[other] = words[other], words[at]
                case _:
                    words[at] = dice.choice(noise)
        sql = " ".join(words)
        looks_ours(sql)
        try:
            trees = parse(sql)
        except ParseError as error:
            assert error.spot is None or 0 <= error.spot.start <= len(sql)
        else:
            parsed += 1
            assert all(isinstance(ours(tree), bool) for tree in trees)
    assert parsed > 300
