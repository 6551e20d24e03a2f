"""Models in the database: recommenders against plain numpy and `implicit`, prediction against LightGBM itself."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

import paretosql
from benchmarks.harness import Row, Setting, benchmark
from benchmarks.reference_recommenders import IMPLICIT, REFERENCES, recommend_in_a_loop
from benchmarks.timing import median, median_ratio, take_turns

RATINGS = "PARETOSQL_RATINGS"  # environment variable: a CSV file with userId, movieId, rating, timestamp
FEWEST = 5  # ratings of a film that stays
SEEDS = {"als": 3, "bpr": 3}  # how many seeds of those that have chance in them
ROUNDS = {"als": 3, "bpr": 1}  # of learning where times are compared, five times as many for a fast reference
THREADS = 2
ALONE = 100  # users who are asked about in a statement each
SIZES = (100_000, 1_000_000, 10_000_000)  # of prediction


def _ratings(con: paretosql.Connection, setting: Setting) -> str:
    """Fill the tables `learn` and `test` of one connection; where the rows are from.

    The last row of every user by time is held out (of equal times the last row), films with fewer than five are gone.
    """
    path = os.environ.get(RATINGS)
    if path and Path(path).is_file():
        rows, source = (
            f"SELECT userId AS u, movieId AS i, timestamp AS t FROM read_csv('{path}')",
            Path(path).parent.name,
        )
    else:
        size = max(2_000, min(200_000, setting.rows // 50))
        apart = "abs((hash(range * 3) % 997)::BIGINT - (hash(range * 5) % 997)::BIGINT)"  # small ones are many
        item = f"least({apart}, 996) // 2 + 500 * (hash(range) % 600 % 2)"  # of two tastes
        rows = f"SELECT hash(range) % 600 AS u, {item} AS i, range AS t FROM range({size})"
        source = "made up"
    con.execute(
        f"CREATE TABLE raw AS SELECT row_number() OVER () AS n, u::BIGINT AS u, i::BIGINT AS i, t FROM ({rows})"
    )
    con.execute(
        f"CREATE TABLE kept AS FROM raw SEMI JOIN (SELECT i FROM raw GROUP BY i HAVING count(*) >= {FEWEST}) USING (i)"
    )
    con.execute("CREATE TABLE test AS FROM kept QUALIFY row_number() OVER (PARTITION BY u ORDER BY t DESC, n DESC) = 1")
    con.execute("CREATE TABLE learn AS FROM kept ANTI JOIN test USING (n) ORDER BY n")
    return source


def _dense(con: paretosql.Connection) -> npt.NDArray[np.float64]:
    found = con.sql("SELECT u, i FROM learn").arrow()
    _, user = np.unique(found.column("u").to_numpy(), return_inverse=True)
    _, item = np.unique(found.column("i").to_numpy(), return_inverse=True)
    dense = np.zeros((user.max() + 1, item.max() + 1))
    dense[user, item] = 1.0
    return dense


@benchmark("models/recommenders", unit="share, s", lower_is_better=False, minutes=6.0)
def recommenders(setting: Setting) -> Iterator[Row]:
    """Every recommender on the rows of the file that the environment variable PARETOSQL_RATINGS names (users, films,
    times; made up rows without it): learnt from all but the last row of each user, judged by where that row ranks among
    the films that the user has not rated; hr@10 with its standard error, means over seeds where there is chance. Times
    are beside those of the reference in the same turns: plain numpy, for als and bpr the library `implicit` where it is
    installed, these two for a few rounds of learning. `train ratio` and `recommend ratio` are ours over theirs. Both
    learn from the same table, ours by SQL and into the store, theirs by way of a matrix. Recommending is for all users:
    theirs one user after the other with the matrix at hand; `statements ratio` is ours over one statement of ours for
    each user (measured on a hundred of them).
    """
    con = paretosql.connect(autocommit=True, threads=THREADS)
    source = _ratings(con, setting)
    seen = _dense(con)
    for name, reference in REFERENCES.items():
        quality = [_quality(con, name, seed) for seed in range(SEEDS.get(name, 1))]
        share = statistics.mean(each["hr@10"] for each in quality)
        few = {} if name not in ROUNDS else {"rounds": ROUNDS[name] * (5 if IMPLICIT else 1)}
        times = take_turns(
            {
                "ours": partial(con.execute, _create(name, 0, **few)),
                "theirs": lambda reference=reference, few=few: reference(_dense(con), **few),
            },
            setting.rounds,
        )
        asked = take_turns(
            {
                "ours": partial(_recommended, con),
                "theirs": partial(recommend_in_a_loop, reference(seen, **few), seen),
            },
            setting.rounds,
        )
        few_users = con.execute(f"SELECT DISTINCT u FROM learn ORDER BY u LIMIT {ALONE}").fetchall()
        alone = take_turns({"statements": partial(_one_by_one, con, few_users)}, 1)
        yield Row(
            data=source,
            family=name,
            hr_at_10=f"{share:.4f}",
            standard_error_of_it=f"{np.sqrt(share * (1 - share) / len(seen)):.4f}",
            ndcg_at_10=f"{statistics.mean(each['ndcg@10'] for each in quality):.4f}",
            reference="implicit" if IMPLICIT and name in SEEDS else "numpy",
            train_s=median(times, "ours"),
            train_ratio=median_ratio(times, "ours", "theirs"),
            recommend_s=median(asked, "ours"),
            recommend_ratio=median_ratio(asked, "ours", "theirs"),
            statements_ratio=median(asked, "ours") / (median(alone, "statements") / len(few_users) * len(seen)),
        )
    con.close()


def _recommended(con: paretosql.Connection) -> object:
    return con.execute("SELECT count(*) FROM recommend(MODEL m, k => 10)").fetchall()


def _one_by_one(con: paretosql.Connection, users: list[tuple[int]]) -> None:
    """A statement for each of some users."""
    for user in users:
        con.execute("SELECT count(*) FROM recommend(MODEL m, (SELECT ?::BIGINT AS u), k => 10)", user).fetchall()


def _create(name: str, seed: int, **more: int) -> str:
    options = f"model_type = '{name}', user_col = 'u', item_col = 'i', seed = {seed}"
    options += "".join(f", {key} = {value}" for key, value in more.items())
    return f"CREATE OR REPLACE MODEL m OPTIONS ({options}) AS SELECT u, i FROM learn"


def _quality(con: paretosql.Connection, name: str, seed: int) -> dict[str, float]:
    con.execute(_create(name, seed))
    return dict(con.execute("SELECT * FROM evaluate(MODEL m, (SELECT u, i FROM test))").fetchall())


PROBE = """
import json, sys, time
import lightgbm, numpy, pyarrow.parquet
import paretosql
path, rows, what, rounds = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
con = paretosql.connect("{database}", autocommit=True, threads=2, read_only=True)
names = [f"x{{at}}" for at in range(10)]
booster = lightgbm.Booster(model_file="{database}.txt")
table = pyarrow.parquet.read_table(path, columns=names) if what == "both" else None
found = {{"ours": [], "theirs": []}}
def ours():
    return con.execute("SELECT count(*), sum(predicted_y) FROM predict(MODEL m, (FROM '" + path + "'))").fetchall()
