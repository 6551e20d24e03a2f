"""The dot commands of the shell, such as `.mode csv`. Each is a function, and its docstring begins with its help."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from paretosql.engine.console import MODES, Console, load_script
from paretosql.errors import ProgrammingError, closest, compose
from paretosql.registry import Registry

TABLES = """
SELECT schema_name AS schema, table_name AS name, 'table' AS type, column_count AS columns, estimated_size AS rows
FROM duckdb_tables() WHERE NOT internal
UNION ALL
SELECT schema_name, view_name, 'view', column_count, NULL FROM duckdb_views() WHERE NOT internal
ORDER BY ALL
"""
SCHEMA = """
SELECT table_name AS name, sql FROM duckdb_tables() WHERE NOT internal
UNION ALL
SELECT view_name, sql FROM duckdb_views() WHERE NOT internal
ORDER BY ALL
"""

Action = Callable[[Console, str], None]  # gets what is written after the command's name


class Leave(Exception):
    """The user wants to leave the shell."""


@dataclass(frozen=True)
class Command:
    """A dot command: what is written after its name, and what it does."""

    arguments: str
    run: Action

    @property
    def help(self) -> str:
        """What it does, in one sentence."""
        return (self.run.__doc__ or "").split("\n")[0]


commands: Registry[Command] = Registry("command")


def command(name: str, arguments: str = "") -> Callable[[Action], Action]:
    """Register a function as the command `name`; `arguments` is what the help prints behind it."""

    def add(function: Action) -> Action:
        commands.add(name, Command(arguments, function))
        return function

    return add


def run_command(console: Console, text: str) -> None:
    """Run a line that begins with a dot.

    Raises:
        Leave: the line ends the shell.
        ProgrammingError: there is no such command, or its argument is wrong; the nearest name is suggested.
    """
    name, _, argument = text.strip().rstrip(";").partition(" ")
    commands[name.lower()].run(console, argument.strip())


def _choice(name: str, value: str, choices: tuple[str, ...]) -> str:
    if value.lower() in choices:
        return value.lower()
    near = closest(value, choices)
    hint = f"did you mean {near!r}? " if near else ""
    problem = f"{name} cannot be {value!r}" if value else f"{name} needs a value"
    raise ProgrammingError(compose(problem, hint=f"{hint}write {name} {' | '.join(choices)}"))


@command(".help")
def show_help(console: Console, argument: str) -> None:
    """List these commands."""
    for name in commands:
        each = commands[name]
        console.say(f"{f'{name} {each.arguments}':<24} {each.help}")
    console.say("A statement ends with ; and may take several lines. Ctrl-C stops it, Ctrl-D leaves the shell.")


@command(".quit")
@command(".exit")
def leave(console: Console, argument: str) -> None:
    """Leave the shell."""
    raise Leave


@command(".timer", "on|off")
def timer(console: Console, argument: str) -> None:
    """Print how long each statement takes."""
    console.timer = _choice(".timer", argument, ("on", "off")) == "on"


@command(".mode", "|".join(MODES))
def mode(console: Console, argument: str) -> None:
    """Choose how results are written."""
    console.mode = _choice(".mode", argument, MODES)


@command(".rows", "NUMBER|all")
def rows(console: Console, argument: str) -> None:
    """Choose how many rows a box shows."""
    if argument.isdecimal() and int(argument) > 0:
        console.limit = int(argument)
    elif argument.lower() == "all":
        console.limit = None
    else:
        raise ProgrammingError(compose(f".rows cannot be {argument!r}", hint="write .rows 100, or .rows all"))


@command(".tables")
def tables(console: Console, argument: str) -> None:
    """List tables and views, with their approximate numbers of rows."""
    console.run(TABLES)


@command(".schema", "[TABLE]")
def schema(console: Console, argument: str) -> None:
    """Print the statements that would create the tables and views again."""
    found = console.con.execute(SCHEMA).fetchall()
    wanted = argument.strip('"').lower()
    chosen = [sql for name, sql in found if not wanted or name.lower() == wanted]
    if wanted and not chosen:
        near = closest(wanted, [name for name, _ in found])
        hint = f"did you mean {near!r}?" if near else ".tables lists what there is"
        raise ProgrammingError(compose(f"no table or view named {argument!r}", hint=hint))
    for sql in chosen:
        console.say(sql.strip())


@command(".read", "FILE")
def read(console: Console, argument: str) -> None:
    """Run the statements of a file, up to the first that fails."""
    if not argument:
        raise ProgrammingError(compose(".read needs a file", hint="write .read report.sql"))
    console.run_script(load_script(argument), argument)


@command(".open", "[FILE]")
def open_database(console: Console, argument: str) -> None:
    """Leave this database for another file, or for a new one in memory."""
    if console.con.in_transaction:
        raise ProgrammingError(compose("a transaction is open", hint="write COMMIT; or ROLLBACK; first"))
    console.open(argument or ":memory:")
    console.say(f"Connected to {console.database}.")
