"""Our SQL dialect: DuckDB's plus distinct counts, models, EXPLAIN variants and settings.

`parse` turns text into trees and `tree.sql(dialect=Pareto)` a tree into text that parses to the same tree. Text that
`parse` refuses may still be good SQL for DuckDB: `looks_ours` says whether it holds anything of ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, ClassVar, cast

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token, TokenType

from paretosql.engine.call_parser import Refused
from paretosql.engine.generator import ParetoGenerator
from paretosql.engine.nodes import (
    CALLS,
    EXPLAIN_MODES,
    SETTINGS,
    VERBS,
    ParseError,
    find_ours,
    option_node,
    options_of,
    ours,
    spot_of,
)
from paretosql.engine.parser import ParetoParser
from paretosql.engine.prefilter import mentions_ours
from paretosql.errors import Spot

__all__ = [
    "Pareto",
    "ParseError",
    "find_ours",
    "looks_ours",
    "mentions_ours",
    "option_node",
    "options_of",
    "ours",
    "parse",
    "spot_of",
]


SHORT = 4000  # our choice: characters of a text whose parse is remembered


class Pareto(DuckDB):
    """DuckDB's dialect with our statements and calls."""

    NORMALIZE_NOT_NULL = False
    NORMALIZE_FUNCTIONS = False

    class Tokenizer(DuckDB.Tokenizer):
        """EXPLAIN opens a statement of tokens and RESET is a word, where DuckDB's dialect keeps opaque text.

        `?::` is a parameter and a cast, and no operator of another dialect. Names may stand in backticks, as BigQuery
        writes them.
        """

        IDENTIFIERS: ClassVar[list[Any]] = ['"', "`"]
        HEX_STRINGS: ClassVar[list[Any]] = [("x'", "'"), ("X'", "'")]
        BIT_STRINGS: ClassVar[list[Any]] = [("b'", "'"), ("B'", "'")]
        KEYWORDS: ClassVar[dict[str, Any]] = {
            **{word: kind for word, kind in DuckDB.Tokenizer.KEYWORDS.items() if word not in ("RESET", "?::")},
            "EXPLAIN": TokenType.DESCRIBE,
        }

    Parser: Any = ParetoParser
    Generator = ParetoGenerator


def parse(sql: str) -> list[exp.Expression]:
    """The statements of a text as trees; empty statements are left out.

    Positions (see `spot_of`) count characters of the whole text, also in its later statements.

    Raises:
        ParseError: the text is not SQL of this dialect, or it uses a call of ours in a statement that must stay text.
    """
    trees = _remembered(sql) if len(sql) <= SHORT else _parsed(sql)
    return [tree.copy() for tree in trees]


def _parsed(sql: str) -> tuple[exp.Expression, ...]:
    try:
        trees = [tree for tree in Pareto().parse(sql) if tree is not None and not isinstance(tree, exp.Semicolon)]
    except Refused as error:
        hint = error.hint or "look for a missing comma, bracket or keyword at the caret or just before it"
        raise ParseError(error.problem, Spot(sql, error.start, error.length), hint) from None
    except TokenError as error:
        spot = Spot(sql, error.start, (error.end or error.start + 1) - error.start) if error.start is not None else None
        raise ParseError("a string, quoted name or comment is not closed here", spot, "close it") from None
    except RecursionError:
        raise ParseError("the statement is nested too deeply", None, "name its parts in a WITH clause.") from None
    except Exception as error:  # sqlglot may fail in any way on text that is not SQL
        raise ParseError(f"the statement cannot be understood ({type(error).__name__})", None, "simplify it") from None
    for tree in trees:
        for command in tree.find_all(exp.Command):
            if looks_ours(f"{command.this} {command.text('expression')}"):
                word = str(command.this).upper()
                hint = "run the query itself instead"
                raise ParseError(f"{word} statements cannot hold distinct counts or models", _place(sql), hint)
    return cast(tuple[exp.Expression, ...], tuple(trees))


