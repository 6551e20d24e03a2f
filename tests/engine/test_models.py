"""Statements about models and calls of them: names, transactions, places in a query, and what is told of mistakes."""

from __future__ import annotations

import itertools
import threading
import time

import pyarrow as pa
import pytest

import paretosql

RATINGS = "SELECT range % 30 AS user_id, (range * 7) % 17 AS item_id, range AS ts FROM range(300)"
POPULAR = f"CREATE MODEL taste OPTIONS (model_type = 'popularity') AS {RATINGS}"


@pytest.fixture
def con():
    """A connection on which every statement stands for itself, with a model `taste`."""
    with paretosql.connect(autocommit=True) as connection:
        connection.execute(POPULAR)
        yield connection
    connection.close()


def names(con):
    """The models there are."""
    return [name for name, *_ in con.execute("SHOW MODELS").fetchall()]


# names


def test_names_in_any_case_and_with_dots(con):
    """A model is found whatever the case; dots are part of a name, quoted or not."""
    con.execute(f"CREATE MODEL Shop.\"Other\" OPTIONS (model_type = 'popularity') AS {RATINGS}")
    assert names(con) == ["Shop.Other", "taste"]
    for name in ("TASTE", '"taste"', "shop.other", "`shop.other`", '"Shop"."other"'):
        assert con.execute(f"SELECT * FROM recommend(MODEL {name}, (SELECT 1 AS user_id), k => 1)").fetchall()


def test_a_table_may_be_called_like_a_model(con):
    """Models and tables share no names."""
    con.execute("CREATE TABLE taste AS SELECT 1 AS user_id")
    assert len(con.execute("SELECT * FROM recommend(MODEL taste, TABLE taste, k => 2)").fetchall()) == 2


def test_create_twice(con):
    """A second CREATE is refused, IF NOT EXISTS does nothing, OR REPLACE makes the next version."""
    with pytest.raises(paretosql.ProgrammingError, match=r"(?s)'taste' exists already.*OR REPLACE"):
        con.execute(POPULAR)
    con.execute(POPULAR.replace("MODEL taste", "MODEL IF NOT EXISTS taste").replace(RATINGS, "SELECT nonsense"))
    assert con.execute("SELECT version FROM (FROM pareto_models.models)").fetchall() == [(1,)]
    con.execute(POPULAR.replace("CREATE", "CREATE OR REPLACE"))
    assert con.execute("SELECT version FROM pareto_models.models").fetchall() == [(2,)]


def test_drop(con):
    """A dropped model is gone; dropping it again needs IF EXISTS."""
    con.execute("DROP MODEL taste")
    assert names(con) == []
    con.execute("DROP MODEL IF EXISTS taste")
    with pytest.raises(paretosql.ProgrammingError, match="no model named 'taste'"):
        con.execute("DROP MODEL taste")


def test_the_nearest_name(con):
    """A mistyped model is answered with the one that was meant."""
    with pytest.raises(paretosql.ProgrammingError, match=r"(?s)no model named 'tast'.*did you mean 'taste'"):
        con.execute("SELECT * FROM recommend(MODEL tast)")
    with pytest.raises(paretosql.ProgrammingError, match=r"(?s)no model type named 'popularty'.*'popularity'"):
        con.execute(POPULAR.replace("'popularity'", "'popularty'").replace("taste", "x"))


def test_show_and_describe_are_rows(con):
    """SHOW MODELS, SHOW MODEL TYPES and DESCRIBE MODEL have columns, and can be read as Arrow."""
    assert con.sql("SHOW MODELS").arrow().column_names[:2] == ["name", "model_type"]
    types = con.sql("SHOW MODEL TYPES").arrow().to_pylist()
    assert {"popularity", "ease", "itemknn", "userknn"} <= {each["model_type"] for each in types}
    assert all(each["about"].endswith(".") and each["verbs"] and each["options"] for each in types)
    assert ("model", "model_type", "popularity") in [
        (part, name, value) for part, name, value, _ in con.execute("DESCRIBE MODEL taste").fetchall()
    ]


# transactions


def test_rollback_takes_the_model_back(tmp_path):
    """A model belongs to the transaction that made it: others do not see it, ROLLBACK removes it and its files."""
    path = tmp_path / "shop.db"
    with paretosql.connect(path, autocommit=True) as con, paretosql.connect(path, autocommit=True) as other:
        con.execute("BEGIN")
        con.execute(POPULAR)
        assert names(con) == ["taste"] and names(other) == []
        con.execute("ROLLBACK")
        assert names(con) == []
        con.close()
        other.close()
    assert not (tmp_path / "shop.db.models").exists()


