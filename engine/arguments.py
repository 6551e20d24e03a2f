"""What the words on the command line mean: options, a command, a database, SQL."""

from __future__ import annotations

import argparse
import re
from collections.abc import Collection
from pathlib import Path

from paretosql.engine.files import IN_MEMORY
from paretosql.errors import closest

COMMANDS = ("run", "explain")
LATER = ("bench", "serve", "ui")
PATH_STARTS = ("/", "./", "../", "~")
SQL_MARK = re.compile(r"[\s;(]")
EXAMPLES = """\
commands:
  run FILE                 run a script, stop at the first error (paretosql run --help)
  explain FILE             print the plan of each statement of a file (paretosql explain --help)
  models ...               list, describe, export, import and drop models (paretosql models --help)
  simulate [DIR]           what another optimizer would have saved (paretosql simulate --help)
  train DIR -o MODEL       a latency model from a workload trace (paretosql train --help)
  trace ...                check, describe and convert workload traces (paretosql trace --help)

examples:
  paretosql                                         a shell on a new database in memory
  paretosql shop.db                                 a shell on a file, which is created when it is missing
  paretosql "SELECT ndv(user_id) FROM 'clicks.parquet'"
  paretosql shop.db "SELECT * FROM items" --csv > items.csv
  paretosql run report.sql --database shop.db --timing
  echo "SELECT 42 AS answer" | paretosql --json
"""


def new_parser(name: str, description: str) -> argparse.ArgumentParser:
    """A parser with the options that all commands share."""
    parser = argparse.ArgumentParser(
        prog=name,
        description=description,
        epilog=EXAMPLES if name == "paretosql" else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    modes = parser.add_mutually_exclusive_group()
    for mode, what in (
        ("json", "an array of objects"),
        ("jsonl", "one JSON object to a line"),
        ("csv", "comma-separated values"),
        ("markdown", "a Markdown table"),
    ):
        modes.add_argument(f"--{mode}", dest="mode", action="store_const", const=mode, help=f"write {what}")
    parser.add_argument("--rows", type=_rows, default=40, metavar="N", help="rows a box shows; all: every row (40)")
    parser.add_argument("--threads", type=_positive, metavar="N", help="threads a statement may use (all cores)")
    parser.add_argument("--read-only", action="store_true", help="open the database without the right to change it")
    parser.add_argument("--no-progress", action="store_true", help="no progress line for long statements")
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def _rows(text: str) -> int | None:
    return None if text == "all" else _positive(text)


def database_and_sql(
    parser: argparse.ArgumentParser, words: list[str], sql: str | None, others: Collection[str]
) -> tuple[str, str | None]:
    """What the words on the command line mean: which database, and which SQL if any.

    Args:
        others: commands beside `COMMANDS`, for who has mistyped one.
    """
    if len(words) > 2 or (len(words) == 2 and sql is not None):
        extra = words[2] if len(words) > 2 else words[1]
        near = closest(words[0], (*COMMANDS, *others))
        if near is not None:
            parser.error(f"no command {words[0]!r}; did you mean {near!r}?")
        parser.error(f"too many arguments: {extra!r}; put quotes around the SQL")
    if words and words[0] in COMMANDS:
        parser.error(f"options come after the command: paretosql {words[0]} FILE ...")
    if len(words) == 2:
        return _database(parser, words[0]), words[1]
    if len(words) == 1 and sql is None and _looks_like_sql(words[0]):
        return IN_MEMORY, words[0]
    return (_database(parser, words[0]) if words else IN_MEMORY), sql


def _looks_like_sql(word: str) -> bool:
    """True for a text such as "SELECT 1": it has a blank, a bracket or a semicolon and is no path of a file."""
    return bool(SQL_MARK.search(word)) and not word.startswith(PATH_STARTS) and not Path(word).exists()


def _database(parser: argparse.ArgumentParser, word: str) -> str:
    """A database path; a bare word that is no file is more likely a mistyped command, and .sql is a script."""
    if word.lower().endswith(".sql"):
        parser.error(f"{word!r} is the name of a script; run it with: paretosql run {word}")
    if word != IN_MEMORY and not any(mark in word for mark in "./\\:") and not Path(word).is_file():
        if word in LATER:
            parser.error(f"{word!r} is not in this version; paretosql --help lists what there is")
        near = closest(word, COMMANDS)
        hint = f"did you mean {near!r}? " if near else ""
        parser.error(f"no command and no file named {word!r}; {hint}for a new database write ./{word} or {word}.db")
    return word
