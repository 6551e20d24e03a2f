"""threadsafety 1: threads share the module, each with its own connections. Breaking that rule raises, never crashes."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import paretosql

LONG = "SELECT count(*) FROM range(3000000000) a WHERE hash(a.range) % 7 = 3"
LONG_NDV = "SELECT ndv(hash(range)) FROM range(3000000000)"


def together(number: int, work: Callable[[int], Any]) -> list[Any]:
    """Run `work(0) ... work(number - 1)` in threads that start at the same moment; what they returned."""
    gate = threading.Barrier(number)

    def begin(index: int) -> Any:
        gate.wait()
        return work(index)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(begin, range(number)))


def test_connections_in_memory_are_apart():
    """Every thread with its own database: the same table name, different rows, the right answers."""

    def work(index: int) -> tuple[int, int, int]:
        con = paretosql.connect()
        con.execute(f"CREATE TABLE t AS SELECT range % {index + 10} AS a FROM range(20000)")
        for _ in range(5):
            con.execute("INSERT INTO t VALUES (-1)")
        con.commit()
        row = con.execute("SELECT count(*), ndv(a), count(DISTINCT a) FROM t").fetchone()
        con.close()
        assert row is not None
        return row

    assert together(6, work) == [(20005, index + 11, index + 11) for index in range(6)]


def test_connections_to_one_file_work_at_once(db_path):
    """Writers in several threads, each with its own connection: every committed row is there once."""
    with paretosql.connect(db_path) as con:
        con.execute("CREATE TABLE t (writer INTEGER, number INTEGER)")
    con.close()

    def work(writer: int) -> None:
        own = paretosql.connect(db_path)
        for number in range(30):
            own.execute("INSERT INTO t VALUES (?, ?)", [writer, number])
            own.commit()
            seen = own.execute("SELECT count(*), ndv(number) FROM t WHERE writer = ?", [writer]).fetchone()
            assert seen == (number + 1, number + 1)
        own.close()

    together(4, work)
    con = paretosql.connect(db_path)
    assert con.execute("SELECT count(*), ndv((writer, number)), ndv(writer) FROM t").fetchone() == (120, 120, 4)
    con.close()


def test_connecting_and_closing_at_once(db_path):
    """Opening and closing connections to one file in many threads."""

    def work(index: int) -> int:
        for _ in range(10):
            con = paretosql.connect(db_path)
            con.execute("SELECT 1").fetchall()
            con.close()
        return index

    assert together(6, work) == list(range(6))


def run(program: str) -> tuple[int, str, str]:
    """Exit status, stdout and the end of stderr of a Python program in a process of its own."""
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr[-3000:]


SHARED = """
import random, sys, threading
import paretosql
con = paretosql.connect(autocommit=True)
con.execute("CREATE TABLE t AS SELECT range AS i, range % 100 AS a FROM range(50000)")
foreign, right = [], [0]
STATEMENTS = [
    ("SELECT count(*) FROM t WHERE i < 50000", None), ("SELECT ndv(a) FROM t WHERE i < 50000", [(100,)]),
    ("SELECT a, ndv(i) FROM t GROUP BY a", None), ("INSERT INTO t VALUES (-1, 0)", None), ("SELECT nope", None),
    ("SELECT * FROM range(5000)", [(i,) for i in range(5000)]), ("BEGIN", None), ("COMMIT", None),
    ("UPDATE t SET i = i WHERE i < 10", None), ("CREATE OR REPLACE TABLE u AS SELECT ndv(a) AS n FROM t", None),
]
def work(seed):
    draw = random.Random(seed)
    cursor = con.cursor()
    for _ in range(60):
        sql, rows = draw.choice(STATEMENTS)
        try:
            cursor.execute(sql)
            if cursor.description is not None:
                got = cursor.fetchall()
                if rows is not None:
                    assert got == rows, (sql, got[:3], len(got))
                    right[0] += 1
            if draw.random() < 0.1:
                con.interrupt()
        except paretosql.Error:
            pass
        except BaseException as fault:
            foreign.append(repr(fault)[:300])
threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join(60)
assert not any(thread.is_alive() for thread in threads), "a thread hangs"
con.rollback()
assert con.execute("SELECT 42").fetchall() == [(42,)]
print("foreign", foreign)
print("right", right[0])
"""


def test_sharing_one_connection_never_crashes():
    """What threadsafety 1 forbids: statements either work or raise a PEP 249 error; no crash, hang or wrong rows."""
    code, said, complaint = run(SHARED)
    assert code == 0, complaint
    foreign, right = said.strip().split("\n")
    assert foreign == "foreign []"
    assert int(right.split()[1]) > 0


def _interrupted(con: paretosql.Connection, run: Callable[[], Any]) -> tuple[BaseException, float]:
    """Start `run` in this thread and interrupt it from another; the error, and seconds from interrupt to error."""
    moment: list[float] = []

    def strike() -> None:
        moment.append(time.monotonic())
        con.interrupt()

    timer = threading.Timer(0.5, strike)
    timer.start()
    with pytest.raises(paretosql.Error) as caught:
        run()
    timer.join()
    return caught.value, time.monotonic() - moment[0]


@pytest.mark.parametrize(
    "sql",
    [
        LONG,
        LONG_NDV,
        f"CREATE TABLE u AS {LONG_NDV}",
        "SELECT range % 100 AS g, ndv(range) FROM range(3000000000) GROUP BY g",
        "INSERT INTO t SELECT hash(range) % 100 FROM range(3000000000)",
    ],
    ids=["plain", "ndv", "create-table-as", "group-by", "insert"],
)
def test_interrupt_stops_a_running_statement(con, sql):
    """interrupt() from another thread raises OperationalError within two seconds, and the connection works on."""
    con.execute("CREATE TABLE t AS SELECT 1 AS a")
    fault, seconds = _interrupted(con, lambda: con.execute(sql).fetchall())
    assert isinstance(fault, paretosql.OperationalError)
    assert seconds < 2.0
    con.rollback()
    assert con.execute("SELECT count(*), ndv(a) FROM t").fetchone() == (1, 1)
    assert con.execute("SELECT table_name FROM duckdb_tables()").fetchall() == [("t",)]


def test_interrupt_stops_fetching(con):
    """A result that is being read stops too."""
    cursor = con.execute("SELECT hash(range) FROM range(3000000000)")
    assert cursor.fetchone() is not None
    fault, seconds = _interrupted(con, lambda: [None for _ in cursor])
    assert isinstance(fault, paretosql.OperationalError)
    assert seconds < 2.0
    assert con.execute("SELECT 1").fetchall() == [(1,)]


def test_interrupt_in_a_transaction_can_be_rolled_back(con):
    """The interrupted statement's transaction is lost, not the connection."""
    con.execute("CREATE TABLE t (a INTEGER)")
    con.execute("INSERT INTO t VALUES (1)")
    con.commit()
    con.execute("INSERT INTO t VALUES (2)")
    fault, _ = _interrupted(con, lambda: con.execute(LONG).fetchall())
    assert isinstance(fault, paretosql.OperationalError)
    con.rollback()
    assert con.execute("SELECT a FROM t").fetchall() == [(1,)]


def test_interrupt_of_nothing_is_harmless(con):
    """interrupt() while nothing runs does not stop the next statement."""
    con.interrupt()
    assert con.execute("SELECT count(*) FROM range(1000)").fetchone() == (1000,)
    con.interrupt()
    assert con.execute("SELECT ndv(range) FROM range(1000)").fetchone() == (1000,)


def test_interrupt_of_a_closed_connection_is_harmless_or_an_error():
    """A late interrupt() meets a closed connection: nothing, or an Error of ours."""
    con = paretosql.connect()
    con.close()
    with contextlib.suppress(paretosql.Error):
        con.interrupt()


@pytest.mark.parametrize("function", ["count", "ndv"])
def test_a_long_statement_prints_nothing(function):
    """A library is silent: no progress bar on stdout or stderr, however long a statement takes."""
    program = f"""
import threading, paretosql
con = paretosql.connect()
threading.Timer(4.0, con.interrupt).start()
try:
    con.execute("SELECT {function}(hash(range)) FROM range(30000000000)").fetchall()
except paretosql.OperationalError:
    pass
"""
    assert run(program) == (0, "", "")


def test_closing_while_a_statement_runs_stops_it():
    """close() from another thread ends the statement with an Error of ours; no crash, no hang."""
    program = f"""
import threading, time, paretosql
con = paretosql.connect()
threading.Timer(0.5, con.close).start()
start = time.monotonic()
try:
    con.execute({LONG!r}).fetchall()
    print("finished")
except paretosql.Error as fault:
    print("stopped", time.monotonic() - start < 5)
"""
    assert run(program)[:2] == (0, "stopped True\n")


def test_ctrl_c_stops_a_count():
    """Ctrl-C raises in a running ndv statement within seconds, and the connection works on."""
    program = f"""
import os, signal, threading, time, paretosql
con = paretosql.connect()
con.execute("SELECT ndv(1)").fetchall()
threading.Timer(0.7, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
start = time.monotonic()
try:
    con.execute({LONG_NDV!r}).fetchall()
    print("finished")
except (KeyboardInterrupt, paretosql.OperationalError):
    print("stopped", time.monotonic() - start < 5, con.execute("SELECT 42").fetchall())
"""
    assert run(program)[:2] == (0, "stopped True [(42,)]\n")
