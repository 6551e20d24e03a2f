"""The command line, as a user's terminal or script sees it: every test runs real processes."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import paretosql

PROGRAM = [sys.executable, "-m", "paretosql"]
ENDLESS = "SELECT count(*) FROM range(1000000000000) t WHERE t.range % 7 = 3"


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test works in an empty folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str, stdin: str | bytes = b"") -> subprocess.CompletedProcess[str]:
    """Run the command with these words and this standard input, and wait for its end."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run([*PROGRAM, *words], input=data, capture_output=True, timeout=60, check=False)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def start(*words: str) -> subprocess.Popen[bytes]:
    """Start the command in a process group of its own."""
    return subprocess.Popen(
        [*PROGRAM, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def test_one_statement_prints_a_box() -> None:
    """SQL alone runs in memory; its result goes to standard output and nothing else does."""
    done = run("SELECT 42 AS answer, NULL AS nothing")
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout == (
        "┌─────────┬─────────┐\n"
        "│  answer │ nothing │\n"
        "│ integer │ null    │\n"
        "├─────────┼─────────┤\n"
        "│      42 │ NULL    │\n"
        "└─────────┴─────────┘\n"
        "(1 row)\n"
    )


def test_a_database_file_keeps_what_statements_change(db_path: Path) -> None:
    """Every statement stands by itself: the next process sees the rows, and --read-only cannot change them."""
    assert run(str(db_path), "CREATE TABLE t AS SELECT 1 AS a; INSERT INTO t VALUES (2)").stdout == ""
    done = run(str(db_path), "SELECT * FROM t ORDER BY a", "--csv")
    assert done.stdout == "a\n1\n2\n"
    done = run(str(db_path), "--read-only", "DELETE FROM t")
    assert done.returncode == 1
    assert "read-only" in done.stderr
    with paretosql.connect(db_path) as con:
        assert con.execute("SELECT count(*) FROM t").fetchone() == (2,)


def test_every_format_says_the_same() -> None:
    """Other programs read the same values from JSON, JSON lines, CSV and Markdown."""
    sql = "SELECT 1 AS n, 'a,|é' AS s UNION ALL SELECT 2, NULL ORDER BY n"
    rows = [{"n": 1, "s": "a,|é"}, {"n": 2, "s": None}]
    assert json.loads(run("--json", sql).stdout) == rows
    assert [json.loads(line) for line in run(sql, "--jsonl").stdout.splitlines()] == rows
    assert list(csv.reader(io.StringIO(run("-c", sql, "--csv").stdout))) == [["n", "s"], ["1", "a,|é"], ["2", ""]]
    assert run(":memory:", sql, "--markdown").stdout == "| n | s |\n| ---: | --- |\n| 1 | a,\\|é |\n| 2 |  |\n"


def test_several_statements_print_one_after_the_other() -> None:
    """Each result is whole: with --json one array follows the other."""
    assert run("SELECT 1 AS a; SELECT 2 AS b", "--json").stdout == '[\n{"a": 1}\n]\n[\n{"b": 2}\n]\n'


def test_rows_limits_boxes_only() -> None:
    """A box shows 40 rows unless told otherwise; data formats are never cut."""
    sql = "SELECT * FROM range(100)"
    assert run(sql).stdout.endswith("(100 rows, 40 shown)\n")
    assert run(sql, "--rows", "all").stdout.endswith("(100 rows)\n")
    assert run(sql, "--rows", "3", "--csv").stdout.count("\n") == 101


def test_sql_comes_from_a_pipe() -> None:
    """What is piped in is a script: the line of an error is known, statements before it have run."""
    done = run("--csv", stdin="SELECT 1 AS a;\n\nSELECT nothing;\nSELECT 3 AS c;\n")
    assert done.returncode == 1
    assert done.stdout == "a\n1\n"
    assert done.stderr.startswith("<stdin>:3: ProgrammingError: ")
    assert run(stdin="").returncode == 0


def test_an_error_is_a_message_and_not_a_traceback() -> None:
    """Status 1, the place in the SQL, a hint, and nothing on standard output."""
    done = run("SELECT 1,\n  2 +")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("ProgrammingError: ")
    assert "line 2, column" in done.stderr
    assert "Hint: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_late_error_is_a_message_too() -> None:
    """A statement that fails after its first rows came out ends with status 1."""
    done = run("SELECT CASE WHEN range = 3000000 THEN error('late') END FROM range(4000000)", "--csv")
    assert done.returncode == 1
    assert done.stderr.startswith("ProgrammingError: Invalid Input Error: late")


def test_a_script_runs_up_to_its_first_error() -> None:
    """`run` stops at the first failure and names file and line, counted from the top of the file."""
    Path("report.sql").write_text(
        "-- a report\nCREATE TABLE t AS SELECT 1 AS a;\nINSERT INTO t VALUES (2);\n\n"
        "SELECT a\nFROM t\nWHERE b = 1;\n\nINSERT INTO t VALUES (3);\n"
    )
    done = run("run", "report.sql", "--database", "shop.db", "--timing")
    assert done.returncode == 1
    timings, problem = done.stderr.splitlines()[:2], done.stderr.splitlines()[2]
    assert [line.split(": ")[0] for line in timings] == ["report.sql:2", "report.sql:3"]
    assert problem.startswith("report.sql:7: ProgrammingError: ")
    assert "line 7, column 7:\n  WHERE b = 1\n" in done.stderr
    assert run("shop.db", "SELECT list(a ORDER BY a) AS l FROM t", "--jsonl").stdout == '{"l": [1, 2]}\n'


def test_a_script_may_come_from_standard_input() -> None:
    """`run -` reads a script from a pipe; a byte order mark at its beginning is no error."""
    done = run("run", "-", "--json", stdin=b"\xef\xbb\xbfSELECT 'caf\xc3\xa9' AS s; -- end")
    assert json.loads(done.stdout) == [{"s": "café"}]


def test_a_script_that_is_not_utf8_does_not_start() -> None:
    """No statement of a file with foreign bytes runs, and the message names the line of the first one."""
    Path("latin1.sql").write_bytes(b"CREATE TABLE t (a INTEGER);\nSELECT 'caf\xe9';\n")
    done = run("run", "latin1.sql", "--database", "shop.db")
    assert done.returncode == 1
    assert "latin1.sql:2: not UTF-8 text: byte 0xe9" in done.stderr
    assert run("shop.db", "SELECT count(*) AS n FROM duckdb_tables()", "--jsonl").stdout == '{"n": 0}\n'


def test_a_script_that_is_missing_is_named() -> None:
    """The message says which file and why."""
    done = run("run", "nothing.sql")
    assert (done.returncode, done.stdout) == (1, "")
    assert "cannot read nothing.sql: No such file or directory" in done.stderr


def test_an_explicit_transaction_needs_its_commit() -> None:
    """BEGIN without COMMIT is an error at the end of a script, and its changes are gone; with COMMIT they stay."""
    done = run("shop.db", "CREATE TABLE t (a INTEGER); BEGIN; INSERT INTO t VALUES (1)")
    assert done.returncode == 1
    assert "no COMMIT" in done.stderr
    assert run("shop.db", "BEGIN; INSERT INTO t VALUES (2); COMMIT").returncode == 0
    assert run("shop.db", "SELECT * FROM t", "--csv").stdout == "a\n2\n"


def test_explain_prints_plans_and_runs_nothing() -> None:
    """The plan of each statement is printed; a statement that would delete rows deletes none."""
    run("shop.db", "CREATE TABLE t AS SELECT range AS a FROM range(3)")
    Path("q.sql").write_text("SELECT a FROM t WHERE a > 1;\nDELETE FROM t;\nSELECT ndv(a) FROM t;\n")
    done = run("explain", "q.sql", "--database", "shop.db")
    assert done.returncode == 0
    assert "Filter" in done.stdout
    assert "Delete" in done.stdout
    assert "sketch: " in done.stdout
    assert run("shop.db", "SELECT count(*) AS n FROM t", "--jsonl").stdout == '{"n": 3}\n'
    Path("bad.sql").write_text("\nSELECT a\nFROM missing;\n")
    done = run("explain", "bad.sql")
    assert done.returncode == 1
    assert done.stderr.startswith("bad.sql:3: ProgrammingError: ")
    assert "line 3, column 6:\n  FROM missing\n" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["models"], "the following arguments are required: COMMAND"),
        (["models", "export", "shop.db", "taste"], "the following arguments are required: -o/--output"),
        (["models", "lost", "shop.db"], "invalid choice: 'lost' (choose from"),
        (["ui"], "'ui' is not in this version"),
        (["explian"], "did you mean 'explain'?"),
        (["nofile"], "for a new database write ./nofile or nofile.db"),
        (["shop.db", "SELECT", "1"], "put quotes around the SQL"),
        (["--json", "--csv", "SELECT 1"], "not allowed with argument"),
        (["--threads", "0", "SELECT 1"], "'0' is not a whole number from 1"),
        (["explain", "q.sql", "--html", "q.html"], "--html is not in this version"),
        (["--json", "run", "q.sql"], "options come after the command"),
    ],
)
def test_a_wrong_command_line_has_status_2(words: list[str], message: str, workplace: Path) -> None:
    """The message says what is wrong, and no file is made by mistake."""
    done = run(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert list(workplace.iterdir()) == []


def test_help_and_version_answer() -> None:
    """--help shows examples, --version the versions that decide over results."""
    done = run("--help")
    assert done.returncode == 0
    assert "paretosql run report.sql --database shop.db --timing" in done.stdout
    assert "paretosql models list|describe|export|import|drop DATABASE ..." in done.stdout
    assert "(paretosql models --help)" in done.stdout
    done = run("--version")
    assert done.stdout.startswith(f"paretosql {paretosql.__version__} (duckdb ")


def test_threads_reach_the_engine() -> None:
    """--threads is the number of threads of the engine."""
    assert run("--threads", "1", "SELECT current_setting('threads') AS n", "--jsonl").stdout == '{"n": 1}\n'


def test_a_reader_that_goes_away_ends_the_command_quietly() -> None:
    """`paretosql ... | head -2` prints two lines and no complaint."""
    process = start("SELECT * FROM range(30000000)", "--csv")
    assert process.stdout is not None
    assert process.stderr is not None
    assert [process.stdout.readline(), process.stdout.readline()] == [b"range\n", b"0\n"]
    process.stdout.close()
    assert process.wait(20) == 141
    assert process.stderr.read() == b""


def test_a_full_disk_is_reported() -> None:
    """When the output cannot be written, status 1 and a message say so."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*PROGRAM, "SELECT 1"], stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert (done.returncode, done.stderr) == (1, b"paretosql: cannot write the result: No space left on device\n")


def test_ctrl_c_stops_a_long_statement() -> None:
    """SIGINT ends a running statement within seconds: status 130, no traceback, no process left."""
    process = start(f"SELECT 'started' AS s; {ENDLESS}", "--csv")
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() + process.stdout.readline() == b"s\nstarted\n"
    time.sleep(0.5)
    sent = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(20) == 130
    assert time.monotonic() - sent < 5
    assert process.stderr.read() == b"Interrupted.\n"
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_ctrl_c_stops_output_that_nobody_reads() -> None:
    """A command whose pipe is full cannot finish its line, but SIGINT ends it all the same."""
    process = start("SELECT * FROM range(30000000)", "--csv")
    assert process.stdout is not None
    assert process.stdout.readline() == b"range\n"
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    process.stdout.close()


def test_a_script_is_not_a_database() -> None:
    """A name that ends in .sql is taken for a forgotten `run`, and no database of that name appears."""
    done = run("report.sql")
    assert done.returncode == 2 and "paretosql run report.sql" in done.stderr
    assert not Path("report.sql").exists()
