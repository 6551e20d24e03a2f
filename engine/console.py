"""A connection and the way its results reach a person or a pipe; the command line and the shell both work on one."""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import pyarrow as pa

from paretosql.engine import formats
from paretosql.engine.foreground import Interrupted, foreground
from paretosql.engine.glyphs import Screen
from paretosql.engine.progress import ProgressLine
from paretosql.engine.render import box, rows_text
from paretosql.engine.script import Statement, split
from paretosql.errors import Error, OperationalError, ProgrammingError, compose

if TYPE_CHECKING:
    from paretosql.engine.dbapi import Connection, Cursor

WRITERS: dict[str, formats.Writer] = {
    "json": formats.write_json,
    "jsonl": formats.write_jsonl,
    "csv": formats.write_csv,
    "markdown": formats.write_markdown,
}
MODES = ("box", *WRITERS)
SPOT_LINE = re.compile(r"^line (\d+), column (\d+):$", re.MULTILINE)  # as paretosql.errors.Spot draws it
GIVE_UP_S = 3.0  # our choice
DRAWING = ["explain_key", "explain_value"]  # the columns of an EXPLAIN that DuckDB answers
RED, PLAIN = "\x1b[31m", "\x1b[0m"


@dataclass
class Console:
    """What is open, and how results are shown. Results go to `out`, everything said about them to `err`."""

    connect: Callable[[str], Connection]
    database: str
    out: TextIO
    err: TextIO
    progress: ProgressLine
    mode: str = "box"
    limit: int | None = 40
    timer: bool = False
    interactive: bool = False
    con: Connection = field(init=False)

    def __post_init__(self) -> None:
        self.con = self.connect(self.database)

    def __enter__(self) -> Console:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: object) -> None:
        if kind is not KeyboardInterrupt:  # which means that a statement still runs, and closing would wait for it
            self.con.close()

    @property
    def patience_s(self) -> float:
        """How long a statement may take to stop after Ctrl-C; the shell cannot go on without it, so there it waits."""
        return math.inf if self.interactive else GIVE_UP_S

    def open(self, database: str) -> None:
        """Leave this database for another one; nothing changes when that one does not open."""
        fresh = self.connect(database)
        self.con.close()
        self.con, self.database = fresh, database

    def run(self, sql: str) -> None:
        """Run one statement and print its result in the current mode.

        Raises:
            Error: the statement failed.
            Interrupted: Ctrl-C stopped it.
        """
        started = time.perf_counter()
        self.progress.start()
        try:
            foreground(self.con, lambda stop: self._run(sql, stop), self.patience_s, lambda: self._tick(started))
        finally:
            self.progress.finish()
        if self.timer and self.interactive:
            self.say(f"Run Time: {time.perf_counter() - started:.3f} s")

    def _tick(self, started: float) -> None:
        self.progress.percent(self.con.percent(), time.perf_counter() - started)

    def _run(self, sql: str, stop: threading.Event) -> None:
        cursor = self.con.execute(sql, arrow=True)
        if cursor.description is None:
            if self.interactive and cursor.rowcount >= 0:
                self.say(f"({rows_text(cursor.rowcount)} changed)")
            return
        try:
            self._print(cursor, stop)
            self.out.flush()
        finally:
            cursor.close()

    def _print(self, cursor: Cursor, stop: threading.Event) -> None:
        description = cursor.description or []
        types = [str(column[1]) for column in description]
        source = cursor.reader()
        reader = pa.RecordBatchReader.from_batches(source.schema, self._watched(source, stop))
        if self.mode in WRITERS:
            WRITERS[self.mode](reader, self.out, types)
        elif [column[0] for column in description] == DRAWING:
            self.out.writelines(f"{row['explain_value']}\n" for row in reader.read_all().to_pylist())
        else:
            self.out.write(box(reader, types, limit=self.limit, screen=Screen.of(self.out)) + "\n")

    def _watched(self, reader: pa.RecordBatchReader, stop: threading.Event) -> Iterator[pa.RecordBatch]:
        """The batches of a result, until `stop`; failures of the reader become our errors."""
        while not stop.is_set():
            try:
                batch = reader.read_next_batch()
            except StopIteration:
                return
            except (OSError, pa.ArrowException) as failure:
                raise OperationalError(str(failure)) from failure
            self.progress.finish()
            yield batch
        raise Interrupted

    def explain(self, sql: str) -> None:
        """Print the plan that a text beginning with EXPLAIN asks for: DuckDB's drawing, or a line for each step."""
        cursor = foreground(self.con, lambda _: self.con.execute(sql, arrow=True), self.patience_s)
        if len(cursor.description or []) == len(DRAWING):
            text = "\n".join(str(drawing) for _, drawing in cursor)
        else:
            text = "\n".join(f"{step}  {operator}: {detail}\n    {part}" for step, operator, detail, part in cursor)
        self.say(text.rstrip())

    def run_script(self, text: str, name: str | None, *, timing: bool = False, explain: bool = False) -> None:
        """Run, or only explain, the statements of a script one after the other, up to the first that fails.

        Args:
            name: what errors call the script; None for SQL that was typed.
            timing: say how long each statement took.
        Raises:
            ScriptError: a statement failed; the message names the script, the line and the problem.
            Interrupted: Ctrl-C stopped a statement.
        """
        for statement in split(text):
            # EXPLAIN on a line of its own leaves the columns of the statement, which errors point at, as they are
            task = Statement(f"EXPLAIN\n{statement.text}", statement.line - 1) if explain else statement
            started = time.perf_counter()
            try:
                (self.explain if explain else self.run)(task.text)
            except Error as problem:
                raise ScriptError(located(problem, name, task, statement.line)) from problem
            if timing:
                self.tell(f"{name}:{statement.line}: {time.perf_counter() - started:.3f} s")

    def say(self, text: str) -> None:
        """Print a line for the reader of results."""
        self.out.write(text + "\n")
        self.out.flush()

    def tell(self, text: str, *, red: bool = False) -> None:
        """Print a line about results: errors, timings, warnings."""
        self.out.flush()
        self.err.write(f"{RED}{text}{PLAIN}\n" if red and Screen.of(self.err).colour else text + "\n")
        self.err.flush()

    def complain(self, problem: Exception) -> None:
        """Print an error; a script's error says itself where it is."""
        self.tell(str(problem) if isinstance(problem, ScriptError) else described(problem), red=True)