_remembered = lru_cache(64)(_parsed)  # a copy of a tree takes a tenth of the time of its parse


def looks_ours(sql: str) -> bool:
    """Whether text, parsable or not, holds a call or statement of ours, judged by its tokens alone. Never raises.

    >>> looks_ours("SELECT ndv (x FROM"), looks_ours("SELECT 'ndv(x)' FROM"), looks_ours("SELECT ndv FROM t")
    (True, False, False)
    """
    return _place(sql) is not None


def _place(sql: str) -> Spot | None:
    """The first word that makes a text ours."""
    try:
        tokens = Pareto().tokenize(sql)
    except Exception:  # text that has no tokens is for DuckDB to refuse
        return None
    for at, token in enumerate(tokens):
        if token.token_type == TokenType.STRING and at and tokens[at - 1].token_type in Pareto.Tokenizer.COMMANDS:
            inner = _place(token.text)
            if inner is not None:
                return Spot(sql, sql.find(token.text, tokens[at - 1].end) + inner.start, inner.length)
        elif _call_at(tokens, at) or (
            (at == 0 or tokens[at - 1].token_type == TokenType.SEMICOLON) and _opens(tokens, at)
        ):
            return Spot(sql, token.start, token.end + 1 - token.start)
    return None


def _word(tokens: Sequence[Token], at: int) -> str:
    quoted = at >= len(tokens) or tokens[at].token_type in (TokenType.STRING, TokenType.IDENTIFIER)
    return "" if quoted else tokens[at].text.upper()


def _call_at(tokens: Sequence[Token], at: int) -> bool:
    if at + 1 >= len(tokens) or tokens[at + 1].token_type != TokenType.L_PAREN:
        return False
    token, name = tokens[at], tokens[at].text.lower()
    if token.token_type == TokenType.STRING:
        return False
    if name in CALLS:
        return at == 0 or tokens[at - 1].token_type != TokenType.DOT
    after = (TokenType.COMMA, TokenType.R_PAREN, TokenType.DOT)
    of_bigquery = at > 1 and tokens[at - 1].token_type == TokenType.DOT and _word(tokens, at - 2) == "ML"
    return (
        (name in VERBS or of_bigquery)
        and _word(tokens, at + 2) == "MODEL"
        and at + 3 < len(tokens)
        and tokens[at + 3].token_type not in after
    )


def _opens(tokens: Sequence[Token], at: int) -> bool:
    words = [_word(tokens, at + step) for step in range(4)]
    follows = at + 2 < len(tokens) and tokens[at + 2].token_type in (TokenType.VAR, TokenType.IDENTIFIER)
    match words:
        case ["CREATE", "MODEL", *_] | ["CREATE", "OR", "REPLACE", "MODEL"] | ["DROP", "MODEL", *_]:
            return True
        case ["ALTER" | "EXPORT", "MODEL", *_]:
            return follows
        case ["SHOW", "MODELS", *_] | ["SHOW", "MODEL", "TYPES", *_]:
            return True
        case ["DESCRIBE" | "DESC" | "SHOW", "MODEL", *_]:
            return follows
        case ["ANALYZE", *_]:
            return _samples(tokens, at)
        case ["EXPLAIN", mode, *_]:
            return mode in EXPLAIN_MODES and mode != "ANALYZE"
        case ["SET" | "RESET", "SESSION" | "GLOBAL" | "LOCAL", name, _] | ["SET" | "RESET", name, *_]:
            return name.lower() in SETTINGS
    return False


def _samples(tokens: Sequence[Token], at: int) -> bool:
    """Whether the statement that begins here says WITH SAMPLE."""
    while at < len(tokens) and tokens[at].token_type != TokenType.SEMICOLON:
        if _word(tokens, at) == "WITH" and _word(tokens, at + 1) == "SAMPLE":
            return True
        at += 1
    return False