def test_commit_shows_it_to_others(tmp_path):
    """A reader keeps the models of its transaction; after the end of it the new version is there."""
    path = tmp_path / "shop.db"
    best = "SELECT item_id FROM recommend(MODEL taste, (SELECT -1 AS user_id), k => 1)"
    with paretosql.connect(path, autocommit=True) as con, paretosql.connect(path, autocommit=True) as other:
        con.execute("CREATE MODEL taste OPTIONS (model_type = 'popularity') AS SELECT 1 AS user_id, 'old' AS item_id")
        other.execute("BEGIN")
        assert other.execute(best).fetchall() == [("old",)]
        con.execute(
            "CREATE OR REPLACE MODEL taste OPTIONS (model_type = 'popularity') AS SELECT 1 AS user_id, 'new' AS item_id"
        )
        assert other.execute(best).fetchall() == [("old",)]
        other.execute("COMMIT")
        assert other.execute(best).fetchall() == [("new",)]
        con.execute("BEGIN")
        con.execute("DROP MODEL taste")
        assert other.execute(best).fetchall() == [("new",)]
        con.execute("COMMIT")
        assert names(other) == []
        con.close()
        other.close()


def test_implicit_transactions():
    """Without autocommit a model made after a change belongs to it, and commit() keeps both."""
    with paretosql.connect() as con:
        con.execute("CREATE TABLE clicks (user_id INTEGER, item_id INTEGER)")
        con.execute("INSERT INTO clicks VALUES (1, 2)")
        con.execute("CREATE MODEL taste OPTIONS (model_type = 'popularity') AS SELECT * FROM clicks")
        con.rollback()
        assert names(con) == []
        con.execute("INSERT INTO clicks VALUES (1, 2)")
        con.execute("CREATE MODEL taste OPTIONS (model_type = 'popularity') AS SELECT * FROM clicks")
        con.commit()
        con.rollback()
        assert names(con) == ["taste"]


def test_read_only(tmp_path):
    """A read-only connection asks models and makes none."""
    path = tmp_path / "shop.db"
    with paretosql.connect(path, autocommit=True) as con:
        con.execute(POPULAR)
        con.close()
    with paretosql.connect(path, read_only=True) as con:
        assert con.execute("SELECT count(*) FROM recommend(MODEL taste)").fetchall() == [(210,)]
        with pytest.raises(paretosql.OperationalError, match="read-only"):
            con.execute(POPULAR.replace("CREATE", "CREATE OR REPLACE"))
        with pytest.raises(paretosql.OperationalError, match="read-only"):
            con.execute("DROP MODEL taste")
        con.close()


def test_model_dir(tmp_path):
    """Models can be kept elsewhere; the database finds them there again."""
    for _ in range(2):
        with paretosql.connect(tmp_path / "shop.db", model_dir=tmp_path / "elsewhere", autocommit=True) as con:
            con.execute(POPULAR.replace("MODEL taste", "MODEL IF NOT EXISTS taste"))
            assert con.execute("SELECT * FROM recommend(MODEL taste)").fetchone()
            con.close()
    assert len(list((tmp_path / "elsewhere").iterdir())) == 1
    assert not (tmp_path / "shop.db.models").exists()


# places in a query


def test_composes_like_a_table(con):
    """A call may stand in joins, common table expressions, subqueries, set operations, CREATE TABLE and INSERT."""
    con.execute("CREATE TABLE items AS SELECT range AS item_id, 'item ' || range AS title FROM range(17)")
    con.execute("CREATE TABLE users AS SELECT range AS user_id FROM range(3)")
    joined = "SELECT user_id, title FROM recommend(MODEL taste, TABLE users, k => 2) AS r JOIN items USING (item_id)"
    assert len(con.execute(joined).fetchall()) == 6
    cte = "WITH u AS (FROM users LIMIT 1), r AS (SELECT * FROM recommend(MODEL taste, TABLE u, k => 3)) FROM r"
    assert len(con.execute(cte).fetchall()) == 3
    assert con.execute("SELECT (SELECT count(*) FROM recommend(MODEL taste, TABLE users, k => 1))").fetchall() == [(3,)]
    union = (
        "FROM recommend(MODEL taste, TABLE users, k => 1) UNION ALL FROM recommend(MODEL taste, TABLE users, k => 1)"
    )
    assert len(con.execute(union).fetchall()) == 6
    con.execute("CREATE TABLE kept AS SELECT * FROM recommend(MODEL taste, TABLE users, k => 2)")
    con.execute("INSERT INTO kept SELECT * FROM recommend(MODEL taste, TABLE users, k => 1)")
    assert con.execute("SELECT count(*) FROM kept").fetchall() == [(9,)]
    inner = "SELECT * EXCLUDE (score) FROM recommend(MODEL taste, TABLE users, k => 1)"
    nested = f"SELECT * FROM predict(MODEL taste, ({inner}))"
    assert len(con.execute(nested).fetchall()) == 3
    counted = "SELECT ndv(item_id) FROM recommend(MODEL taste, TABLE users, k => 2)"
    assert con.execute(counted).fetchall() == con.execute(counted.replace("ndv(", "count(DISTINCT ")).fetchall()


