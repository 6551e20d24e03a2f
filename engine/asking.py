"""Models from Python: methods that write the SQL, so that both doors do the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from paretosql.engine.result import Result
from paretosql.errors import ProgrammingError, compose

if TYPE_CHECKING:
    from paretosql.engine.dbapi import Connection


def create_statement(name: str, model_type: str, query: str, options: Mapping[str, Any], *, replace: bool) -> str:
    """CREATE MODEL as text."""
    listed = ", ".join(
        f"{quoted(key)} = {literal(value)}" for key, value in {"model_type": model_type, **options}.items()
    )
    return f"CREATE {'OR REPLACE ' if replace else ''}MODEL {quoted(name)} OPTIONS ({listed}) AS {query}"


def quoted(name: str) -> str:
    """A name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: Any) -> str:
    """A Python value in SQL.

    Raises:
        ProgrammingError: it has no literal.
    """
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, Sequence):
        return f"[{', '.join(literal(each) for each in value)}]"
    raise ProgrammingError(compose(f"an option cannot be of type {type(value).__name__}", hint="text, numbers, lists."))


class ModelHandle:
    """A model to ask; every method gives a lazy result, as `Connection.sql` does.

    Rows are given as the name of a table, as the text of a query, or as anything with an Arrow stream.
    """

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self.name = name

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
        parts = [f"MODEL {quoted(self.name)}"]
        if rows is not None:
            parts.append(self._source(rows, f"__pareto_rows_{verb}"))
        for name, value in arguments.items():
            is_rows = name in ("history", "candidates") and value is not None
            parts.append(f"{name} => {self._source(value, f'__pareto_rows_{name}') if is_rows else literal(value)}")
        return self._connection.sql(f"SELECT * FROM {verb}({', '.join(parts)})")

    def _source(self, rows: Any, name: str) -> str:
        if isinstance(rows, str):
            return f"({rows})" if any(each.isspace() for each in rows.strip()) else f"TABLE {rows}"
        self._connection.register(name, rows)
        return f"TABLE {name}"
