"""Versions of models are removed by the database that made them, when nothing means them, and by nobody else."""

from __future__ import annotations

import gc
import shutil
import subprocess
import sys
import threading

import pytest

import paretosql

ROWS = "SELECT range AS x, 2 * range AS y FROM range(50)"
CREATE = f"CREATE MODEL m OPTIONS (model_type = 'linear', label_col = 'y') AS {ROWS}"
REPLACE = CREATE.replace("CREATE", "CREATE OR REPLACE")
ASK = "SELECT round(predicted_y) FROM predict(MODEL m, (SELECT 3 AS x))"


def connect(path, **options):
    return paretosql.connect(path, autocommit=True, **options)


def answers(path, **options):
    with connect(path, **options) as con:
        try:
            return con.execute(ASK).fetchall() == [(6,)]
        finally:
            con.close()


def make(path, **options):
    with connect(path, **options) as con:
        con.execute(CREATE)
        con.close()


def visit(path, **options):
    """Open a database, make a model of its own and drop it, close it: whatever it sweeps away is swept."""
    with connect(path, **options) as con:
        con.execute(CREATE)
        con.execute("DROP MODEL m")
        con.close()


@pytest.mark.parametrize("other", ["b.db", ":memory:"])
def test_databases_that_share_a_folder(tmp_path, other):
    """Each removes its own versions only, a database in memory among them."""
    shared = tmp_path / "models"
    make(tmp_path / "a.db", model_dir=shared)
    visit(other if other == ":memory:" else tmp_path / other, model_dir=shared)
    assert answers(tmp_path / "a.db", model_dir=shared)
    assert len(list(shared.iterdir())) == 1


def test_a_copy_that_shares_the_folder(tmp_path):
    """What a copy of the database drops or replaces, the first one still answers with."""
    shared = tmp_path / "models"
    make(tmp_path / "a.db", model_dir=shared)
    shutil.copy(tmp_path / "a.db", tmp_path / "b.db")
    assert answers(tmp_path / "b.db", model_dir=shared)
    for sql in (REPLACE, "DROP MODEL m"):
        with connect(tmp_path / "b.db", model_dir=shared) as con:
            con.execute(sql)
            con.close()
        assert answers(tmp_path / "a.db", model_dir=shared)


def test_another_database_at_the_place_of_the_first(tmp_path):
    """A new file beside an old folder removes no model of the old file, also when the old one's process was killed."""
    path = tmp_path / "a.db"
    code = f"""if True:
        import os, paretosql
        con = paretosql.connect({str(path)!r}, autocommit=True)
        con.execute({CREATE!r})
        os._exit(0)"""
    subprocess.run([sys.executable, "-c", code], check=True)
    path.rename(tmp_path / "old.db")
    (tmp_path / "a.db.wal").rename(tmp_path / "old.db.wal")
    visit(path)
    path.unlink()
    (tmp_path / "old.db").rename(path)
    (tmp_path / "old.db.wal").rename(tmp_path / "a.db.wal")
    assert answers(path)


def test_a_table_that_was_renamed(tmp_path):
    """Models are there again when their table is."""
    path = tmp_path / "a.db"
    make(path)
    with connect(path) as con:
        con.execute("ALTER TABLE pareto_models.models RENAME TO kept")
        con.close()
    visit(path)
    with connect(path) as con:
        con.execute("DROP TABLE pareto_models.models")
        con.execute("ALTER TABLE pareto_models.kept RENAME TO models")
        con.close()
    assert answers(path)


def test_both_moved_together(tmp_path):
    """A database and its folder under another name go on as before, and clean up after themselves."""
    make(tmp_path / "a.db")
    (tmp_path / "a.db").rename(tmp_path / "b.db")
    (tmp_path / "a.db.models").rename(tmp_path / "b.db.models")
    assert answers(tmp_path / "b.db")
    with connect(tmp_path / "b.db") as con:
        con.execute(REPLACE)
        con.close()
    assert len(list((tmp_path / "b.db.models").iterdir())) == 1
    assert answers(tmp_path / "b.db")