def test_parameters(con):
    """Parameters may stand in the rows, in arguments, and in the options of a training."""
    rows = con.execute("SELECT * FROM recommend(MODEL taste, (SELECT ? AS user_id), k => ?)", [5, 2]).fetchall()
    assert [(user, rank) for user, _, rank, _ in rows] == [(5, 1), (5, 2)]
    con.execute("CREATE MODEL e OPTIONS (model_type = 'ease', l2 = $l2) AS " + RATINGS, {"l2": 7})
    assert ("l2", "7.0") in [(name, value) for _, name, value, _ in con.execute("DESCRIBE MODEL e").fetchall()]


def test_conditions_and_limits_go_below_the_model(con):
    """What does not depend on the answer is decided before the model is asked, and EXPLAIN shows it."""
    con.execute(f"CREATE TABLE pairs AS SELECT *, 'x' AS unused FROM ({RATINGS})")
    call = "FROM predict(MODEL taste, TABLE pairs)"
    whole = con.execute(f"SELECT user_id, item_id, score {call}").fetchall()
    steps = con.sql(f"EXPLAIN SELECT item_id, score {call} AS p WHERE p.user_id = 3 AND score > 1").arrow().to_pylist()
    assert steps[0]["step"] and "user_id = 3" in steps[0]["sql"] and "unused" not in steps[0]["sql"]
    assert "predict" in steps[0]["operator"] and "taste" in steps[0]["detail"]
    assert "score > 1" in steps[-1]["sql"] and "user_id = 3" not in steps[-1]["sql"]
    found = con.execute(f"SELECT item_id, score {call} AS p WHERE p.user_id = 3 AND score > 1").fetchall()
    assert found == [(item, score) for user, item, score in whole if user == 3 and score > 1]
    limited = con.sql(f"EXPLAIN SELECT item_id, score {call} LIMIT 4").arrow().to_pylist()
    assert "LIMIT 4" in limited[0]["sql"]
    analyzed = con.sql(f"EXPLAIN ANALYZE SELECT item_id, score {call} LIMIT 4").arrow().to_pylist()
    assert analyzed[0]["rows_in"] == 4
    for kept in (f"SELECT count(*) {call} LIMIT 1", f"SELECT item_id {call} WHERE score > 0 LIMIT 1"):
        assert "LIMIT" not in con.sql(f"EXPLAIN {kept}").arrow().to_pylist()[0]["sql"]
    assert con.execute(f"SELECT count(*) {call} LIMIT 1").fetchall() == [(300,)]


@pytest.mark.parametrize(
    "where",
    [
        "item_id IN (SELECT 3)",
        "user_id % 2 = 0 OR score > 100",
        "NOT (user_id = 3)",
        "user_id BETWEEN 2 AND 5 AND item_id > (SELECT 4)",
        "random() < 2 AND user_id = 1",
        "user_id = 1 AND (item_id = 7 OR item_id = 3)",
        "predict.user_id < 4",
        "status IS NULL AND user_id < 4",
    ],
)
def test_any_condition_means_the_same(con, where):
    """Wherever a condition is decided, the rows are those of a subquery around everything."""
    con.execute(f"CREATE TABLE pairs AS {RATINGS}")
    call = "predict(MODEL taste, TABLE pairs)"
    direct = con.execute(f"SELECT user_id, item_id, score FROM {call} WHERE {where}").fetchall()
    around = con.execute(
        f"SELECT user_id, item_id, score FROM (SELECT * FROM {call}) AS predict WHERE {where}"
    ).fetchall()
    assert direct == around


