"""The interactive shell, driven through a pseudo-terminal as a person would, with prompt_toolkit and without.

What the shell is made of (completion, progress, dot commands, Ctrl-C) is tested below that, without a terminal.
"""

from __future__ import annotations

import io
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import paretosql
from paretosql.engine import glyphs
from paretosql.engine.completion import Vocabulary
from paretosql.engine.foreground import Interrupted, foreground
from paretosql.engine.progress import ProgressLine, bytes_text, progress_text
from paretosql.engine.prompt import coloured, finished
from paretosql.engine.record import Progress

pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")

ENDLESS = "SELECT count(*) FROM range(1000000000000) t WHERE t.range % 7 = 3;"
# what `python -m paretosql` does, in a process that owns the terminal on its standard input, so that Ctrl-C reaches it
START = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
{before}
from paretosql.__main__ import main
sys.exit(main())
"""
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
CURSOR_QUESTION = b"\x1b[6n"  # prompt_toolkit asks where the cursor is, and a terminal answers
PIECE_BYTES = 65_536
WAIT_S = 20


class Terminal:
    """A shell with a terminal of 100 columns, and what it has written there."""

    def __init__(self, words: tuple[str, ...], before: str, folder: Path) -> None:
        import fcntl
        import struct
        import termios

        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        surroundings = {**os.environ, "TERM": "xterm", "XDG_STATE_HOME": str(folder / "state")}
        for name in ("COLUMNS", "LINES", "NO_COLOR"):
            surroundings.pop(name, None)
        self.process = subprocess.Popen(
            [sys.executable, "-c", START.format(before=before), *words], stdin=theirs, stdout=theirs, stderr=theirs,
            cwd=folder, env=surroundings, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self.written = b""  # all of it
        self.read = 0  # how many characters of it, as shown, have been returned

    def type(self, text: str) -> None:
        """Press these keys."""
        os.write(self.ours, text.encode())

    def until(self, text: str) -> str:
        """Wait until the text appears, and return what has been written up to its end since the last time, uncoloured.

        What stands behind it is kept for the next time: a read may end in the middle of a word.
        """
        deadline = time.monotonic() + WAIT_S
        while (end := self.shown().find(text, self.read)) < 0 and time.monotonic() < deadline:
            if select.select([self.ours], [], [], 0.1)[0]:
                try:
                    piece = os.read(self.ours, PIECE_BYTES)
                except OSError:  # the process has left its terminal
                    break
                self.written += piece
                if CURSOR_QUESTION in self.written[-len(piece) - len(CURSOR_QUESTION) + 1 :]:
                    self.type("\x1b[1;1R")
        fresh = self.shown()[self.read :]
        assert end >= 0, f"{text!r} did not appear; the terminal shows:\n{fresh}"
        start, self.read = self.read, end + len(text)
        return self.shown()[start : self.read].replace("\r\n", "\n")

    def shown(self) -> str:
        """All that has been written, without colours."""
        return ESCAPES.sub("", self.written.decode(errors="replace"))

    def ask(self, line: str, answer: str) -> str:
        """Type a line, wait for the answer and for the next prompt."""
        self.type(line + "\r")
        shown = self.until(answer)
        return shown if answer == "paretosql>" else shown + self.until("paretosql>")

    def leave(self) -> int:
        """Wait for the end of the process."""
        return self.process.wait(WAIT_S)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """Makes terminals with a shell in them; whatever still runs at the end of the test is killed."""
    made: list[Terminal] = []

    def make(*words: str, before: str = "") -> Terminal:
        made.append(Terminal(words, before, tmp_path))
        made[-1].until("paretosql>")
        return made[-1]

    yield make
    for each in made:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()
        os.close(each.ours)


@pytest.mark.parametrize("plain", [True, False], ids=["plain", "prompt_toolkit"])
def test_a_session(plain: bool, terminal: Callable[..., Terminal], tmp_path: Path) -> None:
    """A statement, an error, settings, Ctrl-C during a statement and at the prompt: the shell survives all of them."""
    if not plain:
        pytest.importorskip("prompt_toolkit")
    shell = terminal(*(["--plain"] if plain else []))
    shown = shell.ask("SELECT 42 AS answer;", "(1 row)")
    assert "│  answer │\n│ integer │\n├─────────┤\n│      42 │\n" in shown
    assert "Hint: did you mean SELECT?" in shell.ask("SELEC 1;", "Hint")
    shell.ask(".timer on", "paretosql>")
    assert re.search(r"Run Time: 0\.\d\d\d s", shell.ask("SELECT 7 AS seven;", "Run Time"))
    assert "did you mean '.mode'?" in shell.ask(".mod csv", "Hint")
    shell.ask(".mode csv", "paretosql>")
    assert "a,b\n1,2\n" in shell.ask("SELECT 1 AS a, 2 AS b;", "Run Time")
    shell.type(ENDLESS + "\r")
    time.sleep(1)
    started = time.monotonic()
    shell.type("\x03")
    shell.until("Interrupted.")
    assert time.monotonic() - started < 5
    assert "five\n5\n" in shell.ask("SELECT 5 AS five;", "Run Time")
    shell.type("SELECT 'not sent")
    time.sleep(1)  # a signal between the prompt and the wait for a key is heard by input() with the next key only
    shell.type("\x03")
    shell.until("paretosql>")
    assert "six\n6\n" in shell.ask("SELECT 6 AS six;", "Run Time")
    shell.type(".quit\r")
    assert shell.leave() == 0
    history = tmp_path / "state" / "paretosql" / "history"
    assert history.exists() is not plain
    if not plain:
        assert "SELECT 42 AS answer;" in history.read_text()
        assert history.stat().st_mode & 0o077 == 0


def test_statements_may_take_several_lines(terminal: Callable[..., Terminal]) -> None:
    """Enter runs nothing until a semicolon outside of quotes has been typed; Ctrl-D leaves with status 0."""
    shell = terminal("--plain")
    shell.ask(".mode csv", "paretosql>")
    shell.type("SELECT 'a;\r")
    shell.until("...>")
    shell.type("b' AS s\r")
    shell.until("...>")
    assert '"a;\nb"\n' in shell.ask(";", "paretosql>")
    shell.type("\x04")
    assert shell.leave() == 0


def test_without_prompt_toolkit_the_shell_says_so_and_works(terminal: Callable[..., Terminal]) -> None:
    """The extra is optional: without it there is a hint, and then the plain shell."""
    shell = terminal(before="sys.modules['prompt_toolkit'] = None")
    assert "│      42 │" in shell.ask("SELECT 42 AS answer;", "(1 row)")
    shell.type("exit\r")
    assert shell.leave() == 0


def test_dot_commands_look_around(terminal: Callable[..., Terminal], tmp_path: Path) -> None:
    """.tables, .schema, .read, .open, .rows and .help do what .help says."""
    (tmp_path / "make.sql").write_text("CREATE TABLE visits (who TEXT);\nINSERT INTO visits VALUES ('ann'), ('bob');\n")
    (tmp_path / "bad.sql").write_text("SELECT 1;\n\nSELECT 2 +;\n")
    shell = terminal("--plain")
    assert "(2 rows changed)" in shell.ask(".read make.sql", "changed)")
    assert "bad.sql:3: ProgrammingError" in shell.ask(".read bad.sql", "Hint")
    assert re.search(r"main +│ visits +│ table", shell.ask(".tables", "(1 row)"))
    assert "CREATE TABLE visits(who VARCHAR);" in shell.ask(".schema visits", "CREATE")
    assert "did you mean 'visits'?" in shell.ask(".schema visit", "Hint")
    shell.ask(".rows 1", "paretosql>")
    assert "(2 rows, 1 shown)" in shell.ask("FROM visits;", "shown)")
    assert ".schema [TABLE]" in shell.ask(".help", "Ctrl-D")
    assert "Connected to shop.db" in shell.ask(".open shop.db", "Connected")
    assert "(0 rows)" in shell.ask(".tables", "(0 rows)")
    assert "cannot read nothing.sql" in shell.ask(".read nothing.sql", "cannot")


def test_an_open_transaction_is_announced(terminal: Callable[..., Terminal], tmp_path: Path) -> None:
    """Leaving inside BEGIN warns and keeps nothing of it; statements outside are kept as they are."""
    shell = terminal("shop.db", "--plain")
    shell.ask("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1);", "(1 row changed)")
    shell.ask("BEGIN; INSERT INTO t VALUES (2);", "(1 row changed)")
    shell.type(".quit\r")
    shell.until("Warning: the open transaction is rolled back")
    assert shell.leave() == 0
    with paretosql.connect(tmp_path / "shop.db") as con:
        assert con.execute("SELECT a FROM t").fetchall() == [(1,)]


# the parts


@pytest.fixture
def vocabulary(con: paretosql.Connection) -> Vocabulary:
    """Names of a database with two tables."""
    con.execute('CREATE TABLE visits (user_id INTEGER, "select" TEXT, "Two Words" TEXT)')
    con.execute("CREATE TABLE users (user_name TEXT)")
    return Vocabulary(lambda sql: con.execute(sql).fetchall())


@pytest.mark.parametrize(
    ("before", "length", "first"),
    [
        ("SELECT * FROM vi", 2, ["visits"]),
        ("SELECT * FROM ", 0, ["users", "visits"]),
        ("SELECT user", 4, ["user_id", "user_name", "users"]),
        ("SELECT visits.", 0, ["user_id", '"select"', '"Two Words"']),
        ("SELECT v.use", 3, ["user_id", "user_name"]),
        ("SELECT nd", 2, ["ndv", "ndv_report"]),
        ("SELEC", 5, ["SELECT"]),
        ("selec", 5, ["select"]),
        ("SELECT approx_count_d", 14, ["approx_count_distinct"]),
        ("SELECT ndv(user_id, ", 0, ["method => ", "rate => ", "sampling => ", "seed => "]),
        ("SELECT ndv((a, b), ra", 2, ["rate => "]),
        ("SELECT ndv(user_id, rate => 0.1, s", 1, ["sampling => ", "seed => "]),
        ("SELECT * FROM ndv_report(TABLE users, con", 3, ["confidence => "]),
        ("SELECT abs(ndv(user_id), ", 0, []),
        ("SELECT ndv(user_id), ", 0, []),
        (".mo", 3, [".mode"]),
        (".mode j", 1, ["json", "jsonl"]),
        ("SELECT 'vi", 0, []),
        ("SELECT 1 -- vi", 0, []),
    ],
)
def test_completion_offers_what_fits(vocabulary: Vocabulary, before: str, length: int, first: list[str]) -> None:
    """Tables after FROM, columns of a table after its dot, keywords in the case that is typed, nothing in texts."""
    replaced, words = vocabulary.suggestions(before)
    assert replaced == length
    if first:
        assert sorted(words[: len(first)]) == sorted(first)
    else:
        assert words == []


@pytest.fixture
def with_models(con: paretosql.Connection) -> Vocabulary:
    """Names of a database with a table and two models."""
    con.execute("CREATE TABLE visits AS SELECT range % 5 AS user_id, range % 3 AS item_id FROM range(30)")
    for name in ("taste", "Trend 7"):
        con.create_model(name, "popularity", "SELECT * FROM visits")
    return Vocabulary(lambda sql: con.execute(sql).fetchall())


@pytest.mark.parametrize(
    ("before", "length", "words"),
    [
        ("DESCRIBE MODEL ", 0, ["taste", '"Trend 7"']),
        ("CREATE OR REPLACE MODEL t", 1, ["taste", '"Trend 7"']),
        ("DROP MODEL ta", 2, ["taste"]),
        ("SELECT * FROM recommend(MODEL ", 0, ["taste", '"Trend 7"']),
        ("SELECT * FROM recommend(", 0, ["MODEL"]),
        ("SELECT * FROM similar(MODEL taste, ", 0, ["k => ", "candidates => "]),
        ("SELECT * FROM similar(MODEL taste, k => 5, ", 0, ["candidates => "]),
        ("SHOW ", 0, ["TABLES", "MODELS", "MODEL TYPES"]),
        ("CREATE MODEL m OPTIONS (model_type = 'popul", 5, ["popularity"]),
        ("CREATE MODEL m OPTIONS (model_type='ea", 2, ["ease"]),
        ("CREATE MODEL m OPTIONS (user_col = 'ea", 0, []),
        ("SELECT model ", 0, []),
    ],
)
def test_completion_knows_models(with_models: Vocabulary, before: str, length: int, words: list[str]) -> None:
    """Names after MODEL, named arguments of a verb that are not yet written, types in the quotes of model_type."""
    assert with_models.suggestions(before) == (length, words)


@pytest.mark.parametrize(
    ("before", "first"),
    [
        ("SHOW MODEL", ["MODELS", "MODEL TYPES"]),
        ("show models", ["models"]),
        ("DESCRIBE M", ["MODEL"]),
        ("CREATE M", ["MODEL"]),
        ("SELECT * FROM recomm", ["recommend"]),
        ("SELECT * FROM recommend(MODEL taste, TABLE visits, k", ["k => "]),
    ],
)
def test_completion_writes_statements_about_models(with_models: Vocabulary, before: str, first: list[str]) -> None:
    """What begins with the word at hand stands first; the table behind the models is not offered."""
    assert with_models.suggestions(before)[1][: len(first)] == first
    assert "models" not in with_models.suggestions("SELECT * FROM m")[1]


def test_completion_finds_no_models_where_there_are_none() -> None:
    """A database without models offers none, and asking for them spoils no transaction."""
    con = paretosql.connect(autocommit=True)  # as the shell does
    con.execute("BEGIN; CREATE TABLE users (name TEXT)")
    assert Vocabulary(lambda sql: con.execute(sql).fetchall()).suggestions("DROP MODEL ") == (0, [])
    con.execute("COMMIT")
    assert con.execute("SELECT name FROM users").fetchall() == []
    con.close()


def test_completion_knows_aliases(vocabulary: Vocabulary) -> None:
    """When the text says what a short name stands for, only that table's columns are offered."""
    assert vocabulary.suggestions("SELECT * FROM users AS u WHERE u.") == (0, ["user_name"])


