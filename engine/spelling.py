"""When two expressions are the same although they are spelt differently: `T.G + 1` and `g+1`.

Names fold case, and a qualifier does not count where the bare name can mean only one column.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cached_property

from sqlglot import exp

from paretosql.engine.dialect import Pareto
from paretosql.engine.nodes import source_names


class Spelling:
    """The names that FROM of one SELECT gives. `columns` lists its column names when a qualifier makes it matter."""

    def __init__(self, select: exp.Select, columns: Callable[[], list[str]]) -> None:
        self.sources = source_names(select)
        self._columns = columns
        self._natural, self._merged = _merged_names(select)

    @cached_property
    def _known(self) -> Counter[str]:
        return Counter(name.lower() for name in self._columns())

    def of(self, expression: exp.Expr) -> str:
        """One text for all spellings of an expression."""
        copy = exp.Paren(this=expression.copy())
        for node in list(copy.find_all(exp.Column)):
            node.replace(self._folded(self.split_fields(node)))
        for cast in copy.find_all(exp.Cast):
            cast.meta.pop("form", None)  # x::T and CAST(x AS T)
        for call in copy.find_all(exp.Anonymous, exp.AnonymousAggFunc):
            call.set("this", call.name.lower())
        return copy.sql(dialect=Pareto)

    def split_fields(self, name: exp.Column) -> exp.Expr:
        """`s.a` as the field a of the column s, when s is no table; other names as they are."""
        parts = [part.copy() for part in name.parts]
        if len(parts) == 1:
            return name
        base = self._base(parts)
        if base is None or base >= len(parts):
            return name
        column: exp.Expr = exp.Column(this=parts[base - 1], table=parts[base - 2] if base > 1 else None)
        for field in parts[base:]:
            column = exp.Dot(this=column, expression=field)
        return column

    def _base(self, parts: list[exp.Expr]) -> int | None:
        """How many leading parts of a dotted name make the column; None when that cannot be told."""
        first, second = parts[0].name.lower(), parts[1].name.lower()
        if first in self.sources:
            return 2
        if second in self.sources and len(parts) > 2:  # schema.table.column
            return 3
        return 1 if first in self._known else None

    def _folded(self, node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Dot):
            return exp.Dot(this=self._folded(node.this), expression=exp.to_identifier(node.name.lower(), quoted=True))
        name, table = node.name.lower(), node.args.get("table")
        merged = self._natural or name in self._merged
        qualifier = None if table is None or (self._known[name] == 1 and not merged) else table.name.lower()
        return exp.column(exp.to_identifier(name, quoted=True), table=qualifier)


def _merged_names(select: exp.Select) -> tuple[bool, set[str]]:
    """Columns that outer joins merge, so that bare and qualified names differ: all of NATURAL, those of USING."""
    outer = [join for join in select.args.get("joins") or [] if join.side]
    natural = any(join.method == "NATURAL" for join in outer)
    return natural, {name.name.lower() for join in outer for name in join.args.get("using") or []}
