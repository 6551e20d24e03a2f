"""What every model family must do, as tests that a family's own test class inherits.

    class TestEase(RecommenderContract):
        family = "ease"

Rows come from `training(rows, seed)`; everything runs through SQL on real connections, but for cancelling, which needs
the moment of one step.
"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest

import paretosql
from paretosql.udfs.model import MEMORY_BYTES, Training, find_family
from paretosql.udfs.options import read_options
from paretosql.udfs.rows import Spool
from paretosql.udfs.verbs import ALWAYS

MILLION = 1_000_000
MOST_MIB = 1_200  # of a whole process that trains on a million rows, all libraries included


def sql_value(value: Any) -> str:
    """A Python value as it is written in OPTIONS."""
    return repr(value) if not isinstance(value, bool) else str(value).lower()


class FamilyContract:
    """Any family."""

    family: ClassVar[str]
    options: ClassVar[dict[str, Any]] = {}
    random: ClassVar[bool] = False  # whether another seed gives another model
    verb: ClassVar[str]

    def training(self, rows: int, seed: int = 0) -> pa.Table:
        """Rows to learn from."""
        raise NotImplementedError

    def million(self) -> str:
        """A query of a million training rows."""
        raise NotImplementedError

    def questions(self) -> pa.Table:
        """Rows to ask about."""
        raise NotImplementedError

    # helpers

    def create(self, con: paretosql.Connection, query: str = "SELECT * FROM training", **options: Any) -> None:
        listed = {"model_type": self.family, **self.options, **options}
        text = ", ".join(f"{name} = {sql_value(value)}" for name, value in listed.items())
        con.execute(f"CREATE OR REPLACE MODEL m OPTIONS ({text}) AS {query}")

    def connected(self, rows: int = 400, database: str | Path = ":memory:") -> paretosql.Connection:
        con = paretosql.connect(database, autocommit=True)
        con.register("training", self.training(rows))
        con.register("questions", self.questions())
        return con

    def answers(self, con: paretosql.Connection, source: str = "TABLE questions") -> list[tuple[Any, ...]]:
        return con.execute(f"SELECT * FROM {self.verb}(MODEL m, {source})").fetchall()

    # truths

    def test_fit_and_answer(self):
        """A model learns, answers, and DESCRIBE MODEL names every column of the answer."""
        with self.connected() as con:
            self.create(con)
            cursor = con.execute(f"SELECT * FROM {self.verb}(MODEL m, TABLE questions)")
            names = [each[0] for each in cursor.description]
            assert cursor.fetchall()
            described = con.execute("DESCRIBE MODEL m").fetchall()
            gives = [name for part, name, *_ in described if part == f"{self.verb} gives"]
            assert gives and set(gives) <= set(names)

    def test_every_verb_answers(self):
        """What DESCRIBE MODEL promises can be asked, and is all that the family promises or a part of it."""
        with self.connected() as con:
            self.create(con)
            family, _ = find_family(self.family)
            parts = [part for part, *_ in con.execute("DESCRIBE MODEL m").fetchall()]
            verbs = {part.removesuffix(" gives") for part in parts if part.endswith(" gives")}
            assert self.verb in verbs and verbs <= set(family.verbs)
            for verb in sorted(verbs | set(ALWAYS)):
                if verb in ("evaluate", "confusion_matrix", "roc_curve"):
                    source = ", TABLE training"
                elif verb in ("predict", "recommend"):
                    source = ", TABLE questions" if verb == self.verb else ", TABLE training"
                else:
                    source = ""
                assert con.execute(f"SELECT * FROM {verb}(MODEL m{source})").description

    def test_save_and_load(self, tmp_path):
        """A model answers the same after the database was closed and opened."""
        con = self.connected(database=tmp_path / "shop.db")
        self.create(con)
        before = self.answers(con)
        con.close()
        with paretosql.connect(tmp_path / "shop.db", autocommit=True) as again:
            again.register("questions", self.questions())
            assert self.answers(again) == before
        again.close()

    def test_same_seed_same_bytes(self, tmp_path):
        """Rows and seed decide the model to the last bit; another seed matters where the family says so."""
        sums = []
        for number, seed in enumerate((5, 5, 6)):
            con = self.connected(database=tmp_path / f"{number}.db")
            self.create(con, seed=seed)
            con.close()
            (facts,) = (tmp_path / f"{number}.db.models").glob("*/model.json")
            sums.append(json.loads(facts.read_text())["files"])
        assert sums[0] == sums[1]
        assert (sums[1] != sums[2]) == self.random

    def test_empty_input(self):
        """No rows in, no rows out, with the same columns."""
        with self.connected() as con:
            self.create(con)
            full = con.execute(f"SELECT * FROM {self.verb}(MODEL m, TABLE questions)").description
            empty = con.execute(f"SELECT * FROM {self.verb}(MODEL m, (SELECT * FROM questions WHERE false))")
            assert empty.description == full
            assert empty.fetchall() == []

    def test_no_training_rows(self):
        """A query without rows is refused by name, and no model is made."""
        with self.connected() as con:
            with pytest.raises(paretosql.DataError, match=self.family):
                self.create(con, "SELECT * FROM training WHERE false")
            assert con.execute("SHOW MODELS").fetchall() == []

    def test_a_failed_training_leaves_the_old_model(self):
        """CREATE OR REPLACE that fails changes nothing."""
        with self.connected() as con:
            self.create(con)
            before = self.answers(con)
            with pytest.raises(paretosql.Error):
                self.create(con, "SELECT * FROM training WHERE false")
            assert self.answers(con) == before
            assert con.execute("SELECT version FROM pareto_models.models").fetchall() == [(1,)]

    def test_an_unknown_option(self):
        """The message names the family, the option and the nearest one."""
        with self.connected() as con, pytest.raises(paretosql.ProgrammingError, match=r"(?s)no option 'sed'.*seed"):
            self.create(con, sed=3)

    @pytest.mark.slow
    def test_a_million_rows_in_bounded_memory(self):
        """A process that trains on a million rows stays small."""
        listed = {"model_type": self.family, **self.options, **self.quick()}
        text = ", ".join(f"{name} = {sql_value(value)}" for name, value in listed.items())
        code = f"""
            import paretosql
            con = paretosql.connect(autocommit=True)
            con.execute("SET memory_limit = '300MB'")
            con.execute({f"CREATE MODEL m OPTIONS ({text}) AS {self.million()}"!r})
            print(con.execute("SELECT rows FROM pareto_models.models").fetchall()[0][0])
            status = open("/proc/self/status").read()  # of this process alone, not of the one that started it
            print(int(status.partition("VmHWM:")[2].split()[0]) // 1024)
        """
        command = [sys.executable, "-c", textwrap.dedent(code)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        rows, mib = map(int, done.stdout.split())
        assert rows == MILLION
        assert mib < MOST_MIB

    def quick(self) -> dict[str, Any]:
        """Options with which a million rows take seconds."""
        return {}

    def test_cancel_at_every_step(self):
        """A training that is stopped at any of its steps ends there, and says that it was stopped."""
        family, preset = find_family(self.family)
        options, _ = read_options(family.options, {**preset, **self.options}, self.family)
        rows = Spool.of_table(self.training(400))
        told: list[int] = []
        family.model.fit(rows, options, Training(tell=lambda what, done, whole: told.append(done)))
        assert told
        for last in sorted({0, len(told) // 2, len(told) - 1}):
            count = iter(range(len(told) + 1))
            with pytest.raises(paretosql.OperationalError, match="stopped"):
                family.model.fit(rows, options, Training(stopped=lambda n=last, c=count: next(c) >= n))

    def test_progress_is_told(self):
        """A training says what it does, how far it is and how far it goes."""
        family, preset = find_family(self.family)
        options, _ = read_options(family.options, {**preset, **self.options}, self.family)
        told: list[tuple[str, int, int]] = []
        training = Training(tell=lambda *each: told.append(each), memory_bytes=MEMORY_BYTES)
        family.model.fit(Spool.of_table(self.training(400)), options, training)
        assert told
        assert all(what and 0 <= done <= whole for what, done, whole in told)


class RecommenderContract(FamilyContract):
    """A family that recommends: users of two tastes, who have items of their own taste only."""

    verb = "recommend"
    similar: ClassVar[bool] = True

    def training(self, rows: int, seed: int = 0) -> pa.Table:
        rng = np.random.default_rng(seed)
        user = np.arange(rows) % 40
        item = rng.integers(0, 12, rows) + 12 * (user % 2)
        return pa.table({"user_id": user, "item_id": [f"item {each}" for each in item], "ts": np.arange(rows)})

    def million(self) -> str:
        return (
            "SELECT (hash(range) % 5000)::BIGINT AS user_id, (hash(range * 7 + 1) % 700)::BIGINT AS item_id"
            f" FROM range({MILLION})"
        )

    def questions(self) -> pa.Table:
        return pa.table({"user_id": [3, 0, 1]})

    def test_ranks_and_order(self):
        """Users in the order given, ranks from 1 without gaps, scores that do not rise, no item twice, none seen."""
        with self.connected() as con:
            self.create(con)
            rows = con.execute("SELECT * FROM recommend(MODEL m, TABLE questions, k => 5)").fetchall()
            assert list(dict.fromkeys(user for user, *_ in rows)) == [3, 0, 1]
            seen = set(con.execute("SELECT user_id, item_id FROM training").fetchall())
            for user in (3, 0, 1):
                mine = [row for row in rows if row[0] == user]
                assert [rank for _, _, rank, _ in mine] == list(range(1, len(mine) + 1))
                scores = [score for *_, score in mine]
                assert scores == sorted(scores, reverse=True)
                assert len({item for _, item, _, _ in mine}) == len(mine)
                assert not {(user, item) for _, item, _, _ in mine} & seen

    def test_seen_items_when_asked(self):
        """exclude_seen => false lets items of the history in: all there are, and no more."""
        with self.connected() as con:
            self.create(con)
            rows = con.execute(
                "SELECT item_id FROM recommend(MODEL m, (SELECT 0 AS user_id), k => 100, exclude_seen => false)"
            ).fetchall()
            assert len(rows) == 24

    def test_more_than_there_are(self):
        """k beyond the number of items gives every item that the user has not had."""
        with self.connected() as con:
            self.create(con)
            ((had,),) = con.execute("SELECT count(DISTINCT item_id) FROM training WHERE user_id = 0").fetchall()
            rows = con.execute("SELECT * FROM recommend(MODEL m, (SELECT 0 AS user_id), k => 1000)").fetchall()
            assert len(rows) == 24 - had

    def test_unseen_users(self):
        """A user nobody knows gets popular items, or none when asked; NULL is no user."""
        with self.connected() as con:
            self.create(con)
            popular = "SELECT item_id FROM training GROUP BY 1 ORDER BY count(DISTINCT user_id) DESC LIMIT 1"
            ((most,),) = con.execute(
                "SELECT max(n) FROM (SELECT count(DISTINCT user_id) AS n FROM training GROUP BY item_id)"
            ).fetchall()
            assert con.execute(popular).fetchall()
            rows = con.execute("SELECT * FROM recommend(MODEL m, (SELECT 'nobody' AS user_id), k => 3)").fetchall()
            assert [rank for _, _, rank, _ in rows] == [1, 2, 3]
            assert rows[0][3] == most
            none = "SELECT * FROM recommend(MODEL m, (SELECT -5 AS user_id), cold_start => 'none')"
            assert con.execute(none).fetchall() == []
            assert con.execute("SELECT * FROM recommend(MODEL m, (SELECT NULL::INT AS user_id))").fetchall() == []

    def test_history_of_a_new_user(self):
        """A history given with the question works like one of the training: it is left out, and it decides."""
        with self.connected() as con:
            self.create(con)
            con.execute("CREATE TABLE visits AS SELECT 'new' AS user_id, 'item ' || range AS item_id FROM range(4)")
            rows = con.execute(
                "SELECT item_id FROM recommend(MODEL m, (SELECT 'new' AS user_id), k => 4, history => TABLE visits)"
            ).fetchall()
            items = [int(item.split()[1]) for (item,) in rows]
            assert len(items) == 4 and not set(items) & {0, 1, 2, 3}
            if self.similar:
                assert sum(item < 12 for item in items) >= 3, "items 4 to 11 are of the taste of the history"

    def test_candidates(self):
        """WHERE on attributes of items decides what may be recommended, before the best are chosen."""
        with self.connected() as con:
            self.create(con)
            con.execute("CREATE TABLE items AS SELECT 'item ' || range AS item_id, range % 3 AS kind FROM range(24)")
            rows = con.execute(
                "SELECT item_id, kind FROM recommend(MODEL m, (SELECT 'x' AS user_id), k => 4,"
                " candidates => (SELECT item_id FROM items WHERE kind = 2)) JOIN items USING (item_id)"
            ).fetchall()
            assert len(rows) == 4 and {kind for _, kind in rows} == {2}

    def test_predict_is_the_score(self):
        """predict of a pair is the score that recommend gives it; a pair that nobody knows is NULL."""
        with self.connected() as con:
            self.create(con)
            con.execute("CREATE TABLE best AS SELECT * FROM recommend(MODEL m, TABLE questions, k => 5)")
            rows = con.execute("SELECT score, score_1, status FROM predict(MODEL m, TABLE best)").fetchall()
            assert rows
            for wanted, score, status in rows:
                assert score == pytest.approx(wanted, rel=1e-5, abs=1e-6) and status is None
            unknown = "SELECT score FROM predict(MODEL m, (SELECT 0 AS user_id, 'nothing' AS item_id))"
            assert con.execute(unknown).fetchall() == [(None,)]
            scalar = con.execute("SELECT score, predict(MODEL m, user_id, item_id) FROM best").fetchall()
            for wanted, score in scalar:
                assert score == pytest.approx(wanted, rel=1e-5, abs=1e-6)

    def test_nulls_in_training(self):
        """Rows without a user or an item are left out and counted in a note."""
        with self.connected() as con:
            self.create(con, "SELECT * FROM training UNION ALL SELECT NULL, 'item 1', 0 UNION ALL SELECT 7, NULL, 0")
            notes = con.execute("DESCRIBE MODEL m").fetchall()
            assert any(part == "note" and "2 rows" in value for part, _, value, _ in notes)
            self_again = self.answers(con)
            self.create(con)
            assert self.answers(con) == self_again

    def test_one_row(self):
        """One user and one item are enough to learn from; there is nothing left to recommend."""
        with self.connected() as con:
            self.create(con, "SELECT 1 AS user_id, 'x' AS item_id")
            assert con.execute("SELECT * FROM recommend(MODEL m, (SELECT 1 AS user_id))").fetchall() == []
            rows = con.execute("SELECT item_id FROM recommend(MODEL m, (SELECT 2 AS user_id))").fetchall()
            assert rows == [("x",)]

    @pytest.mark.parametrize(
        "kind", ["VARCHAR", "UUID", "DATE", "DOUBLE", "DECIMAL(10,2)", "UBIGINT", "BOOLEAN", "BLOB"]
    )
    def test_ids_of_any_type(self, kind):
        """Ids come back as the type that they went in with."""
        value = {
            "UUID": "uuid()", "DATE": "DATE '2020-01-01' + user_id::INTEGER", "BOOLEAN": "user_id % 2 = 0",
            "BLOB": "user_id::VARCHAR::BLOB",
        }.get(kind, f"user_id::{kind}")  # fmt: skip
        with self.connected(100) as con:
            con.execute(f"CREATE TABLE typed AS SELECT {value} AS user_id, item_id FROM training")
            self.create(con, "SELECT * FROM typed")
            cursor = con.execute("SELECT user_id FROM recommend(MODEL m, (SELECT DISTINCT user_id FROM typed), k => 1)")
            known = {row[0] for row in con.execute("SELECT user_id FROM typed").fetchall()}
            found = cursor.fetchall()
            assert found and {row[0] for row in found} <= known
            assert str(cursor.description[0][1]) == kind

    def test_missing_columns(self):
        """Without a column of items the message names the family and what to write."""
        with self.connected() as con, pytest.raises(paretosql.ProgrammingError, match=rf"(?s){self.family}.*item_col"):
            self.create(con, "SELECT user_id FROM training")

    def test_evaluate(self):
        """Metrics of a ranking are shares between 0 and 1; a held out last item of each user is judged by name."""
        with self.connected() as con:
            self.create(con, split="leave_last_out")
            found = dict(con.execute("SELECT * FROM evaluate(MODEL m)").fetchall())
            assert {"hr@10", "ndcg@10", "recall@10", "mrr", "auc", "users"} <= found.keys()
            assert all(0 <= found[name] <= 1 for name in ("hr@10", "ndcg@10", "recall@10", "mrr"))


class PredictorContract(FamilyContract):
    """A family that predicts from features: y grows with x, and depends on a colour."""

    verb = "predict"
    label: ClassVar[str | None] = "y"
    classes: ClassVar[bool] = False

    def training(self, rows: int, seed: int = 0) -> pa.Table:
        rng = np.random.default_rng(seed)
        x, colour = rng.normal(size=rows), rng.integers(0, 3, rows)
        y = 3.0 * x + colour + rng.normal(size=rows) * 0.1
        columns = {"x": x, "colour": [("red", "green", "blue")[each] for each in colour], "n": np.arange(rows) % 7}
        if self.label is not None:
            columns[self.label] = np.where(y > 1, "high", "low") if self.classes else y
        return pa.table(columns)

    def million(self) -> str:
        y = "CASE WHEN x + n > 3 THEN 'high' ELSE 'low' END" if self.classes else "2 * x + n"
        label = f", {y} AS y" if self.label is not None else ""
        return (
            f"SELECT *{label} FROM (SELECT (hash(range) % 1000) / 1000.0 AS x, range % 7 AS n,"
            f" 'c' || range % 3 AS colour FROM range({MILLION}))"
        )

    def questions(self) -> pa.Table:
        return pa.table({"id": [9, 8, 7], "x": [0.5, -2.0, 2.0], "colour": ["red", "blue", "green"], "n": [1, 2, 3]})

    def test_order_and_columns_pass_through(self):
        """The rows come back in their order with all columns, then the answer, then a status that is NULL."""
        with self.connected() as con:
            self.create(con)
            cursor = con.execute("SELECT * FROM predict(MODEL m, TABLE questions)")
            names = [each[0] for each in cursor.description]
            rows = cursor.fetchall()
            assert names[:4] == ["id", "x", "colour", "n"] and names[-1] == "status"
            assert [row[0] for row in rows] == [9, 8, 7]
            assert all(row[-1] is None and row[4] is not None for row in rows)

    def test_nulls(self):
        """A NULL feature gives NULL and says which; the other rows are answered."""
        with self.connected() as con:
            self.create(con)
            rows = con.execute(
                "SELECT * FROM predict(MODEL m, (SELECT 1 AS id, NULL::DOUBLE AS x, 'red' AS colour, 1 AS n"
                " UNION ALL SELECT 2, 1.0, 'red', 1 UNION ALL SELECT 3, 1.0, NULL, 1 UNION ALL"
                " SELECT 4, 'inf'::DOUBLE, 'red', 1 ORDER BY 1))"
            ).fetchall()
            answer = {row[0]: row[4] for row in rows}
            status = {row[0]: row[-1] for row in rows}
            assert answer[1] is None and "x" in status[1]
            assert answer[2] is not None and status[2] is None
            assert answer[3] is None and "colour" in status[3]
            assert answer[4] is None and "x" in status[4]

    def test_unseen_category(self):
        """A text that training has not seen is answered all the same."""
        with self.connected() as con:
            self.create(con)
            sql = "SELECT * FROM predict(MODEL m, (SELECT 1.0 AS x, 'mauve' AS colour, 1 AS n))"
            assert con.execute(sql).fetchall()[0][3] is not None

    def test_scalar_form(self):
        """predict(MODEL m, a, b, c) by position is the first column of the answer, anywhere an expression may stand."""
        with self.connected() as con:
            self.create(con)
            whole = con.execute("SELECT * FROM predict(MODEL m, TABLE questions)").fetchall()
            cells = con.execute("SELECT predict(MODEL m, x, colour, n) FROM questions").fetchall()
            assert [cell for (cell,) in cells] == [row[4] for row in whole]
            where = "SELECT id FROM questions WHERE predict(MODEL m, x, colour, n) IS NOT NULL ORDER BY id"
            assert con.execute(where).fetchall() == [(7,), (8,), (9,)]
            with pytest.raises(paretosql.ProgrammingError, match="takes 3 expressions, 1 given"):
                con.execute("SELECT predict(MODEL m, x) FROM questions")

    def test_text_where_numbers_belong(self):
        """A feature of another type than in training is refused before any row, by name."""
        with self.connected() as con:
            self.create(con)
            with pytest.raises(paretosql.DataError, match="'x'"):
                con.execute("SELECT * FROM predict(MODEL m, (SELECT 'a' AS x, 'red' AS colour, 1 AS n))")

    def test_missing_feature(self):
        """A feature that the rows lack is named."""
        with self.connected() as con:
            self.create(con)
            with pytest.raises(paretosql.ProgrammingError, match=r"(?s)needs the column 'colour'.*rows have x, n"):
                con.execute("SELECT * FROM predict(MODEL m, (SELECT 1.0 AS x, 1 AS n))")

    def test_nested_features(self):
        """A list is no feature: the message names column and family."""
        with self.connected() as con, pytest.raises(paretosql.DataError, match=rf"(?s){self.family}.*'l'"):
            self.create(con, "SELECT *, [1] AS l FROM training")

    def test_long_text(self):
        """Text beyond the limit is refused in training, and is a bad row afterwards."""
        with self.connected() as con:
            with pytest.raises(paretosql.DataError, match=rf"(?s){self.family}.*'colour'"):
                self.create(con, "SELECT * REPLACE (repeat('x', 5000) AS colour) FROM training")
            self.create(con)
            sql = "SELECT * FROM predict(MODEL m, (SELECT 1.0 AS x, repeat('x', 5000) AS colour, 1 AS n))"
            (row,) = con.execute(sql).fetchall()
            assert row[3] is None and "colour" in row[-1]

    def test_transform(self):
        """TRANSFORM is applied in training and whenever the model is asked, with the numbers of the training."""
        with self.connected() as con:
            label = f", {self.label}" if self.label is not None else ""
            text = ", ".join(f"{n} = {sql_value(v)}" for n, v in {"model_type": self.family, **self.options}.items())
            con.execute(
                f"CREATE MODEL t TRANSFORM (x - avg(x) OVER () AS d, colour{label}) OPTIONS ({text})"
                " AS SELECT * FROM training"
            )
            con.execute(
                f"CREATE MODEL p OPTIONS ({text}) AS SELECT x - (SELECT avg(x) FROM training) AS d, colour{label}"
                " FROM training"
            )
            one = con.execute("SELECT * EXCLUDE (x, n) FROM predict(MODEL t, TABLE questions)").fetchall()
            two = con.execute(
                "SELECT * EXCLUDE (d) FROM predict(MODEL p, (SELECT id, colour, x - (SELECT avg(x) FROM training) AS d"
                " FROM questions))"
            ).fetchall()
            assert [row[2] for row in one] == pytest.approx([row[2] for row in two]) if not self.classes else one == two
            cells = con.execute("SELECT predict(MODEL t, x, colour) FROM questions").fetchall()
            assert [cell for (cell,) in cells] == [row[2] for row in one]


class LabelledContract(PredictorContract):
    """A family that learns a label."""

    def test_one_class_or_constant(self):
        """A label without differences cannot be learnt: the message names column and family."""
        constant = "'a'" if self.classes else "1.5"
        with self.connected() as con, pytest.raises(paretosql.DataError, match=rf"(?s){self.family}.*'y'"):
            self.create(con, f"SELECT * REPLACE ({constant} AS y) FROM training")

    def test_no_label(self):
        """Without a column to predict the message says how to name one."""
        with self.connected() as con, pytest.raises(paretosql.ProgrammingError, match=rf"(?s){self.family}.*label_col"):
            self.create(con, "SELECT x, n FROM training", label_col="")

    def test_label_that_is_not_there(self):
        """A label that the rows lack is named, with the nearest column."""
        with self.connected() as con, pytest.raises(paretosql.ProgrammingError, match=r"(?s)'yy'.*did you mean 'y'"):
            self.create(con, label_col="yy")

    def test_null_labels(self):
        """Rows without a label are left out of training."""
        with self.connected() as con:
            self.create(con)
            before = self.answers(con)
            self.create(con, "SELECT * FROM training UNION ALL SELECT 1.0, 'red', 1, NULL")
            assert self.answers(con) == before

    def test_evaluate(self):
        """Metrics on given rows, on held out rows, and on the training rows, whose names say so."""
        with self.connected() as con:
            self.create(con)
            given = dict(con.execute("SELECT * FROM evaluate(MODEL m, TABLE training)").fetchall())
            trained = dict(con.execute("SELECT * FROM evaluate(MODEL m)").fetchall())
            assert {f"training_{name}" for name in given} == trained.keys()
            self.create(con, split="random", split_fraction=0.3)
            held_out = dict(con.execute("SELECT * FROM evaluate(MODEL m)").fetchall())
            assert held_out.keys() == given.keys()
            assert 0 < held_out["rows"] < 400
