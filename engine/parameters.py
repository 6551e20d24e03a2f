"""Parameters of a statement that is cut into fragments: every one gets a name, and fragments say which they want."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlglot import exp

from paretosql.engine.dialect import Pareto
from paretosql.engine.plan import Fragment
from paretosql.engine.statements import Parameters
from paretosql.errors import ProgrammingError, Spot, compose


def name_parameters(tree: exp.Expr, text: str, given: Parameters) -> dict[str, Any]:
    """Name the `?` and `$1` of a tree `p1`, `p2`, .. in place, and return the values under those names.

    Raises:
        ProgrammingError: more or fewer values than parameters, or other names.
    """
    nodes = sorted(tree.find_all(exp.Placeholder), key=lambda node: node.meta.get("start", 0))
    position = 0
    wanted: dict[str, None] = {}
    for node in nodes:
        name = str(node.this) if node.this else ""
        if not name:
            position += 1
            name = str(position)
        if name.isdigit():
            name = f"p{name}"
        node.set("this", name)
        wanted[name] = None
    if isinstance(given, Mapping):
        values = {f"p{name}" if str(name).isdigit() else str(name): value for name, value in given.items()}
    else:
        if isinstance(given, (str, bytes)):
            raise _mismatch(text, f"parameters are a sequence or a mapping, not {type(given).__name__}")
        values = {f"p{at}": value for at, value in enumerate(given or (), 1)}
    if values.keys() != wanted.keys():
        raise _mismatch(text, f"the statement has {len(wanted)} parameters, {len(values)} given")
    return values


def _mismatch(text: str, problem: str) -> ProgrammingError:
    lead = len(text) - len(text.lstrip())
    spot = Spot(text, lead, len(text.strip().split("\n")[0]) or 1)
    return ProgrammingError(
        compose(problem, spot, "give one value for each ? (a sequence), or one entry for each $name (a mapping)")
    )


def fragment(tree: exp.Expr) -> Fragment:
    """A tree as a fragment: its text for DuckDB and the parameters it wants."""
    return Fragment(tree.sql(dialect=Pareto), frozenset(str(node.this) for node in tree.find_all(exp.Placeholder)))
