"""Kills processes that replace a model, and looks at what they leave.

Run as `python -m tests.engine.model_kills DB ROUNDS SEED`, or with `cuts` for ROUNDS: an end at each write.

Version v of the model was trained on rows in which item v is the favourite, so its answer tells which version it is.
This process never opens the database before it forks; a child writes or reads, and the parent judges by exit codes.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import paretosql

# imported before the forks, so that children begin at once
import paretosql.engine.counting
import paretosql.engine.infer
import paretosql.engine.model_calls
import paretosql.engine.model_statements
from paretosql.engine.model_catalog import ModelCatalog
from paretosql.udfs import store
from paretosql.udfs.model import families

ITEMS = 40  # the favourite of version v is item v modulo so many
GOOD, WRONG, CUT = 0, 3, 9


def create(con: paretosql.Connection, version: int) -> None:
    """Train version v."""
    favourite = version % ITEMS
    con.execute(
        "CREATE OR REPLACE MODEL taste OPTIONS (model_type = 'popularity') AS"
        f" SELECT range AS user_id, CASE WHEN range < 30 THEN {favourite} ELSE range % {ITEMS} END AS item_id"
        " FROM range(60)"
    )


def favourite(con: paretosql.Connection) -> int:
    """What the model answers: the most popular item, for a user that nobody knows."""
    sql = "SELECT item_id FROM recommend(MODEL taste, (SELECT -1 AS user_id), k => 1)"
    ((item,),) = con.execute(sql).fetchall()
    return int(item)


def version(con: paretosql.Connection) -> int:
    """Which version the database means."""
    ((number,),) = con.execute("SELECT version FROM pareto_models.models WHERE key = 'taste'").fetchall()
    return int(number)


def write(path: str) -> None:
    """Replace the model again and again, while another connection of the process asks it."""
    con = paretosql.connect(path, autocommit=True)
    number = version(con)
    threading.Thread(target=_ask_forever, args=(path,), daemon=True).start()
    while True:
        number += 1
        create(con, number)


def _ask_forever(path: str) -> None:
    """A parallel reader: what it is told must be one version or another, and never an error."""
    try:
        con = paretosql.connect(path, autocommit=True)
        while True:
            con.execute("BEGIN")
            first = version(con)
            assert favourite(con) == first % ITEMS, "the answer is of another version than the catalog says"
            assert version(con) == first, "the version changed inside a transaction"
            con.execute("COMMIT")
    except BaseException:
        traceback.print_exc()
        os._exit(WRONG)


def judge(path: str, least: int) -> None:
    """What a killed process has left: one whole version, not an older one than before, and nothing else."""
    seen = Path(f"{path}.seen")  # the version that the judge before this one has met
    least = max(least, int(seen.read_text()) if seen.exists() else 0)
    with paretosql.connect(path, autocommit=True) as con:
        found = version(con)
        seen.write_text(str(found))
        assert found >= least, f"version {least} was committed, version {found} is there"
        assert favourite(con) == found % ITEMS, "the answer is of another version than the catalog says"
        tokens = {token for (token,) in con.execute("SELECT token FROM pareto_models.models").fetchall()}
        folders = {each.name for each in Path(f"{path}.models").iterdir()}
        assert folders == tokens, f"left behind: {folders - tokens}, missing: {tokens - folders}"
        con.close()
    os._exit(GOOD)


def forked(work: object, *arguments: object) -> int:
    """Run a function in a child; its process id."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    try:
        work(*arguments)  # type: ignore[operator]
        os._exit(GOOD)
    except BaseException:
        traceback.print_exc()
        os._exit(WRONG)


def first_version(path: str) -> None:
    """Make the database and version 1."""
    with paretosql.connect(path, autocommit=True) as con:
        create(con, 1)
        con.close()
    os._exit(GOOD)


def finished(child: int) -> int:
    """The exit code of a child, negative for signals."""
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def write_cut(path: str, left: int) -> None:
    """Replace the model once, and end without a word at the write number `left`."""
    counted = [left]

    def cutting(function: Any) -> Any:
        def cut(*arguments: Any, **options: Any) -> Any:
            counted[0] -= 1
            if counted[0] < 0:
                os._exit(CUT)
            return function(*arguments, **options)

        return cut

    con = paretosql.connect(path, autocommit=True)
    number = version(con)
    os.fsync, os.rename = cutting(os.fsync), cutting(os.rename)
    store._write, ModelCatalog._write = cutting(store._write), cutting(ModelCatalog._write)
    create(con, number + 1)
    con.close()


def cut_everywhere(path: str) -> int:
    """Cut at every write in turn, until a writer comes to its end; the exit code."""
    for number in range(60):
        ended = finished(forked(write_cut, path, number))
        if finished(forked(judge, path, 1)) != GOOD:
            print(f"cut {number}: what was left is not whole")
            return WRONG
        if ended == GOOD:
            print(f"{number} cuts survived")
            return GOOD
        if ended != CUT:
            return WRONG
    return WRONG


def main() -> int:
    """Kill that many writers at random moments; 0 when every one left the model whole."""
    path, seed = sys.argv[1], int(sys.argv[3])
    rng = random.Random(seed)
    families()
    if finished(forked(first_version, path)) != GOOD:
        return WRONG
    if sys.argv[2] == "cuts":
        return cut_everywhere(path)
    rounds = int(sys.argv[2])
    for number in range(rounds):
        child = forked(write, path)
        time.sleep(rng.uniform(0.02, 0.35))
        os.kill(child, signal.SIGKILL)
        ended = finished(child)
        if ended != -signal.SIGKILL:
            print(f"round {number}: the writer ended by itself with {ended}")
            return WRONG
        if finished(forked(judge, path, 1)) != GOOD:
            print(f"round {number}: what was left is not whole")
            return WRONG
    print(f"{rounds} kills survived")
    return GOOD


if __name__ == "__main__":
    sys.exit(main())
