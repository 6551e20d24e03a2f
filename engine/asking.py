"""Models from Python: methods that write the SQL, so that both doors do the same."""

from __future__ import annotations

import re
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from paretosql.engine.identifiers import quoted
from paretosql.engine.result import Result
from paretosql.errors import ProgrammingError, closest, compose
from paretosql.udfs.choices import Candidates, Range
from paretosql.udfs.verbs import RELATION, VERBS, argument_of

if TYPE_CHECKING:
    from paretosql.engine.dbapi import Connection


@contextmanager
def creating(
    connection: Connection, name: str, rows: Any, options: Mapping[str, Any], *, replace: bool, transform: str
) -> Iterator[str]:
    """A CREATE MODEL statement as text; rows that are no SQL have a name while the block lasts."""
    start = f"CREATE {'OR REPLACE ' if replace else ''}MODEL {quoted(name)}"
    listed = ", ".join(f"{quoted(key)} = {literal(value)}" for key, value in options.items())
    with closing(Named(connection)) as named:
        changed = f" TRANSFORM ({transform})" if transform else ""
        yield f"{start}{changed} OPTIONS ({listed}) AS {named.query(rows)}"


def literal(value: Any) -> str:
    """A Python value in SQL.

    Raises:
        ProgrammingError: it has no literal.
    """
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real):
        return repr(float(value))
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, Sequence):
        return f"[{', '.join(literal(each) for each in value)}]"
    if isinstance(value, Candidates):
        return f"hparam_candidates({literal(value.values)})"
    if isinstance(value, Range):
        return f"hparam_range({literal(value.low)}, {literal(value.high)})"
    raise ProgrammingError(compose(f"an option cannot be of type {type(value).__name__}", hint="text, numbers, lists."))


_QUERY = re.compile(r"\s*(?:\(|(?:select|from|with|values|table|pivot|unpivot|describe|summarize|show)\b)", re.I)
_NAME = re.compile(r'(?:[^\W\d]\w*|"(?:[^"]|"")+")(?:\.(?:[^\W\d]\w*|"(?:[^"]|"")+"))*')
_FILE = re.compile(r".*\.(?:parquet|csv|tsv|json|jsonl|ndjson)(?:\.gz|\.zst)?", re.I | re.S)


class Named:
    """Rows that are given from Python, as SQL: what has an Arrow stream is registered under a name of its own."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._names: list[str] = []

    def source(self, rows: Any) -> str:
        """The argument of a call: `TABLE name`, or a query in brackets."""
        if not isinstance(rows, str):
            return f"TABLE {self._registered(rows)}"
        text = rows.strip().rstrip(";").rstrip()
        if _FILE.fullmatch(text):
            return f"TABLE {literal(text)}"
        if _QUERY.match(text) and not _NAME.fullmatch(text):
            return text if text.startswith("(") and text.endswith(")") else f"({text})"
        return f"TABLE {text if _NAME.fullmatch(text) else quoted(text)}"

    def query(self, rows: Any) -> str:
        """The same as a query."""
        source = self.source(rows)
        return f"FROM {source.removeprefix('TABLE ')}"

    def _registered(self, rows: Any) -> str:
        name = self._connection._session.work.new_name()
        self._connection.register(name, rows)
        self._names.append(name)
        return name

    def close(self) -> None:
        """Let the names go, before the next statement; may be called at any time, from any thread."""
        self._connection._session.work.let_go(self._names)


class ModelHandle:
    """A model to ask; every method gives a lazy result, as `Connection.sql` does.

    Rows are given as the name of a table or a file, as the text of a query, or as anything with an Arrow stream.
    """

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self.name = name

    def __repr__(self) -> str:
        return f"<model {self.name!r}>"

    def predict(self, rows: Any, **arguments: Any) -> Result:
        """The rows with what the model says of each."""
        return self._ask("predict", rows, arguments)

    def recommend(self, rows: Any = None, **arguments: Any) -> Result:
        """The best items for each user; without rows for all users of the training."""
        return self._ask("recommend", rows, arguments)

    def similar(self, rows: Any = None, **arguments: Any) -> Result:
        """The items most like each item; without rows for all items of the training."""
        return self._ask("similar", rows, arguments)

    def embed(self, rows: Any = None) -> Result:
        """The rows with the vector of each item."""
        return self._ask("embed", rows, {})

    def evaluate(self, rows: Any = None, **arguments: Any) -> dict[str, float]:
        """Metrics by name, on given rows or on those held out in training."""
        found = self._ask("evaluate", rows, arguments).arrow()
        return dict(zip(found.column("metric").to_pylist(), found.column("value").to_pylist(), strict=True))

    def ask(self, verb: str, rows: Any = None, **arguments: Any) -> Result:
        """Any other verb, such as weights, centroids or confusion_matrix."""
        return self._ask(verb, rows, arguments)

    def describe(self) -> Result:
        """What there is to know of the model, as rows."""
        return self._connection.sql(f"DESCRIBE MODEL {quoted(self.name)}")

    def _ask(self, verb: str, rows: Any, arguments: Mapping[str, Any]) -> Result:
        known = VERBS.get(verb)
        if known is None:
            near = closest(verb, VERBS)
            hint = f"did you mean {near!r}?" if near else f"it is one of {', '.join(VERBS)}."
            raise ProgrammingError(compose(f"no model can be asked to {verb}", hint=hint))
        named = Named(self._connection)
        parts = [f"MODEL {quoted(self.name)}"]
        if rows is not None:
            parts.append(named.source(rows))
        for name, value in arguments.items():
            argument = argument_of(known, name)
            is_rows = argument is not None and argument.kind == RELATION and value is not None
            parts.append(f"{name} => {named.source(value) if is_rows else literal(value)}")
        result = self._connection.sql(f"SELECT * FROM {verb}({', '.join(parts)})")
        weakref.finalize(result, named.close)  # it reads the rows each time it is read itself
        return result
