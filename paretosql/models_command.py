"""`paretosql models`: list, describe, export, import and drop the models of a database file.

Exit status: 0 all went well, 1 a model, a folder or the database is missing, damaged or in the way, 2 the command line
is wrong.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import closing

import paretosql
from paretosql.engine.console import WRITERS
from paretosql.engine.glyphs import Screen
from paretosql.engine.identifiers import quoted
from paretosql.engine.render import box
from paretosql.errors import OperationalError, compose

MAGIC, MAGIC_AT = b"DUCK", 8  # what a database file holds, and at which byte
EXAMPLES = """\
examples:
  paretosql models list shop.db
  paretosql models export shop.db taste -o models/taste
  paretosql models import other.db models/taste --as taste_of_may
"""


def main(words: Sequence[str]) -> int:
    """Run `paretosql models ...` and return the exit status."""
    options = _parser().parse_args(words)
    if not _is_database(options.database):
        hint = f"name one that exists; paretosql models {options.command} makes none."
        raise OperationalError(compose(f"{options.database!r} is not a database file", hint=hint))
    run, reads = _COMMANDS[options.command]
    with closing(paretosql.connect(options.database, read_only=reads, autocommit=True)) as con:
        run(con, options)
    sys.stdout.flush()
    return 0


def _parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="paretosql models",
        description="The models of a database: what CREATE MODEL has trained.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    made = {}
    for command, what in (
        ("list", "all models, as SHOW MODELS"),
        ("describe", "one model, as DESCRIBE MODEL"),
        ("export", "write a model into a folder"),
        ("import", "read a model from a folder that export has written"),
        ("drop", "remove a model, as DROP MODEL"),
    ):
        made[command] = commands.add_parser(command, help=what, description=what, allow_abbrev=False)
        made[command].add_argument("database", metavar="DATABASE", help="a database file")
    for command in ("describe", "export", "drop"):
        made[command].add_argument("name", metavar="NAME", help="of the model, in any case")
    for command in ("list", "describe"):
        modes = made[command].add_mutually_exclusive_group()
        for mode, what in (("json", "an array of objects"), ("csv", "comma-separated values"), ("markdown", "a table")):
            modes.add_argument(f"--{mode}", dest="mode", action="store_const", const=mode, help=f"write {what}")
    made["export"].add_argument("-o", "--output", metavar="FOLDER", required=True, help="a new folder")
    made["export"].add_argument("--replace", action="store_true", help="take the place of the model in FOLDER")
    made["import"].add_argument("folder", metavar="FOLDER", help="what export has written")
    made["import"].add_argument("--as", dest="name", metavar="NAME", help="what it is called here (as in FOLDER)")
    made["import"].add_argument("--replace", action="store_true", help="take the place of the model of that name")
    return top


def _is_database(path: str) -> bool:
    """Whether this is a file of DuckDB's, which would make a new one of a missing file, and read a CSV file as one."""
    try:
        with open(path, "rb") as file:
            return file.read(len(MAGIC) + MAGIC_AT)[MAGIC_AT:] == MAGIC
    except OSError:
        return False


def _list(con: paretosql.Connection, options: argparse.Namespace) -> None:
    _print(con.execute("SHOW MODELS", arrow=True), options.mode)


def _describe(con: paretosql.Connection, options: argparse.Namespace) -> None:
    _print(con.execute(f"DESCRIBE MODEL {quoted(options.name)}", arrow=True), options.mode)


def _export(con: paretosql.Connection, options: argparse.Namespace) -> None:
    con.export_model(options.name, options.output, replace=options.replace)
    print(f"wrote {options.output}")


def _import(con: paretosql.Connection, options: argparse.Namespace) -> None:
    print(f"{options.database}: {con.import_model(options.folder, options.name, replace=options.replace).name}")


def _drop(con: paretosql.Connection, options: argparse.Namespace) -> None:
    con.drop_model(options.name)


def _print(cursor: paretosql.Cursor, mode: str | None) -> None:
    types = [str(column[1]) for column in cursor.description or []]
    if mode is None:
        print(box(cursor.reader(), types, limit=None, screen=Screen.of(sys.stdout)))
    else:
        WRITERS[mode](cursor.reader(), sys.stdout, types)


# what each command does, and whether it only reads the database
_COMMANDS: dict[str, tuple[Callable[[paretosql.Connection, argparse.Namespace], None], bool]] = {
    "list": (_list, True),
    "describe": (_describe, True),
    "export": (_export, True),
    "import": (_import, False),
    "drop": (_drop, False),
}