def test_completion_learns_of_new_tables(vocabulary: Vocabulary, con: paretosql.Connection) -> None:
    """A table made by the last statement is offered after `forget`."""
    vocabulary.suggestions("FROM x")
    con.execute("CREATE TABLE xylophones (a INTEGER)")
    vocabulary.forget()
    assert vocabulary.suggestions("FROM xyl") == (3, ["xylophones"])


def test_colours_lose_no_text() -> None:
    """The coloured pieces put together are the text; keywords and strings have styles of their own."""
    text = "SELECT 'a', selected FROM t -- end\nWHERE $$open"
    pieces = coloured(text, {"select": "reserved", "from": "reserved", "where": "reserved"})
    assert "".join(piece[1] for piece in pieces) == text
    styles = {piece[1]: piece[0] for piece in pieces}
    assert styles["SELECT"] == styles["WHERE"] != ""
    assert styles["selected"] == ""
    assert styles["'a'"] not in ("", styles["SELECT"])


@pytest.mark.parametrize(
    ("text", "answer"), [("SELECT 1", False), ("SELECT 1;", True), (".mode csv", True), ("exit", True), ("", True)]
)
def test_enter_runs_finished_texts(text: str, answer: bool) -> None:
    """Statements need a semicolon, dot commands and `exit` do not."""
    assert finished(text) is answer


