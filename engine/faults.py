"""Errors of DuckDB, Arrow and sqlglot, turned into ours: what is wrong, where, and what would work.

Sessions ask DuckDB for errors as JSON, which carries the byte position of the fault; here it becomes line, column and
caret in the text the user wrote. The original error stays reachable as `__cause__`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa

from paretosql import errors
from paretosql.engine.scalars import HIDDEN
from paretosql.errors import Spot, closest, compose
from paretosql.udfs.verbs import VERBS

# DuckDB's own classes already stand in PEP 249's tree; these are the ones it leaves directly under DatabaseError.
_CLASSES: dict[str, type[errors.Error]] = {
    "InterruptException": errors.OperationalError,
    "PermissionException": errors.OperationalError,
    "DependencyException": errors.ProgrammingError,
    "SequenceException": errors.DataError,
    "FatalException": errors.InternalError,
    "Error": errors.DatabaseError,  # without a class of its own
}

_UNNAMED = ("Invalid", "Parameter Not Allowed")  # kinds that DuckDB prints without their name

_HINTS: dict[str, str] = {
    "INTERRUPT": "the statement was stopped before its end; nothing of it was kept",
    "Transaction": "rollback() ends the failed transaction; then run its statements again",
    "TransactionContext": "commit() or rollback() ends a transaction, BEGIN starts one",
    "Out of Memory": "SET memory_limit = '...' allows more, SET temp_directory = '...' lets the engine spill to disk",
    "Constraint": "check the row against the constraints of the table; ON CONFLICT can skip or replace it",
    "Conversion": "TRY_CAST gives NULL where a value does not convert",
    "Not implemented": "rewrite the statement without this feature",
    "Binder": "check the names and types at this place; DESCRIBE table lists columns and their types",
    "Catalog": "SHOW TABLES lists the tables; a file is named in quotes: FROM 'file.parquet'",
    "IO": "check the path, the file's contents and the rights of the process",
    "Invalid Input": "check the values at this place; the function or option takes others",
    "Out of Range": "use a wider type, such as HUGEINT or DOUBLE",
}

_STATEMENT_WORDS = tuple(
    each.upper()
    for each in [
        "select",
        "insert",
        "update",
        "delete",
        "create",
        "drop",
        "alter",
        "with",
        "from",
        "values",
        "copy",
        "explain",
        "describe",
        "show",
        "set",
        "begin",
        "commit",
        "rollback",
        "attach",
        "detach",
        "use",
        "pragma",
        "call",
        "merge",
        "summarize",
        "pivot",
        "unpivot",
        "truncate",
        "vacuum",
        "checkpoint",
    ]
)


@contextmanager
def translated(text: str | None = None) -> Iterator[None]:
    """Raise our exceptions for foreign ones inside the block.

    Args:
        text: what the user wrote, to point into; None when there is no SQL.
    Raises:
        Error: always one of the PEP 249 tree, chained to its cause.
    """
    try:
        yield
    except errors.Error:
        raise
    except Exception as fault:
        raise translate(fault, text) from fault


def translate(fault: Exception, text: str | None = None) -> errors.Error:
    """Our exception for a foreign one; see `translated`."""
    if isinstance(fault, duckdb.Error) or '{"exception_type"' in str(fault):
        return _from_duckdb(fault, text)
    if isinstance(fault, RecursionError):
        return errors.NotSupportedError(
            compose("the statement is nested too deeply", hint="name its parts in a WITH clause")
        )
    if isinstance(fault, RuntimeError) and str(fault) == "Query interrupted":
        raise KeyboardInterrupt from fault  # DuckDB has swallowed the signal
    # a failure inside DuckDB's Python layer, such as a parameter of a type it cannot bind
    for kinds, target in _FOREIGN:
        if isinstance(fault, kinds):
            return target(compose(_first_words(fault)))
    return errors.InternalError(compose(f"{type(fault).__name__}: {_first_words(fault)}"))


_FOREIGN: tuple[tuple[tuple[type[Exception], ...], type[errors.Error]], ...] = (
    ((NotImplementedError, pa.ArrowNotImplementedError), errors.NotSupportedError),
    ((pa.ArrowIOError, pa.ArrowMemoryError, MemoryError, OSError), errors.OperationalError),
    ((UnicodeError, OverflowError, pa.ArrowInvalid), errors.DataError),
    ((TypeError, ValueError, KeyError, pa.ArrowTypeError), errors.ProgrammingError),
    ((RuntimeError,), errors.OperationalError),
)


def _first_words(fault: Exception) -> str:
    return str(fault).strip() or type(fault).__name__


def details(fault: Exception) -> dict[str, Any]:
    """What DuckDB says of an error: its JSON, or the plain message under the same keys."""
    message = str(fault).replace(HIDDEN, "")
    start = message.find("{")
    if start >= 0:
        try:
            found = json.loads(message[start:])
        except ValueError:
            found = None
        if isinstance(found, dict) and "exception_message" in found:
            inner = found["exception_message"]
            return json.loads(inner) if inner.startswith('{"exception_type"') else found
    kind, _, rest = message.partition(" Error: ")
    return {"exception_type": kind if rest else "", "exception_message": rest or message}


_CALLED = re.compile(r"Python exception occurred while executing the UDF: (\w+): ((\w+): .*)", re.DOTALL)


def _from_function(found: dict[str, Any], text: str | None) -> errors.Error | None:
    """Our own error, raised inside one of our functions while DuckDB called it; None for any other error."""
    called = _CALLED.match(found["exception_message"])
    if called is None or not hasattr(errors, called[1]):
        return None
    problem, _, hint = called[2].partition("\nHint: ")
    kind: type[errors.Error] = getattr(errors, called[1])
    return kind(compose(problem, _place_of(called[3], text), hint or None))


def _place_of(name: str, text: str | None) -> Spot | None:
    """Where a name stands first in what the user wrote."""
    at = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) if name and text else None
    return Spot(text or "", at.start(), len(name)) if at else None


def _from_duckdb(fault: Exception, text: str | None) -> errors.Error:
    found = details(fault)
    own = _from_function(found, text)
    if own is not None:
        return own
    kind, message = found["exception_type"], _message(found)
    target = _class_of(type(fault) if isinstance(fault, duckdb.Error) else _named(kind))
    return target(compose(_problem(kind, message), _spot(found, text), _hint(found, kind, message, text)))


def _named(kind: str) -> type[Exception]:
    """DuckDB's class for a kind of error that arrived through Arrow, which keeps only the text."""
    wanted = kind.replace(" ", "").lower() + "exception"
    return next((value for name, value in vars(duckdb).items() if name.lower() == wanted), duckdb.Error)


