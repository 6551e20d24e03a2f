"""Stored sketches through every door: whatever way rows are split, merged sketches say what one count says."""

from __future__ import annotations

import random
import threading

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import paretosql
from paretosql.sketches import Origin, ProfileSketch

KEYS = ("day", "device", "day % 3", "user_id % 5", "day, device", "hash(id) % 11", "NULL")


@pytest.fixture(scope="module")
def shop():
    con = paretosql.connect(autocommit=True)
    con.execute(
        "CREATE TABLE clicks AS SELECT range AS id, range % 13 AS day, range % 4 AS device,"
        " CASE WHEN range % 9 > 0 THEN range * 7919 % 150_001 END AS user_id FROM range(220_000)"
    )
    yield con
    con.close()


def one(con, sql, parameters=None):
    ((value,),) = con.execute(sql, parameters).fetchall()
    return value


@pytest.mark.parametrize("seed", range(12))
def test_any_partition_says_what_ndv_says(shop, seed):
    """ndv_estimate(ndv_merge(s)) over any partition, merged in one go or in two, is ndv(x): the same sketch."""
    dice = random.Random(seed)
    first, second = dice.sample(KEYS, 2)
    where = dice.choice(("true", "day < 5", "user_id % 7 <> 3", "device = 1"))
    options = dice.choice(("", ", seed => 3", ", rate => 0.2", ", rate => 0.7, seed => 9"))
    parts = f"SELECT {first}, {second}, ndv_sketch(user_id{options}) AS s FROM clicks WHERE {where} GROUP BY ALL"
    # a sample is drawn by the place of its rows, which GROUP BY does not change
    count = one(shop, f"SELECT ndv(user_id{options}) FROM clicks WHERE {where}")
    assert one(shop, f"SELECT ndv_estimate(ndv_merge(s)) FROM ({parts})") == count
    twice = f"SELECT ndv_merge(s) AS s FROM ({parts}) AS p({'k, ' * (parts.count(',', 0, parts.index('ndv_')))}s)"
    assert one(shop, f"SELECT ndv_estimate(ndv_merge(s)) FROM ({twice} GROUP BY octet_length(s) % 3)") == count


@settings(max_examples=40)
@given(st.lists(st.lists(st.one_of(st.none(), st.integers(0, 60)), max_size=25), min_size=1, max_size=5))
def test_sketches_of_sql_are_sketches_of_python(shop, parts):
    """ndv_sketch gives the bytes of ProfileSketch, and either side merges those of the other."""
    arrays = [pa.array(part, pa.int64()) for part in parts]
    made = [one(shop, "SELECT ndv_sketch(x) FROM (SELECT unnest(?::BIGINT[]) AS x)", [part]) for part in parts]
    assert made == [ProfileSketch().update(array).to_bytes() for array in arrays]
    merged = ProfileSketch()
    for data in made:
        merged.merge(ProfileSketch.from_bytes(data))
    assert one(shop, "SELECT ndv_merge(s) FROM (SELECT unnest(?::BLOB[]) AS s)", [made]) == merged.to_bytes()
    assert one(shop, "SELECT ndv_profile(?)", [merged.to_bytes()]) == merged.profile()


def test_a_sketch_of_a_sample_knows_its_population(shop):
    """The rate and the true rows of each group are in the bytes."""
    rows = shop.execute(
        "SELECT day, ndv_sketch(user_id, rate => 0.25), count(user_id) FROM clicks GROUP BY day"
    ).fetchall()
    assert [ProfileSketch.from_bytes(data).origin for _, data, _ in rows] == [
        Origin(0.25, population=count) for _, _, count in rows
    ]


def test_sketches_travel_between_databases_files_and_sessions(tmp_path):
    """A sketch made in one database is merged in another, through a table, a Parquet file and a parameter."""
    there = paretosql.connect(tmp_path / "a.db", autocommit=True)
    there.execute("CREATE TABLE t AS SELECT range % 5 AS day, range % 70 AS x FROM range(400)")
    there.execute("CREATE TABLE s AS SELECT day, ndv_sketch(x) AS s FROM t GROUP BY day")
    pq.write_table(there.execute("FROM s").arrow(), tmp_path / "s.parquet")
    stored = [data for (data,) in there.execute("SELECT s FROM s").fetchall()]
    there.close()
    here = paretosql.connect(tmp_path / "b.db")
    here.execute(f"ATTACH '{tmp_path / 'a.db'}' AS a (READ_ONLY)")
    here.register("arrow", pa.table({"s": pa.array(stored, pa.large_binary())}))
    for source in ("a.s", f"'{tmp_path / 's.parquet'}'", "arrow"):
        assert one(here, f"SELECT ndv_estimate(ndv_merge(s)) FROM {source}") == 70
    cursors = [here.cursor() for _ in range(3)]
    assert [one(each, "SELECT ndv_estimate(?)", [stored[0]]) for each in cursors] == [14, 14, 14]
    here.close()


def test_scalars_work_inside_a_transaction_that_began_before(tmp_path):
    """Two connections to one file, open transactions, rollbacks: the functions are there from the start."""
    path = tmp_path / "shop.db"
    one_side, other = paretosql.connect(path), paretosql.connect(path)
    data = ProfileSketch().update(pa.array([1, 2, 3])).to_bytes()
    for con in (one_side, other):
        con.execute("BEGIN")
        con.execute("SELECT count(*) FROM range(3)").fetchall()
        assert one(con, "SELECT ndv_estimate(?)", [data]) == 3
        con.rollback()
        assert one(con, "SELECT ndv_estimate(?)", [data]) == 3
    one_side.close()
    assert one(other, "SELECT ndv_estimate(?)", [data]) == 3
    other.close()


def test_scalars_run_in_several_threads(tmp_path):
    """Threads with connections of their own to one database, and DuckDB's own threads, all get their answers."""
    sessions = [paretosql.connect(tmp_path / "shop.db", autocommit=True) for _ in range(3)]
    sessions[0].execute("CREATE TABLE s AS SELECT i, ndv_sketch(i % 3) AS s FROM range(2000) AS r(i) GROUP BY i")
    found = []
    ask = "SELECT sum(ndv_estimate(s)) FROM s"
    threads = [threading.Thread(target=lambda con=con: found.append(one(con, ask))) for con in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [2000] * 3
    for con in sessions:
        con.close()


def test_the_wrong_row_is_found(shop):
    """One damaged sketch among good ones stops the statement with a DataError that points at the call."""
    good = ProfileSketch().update(pa.array([1, 2, 3])).to_bytes()
    bad = good[:-1] + bytes([good[-1] ^ 1])
    for sql in (
        "SELECT ndv_merge(s) FROM d",
        "SELECT sum(ndv_estimate(s)) FROM d",
        "SELECT max(ndv_profile(s)) FROM d",
    ):
        shop.register("d", pa.table({"s": [good, bad, good]}))
        with pytest.raises(paretosql.DataError, match=r"checksum[\s\S]*line 1, column \d+:[\s\S]*\^+\nHint:"):
            shop.execute(sql).fetchall()
        shop.register("d", pa.table({"s": [good, None, good]}))
        assert shop.execute(sql).fetchall()