def theirs():
    matrix = numpy.column_stack([table.column(name).to_numpy() for name in names])
    return booster.predict(matrix, num_threads=2).sum()
for turn in range(rounds + 1):
    for name, run in (("ours", ours), ("theirs", theirs)):
        if name == "theirs" and table is None:
            continue
        began = time.perf_counter()
        run()
        if turn:  # the first turn imports and loads
            found[name].append(time.perf_counter() - began)
found["peak_mib"] = int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0]) / 1024
print(json.dumps(found))
"""


@benchmark("models/predict", unit="s, MiB", lower_is_better=True, minutes=8.0)
def prediction(setting: Setting) -> Iterator[Row]:
    """predict of a gbdt model (100 trees, ten columns of doubles) over a Parquet file, against `Booster.predict` of the
    same trees on the same rows as one matrix that is made from an Arrow table in memory, both with two threads, in the
    same turns; ours reads the file as well. Peak memory is that of a process that only runs ours.
    """
    cache = Path(".cache")
    cache.mkdir(exist_ok=True)
    for rows in sorted({min(each, setting.rows) for each in SIZES}):
        database, path = cache / f"predict-{rows}.db", cache / f"predict-{rows}.parquet"
        for old in (database, path, Path(f"{database}.txt")):
            old.unlink(missing_ok=True)
        _prepare(database, path, rows)
        rounds = 3 if rows == 10_000_000 else setting.rounds
        both, alone = (
            _probed(database, path, rows, what, rounds if what == "both" else 1) for what in ("both", "alone")
        )
        ratios = [ours / theirs for ours, theirs in zip(both["ours"], both["theirs"], strict=True)]
        yield Row(
            rows=rows,
            ours_s=statistics.median(both["ours"]),
            lightgbm_s=statistics.median(both["theirs"]),
            time_ratio=statistics.median(ratios),
            peak_mib=alone["peak_mib"],
        )
        path.unlink()


def _prepare(database: Path, path: Path, rows: int) -> None:
    """A model of ten columns, its trees as LightGBM's text, and the rows to ask about."""
    with paretosql.connect(database, autocommit=True) as con:
        columns = ", ".join(f"(hash(range * 31 + {at}) % 100000) / 1e5 AS x{at}" for at in range(10))
        rows_of_features = f"SELECT {columns} FROM range(100000)"
        con.execute(f"CREATE TABLE learn AS SELECT *, 3 * x0 + sin(9 * x1) + x2 * x3 AS y FROM ({rows_of_features})")
        con.execute("CREATE MODEL m OPTIONS (model_type = 'gbdt', label_col = 'y', rounds = 100) AS FROM learn")
        shifted = columns.replace("range * 31", "range * 37 + 5")
        con.execute(f"COPY (SELECT {shifted} FROM range({rows})) TO '{path}' (FORMAT parquet)")
        models = con._session.models
        trees = models.load(models.named("m")).model.learned["trees"]
        Path(f"{database}.txt").write_bytes(trees.tobytes())
        con.close()