def test_a_condition_on_a_query_around_stays(con):
    """A column of the query around, though the rows have one of the same name, is no condition on the rows alone."""
    con.execute(f"CREATE TABLE pairs AS {RATINGS}")
    call = "predict(MODEL taste, TABLE pairs)"
    sql = "SELECT user_id, (SELECT count(*) FROM {} AS p WHERE p.user_id = o.user_id) FROM range(3) AS o(user_id)"
    assert con.execute(sql.format(call)).fetchall() == con.execute(sql.format("pairs")).fetchall()
    inside = f"SELECT user_id FROM range(3) AS o(user_id) WHERE EXISTS (FROM {call} AS p WHERE o.user_id = user_id)"
    assert len(con.execute(inside).fetchall()) == 3


def test_a_whole_row(con):
    """The name of the relation is the row with all columns, as it is of any table."""
    con.execute("CREATE TABLE pairs AS SELECT 1 AS user_id, 2 AS item_id, 'x' AS other")
    ((row,),) = con.execute("SELECT p FROM predict(MODEL taste, TABLE pairs) AS p").fetchall()
    assert list(row) == ["user_id", "item_id", "other", "score", "status"]


def test_scalar_form_anywhere(con):
    """The scalar form stands in WHERE, ORDER BY, GROUP BY, aggregates, CASE, joins and subqueries."""
    con.execute(f"CREATE TABLE pairs AS {RATINGS}")
    call = "predict(MODEL taste, user_id, item_id)"
    ((total,),) = con.execute("SELECT sum(score) FROM predict(MODEL taste, TABLE pairs)").fetchall()
    assert con.execute(f"SELECT sum({call}) FROM pairs").fetchall() == [(total,)]
    assert con.execute(f"SELECT count(*) FROM pairs WHERE {call} > 0").fetchall() == [(300,)]
    assert con.execute(f"SELECT {call} AS s, count(*) FROM pairs GROUP BY s ORDER BY s").fetchall()
    assert con.execute(f"SELECT CASE WHEN {call} > 1 THEN 'y' END FROM pairs LIMIT 1").fetchall() == [("y",)]
    of_both = "predict(MODEL taste, p.user_id, q.item_id)"
    joined = f"SELECT count(*) FROM pairs p JOIN pairs q ON p.ts = q.ts AND {of_both} > 0"
    assert con.execute(joined).fetchall() == [(300,)]
    assert con.execute(f"WITH w AS (SELECT {call} AS s FROM pairs) SELECT sum(s) FROM w").fetchall() == [(total,)]
    assert con.execute(f"SELECT {call} FROM (SELECT 1 AS user_id, NULL AS item_id)").fetchall() == [(None,)]


@pytest.mark.parametrize(
    ("sql", "error", "words"),
    [
        ("SELECT * FROM weights(MODEL taste)", "ProgrammingError", r"popularity models cannot be asked to weights"),
        ("SELECT * FROM predict(MODEL taste)", "ProgrammingError", r"(?s)predict needs rows.*TABLE t"),
        ("SELECT * FROM recommend(MODEL taste, (SELECT 1 AS x))", "ProgrammingError", r"(?s)'user_id'.*rows have x"),
        ("SELECT * FROM recommend(MODEL taste, TABLE nothing)", "ProgrammingError", r"nothing"),
        ("SELECT * FROM recommend(MODEL taste, k => 0)", "ProgrammingError", r"k .* at least 1|from 1 to"),
        ("SELECT * FROM recommend(MODEL taste, k => 'x')", "ProgrammingError", r"k .* whole number"),
        ("SELECT * FROM recommend(MODEL taste, kk => 3)", "ProgrammingError", r"(?s)no argument 'kk'.*did you mean k"),
        ("SELECT * FROM recommend(MODEL taste, candidates => 3)", "ProgrammingError", r"candidates is a table"),
        ("SELECT * FROM recommend(MODEL taste, cold_start => 'x')", "ProgrammingError", r"popular, none"),
        ("SELECT recommend(MODEL taste, 1)", "ProgrammingError", r"is a table, not a value"),
        ("SELECT * FROM evaluate(MODEL taste)", "ProgrammingError", r"(?s)without rows held out.*split"),
        ("CREATE MODEL x OPTIONS (l2 = 3) AS SELECT 1", "ProgrammingError", r"(?s)needs a model_type.*ease"),
        ("CREATE MODEL x AS SELECT 1", "ProgrammingError", r"needs a model_type"),
        ("CREATE MODEL x OPTIONS (model_type = 'ease') AS SELECT * FROM nothing", "ProgrammingError", r"nothing"),
        (
            "CREATE MODEL x OPTIONS (model_type = 'ease', l2 = -1) AS " + RATINGS,
            "ProgrammingError",
            r"l2 of ease is from",
        ),
        ("CREATE MODEL x OPTIONS (model_type = 'ease', l2 = [1]) AS SELECT 1 AS user_id", "ProgrammingError", r"item"),
        ("CREATE MODEL x OPTIONS (model_type = 'ease', seed = 1.5) AS " + RATINGS, "ProgrammingError", r"whole number"),
        ("CREATE MODEL x OPTIONS (model_type = 'ease', split = 'half') AS " + RATINGS, "ProgrammingError", r"random, "),
        (
            "CREATE MODEL x OPTIONS (model_type = 'ease', split = 'column') AS " + RATINGS,
            "ProgrammingError",
            r"split_col",
        ),
        ("CREATE VIEW v AS SELECT predict(MODEL taste, 1, 2)", "NotSupportedError", r"VIEW|view"),
        ("EXPLAIN CREATE MODEL x OPTIONS (model_type = 'ease') AS SELECT 1", "NotSupportedError", r"EXPLAIN"),
    ],
)
def test_mistakes_are_explained(con, sql, error, words):
    """Every mistake is an exception of the right class that says what would work; the models stay as they are."""
    with pytest.raises(getattr(paretosql, error), match=words):
        con.execute(sql).fetchall()
    assert names(con) == ["taste"]


