"""SQL text cut into tokens and statements, without understanding it.

Quotes, dollar quotes and nested comments are what a semicolon can hide in, so they are all this module knows. A broken
statement in the middle of a script leaves the ones before it intact, which a parser of the whole text could not do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

TOKEN = re.compile(
    r"""
      (?P<space>[\s\ufeff]+)
    | (?P<comment>--[^\r\n]*)
    | (?P<block>/\*)
    | (?P<string>[eE]'(?:[^'\\]|\\.|'')*' | '[^']*' | \$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$)
    | (?P<quoted>"[^"]*" | `[^`]*`)
    | (?P<open>['"`] | [eE]' | \$(?:[^\W\d]\w*)?\$)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<number>\d[\w.]*)
    | (?P<semicolon>;)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
COMMENT_EDGE = re.compile(r"/\*|\*/")
SILENT = {"space", "comment"}


@dataclass(frozen=True)
class Token:
    """A stretch of SQL text; `kind` is space, comment, string, quoted, word, number, semicolon, other or open.

    `open` is a quote or comment that never ends: it takes the rest of the text.
    """

    kind: str
    start: int
    end: int


@dataclass(frozen=True)
class Statement:
    """One statement of a script, without its semicolon, and the line (from 1) it begins on."""

    text: str
    line: int


def tokens(text: str) -> Iterator[Token]:
    """Every token of the text, in order, with nothing left out."""
    at = 0
    while at < len(text):
        found = TOKEN.match(text, at)
        assert found is not None  # the last alternative takes any character
        kind, end = found.lastgroup or "other", found.end()
        if found["string"] is not None:  # the tag of a dollar quote is a group of its own
            kind = "string"
        elif kind == "block":
            end = _comment_end(text, end)
            kind = "comment" if end else "open"
        if kind == "open":
            end = len(text)
        yield Token(kind, at, end)
        at = end


def _comment_end(text: str, at: int) -> int:
    """Where a comment ends whose body starts at `at`; 0 when it does not. Comments nest."""
    depth = 1
    for edge in COMMENT_EDGE.finditer(text, at):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    return 0


def split(text: str) -> list[Statement]:
    """The statements of a script; empty ones and comments around them are dropped.

    >>> split("SELECT ';'; -- one\\n SELECT 2")
    [Statement(text="SELECT ';'", line=1), Statement(text='SELECT 2', line=2)]
    """
    found: list[Statement] = []
    start, end, line, counted = -1, -1, 1, 0
    for token in (*tokens(text), Token("semicolon", len(text), len(text))):
        if token.kind == "semicolon":
            if start >= 0:
                line, counted = line + text.count("\n", counted, start), start
                found.append(Statement(text[start:end], line))
            start = -1
        elif token.kind not in SILENT:
            start, end = (token.start if start < 0 else start), token.end
    return found


def complete(text: str) -> bool:
    """True when a typed text can be run: its last word is a semicolon, or there is nothing but comments."""
    last = "semicolon"
    for token in tokens(text):
        if token.kind not in SILENT:
            last = token.kind
    return last == "semicolon"