def test_what_a_killed_process_leaves(tmp_path):
    """A version whose transaction did not end, and one half written, go at the next opening; strange files stay."""
    path, folder = tmp_path / "a.db", tmp_path / "a.db.models"
    make(path)
    (kept,) = folder.iterdir()
    code = f"""if True:
        import os, paretosql
        con = paretosql.connect({str(path)!r}, autocommit=True)
        con.execute("BEGIN")
        con.execute({REPLACE!r})
        os._exit(0)"""
    subprocess.run([sys.executable, "-c", code], check=True)
    (folder / (".m" + "0" * 24 + ".part")).mkdir()
    others = {".m" + "1" * 24 + ".part", "m" + "0" * 24, "m" + "2" * 24, "notes.txt"}
    for each in others - {"notes.txt"}:
        (folder / each).mkdir()
    (folder / "m222222222222222222222222" / "in_doubt").touch()
    (folder / "notes.txt").write_text("mine")
    assert len(list(folder.iterdir())) == 7
    assert answers(path)
    assert {each.name for each in folder.iterdir()} == others | {kept.name}
    assert not (kept / "in_doubt").exists(), "it is the database's model again"


def test_rolled_back(tmp_path):
    """Neither ROLLBACK nor a closed connection leaves a version or loses one."""
    path, folder = tmp_path / "a.db", tmp_path / "a.db.models"
    with connect(path) as con:
        con.execute("BEGIN")
        con.execute(CREATE)
        con.execute("ROLLBACK")
        con.close()
    assert not folder.exists()
    make(path)
    for end in ("ROLLBACK", None):
        for change in (REPLACE, "DROP MODEL m"):
            with connect(path) as con:
                con.execute("BEGIN")
                con.execute(change)
                if end:
                    con.execute(end)
                con.close()
            assert len(list(folder.iterdir())) == 1
            assert answers(path)


def test_an_old_reader_whose_writer_leaves(tmp_path):
    """The version of a transaction stays as long as the database is open, whoever closes."""
    path = tmp_path / "a.db"
    make(path)
    with connect(path) as reader, connect(path) as writer:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM pareto_models.models").fetchall() == [(1,)]
        writer.execute(REPLACE)
        writer.close()
        assert reader.execute(ASK).fetchall() == [(6,)]
        reader.execute("COMMIT")
        reader.close()
    assert len(list((tmp_path / "a.db.models").iterdir())) == 1


def test_one_folder_for_all_connections(tmp_path):
    """A second connection of the same process keeps models where the first does, or is refused."""
    path = tmp_path / "a.db"
    with connect(path, model_dir=tmp_path / "x") as con:
        with pytest.raises(paretosql.ProgrammingError, match=r"(?s)model_dir is .*y.*already.*x.*Hint: leave"):
            connect(path, model_dir=tmp_path / "y")
        for options in ({}, {"model_dir": tmp_path / "x"}):
            with connect(path, **options) as other:
                other.execute(REPLACE)
                other.close()
        assert con.execute(ASK).fetchall() == [(6,)]
        con.close()
    with connect(path, model_dir=tmp_path / "y") as con:
        with pytest.raises(paretosql.OperationalError, match=r"(?s)missing.*model_dir"):
            con.execute(ASK)
        con.close()
    assert answers(path, model_dir=tmp_path / "x")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.db", "x"]


def test_commit_of_a_failed_transaction(tmp_path):
    """COMMIT says that nothing was committed, as commit() does."""
    with connect(tmp_path / "a.db") as con:
        con.execute("BEGIN")
        con.execute(CREATE)
        with pytest.raises(paretosql.ProgrammingError):
            con.execute("FROM nowhere")
        with pytest.raises(paretosql.OperationalError, match=r"nothing was committed"):
            con.execute("COMMIT")
        with pytest.raises(paretosql.ProgrammingError, match="no model named"):
            con.execute(ASK)
        con.execute(CREATE)
        assert con.execute(ASK).fetchall() == [(6,)]
        con.close()


# a table that is not as it was