class Screen(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_progress_is_one_line_that_disappears() -> None:
    """The line is drawn after two seconds, over itself, and is gone when the statement ends."""
    screen = Screen()
    line = ProgressLine(screen)
    line(Progress(1, 5, 10, 10, 0.5))
    assert screen.getvalue() == ""
    line(Progress(3, 5, 12_345_678, 1_234_000_000, 2.34))
    assert screen.getvalue() == "\r\x1b[Kstage 3/5  12,345,678 rows  1.2 GB  2.3 s"
    line.finish()
    assert screen.getvalue().endswith("\r\x1b[K")
    drawn = screen.getvalue()
    line(Progress(4, 5, 1, 1, 3.0))
    assert screen.getvalue() == drawn
    line.start()
    line(Progress(4, 5, 1, 1, 3.0))
    assert screen.getvalue() == drawn + "\r\x1b[Kstage 4/5  1 row  1 B  3.0 s"


def test_colours_need_a_terminal_that_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal gets colours and its width; paper gets neither; NO_COLOR and dumb terminals get no colours."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "77")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert glyphs.Screen.of(Screen()) == glyphs.Screen(77, True)
    assert glyphs.Screen.of(io.StringIO()) == glyphs.Screen(None, False)
    monkeypatch.setenv("NO_COLOR", "1")
    assert glyphs.Screen.of(Screen()) == glyphs.Screen(77, False)
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert glyphs.Screen.of(Screen()) == glyphs.Screen(77, False)


def test_progress_is_silent_where_nobody_looks() -> None:
    """No terminal, or --no-progress: not a single character."""
    paper, screen = io.StringIO(), Screen()
    for line in (ProgressLine(paper), ProgressLine(screen, enabled=False)):
        line(Progress(1, 1, 1, 1, 9.0))
        line.finish()
    assert paper.getvalue() + screen.getvalue() == ""


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (999_600, "1.0 MB"),
        (1_250_000_000, "1.2 GB"),
        (10**18, "1000.0 PB"),
    ],
)
def test_bytes_are_written_for_people(count: int, text: str) -> None:
    """Powers of 1000 and one decimal."""
    assert bytes_text(count) == text
    assert f"  {text}  " in progress_text(Progress(1, 1, 0, count, 0.0))


