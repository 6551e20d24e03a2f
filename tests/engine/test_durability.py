"""A killed process loses nothing it was told was committed, keeps nothing it was not, and leaves no rubbish.

A child process moves money between accounts and says `+ n` on a pipe after commit number n; the parent kills it with
SIGKILL at a random moment and looks at the file. The sum of all accounts never changes inside a transaction, so any
other sum afterwards is half a transaction.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import paretosql

ACCOUNTS, MONEY = 50, 1000

TRANSFERS = f"""
import random, sys
import paretosql
path, seed, start = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
draw = random.Random(seed)
con = paretosql.connect(path)
con.execute("SET checkpoint_threshold = '20KB'")
number = start
print("ready", flush=True)
while True:
    number += 1
    for _ in range(draw.randrange(1, 6)):
        source, target, amount = draw.randrange({ACCOUNTS}), draw.randrange({ACCOUNTS}), draw.randrange(100)
        con.execute("UPDATE account SET money = money - ? WHERE id = ?", [amount, source])
        con.execute("UPDATE account SET money = money + ? WHERE id = ?", [amount, target])
    con.execute("INSERT INTO journal VALUES (?, ?)", [number, "x" * draw.randrange(200)])
    if draw.random() < 0.2:
        con.rollback()
        number -= 1
    else:
        con.commit()
        print(f"+ {{number}}", flush=True)
"""


def prepare(path: Path) -> None:
    """A database with the accounts and an empty journal."""
    con = paretosql.connect(path)
    con.execute("CREATE TABLE account (id INTEGER PRIMARY KEY, money INTEGER)")
    con.execute("CREATE TABLE journal (number INTEGER, remark VARCHAR)")
    con.executemany("INSERT INTO account VALUES (?, ?)", [(i, MONEY) for i in range(ACCOUNTS)])
    con.commit()
    con.close()


def kill_after(program: str, arguments: list[object], delay_s: float) -> list[str]:
    """Start a child, wait until it says it is ready and `delay_s` more, kill it with SIGKILL; the lines it printed."""
    child = subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stderr is not None
    assert child.stdout.readline() == "ready\n", child.stderr.read()
    time.sleep(delay_s)
    os.kill(child.pid, signal.SIGKILL)
    lines = child.stdout.read().split("\n")
    assert child.wait() == -signal.SIGKILL, f"the child was not killed but ended: {child.stderr.read()}"
    child.stdout.close()
    child.stderr.close()
    return lines[:-1]  # what follows the last line end was cut by the kill


def check_accounts(path: Path, said: int) -> int:
    """The state of the file after a kill is that of a commit: the last one reported, or the one after. Its number."""
    con = paretosql.connect(path)
    total, low = con.execute("SELECT sum(money), count(*) FROM account").fetchone() or (0, 0)
    count, highest, different = con.execute("SELECT count(*), max(number), ndv(number) FROM journal").fetchone() or ()
    con.close()
    assert (total, low) == (ACCOUNTS * MONEY, ACCOUNTS), "half a transaction is in the file"
    assert count == different == (highest or 0), "the journal has gaps"
    # a commit may have reached the disk without its line reaching the pipe
    assert said <= count <= said + 1, f"{said} commits were reported, {count} are there"
    return int(count)


def kill_rounds(folder: Path, rounds: int, seed: int) -> None:
    """Kill and reopen one database many times."""
    path, draw = folder / "bank.db", random.Random(seed)
    prepare(path)
    number = 0
    for turn in range(rounds):
        lines = kill_after(TRANSFERS, [path, seed * 1000 + turn, number], draw.uniform(0.0, 0.4))
        said = max((int(line[2:]) for line in lines if line.startswith("+ ")), default=number)
        number = check_accounts(path, said)
    assert number > rounds, "the children were killed before they did anything"
    assert {each.name for each in folder.iterdir()} <= {"bank.db", "bank.db.wal"}, "files were left beside the database"


def test_a_killed_process_keeps_what_it_committed(tmp_path):
    """15 kills at random moments, one after another, on the same file."""
    kill_rounds(tmp_path, 15, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_process_killed_two_hundred_times(tmp_path):
    """200 kills."""
    kill_rounds(tmp_path, 200, seed=2)


LONG = """
import sys
import paretosql
con = paretosql.connect(sys.argv[1])
con.execute("SET memory_limit = '300MB'")
print("ready", flush=True)
con.execute(sys.argv[2])
print("done", flush=True)
"""

ROWS = "(SELECT range % 1000003 AS i, range % 977 AS g, repeat('x', 20) || range AS s FROM range(40000000))"


@pytest.mark.parametrize(
    "sql",
    [
        f"CREATE TABLE counted AS SELECT g, ndv(i) AS n, ndv(s) AS m FROM {ROWS} GROUP BY g",
        f"INSERT INTO kept SELECT i, s FROM {ROWS}",
        f"CREATE OR REPLACE TABLE kept AS SELECT i, s FROM {ROWS} ORDER BY s",
        "DELETE FROM kept WHERE i < (SELECT count(*) FROM range(20000000000) WHERE hash(range) % 3 = 1)",
    ],
    ids=["create-table-as-ndv", "insert-select", "replace-sorted", "delete"],
)
@pytest.mark.parametrize("delay_s", [0.3, 1.0])
def test_a_long_statement_that_is_killed_leaves_no_trace(tmp_path, sql, delay_s):
    """Killed in the middle: the tables are what they were, and no file of the statement is left beside the database."""
    path = tmp_path / "shop.db"
    con = paretosql.connect(path)
    con.execute("CREATE TABLE kept AS SELECT range AS i, 'y' || range AS s FROM range(1000)")
    con.close()
    lines = kill_after(LONG, [path, sql], delay_s)
    assert lines == [], "the statement was done before the kill"
    con = paretosql.connect(path)
    assert con.execute("SELECT count(*), ndv(s), min(s) FROM kept").fetchone() == (1000, 1000, "y0")
    assert con.execute("SELECT table_name FROM duckdb_tables()").fetchall() == [("kept",)]
    con.close()
    assert {each.name for each in tmp_path.iterdir()} <= {"shop.db", "shop.db.wal"}


def test_a_connection_that_is_dropped_rolls_back(db_path):
    """A process that ends without commit and without close leaves the committed state."""
    prepare(db_path)
    program = f"""
import paretosql
con = paretosql.connect({str(db_path)!r})
con.execute("DELETE FROM account")
assert con.execute("SELECT count(*) FROM account").fetchone() == (0,)
"""
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    assert check_accounts(db_path, 0) == 0


def test_temporary_files_go_with_the_connection(tmp_path):
    """A result that was moved to disk, and what a statement spilled, are gone after close()."""
    path = tmp_path / "shop.db"
    con = paretosql.connect(path)
    con.execute("SET memory_limit = '200MB'")
    unread = con.execute("SELECT range AS i, 'text number ' || range AS s FROM range(3000000)")
    assert unread.fetchone() == (0, "text number 0")
    con.execute("CREATE TABLE sorted AS SELECT range AS i FROM range(3000000) ORDER BY hash(range)")
    assert unread.fetchone() == (1, "text number 1")
    con.close()
    assert {each.name for each in tmp_path.iterdir()} <= {"shop.db", "shop.db.wal"}
