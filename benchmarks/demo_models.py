"""The part of the demonstration about models: a recommender on ratings that are made up here."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.demo import Demo

PEOPLE, FILMS, ROWS = 2_000, 300, 60_000
RATINGS = f"""CREATE OR REPLACE TEMP TABLE ratings AS
SELECT who AS user_id, 'film ' || (which + {FILMS // 3} * (who % 3)) AS item_id, ts FROM (
  SELECT hash(range) % {PEOPLE} AS who, range AS ts,
         ({FILMS // 3} * pow(hash(range + 1) % 1000 / 1000.0, 2))::INT AS which FROM range({ROWS}))"""
CREATE = "CREATE OR REPLACE MODEL taste OPTIONS (model_type = '{}', split = 'leave_last_out') AS FROM ratings"
FAMILIES = ("popularity", "itemknn", "ease", "als")


def recommenders(demo: Demo) -> None:
    """Four recommenders, judged by the last film of everybody, and what one of them recommends."""
    demo.screen.title(
        "8. Models",
        f"{PEOPLE:,} people of three tastes, {FILMS} films, {ROWS:,} rows made up; everybody's last one is held out.",
    )
    demo.con.execute(RATINGS)
    demo.screen.sql(f"{CREATE.format('ease')};\nSELECT * FROM evaluate(MODEL taste);")
    rows = []
    for name in FAMILIES:
        began = time.perf_counter()
        demo.con.execute(CREATE.format(name))
        seconds = time.perf_counter() - began
        _, lines, _ = demo.ask("SELECT metric, value FROM evaluate(MODEL taste)")
        found = {str(metric): float(str(value)) for metric, value in lines}
        rows.append(
            [name, f"{found['hr@10']:.3f}", f"{found['ndcg@10']:.3f}", f"{found['auc']:.3f}", f"{seconds:.2f} s"]
        )
    demo.screen.table(["model type", "hr@10", "ndcg@10", "auc", "trained in"], rows)
    sql = "SELECT * FROM recommend(MODEL taste, (SELECT 7 AS user_id), k => 3)"
    demo.screen.sql(sql)
    names, lines, _ = demo.ask(sql)
    demo.screen.table(
        names, [[f"{each:.3f}" if isinstance(each, float) else str(each) for each in line] for line in lines]
    )
    demo.con.execute("DROP MODEL taste")
