"""Expressions after grouping: what they need from the groups, and how they read once the groups stand in a relation.

A grouped SELECT computes its list, HAVING, QUALIFY and ORDER BY from group keys and aggregates. `Lifter.lift` replaces
each such part by a column of the relation that will hold them, and remembers which ordinary aggregates DuckDB has to
compute. `SELECT a + 1, sum(b) / ndv(c) ... GROUP BY a + 1` becomes `SELECT k0, a0 / v0`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from paretosql.engine.nodes import NdvCall, function_name, source_names
from paretosql.engine.spelling import Spelling

KEY, AGGREGATE, VALUE = "__k", "__a", "__v"  # column name prefixes of the grouped relation
RELATION = "__b"  # its name

_WRAPPERS = (exp.Filter, exp.WithinGroup, exp.IgnoreNulls, exp.RespectNulls)
_INSIDE = (exp.Order, exp.Ordered, exp.Distinct, exp.Tuple, exp.Where, exp.Star, exp.Kwarg, exp.PropertyEQ, *_WRAPPERS)


def column(name: str) -> exp.Column:
    """A bare column reference."""
    return exp.column(name)


_NO_KEY = (exp.Alias, exp.Ordered, exp.Order, exp.Identifier, exp.Tuple, exp.Qualify, exp.Distinct)


class Lifter:
    """Replaces keys, aggregates and distinct counts of one SELECT, and keeps the lists of what was replaced."""

    def __init__(
        self,
        keys: Sequence[exp.Expr],
        is_aggregate: Callable[[str], bool],
        aliases: set[str],
        spelling: Spelling,
    ) -> None:
        self.keys = list(keys)
        self._spelt = [spelling.of(key) for key in keys]
        self._spelling = spelling
        self.aggregates: list[exp.Expr] = []
        self.calls: list[exp.Expr] = []  # NdvCall, or Filter around one
        self._is_aggregate = is_aggregate
        self._aliases = aliases

    def lift(self, node: exp.Expr, *, alias_first: bool = False) -> exp.Expr:
        """The expression over the grouped relation; `node` stays as it is.

        Args:
            alias_first: in ORDER BY a bare name means an output column before it means a key.
        """
        if alias_first and isinstance(node, exp.Column) and not node.table and node.name.lower() in self._aliases:
            return node.copy()
        place = self._place(node)
        if place is not None:
            return place
        copy = node.copy()
        if isinstance(copy, exp.Column) and self.keys:
            copy = self._spelling.split_fields(copy)
        if isinstance(node, exp.Window):
            self._lift_window(copy)
            return copy
        self._lift_children(copy, alias_first)
        return copy

    def _lift_children(self, copy: exp.Expr, alias_first: bool = False) -> None:
        deeper = alias_first and isinstance(copy, (exp.Ordered, exp.Order))
        for child in list(copy.iter_expressions()):
            if isinstance(child, exp.Query):
                self._lift_correlated(child)
            else:
                child.replace(self.lift(child, alias_first=deeper))

    def _place(self, node: exp.Expr) -> exp.Expr | None:
        spelt = self._spelling.of(node) if self.keys and not isinstance(node, _NO_KEY) else None
        if spelt in self._spelt:
            return column(f"{KEY}{self._spelt.index(spelt)}")
        core = _core(node)
        if isinstance(core, NdvCall):
            return column(f"{VALUE}{_index(self.calls, node)}")
        if isinstance(node, (exp.AggFunc, exp.Func, *_WRAPPERS)) and self._aggregates(core):
            return column(f"{AGGREGATE}{_index(self.aggregates, node)}")
        return None

    def _aggregates(self, core: exp.Expr) -> bool:
        if isinstance(core, exp.Window):
            return False
        name = function_name(core)
        return bool(name) and (self._is_aggregate(name) or name.lower() in ("grouping", "grouping_id"))

    def _lift_window(self, window: exp.Expr) -> None:
        """The function of a window stays; its arguments, partition and order are lifted."""
        inner = window.this
        while isinstance(inner, _WRAPPERS):
            if isinstance(inner, exp.Filter):
                inner.expression.replace(self.lift(inner.expression))
            inner = inner.this
        if isinstance(inner, exp.Expr):
            self._lift_children(inner)
        for part in list(window.iter_expressions()):
            if part is not window.this:
                part.replace(self.lift(part))

    def _lift_correlated(self, query: exp.Expr) -> None:
        """Qualified group keys inside a subquery refer to our groups; names of its own are left alone."""
        for each in list(query.find_all(exp.Column)):
            at = self._key_named(each) if each.table and not _hidden(each, query) else None
            if at is not None:
                each.replace(exp.column(f"{KEY}{at}", table=RELATION))

    def _key_named(self, name: exp.Column) -> int | None:
        for at, key in enumerate(self.keys):
            if isinstance(key, exp.Column) and key.name.lower() == name.name.lower():
                sources = {key.table.lower()} if key.table else self._spelling.sources
                if name.table.lower() in sources:
                    return at
        return None


def _hidden(name: exp.Column, query: exp.Expr) -> bool:
    """Whether a SELECT between the name and `query` has a source called like the name's table."""
    node: exp.Expr | None = name
    while node is not None and node is not query.parent:
        if isinstance(node, exp.Select) and name.table.lower() in source_names(node):
            return True
        node = node.parent
    return False


def _core(node: exp.Expr) -> exp.Expr:
    """The call inside FILTER, WITHIN GROUP and IGNORE NULLS."""
    while isinstance(node, _WRAPPERS):
        node = node.this
    return node


def _index(items: list[exp.Expr], node: exp.Expr) -> int:
    if node not in items:
        items.append(node.copy())
    return items.index(node)


def flatten(aggregate: exp.Expr, keep: Callable[[exp.Expr], str]) -> exp.Expr:
    """An aggregate whose inputs are columns: `keep` stores an input expression and returns its column name.

    `sum(a * b) FILTER (WHERE c > 1)` becomes `sum(p0) FILTER (WHERE p1)`; constants stay where they are.
    """
    copy = aggregate.copy()
    _flatten(copy, keep)
    return copy


def _flatten(node: exp.Expr, keep: Callable[[exp.Expr], str]) -> None:
    for child in list(node.iter_expressions()):
        if isinstance(child, _INSIDE) or child is _core(node) or isinstance(child, exp.AggFunc):
            _flatten(child, keep)
        elif child.find(exp.Column, exp.Subquery):
            child.replace(column(keep(child)))