def test_the_place_is_shown(con):
    """A wrong option and a wrong argument have a caret below them."""
    with pytest.raises(paretosql.ProgrammingError) as caught:
        con.execute("CREATE MODEL x OPTIONS (model_type = 'ease', l3 = 3) AS SELECT 1")
    lines = str(caught.value).splitlines()
    text, carets = next(
        (above, below) for above, below in itertools.pairwise(lines) if below.strip() and not below.strip("^ ")
    )
    assert text[carets.index("^") : carets.rindex("^") + 1] == "l3"


# splits


def test_cold_users_are_judged_by_their_last_row():
    """Users held out whole keep all rows but the last as their history; evaluate with that history says the same."""
    item = "(range % 2) * 40 + (range // 40 * 7 + range % 40 * 3) % 40"  # no item twice for a user
    rows = f"SELECT range % 40 AS user_id, {item} AS item_id, range AS ts FROM range(800)"
    with paretosql.connect(autocommit=True) as con:
        con.execute(f"CREATE TABLE seen AS {rows}")
        con.execute("CREATE MODEL m OPTIONS (model_type = 'ease', l2 = 2, split = 'cold_users') AS FROM seen")
        told = dict(con.execute("SELECT * FROM evaluate(MODEL m)").fetchall())
        known = "SELECT DISTINCT user_id FROM recommend(MODEL m, k => 1)"
        con.execute(f"CREATE TABLE cold AS FROM seen WHERE user_id NOT IN ({known})")
        assert told["users"] == con.execute("SELECT count(DISTINCT user_id) FROM cold").fetchone()[0] == 8
        con.execute(
            "CREATE TABLE last AS FROM cold QUALIFY row_number() OVER (PARTITION BY user_id ORDER BY ts DESC) = 1"
        )
        con.execute("CREATE TABLE before AS FROM cold ANTI JOIN last USING (ts)")
        asked = con.execute("SELECT * FROM evaluate(MODEL m, TABLE last, history => TABLE before)").fetchall()
        assert dict(asked) == told
        without = dict(con.execute("SELECT * FROM evaluate(MODEL m, TABLE last)").fetchall())
        assert told["auc"] > without["auc"], "a history says more than what everyone likes"


@pytest.mark.parametrize("split", ["random", "time", "leave_last_out", "cold_users", "cold_items"])
def test_splits_learn_from_the_rest(split):
    """Whatever is held out, the model has not seen it: what it knows and what it is judged by are all rows together."""
    with paretosql.connect(autocommit=True) as con:
        con.execute(
            "CREATE TABLE seen AS SELECT range % 20 AS user_id, range // 20 AS item_id, range AS ts FROM range(400)"
        )
        con.execute(f"CREATE MODEL m OPTIONS (model_type = 'popularity', split = '{split}') AS FROM seen")
        known = con.execute("SELECT count(*) FROM recommend(MODEL m, k => 1000, exclude_seen => false)").fetchall()[0][
            0
        ]
        left = con.execute("SELECT count(*) FROM recommend(MODEL m, k => 1000)").fetchall()[0][0]
        learnt = known - left
        judged = {"leave_last_out": 20, "time": 80, "cold_users": 80, "cold_items": 80}.get(split)
        assert (400 - learnt == judged) if judged is not None else 40 < 400 - learnt < 130