def _class_of(kind: type[Exception]) -> type[errors.Error]:
    for base in kind.__mro__:
        if base.__name__ in _CLASSES:
            return _CLASSES[base.__name__]
        ours = getattr(errors, base.__name__, None)
        if ours is not None and issubclass(ours, errors.Error):
            return ours  # type: ignore[no-any-return]
    return errors.DatabaseError


def _spot(found: dict[str, Any], text: str | None) -> Spot | None:
    if text is None or "position" not in found:
        return None
    start, length = int(found["position"]), 1
    if "location" in found:
        start, length = json.loads(found["location"])
    body = text.encode("utf-8", "surrogatepass")
    if start >= len(body):
        return Spot(text, max(len(text.rstrip()) - 1, 0)) if text else None
    before = len(body[:start].decode("utf-8", "ignore"))
    width = len(body[start : start + length].decode("utf-8", "ignore"))
    return Spot(text, before, max(1, width))


def _hint(found: dict[str, Any], kind: str, message: str, text: str | None) -> str | None:
    asking = _ASKING.search(message)
    if asking is not None:
        return f"{asking[1]} asks a model: {asking[1]}(MODEL name, ..); SHOW MODELS lists them"
    for matches, hint in _BY_MESSAGE:
        if matches(message):
            return hint
    if "Did you mean" in message or "Candidate" in message:
        names = [each.strip() for each in str(found.get("candidates", "")).split(",") if each.strip()]
        near = closest(str(found.get("name", "")), names) if names else None
        return f"did you mean {near!r}?" if near else _lookup_hint(found)
    if found.get("error_subtype") in ("COLUMN_NOT_FOUND", "MISSING_ENTRY"):
        return _lookup_hint(found)
    if kind == "Parser":
        return _parser_hint(found, text)
    return _HINTS.get(kind)


