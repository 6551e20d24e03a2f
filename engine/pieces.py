"""Texts with several statements, when only our dialect can read them all."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot.tokenizer_core import TokenType

from paretosql.engine.dialect import Pareto


def pieces(text: str) -> Iterator[str]:
    """The statements of a text, each with everything before it blanked out, so that positions stay those of `text`."""
    for start, end in _bounds(text):
        yield blanked(text, start) + text[start:end]


def blanked(text: str, end: int) -> str:
    """The first `end` characters as spaces and line ends."""
    return "".join("\n" if each == "\n" else " " for each in text[:end])


def _bounds(text: str) -> list[tuple[int, int]]:
    if text.strip() and not any(each in text for each in (";", "--", "/*")):
        return [(0, len(text))]
    try:
        tokens = Pareto().tokenize(text)
    except Exception:  # text without tokens: the parser says what is wrong with it
        return [(0, len(text))]
    bounds, start, words = [], 0, 0
    for token in tokens:
        if token.token_type == TokenType.SEMICOLON:
            if words:
                bounds.append((start, token.start))
            start, words = token.end + 1, 0
        else:
            words += 1
    if words:
        bounds.append((start, len(text)))
    return bounds