def _probed(database: Path, path: Path, rows: int, what: str, rounds: int) -> dict[str, list[float]]:
    code = PROBE.format(database=database)
    command = [sys.executable, "-c", code, str(path), str(rows), what, str(rounds)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


@benchmark("models/growth", unit="s, MiB", lower_is_better=True, minutes=4.0)
def growth(setting: Setting) -> Iterator[Row]:
    """How the recommenders grow: seconds to learn from rows that are made up (a tenth as many users, a fortieth as many
    items, by a power law), and to recommend ten items to a thousand users.
    """
    for rows in (
        each for each in (2_000, 20_000, 100_000, 500_000, 2_000_000) if each <= max(2_000, setting.rows // 10)
    ):
        with paretosql.connect(autocommit=True, threads=THREADS) as con:
            item = f"floor({rows // 80} * pow(hash(range * 7) / 18446744073709551616.0, 3))::BIGINT"
            con.execute(f"CREATE TABLE learn AS SELECT hash(range) % {rows // 20} AS u, {item} AS i FROM range({rows})")
            for name in REFERENCES:
                few = {"rounds": 5} if name in ROUNDS else {}
                began = time.perf_counter()
                try:
                    con.execute(_create(name, 0, **few))
                except paretosql.DataError as problem:
                    yield Row(family=name, rows=rows, note=str(problem).partition("\n")[0])
                    continue
                trained = time.perf_counter()
                con.execute(
                    "SELECT count(*) FROM recommend(MODEL m, (SELECT range AS u FROM range(1000)), k => 10)"
                ).fetchall()
                yield Row(
                    family=name,
                    rows=rows,
                    train_s=trained - began,
                    recommend_s=time.perf_counter() - trained,
                    note="5 rounds" if few else "",
                )
            con.close()