_NO_SKETCH = re.compile(r"No function matches .* '(ndv_estimate|ndv_profile)\((\w+(?:\([^)]*\))?)")
_ASKING = re.compile(rf"Function with name \"?({'|'.join(VERBS)})\"? does not exist", re.I)
_ASKED = re.compile(rf"\b({'|'.join(VERBS)})\s*\(", re.I)
_BY_MESSAGE: tuple[tuple[Callable[[str], bool], str], ...] = (
    (
        lambda m: _NO_SKETCH.search(m) is not None,
        "a stored sketch is a BLOB that ndv_sketch or ndv_merge made; ndv(x) counts the values of a column",
    ),
    (lambda m: "is aborted" in m, "rollback() ends the failed transaction; then run its statements again"),
    (lambda m: "must appear in the GROUP BY" in m, "GROUP BY ALL groups by every column that is not aggregated"),
    (lambda m: "already exists" in m, "CREATE OR REPLACE replaces it, CREATE .. IF NOT EXISTS keeps it"),
    (lambda m: "JSON" in m, "read_json('...', ignore_errors => true) skips what is not JSON"),
    (
        lambda m: "Parquet file" in m or "No magic bytes" in m,
        "read_csv('...') reads text, read_json('...') reads JSON; only Parquet files are read by read_parquet",
    ),
    (lambda m: m.startswith("No files found"), "check the path; it is taken from the working directory of the process"),
    (
        lambda m: "parameter" in m.lower() and ("not provided" in m or "mismatch" in m or "excess" in m),
        "give one value for each ? (a sequence), or one entry for each $name (a mapping)",
    ),
    (lambda m: "read-only mode" in m, "connect(..., read_only=False) opens the database for writing"),
    (
        lambda m: "Could not set lock" in m,
        "another process has this database open; close it there, or read_only=True in both",
    ),
)


def _lookup_hint(found: dict[str, Any]) -> str:
    if found.get("error_subtype") == "COLUMN_NOT_FOUND":
        return "DESCRIBE table lists the columns of a table"
    if str(found.get("type", "")).lower().endswith("function"):
        return "SELECT function_name FROM duckdb_functions() lists the functions"
    return "SHOW TABLES lists the tables; a file is named in quotes: FROM 'file.parquet'"


def _parser_hint(found: dict[str, Any], text: str | None) -> str:
    at = int(found.get("position", 0))
    wrong = re.match(r"\w+", text[at:]) if text else None
    starts_statement = text is not None and not text[:at].rsplit(";", 1)[-1].strip()
    if wrong and starts_statement:
        near = closest(wrong[0], _STATEMENT_WORDS)
        return f"did you mean {near}?" if near else "a statement begins with a word such as SELECT, INSERT, CREATE"
    asked = None if text is None else [each for each in _ASKED.finditer(text) if each.start() < at]
    if asked and text is not None and text[asked[-1].end() : at].count("(") == 0:
        return f"{asked[-1][1]} asks a model: {asked[-1][1]}(MODEL name, TABLE t)"
    if "unterminated" in found["exception_message"]:
        return "close the quote or comment that is open here"
    return "the text is wrong at the caret or just before it: look for a missing comma, bracket, quote or keyword"


@contextmanager
def translated_names(text: str) -> Iterator[None]:
    """Like `translated`, for SQL that we wrote: the place is found by the name that DuckDB stumbled over.

    Args:
        text: what the user wrote.
    """
    try:
        yield
    except errors.Error:
        raise
    except duckdb.Error as fault:
        found = details(fault)
        own = _from_function(found, text)
        if own is not None:
            raise own from fault
        quoted = re.search(r'"([^"]+)"', found["exception_message"])
        name = str(found.get("name", "")) or (quoted[1] if quoted else "")
        kind, message = found["exception_type"], _message(found)
        raise _class_of(type(fault))(
            compose(_problem(kind, message), _place_of(name, text), _hint(found, kind, message, text))
        ) from fault
    except Exception as fault:
        raise translate(fault, text) from fault


def _problem(kind: str, message: str) -> str:
    """What is wrong, in DuckDB's words where they are the user's too."""
    if given := _NO_SKETCH.search(message):
        return f"{given[1]} takes a stored sketch, not a value of type {given[2]}"
    return f"{kind} Error: {message}" if kind and kind not in _UNNAMED else message


def _message(found: dict[str, Any]) -> str:
    message: str = found["exception_message"].strip()
    # our own picture takes the place of DuckDB's, unless the user has switched positions off
    return re.sub(r"\n\nLINE \d+:.*", "", message, flags=re.DOTALL) if "position" in found else message


OURS = ("ndv", "trace_simulate")  # how names of our functions begin


def function_missing(fault: BaseException | None) -> bool:
    """Whether DuckDB stumbled over a call of ours, as it does inside a view that holds one."""
    said = str(fault)
    return isinstance(fault, duckdb.CatalogException) and any(f"Function with name {name}" in said for name in OURS)
