"""Text to statements: where each one begins, what kind it is, and which parameters it wants.

DuckDB's own parser does the splitting, so whatever it accepts is split its way.
"""

from __future__ import annotations

import contextlib
import re
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal

import duckdb
from duckdb import ExpectedResultType, StatementType

from paretosql.engine.binding import Parameters, match
from paretosql.engine.faults import translated, translated_names
from paretosql.errors import ProgrammingError, Spot, compose

Kind = Literal["query", "change", "define", "begin", "commit", "rollback"]
_CHANGES = {StatementType.INSERT, StatementType.UPDATE, StatementType.DELETE, StatementType.MERGE_INTO}


@dataclass(frozen=True)
class Statement:
    """One statement: the whole text it stands in, its place there, and DuckDB's parse of it."""

    whole: str
    offset: int
    text: str
    kind: Kind
    raw: duckdb.Statement | str  # DuckDB's parse, or the text of a plain query
    returns_rows: bool | None  # None: only running it tells

    rewritten: str | None = None  # what the user wrote, when `whole` is text of ours

    def translated(self) -> AbstractContextManager[None]:
        """A block whose foreign errors become ours, pointing into what the user wrote."""
        return translated(self.whole) if self.rewritten is None else translated_names(self.rewritten)

    @property
    def spot(self) -> Spot:
        """Where the statement stands in what the user wrote."""
        lead = len(self.text) - len(self.text.lstrip())
        return Spot(self.whole, self.offset + lead, len(self.text.split("\n")[0].strip()) or 1)


_LEAD = r"(?:\s|--[^\n]*|/\*(?s:.*?)\*/)*+"  # blanks and comments, which DuckDB 2.0.1 counts to the statement
_ANALYZED_CHANGE = re.compile(
    _LEAD + r"EXPLAIN\s*(?:ANALYZE\b|\([^)]*\banalyze\b[^)]*\))\s*+(?!SELECT\b|FROM\b|VALUES\b|\()", re.IGNORECASE
)
_CREATE_TABLE = re.compile(_LEAD + r"CREATE\b[^(;]*\bTABLE\b", re.IGNORECASE)

# one SELECT without parameters, by its looks: DuckDB need not parse it twice
_SIMPLE = re.compile(r"\s*SELECT\b[^;?$]*;?\s*\Z", re.IGNORECASE)


def split(con: duckdb.DuckDBPyConnection, text: str) -> list[Statement]:
    """The statements of `text`, in order; O(length) time.

    Raises:
        ProgrammingError: the text is not SQL; the message shows the place.
    """
    if not isinstance(text, str):
        raise ProgrammingError(compose(f"a statement is a str, not {type(text).__name__}"))
    if _SIMPLE.match(text):
        return [Statement(text, 0, text, "query", text, True)]
    with translated(text):
        parsed = con.extract_statements(text)
    statements, cursor = [], 0
    for raw in parsed:
        at = max(text.find(raw.query, cursor), cursor)
        cursor = at + len(raw.query)
        statements.append(Statement(text, at, raw.query, _kind(raw), raw, _returns_rows(raw)))
    return statements


def _type(raw: duckdb.Statement) -> StatementType | None:
    """The kind of a statement; None for kinds that DuckDB's Python package has no name for yet."""
    with contextlib.suppress(ValueError):
        return raw.type
    return None


def _expected(raw: duckdb.Statement) -> list[Any]:
    """What the statement may answer; nothing for kinds without a name."""
    return [] if _type(raw) is None else raw.expected_result_type


def _kind(raw: duckdb.Statement) -> Kind:
    kind = _type(raw)
    if kind == StatementType.TRANSACTION:
        word = _first_word(raw.query)
        return "begin" if word in ("BEGIN", "START") else "commit" if word in ("COMMIT", "END") else "rollback"
    if kind in _CHANGES or (kind == StatementType.COPY and _copies_in(raw.query)) or _may_change(kind, raw.query):
        return "change"
    return "query" if _expected(raw) == [ExpectedResultType.QUERY_RESULT] else "define"


def _may_change(kind: StatementType | None, text: str) -> bool:
    """Statements that change data by way of another one: EXECUTE, EXPLAIN ANALYZE of a change, IMPORT DATABASE."""
    if kind == StatementType.EXPLAIN:
        return _ANALYZED_CHANGE.match(text) is not None
    if kind == StatementType.PRAGMA:
        return "import_database" in text.lower()
    return kind == StatementType.EXECUTE


def _first_word(text: str) -> str:
    from sqlglot.dialects.duckdb import DuckDB

    tokens = DuckDB().tokenize(text)
    return tokens[0].text.upper() if tokens else ""


def _copies_in(text: str) -> bool:
    """True for COPY t FROM, false for COPY t TO and COPY (query) TO: the first FROM or TO outside brackets decides."""
    from sqlglot.dialects.duckdb import DuckDB

    depth = 0
    for token in DuckDB().tokenize(text):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth == 0 and token.text.upper() in ("FROM", "TO"):
            return token.text.upper() == "FROM"
    return False


def _returns_rows(raw: duckdb.Statement) -> bool | None:
    """False for statements whose only result is a count of changed rows, or none; None when only running it tells."""
    expected, kind = _expected(raw), _type(raw)
    if expected == [ExpectedResultType.QUERY_RESULT] or kind == StatementType.MULTI:  # PIVOT becomes several statements
        return True
    if kind is None:
        return None
    if kind in _CHANGES:
        return "returning" in raw.query.lower()
    return kind == StatementType.COPY and "return_" in raw.query.lower()


def counts_rows(statement: Statement) -> bool:
    """Whether the one number that a statement answers is how many rows it has written."""
    if isinstance(statement.raw, str):
        return False
    kind = _type(statement.raw)
    makes_table = kind == StatementType.CREATE and _CREATE_TABLE.match(statement.text) is not None
    return statement.kind == "change" or kind == StatementType.COPY or makes_table


def repeatable(statement: Statement) -> bool:
    """Whether running the statement again changes nothing."""
    plain = isinstance(statement.raw, str) or _type(statement.raw) in (StatementType.SELECT, StatementType.EXPLAIN)
    return statement.kind == "query" and plain and "nextval" not in statement.text.lower()


def bind(statement: Statement, parameters: Parameters) -> list[Any] | dict[str, Any] | None:
    """The parameters in DuckDB's form; see `binding.match`."""
    names = set() if isinstance(statement.raw, str) else statement.raw.named_parameters
    values = match(names, parameters, statement.spot)
    if all(name.isdigit() for name in values):
        return [values[str(at)] for at in range(1, len(values) + 1)] or None
    return values