# from Python


def test_python_methods(con):
    """The same from Python: create_model, model(..) and its methods, drop_model; rows as SQL, names or Arrow."""
    con.create_model("shop", "ease", RATINGS, l2=5, split="leave_last_out")
    model = con.model("SHOP")
    rows = pa.table({"user_id": [1, 2]})
    assert model.recommend(rows, k=2).arrow().num_rows == 4
    assert model.recommend("SELECT 1 AS user_id", k=2).arrow().num_rows == 2
    con.register("people", rows)
    assert model.recommend("people", k=3, candidates="SELECT 1 AS item_id UNION SELECT 2").arrow().num_rows <= 4
    assert 0 <= model.evaluate()["hr@10"] <= 1
    assert model.describe().arrow().num_rows > 10
    with pytest.raises(paretosql.ProgrammingError, match="exists already"):
        con.create_model("shop", "ease", RATINGS)
    con.create_model("shop", "popularity", RATINGS, replace=True)
    con.drop_model("shop")
    assert names(con) == ["taste"]
    with pytest.raises(paretosql.ProgrammingError, match="no model named"):
        con.model("shop")


# searching


def test_search_for_options(con):
    """Candidates are all tried when there is room, the best by the metric is kept, and the trials can be read."""
    con.execute(
        "CREATE MODEL s OPTIONS (model_type = 'ease', l2 = hparam_candidates([1, 10, 100]),"
        f" objective_metric = 'auc') AS {RATINGS}"
    )
    trials = con.execute("SELECT options, metric, value, status FROM trial_info(MODEL s)").fetchall()
    assert len(trials) == 3 and {metric for _, metric, _, _ in trials} == {"auc"}
    best = max(trials, key=lambda each: each[2])
    (l2,) = [value for _, name, value, _ in con.execute("DESCRIBE MODEL s").fetchall() if name == "l2"]
    assert best[0] == f'{{"l2": {int(float(l2))}}}'
    assert dict(con.execute("SELECT * FROM evaluate(MODEL s)").fetchall())["auc"] == best[2]


def test_search_in_a_range_with_a_budget(con):
    """A range is drawn from, as often as trials allow; the same seed draws the same."""
    drawn = []
    for _ in range(2):
        con.execute(
            "CREATE OR REPLACE MODEL s OPTIONS (model_type = 'ease', l2 = hparam_range(1.0, 500.0), num_trials = 4)"
            f" AS {RATINGS}"
        )
        drawn.append(con.execute("SELECT options FROM trial_info(MODEL s)").fetchall())
    assert drawn[0] == drawn[1] and len(set(drawn[0])) == 4
    con.execute(
        "CREATE OR REPLACE MODEL s OPTIONS (model_type = 'ease', l2 = hparam_range(1.0, 500.0), num_trials = 1000,"
        f" trial_seconds = 0.001) AS {RATINGS}"
    )
    assert len(con.execute("SELECT * FROM trial_info(MODEL s)").fetchall()) < 1000


# stopping


def test_interrupt_while_training():
    """interrupt() from another thread ends a training; nothing of it is kept, and the connection goes on."""
    rows = "SELECT hash(range) % 3000 AS user_id, hash(range + 1) % 900 AS item_id FROM range(400000)"
    with paretosql.connect(autocommit=True) as con:
        con.execute(POPULAR)
        started = threading.Event()

        def stop() -> None:
            started.wait()
            for _ in range(200):
                time.sleep(0.05)
                con.interrupt()
                if done.is_set():
                    return

        done = threading.Event()
        thread = threading.Thread(target=stop)
        thread.start()
        started.set()
        with pytest.raises(paretosql.OperationalError, match=r"stopped|[Ii]nterrupt"):
            con.execute(f"CREATE MODEL slow OPTIONS (model_type = 'bpr', rounds = 100000) AS {rows}")
        done.set()
        thread.join()
        assert names(con) == ["taste"]
        assert con.execute("SELECT count(*) FROM recommend(MODEL taste)").fetchall() == [(210,)]