def test_foreground_returns_results_and_raises_failures(con: paretosql.Connection) -> None:
    """Work on the second thread ends as a call would: with its value, or with its exception."""
    assert foreground(con, lambda _: con.execute("SELECT 5").fetchone()) == (5,)
    with pytest.raises(paretosql.ProgrammingError):
        foreground(con, lambda _: con.execute("SELECT nothing"))


def test_foreground_turns_ctrl_c_into_an_interrupt(con: paretosql.Connection) -> None:
    """SIGINT stops the statement on the other thread, and the connection goes on working."""
    threading.Timer(0.5, signal.raise_signal, [signal.SIGINT]).start()
    with pytest.raises(Interrupted):
        foreground(con, lambda _: con.execute(ENDLESS).fetchall())
    assert con.execute("SELECT 1").fetchone() == (1,)


def test_foreground_gives_up_on_work_that_does_not_stop(con: paretosql.Connection) -> None:
    """Work that ignores the interrupt is left alone after the given time."""
    release = threading.Event()
    threading.Timer(0.2, signal.raise_signal, [signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        foreground(con, lambda _: release.wait(WAIT_S), patience_s=0.3)
    release.set()


def test_a_plain_statement_has_a_percentage(terminal: Callable[..., Terminal]) -> None:
    """A long statement that DuckDB runs alone shows how far it is."""
    shell = terminal("--plain")
    text = shell.ask("SELECT count(*) FROM range(120000000) t(a) WHERE hash(a || 'x') % 7 = 3;", "(1 row)")
    assert re.search(r"\d+ %  \d+\.\d s", text)
