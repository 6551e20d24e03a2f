"""Text to statements: where each one begins, what kind it is, and which parameters it wants.

DuckDB's own parser does the splitting, so whatever it accepts is split its way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal

import duckdb
from duckdb import ExpectedResultType, StatementType

from paretosql.engine.faults import translated, translated_names
from paretosql.errors import ProgrammingError, Spot, compose

Kind = Literal["query", "change", "define", "begin", "commit", "rollback"]
Parameters = Sequence[Any] | Mapping[str, Any] | None

_CHANGES = {StatementType.INSERT, StatementType.UPDATE, StatementType.DELETE, StatementType.MERGE_INTO}


@dataclass(frozen=True)
class Statement:
    """One statement: the whole text it stands in, its place there, and DuckDB's parse of it."""

    whole: str
    offset: int
    text: str
    kind: Kind
    raw: duckdb.Statement
    returns_rows: bool

    rewritten: str | None = None  # what the user wrote, when `whole` is text of ours

    def translated(self) -> AbstractContextManager[None]:
        """A block whose foreign errors become ours, pointing into what the user wrote."""
        return translated(self.whole) if self.rewritten is None else translated_names(self.rewritten)

    @property
    def spot(self) -> Spot:
        """Where the statement stands in what the user wrote."""
        lead = len(self.text) - len(self.text.lstrip())
        return Spot(self.whole, self.offset + lead, len(self.text.split("\n")[0].strip()) or 1)


def split(con: duckdb.DuckDBPyConnection, text: str) -> list[Statement]:
    """The statements of `text`, in order; O(length) time.

    Raises:
        ProgrammingError: the text is not SQL; the message shows the place.
    """
    if not isinstance(text, str):
        raise ProgrammingError(compose(f"a statement is a str, not {type(text).__name__}"))
    with translated(text):
        parsed = con.extract_statements(text)
    statements, cursor = [], 0
    for raw in parsed:
        at = max(text.find(raw.query, cursor), cursor)
        cursor = at + len(raw.query)
        statements.append(Statement(text, at, raw.query, _kind(raw), raw, _returns_rows(raw)))
    return statements


def _kind(raw: duckdb.Statement) -> Kind:
    if raw.type == StatementType.TRANSACTION:
        word = _first_word(raw.query)
        return "begin" if word in ("BEGIN", "START") else "commit" if word in ("COMMIT", "END") else "rollback"
    if raw.type in _CHANGES or (raw.type == StatementType.COPY and _copies_in(raw.query)):
        return "change"
    return "query" if raw.expected_result_type == [ExpectedResultType.QUERY_RESULT] else "define"


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


def _returns_rows(raw: duckdb.Statement) -> bool:
    """False for statements whose only result is a count of changed rows, or none."""
    expected = raw.expected_result_type
    if expected == [ExpectedResultType.QUERY_RESULT]:
        return True
    if raw.type == StatementType.MULTI:  # PIVOT: DuckDB expands it to several, the last a SELECT
        return True
    if raw.type in _CHANGES:
        return "returning" in raw.query.lower()
    return raw.type == StatementType.COPY and "return_" in raw.query.lower()


def bind(statement: Statement, parameters: Parameters) -> list[Any] | dict[str, Any] | None:
    """The parameters in DuckDB's form, after checking that they are as many as the statement names.

    Raises:
        ProgrammingError: too few, too many, or the wrong names; a str where a sequence belongs.
    """
    wanted = statement.raw.named_parameters
    if parameters is None:
        given: list[Any] | dict[str, Any] | None = None
        missing = sorted(wanted)
    elif isinstance(parameters, Mapping):
        given = {str(name): value for name, value in parameters.items()}
        missing = sorted(wanted - given.keys())
        extra = sorted(given.keys() - wanted)
        if extra:
            raise _mismatch(statement, f"the statement has no parameter ${extra[0]}")
    else:
        if isinstance(parameters, (str, bytes)) or not isinstance(parameters, Sequence):
            raise _mismatch(statement, f"parameters are a sequence or a mapping, not {type(parameters).__name__}")
        given = list(parameters)
        positions = {int(name) for name in wanted if name.isdigit()}
        if len(positions) < len(wanted):
            raise _mismatch(
                statement, f"the statement names its parameters: {', '.join('$' + n for n in sorted(wanted))}"
            )
        if len(given) != max(positions, default=0):
            raise _mismatch(statement, f"the statement has {max(positions, default=0)} parameters, {len(given)} given")
        missing = []
    if missing:
        names = ", ".join("?" if name.isdigit() else "$" + name for name in missing)
        raise _mismatch(statement, f"no value for {len(missing)} parameter{'s' * (len(missing) > 1)}: {names}")
    return given or None


def _mismatch(statement: Statement, problem: str) -> ProgrammingError:
    hint = "give one value for each ? (a sequence), or one entry for each $name (a mapping)"
    return ProgrammingError(compose(problem, statement.spot, hint))
