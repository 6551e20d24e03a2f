"""GROUP BY clauses: the key expressions and the grouping sets they are combined in."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

KeySet = tuple[int, ...]


@dataclass(frozen=True)
class Grouping:
    """`keys` are distinct expressions; each set holds ascending indexes into them."""

    keys: tuple[exp.Expr, ...]
    sets: tuple[KeySet, ...]

    @property
    def plain(self) -> bool:
        """True when there is one set, of all keys."""
        return len(self.sets) == 1 and len(self.sets[0]) == len(self.keys)

    def bits(self, chosen: KeySet) -> int:
        """DuckDB's GROUPING(all keys) in the rows of one set: a 1 for each key rolled up, the first key highest."""
        return sum(1 << (len(self.keys) - 1 - at) for at in range(len(self.keys)) if at not in chosen)


def grouping_of(group: exp.Group, resolve: Callable[[exp.Expr], exp.Expr]) -> Grouping:
    """Read a GROUP BY clause; `resolve` turns ordinals and aliases into the expressions they stand for.

    Parts of the clause multiply, as the SQL standard says: GROUP BY a, ROLLUP (b) means the sets (a, b) and (a).

    >>> from sqlglot import parse_one
    >>> clause = parse_one("SELECT 1 FROM t GROUP BY a, ROLLUP (b, c)", read="duckdb").args["group"]
    >>> grouping_of(clause, lambda key: key).sets
    ((0, 1, 2), (0, 1), (0,))
    """
    keys: list[exp.Expr] = []

    def key(expression: exp.Expr) -> int:
        expression = resolve(expression)
        if expression not in keys:
            keys.append(expression)
        return keys.index(expression)

    parts = [_alternatives(part, key) for part in _parts(group)]
    sets = [tuple(sorted(set(itertools.chain(*choice)))) for choice in itertools.product(*parts)]
    return Grouping(tuple(keys), tuple(sets) or ((),))


def _parts(group: exp.Group) -> list[exp.Expr]:
    extra = [group.args.get(name) or [] for name in ("grouping_sets", "cube", "rollup")]
    return [*group.expressions, *itertools.chain(*(each if isinstance(each, list) else [] for each in extra))]


def _alternatives(part: exp.Expr, key: Callable[[exp.Expr], int]) -> list[KeySet]:
    """The sets that one part of the clause stands for."""
    if isinstance(part, exp.GroupingSets):
        return list(itertools.chain(*(_alternatives(each, key) for each in part.expressions)))
    if isinstance(part, exp.Rollup):
        columns = [_members(each, key) for each in part.expressions]
        return [tuple(itertools.chain(*columns[:n])) for n in range(len(columns), -1, -1)]
    if isinstance(part, exp.Cube):
        columns = [_members(each, key) for each in part.expressions]
        sizes = range(len(columns), -1, -1)
        return [tuple(itertools.chain(*some)) for n in sizes for some in itertools.combinations(columns, n)]
    return [_members(part, key)]


def _members(part: exp.Expr, key: Callable[[exp.Expr], int]) -> KeySet:
    if isinstance(part, exp.Tuple):
        return tuple(key(each) for each in part.expressions)
    return (key(part.unnest() if isinstance(part, exp.Paren) else part),)
