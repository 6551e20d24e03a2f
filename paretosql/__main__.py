"""The command line: a shell, single statements, and scripts.

Exit status: 0 all went well, 1 a statement failed, 2 the command line is wrong, 130 Ctrl-C, 141 the reader of our
output went away.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import importlib.metadata
import os
import platform
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO, cast

from paretosql.engine.arguments import COMMANDS, database_and_sql, new_parser
from paretosql.engine.files import IN_MEMORY
from paretosql.errors import Error

if TYPE_CHECKING:
    from paretosql.engine.console import Console

VERSIONED = ("paretosql", "duckdb", "pyarrow", "sqlglot")
USAGE = """\
paretosql [options] [DATABASE] [SQL]
       paretosql run FILE [options]
       paretosql explain FILE [options]
       paretosql models list|describe|export|import|drop DATABASE ...
       paretosql trace check|describe|convert ...
       paretosql train DIR -o MODEL
       paretosql simulate [DIR] [--workload A|B|C] [--policy NAME] ..."""
FAILED, INTERRUPTED, BROKEN_PIPE = 1, 130, 141
OTHERS = {  # commands with a function of their own, which takes the words after them
    "models": ("paretosql.models_command", "main"),
    "simulate": ("paretosql.simulate_command", "simulate_main"),
    "trace": ("paretosql.trace_command", "main"),
    "train": ("paretosql.simulate_command", "train_main"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        if words and words[0] in COMMANDS:
            return _script(words[0], words[1:])
        if words and words[0] in OTHERS:
            module, function = OTHERS[words[0]]
            return int(getattr(importlib.import_module(module), function)(words[1:]))
        return _default(words)
    except KeyboardInterrupt:
        # a statement may still be running: leave without waiting for it, as the signal itself would have done
        os._exit(INTERRUPTED)
    except OSError as problem:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the last flush would fail once more
        if isinstance(problem, BrokenPipeError):
            return BROKEN_PIPE
        print(f"paretosql: cannot write the result: {problem.strerror}", file=sys.stderr)
        return FAILED
    except Error as problem:
        print(f"paretosql: {problem}", file=sys.stderr)
        return FAILED


def _default(words: Sequence[str]) -> int:
    """`paretosql [DATABASE] [SQL]`: one text of SQL, or SQL from standard input, or the shell."""
    parser = new_parser("paretosql", "SQL with distinct counts from sketches and samples.")
    parser.usage = USAGE
    parser.add_argument("words", nargs="*", metavar="[DATABASE] [SQL]", help="a database file, statements, or both")
    parser.add_argument("-c", dest="sql", metavar="SQL", help="statements to run")
    parser.add_argument("--plain", action="store_true", help="shell without colours, history and completion")
    parser.add_argument("--version", action="store_true", help="print versions and leave")
    options = parser.parse_intermixed_args(words)
    if options.version:
        print(_versions())
        return 0
    database, sql = database_and_sql(parser, options.words, options.sql, OTHERS)
    with _console(options, database) as console:
        if sql is not None:
            return _run_text(console, sql, None)
        if sys.stdin is None or not sys.stdin.isatty():
            return _run_file(console, "-")
        from paretosql.engine.shell import shell

        return shell(console, options.plain)


def _script(command: str, words: Sequence[str]) -> int:
    """`paretosql run FILE` and `paretosql explain FILE`."""
    purpose = {
        "run": "Run the statements of a script one after the other, up to the first that fails.",
        "explain": "Print the plan of each statement of a file without running it.",
    }
    parser = new_parser(f"paretosql {command}", purpose[command])
    parser.add_argument("file", metavar="FILE", help="a file of SQL; - is standard input")
    parser.add_argument("--database", default=IN_MEMORY, metavar="DATABASE", help="a database file; default: in memory")
    if command == "run":
        parser.add_argument("--timing", action="store_true", help="print how long each statement took")
    else:
        parser.add_argument("--html", metavar="FILE", help=argparse.SUPPRESS)
    options = parser.parse_intermixed_args(words)
    if command == "explain" and options.html:
        parser.error("--html is not in this version; without it the plan is printed as text")
    explain = command == "explain"
    with _console(options, options.database) as console:
        return _run_file(console, options.file, timing=not explain and options.timing, explain=explain)


def _console(options: argparse.Namespace, database: str) -> Console:
    """Open the database; every statement stands for itself unless the SQL says BEGIN."""
    import paretosql
    from paretosql.engine.console import Console
    from paretosql.engine.progress import ProgressLine

    progress = ProgressLine(sys.stderr, enabled=not options.no_progress)
    connect = functools.partial(
        paretosql.connect,
        autocommit=True,
        threads=options.threads,
        read_only=options.read_only,
        progress=progress,
    )
    return Console(
        connect=connect,
        database=database,
        out=cast(TextIO, sys.stdout),
        err=cast(TextIO, sys.stderr),
        progress=progress,
        mode=options.mode or "box",
        limit=options.rows,
    )


def _run_file(console: Console, file: str, *, timing: bool = False, explain: bool = False) -> int:
    from paretosql.engine.console import load_script, read_script

    if file != "-":
        return _run_text(console, load_script(file), file, timing=timing, explain=explain)
    data = sys.stdin.buffer.read() if sys.stdin is not None else b""
    return _run_text(console, read_script(data, "<stdin>"), "<stdin>", timing=timing, explain=explain)


def _run_text(console: Console, text: str, name: str | None, *, timing: bool = False, explain: bool = False) -> int:
    """Run statements; errors and Ctrl-C become messages and an exit status."""
    from paretosql.engine.foreground import Interrupted

    try:
        console.run_script(text, name, timing=timing, explain=explain)
    except Interrupted:
        console.tell("Interrupted.", red=True)
        return INTERRUPTED
    except Error as problem:
        console.complain(problem)
        return FAILED
    if console.con.in_transaction:
        console.tell("Error: the last BEGIN has no COMMIT; its changes are rolled back", red=True)
        return FAILED
    return 0


def _versions() -> str:
    """Versions of what decides over results."""
    ours, *others = (f"{name} {importlib.metadata.version(name)}" for name in VERSIONED)
    return f"{ours} ({', '.join(others)}, Python {platform.python_version()})"


if __name__ == "__main__":
    sys.exit(main())
