"""How the shell asks for the next statement: with prompt_toolkit, or with nothing but Python's input()."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paretosql.engine.completion import Vocabulary
from paretosql.engine.console import Console
from paretosql.engine.script import complete, tokens

if TYPE_CHECKING:
    from prompt_toolkit.formatted_text import StyleAndTextTuples
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

PROMPT, MORE = "paretosql> ", "      ...> "
LEAVING = {"exit", "quit"}
STYLES = {"string": "ansigreen", "number": "ansicyan", "comment": "ansibrightblack", "open": "ansigreen"}

Ask = Callable[[], str]


def finished(text: str) -> bool:
    """True when Enter should run the text: a dot command, a word that leaves, or statements that end with ;"""
    word = text.strip().lower()
    return word.startswith(".") or word in LEAVING or complete(text)


def plain_prompt() -> Ask:
    """Ask with input(); several lines make one statement. Line editing works where Python has readline."""
    with contextlib.suppress(ImportError):
        importlib.import_module("readline")  # importing it is what turns line editing on

    def ask() -> str:
        text = input(PROMPT)
        while not finished(text):
            text += "\n" + input(MORE)
        return text

    return ask


def rich_prompt(console: Console, vocabulary: Vocabulary) -> Ask:
    """Ask with prompt_toolkit: history, completion, colours, editing over several lines.

    Raises:
        ImportError: prompt_toolkit is not installed.
    """
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import CompleteEvent, Completer, Completion
    from prompt_toolkit.document import Document
    from prompt_toolkit.formatted_text.utils import split_lines
    from prompt_toolkit.lexers import Lexer

    class Words(Completer):
        def get_completions(self, document: Document, event: CompleteEvent) -> Iterator[Completion]:
            length, words = vocabulary.suggestions(document.text_before_cursor)
            return (Completion(word, start_position=-length) for word in words)

    class Colours(Lexer):
        def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
            lines = list(split_lines(coloured(document.text, vocabulary.keywords)))
            return lambda number: lines[number] if number < len(lines) else []

    session: Any = PromptSession(
        history=_history(),
        completer=Words(),
        complete_while_typing=False,
        lexer=Colours(),
        multiline=True,
        reserve_space_for_menu=4,
        prompt_continuation=MORE,
        key_bindings=_keys(),
        bottom_toolbar=lambda: toolbar(console),
    )
    return lambda: str(session.prompt(PROMPT))


def coloured(text: str, keywords: dict[str, str]) -> StyleAndTextTuples:
    """The text in pieces (style, piece) as prompt_toolkit wants them."""
    pieces: StyleAndTextTuples = []
    for token in tokens(text):
        piece = text[token.start : token.end]
        word = token.kind == "word" and piece.lower() in keywords and keywords[piece.lower()] != "unreserved"
        pieces.append(("ansiblue bold" if word else STYLES.get(token.kind, ""), piece))
    return pieces


def toolbar(console: Console) -> str:
    """The line under the prompt."""
    state = "  in a transaction" if console.con.in_transaction else ""
    timer = "on" if console.timer else "off"
    return f" {console.database}{state}   .mode {console.mode}   .timer {timer}   Tab completes, .help lists commands"


def _keys() -> KeyBindings:
    from prompt_toolkit.key_binding import KeyBindings

    keys = KeyBindings()

    @keys.add("enter")
    def enter(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if finished(buffer.text):
            buffer.validate_and_handle()
        else:
            buffer.insert_text("\n")

    return keys


def _history() -> Any:
    """The history file, or a history in memory where no file can be written."""
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    path = history_path()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError as problem:
        print(f"No history is kept: {problem.strerror}: {path}", file=sys.stderr)
        return InMemoryHistory()
    return FileHistory(str(path))


def history_path() -> Path:
    """Where typed statements are kept: $XDG_STATE_HOME/paretosql/history, by default under ~/.local/state."""
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "paretosql" / "history"
