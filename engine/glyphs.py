"""How text looks in a terminal: the columns it takes, the characters that must not be sent, and cutting to a width."""

from __future__ import annotations

import os
import re
import shutil
import unicodedata
from dataclasses import dataclass
from typing import TextIO

ELLIPSIS = "…"
UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
ZERO_WIDTH = {"Mn", "Me", "Cf"}


@dataclass(frozen=True)
class Screen:
    """What text is drawn on: `width` terminal columns (None: as wide as it likes), and whether colours are wanted."""

    width: int | None = None
    colour: bool = False

    @classmethod
    def of(cls, stream: TextIO) -> Screen:
        """The terminal behind a stream, or paper when there is none; the variable NO_COLOR turns colours off."""
        if not stream.isatty():
            return PAPER
        colour = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        return cls(shutil.get_terminal_size().columns, colour)


PAPER = Screen()


def visible(text: str) -> str:
    """The text with control characters and direction marks written as escapes."""
    return UNSEEN.sub(lambda found: ESCAPES.get(found[0]) or _escape(found[0]), text)


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def text_width(text: str) -> int:
    """Columns a text takes in a terminal: wide East Asian characters take two, combining marks none.

    >>> text_width("abc"), text_width("日本"), text_width("e\\u0301")
    (3, 4, 1)
    """
    if text.isascii():
        return len(text)
    return sum(_character_width(character) for character in text)


def _character_width(character: str) -> int:
    if unicodedata.category(character) in ZERO_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def fit(text: str, width: int) -> str:
    """The text cut to `width` terminal columns, with an ellipsis when something is lost.

    >>> fit("paretosql", 6), fit("日本語", 5)
    ('paret…', '日本…')
    """
    if text_width(text) <= width:
        return text
    kept, used = [], 0
    for character in text:
        used += _character_width(character)
        if used > width - 1:
            break
        kept.append(character)
    return "".join(kept) + ELLIPSIS