@pytest.mark.parametrize("statement", ["DROP TABLE pareto_models.models", "DROP SCHEMA pareto_models CASCADE"])
def test_a_table_that_was_dropped(tmp_path, statement):
    """CREATE MODEL makes it anew at once; who asks is told."""
    with connect(tmp_path / "a.db") as con:
        for follows in (CREATE, "SHOW MODELS", REPLACE):
            con.execute(REPLACE)
            con.execute(ASK).fetchall()
            con.execute(statement)
            con.execute(follows)
        con.execute(REPLACE)
        con.execute(ASK).fetchall()
        con.execute(statement)
        with pytest.raises(paretosql.OperationalError, match=r"(?s)dropped.*Hint"):
            con.execute(ASK)
        con.close()


@pytest.mark.parametrize(
    "made",
    ["CREATE TABLE pareto_models.models (a INTEGER)", "CREATE VIEW pareto_models.models AS SELECT 1 AS a"],
)
def test_another_table_of_that_name(tmp_path, made):
    """Every statement says what is in the way; nothing of it is changed."""
    with connect(tmp_path / "a.db") as con:
        con.execute("CREATE SCHEMA pareto_models")
        con.execute(made)
        for sql in (CREATE, ASK, "SHOW MODELS", "DROP MODEL m", "DESCRIBE MODEL m"):
            with pytest.raises(paretosql.OperationalError, match=r"(?s)not the table.*'key'.*Hint: rename"):
                con.execute(sql)
        assert [each[0] for each in con.execute("SELECT * FROM pareto_models.models").description] == ["a"]
        con.close()
    assert not (tmp_path / "a.db.models").exists()


def test_a_row_without_values(tmp_path):
    """A row that lost a value is named, with what removes it."""
    with connect(tmp_path / "a.db") as con:
        con.execute(CREATE)
        con.execute("UPDATE pareto_models.models SET name = NULL")
        for sql in (ASK, "SHOW MODELS", "DROP MODEL m", CREATE):
            with pytest.raises(paretosql.OperationalError, match=r"(?s)without a value.*Hint: DELETE FROM"):
                con.execute(sql)
        con.execute("DELETE FROM pareto_models.models WHERE name IS NULL")
        con.execute(CREATE)
        assert con.execute(ASK).fetchall() == [(6,)]
        con.close()


# two transactions at one model


def test_conflicts_name_the_model(tmp_path):
    """Two transactions that change a model: the second is told which, and what to do."""
    with connect(tmp_path / "a.db") as one, connect(tmp_path / "a.db") as two:
        one.execute(CREATE)
        for change in (REPLACE, "DROP MODEL m"):
            two.execute("BEGIN")
            assert two.execute(ASK).fetchall() == [(6,)]
            one.execute(REPLACE)
            with pytest.raises(paretosql.OperationalError, match=r"(?s)another transaction.*'m' first.*Hint: rollback"):
                two.execute(change)
            two.execute("ROLLBACK")
            assert two.execute(ASK).fetchall() == [(6,)]
        one.close()
        two.close()


def test_two_that_make_the_same_model(tmp_path):
    """One of two wins, and the other is told so, before or at its COMMIT."""
    faults = []
    barrier = threading.Barrier(2)

    def create(con, name):
        con.execute("BEGIN")
        barrier.wait(60)
        try:
            con.execute(CREATE.replace("MODEL m", f"MODEL {name}"))
            barrier.wait(60)
            con.execute("COMMIT")
        except paretosql.Error as fault:
            barrier.abort()
            faults.append(fault)
        except threading.BrokenBarrierError:
            con.execute("COMMIT")

    with connect(tmp_path / "a.db") as one, connect(tmp_path / "a.db") as two:
        one.execute(CREATE.replace("MODEL m", "MODEL earlier"))
        threads = [threading.Thread(target=create, args=(each, name)) for each, name in ((one, "m"), (two, "M"))]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        (fault,) = faults
        assert isinstance(fault, paretosql.OperationalError)
        assert "another transaction" in str(fault)
        assert "Hint" in str(fault)
        assert one.execute(ASK).fetchall() == [(6,)]
        one.close()
        two.close()
    assert len(list((tmp_path / "a.db.models").iterdir())) == 2