class ScriptError(Error):
    """A statement of a script failed; the message begins with the script's name and the line."""


def described(problem: Exception) -> str:
    """An error as one text: its kind and what it says."""
    return f"{type(problem).__name__}: {problem}"


def located(problem: Exception, name: str | None, ran: Statement, line: int) -> str:
    """The error with its place in the script: lines are counted from the script's beginning.

    Args:
        ran: what was run, and the line its text begins on.
        line: where the statement begins, for errors that name no line.
    """
    message = described(problem)
    spot = SPOT_LINE.search(message)
    if spot is not None:
        line = ran.line + int(spot[1]) - 1
        message = f"{message[: spot.start()]}line {line}, column {spot[2]}:{message[spot.end() :]}"
    return message if name is None else f"{name}:{line}: {message}"


def read_script(data: bytes, name: str) -> str:
    """The text of a script file.

    Raises:
        ScriptError: the bytes are not UTF-8; the message names the line.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        text = f"{name}:{line}: not UTF-8 text: byte 0x{data[problem.start]:02x}"
        hint = "save the file as UTF-8, for example: iconv -f latin1 -t utf-8"
        raise ScriptError(compose(text, hint=hint)) from problem


def load_script(path: str) -> str:
    """Read a script file from disk; ProgrammingError when there is none, ScriptError when it is not text."""
    try:
        data = Path(path).expanduser().read_bytes()
    except OSError as problem:
        raise ProgrammingError(f"cannot read {path}: {problem.strerror}") from problem
    return read_script(data, path)
