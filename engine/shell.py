"""The interactive shell: read a statement, run it, print, and go on after errors."""

from __future__ import annotations

import contextlib
import importlib.metadata

from paretosql.engine.commands import Leave, run_command
from paretosql.engine.completion import Vocabulary
from paretosql.engine.console import Console
from paretosql.engine.foreground import Interrupted
from paretosql.engine.prompt import LEAVING, Ask, plain_prompt, rich_prompt
from paretosql.engine.script import split
from paretosql.errors import Error

WELCOME = """ParetoSQL {version} on DuckDB {engine}, {database}
Statements end with ; and .help lists the other commands."""


def shell(console: Console, plain: bool = False) -> int:
    """Talk to a person until they leave; returns the exit status.

    Args:
        plain: ask with input() even where prompt_toolkit is installed.
    """
    console.interactive = True
    vocabulary = Vocabulary(lambda sql: console.con.execute(sql).fetchall())
    ask = _prompt(console, vocabulary, plain)
    version, engine = importlib.metadata.version("paretosql"), importlib.metadata.version("duckdb")
    console.say(WELCOME.format(version=version, engine=engine, database=console.database))
    talking = True
    while talking:
        with contextlib.suppress(KeyboardInterrupt):  # between two turns, when an answer was just complete
            talking = _turn(console, ask)
            vocabulary.forget()
    if console.con.in_transaction:
        console.tell("Warning: the open transaction is rolled back; COMMIT; would have kept its changes.")
    return 0


def _prompt(console: Console, vocabulary: Vocabulary, plain: bool) -> Ask:
    if not plain:
        try:
            return rich_prompt(console, vocabulary)
        except ImportError:
            console.tell("Without prompt_toolkit there is no history and no completion: pip install 'paretosql[shell]'")
    return plain_prompt()


def _turn(console: Console, ask: Ask) -> bool:
    """One question and its answer; False when the user leaves."""
    try:
        text = ask()
    except KeyboardInterrupt:
        console.say("")
        return True
    except EOFError:
        console.say("")
        return False
    try:
        enter(console, text)
    except Leave:
        return False
    except Interrupted:
        console.tell("Interrupted.", red=True)
    except KeyboardInterrupt:  # between statements, or the statement does not stop
        console.tell("Interrupted.", red=True)
    except Error as problem:
        console.complain(problem)
    return True


def enter(console: Console, text: str) -> None:
    """Run what was typed: a dot command, or statements up to the first that fails."""
    word = text.strip().lower()
    if word.startswith("."):
        run_command(console, text)
    elif word.rstrip(";") in LEAVING:
        raise Leave
    else:
        for statement in split(text):
            console.run(statement.text)