@pytest.mark.timeout(60)
def test_connections_that_nobody_closes(tmp_path):
    """A connection that the garbage collector finds, in the middle of opening or closing another, is closed there."""

    def lose(name):
        """Leave a connection with a model to the collector."""
        lost = connect(tmp_path / name)
        lost.execute(REPLACE)
        cycle = [lost]
        cycle.append(cycle)

    def collect(frame, event, _):
        if event == "call" and frame.f_code.co_name in ("_first", "sweep"):
            gc.collect()

    make(tmp_path / "a.db")
    gc.disable()
    try:
        for name in ("b.db", "c.db"):  # one is found when a.db is opened, one when it is closed
            lose(name)
        sys.setprofile(collect)
        assert answers(tmp_path / "a.db")
        for name in ("b.db", "c.db"):
            lose(name)
            assert answers(tmp_path / "a.db")
    finally:
        sys.setprofile(None)
        gc.enable()
    gc.collect()
    for name in ("a.db", "b.db", "c.db"):
        assert answers(tmp_path / name)
        assert len(list((tmp_path / f"{name}.models").iterdir())) == 1


def test_a_replacement_notices_what_it_did_not_see(tmp_path):
    """What this process wrote last under a name may have been rolled back, dropped, replaced or removed by hand since:
    a version follows the one that the name means.
    """
    version = "SELECT version FROM pareto_models.models WHERE key = 'm'"
    with connect(tmp_path / "a.db") as one, connect(tmp_path / "a.db") as two:

        def replaced(con):
            con.execute(REPLACE)
            ((found,),) = con.execute(version).fetchall()
            assert con.execute(ASK).fetchall() == [(6,)]
            return found

        assert [replaced(one), replaced(two), replaced(one)] == [1, 2, 3]
        one.execute("BEGIN")
        assert replaced(one) == 4
        assert two.execute(version).fetchall() == [(3,)]
        one.execute("ROLLBACK")
        assert replaced(two) == 4
        one.execute("UPDATE pareto_models.models SET version = 40")  # by hand: the row is still that of the version
        one.execute("DELETE FROM pareto_models.models")
        assert replaced(two) == 1
        one.execute("DROP MODEL m")
        assert replaced(two) == 1
        one.execute("BEGIN")
        one.execute(REPLACE)
        with pytest.raises(paretosql.OperationalError, match=r"(?s)another transaction.*'m'"):
            two.execute(REPLACE)
        one.execute("COMMIT")
        assert replaced(two) == 3
        one.close()
        two.close()
    assert len(list((tmp_path / "a.db.models").iterdir())) == 2, "the version whose row was removed by hand stays"


def test_what_a_name_means_is_never_stale(tmp_path):
    """Asked again and again, a name means another version as soon as anybody changes that."""
    other = REPLACE.replace("2 * range", "5 * range")
    with connect(tmp_path / "a.db") as con:

        def answer():
            first = con.execute(ASK).fetchall()
            assert con.execute(ASK).fetchall() == first
            return first[0][0]

        con.execute(CREATE)
        assert answer() == 6
        with connect(tmp_path / "a.db") as guest:
            guest.execute(other)
            guest.close()
        assert answer() == 15
        with connect(tmp_path / "a.db") as guest:
            assert answer() == 15
            guest.execute(REPLACE)
            assert answer() == 6
            guest.execute(other)
            guest.close()
        assert answer() == 15
        con.execute("BEGIN")
        con.execute(REPLACE)
        assert answer() == 6
        con.execute("ROLLBACK")
        assert answer() == 15
        con.execute(REPLACE)
        assert answer() == 6
        con.execute(CREATE.replace("MODEL m", "MODEL n").replace("2 * range", "7 * range"))
        con.execute(
            "UPDATE pareto_models.models SET token = n.token FROM pareto_models.models AS n WHERE n.key = 'n' AND"
            " models.key = 'm'"
        )
        assert answer() == 21
        for change in (
            "DROP MODEL m",
            "DELETE FROM pareto_models.models WHERE key = 'm'",
            f"DELETE FROM pareto_models.models WHERE key = 'm' AND version < 9 + ({ASK})",
            f"MERGE INTO pareto_models.models AS t USING ({ASK}) AS s ON t.key = 'm' WHEN MATCHED THEN DELETE",
        ):
            con.execute(REPLACE)
            assert answer() == 6
            con.execute(change)
            with pytest.raises(paretosql.ProgrammingError, match="no model named 'm'"):
                con.execute(ASK)
        con.close()
