"""Parameters of a statement that is cut into fragments: every one gets a name, and fragments say which they want."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from paretosql.engine.binding import Parameters, match
from paretosql.engine.dialect import Pareto
from paretosql.engine.plan import Fragment
from paretosql.errors import Spot


def name_parameters(tree: exp.Expr, text: str, given: Parameters) -> dict[str, Any]:
    """Name the `?` and `$1` of a tree `p1`, `p2`, .. in place, and return the values under those names.

    Raises:
        ProgrammingError: see `binding.match`.
    """
    nodes = sorted(tree.find_all(exp.Placeholder), key=lambda node: node.meta.get("start", 0))
    position = 0
    wanted: set[str] = set()
    for node in nodes:
        name = str(node.this) if node.this else ""
        if not name:
            position += 1
            name = str(position)
        wanted.add(name)
        node.set("this", _named(name))
    lead = len(text) - len(text.lstrip())
    spot = Spot(text, lead, len(text.strip().split("\n")[0]) or 1)
    return {_named(name): value for name, value in match(wanted, given, spot).items()}


def _named(name: str) -> str:
    return f"p{name}" if name.isdigit() else name


def fragment(tree: exp.Expr) -> Fragment:
    """A tree as a fragment: its text for DuckDB and the parameters it wants."""
    return Fragment(tree.sql(dialect=Pareto), frozenset(str(node.this) for node in tree.find_all(exp.Placeholder)))
